/* Text to address and back. Two readers who disagree on an address disagree on who the client is (RFC 6943, 3.1.1), so
 * nothing lenient is accepted. */
#include "addr_priv.h"

#if defined(__SSE2__) /* every x86-64 has it */
#include <emmintrin.h>
#endif

enum { V6_TEXT_MIN = 2, V6_TEXT_MAX = 45 };

/* An IPv6 text taken apart: bit i of a mask speaks of its i-th character. */
typedef struct v6_text {
    uint64_t colons;
    uint64_t others;     /* neither colon nor hexadecimal digit */
    char digits[4 + 48]; /* values of the digits, the i-th at 4 + i, so that four can be read up to any of them */
} v6_text;

#if defined(__SSE2__)
/* n up to 15 characters at the lower end, anything behind them, and no byte read beyond. */
static inline __m128i load_short(const char *p, size_t n)
{
    if (n >= 8)
        return _mm_set_epi64x((long long)(load64(p + n - 8) >> 8 * (15 - n) >> 8), (long long)load64(p));
    if (n >= 4)
        return _mm_cvtsi64_si128((long long)(load32(p) | (uint64_t)load32(p + n - 4) << 8 * (n - 4)));
    return _mm_cvtsi32_si128((unsigned char)p[0] | (unsigned char)p[1] << 8 | (unsigned char)p[n - 1] << 8 * (n - 1));
}

static inline void read16(__m128i text, size_t at, v6_text *out)
{
    const __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    const __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
    const __m128i is_colon = _mm_cmpeq_epi8(text, _mm_set1_epi8(':'));
    const __m128i known = _mm_or_si128(_mm_or_si128(is_digit, is_letter), is_colon);
    const __m128i ten_up = _mm_add_epi8(letter, _mm_set1_epi8(10));
    const __m128i value = _mm_or_si128(_mm_and_si128(is_digit, digit), _mm_andnot_si128(is_digit, ten_up));
    _mm_storeu_si128((__m128i *)(void *)(out->digits + 4 + at), value);
    out->colons |= (uint64_t)(unsigned)_mm_movemask_epi8(is_colon) << at;
    out->others |= (uint64_t)(~(unsigned)_mm_movemask_epi8(known) & 0xffff) << at;
}

/* The last load overlaps the one before rather than read beyond. */
static inline void read_text(const char *p, size_t n, v6_text *out)
{
    if (n < 16) {
        read16(load_short(p, n), 0, out);
    } else {
        for (size_t i = 0; n - i > 16; i += 16)
            read16(_mm_loadu_si128((const __m128i *)(const void *)(p + i)), i, out);
        read16(_mm_loadu_si128((const __m128i *)(const void *)(p + n - 16)), n - 16, out);
    }
    const uint64_t text = (UINT64_C(1) << n) - 1;
    out->colons &= text;
    out->others &= text;
}
#else
static void read_text(const char *p, size_t n, v6_text *out)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned digit = (unsigned char)p[i] - (unsigned)'0';
        const unsigned letter = ((unsigned char)p[i] | 0x20U) - (unsigned)'a';
        out->digits[4 + i] = (char)(digit <= 9 ? digit : letter + 10);
        out->colons |= (uint64_t)(p[i] == ':') << i;
        out->others |= (uint64_t)(digit > 9 && letter > 5 && p[i] != ':') << i;
    }
}
#endif

/* The value of a group whose `len` digits, 1 to 4, stand before digits[4 + end]. */
static inline uint64_t group_value(const v6_text *text, unsigned end, unsigned len)
{
    static const uint32_t keep[5] = {0, 0xff000000U, 0xffff0000U, 0xffffff00U, 0xffffffffU};
    uint32_t x = load32(text->digits + end) & keep[len];
    x = (x << 4 | x >> 8) & 0x00ff00ff; /* two bytes of two digits each ... */
    return (x << 8 | x >> 16) & 0xffff; /* ... and these side by side, the first on top */
}

static inline ipt_addr push_group(ipt_addr addr, uint64_t group)
{
    return (ipt_addr){addr.hi << 16 | addr.lo >> 48, addr.lo << 16 | group};
}

/* The groups from `start` on that end at these places, side by side at the lower end; *count grows by them. */
static inline ipt_addr read_groups(const v6_text *text, unsigned start, uint64_t ends, unsigned *count)
{
    ipt_addr addr = {0, 0};
    for (; ends != 0; ends &= ends - 1, ++*count) {
        const unsigned end = (unsigned)__builtin_ctzll(ends);
        addr = push_group(addr, group_value(text, end, end - start));
        start = end + 1;
    }
    return addr;
}

/* Moves groups up by 1 to 8 places. */
static ipt_addr raise(ipt_addr addr, unsigned places)
{
    if (places == 8)
        return (ipt_addr){0, 0};
    if (places >= 4)
        return (ipt_addr){addr.lo << 16 * (places - 4), 0};
    return (ipt_addr){addr.hi << 16 * places | addr.lo >> (64 - 16 * places), addr.lo << 16 * places};
}

/* What follows the last colon, when it is a dotted quad; *n becomes the length of what stands before it. */
static bool cut_quad(const char *p, size_t *n, const v6_text *text, uint32_t *v4)
{
    if (text->colons == 0)
        return false;
    const size_t before = 64 - (size_t)__builtin_clzll(text->colons);
    if ((text->others & ((UINT64_C(1) << before) - 1)) != 0 || !ipt_v4_parse((ipt_span){p + before, *n - before}, v4))
        return false;
    *n = before;
    return true;
}

static bool parse_v6(const char *p, size_t n, ipt_addr *out)
{
    if (n < V6_TEXT_MIN || n > V6_TEXT_MAX)
        return false;
    v6_text text = {.colons = 0};
    read_text(p, n, &text);
    uint32_t v4 = 0;
    const bool has_quad = text.others != 0;
    size_t hex = n; /* length of what is written in hexadecimal */
    if (has_quad && !cut_quad(p, &hex, &text, &v4))
        return false;

    const uint64_t colons = text.colons, digits = ~colons & ((UINT64_C(1) << hex) - 1);
    const uint64_t gap = colons & colons >> 1; /* `::`; three in a row have two bits here */
    const uint64_t alone = colons & ~(gap | gap << 1);
    if ((gap & (gap - 1)) != 0 || ((alone | alone << 1) & (UINT64_C(1) | UINT64_C(1) << n)) != 0 ||
        (digits & digits >> 1 & digits >> 2 & digits >> 3 & digits >> 4) != 0)
        return false; /* two gaps, one colon at either end, a group of five digits */
    const uint64_t ends = ~digits & digits << 1;
    const uint64_t up_to_gap =
        (gap - 1) << 1 | 1; /* where what stands before it may end: anywhere when there is none */
    unsigned count = 0;
    ipt_addr head = read_groups(&text, 0, ends & up_to_gap, &count), tail = head;
    const unsigned head_count = count;
    if (gap != 0)
        tail = read_groups(&text, (unsigned)__builtin_ctzll(gap) + 2, ends & ~up_to_gap, &count);
    if (has_quad) {
        tail = push_group(push_group(tail, v4 >> 16), v4 & 0xffff);
        count += 2;
    }
    /* RFC 4291, 2.2: `::` is one or more groups; with eight written it would stand for none. */
    if (gap == 0 ? count != 8 : count >= 8)
        return false;
    if (gap != 0) {
        head = raise(head, 8 - head_count);
        tail = (ipt_addr){head.hi | tail.hi, head.lo | tail.lo};
    }
    *out = tail;
    return true;
}

bool ipt_addr_parse(ipt_span text, ipt_addr *out, bool *mapped)
{
    uint32_t v4;
    ipt_addr addr;
    bool is_v4_text = ipt_v4_parse(text, &v4);
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
    if (!ipt_v4_parse((ipt_span){text.p, n}, &v4) || !ipt_port_parse((ipt_span){colon + 1, text.n - n - 1}, 1, &port))
        return false;
    *out = (ipt_endpoint){.addr = ipt_addr_from_v4(v4), .port = port, .has_port = true};
    return true;
}

bool ipt_endpoint_parse_other(ipt_span text, ipt_endpoint *out)
{
    ipt_addr v6;
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

/* An octet's digits and how many they are. */
#define OCTET_1(v)                                                                                        \
    {                                                                                                     \
        '0' + ((v) >= 100  ? (v) / 100                                                                    \
               : (v) >= 10 ? (v) / 10                                                                     \
                           : (v)),                                                                        \
            '0' + ((v) >= 100 ? (v) / 10 % 10 : (v) % 10), '0' + (v) % 10, 1 + ((v) >= 10) + ((v) >= 100) \
    }
#define OCTET_4(v)  OCTET_1(v), OCTET_1((v) + 1), OCTET_1((v) + 2), OCTET_1((v) + 3)
#define OCTET_16(v) OCTET_4(v), OCTET_4((v) + 4), OCTET_4((v) + 8), OCTET_4((v) + 12)
#define OCTET_64(v) OCTET_16(v), OCTET_16((v) + 16), OCTET_16((v) + 32), OCTET_16((v) + 48)

/* Four characters are written and fewer count: what follows writes over the rest, and 16 are enough for all. Without a
 * branch, because addresses are as good as random. */
static char *put_octet(char *p, uint32_t v)
{
    static const char octets[256][4] = {OCTET_64(0), OCTET_64(64), OCTET_64(128), OCTET_64(192)};
    memcpy(p, octets[v], sizeof(octets[v]));
    return p + octets[v][3];
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

/* RFC 5952, 4.2: the longest run of at least two zero groups is shortened, the first among equals. 8: there is none. */
static unsigned longest_zero_run(ipt_addr addr, unsigned *length)
{
    unsigned starts = 0, longest = 0, n = 0;
    for (unsigned i = 0; i < 8; i++)
        starts |= (unsigned)(group_of(addr, i) == 0) << i;
    for (; starts != 0; starts &= starts >> 1, n++)
        longest = starts; /* bit i: n + 1 zero groups begin at group i */
    *length = n;
    return n < 2 ? 8 : (unsigned)__builtin_ctz(longest);
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
