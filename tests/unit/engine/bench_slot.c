/* Nanoseconds to take and let go the current generation, by liburcu and by a mutex with a count. Figures, not a test.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/engine/clock.h"
#include "iptrust/engine/slot.h"

enum { ROUNDS = 20000000, THREADS_MAX = 64 };

static ipt_slot slot;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t readers;

static void *by_rcu(void *context)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        ipt_slot_release(&slot, ipt_slot_acquire(&slot));
    return context;
}

static void *by_mutex(void *context)
{
    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        (void)pthread_mutex_lock(&lock);
        readers++;
        (void)pthread_mutex_unlock(&lock);
        (void)pthread_mutex_lock(&lock);
        readers--;
        (void)pthread_mutex_unlock(&lock);
    }
    return context;
}

static double measure(unsigned threads, void *(*run)(void *), unsigned rounds)
{
    pthread_t ids[THREADS_MAX];
    uint64_t begin = ipt_clock_ns();
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, run, NULL) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < threads; i++)
        (void)pthread_join(ids[i], NULL);
    return (double)(ipt_clock_ns() - begin) / rounds;
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;
    if (threads == 0 || threads > THREADS_MAX)
        return 2;
    ipt_slot_publish_take(&slot, calloc(1, sizeof(ipt_generation)));
    printf("threads %u: rcu %.1f ns, mutex %.1f ns\n", threads, measure(threads, by_rcu, ROUNDS),
           measure(threads, by_mutex, ROUNDS / 10));
    ipt_slot_publish_take(&slot, NULL);
    return 0;
}
