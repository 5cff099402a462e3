/* A line of a list header, element by element from its right end. */
#include "iptrust/wire/list_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"

#define XFF       IPT_LIST_XFF
#define FORWARDED IPT_LIST_FORWARDED

/* Every element to the left end as "last|...|first", with the count checked at each step. */
static void walk(ipt_list_syntax syntax, ipt_span value, char *out, size_t size)
{
    ipt_list_line line;
    ipt_span element;
    size_t n = 0;
    ipt_list_line_init(&line, syntax, value);
    const size_t count = ipt_list_line_count(&line);
    size_t left = count;
    assert_true(count >= 1);
    while (ipt_list_line_prev(&line, &element)) {
        if (left-- != count)
            out[n++] = '|';
        assert_int_equal(ipt_list_line_count(&line), left);
        assert_true(n + element.n + 2 < size);
        if (element.n != 0)
            memcpy(out + n, element.p, element.n);
        n += element.n;
    }
    assert_int_equal(left, 0);
    assert_false(ipt_list_line_prev(&line, &element));
    out[n] = '\0';
}

static void a_line_is_split_from_the_right(void **state)
{
    static const struct {
        ipt_list_syntax syntax;
        const char *value, *elements;
    } rows[] = {
        {XFF, "192.0.2.1", "192.0.2.1"},
        {XFF, "192.0.2.1, 192.0.2.2", "192.0.2.2|192.0.2.1"},
        {XFF, "192.0.2.1,192.0.2.2,192.0.2.3", "192.0.2.3|192.0.2.2|192.0.2.1"},
        {XFF, " a ,\tb\t", "b|a"}, /* disagreement 8: a tab is white space, RFC 9110 OWS */
        {XFF, "a,\tb", "b|a"},
        {XFF, "a,,b", "b||a"}, /* B07 and disagreement 9: an empty element is evidence */
        {XFF, "a,b,", "|b|a"},
        {XFF, ",a", "a|"},
        {XFF, "", ""},
        {XFF, ",", "|"},
        {XFF, " ", ""},
        {XFF, "a b, c d", "c d|a b"}, /* only SP and HTAB around an element go */
        {XFF, "a\v, \rb", "\rb|a\v"},
        {XFF, "\"a, b\", c", "c|b\"|\"a"}, /* nothing quotes here */
        {XFF, "1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0", "0|9|8|7|6|5|4|3|2|1|0|9|8|7|6|5|4|3|2|1"},
        {XFF, "-------,\xac\xac\xac\xac,++++++++,--,",
         "|--|++++++++|\xac\xac\xac\xac|-------"}, /* a comma's neighbours */
        {FORWARDED, "for=192.0.2.1", "for=192.0.2.1"},
        {FORWARDED, "for=192.0.2.1 ,\tfor=192.0.2.2", "for=192.0.2.2|for=192.0.2.1"},
        {FORWARDED, "for=a,,for=b,", "|for=b||for=a"},
        {FORWARDED, "for=\"a, b\", for=c", "for=c|for=\"a, b\""},                    /* C02 */
        {FORWARDED, "for=\"1.1.1.1, For=2.2.2.2\"", "for=\"1.1.1.1, For=2.2.2.2\""}, /* disagreement 16 */
        {FORWARDED, "a=\"x\\\",y\", b=c", "b=c|a=\"x\\\",y\""}, /* an escaped quote does not close */
        {FORWARDED, "a=\"x\\\\\", b=c", "b=c|a=\"x\\\\\""},     /* two backslashes: it does */
        {FORWARDED, "a=\"x\\\\\\\",y\", b=c", "b=c|a=\"x\\\\\\\",y\""},
        {FORWARDED, "x=y, a=\"p\\\"q\", b=c", "b=c|a=\"p\\\"q\"|x=y"},
        {FORWARDED, "x=y, a=\"p\\\\\", b=c", "b=c|a=\"p\\\\\"|x=y"},
        {FORWARDED, "x=y, a=\"p\\\\\\\"q\", b=c", "b=c|a=\"p\\\\\\\"q\"|x=y"},
        {FORWARDED, "a=\"\", b=\"\",c=d", "c=d|b=\"\"|a=\"\""},
        {FORWARDED, "a=b, by=\", for=c", "for=c|a=b, by=\""}, /* an open quote swallows what stands to its left alone */
        {FORWARDED, "a=\"b,c=\"d,e=f\",g=h", "g=h|c=\"d,e=f\"|a=\"b"},
        {FORWARDED, "\\\", a=b", "a=b|\\\""},
        {FORWARDED, "\"", "\""},
        {FORWARDED, "for=\"a\\", "for=\"a\\"}, /* C03 */
        {FORWARDED, "x, for=\"a\\", "x, for=\"a\\"},
        {FORWARDED, "", ""},
        {FORWARDED, " , ", "|"},
    };
    (void)state;
    char out[256];
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span value = exact(rows[i].value);
        walk(rows[i].syntax, value, out, sizeof(out));
        if (strcmp(out, rows[i].elements) != 0)
            fail_msg("row %zu: \"%s\" gives \"%s\"", i, rows[i].value, out);
        free((void *)(uintptr_t)value.p);
    }
    walk(XFF, (ipt_span){0}, out, sizeof(out));
    assert_string_equal(out, "");
}

/* B03 in part: lines are apart, joining them is the caller's; B11: a long line costs its length. */
static void a_long_line_is_counted_whole(void **state)
{
    (void)state;
    enum { ENTRIES = 10000 };
    static const char entry[] = "192.0.2.1, ";
    const size_t n = ENTRIES * (sizeof(entry) - 1);
    char *text = malloc(n);
    assert_non_null(text);
    for (size_t i = 0; i < ENTRIES; i++)
        memcpy(text + i * (sizeof(entry) - 1), entry, sizeof(entry) - 1);
    for (size_t cut = 0; cut < 64; cut++) { /* every alignment and every tail of the word-wise count */
        ipt_list_line line;
        size_t commas = 0;
        for (size_t i = cut; i < n - cut; i++)
            commas += text[i] == ',';
        const ipt_span value = {text + cut, n - 2 * cut};
        ipt_list_line_init(&line, XFF, value);
        assert_int_equal(ipt_list_line_count(&line), commas + 1);
        ipt_list_line_init(&line, FORWARDED, value);
        assert_int_equal(ipt_list_line_count(&line), commas + 1);
    }
    free(text);
}

static void every_byte_but_the_comma_counts_as_none(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[19];
        size_t commas = 0;
        for (size_t i = 0; i < sizeof(text); i++) {
            text[i] = i % 3 == 1 ? ',' : (char)c; /* with a comma on either side */
            commas += text[i] == ',';
        }
        ipt_list_line line;
        ipt_list_line_init(&line, XFF, (ipt_span){text, sizeof(text)});
        assert_int_equal(ipt_list_line_count(&line), commas + 1);
    }
}

static void a_line_of_white_space_is_empty(void **state)
{
    static const struct {
        const char *value;
        bool empty;
    } rows[] = {{"", true}, {" ", true}, {"\t \t", true}, {",", false}, {"\r", false}, {" a ", false}, {"\xa0", false}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span value = exact(rows[i].value);
        assert_int_equal(ipt_line_is_empty(value), rows[i].empty);
        free((void *)(uintptr_t)value.p);
    }
    assert_true(ipt_line_is_empty((ipt_span){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_split_from_the_right),
        cmocka_unit_test(a_long_line_is_counted_whole),
        cmocka_unit_test(every_byte_but_the_comma_counts_as_none),
        cmocka_unit_test(a_line_of_white_space_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
