/* Building the table: what happens without memory, what the result costs, and that it owns what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/net/lpm.h"

static uint64_t seed = UINT64_C(88172645463325252);

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void fill(ipt_lpm_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool v4 = draw() % 2 == 0;
        ipt_addr addr = v4 ? ipt_addr_from_v4((uint32_t)(draw() >> 20)) : (ipt_addr){draw(), draw()};
        unsigned len = v4 ? 104 + (unsigned)(draw() % 25) : 20 + (unsigned)(draw() % 109);
        entries[i] = (ipt_lpm_entry){ipt_prefix_of(addr, len), (uint16_t)(draw() % 500)};
    }
}

/* Enough prefixes and sets that words, sets and routes all grow. */
static void a_build_without_memory_fails_cleanly(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    ipt_lpm_entry *entries = calloc(COUNT, sizeof(*entries));
    assert_non_null(entries);
    fill(entries, COUNT);
    for (size_t n = 1;; n++) {
        ipt_lpm *lpm = NULL;
        failalloc_at(n);
        ipt_err err = ipt_lpm_build(entries, COUNT, &lpm);
        bool failed = failalloc_happened();
        failalloc_at(0);
        if (!failed) {
            assert_int_equal(err, IPT_OK);
            assert_true(n > 10); /* the sweep saw the growing, not only the start */
            for (size_t i = 0; i < COUNT; i++)
                assert_true(ipt_lpm_find(lpm, entries[i].prefix.addr)->count != 0);
            ipt_lpm_free(lpm);
            break;
        }
        assert_int_equal(err, IPT_ENOMEM);
        assert_null(lpm);
    }
    free(entries);
}

static void the_table_does_not_need_its_entries(void **state)
{
    (void)state;
    ipt_auto(ipt_lpm) *lpm = NULL;
    ipt_lpm_entry *entries = calloc(2, sizeof(*entries));
    assert_non_null(entries);
    entries[0] = (ipt_lpm_entry){ipt_prefix_of(ipt_addr_from_v4(0x0a010000), 112), 2};
    entries[1] = (ipt_lpm_entry){ipt_prefix_of(ipt_addr_from_v4(0x0a000000), 104), 1};
    assert_int_equal(ipt_lpm_build(entries, 2, &lpm), IPT_OK);
    assert_int_equal(entries[0].tag, 1); /* sorted, nothing lost */
    assert_int_equal(entries[1].tag, 2);
    free(entries);
    assert_int_equal(ipt_lpm_find(lpm, ipt_addr_from_v4(0x0a010203))->count, 2);
}

static void equal_sets_are_kept_once(void **state)
{
    (void)state;
    ipt_auto(ipt_lpm) *lpm = NULL;
    ipt_lpm_entry entries[64];
    for (uint32_t i = 0; i < IPT_COUNT(entries); i++)
        entries[i] = (ipt_lpm_entry){ipt_prefix_of(ipt_addr_from_v4(i << 24 | i << 16), 112), 7};
    assert_int_equal(ipt_lpm_build(entries, IPT_COUNT(entries), &lpm), IPT_OK);
    const ipt_members *first = ipt_lpm_find(lpm, ipt_addr_from_v4(0));
    for (uint32_t i = 0; i < IPT_COUNT(entries); i++)
        assert_ptr_equal(ipt_lpm_find(lpm, ipt_addr_from_v4(i << 24 | i << 16 | 99)), first);
}

static void a_table_costs_little_beyond_its_root(void **state)
{
    (void)state;
    enum { SMALL = 200, LARGE = 20000 };
    ipt_lpm_entry *entries = calloc(LARGE, sizeof(*entries));
    assert_non_null(entries);
    static const struct {
        size_t count, most;
    } rows[] = {{1, 540 << 10}, {SMALL, 600 << 10}, {LARGE, 4 << 20}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_lpm) *lpm = NULL;
        fill(entries, rows[i].count);
        assert_int_equal(ipt_lpm_build(entries, rows[i].count, &lpm), IPT_OK);
        if (ipt_lpm_bytes(lpm) > rows[i].most)
            fail_msg("%zu prefixes take %zu bytes", rows[i].count, ipt_lpm_bytes(lpm));
    }
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_without_memory_fails_cleanly),
        cmocka_unit_test(the_table_does_not_need_its_entries),
        cmocka_unit_test(equal_sets_are_kept_once),
        cmocka_unit_test(a_table_costs_little_beyond_its_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
