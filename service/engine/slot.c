/* Read-copy-update. The bulletproof flavour of liburcu, because then no thread has to register itself; measured against
 * a mutex with a count in docs/PERFORMANCE.md. */
#include "iptrust/engine/slot.h"

#include <stdlib.h>
#include <urcu-bp.h>

#if defined(__SANITIZE_THREAD__)
#define SLOT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOT_TSAN 1
#endif
#endif

/* ThreadSanitizer does not see into liburcu; these two say what a read section guarantees. */
#ifdef SLOT_TSAN
void __tsan_acquire(void *p);
void __tsan_release(void *p);
static void reader_left(ipt_slot *slot)
{
    __tsan_release(slot);
}

static void readers_gone(ipt_slot *slot)
{
    __tsan_acquire(slot);
}
#else
static void reader_left(ipt_slot *slot)
{
    (void)slot;
}

static void readers_gone(ipt_slot *slot)
{
    (void)slot;
}
#endif

void ipt_generation_free(ipt_generation *generation)
{
    if (generation == NULL)
        return;
    ipt_view_free(generation->view);
    free(generation->policies);
    free(generation->sources);
    free(generation);
}

const ipt_generation *ipt_slot_acquire(ipt_slot *slot)
{
    urcu_bp_read_lock();
    return atomic_load_explicit(&slot->current, memory_order_acquire);
}

void ipt_slot_release(ipt_slot *slot, const ipt_generation *generation)
{
    (void)generation;
    reader_left(slot);
    urcu_bp_read_unlock();
}

void ipt_slot_publish_take(ipt_slot *slot, ipt_generation *next)
{
    ipt_generation *old = atomic_exchange_explicit(&slot->current, next, memory_order_acq_rel);
    if (old == NULL)
        return;
    urcu_bp_synchronize_rcu();
    readers_gone(slot);
    ipt_generation_free(old);
}
