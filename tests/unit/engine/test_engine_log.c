/* Log lines are one JSON object or one plain line each, whatever text they carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "iptrust/engine/log.h"

/* What a log writes for one note; free() it. */
static char *logged(ipt_log_format format, ipt_log_level level, const char *msg, ipt_span value)
{
    int pipes[2];
    ipt_log *log;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(ipt_log_new(pipes[1], format, IPT_LOG_INFO, &log), IPT_OK);
    ipt_log_line line;
    ipt_log_begin(&line, log, level, msg);
    ipt_log_str(&line, "key", value);
    ipt_log_num(&line, "n", -5);
    ipt_log_end(&line);
    ipt_log_free(log);
    close(pipes[1]);
    char *text = calloc(1, IPT_RING_LINE_MAX + 1);
    assert_non_null(text);
    size_t n = 0;
    for (ssize_t more; (more = read(pipes[0], text + n, IPT_RING_LINE_MAX - n)) > 0;)
        n += (size_t)more;
    close(pipes[0]);
    return text;
}

static void json_lines(void **state)
{
    static const struct {
        const char *value, *tail;
    } rows[] = {
        {"plain", "\"level\":\"info\",\"msg\":\"hello\",\"key\":\"plain\",\"n\":-5}\n"},
        {"a\"b\\c", "\"key\":\"a\\\"b\\\\c\",\"n\":-5}\n"},
        {"line\nbreak\x1b[31m", "\"key\":\"line\\u000abreak\\u001b[31m\",\"n\":-5}\n"},
        {"\xff", "\"key\":\"\\u00ff\",\"n\":-5}\n"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char *text = logged(IPT_LOG_JSON, IPT_LOG_INFO, "hello", ipt_span_from(rows[i].value));
        size_t n = strlen(text), tail = strlen(rows[i].tail);
        assert_true(n > tail);
        assert_string_equal(text + n - tail, rows[i].tail);
        free(text);
    }
}

static void text_lines(void **state)
{
    (void)state;
    char *text = logged(IPT_LOG_TEXT, IPT_LOG_WARNING, "hello", IPT_SPAN("two words"));
    assert_string_equal(text, "warning hello key=\"two words\" n=-5\n");
    free(text);
    text = logged(IPT_LOG_TEXT, IPT_LOG_INFO, "hello", IPT_SPAN("one"));
    assert_string_equal(text, "info    hello key=one n=-5\n");
    free(text);
}

static void below_the_level_nothing_is_written(void **state)
{
    (void)state;
    char *text = logged(IPT_LOG_JSON, IPT_LOG_DEBUG, "hello", IPT_SPAN("x"));
    assert_string_equal(text, "");
    free(text);
}

static void long_values_are_cut(void **state)
{
    char big[5000];
    (void)state;
    memset(big, 1, sizeof(big));
    char *text = logged(IPT_LOG_JSON, IPT_LOG_INFO, "hello", (ipt_span){big, sizeof(big)});
    assert_true(strlen(text) < IPT_RING_LINE_MAX);
    assert_non_null(strstr(text, "\\u0001...\",\"n\":-5}\n"));
    free(text);
}

static void no_log_is_fine(void **state)
{
    (void)state;
    ipt_log_note(NULL, IPT_LOG_ERROR, "nobody", "hears", "this");
    assert_int_equal(ipt_log_dropped(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines),
        cmocka_unit_test(text_lines),
        cmocka_unit_test(below_the_level_nothing_is_written),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(no_log_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
