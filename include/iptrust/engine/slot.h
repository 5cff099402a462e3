/* The current generation: what all requests are judged by from now on. Taking it costs the same however many cores take
 * it, and the old one is freed when its last reader has let go (liburcu). */
#ifndef IPTRUST_ENGINE_SLOT_H
#define IPTRUST_ENGINE_SLOT_H

#include <stdatomic.h>

#include "iptrust/metrics/metrics.h"
#include "iptrust/view/view.h"

/* A view with what the engine knows of it beforehand, so that a request looks up nothing. Immutable once published. */
typedef struct ipt_generation {
    ipt_view *view;
    ipt_label *policies; /* label values by policy index */
    ipt_label *sources;  /* label values by ipt_name */
    int64_t published;   /* seconds since 1970 */
} ipt_generation;

void ipt_generation_free(ipt_generation *generation);
IPT_DEFINE_CLEANUP(ipt_generation, ipt_generation_free)

typedef struct ipt_slot {
    _Atomic(ipt_generation *) current;
} ipt_slot;

/* Borrowed until release, by the same thread and without waiting for anything in between; NULL before the first. */
const ipt_generation *ipt_slot_acquire(ipt_slot *slot);
void ipt_slot_release(ipt_slot *slot, const ipt_generation *generation);

/* Takes next over (NULL: none from now on), waits until nobody reads the old one any more and frees it. Never by a
 * thread that holds one. */
void ipt_slot_publish_take(ipt_slot *slot, ipt_generation *next);

#endif
