/* When a feed is asked next, and whether with a condition: a value that is told what happened and when. It knows no
 * clock and no network, so that a test walks through days in a loop. */
#ifndef IPTRUST_FETCH_SCHEDULE_H
#define IPTRUST_FETCH_SCHEDULE_H

#include "iptrust/base/common.h"

enum {
    IPT_SCHEDULE_FIRST_S = 15,        /* wait after a first failure; doubled by each further one */
    IPT_SCHEDULE_LONGEST_S = 3600,    /* of these waits, or the interval when that is longer */
    IPT_SCHEDULE_ASKED_MAX_S = 86400, /* what a Retry-After may ask for at most */
    IPT_SCHEDULE_WHOLE_S = 86400,     /* so often the feed is fetched without condition */
    IPT_SCHEDULE_START_S = 5,         /* within so many seconds of the start, when there is something to fetch */
};

/* Times are seconds of one clock that never goes back. */
typedef struct ipt_schedule {
    int64_t interval; /* seconds, at least 1 */
    int64_t due;
    int64_t whole_at;  /* last success without condition; INT64_MIN: none */
    uint32_t failures; /* in a row */
    uint64_t random;   /* state of the jitter */
} ipt_schedule;

/* fetched_at: of the contents at hand; INT64_MIN when there are none. seed: any value but 0. */
ipt_schedule ipt_schedule_start(int64_t interval, int64_t now, int64_t fetched_at, uint64_t seed);
/* The interval of the configuration has changed. */
void ipt_schedule_set_interval(ipt_schedule *schedule, int64_t interval, int64_t now);
/* Somebody asks for it now, whatever happened before. */
void ipt_schedule_ask(ipt_schedule *schedule, int64_t now);
/* False: without condition, because a server that answers 304 for ever would hide that it has forgotten the feed. */
bool ipt_schedule_is_conditional(const ipt_schedule *schedule, int64_t now);
/* conditional: the request was. */
void ipt_schedule_succeeded(ipt_schedule *schedule, int64_t now, bool conditional);
/* retry_after: seconds that the server asked for, 0 for none. True: the wait has grown, so the failure is worth a line
 * in the log; false when the same was said at the same wait before. */
bool ipt_schedule_failed(ipt_schedule *schedule, int64_t now, int64_t retry_after);

#endif
