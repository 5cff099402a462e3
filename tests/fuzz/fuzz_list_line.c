/* Splits a line from the right and asks what must hold of every split. The first byte of the input chooses the syntax.
 */
#include "iptrust/wire/list_line.h"

#include <stdlib.h>

#define MOST 4096 /* elements that are compared; longer lines are only walked */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct split {
    size_t count;
    ipt_span items[MOST];
} split;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_ows(const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != ' ' && *from != '\t')
            return false;
    return true;
}

/* What stands between an element and the comma (or end) to its right. */
static void walk(ipt_list_syntax syntax, ipt_span value, split *out)
{
    ipt_list_line line;
    ipt_span element;
    ipt_list_line_init(&line, syntax, value);
    size_t left = ipt_list_line_count(&line);
    const char *end = value.p + value.n; /* of what no element has covered yet */
    bool is_first = true;
    must(left >= 1 && left <= value.n + 1);
    out->count = 0;
    while (ipt_list_line_prev(&line, &element)) {
        must(ipt_list_line_count(&line) == --left);
        if (!is_first)
            must(*--end == ',');
        is_first = false;
        must(element.p >= value.p && element.p + element.n <= end);
        must(is_ows(element.p + element.n, end));
        end = element.p;
        while (end > value.p && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (out->count < MOST)
            out->items[out->count++] = element;
    }
    must(left == 0 && end == value.p);
    must(!ipt_list_line_prev(&line, &element));
}

/* The grammar's way, from the left. False when the line is not well-formed as far as quotes go: one is open at the end,
 * or a backslash stands outside a quoted-string. */
static bool split_from_left(ipt_list_syntax syntax, ipt_span value, split *out)
{
    bool quoted = false;
    size_t begin = 0;
    out->count = 0;
    for (size_t i = 0; i <= value.n; i++) {
        const char c = i < value.n ? value.p[i] : ',';
        if (syntax == IPT_LIST_FORWARDED && i < value.n) {
            if (c == '\\' && !quoted)
                return false;
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = !quoted;
        }
        if (c == ',' && (!quoted || i >= value.n)) {
            if (quoted || i > value.n)
                return false;
            if (out->count < MOST)
                out->items[out->count++] = ipt_span_trim((ipt_span){value.p + begin, i - begin});
            begin = i + 1;
        }
    }
    return !quoted && begin == value.n + 1;
}

static size_t toggling_quotes(ipt_span s)
{
    size_t quotes = 0, backslashes = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' && backslashes % 2 == 0)
            quotes++;
        backslashes = s.p[i] == '\\' ? backslashes + 1 : 0;
    }
    return quotes;
}

/* I2 of decision.md: what a client puts further left changes nothing that stands right of it. */
static void prepend(ipt_list_syntax syntax, ipt_span value, const char *text, const split *before)
{
    static split after;
    const size_t n = strlen(text);
    char *longer = malloc(n + value.n);
    must(longer != NULL);
    memcpy(longer, text, n);
    if (value.n != 0)
        memcpy(longer + n, value.p, value.n);
    walk(syntax, (ipt_span){longer, n + value.n}, &after);
    for (size_t i = 0; i < before->count; i++) {
        const bool is_leftmost = i + 1 == before->count;
        if (is_leftmost && syntax == IPT_LIST_FORWARDED && toggling_quotes(before->items[i]) % 2 != 0)
            break;
        must(i < after.count && ipt_span_equal(before->items[i], after.items[i]));
        must(after.items[i].p - longer == before->items[i].p - value.p + (ptrdiff_t)n);
    }
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static split right, left;
    if (size == 0)
        return 0;
    const ipt_list_syntax syntax = (data[0] & 1) != 0 ? IPT_LIST_FORWARDED : IPT_LIST_XFF;
    const ipt_span value = {(const char *)data + 1, size - 1};
    walk(syntax, value, &right);
    if (right.count == MOST)
        return 0;
    const bool well_formed = split_from_left(syntax, value, &left);
    must(well_formed || syntax == IPT_LIST_FORWARDED);
    if (well_formed) {
        must(left.count == right.count);
        for (size_t i = 0; i < left.count; i++) {
            const ipt_span other = right.items[left.count - 1 - i];
            must(left.items[i].n == other.n && (other.n == 0 || left.items[i].p == other.p));
        }
    }
    prepend(syntax, value, "x,", &right);
    prepend(syntax, value, "for=\"x,y\",\"\\,", &right);
    return 0;
}
