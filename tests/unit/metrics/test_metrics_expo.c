/* The two text formats, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#include "iptrust/metrics/expo.h"

static void check(const ipt_buf *buf, const char *expected)
{
    assert_false(buf->failed);
    assert_int_equal(buf->n, strlen(expected));
    assert_memory_equal(buf->p, expected, buf->n);
}

static void numbers_are_the_shortest_text_that_reads_back(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {1, "1"},
        {-3, "-3"},
        {1000000, "1000000"},
        {1763836960, "1763836960"},
        {0.1, "0.1"},
        {1e-07, "1e-07"},
        {2.5e-06, "2.5e-06"},
        {1.0 / 3, "0.3333333333333333"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {1e300, "1e+300"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char text[IPT_EXPO_NUMBER];
        ipt_expo_number(rows[i].value, text);
        assert_string_equal(text, rows[i].text);
    }
    char text[IPT_EXPO_NUMBER];
    ipt_expo_number(NAN, text);
    assert_string_equal(text, "NaN");
}

static void write_all(ipt_expo *expo)
{
    const ipt_expo_label labels[] = {{"a", "x"}, {"b", "q\"\\\n"}};
    ipt_expo_family(expo, "jobs", IPT_EXPO_COUNTER, "Jobs.");
    ipt_expo_count(expo, labels, 2, 7);
    ipt_expo_family(expo, "build", IPT_EXPO_INFO, "Build.");
    ipt_expo_sample(expo, labels, 1, 1);
    ipt_expo_family(expo, "age_seconds", IPT_EXPO_GAUGE, "Age.");
    ipt_expo_sample(expo, NULL, 0, 0.5);
    ipt_expo_end(expo);
}

static void text_format_0_0_4(void **state)
{
    ipt_buf buf = {0};
    ipt_expo expo = {.out = &buf, .format = IPT_EXPO_TEXT};
    (void)state;
    write_all(&expo);
    check(&buf, "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{a=\"x\",b=\"q\\\"\\\\\\n\"} 7\n"
                "# HELP build_info Build.\n# TYPE build_info gauge\nbuild_info{a=\"x\"} 1\n"
                "# HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 0.5\n");
    ipt_buf_done(&buf);
}

static void openmetrics_1_0(void **state)
{
    ipt_buf buf = {0};
    ipt_expo expo = {.out = &buf, .format = IPT_EXPO_OPENMETRICS};
    (void)state;
    write_all(&expo);
    check(&buf, "# HELP jobs Jobs.\n# TYPE jobs counter\njobs_total{a=\"x\",b=\"q\\\"\\\\\\n\"} 7\n"
                "# HELP build Build.\n# TYPE build info\nbuild_info{a=\"x\"} 1\n"
                "# HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 0.5\n# EOF\n");
    ipt_buf_done(&buf);
}

static void accept_chooses_the_format(void **state)
{
    static const struct {
        const char *accept;
        ipt_expo_format format;
    } rows[] = {
        {NULL, IPT_EXPO_TEXT},
        {"*/*", IPT_EXPO_TEXT},
        {"text/plain;version=0.0.4", IPT_EXPO_TEXT},
        {"application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", IPT_EXPO_OPENMETRICS},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_int_equal(ipt_expo_negotiate(rows[i].accept), rows[i].format);
}

static void process_metrics_have_their_names(void **state)
{
    static const char *const names[] = {"process_cpu_seconds_total ", "process_max_fds ", "process_open_fds ",
                                        "process_resident_memory_bytes ", "process_start_time_seconds "};
    ipt_buf buf = {0};
    ipt_expo expo = {.out = &buf, .format = IPT_EXPO_TEXT};
    (void)state;
    ipt_expo_process(&expo);
    ipt_buf_addc(&buf, '\0');
    for (size_t i = 0; i < IPT_COUNT(names); i++)
        assert_non_null(strstr(buf.p, names[i]));
    ipt_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_shortest_text_that_reads_back),
        cmocka_unit_test(text_format_0_0_4),
        cmocka_unit_test(openmetrics_1_0),
        cmocka_unit_test(accept_chooses_the_format),
        cmocka_unit_test(process_metrics_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
