/* The document of a central place, seen from a face. */
#ifndef IPTRUST_ENGINE_CENTRAL_H
#define IPTRUST_ENGINE_CENTRAL_H

#include "iptrust/engine/engine.h"

typedef enum ipt_central_event {
    IPT_CENTRAL_NEVER = 0, /* not asked since the start */
    IPT_CENTRAL_UPDATED,
    IPT_CENTRAL_UNCHANGED,
    IPT_CENTRAL_REFUSED, /* there was one, and it was not taken */
    IPT_CENTRAL_FAILED,  /* there was none to be had */
    IPT_CENTRAL_EVENTS,
} ipt_central_event;
const char *ipt_central_event_name(ipt_central_event event);

typedef struct ipt_central_state {
    bool configured, in_force; /* in_force: serial and expires are of the document that decisions follow */
    bool has_expires;
    uint64_t serial;
    int64_t expires, taken;
    ipt_central_event event; /* what came of the last question */
    int64_t event_at;
    char why[320]; /* "" when there is nothing to say */
} ipt_central_state;
ipt_central_state ipt_engine_central(ipt_engine *engine);

/* ---- serve_central: our own lists and policies for others ---- */

#define IPT_SERVED_ETAG 40

/* A signed bundle that does not change any more. */
typedef struct ipt_served {
    atomic_uint users;
    uint64_t number; /* of this process, rising */
    uint64_t serial;
    ipt_buf text;
    char etag[IPT_SERVED_ETAG]; /* with its quotes */
} ipt_served;

/* For as long as the caller needs it: release it. NULL: none. */
const ipt_served *ipt_engine_served(ipt_engine *engine);
void ipt_served_release(const ipt_served *served);
/* Number of the one that ipt_engine_served would give; 0: none. Any thread, without a lock. */
uint64_t ipt_engine_served_number(ipt_engine *engine);

/* Keys and key files of `central` and `serve_central`: IPT_ECONFIG when one is none; diag says which.
 * Wants no engine. */
IPT_MUST_USE ipt_err ipt_engine_check_central(const ipt_config *config, ipt_diag *diag);

#endif
