/* Ages are counted by the clock that nobody can step: whatever happens to the time of day, a list grows older by the
 * seconds that have passed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine_priv.h"

enum { DAY = 86400, YEAR = 365 * DAY };

/* What the wrapped clocks say; the monotonic one stays the system's. */
static int64_t wall_seconds, boot_seconds;

time_t __real_time(time_t *out);
int __real_clock_gettime(clockid_t id, struct timespec *out);
time_t __wrap_time(time_t *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

time_t __wrap_time(time_t *out)
{
    if (wall_seconds == 0)
        return __real_time(out);
    if (out != NULL)
        *out = (time_t)wall_seconds;
    return (time_t)wall_seconds;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    if (boot_seconds == 0 || (id != CLOCK_BOOTTIME && id != CLOCK_REALTIME))
        return __real_clock_gettime(id, out);
    *out = (struct timespec){.tv_sec = (time_t)(id == CLOCK_BOOTTIME ? boot_seconds : wall_seconds)};
    return 0;
}

static void only_what_has_passed_counts(void **state)
{
    static const struct {
        int64_t wall, boot, now; /* what they are changed by, and what now is changed by */
    } rows[] = {
        {0, 0, 0}, {5, 5, 5}, {YEAR, 5, 5}, {-10 * YEAR, 5, 5}, {5, DAY, DAY}, {-YEAR, 0, 0}, {0, 400 * DAY, 400 * DAY},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        wall_seconds = 1800000000;
        boot_seconds = 1000;
        ipt_clock clock = ipt_clock_start();
        assert_int_equal(ipt_clock_now(&clock), wall_seconds);
        wall_seconds += rows[i].wall;
        boot_seconds += rows[i].boot;
        assert_int_equal(ipt_clock_now(&clock), 1800000000 + rows[i].now);
    }
    wall_seconds = boot_seconds = 0;
}

static ipt_freshness freshness_of(ipt_engine *engine)
{
    ipt_diag diag;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    assert_int_equal(engine_load(engine, &diag), IPT_OK);
    ipt_diag_done(&diag);
    const ipt_generation *g = ipt_engine_acquire(engine);
    ipt_freshness freshness = g->view->freshness[0];
    ipt_engine_release(engine, g);
    return freshness;
}

/* 1800000000 is 2027-01-15T08:00:00Z. */
static void a_stepped_clock_ages_no_list(void **state)
{
    char path[] = "/tmp/ipt-clock-XXXXXX";
    static const char config[] =
        "lists: {lb: {prefixes: [192.0.2.0/24], fetched_at: 2027-01-15T08:00:00Z, soft_age: 1d}}\n"
        "policies: {default: {trust: [lb]}}\n";
    ipt_diag diag;
    ipt_engine *engine = NULL;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0 && write(fd, config, sizeof(config) - 1) == (ssize_t)sizeof(config) - 1);
    wall_seconds = 1800000000;
    boot_seconds = 1000;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1};
    assert_int_equal(ipt_engine_open(&options, &diag, &engine), IPT_OK);
    ipt_diag_done(&diag);
    assert_int_equal(freshness_of(engine), IPT_FRESH);
    wall_seconds += 10 * (int64_t)YEAR;
    assert_int_equal(freshness_of(engine), IPT_FRESH);
    wall_seconds -= 20 * (int64_t)YEAR;
    boot_seconds += 23 * 3600;
    assert_int_equal(freshness_of(engine), IPT_FRESH);
    boot_seconds += 2 * 3600; /* and a stopped one keeps none young */
    assert_int_equal(freshness_of(engine), IPT_STALE);
    ipt_engine_close(engine);
    wall_seconds = boot_seconds = 0;
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_has_passed_counts),
        cmocka_unit_test(a_stepped_clock_ages_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
