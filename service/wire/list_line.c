/* One line of a list header, taken apart from its right end. */
#include "iptrust/wire/list_line.h"

void ipt_list_line_init(ipt_list_line *line, ipt_list_syntax syntax, ipt_span value)
{
    const char *begin = value.p == NULL ? "" : value.p;
    *line = (ipt_list_line){.syntax = syntax, .begin = begin, .end = begin + value.n};
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

static const char *last_comma(ipt_list_syntax syntax, const char *begin, const char *end)
{
    if (syntax == IPT_LIST_FORWARDED)
        return forwarded_comma(begin, end);
    return memrchr(begin, ',', (size_t)(end - begin));
}

bool ipt_list_line_prev(ipt_list_line *line, ipt_span *element)
{
    if (line->end == NULL)
        return false;
    const char *comma = last_comma(line->syntax, line->begin, line->end);
    const char *start = comma == NULL ? line->begin : comma + 1;
    *element = ipt_span_trim((ipt_span){start, (size_t)(line->end - start)});
    line->end = comma;
    return true;
}

/* Eight bytes a step: thousands of forged entries are counted for one decision. */
static size_t count_commas(const char *p, size_t n)
{
    const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f), ones = UINT64_C(0x0101010101010101);
    size_t count = 0, i = 0;
    for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p + i, sizeof(word));
        word ^= ones * ',';
        /* The top bit of each byte that is zero now, exactly: no carry leaves a byte. */
        const uint64_t hits = ~(((word & low7) + low7) | word | low7);
        count += ((hits >> 7) * ones) >> 56;
    }
    for (; i < n; i++)
        count += p[i] == ',';
    return count;
}

size_t ipt_list_line_count(const ipt_list_line *line)
{
    if (line->end == NULL)
        return 0;
    if (line->syntax != IPT_LIST_FORWARDED)
        return 1 + count_commas(line->begin, (size_t)(line->end - line->begin));
    size_t count = 1;
    for (const char *p = line->end; (p = forwarded_comma(line->begin, p)) != NULL;)
        count++;
    return count;
}

bool ipt_line_is_empty(ipt_span value)
{
    return ipt_span_trim(value).n == 0;
}
