/* The arithmetic of waiting. Jitter keeps a fleet that was started together from asking together. */
#include "iptrust/fetch/schedule.h"

/* xorshift64: spread, no secrecy. */
static uint64_t next_random(ipt_schedule *schedule)
{
    uint64_t x = schedule->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    schedule->random = x;
    return x;
}

/* From 0 to most. */
static int64_t draw(ipt_schedule *schedule, int64_t most)
{
    return most <= 0 ? 0 : (int64_t)(next_random(schedule) % ((uint64_t)most + 1));
}

/* Nine to eleven tenths of a wait. */
static int64_t spread(ipt_schedule *schedule, int64_t wait)
{
    return wait - wait / 10 + draw(schedule, wait / 5);
}

static int64_t longest_wait(const ipt_schedule *schedule)
{
    return schedule->interval > IPT_SCHEDULE_LONGEST_S ? schedule->interval : IPT_SCHEDULE_LONGEST_S;
}

static int64_t wait_after(const ipt_schedule *schedule, uint32_t failures)
{
    int64_t longest = longest_wait(schedule), wait = IPT_SCHEDULE_FIRST_S;
    for (uint32_t i = 1; i < failures && wait < longest; i++)
        wait *= 2;
    return wait < longest ? wait : longest;
}

ipt_schedule ipt_schedule_start(int64_t interval, int64_t now, int64_t fetched_at, uint64_t seed)
{
    ipt_schedule schedule = {.interval = interval < 1 ? 1 : interval, .whole_at = INT64_MIN, .random = seed | 1};
    int64_t soon = schedule.interval < IPT_SCHEDULE_START_S ? schedule.interval : IPT_SCHEDULE_START_S;
    schedule.due = now + draw(&schedule, soon);
    if (fetched_at == INT64_MIN || fetched_at > now)
        return schedule;
    int64_t regular = fetched_at + spread(&schedule, schedule.interval);
    if (regular > schedule.due)
        schedule.due = regular;
    return schedule;
}

void ipt_schedule_set_interval(ipt_schedule *schedule, int64_t interval, int64_t now)
{
    interval = interval < 1 ? 1 : interval;
    if (interval == schedule->interval)
        return;
    schedule->interval = interval;
    int64_t due = now + spread(schedule, interval);
    if (due < schedule->due)
        schedule->due = due;
}

void ipt_schedule_ask(ipt_schedule *schedule, int64_t now)
{
    schedule->due = now;
}

bool ipt_schedule_is_conditional(const ipt_schedule *schedule, int64_t now)
{
    return schedule->whole_at != INT64_MIN && now - schedule->whole_at < IPT_SCHEDULE_WHOLE_S;
}

void ipt_schedule_succeeded(ipt_schedule *schedule, int64_t now, bool conditional)
{
    schedule->failures = 0;
    if (!conditional)
        schedule->whole_at = now;
    schedule->due = now + spread(schedule, schedule->interval);
}

bool ipt_schedule_failed(ipt_schedule *schedule, int64_t now, int64_t retry_after)
{
    int64_t before = schedule->failures == 0 ? 0 : wait_after(schedule, schedule->failures);
    if (schedule->failures < UINT32_MAX)
        schedule->failures++;
    int64_t wait = wait_after(schedule, schedule->failures);
    bool grown = wait > before;
    int64_t spread_wait = spread(schedule, wait);
    if (retry_after > IPT_SCHEDULE_ASKED_MAX_S)
        retry_after = IPT_SCHEDULE_ASKED_MAX_S;
    schedule->due = now + (retry_after > spread_wait ? retry_after : spread_wait);
    return grown;
}
