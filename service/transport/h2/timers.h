/* The timers of one loop, by when they are due: a pairing heap whose nodes lie in what they wake. */
#ifndef IPTRUST_TRANSPORT_H2_TIMERS_H
#define IPTRUST_TRANSPORT_H2_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: not set. */
typedef struct h2_timer {
    struct h2_timer *child, *next, *prev; /* prev: the parent, when this is its first child */
    int64_t at;                           /* nanoseconds; whoever sets it says of which clock */
    bool set;
} h2_timer;

/* All zero: none. */
typedef struct h2_timers {
    h2_timer *root;
} h2_timers;

void h2_timer_set(h2_timers *timers, h2_timer *timer, int64_t at_ns); /* one that is set moves */
void h2_timer_cancel(h2_timers *timers, h2_timer *timer);             /* one that is not set stays so */
/* When the first one is due; INT64_MAX: there is none. */
int64_t h2_timers_next(const h2_timers *timers);
/* Takes out one that is due; NULL: there is none. */
h2_timer *h2_timers_due(h2_timers *timers, int64_t now_ns);

#endif
