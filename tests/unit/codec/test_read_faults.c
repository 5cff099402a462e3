/* Reading without memory: an arena that is full at any point gives a problem and never a crash, although yajl does not
 * ask whether it got its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/codec/json.h"

static const char request[] =
    "{\"peer\":\"\\u0031.1.1.1\",\"headers\":{\"a\":[\"1\",\"2\\n\\t\"],\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\","
    "\"f\":\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\",\"j\":\"\",\"k\":\"\",\"l\":\"\",\"m\":\"\"},\"attributes\":{\"x\":"
    "\"y\"},"
    "\"proxy_protocol\":\"UFJPWFk=\"}";

/* Reads until a limit is enough. */
static void sweep_limits(ipt_span text, ipt_problem_code code)
{
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16) {
        ipt_arena *arena;
        ipt_call call;
        ipt_problem problem = {.code = IPT_PROBLEM_BUSY};
        assert_int_equal(ipt_arena_new(64, limit, &arena), IPT_OK);
        bool ok = ipt_json_read_request(text, "", arena, &call, &problem);
        ipt_arena_free(arena);
        if (!ok && problem.code == IPT_PROBLEM_INTERNAL) {
            refused++;
            continue;
        }
        assert_int_equal(ok ? IPT_PROBLEM_BUSY : problem.code, code);
        assert_true(refused > 100);
        return;
    }
}

static void an_arena_at_its_limit_is_a_problem(void **state)
{
    (void)state;
    ipt_span text = exact(request);
    /* "\n" in a value: the request is refused, once everything before is read. */
    sweep_limits(text, IPT_PROBLEM_BAD_HEADER);
    free((void *)(uintptr_t)text.p);
}

static void an_arena_at_its_limit_reads_what_fits(void **state)
{
    (void)state;
    char plain[sizeof(request)];
    memcpy(plain, request, sizeof(request));
    memcpy(strstr(plain, "\\n"), "\\b", 2);
    ipt_span text = exact(plain);
    sweep_limits(text, IPT_PROBLEM_BUSY);
    free((void *)(uintptr_t)text.p);
}

/* Long strings with escapes make yajl's buffer grow; all of it must have been reserved. */
static void long_escaped_strings_need_no_luck(void **state)
{
    (void)state;
    for (size_t n = 1000; n < 70000; n = n * 3 / 2 + 1) {
        char *json = malloc(n + 64);
        assert_non_null(json);
        int begin = sprintf(json, "{\"peer\":\"\\\"");
        memset(json + begin, 'x', n);
        strcpy(json + begin + n, "\"}");
        ipt_span text = exact(json);
        ipt_call call;
        ipt_problem problem;
        /* The least limit that is enough for the reserve is enough for the rest but the string's own copy. */
        for (size_t limit = n;; limit += 64) {
            ipt_arena *arena;
            assert_int_equal(ipt_arena_new(64, limit, &arena), IPT_OK);
            bool ok = ipt_json_read_request(text, "", arena, &call, &problem);
            if (ok)
                assert_int_equal(call.request.peer.n, n + 1);
            else
                assert_int_equal(problem.code, IPT_PROBLEM_INTERNAL);
            ipt_arena_free(arena);
            if (ok)
                break;
        }
        free((void *)(uintptr_t)text.p);
        free(json);
    }
}

static void a_heap_that_fails_is_a_problem(void **state)
{
    (void)state;
    ipt_span text = exact(request);
    ipt_arena *arena;
    assert_int_equal(ipt_arena_new(64, 0, &arena), IPT_OK);
    for (size_t n = 1;; n++) {
        ipt_call call;
        ipt_problem problem;
        ipt_arena_reset(arena);
        failalloc_at(n);
        bool ok = ipt_json_read_request(text, "", arena, &call, &problem);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_false(ok);
        assert_int_equal(problem.code, happened ? IPT_PROBLEM_INTERNAL : IPT_PROBLEM_BAD_HEADER);
        if (!happened) {
            assert_true(n > 1);
            break;
        }
    }
    ipt_arena_free(arena);
    free((void *)(uintptr_t)text.p);
}

static void a_warm_arena_allocates_nothing(void **state)
{
    (void)state;
    ipt_span text = exact("{\"peer\":\"::1\",\"headers\":[[\"a\",\"b\\tc\"],[\"d\",{\"base64\":\"6Q==\"}]]}");
    ipt_arena *arena;
    assert_int_equal(ipt_arena_new(16384, 0, &arena), IPT_OK);
    failalloc_at(0);
    size_t before = failalloc_count();
    for (int i = 0; i < 3; i++) {
        ipt_call call;
        ipt_problem problem;
        ipt_arena_reset(arena);
        assert_true(ipt_json_read_request(text, "", arena, &call, &problem));
    }
    assert_int_equal(failalloc_count(), before);
    ipt_arena_free(arena);
    free((void *)(uintptr_t)text.p);
}

static void a_batch_without_memory_is_a_problem(void **state)
{
    (void)state;
    ipt_span text = exact("{\"requests\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}");
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16) {
        ipt_arena *arena;
        ipt_batch batch;
        ipt_problem problem;
        assert_int_equal(ipt_arena_new(64, limit, &arena), IPT_OK);
        bool ok = ipt_json_read_batch(text, 1000, arena, &batch, &problem);
        if (ok)
            assert_int_equal(batch.count, 20);
        else
            assert_int_equal(problem.code, IPT_PROBLEM_INTERNAL);
        ipt_arena_free(arena);
        if (ok)
            break;
        refused++;
    }
    assert_true(refused > 100);
    free((void *)(uintptr_t)text.p);
}

/* Its stack of states grows with the depth. */
static void a_deep_batch_needs_no_luck(void **state)
{
    enum { DEEP = 510 };
    (void)state;
    char json[2 * DEEP + 32] = "{\"requests\":[";
    size_t n = strlen(json);
    memset(json + n, '[', DEEP);
    memset(json + n + DEEP, ']', DEEP);
    memcpy(json + n + 2 * (size_t)DEEP, "]}", 3);
    ipt_span text = exact(json);
    for (size_t limit = 16;; limit += 16) {
        ipt_arena *arena;
        ipt_batch batch;
        ipt_problem problem;
        assert_int_equal(ipt_arena_new(64, limit, &arena), IPT_OK);
        bool ok = ipt_json_read_batch(text, 1, arena, &batch, &problem);
        if (!ok)
            assert_int_equal(problem.code, IPT_PROBLEM_INTERNAL);
        ipt_arena_free(arena);
        if (ok)
            break;
    }
    free((void *)(uintptr_t)text.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_at_its_limit_is_a_problem), cmocka_unit_test(an_arena_at_its_limit_reads_what_fits),
        cmocka_unit_test(long_escaped_strings_need_no_luck),  cmocka_unit_test(a_heap_that_fails_is_a_problem),
        cmocka_unit_test(a_warm_arena_allocates_nothing),     cmocka_unit_test(a_batch_without_memory_is_a_problem),
        cmocka_unit_test(a_deep_batch_needs_no_luck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
