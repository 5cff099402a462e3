/* Time for the daemon. Ages grow with CLOCK_BOOTTIME: neither a step of the wall clock nor a suspended machine makes a
 * list younger than it is. */
#ifndef IPTRUST_ENGINE_CLOCK_H
#define IPTRUST_ENGINE_CLOCK_H

#include <stdint.h>
#include <stddef.h>

uint64_t ipt_clock_ns(void);  /* CLOCK_MONOTONIC, for durations */
uint64_t ipt_clock_ms(void);  /* CLOCK_BOOTTIME, for deadlines */
int64_t ipt_clock_wall(void); /* seconds since 1970, as the wall clock says now: for time stamps */

/* Seconds since 1970 as they stood when the process began, plus what has passed since. */
typedef struct ipt_clock {
    int64_t wall;     /* at the start */
    uint64_t boot_ms; /* at the start */
} ipt_clock;
ipt_clock ipt_clock_start(void);
int64_t ipt_clock_now(const ipt_clock *clock);

#define IPT_CLOCK_TEXT 24
/* "2026-11-22T10:00:00Z" */
void ipt_clock_format(int64_t seconds, char out[IPT_CLOCK_TEXT]);

#endif
