/* Sets of prefixes and the space that they cover. Space is counted by walking the sorted prefixes once, so that nothing
 * here allocates. */
#include "iptrust/ranges/prefix_set.h"

#include <stdio.h>
#include <stdlib.h>

#include <nettle/sha2.h>

const char *ipt_ip_name(ipt_ip family)
{
    switch (family) {
    case IPT_IP_V4:
        return "IPv4";
    case IPT_IP_V6:
        return "IPv6";
    case IPT_IP_ANY:
        return "IP";
    }
    return "IP";
}

/* ---- order ---- */

static int compare_addr(ipt_addr a, ipt_addr b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo == b.lo ? 0 : (a.lo < b.lo ? -1 : 1);
}

int ipt_prefix_order(ipt_prefix a, ipt_prefix b)
{
    int order = compare_addr(a.addr, b.addr);
    return order != 0 ? order : (int)a.len - (int)b.len;
}

static int compare(const void *a, const void *b)
{
    return ipt_prefix_order(*(const ipt_prefix *)a, *(const ipt_prefix *)b);
}

size_t ipt_prefixes_sort(ipt_prefix *items, size_t count)
{
    if (count == 0)
        return 0;
    qsort(items, count, sizeof(*items), compare);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (!ipt_prefix_equal(items[i], items[kept - 1]))
            items[kept++] = items[i];
    }
    return kept;
}

bool ipt_prefix_set_equal(ipt_prefix_set a, ipt_prefix_set b)
{
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++) {
        if (!ipt_prefix_equal(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

void ipt_prefix_set_done(ipt_prefix_set *set)
{
    free(set->items);
    *set = (ipt_prefix_set){0};
}

/* ---- runs: the union as intervals that do not overlap ---- */

static ipt_addr last_of(ipt_prefix p)
{
    ipt_addr last = p.addr;
    if (p.len <= 64) {
        last.hi |= p.len == 64 ? 0 : UINT64_MAX >> p.len;
        last.lo = UINT64_MAX;
    } else if (p.len < 128) {
        last.lo |= UINT64_MAX >> (p.len - 64);
    }
    return last;
}

/* An interval of units, both ends in it: IPv4 addresses, or /64s by their number. */
typedef struct run {
    uint64_t first, last;
} run;

typedef struct runs {
    ipt_prefix_set set;
    ipt_ip family;
    size_t at;
} runs;

static run units_of(ipt_prefix p)
{
    if (ipt_prefix_is_v4(p))
        return (run){ipt_addr_v4(p.addr), ipt_addr_v4(last_of(p))};
    return (run){p.addr.hi, last_of(p).hi};
}

static bool is_of(ipt_prefix p, ipt_ip family)
{
    return ipt_prefix_is_v4(p) == (family == IPT_IP_V4);
}

static bool next_run(runs *from, run *out)
{
    const ipt_prefix_set set = from->set;
    while (from->at < set.count && !is_of(set.items[from->at], from->family))
        from->at++;
    if (from->at == set.count)
        return false;
    *out = units_of(set.items[from->at]);
    for (from->at++; from->at < set.count; from->at++) {
        if (!is_of(set.items[from->at], from->family))
            continue;
        run next = units_of(set.items[from->at]);
        if (next.first > out->last)
            break;
        if (next.last > out->last)
            out->last = next.last;
    }
    return true;
}

static void add_units(uint64_t *sum, uint64_t first, uint64_t last)
{
    uint64_t width = last - first;
    *sum = width >= UINT64_MAX - *sum ? UINT64_MAX : *sum + width + 1;
}

static uint64_t family_space(ipt_prefix_set set, ipt_ip family)
{
    runs from = {set, family, 0};
    uint64_t sum = 0;
    for (run r; next_run(&from, &r);)
        add_units(&sum, r.first, r.last);
    return sum;
}

ipt_space ipt_prefix_set_space(ipt_prefix_set set)
{
    return (ipt_space){family_space(set, IPT_IP_V4), family_space(set, IPT_IP_V6)};
}

static uint64_t family_without(ipt_prefix_set set, ipt_prefix_set other, ipt_ip family)
{
    runs left = {set, family, 0}, right = {other, family, 0};
    run cut = {0, 0};
    bool more = next_run(&right, &cut);
    uint64_t sum = 0;
    for (run r; next_run(&left, &r);) {
        bool rest = true; /* something of r is left */
        while (rest) {
            while (more && cut.last < r.first)
                more = next_run(&right, &cut);
            if (!more || cut.first > r.last) {
                add_units(&sum, r.first, r.last);
                break;
            }
            if (cut.first > r.first)
                add_units(&sum, r.first, cut.first - 1);
            rest = cut.last < r.last;
            r.first = rest ? cut.last + 1 : r.first;
        }
    }
    return sum;
}

ipt_space ipt_prefix_set_space_without(ipt_prefix_set set, ipt_prefix_set other)
{
    return (ipt_space){family_without(set, other, IPT_IP_V4), family_without(set, other, IPT_IP_V6)};
}

/* ---- single prefixes against a set, to the last address ---- */

/* The first item whose address is above addr. */
static size_t upper_bound(ipt_prefix_set set, ipt_addr addr)
{
    size_t low = 0, high = set.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_addr(set.items[middle].addr, addr) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A prefix that holds addr stands at or before its place in the order: at the address that a length of 0 to 128 leaves
 * of it. */
static bool held_by(ipt_prefix_set set, ipt_addr addr, ipt_addr *last)
{
    bool found = false;
    for (unsigned len = 0; len <= 128; len++) {
        ipt_prefix key = ipt_prefix_of(addr, len);
        if (set.count != 0 && bsearch(&key, set.items, set.count, sizeof(key), compare) != NULL) {
            *last = last_of(key);
            found = true;
            break; /* the shortest reaches furthest */
        }
    }
    return found;
}

bool ipt_prefix_set_covers(ipt_prefix_set set, ipt_prefix prefix)
{
    ipt_addr at = prefix.addr, end = last_of(prefix), last;
    while (held_by(set, at, &last)) {
        if (compare_addr(last, end) >= 0)
            return true;
        at = (ipt_addr){last.hi + (last.lo == UINT64_MAX), last.lo + 1};
    }
    return false;
}

bool ipt_prefix_set_overlaps(ipt_prefix_set set, ipt_prefix prefix)
{
    ipt_addr last;
    if (held_by(set, prefix.addr, &last))
        return true;
    size_t next = upper_bound(set, prefix.addr);
    return next < set.count && ipt_prefix_holds(prefix, set.items[next].addr);
}

bool ipt_prefix_set_next_beyond(ipt_prefix_set set, ipt_prefix_set other, size_t *at, ipt_prefix *out)
{
    while (*at < set.count) {
        ipt_prefix item = set.items[(*at)++];
        if (ipt_prefix_set_covers(other, item))
            continue;
        *out = item;
        return true;
    }
    return false;
}

/* ---- digest ---- */

ipt_digest ipt_prefix_set_digest(ipt_prefix_set set)
{
    struct sha256_ctx hash;
    ipt_digest digest;
    sha256_init(&hash);
    for (size_t i = 0; i < set.count; i++) {
        char text[IPT_PREFIX_TEXT + 1];
        size_t n = ipt_prefix_format(set.items[i], text);
        text[n++] = '\n';
        sha256_update(&hash, n, (const uint8_t *)text);
    }
    sha256_digest(&hash, sizeof(digest.bytes), digest.bytes);
    return digest;
}

void ipt_digest_format(ipt_digest digest, char out[IPT_DIGEST_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    memcpy(out, "sha256:", 7);
    for (size_t i = 0; i < sizeof(digest.bytes); i++) {
        out[7 + 2 * i] = hex[digest.bytes[i] >> 4];
        out[8 + 2 * i] = hex[digest.bytes[i] & 15];
    }
    out[IPT_DIGEST_TEXT - 1] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ipt_digest_parse(ipt_span text, ipt_digest *out)
{
    ipt_digest digest;
    if (text.n != IPT_DIGEST_TEXT - 1 || memcmp(text.p, "sha256:", 7) != 0)
        return false;
    for (size_t i = 0; i < sizeof(digest.bytes); i++) {
        int high = hex_value(text.p[7 + 2 * i]), low = hex_value(text.p[8 + 2 * i]);
        if (high < 0 || low < 0)
            return false;
        digest.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = digest;
    return true;
}

bool ipt_digest_equal(ipt_digest a, ipt_digest b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}
