/* Whether this process lives and may be asked: the one answer behind /livez, /readyz and grpc.health.v1
 * (interfaces.md, Listeners). */
#ifndef IPTRUST_ENGINE_HEALTH_H
#define IPTRUST_ENGINE_HEALTH_H

#include "iptrust/engine/engine.h"

enum { IPT_BEAT_STUCK_MS = 10000, IPT_BEAT_LONGEST_MS = 500 }; /* a thread that serves never sleeps longer than this */

/* The heartbeat of one thread that serves. */
typedef struct ipt_beat {
    struct ipt_beat *next;
    char name[32];       /* "event loop 0" */
    _Atomic uint64_t at; /* ipt_clock_ms() of the last turn */
} ipt_beat;

/* Adds a heartbeat that has just beaten; before the engine's threads serve. Owned by the engine. name: copied. NULL:
 * no memory. */
ipt_beat *ipt_engine_add_beat(ipt_engine *engine, const char *name);

static inline void ipt_beat_touch(ipt_beat *beat, uint64_t now_ms)
{
    atomic_store_explicit(&beat->at, now_ms, memory_order_relaxed);
}

/* The next thread after `after` that has not turned for IPT_BEAT_STUCK_MS; NULL: none. Begin with NULL. */
const ipt_beat *ipt_engine_next_stuck(const ipt_engine *engine, const ipt_beat *after);

/* From here on not ready; for good. */
void ipt_engine_drain(ipt_engine *engine);
bool ipt_engine_is_draining(const ipt_engine *engine);
/* A listening socket no longer works. */
void ipt_engine_listener_died(ipt_engine *engine);
bool ipt_engine_has_dead_listener(const ipt_engine *engine);

/* A list of `ready.require_fresh` that is not fresh. */
bool ipt_engine_list_holds_up(const ipt_view *view, size_t list);
/* /readyz's answer. Any thread. */
bool ipt_engine_is_ready(ipt_engine *engine);

#endif
