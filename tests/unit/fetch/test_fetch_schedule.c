/* Waiting, day by day without a clock: jitter within its bounds, back-off, Retry-After, one whole fetch a day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iptrust/fetch/schedule.h"

enum { HOUR = 3600, DAY = 24 * HOUR };
static const int64_t start = 1800000000;

static void the_first_fetch_is_soon_or_when_the_contents_are_due(void **state)
{
    static const struct {
        const char *what;
        int64_t interval, fetched_at, least, most; /* least, most: after the start */
    } rows[] = {
        {"nothing at hand", HOUR, INT64_MIN, 0, IPT_SCHEDULE_START_S},
        {"nothing at hand, often", 2, INT64_MIN, 0, 2},
        {"contents of a year ago", HOUR, -365 * (int64_t)DAY, 0, IPT_SCHEDULE_START_S},
        {"contents of now", HOUR, 0, HOUR * 9 / 10, HOUR * 11 / 10},
        {"contents of half an hour ago", HOUR, -HOUR / 2, HOUR * 4 / 10, HOUR * 6 / 10},
        {"contents of the future", HOUR, 5 * DAY, 0, IPT_SCHEDULE_START_S},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        for (uint64_t seed = 1; seed < 200; seed++) {
            int64_t at = rows[i].fetched_at == INT64_MIN ? INT64_MIN : start + rows[i].fetched_at;
            ipt_schedule s = ipt_schedule_start(rows[i].interval, start, at, seed * 7919);
            if (s.due < start + rows[i].least || s.due > start + rows[i].most)
                fail_msg("%s: due after %lld s", rows[i].what, (long long)(s.due - start));
        }
    }
}

static void a_fleet_that_starts_together_asks_apart(void **state)
{
    unsigned counts[7] = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 700; seed++) {
        ipt_schedule s = ipt_schedule_start(HOUR, start, INT64_MIN, seed * 0x9e3779b97f4a7c15);
        ipt_schedule_succeeded(&s, start, false);
        int64_t at = (s.due - start - HOUR * 9 / 10) * 7 / (HOUR / 5 + 1);
        assert_in_range(at, 0, 6);
        counts[at]++;
    }
    for (size_t i = 0; i < IPT_COUNT(counts); i++)
        assert_in_range(counts[i], 50, 200);
}

static void waits_double_up_to_a_bound_and_speak_once_each(void **state)
{
    ipt_schedule s = ipt_schedule_start(60, start, INT64_MIN, 42);
    int64_t now = start, wait = IPT_SCHEDULE_FIRST_S;
    unsigned said = 0;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        said += ipt_schedule_failed(&s, now, 0);
        assert_in_range(s.due - now, wait * 9 / 10, wait * 11 / 10);
        now = s.due;
        wait = wait * 2 > IPT_SCHEDULE_LONGEST_S ? IPT_SCHEDULE_LONGEST_S : wait * 2;
    }
    assert_int_equal(said, 9); /* 15 s, 30 s ... 1920 s, 3600 s */
    ipt_schedule_succeeded(&s, now, true);
    assert_in_range(s.due - now, 54, 66);
    assert_true(ipt_schedule_failed(&s, now, 0)); /* the next trouble is news again */
    assert_in_range(s.due - now, 13, 17);
}

static void a_long_interval_is_its_own_bound(void **state)
{
    ipt_schedule s = ipt_schedule_start(7 * DAY, start, INT64_MIN, 42);
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        (void)ipt_schedule_failed(&s, start, 0);
    assert_in_range(s.due - start, 6 * DAY, 8 * DAY);
}

static void a_server_may_ask_for_patience(void **state)
{
    static const struct {
        int64_t asked, least, most;
    } rows[] = {{0, 13, 17}, {5, 13, 17}, {120, 120, 120}, {DAY, DAY, DAY}, {1000 * (int64_t)DAY, DAY, DAY}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_schedule s = ipt_schedule_start(60, start, INT64_MIN, 9);
        (void)ipt_schedule_failed(&s, start, rows[i].asked);
        assert_in_range(s.due - start, rows[i].least, rows[i].most);
    }
}

static void one_fetch_a_day_is_whole(void **state)
{
    ipt_schedule s = ipt_schedule_start(HOUR, start, start, 42);
    unsigned whole = 0;
    (void)state;
    for (int64_t now = start; now < start + 10 * DAY; now = s.due) {
        bool conditional = ipt_schedule_is_conditional(&s, now);
        whole += !conditional;
        ipt_schedule_succeeded(&s, now, conditional);
    }
    assert_in_range(whole, 9, 10);
}

static void asking_overrides_every_wait(void **state)
{
    ipt_schedule s = ipt_schedule_start(HOUR, start, start, 42);
    (void)state;
    (void)ipt_schedule_failed(&s, start, DAY);
    ipt_schedule_ask(&s, start + 1);
    assert_int_equal(s.due, start + 1);
}

static void a_shorter_interval_brings_the_next_fetch_forward(void **state)
{
    ipt_schedule s = ipt_schedule_start(DAY, start, start, 42);
    (void)state;
    ipt_schedule_set_interval(&s, 60, start);
    assert_in_range(s.due - start, 54, 66);
    int64_t due = s.due;
    ipt_schedule_set_interval(&s, DAY, start);
    assert_int_equal(s.due, due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fetch_is_soon_or_when_the_contents_are_due),
        cmocka_unit_test(a_fleet_that_starts_together_asks_apart),
        cmocka_unit_test(waits_double_up_to_a_bound_and_speak_once_each),
        cmocka_unit_test(a_long_interval_is_its_own_bound),
        cmocka_unit_test(a_server_may_ask_for_patience),
        cmocka_unit_test(one_fetch_a_day_is_whole),
        cmocka_unit_test(asking_overrides_every_wait),
        cmocka_unit_test(a_shorter_interval_brings_the_next_fetch_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
