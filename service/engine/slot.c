/* Read-copy-update by liburcu, in the flavour whose readers fence: the others make whoever publishes interrupt every
 * core (membarrier), which a decision would notice. A thread registers itself when it first reads. Measured in
 * docs/PERFORMANCE.md. */
#include "iptrust/engine/slot.h"

#include <pthread.h>
#include <stdlib.h>
#include <urcu/urcu-mb.h>

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

static _Thread_local bool is_registered;
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void unregister_thread(void *thread)
{
    (void)thread;
    is_registered = false;
    urcu_mb_unregister_thread();
}

static void make_key(void)
{
    if (pthread_key_create(&at_exit, unregister_thread) != 0)
        abort(); /* a thread that ended without a word would be waited for for ever */
}

static void register_thread(void)
{
    if (is_registered)
        return;
    (void)pthread_once(&once, make_key);
    if (pthread_setspecific(at_exit, &is_registered) != 0)
        abort();
    urcu_mb_register_thread();
    is_registered = true;
}

const ipt_generation *ipt_slot_acquire(ipt_slot *slot)
{
    register_thread();
    urcu_mb_read_lock();
    return atomic_load_explicit(&slot->current, memory_order_acquire);
}

void ipt_slot_release(ipt_slot *slot, const ipt_generation *generation)
{
    (void)generation;
    reader_left(slot);
    urcu_mb_read_unlock();
}

void ipt_slot_publish_take(ipt_slot *slot, ipt_generation *next)
{
    ipt_generation *old = atomic_exchange_explicit(&slot->current, next, memory_order_acq_rel);
    if (old == NULL)
        return;
    urcu_mb_synchronize_rcu();
    readers_gone(slot);
    ipt_generation_free(old);
}
