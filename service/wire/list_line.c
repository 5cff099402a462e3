/* One line of a list header, taken apart from its right end. */
#include "iptrust/wire/list_line.h"

#define WINDOW 64

#if defined(__SSE2__) /* every x86-64 has it */
#include <emmintrin.h>

static inline uint64_t commas16(const char *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
}
#endif

/* Bit i is set when byte i of the eight at p is a comma. */
static inline uint64_t commas8(const char *p)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word ^= UINT64_C(0x0101010101010101) * ',';
    /* The top bit of each byte that is zero now, exactly: no carry leaves a byte. */
    uint64_t hits = ~(((word & low7) + low7) | word | low7);
    return ((hits >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

/* The same for up to 64 bytes; the last load overlaps the one before rather than read beyond. */
static inline uint64_t find_commas(const char *p, size_t n)
{
    uint64_t mask = 0;
    size_t i = 0;
#if defined(__SSE2__)
    if (n >= 16) {
        for (; n - i > 16; i += 16)
            mask |= commas16(p + i) << i;
        return mask | commas16(p + n - 16) << (n - 16);
    }
#endif
    if (n >= 8) {
        for (; n - i > 8; i += 8)
            mask |= commas8(p + i) << i;
        return mask | commas8(p + n - 8) << (n - 8);
    }
    for (; i < n; i++)
        mask |= (uint64_t)(p[i] == ',') << i;
    return mask;
}

/* Searches the bytes before the window. */
static inline void move_window(ipt_list_line *line)
{
    size_t before = (size_t)(line->window - line->begin);
    size_t n = before < WINDOW ? before : WINDOW;
    line->window -= n;
    line->commas = find_commas(line->window, n);
}

void ipt_list_line_init(ipt_list_line *line, ipt_list_syntax syntax, ipt_span value)
{
    const char *begin = value.p == NULL ? "" : value.p;
    *line = (ipt_list_line){.syntax = syntax, .begin = begin, .end = begin + value.n, .window = begin + value.n};
    if (syntax == IPT_LIST_XFF)
        move_window(line);
}

/* In a quoted-string a backslash takes the meaning from what follows (RFC 9110, 5.6.4), another backslash included:
 * after an odd number of them the quote is text. Each run belongs to one quote, so that a line costs its length. */
static bool is_escaped(const char *begin, const char *quote)
{
    const char *p = quote;
    while (p > begin && p[-1] == '\\')
        p--;
    return (quote - p) % 2 != 0;
}

/* The comma that ends the element to the left of the one that ends at `end`; NULL when there is none. Counted from the
 * right end, a comma is quoted after an odd number of quotes: an open quote swallows all to its left, never the right.
 */
static const char *forwarded_comma(const char *begin, const char *end)
{
    bool quoted = false;
    for (const char *p = end; p > begin; p--) {
        if (p[-1] == ',' && !quoted)
            return p - 1;
        if (p[-1] == '"' && !is_escaped(begin, p - 1))
            quoted = !quoted;
    }
    return NULL;
}

static const char *xff_comma(ipt_list_line *line)
{
    while (line->commas == 0 && line->window > line->begin)
        move_window(line);
    if (line->commas == 0)
        return NULL;
    int last = 63 - __builtin_clzll(line->commas);
    line->commas ^= UINT64_C(1) << last;
    return line->window + last;
}

bool ipt_list_line_prev(ipt_list_line *line, ipt_span *element)
{
    if (line->end == NULL)
        return false;
    const char *comma = line->syntax == IPT_LIST_XFF ? xff_comma(line) : forwarded_comma(line->begin, line->end);
    const char *start = comma == NULL ? line->begin : comma + 1;
    *element = ipt_span_trim((ipt_span){start, (size_t)(line->end - start)});
    line->end = comma;
    return true;
}

/* How many bits are set, in a few steps on any processor; __builtin_popcountll() is a call where no instruction for it
 * may be assumed. */
static inline size_t count_bits(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (size_t)((x * UINT64_C(0x0101010101010101)) >> 56);
}

/* A window a step: thousands of forged entries are counted for one decision. */
static size_t count_commas(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i += WINDOW)
        count += count_bits(find_commas(p + i, n - i < WINDOW ? n - i : WINDOW));
    return count;
}

size_t ipt_list_line_count(const ipt_list_line *line)
{
    if (line->end == NULL)
        return 0;
    if (line->syntax == IPT_LIST_XFF)
        return 1 + count_bits(line->commas) + count_commas(line->begin, (size_t)(line->window - line->begin));
    size_t count = 1;
    for (const char *p = line->end; (p = forwarded_comma(line->begin, p)) != NULL;)
        count++;
    return count;
}

bool ipt_line_is_empty(ipt_span value)
{
    return ipt_span_trim(value).n == 0;
}
