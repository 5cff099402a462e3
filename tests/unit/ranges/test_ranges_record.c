/* Records: what is written comes back, and nothing else comes back as something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/ranges/record.h"
#include "sets.h"

static ipt_record sample(ipt_prefix_set active, ipt_prefix_set held)
{
    return (ipt_record){
        .source = IPT_SPAN("provider=\"aws\" service=\"CLOUDFRONT\""),
        .parts = {{IPT_SPAN("https://example.org/a"), IPT_SPAN("\"etag\""), IPT_SPAN("Sun, 22 Nov 2026 10:00:00 GMT")},
                  {IPT_SPAN("https://example.org/b"), {NULL, 0}, {NULL, 0}}},
        .part_count = 2,
        .active = {active, {"1787411825", true, true, 1787411825, 1787411825}, 1787411900, 1787411000, {{0}}},
        .has_held = true,
        .held = {held, {"2026-08-23", false, true, 0, 1787411826}, 1787412000, 1787412000, {{0}}},
        .held_why = {IPT_UPDATE_LOST, "IPv4 loses 50.0 % of its space"},
        .has_accepted = true,
        .accepted_at = 1780000000,
        .past = {.items = {{1700000000, {5, 6}}, {1700086400, {7, UINT64_MAX}}}, .count = 2},
    };
}

static ipt_span encode(const ipt_record *record)
{
    ipt_auto(ipt_buf) out = {0};
    ipt_record_encode(&out, record);
    assert_false(out.failed);
    return exact_n(out.p, out.n);
}

static void release(ipt_span bytes)
{
    free((void *)(uintptr_t)bytes.p);
}

static void assert_contents(const ipt_record_contents *a, const ipt_record_contents *b)
{
    assert_true(ipt_prefix_set_equal(a->set, b->set));
    assert_true(ipt_digest_equal(a->digest, ipt_prefix_set_digest(b->set)));
    assert_string_equal(a->version.text, b->version.text);
    assert_int_equal(a->version.has_serial, b->version.has_serial);
    assert_int_equal(a->version.has_time, b->version.has_time);
    assert_int_equal(a->version.serial, b->version.serial);
    assert_int_equal(a->version.time, b->version.time);
    assert_int_equal(a->fetched_at, b->fetched_at);
    assert_int_equal(a->changed_at, b->changed_at);
}

static void what_is_written_comes_back(void **state)
{
    ipt_prefix_set active = set_of("8.0.0.0/8 8.8.8.8 2600::/32 2600::1 0.0.0.0/0"), held = set_of("9.9.9.9");
    ipt_record record = sample(active, held), back;
    ipt_span bytes = encode(&record);
    ipt_arena *arena = NULL;
    (void)state;
    assert_int_equal(ipt_arena_new(1024, 0, &arena), IPT_OK);
    assert_int_equal(ipt_record_decode(bytes, arena, &back), IPT_RECORD_OK);
    assert_true(ipt_span_equal(back.source, record.source));
    assert_int_equal(back.part_count, 2);
    for (uint32_t i = 0; i < back.part_count; i++) {
        assert_true(ipt_span_equal(back.parts[i].url, record.parts[i].url));
        assert_true(ipt_span_equal(back.parts[i].etag, record.parts[i].etag));
        assert_true(ipt_span_equal(back.parts[i].last_modified, record.parts[i].last_modified));
    }
    assert_contents(&back.active, &record.active);
    assert_true(back.has_held);
    assert_contents(&back.held, &record.held);
    assert_int_equal(back.held_why.reason, IPT_UPDATE_LOST);
    assert_string_equal(back.held_why.text, record.held_why.text);
    assert_true(back.has_accepted);
    assert_int_equal(back.accepted_at, record.accepted_at);
    assert_int_equal(back.past.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(back.past.items[i].since, record.past.items[i].since);
        assert_int_equal(back.past.items[i].space.v4, record.past.items[i].space.v4);
        assert_int_equal(back.past.items[i].space.v6, record.past.items[i].space.v6);
    }
    ipt_span again = encode(&back);
    assert_true(ipt_span_equal(bytes, again));
    release(again);
    release(bytes);
    ipt_arena_free(arena);
    ipt_prefix_set_done(&active);
    ipt_prefix_set_done(&held);
}

static void an_empty_record_is_a_record(void **state)
{
    ipt_record record = {0}, back;
    ipt_span bytes = encode(&record);
    ipt_arena *arena = NULL;
    (void)state;
    assert_int_equal(ipt_arena_new(1024, 0, &arena), IPT_OK);
    assert_int_equal(ipt_record_decode(bytes, arena, &back), IPT_RECORD_OK);
    assert_int_equal(back.active.set.count, 0);
    assert_false(back.has_held);
    ipt_arena_free(arena);
    release(bytes);
}

static void every_flipped_bit_and_every_cut_is_seen(void **state)
{
    ipt_prefix_set active = set_of("8.0.0.0/8 2600::/32"), held = set_of("9.9.9.9");
    ipt_record record = sample(active, held), back;
    ipt_span bytes = encode(&record);
    ipt_arena *arena = NULL;
    (void)state;
    assert_int_equal(ipt_arena_new(1024, 0, &arena), IPT_OK);
    for (size_t bit = 0; bit < 8 * bytes.n; bit++) {
        ipt_span copy = exact_n(bytes.p, bytes.n);
        char *p = (char *)(uintptr_t)copy.p;
        p[bit / 8] = (char)(p[bit / 8] ^ 1 << bit % 8);
        ipt_record_result result = ipt_record_decode(copy, arena, &back);
        bool in_format = bit / 8 >= 8 && bit / 8 < 12;
        assert_true(result == IPT_RECORD_BROKEN || (in_format && result == IPT_RECORD_NEWER));
        release(copy);
        ipt_arena_reset(arena);
    }
    for (size_t n = 0; n < bytes.n; n++) {
        ipt_span cut = exact_n(bytes.p, n);
        assert_int_equal(ipt_record_decode(cut, arena, &back), IPT_RECORD_BROKEN);
        release(cut);
        ipt_arena_reset(arena);
    }
    ipt_arena_free(arena);
    release(bytes);
    ipt_prefix_set_done(&active);
    ipt_prefix_set_done(&held);
}

static void a_later_format_is_told_from_a_broken_one(void **state)
{
    static const struct {
        ipt_span bytes;
        ipt_record_result result;
    } rows[] = {
        {{"", 0}, IPT_RECORD_BROKEN},
        {{"iptlist\n", 8}, IPT_RECORD_BROKEN},
        {{"iptlist\n\x02\0\0\0", 12}, IPT_RECORD_NEWER},
        {{"iptlist\n\0\0\0\x01", 12}, IPT_RECORD_NEWER},
        {{"iptlist\n\x01\0\0\0", 12}, IPT_RECORD_BROKEN},
        {{"iptlist\n\0\0\0\0", 12}, IPT_RECORD_BROKEN},
        {{"IPTLIST\n\x02\0\0\0", 12}, IPT_RECORD_BROKEN},
        {{"8.8.8.0/24\n9.9.9.0/24\n", 22}, IPT_RECORD_BROKEN},
    };
    ipt_arena *arena = NULL;
    (void)state;
    assert_int_equal(ipt_arena_new(1024, 0, &arena), IPT_OK);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span copy = exact_n(rows[i].bytes.p, rows[i].bytes.n);
        ipt_record back;
        assert_int_equal(ipt_record_decode(copy, arena, &back), rows[i].result);
        release(copy);
    }
    ipt_arena_free(arena);
}

static void short_memory_is_a_result_of_its_own(void **state)
{
    ipt_prefix_set active = set_of("8.0.0.0/8 8.8.8.8 2600::/32"), held = set_of("9.9.9.9");
    ipt_record record = sample(active, held), back;
    ipt_span bytes = encode(&record);
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_arena *arena = NULL;
        ipt_auto(ipt_buf) out = {0};
        assert_int_equal(ipt_arena_new(16, 0, &arena), IPT_OK);
        failalloc_at(n);
        ipt_record_result result = ipt_record_decode(bytes, arena, &back);
        ipt_record_encode(&out, &record);
        bool done = !failalloc_happened();
        failalloc_at(0);
        assert_int_equal(result == IPT_RECORD_OK && !out.failed, done);
        assert_true(result == IPT_RECORD_OK || result == IPT_RECORD_NO_MEMORY);
        ipt_arena_free(arena);
        if (done)
            break;
        assert_true(n < 100);
    }
    release(bytes);
    ipt_prefix_set_done(&active);
    ipt_prefix_set_done(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(an_empty_record_is_a_record),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_seen),
        cmocka_unit_test(a_later_format_is_told_from_a_broken_one),
        cmocka_unit_test(short_memory_is_a_result_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
