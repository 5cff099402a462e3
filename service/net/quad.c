/* The dotted quad is on the path of every request and is read without a loop and without a branch on what it says. */
#include "addr_priv.h"

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

/* Where the octets end, the fourth at the end of the text. */
typedef struct quad {
    unsigned end1, end2, end3, end4;
} quad;

/* mask: the places of the full stops. False unless they are three and the octets have 1 to 3 characters each. */
__attribute__((always_inline)) static inline bool find_octets(unsigned mask, size_t n, quad *q)
{
    unsigned two = mask & (mask - 1), one = two & (two - 1); /* without the first dot, without the first two */
    if (one == 0 || (one & (one - 1)) != 0)
        return false;
    q->end1 = (unsigned)__builtin_ctz(mask);
    q->end2 = (unsigned)__builtin_ctz(two);
    q->end3 = (unsigned)__builtin_ctz(one);
    q->end4 = (unsigned)n;
    /* One less is at most 2, and a length of zero becomes huge. */
    return q->end1 - 1 <= 2 && q->end2 - q->end1 - 2 <= 2 && q->end3 - q->end2 - 2 <= 2 && q->end4 - q->end3 - 2 <= 2;
}

bool ipt_v4_parse_plain(const char *p, size_t n, uint32_t *out)
{
    /* Two loads that overlap see every byte and none beyond. */
    unsigned mask = n == V4_TEXT_MIN ? dots(load32(p) | (uint64_t)load32(p + 3) << 24)
                                     : dots(load64(p)) | dots(load64(p + n - 8)) << (n - 8);
    quad q;
    if (!find_octets(mask, n, &q))
        return false;
    unsigned len1 = q.end1, len2 = q.end2 - q.end1 - 1;
    uint32_t bad = 0;
    uint32_t a = octet(load32(p) << (32 - 8 * len1), len1, &bad);
    uint32_t b = octet(load32(p + q.end1 + 1) << (32 - 8 * len2), len2, &bad); /* at least "b.c.d" follows */
    uint32_t c = octet(load32(p + q.end3 - 4), q.end3 - q.end2 - 1, &bad);     /* at least "a.b.c" goes before */
    uint32_t d = octet(load32(p + n - 4), q.end4 - q.end3 - 1, &bad);
    if (bad != 0)
        return false;
    *out = a << 24 | b << 16 | c << 8 | d;
    return true;
}

#if defined(IPT_V4_SSE41)
#include <smmintrin.h>

/* For each choice of four lengths where the digits of the octets stand, as pshufb wants it: a lane of four bytes for
 * each octet with its hundreds, tens and ones in the upper three, 0x80 for a digit that is not there. The lowest byte
 * of a lane selects nothing either; its lower seven bits keep the least value that so many digits may have: 10 for two
 * and 100 for three, because a leading zero is octal to some readers. */
#define NONE       0x80
#define LEAST(len) ((len) == 3 ? 100 : (len) == 2 ? 10 : 0)
#define AT(i)      ((uint8_t)(i))
#define LANE(end, len) \
    NONE | LEAST(len), (len) > 2 ? AT((end)-3) : AT(NONE), (len) > 1 ? AT((end)-2) : AT(NONE), AT((end)-1)
#define ROW(a, b, c, d)                                                                                      \
    {                                                                                                        \
        LANE(a, a), LANE((a) + 1 + (b), b), LANE((a) + (b) + 2 + (c), c), LANE((a) + (b) + (c) + 3 + (d), d) \
    }
#define ROWS3(a, b, c) ROW(a, b, c, 1), ROW(a, b, c, 2), ROW(a, b, c, 3)
#define ROWS9(a, b)    ROWS3(a, b, 1), ROWS3(a, b, 2), ROWS3(a, b, 3)
#define ROWS27(a)      ROWS9(a, 1), ROWS9(a, 2), ROWS9(a, 3)

static const uint8_t rows[81][16] __attribute__((aligned(16))) = {ROWS27(1), ROWS27(2), ROWS27(3)};

/* The text at the lower end, zeros behind it, and no byte read beyond it. */
__attribute__((target("sse4.1"))) static inline __m128i load_text(const char *p, size_t n)
{
    if (n == V4_TEXT_MIN)
        return _mm_cvtsi64_si128((long long)(load32(p) | (uint64_t)load32(p + 3) << 24));
    uint64_t rest = load64(p + n - 8) >> 8 * (15 - n) >> 8;
    return _mm_set_epi64x((long long)rest, (long long)load64(p));
}

__attribute__((target("sse4.1"))) bool ipt_v4_parse_sse41(const char *p, size_t n, uint32_t *out)
{
    const __m128i text = load_text(p, n);
    quad q;
    if (!find_octets((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))), n, &q))
        return false;
    /* 27 (len1 - 1) + 9 (len2 - 1) + 3 (len3 - 1) + (len4 - 1), in terms of the ends */
    const uint8_t *row = rows[18 * q.end1 + 6 * q.end2 + 2 * q.end3 + q.end4 - 53];
    const __m128i where = _mm_load_si128((const __m128i *)(const void *)row);
    const __m128i digits = _mm_shuffle_epi8(_mm_xor_si128(text, _mm_set1_epi8('0')), where);
    const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi32(0x010a6400)); /* 100 for hundreds; 10 and 1 */
    const __m128i values = _mm_madd_epi16(pairs, _mm_set1_epi16(1));
    const __m128i least = _mm_and_si128(where, _mm_set1_epi32(0x7f));
    const __m128i above = _mm_or_si128(_mm_subs_epu8(digits, _mm_set1_epi8(9)), _mm_srli_epi32(values, 8));
    if (!_mm_testz_si128(_mm_or_si128(above, _mm_cmpgt_epi32(least, values)), _mm_set1_epi8(-1)))
        return false;
    *out = (uint32_t)_mm_cvtsi128_si32(_mm_shuffle_epi8(values, _mm_set1_epi32(0x0004080c)));
    return true;
}
#endif

bool ipt_v4_parse(ipt_span text, uint32_t *out)
{
    if (text.n < V4_TEXT_MIN || text.n > V4_TEXT_MAX)
        return false;
#if defined(IPT_V4_SSE41)
    if (__builtin_cpu_supports("sse4.1"))
        return ipt_v4_parse_sse41(text.p, text.n, out);
#endif
    return ipt_v4_parse_plain(text.p, text.n, out);
}
