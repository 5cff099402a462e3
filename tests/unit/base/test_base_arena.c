/* The arena: alignment, limits, reset, and what happens without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/base/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    unsigned char *seen[200];
    assert_int_equal(ipt_arena_new(100, 0, &arena), IPT_OK);
    for (size_t i = 0; i < IPT_COUNT(seen); i++) {
        seen[i] = ipt_arena_alloc(arena, i);
        assert_non_null(seen[i]);
        assert_int_equal((uintptr_t)seen[i] % _Alignof(max_align_t), 0);
        memset(seen[i], (int)i, i);
    }
    for (size_t i = 0; i < IPT_COUNT(seen); i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_equal(seen[i][k], i);
    }
    assert_ptr_not_equal(seen[0], seen[1]); /* nothing, too, has an address of its own */
}

static void calloc_clears_memory_that_was_used_before(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(1024, 0, &arena), IPT_OK);
    unsigned char *p = ipt_arena_alloc(arena, 512);
    assert_non_null(p);
    memset(p, 0xaa, 512);
    ipt_arena_reset(arena);
    p = ipt_arena_calloc(arena, 64, 8);
    assert_non_null(p);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(p[i], 0);
}

static void strdup_ends_with_a_nul(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(64, 0, &arena), IPT_OK);
    assert_string_equal(ipt_arena_strdup(arena, (ipt_span){"abcdef", 3}), "abc");
    assert_string_equal(ipt_arena_strdup(arena, (ipt_span){0}), "");
    assert_null(ipt_arena_strdup(arena, (ipt_span){"x", SIZE_MAX}));
}

static void escaping_leaves_printable_ascii(void **state)
{
    static const struct {
        ipt_span text;
        const char *escaped;
    } rows[] = {
        {{"a b~", 4}, "a b~"},
        {{"\\", 1}, "\\\\"},
        {{"\xe9\x00\x7f\n", 4}, "\\xe9\\x00\\x7f\\x0a"},
        {{NULL, 0}, ""},
    };
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(64, 0, &arena), IPT_OK);
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(ipt_arena_escape(arena, rows[i].text), rows[i].escaped);
    assert_null(ipt_arena_escape(arena, (ipt_span){"x", SIZE_MAX / 2}));
}

static void a_limit_is_met_exactly(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(64, 256, &arena), IPT_OK);
    assert_non_null(ipt_arena_alloc(arena, 240));
    assert_int_equal(ipt_arena_used(arena), 240);
    assert_null(ipt_arena_alloc(arena, 17));
    assert_non_null(ipt_arena_alloc(arena, 16));
    assert_null(ipt_arena_alloc(arena, 1));
    assert_null(ipt_arena_alloc(arena, 0));
    assert_int_equal(ipt_arena_used(arena), 256);
    ipt_arena_reset(arena);
    assert_int_equal(ipt_arena_used(arena), 0);
    assert_non_null(ipt_arena_alloc(arena, 256));
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(64, 0, &arena), IPT_OK);
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 16, SIZE_MAX - 31, SIZE_MAX - 48};
    for (size_t i = 0; i < IPT_COUNT(sizes); i++)
        assert_null(ipt_arena_alloc(arena, sizes[i]));
    assert_null(ipt_arena_calloc(arena, SIZE_MAX / 2, 3));
    assert_int_equal(ipt_arena_used(arena), 0);
    assert_non_null(ipt_arena_alloc(arena, 1));
}

static void a_reset_arena_that_fits_its_first_block_allocates_nothing(void **state)
{
    (void)state;
    ipt_auto(ipt_arena) *arena = NULL;
    assert_int_equal(ipt_arena_new(4096, 0, &arena), IPT_OK);
    void *first = ipt_arena_alloc(arena, 1000);
    assert_non_null(ipt_arena_alloc(arena, 100000));
    ipt_arena_reset(arena);
    failalloc_at(0);
    for (int round = 0; round < 3; round++) {
        assert_ptr_equal(ipt_arena_alloc(arena, 1000), first);
        assert_non_null(ipt_arena_alloc(arena, 3000));
        ipt_arena_reset(arena);
    }
    assert_int_equal(failalloc_count(), 0);
}

static void running_out_of_memory_leaves_the_arena_usable(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_arena *arena = NULL;
        failalloc_at(n);
        ipt_err err = ipt_arena_new(64, 0, &arena);
        void *p = err == IPT_OK ? ipt_arena_alloc(arena, 5000) : NULL;
        bool failed = failalloc_happened();
        failalloc_at(0);
        if (err != IPT_OK) {
            assert_int_equal(err, IPT_ENOMEM);
            assert_null(arena);
            continue;
        }
        assert_int_equal(p == NULL, failed);
        assert_non_null(ipt_arena_alloc(arena, 5000));
        ipt_arena_free(arena);
        if (!failed) {
            assert_int_equal(n, 4); /* the arena, its first block, one more */
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(calloc_clears_memory_that_was_used_before),
        cmocka_unit_test(strdup_ends_with_a_nul),
        cmocka_unit_test(escaping_leaves_printable_ascii),
        cmocka_unit_test(a_limit_is_met_exactly),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_reset_arena_that_fits_its_first_block_allocates_nothing),
        cmocka_unit_test(running_out_of_memory_leaves_the_arena_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
