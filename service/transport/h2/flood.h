/* What a caller may send without asking anything: frames that cost us work are counted a connection, in leaky buckets.
 */
#ifndef IPTRUST_TRANSPORT_H2_FLOOD_H
#define IPTRUST_TRANSPORT_H2_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "iptrust/base/common.h"

typedef enum h2_event {
    H2_EVENT_RESET_IN = 0, /* CVE-2023-44487 */
    H2_EVENT_RESET_OUT,    /* that the caller made us send */
    H2_EVENT_PING,
    H2_EVENT_SETTINGS,
    H2_EVENT_EMPTY_DATA,
    H2_EVENT_WINDOW,  /* WINDOW_UPDATE */
    H2_EVENT_CONTROL, /* CONTINUATION, PRIORITY, unknown types */
    H2_EVENTS,
} h2_event;

/* All zero: nothing was seen. */
typedef struct h2_flood {
    int64_t seen[H2_EVENTS]; /* when each was last counted */
    uint32_t level[H2_EVENTS];
} h2_flood;

/* Counts one event; false: there were too many. now_ns never goes back. */
IPT_MUST_USE bool h2_flood_ok(h2_flood *flood, h2_event event, int64_t now_ns);
/* A frame of an answer was sent, so one more PING and one more of CONTROL are honest: gRPC's clients measure the way
 * with a PING behind the data that they get, as fast as answers come, and old ones send PRIORITY with every call. */
void h2_flood_answered(h2_flood *flood);

#endif
