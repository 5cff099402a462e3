/* The growing buffer: what is written, and that failure is sticky. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/base/buf.h"

static void holds(const ipt_buf *buf, const char *text)
{
    ipt_span span = ipt_buf_span(buf);
    assert_false(buf->failed);
    assert_int_equal(span.n, strlen(text));
    assert_memory_equal(span.p, text, span.n);
}

static void writers_append_what_they_are_given(void **state)
{
    (void)state;
    ipt_auto(ipt_buf) buf = {0};
    assert_int_equal(ipt_buf_span(&buf).n, 0);
    ipt_buf_add(&buf, (ipt_span){0});
    assert_null(buf.p);
    ipt_buf_add(&buf, IPT_SPAN("ab"));
    ipt_buf_adds(&buf, "cd");
    ipt_buf_addc(&buf, 'e');
    ipt_buf_addf(&buf, "%d-%s", 7, "x");
    holds(&buf, "abcde7-x");
    ipt_buf_reset(&buf);
    holds(&buf, "");
    ipt_buf_addc(&buf, 'z');
    holds(&buf, "z");
}

static void numbers_are_decimal(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {{0, "0"}, {9, "9"}, {10, "10"}, {4294967295, "4294967295"}, {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_buf) buf = {0};
        ipt_buf_addu(&buf, rows[i].number);
        holds(&buf, rows[i].text);
    }
}

static void formatted_text_of_any_length_fits(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'q', sizeof(text));
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        ipt_auto(ipt_buf) buf = {0};
        text[n] = '\0';
        ipt_buf_addc(&buf, '<');
        ipt_buf_addf(&buf, "%s", text);
        ipt_buf_addf(&buf, "%s", text);
        ipt_buf_addc(&buf, '>');
        assert_false(buf.failed);
        assert_int_equal(buf.n, 2 * n + 2);
        assert_int_equal(buf.p[2 * n + 1], '>');
        assert_memory_equal(buf.p + 1, text, n);
        assert_memory_equal(buf.p + 1 + n, text, n);
        text[n] = 'q';
    }
}

static void reserve_makes_room_and_refuses_the_impossible(void **state)
{
    (void)state;
    ipt_auto(ipt_buf) buf = {0};
    assert_true(ipt_buf_reserve(&buf, 1000));
    assert_true(buf.cap >= 1000);
    assert_int_equal(buf.n, 0);
    ipt_buf_addc(&buf, 'a');
    assert_false(ipt_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    ipt_buf_addc(&buf, 'b');
    assert_int_equal(buf.n, 1);
    assert_false(ipt_buf_reserve(&buf, 1));
}

static void write_everything(ipt_buf *buf)
{
    ipt_buf_adds(buf, "start");
    for (int i = 0; i < 200; i++)
        ipt_buf_addu(buf, 12345);
    ipt_buf_addf(buf, "%0500d", 1);
    for (int i = 0; i < 2000; i++)
        ipt_buf_addc(buf, 'x');
}

static void a_failed_allocation_sticks_until_reset(void **state)
{
    (void)state;
    size_t whole = 5 + 1000 + 500 + 2000;
    for (size_t n = 1;; n++) {
        ipt_auto(ipt_buf) buf = {0};
        failalloc_at(n);
        write_everything(&buf);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(buf.failed, failed);
        if (!failed) {
            assert_int_equal(buf.n, whole);
            assert_true(n > 3);
            return;
        }
        assert_true(buf.n < whole);
        ipt_buf_reset(&buf);
        write_everything(&buf);
        assert_false(buf.failed);
        assert_int_equal(buf.n, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_append_what_they_are_given),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(formatted_text_of_any_length_fits),
        cmocka_unit_test(reserve_makes_room_and_refuses_the_impossible),
        cmocka_unit_test(a_failed_allocation_sticks_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
