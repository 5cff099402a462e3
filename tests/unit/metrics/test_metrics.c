/* Counting in shards, limits, and scrapes meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/metrics/metrics.h"

static char *written(ipt_metrics *m)
{
    ipt_buf buf = {0};
    ipt_metrics_write(m, IPT_EXPO_TEXT, &buf);
    ipt_buf_addc(&buf, '\0');
    assert_false(buf.failed);
    return buf.p;
}

static void expect(ipt_metrics *m, const char *line, bool there)
{
    char *text = written(m);
    if ((strstr(text, line) != NULL) != there)
        fail_msg("%s is %s in\n%s", line, there ? "not" : "", text);
    free(text);
}

static ipt_metrics *new_metrics(unsigned shards)
{
    ipt_metrics *m;
    assert_int_equal(ipt_metrics_new(shards, &m), IPT_OK);
    return m;
}

static const char *const two_labels[] = {"a", "b"};

static void shards_are_added_up(void **state)
{
    ipt_metrics *m = new_metrics(3);
    ipt_family f;
    (void)state;
    assert_int_equal(ipt_metrics_counter(m, "things", "Things.", two_labels, 2, &f), IPT_OK);
    ipt_label xy[] = {ipt_metrics_value(m, "x"), ipt_metrics_value(m, "y")}, xx[] = {xy[0], xy[0]};
    ipt_metrics_add(m, 0, f, xy, 1);
    ipt_metrics_add(m, 1, f, xy, 2);
    ipt_metrics_add(m, 2, f, xy, 4);
    ipt_metrics_add(m, 2, f, xx, 8);
    expect(m, "things_total{a=\"x\",b=\"y\"} 7\n", true);
    expect(m, "things_total{a=\"x\",b=\"x\"} 8\n", true);
    expect(m, "other", false);
    ipt_metrics_free(m);
}

static void a_value_has_one_number(void **state)
{
    ipt_metrics *m = new_metrics(1);
    (void)state;
    ipt_label one = ipt_metrics_value(m, "one");
    assert_int_not_equal(one, 0);
    assert_int_equal(ipt_metrics_value(m, "one"), one);
    assert_int_equal(ipt_metrics_value(m, "other"), 0);
    ipt_metrics_free(m);
}

static void past_the_limit_everything_is_other(void **state)
{
    ipt_metrics *m = new_metrics(1);
    ipt_family f;
    (void)state;
    assert_int_equal(ipt_metrics_counter(m, "things", "Things.", two_labels, 2, &f), IPT_OK);
    for (unsigned i = 0; i < IPT_METRICS_VALUES_MAX + 10; i++) {
        char text[16];
        snprintf(text, sizeof(text), "v%u", i);
        ipt_label labels[] = {ipt_metrics_value(m, text), 0};
        ipt_metrics_add(m, 0, f, labels, 1);
    }
    char line[80];
    /* One series is the one that catches. */
    snprintf(line, sizeof(line), "things_total{a=\"other\",b=\"other\"} %d\n",
             IPT_METRICS_VALUES_MAX + 10 - (IPT_METRICS_SERIES_MAX - 1));
    expect(m, line, true);
    ipt_metrics_free(m);
}

static void histograms_are_cumulative(void **state)
{
    static const uint64_t bounds[] = {100, 1000, 1000000000};
    static const char *const values[] = {"p", "q"};
    ipt_metrics *m = new_metrics(2);
    ipt_histogram_spec spec = {"time_seconds", "Time.", bounds, 3, "api", values, 2};
    ipt_family f;
    (void)state;
    assert_int_equal(ipt_metrics_histogram(m, &spec, &f), IPT_OK);
    ipt_metrics_observe(m, 0, f, 0, 100); /* a bound belongs to its bucket */
    ipt_metrics_observe(m, 1, f, 0, 101);
    ipt_metrics_observe(m, 1, f, 0, 5000000000);
    ipt_metrics_observe(m, 0, f, 1, 1);
    ipt_metrics_observe(m, 0, f, 2, 1); /* no such value: nothing */
    expect(m, "time_seconds_bucket{api=\"p\",le=\"1e-07\"} 1\n", true);
    expect(m, "time_seconds_bucket{api=\"p\",le=\"1e-06\"} 2\n", true);
    expect(m, "time_seconds_bucket{api=\"p\",le=\"1\"} 2\n", true);
    expect(m, "time_seconds_bucket{api=\"p\",le=\"+Inf\"} 3\n", true);
    expect(m, "time_seconds_sum{api=\"p\"} 5.000000201\n", true);
    expect(m, "time_seconds_count{api=\"q\"} 1\n", true);
    ipt_metrics_free(m);
}

static void limits_are_outcomes(void **state)
{
    static const uint64_t bounds[IPT_METRICS_BOUNDS_MAX + 1] = {1};
    ipt_metrics *m = new_metrics(1);
    ipt_family f = 0;
    (void)state;
    ipt_histogram_spec spec = {"t_seconds", "T.", bounds, IPT_METRICS_BOUNDS_MAX + 1, NULL, NULL, 0};
    assert_int_equal(ipt_metrics_histogram(m, &spec, &f), IPT_ELIMIT);
    for (unsigned i = 0; i < IPT_METRICS_FAMILIES_MAX; i++)
        assert_int_equal(ipt_metrics_counter(m, "c", "C.", NULL, 0, &f), IPT_OK);
    ipt_family untouched = 99;
    assert_int_equal(ipt_metrics_counter(m, "c", "C.", NULL, 0, &untouched), IPT_ELIMIT);
    assert_int_equal(untouched, 99);
    ipt_metrics_add(m, 0, 0, NULL, 1); /* no family: nothing */
    ipt_metrics_free(m);
}

enum { THREADS = 4, ROUNDS = 20000 };

typedef struct worker {
    ipt_metrics *m;
    unsigned shard;
    ipt_family f, h;
    ipt_label labels[2];
} worker;

static void *count(void *context)
{
    worker *w = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        ipt_metrics_add(w->m, w->shard, w->f, w->labels, 1);
        ipt_metrics_observe(w->m, w->shard, w->h, 0, i);
    }
    return NULL;
}

static void threads_count_while_others_read(void **state)
{
    static const uint64_t bounds[] = {100};
    ipt_metrics *m = new_metrics(THREADS);
    ipt_histogram_spec spec = {"t_seconds", "T.", bounds, 1, NULL, NULL, 0};
    worker workers[THREADS];
    pthread_t threads[THREADS];
    ipt_family f, h;
    (void)state;
    assert_int_equal(ipt_metrics_counter(m, "things", "Things.", two_labels, 2, &f), IPT_OK);
    assert_int_equal(ipt_metrics_histogram(m, &spec, &h), IPT_OK);
    ipt_label x = ipt_metrics_value(m, "x");
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (worker){m, i, f, h, {x, x}};
        assert_int_equal(pthread_create(&threads[i], NULL, count, &workers[i]), 0);
    }
    for (unsigned i = 0; i < 20; i++) {
        free(written(m));
        char text[16];
        snprintf(text, sizeof(text), "late%u", i);
        (void)ipt_metrics_value(m, text);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    expect(m, "things_total{a=\"x\",b=\"x\"} 80000\n", true);
    expect(m, "t_seconds_count 80000\n", true);
    ipt_metrics_free(m);
}

static void say_hello(void *context, ipt_expo *expo)
{
    ipt_expo_family(expo, "hello", IPT_EXPO_GAUGE, "Hello.");
    ipt_expo_sample(expo, NULL, 0, *(const int *)context);
}

static void collectors_speak_last(void **state)
{
    int value = 42;
    ipt_metrics *m = new_metrics(1);
    (void)state;
    assert_int_equal(ipt_metrics_on_collect(m, say_hello, &value), IPT_OK);
    expect(m, "hello 42\n", true);
    ipt_metrics_free(m);
}

static void construction_survives_any_failing_allocation(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_metrics *m = NULL;
        failalloc_at(n);
        ipt_err err = ipt_metrics_new(2, &m);
        bool happened = failalloc_happened();
        failalloc_at(0);
        if (!happened) {
            assert_int_equal(err, IPT_OK);
            assert_true(n > 1);
            ipt_metrics_free(m);
            return;
        }
        assert_int_equal(err, IPT_ENOMEM);
        assert_null(m);
    }
}

static void a_scrape_without_memory_says_so(void **state)
{
    ipt_metrics *m = new_metrics(1);
    ipt_family f;
    (void)state;
    assert_int_equal(ipt_metrics_counter(m, "c", "C.", NULL, 0, &f), IPT_OK);
    for (size_t n = 1;; n++) {
        ipt_buf buf = {0};
        failalloc_at(n);
        ipt_metrics_write(m, IPT_EXPO_TEXT, &buf);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(buf.failed, happened);
        ipt_buf_done(&buf);
        if (!happened)
            break;
    }
    ipt_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_added_up),
        cmocka_unit_test(a_value_has_one_number),
        cmocka_unit_test(past_the_limit_everything_is_other),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(limits_are_outcomes),
        cmocka_unit_test(threads_count_while_others_read),
        cmocka_unit_test(collectors_speak_last),
        cmocka_unit_test(construction_survives_any_failing_allocation),
        cmocka_unit_test(a_scrape_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
