/* Text to address and back. The dotted quad is on the path of every request and is read without a loop; two readers who
 * disagree on an address disagree on who the client is (RFC 6943, 3.1.1), so nothing lenient is accepted. */
#include "iptrust/net/addr.h"

enum { V4_TEXT_MIN = 7, V4_TEXT_MAX = 15, V6_TEXT_MIN = 2, V6_TEXT_MAX = 45 };

/* Lowest byte first on every machine; an unaligned load and nothing else on most. */
static inline uint32_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Bit i is set when byte i (from the lowest) is a full stop. */
static inline unsigned dots(uint64_t bytes)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t x = bytes ^ UINT64_C(0x2e2e2e2e2e2e2e2e);
    uint64_t zero = ~(((x & low7) + low7) | x | low7); /* 0x80 in each byte of x that is zero, and nowhere else */
    return (unsigned)(((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

/* One octet of `len` digits, 1 to 3, the last of which is in the highest byte of `top`; what stands below them may be
 * anything. *bad becomes non-zero for what is no digit, a leading zero (octal to some readers) and a value above 255.
 */
static inline uint32_t octet(uint32_t top, unsigned len, uint32_t *bad)
{
    static const uint32_t keep[4] = {0, 0xff000000U, 0xffff0000U, 0xffffff00U};
    static const uint32_t least[4] = {0, 0, 0x100, 0x10000};  /* digits as bytes: two are at least 1 0, three 1 0 0 */
    uint32_t digits = ((top ^ 0x30303030U) & keep[len]) >> 8; /* hundreds, tens, ones from the lowest byte */
    uint32_t ordered = __builtin_bswap32(digits) >> 8;        /* the same with hundreds on top: 2 5 5 is the largest */
    *bad |= ((digits + 0x767676U) | digits) & 0x808080U;      /* high bit of a byte: above 9, so no digit */
    *bad |= (uint32_t)(ordered - least[len] > 0x020505U - least[len]);
    return digits * (100U << 16 | 10U << 8 | 1U) >> 16 & 0xff;
}

static bool parse_v4(const char *p, size_t n, uint32_t *out)
{
    if (n < V4_TEXT_MIN || n > V4_TEXT_MAX)
        return false;
    /* Two loads that overlap see every byte and none beyond. */
    unsigned mask = n == V4_TEXT_MIN ? dots(load32(p) | (uint64_t)load32(p + 3) << 24)
                                     : dots(load64(p)) | dots(load64(p + n - 8)) << (n - 8);
    unsigned two = mask & (mask - 1), one = two & (two - 1); /* without the first dot, without the first two */
    if (one == 0 || (one & (one - 1)) != 0)
        return false;
    unsigned dot1 = (unsigned)__builtin_ctz(mask);
    unsigned dot2 = (unsigned)__builtin_ctz(two);
    unsigned dot3 = (unsigned)__builtin_ctz(one);
    unsigned len1 = dot1, len2 = dot2 - dot1 - 1, len3 = dot3 - dot2 - 1, len4 = (unsigned)n - dot3 - 1;
    /* Each of 1 to 3: one less is at most 2, and a length of zero becomes huge. */
    if (len1 - 1 > 2 || len2 - 1 > 2 || len3 - 1 > 2 || len4 - 1 > 2)
        return false;
    uint32_t bad = 0;
    uint32_t a = octet(load32(p) << (32 - 8 * len1), len1, &bad);
    uint32_t b = octet(load32(p + dot1 + 1) << (32 - 8 * len2), len2, &bad); /* at least "b.c.d" follows */
    uint32_t c = octet(load32(p + dot3 - 4), len3, &bad);                    /* at least "a.b.c" goes before */
    uint32_t d = octet(load32(p + n - 4), len4, &bad);
    if (bad != 0)
        return false;
    *out = a << 24 | b << 16 | c << 8 | d;
    return true;
}

/* The value of a hexadecimal digit plus one, 0 for anything else: a table, because a processor cannot guess whether the
 * next digit is a letter. */
static const uint8_t hex[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The groups of an IPv6 text as they are written; gap is where `::` stands, none for nowhere. */
typedef struct v6_groups {
    uint16_t at[8];
    unsigned count, gap;
} v6_groups;

enum { GAP_NONE = 9 }; /* `::` may stand behind eight groups, to be refused */

/* One group, or the dotted quad that ends the text, from p[*i]. */
static bool read_group(const char *p, size_t n, size_t *i, v6_groups *g)
{
    size_t start = *i, at = start;
    unsigned value = 0, digit;
    while (at < n && at - start < 4 && (digit = hex[(unsigned char)p[at]]) != 0) {
        value = value << 4 | (digit - 1);
        at++;
    }
    if (at < n && p[at] == '.') {
        uint32_t v4;
        if (g->count > 6 || !parse_v4(p + start, n - start, &v4))
            return false;
        g->at[g->count++] = (uint16_t)(v4 >> 16);
        g->at[g->count++] = (uint16_t)v4;
        *i = n;
        return true;
    }
    if (at == start || g->count == 8)
        return false;
    g->at[g->count++] = (uint16_t)value;
    *i = at;
    return true;
}

static bool read_groups(const char *p, size_t n, v6_groups *g)
{
    size_t i = 0;
    if (p[0] == ':') {
        if (p[1] != ':')
            return false;
        g->gap = 0;
        i = 2;
    }
    while (i < n) {
        if (!read_group(p, n, &i, g))
            return false;
        if (i == n)
            break;
        if (p[i] != ':' || ++i == n)
            return false;
        if (p[i] == ':') {
            if (g->gap != GAP_NONE)
                return false;
            g->gap = g->count;
            i++;
        }
    }
    /* RFC 4291, 2.2: `::` is one or more groups; with eight written it would stand for none. */
    return g->gap == GAP_NONE ? g->count == 8 : g->count < 8;
}

static bool parse_v6(const char *p, size_t n, ipt_addr *out)
{
    v6_groups g = {.gap = GAP_NONE};
    if (n < V6_TEXT_MIN || n > V6_TEXT_MAX || !read_groups(p, n, &g))
        return false;
    uint64_t half[2] = {0, 0};
    unsigned missing = 8 - g.count;
    for (unsigned i = 0; i < g.count; i++) {
        unsigned place = i < g.gap ? i : i + missing;
        half[place / 4] |= (uint64_t)g.at[i] << (48 - 16 * (place % 4));
    }
    *out = (ipt_addr){half[0], half[1]};
    return true;
}

bool ipt_addr_parse(ipt_span text, ipt_addr *out, bool *mapped)
{
    uint32_t v4;
    ipt_addr addr;
    bool is_v4_text = parse_v4(text.p, text.n, &v4);
    if (is_v4_text)
        addr = ipt_addr_from_v4(v4);
    else if (!parse_v6(text.p, text.n, &addr))
        return false;
    *out = addr;
    if (mapped != NULL)
        *mapped = !is_v4_text && ipt_addr_is_v4(addr);
    return true;
}

bool ipt_port_parse(ipt_span text, unsigned min, uint16_t *out)
{
    if (text.n == 0 || text.n > 5 || (text.p[0] == '0' && text.n > 1))
        return false;
    unsigned value = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = (unsigned char)text.p[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    if (value < min || value > 65535)
        return false;
    *out = (uint16_t)value;
    return true;
}

/* The brackets are what tells an IPv6 address from its port (RFC 3986, 3.2.2); around an IPv4 address they mean nothing
 * that two readers would agree on. */
static bool parse_bracketed(ipt_span text, ipt_endpoint *out)
{
    ipt_endpoint found = {0};
    const char *end = memchr(text.p, ']', text.n);
    if (end == NULL)
        return false;
    size_t inside = (size_t)(end - text.p) - 1, after = text.n - inside - 2;
    if (!parse_v6(text.p + 1, inside, &found.addr))
        return false;
    if (after != 0) {
        if (end[1] != ':' || !ipt_port_parse((ipt_span){end + 2, after - 1}, 1, &found.port))
            return false;
        found.has_port = true;
    }
    found.mapped = ipt_addr_is_v4(found.addr);
    *out = found;
    return true;
}

static bool parse_v4_port(ipt_span text, ipt_endpoint *out)
{
    uint32_t v4;
    uint16_t port;
    const char *colon = memchr(text.p, ':', text.n < V4_TEXT_MAX + 1 ? text.n : V4_TEXT_MAX + 1);
    if (colon == NULL)
        return false;
    size_t n = (size_t)(colon - text.p);
    if (!parse_v4(text.p, n, &v4) || !ipt_port_parse((ipt_span){colon + 1, text.n - n - 1}, 1, &port))
        return false;
    *out = (ipt_endpoint){.addr = ipt_addr_from_v4(v4), .port = port, .has_port = true};
    return true;
}

bool ipt_endpoint_parse(ipt_span text, ipt_endpoint *out)
{
    uint32_t v4;
    ipt_addr v6;
    if (parse_v4(text.p, text.n, &v4)) { /* first, because most are */
        *out = (ipt_endpoint){.addr = ipt_addr_from_v4(v4)};
        return true;
    }
    if (text.n < V6_TEXT_MIN)
        return false;
    if (text.p[0] == '[')
        return parse_bracketed(text, out);
    if (parse_v6(text.p, text.n, &v6)) {
        *out = (ipt_endpoint){.addr = v6, .mapped = ipt_addr_is_v4(v6)};
        return true;
    }
    return parse_v4_port(text, out);
}

ipt_addr ipt_addr_from_bytes4(const uint8_t bytes[4])
{
    return ipt_addr_from_v4((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]);
}

ipt_addr ipt_addr_from_bytes16(const uint8_t bytes[16])
{
    ipt_addr addr = {0, 0};
    for (unsigned i = 0; i < 8; i++) {
        addr.hi = addr.hi << 8 | bytes[i];
        addr.lo = addr.lo << 8 | bytes[i + 8];
    }
    return addr;
}

static char *put_octet(char *p, uint32_t v)
{
    if (v >= 100)
        *p++ = (char)('0' + v / 100);
    if (v >= 10)
        *p++ = (char)('0' + v / 10 % 10);
    *p++ = (char)('0' + v % 10);
    return p;
}

static char *put_group(char *p, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    if (v >= 0x1000)
        *p++ = digits[v >> 12];
    if (v >= 0x100)
        *p++ = digits[v >> 8 & 15];
    if (v >= 0x10)
        *p++ = digits[v >> 4 & 15];
    *p++ = digits[v & 15];
    return p;
}

static unsigned group_of(ipt_addr addr, unsigned i)
{
    return (unsigned)((i < 4 ? addr.hi : addr.lo) >> (48 - 16 * (i % 4)) & 0xffff);
}

/* RFC 5952, 4.2: the longest run of at least two zero groups is shortened, the first among equals. */
static unsigned longest_zero_run(ipt_addr addr, unsigned *length)
{
    unsigned best = GAP_NONE, best_n = 1;
    for (unsigned i = 0; i < 8;) {
        unsigned n = 0;
        while (i + n < 8 && group_of(addr, i + n) == 0)
            n++;
        if (n > best_n) {
            best = i;
            best_n = n;
        }
        i += n + 1;
    }
    *length = best_n;
    return best;
}

static char *put_v6(char *p, ipt_addr addr)
{
    unsigned run_n, run = longest_zero_run(addr, &run_n);
    for (unsigned i = 0; i < 8;) {
        if (i == run) {
            *p++ = ':';
            *p++ = ':';
            i += run_n;
            continue;
        }
        p = put_group(p, group_of(addr, i));
        i++;
        if (i < 8 && i != run)
            *p++ = ':';
    }
    return p;
}

size_t ipt_addr_format(ipt_addr addr, char out[IPT_ADDR_TEXT])
{
    char *p = out;
    if (ipt_addr_is_v4(addr)) {
        uint32_t v4 = ipt_addr_v4(addr);
        for (int shift = 24; shift >= 0; shift -= 8) {
            p = put_octet(p, v4 >> shift & 0xff);
            *p++ = '.';
        }
        p--;
    } else {
        p = put_v6(p, addr);
    }
    *p = '\0';
    return (size_t)(p - out);
}
