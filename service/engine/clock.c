/* Clocks, each for its purpose. */
#include "iptrust/engine/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t id, uint64_t per_second)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * per_second + (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / per_second);
}

uint64_t ipt_clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC, UINT64_C(1000000000));
}

uint64_t ipt_clock_ms(void)
{
    return read_clock(CLOCK_BOOTTIME, 1000);
}

int64_t ipt_clock_wall(void)
{
    return (int64_t)time(NULL);
}

ipt_clock ipt_clock_start(void)
{
    return (ipt_clock){.wall = ipt_clock_wall(), .boot_ms = ipt_clock_ms()};
}

int64_t ipt_clock_now(const ipt_clock *clock)
{
    return clock->wall + (int64_t)((ipt_clock_ms() - clock->boot_ms) / 1000);
}

void ipt_clock_format(int64_t seconds, char out[IPT_CLOCK_TEXT])
{
    time_t at = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&at, &parts) == NULL || strftime(out, IPT_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}
