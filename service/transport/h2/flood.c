/* One bucket an event: it holds so many at once and leaks so many a second. */
#include "flood.h"

static const struct {
    uint32_t burst, rate;
} limits[H2_EVENTS] = {
    /* A proxy has the calls of all its clients on one connection, and resets each whose client goes away. */
    [H2_EVENT_RESET_IN] = {10000, 1000},  [H2_EVENT_RESET_OUT] = {10000, 1000},
    [H2_EVENT_PING] = {100, 10}, /* that no answer has called for */
    [H2_EVENT_SETTINGS] = {32, 1},        [H2_EVENT_EMPTY_DATA] = {1000, 100},
    [H2_EVENT_WINDOW] = {100000, 100000}, /* honest clients send one for every answer or two */
    [H2_EVENT_CONTROL] = {1000, 1000},
};

bool h2_flood_ok(h2_flood *flood, h2_event event, int64_t now_ns)
{
    const int64_t second = 1000000000;
    uint32_t rate = limits[event].rate, *level = &flood->level[event];
    int64_t since = now_ns - flood->seen[event], leaked = INT64_MAX;
    if (since < 0)
        since = 0;
    if (since / second < INT64_MAX / rate / 2 && since < INT64_MAX / (int64_t)rate)
        leaked = since * (int64_t)rate / second;
    if (leaked >= *level) {
        *level = 0;
        flood->seen[event] = now_ns;
    } else if (leaked > 0) {
        *level -= (uint32_t)leaked;
        flood->seen[event] += leaked * second / (int64_t)rate; /* the rest of the time counts on */
    }
    if (*level >= limits[event].burst)
        return false;
    ++*level;
    return true;
}

void h2_flood_answered(h2_flood *flood)
{
    flood->level[H2_EVENT_PING] -= flood->level[H2_EVENT_PING] != 0;
    flood->level[H2_EVENT_CONTROL] -= flood->level[H2_EVENT_CONTROL] != 0;
}
