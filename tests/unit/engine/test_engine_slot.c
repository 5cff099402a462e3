/* Readers see one whole generation each, while another thread publishes: run it with ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <cmocka.h>

#include "iptrust/engine/slot.h"

enum { READERS = 3, PUBLISHED = 300 };

/* A generation whose parts agree: half a reload would not. */
static ipt_generation *generation_new(uint16_t number)
{
    ipt_generation *g = calloc(1, sizeof(*g));
    assert_non_null(g);
    g->policies = malloc(sizeof(*g->policies));
    g->sources = malloc(sizeof(*g->sources));
    assert_true(g->policies != NULL && g->sources != NULL);
    *g->policies = *g->sources = number;
    g->published = number;
    return g;
}

typedef struct reader {
    ipt_slot *slot;
    _Atomic bool *stop;
    size_t seen, torn;
} reader;

static void *read_on(void *context)
{
    reader *r = context;
    while (!atomic_load(r->stop)) {
        const ipt_generation *g = ipt_slot_acquire(r->slot);
        uint16_t before = *g->policies;
        (void)sched_yield(); /* time for the other thread to free what it must not free yet */
        r->torn += before != *g->sources || before != g->published;
        r->seen++;
        ipt_slot_release(r->slot, g);
    }
    return NULL;
}

static void readers_see_whole_generations(void **state)
{
    ipt_slot slot = {NULL};
    _Atomic bool stop = false;
    reader readers[READERS];
    pthread_t threads[READERS];
    (void)state;
    ipt_slot_publish_take(&slot, generation_new(0));
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (reader){&slot, &stop, 0, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (uint16_t i = 1; i <= PUBLISHED; i++)
        ipt_slot_publish_take(&slot, generation_new(i));
    atomic_store(&stop, true);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].torn, 0);
    }
    ipt_slot_publish_take(&slot, NULL);
}

static void before_the_first_there_is_none(void **state)
{
    ipt_slot slot = {NULL};
    (void)state;
    const ipt_generation *g = ipt_slot_acquire(&slot);
    assert_null(g);
    ipt_slot_release(&slot, g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_there_is_none),
        cmocka_unit_test(readers_see_whole_generations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
