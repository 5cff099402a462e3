/* Header names as numbers. Almost every header of a request is one that nobody configured, so the look-up first asks
 * whether any known name has that length and first letter, and only then hashes and compares. */
#include "iptrust/wire/names.h"

#include <assert.h>
#include <stdlib.h>

#include "iptrust/base/arena.h"

#define SLOTS      (2U * IPT_NAMES_MAX) /* a power of two, never more than half full */
#define SLOT_BITS  10
#define TEXT_BLOCK 1024

_Static_assert(SLOTS == 1U << SLOT_BITS, "slot_of() yields a slot");

static const char *const fixed_names[IPT_NAME_FIXED] = {
    [IPT_NAME_NONE] = "",
    [IPT_NAME_XFF] = "x-forwarded-for",
    [IPT_NAME_FORWARDED] = "forwarded",
    [IPT_NAME_CF_CONNECTING_IP] = "cf-connecting-ip",
    [IPT_NAME_CF_CONNECTING_IPV6] = "cf-connecting-ipv6",
    [IPT_NAME_X_REAL_IP] = "x-real-ip",
    [IPT_NAME_TRUE_CLIENT_IP] = "true-client-ip",
    [IPT_NAME_FASTLY_CLIENT_IP] = "fastly-client-ip",
    [IPT_NAME_FLY_CLIENT_IP] = "fly-client-ip",
    [IPT_NAME_X_AZURE_SOCKETIP] = "x-azure-socketip",
    [IPT_NAME_X_CLIENT_IP] = "x-client-ip",
    [IPT_NAME_X_CLUSTER_CLIENT_IP] = "x-cluster-client-ip",
    [IPT_NAME_X_ENVOY_EXTERNAL_ADDRESS] = "x-envoy-external-address",
    [IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS] = "cloudfront-viewer-address",
    [IPT_NAME_X_FORWARDED_PROTO] = "x-forwarded-proto",
    [IPT_NAME_X_FORWARDED_HOST] = "x-forwarded-host",
    [IPT_NAME_X_FORWARDED_PORT] = "x-forwarded-port",
    [IPT_NAME_X_FORWARDED_PREFIX] = "x-forwarded-prefix",
    [IPT_NAME_FRONT_END_HTTPS] = "front-end-https",
    [IPT_NAME_CF_VISITOR] = "cf-visitor",
    [IPT_NAME_CF_IPCOUNTRY] = "cf-ipcountry",
    [IPT_NAME_CLOUDFRONT_VIEWER_COUNTRY] = "cloudfront-viewer-country",
    [IPT_NAME_VIA] = "via",
    [IPT_NAME_X_ORIGINAL_FORWARDED_FOR] = "x-original-forwarded-for",
    [IPT_NAME_CONNECTION] = "connection",
    [IPT_NAME_HOST] = "host",
    [IPT_NAME_CF_WORKER] = "cf-worker",
    [IPT_NAME_X_AZURE_FDID] = "x-azure-fdid",
    [IPT_NAME_PROXY_PROTOCOL] = "proxy_protocol",
};

struct ipt_names {
    uint64_t lengths[32]; /* by the low five bits of the first character: the lengths that exist, 63 for all above */
    uint16_t slots[SLOTS];
    ipt_span texts[IPT_NAMES_MAX];
    size_t count;
    ipt_arena *arena; /* owner of the texts that were added */
};

/* As if every alias were spelt right: the same for `X_Real.IP` and `x-real-ip`, so that one table serves both
 * questions. */
static unsigned char fold(char c)
{
    if (c == '_' || c == '.')
        return '-';
    return (unsigned char)ipt_lower(c);
}

/* Eight characters as if every alias were spelt right and in lower case: `_` and `.` lose their difference to `-` by
 * setting bits, and so do some other characters, which costs a comparison now and then and no more. */
static uint64_t fold8(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word | UINT64_C(0x7373737373737373);
}

/* The first and the last eight characters and the length tell the known names apart well enough; who chooses the names
 * is the configuration. */
static size_t slot_of(ipt_span text)
{
    uint64_t h = text.n;
    if (text.n >= sizeof(uint64_t)) {
        h += fold8(text.p) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= fold8(text.p + text.n - sizeof(uint64_t)) * UINT64_C(0xc2b2ae3d27d4eb4f);
    } else {
        for (size_t i = 0; i < text.n; i++)
            h = h * 31 + fold(text.p[i]);
    }
    return (size_t)((h * UINT64_C(0xff51afd7ed558ccd)) >> (64 - SLOT_BITS));
}

static uint64_t length_bit(size_t n)
{
    return UINT64_C(1) << (n < 63 ? n : 63);
}

static bool has_length(const ipt_names *names, ipt_span text)
{
    return text.n != 0 && (names->lengths[fold(text.p[0]) & 31] & length_bit(text.n)) != 0;
}

static bool is_attribute(ipt_span text)
{
    static const char prefix[] = "attribute:";
    return text.n >= sizeof(prefix) - 1 && memcmp(text.p, prefix, sizeof(prefix) - 1) == 0;
}

/* An attribute's name is the caller's own, for example a query argument, and case counts in it. */
static bool same_name(const ipt_names *names, ipt_name name, ipt_span text)
{
    const ipt_span known = names->texts[name];
    return name >= IPT_NAME_FIXED && is_attribute(known) ? ipt_span_equal(known, text)
                                                         : ipt_span_equal_lower(known, text);
}

static bool same_folded(ipt_span a, ipt_span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

ipt_name ipt_names_find(const ipt_names *names, ipt_span text)
{
    if (!has_length(names, text))
        return IPT_NAME_NONE;
    for (size_t i = slot_of(text); names->slots[i] != 0; i = (i + 1) % SLOTS)
        if (same_name(names, names->slots[i], text))
            return names->slots[i];
    return IPT_NAME_NONE;
}

static ipt_name append(ipt_names *names, ipt_span text)
{
    const ipt_name name = (ipt_name)names->count++;
    size_t i = slot_of(text);
    while (names->slots[i] != 0)
        i = (i + 1) % SLOTS;
    names->slots[i] = name;
    names->texts[name] = text;
    names->lengths[fold(text.p[0]) & 31] |= length_bit(text.n);
    return name;
}

ipt_err ipt_names_new(ipt_names **out)
{
    ipt_auto(ipt_names) *names = calloc(1, sizeof(*names));
    if (names == NULL)
        return IPT_ENOMEM;
    const ipt_err err = ipt_arena_new(TEXT_BLOCK, 0, &names->arena);
    if (err != IPT_OK)
        return err;

    names->count = 1;
    for (size_t i = 1; i < IPT_NAME_FIXED; i++)
        (void)append(names, ipt_span_from(fixed_names[i]));

    *out = names;
    names = NULL;
    return IPT_OK;
}

void ipt_names_free(ipt_names *names)
{
    if (names == NULL)
        return;
    ipt_arena_free(names->arena);
    free(names);
}

ipt_err ipt_names_add(ipt_names *names, ipt_span text, ipt_name *out)
{
    assert(text.n != 0); /* an empty name is the configuration's to refuse, with a line and a column */
    const ipt_name known = ipt_names_find(names, text);
    if (known != IPT_NAME_NONE) {
        *out = known;
        return IPT_OK;
    }
    if (names->count == IPT_NAMES_MAX)
        return IPT_ELIMIT;
    char *copy = ipt_arena_strdup(names->arena, text);
    if (copy == NULL)
        return IPT_ENOMEM;
    if (!is_attribute(text))
        for (size_t i = 0; i < text.n; i++)
            copy[i] = ipt_lower(copy[i]);
    *out = append(names, (ipt_span){copy, text.n});
    return IPT_OK;
}

ipt_span ipt_names_text(const ipt_names *names, ipt_name name)
{
    assert(name < names->count);
    return names->texts[name];
}

size_t ipt_names_count(const ipt_names *names)
{
    return names->count;
}

ipt_name ipt_name_fixed(ipt_span text)
{
    for (ipt_name i = 1; i < IPT_NAME_FIXED; i++)
        if (ipt_span_equal_nocase(ipt_span_from(fixed_names[i]), text))
            return i;
    return IPT_NAME_NONE;
}

static bool is_address_header(const ipt_names *names, ipt_name name)
{
    return ipt_name_is_address(name) || (name >= IPT_NAME_FIXED && !is_attribute(names->texts[name]));
}

bool ipt_names_is_alias(const ipt_names *names, ipt_span text)
{
    if (!has_length(names, text) || (memchr(text.p, '_', text.n) == NULL && memchr(text.p, '.', text.n) == NULL))
        return false;
    if (is_address_header(names, ipt_names_find(names, text)))
        return false; /* a configuration may well name a header with an underscore */
    for (size_t i = slot_of(text); names->slots[i] != 0; i = (i + 1) % SLOTS)
        if (is_address_header(names, names->slots[i]) && same_folded(names->texts[names->slots[i]], text))
            return true;
    return false;
}
