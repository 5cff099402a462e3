/* The bundle: the line of the signature first, so that all below it is what was signed, byte by byte. */
#include "iptrust/central/bundle.h"

#include <nettle/eddsa.h>
#include <stdio.h>
#include <time.h>

#include "central_priv.h"

static const char format_name[] = "iptrust-central", format_number[] = "1";

void ipt_bundle_time_format(int64_t seconds, char out[IPT_BUNDLE_TIME])
{
    time_t time = (time_t)seconds;
    struct tm parts = {0};
    (void)gmtime_r(&time, &parts);
    if (strftime(out, IPT_BUNDLE_TIME, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}

static bool digits(const char *p, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *out = *out * 10 + (p[i] - '0');
    }
    return true;
}

bool ipt_bundle_time_parse(ipt_span text, int64_t *out)
{
    struct tm parts = {0};
    char again[IPT_BUNDLE_TIME];
    if (text.n != IPT_BUNDLE_TIME - 1 || !digits(text.p, 4, &parts.tm_year) || !digits(text.p + 5, 2, &parts.tm_mon) ||
        !digits(text.p + 8, 2, &parts.tm_mday) || !digits(text.p + 11, 2, &parts.tm_hour) ||
        !digits(text.p + 14, 2, &parts.tm_min) || !digits(text.p + 17, 2, &parts.tm_sec))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    time_t time = timegm(&parts);
    if (time < 0)
        return false;
    ipt_bundle_time_format(time, again); /* the 31st of February would come back as another day */
    if (memcmp(again, text.p, text.n) != 0)
        return false;
    *out = time;
    return true;
}

/* ---- reading ---- */

static ipt_bundle_result refuse(ipt_bundle_result result, const char *text, const char **why)
{
    *why = text;
    return result;
}

static bool is_blank(ipt_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (memchr(" \t\r\n", text.p[i], 4) == NULL)
            return false;
    return true;
}

static ipt_bundle_result parse_head(ipt_span *rest, ipt_bundle *b, const char **why)
{
    ipt_span value;
    if (central_line(rest, "signature", &value)) {
        b->is_signed = true;
        if (!central_base64_exact(value, b->signature, sizeof(b->signature)))
            return refuse(IPT_BUNDLE_MALFORMED, "the signature is not base64 of 64 bytes", why);
    }
    b->covered = *rest;
    if (!central_line(rest, format_name, &value))
        return refuse(IPT_BUNDLE_MALFORMED, "it does not begin with the lines of a bundle (iptrust bundle sign)", why);
    if (!ipt_span_equal(value, ipt_span_from(format_number)))
        return refuse(IPT_BUNDLE_MALFORMED, "its format is of another version of this program", why);
    if (!central_line(rest, "serial", &value) || !central_number(value, &b->serial) || b->serial == 0)
        return refuse(IPT_BUNDLE_MALFORMED, "expected the line `serial: N` with a number from 1", why);
    if (central_line(rest, "expires", &value)) {
        b->has_expires = true;
        if (!ipt_bundle_time_parse(value, &b->expires))
            return refuse(IPT_BUNDLE_MALFORMED, "expected `expires: ` with a time such as 2026-11-22T10:00:00Z", why);
    }
    if (rest->n == 0 || rest->p[0] != '\n')
        return refuse(IPT_BUNDLE_MALFORMED, "expected an empty line between head and document", why);
    *rest = (ipt_span){rest->p + 1, rest->n - 1};
    return IPT_BUNDLE_OK;
}

ipt_bundle_result ipt_bundle_parse(ipt_span text, ipt_bundle *out, const char **why)
{
    ipt_bundle b = {0};
    ipt_span rest = text;
    if (text.n > IPT_BUNDLE_MAX)
        return refuse(IPT_BUNDLE_TOO_LARGE, "it has more than 1 MiB", why);
    if (is_blank(text))
        return refuse(IPT_BUNDLE_EMPTY, "it is empty", why);
    ipt_bundle_result result = parse_head(&rest, &b, why);
    if (result != IPT_BUNDLE_OK)
        return result;
    if (is_blank(rest))
        return refuse(IPT_BUNDLE_EMPTY, "there is no document below its head", why);
    b.document = rest;
    *out = b;
    return IPT_BUNDLE_OK;
}

/* ---- writing ---- */

static void write_covered(ipt_buf *out, const ipt_bundle *bundle)
{
    ipt_buf_addf(out, "%s: %s\nserial: ", format_name, format_number);
    ipt_buf_addu(out, bundle->serial);
    if (bundle->has_expires) {
        char text[IPT_BUNDLE_TIME];
        ipt_bundle_time_format(bundle->expires, text);
        ipt_buf_addf(out, "\nexpires: %s", text);
    }
    ipt_buf_adds(out, "\n\n");
    ipt_buf_add(out, bundle->document);
}

void ipt_bundle_write(ipt_buf *out, const ipt_bundle *bundle, const ipt_signing_key *key)
{
    ipt_auto(ipt_buf) covered = {0};
    uint8_t signature[IPT_BUNDLE_SIGNATURE];
    if (key == NULL) {
        write_covered(out, bundle);
        return;
    }
    write_covered(&covered, bundle);
    if (covered.failed) {
        out->failed = true;
        return;
    }
    ed25519_sha512_sign(key->public_key.bytes, key->seed, covered.n, (const uint8_t *)covered.p, signature);
    ipt_buf_adds(out, "signature: ");
    central_base64_write(out, (ipt_span){(const char *)signature, sizeof(signature)});
    ipt_buf_addc(out, '\n');
    ipt_buf_add(out, ipt_buf_span(&covered));
}

bool ipt_bundle_verify(const ipt_bundle *bundle, const ipt_public_key *keys, size_t count)
{
    for (size_t i = 0; bundle->is_signed && i < count; i++)
        if (ed25519_sha512_verify(keys[i].bytes, bundle->covered.n, (const uint8_t *)bundle->covered.p,
                                  bundle->signature) == 1)
            return true;
    return false;
}
