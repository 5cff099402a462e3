/* JSON strings out: what is shown of bytes that anyone may have sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/codec/json.h"

typedef void writer(ipt_buf *out, ipt_span text, size_t max);

static void plain_string(ipt_buf *out, ipt_span text, size_t max)
{
    (void)max;
    ipt_json_write_string(out, text);
}

static void expect(writer *write, ipt_span text, size_t max, const char *json)
{
    ipt_buf out = {0};
    ipt_span copy = exact_n(text.p, text.n);
    write(&out, copy, max);
    assert_false(out.failed);
    ipt_buf_addc(&out, '\0');
    assert_string_equal(out.p, json);
    ipt_buf_done(&out);
    free((void *)(uintptr_t)copy.p);
}

static void request_text_comes_out_as_ascii(void **state)
{
    static const struct {
        ipt_span text;
        size_t max;
        const char *json;
    } rows[] = {
        {{"", 0}, 256, "\"\""},
        {{"8.8.8.8", 7}, 256, "\"8.8.8.8\""},
        {{"[1.2.3.4]\xe9", 10}, 256, "\"[1.2.3.4]\\\\xe9\""},
        {{"\xd9\xa1", 2}, 256, "\"\\\\xd9\\\\xa1\""}, /* UTF-8 or not */
        {{"a\0b\n\x1f\x7f ~", 8}, 256, "\"a\\\\x00b\\\\x0a\\\\x1f\\\\x7f ~\""},
        {{"a\\b", 3}, 256, "\"a\\\\\\\\b\""}, /* doubled as text, so that it is no \xHH */
        {{"say \"x\"/", 8}, 256, "\"say \\\"x\\\"/\""},
        {{"123456", 6}, 4, "\"1234\""},
        {{"\xe9\xe9\xe9", 3}, 2, "\"\\\\xe9\\\\xe9\""},
        {{"123", 3}, 0, "\"\""},
        {{"123", 3}, SIZE_MAX, "\"123\""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        expect(ipt_json_write_text, rows[i].text, rows[i].max, rows[i].json);
}

static void strings_keep_utf8_and_nothing_that_is_none(void **state)
{
    static const struct {
        ipt_span text;
        const char *json;
    } rows[] = {
        {{"", 0}, "\"\""},
        {{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
        {{"\b\t\n\f\r\0\x1f\x7f", 8}, "\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\""},
        {{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!", 10}, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!\""},
        {{"\xe9", 1}, "\"\\\\xe9\""},
        {{"\xe9x", 2}, "\"\\\\xe9x\""},
        {{"\xc0\xaf", 2}, "\"\\\\xc0\\\\xaf\""},            /* overlong */
        {{"\xed\xa0\x80", 3}, "\"\\\\xed\\\\xa0\\\\x80\""}, /* a surrogate */
        {{"\xf4\x90\x80\x80", 4}, "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""},
        {{"\xe2\x82", 2}, "\"\\\\xe2\\\\x82\""}, /* cut short */
        {{"\xc3\xa9\xa9", 3}, "\"\xc3\xa9\\\\xa9\""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        expect(plain_string, rows[i].text, 0, rows[i].json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_text_comes_out_as_ascii),
        cmocka_unit_test(strings_keep_utf8_and_nothing_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
