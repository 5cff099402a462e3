/* Batches: cut into the texts of their requests, and what is wrong with the batch itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/codec/json.h"
#include "iptrust/json/split.h"

static ipt_arena *arena;

static int set_up(void **state)
{
    (void)state;
    return ipt_arena_new(1024, 0, &arena) == IPT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ipt_arena_free(arena);
    return 0;
}

/* Requests, each followed by a bar. */
static void splits(const char *json, const char *expected)
{
    ipt_span text = exact(json);
    ipt_batch batch;
    ipt_problem problem;
    ipt_buf out = {0};
    ipt_arena_reset(arena);
    if (!ipt_json_read_batch(text, 8, arena, &batch, &problem))
        fail_msg("%s: %s at %s: %s", json, ipt_problem_name(problem.code), problem.pointer, problem.detail);
    for (size_t i = 0; i < batch.count; i++) {
        ipt_buf_add(&out, batch.requests[i].text);
        ipt_buf_addc(&out, '|');
    }
    ipt_buf_addc(&out, '\0');
    assert_string_equal(out.p, expected);
    ipt_buf_done(&out);
    free((void *)(uintptr_t)text.p);
}

static void a_batch_is_cut_into_its_requests(void **state)
{
    static const char *const rows[][2] = {
        {"{\"requests\":[]}", ""},
        {" { \"requests\" : [ {\"a\" : 1} , { } ] } ", "{\"a\" : 1}|{ }|"},
        {"{\"requests\":[{\"a\":{\"b\":[{}]}},{}]}", "{\"a\":{\"b\":[{}]}}|{}|"},
        {"{\"requests\":[{\"a\":\"}]{[\\\"\"},{}]}", "{\"a\":\"}]{[\\\"\"}|{}|"},
        {"{\"re\\u0071uests\":[{}]}", "{}|"},
        {"{\"requests\":[{\"x\":1,\"x\":2},{\"\xe9\":\"\\ud800\"},{}]}",
         "{\"x\":1,\"x\":2}|{\"\xe9\":\"\\ud800\"}|{}|"},
        /* what is no object is refused in its place, and a string is not looked into */
        {"{\"requests\":[5,\"{}\",null,true,[{}],{}]}", "null|null|null|null|[{}]|{}|"},
        {"{\"requests\":[{\"requests\":[{}]}]}", "{\"requests\":[{}]}|"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        splits(rows[i][0], rows[i][1]);
}

/* The only request of a batch reads as it does alone: code and pointer, or accepted. */
static void reads_as_alone(const char *json)
{
    ipt_buf whole = {0};
    ipt_batch batch;
    ipt_call call, alone_call;
    ipt_problem problem = {.code = IPT_PROBLEM_BUSY}, alone = problem;
    ipt_arena_reset(arena);
    ipt_buf_adds(&whole, "{\"requests\":[");
    ipt_buf_adds(&whole, json);
    ipt_buf_adds(&whole, "]}");
    ipt_span text = exact_n(whole.p, whole.n), text_alone = exact(json);
    if (!ipt_json_read_batch(text, 1, arena, &batch, &problem))
        fail_msg("%s: %s", json, problem.detail);
    bool ok = ipt_batch_read(&batch, 0, "/requests/0", arena, &call, &problem);
    bool ok_alone = ipt_json_read_request(text_alone, "/requests/0", arena, &alone_call, &alone);
    if (ok != ok_alone || problem.code != alone.code || strcmp(problem.pointer, alone.pointer) != 0 ||
        strcmp(problem.detail, alone.detail) != 0)
        fail_msg("%s: %d %s at %s (%s), alone %d %s at %s (%s)", json, ok, ipt_problem_name(problem.code),
                 problem.pointer, problem.detail, ok_alone, ipt_problem_name(alone.code), alone.pointer, alone.detail);
    if (ok) {
        assert_int_equal(call.request.header_count, alone_call.request.header_count);
        assert_true(ipt_span_equal(call.request.peer, alone_call.request.peer));
    }
    ipt_buf_done(&whole);
    free((void *)(uintptr_t)text.p);
    free((void *)(uintptr_t)text_alone.p);
}

static void a_request_of_a_batch_reads_as_it_does_alone(void **state)
{
    static const char *const rows[] = {
        "{\"peer\":\"::1\"}",
        "{\"peer\":\"\\u003a:1\",\"headers\":[[\"a\",\"b\"],[\"c\",\"\\t\"]]}",
        "{\"headers\":{\"a\":[\"1\",\"2\"]},\"peer\":\"unix\"}",
        "{}",
        "[{}]",
        "{\"peer\":1}",
        "{\"peer\":\"::1\",\"peer\":\"::1\"}",
        "{\"peer\":\"::1\",\"options\":{\"geo\":true,\"g\\u0065o\":true}}",
        "{\"peer\":\"\\ud800\"}",
        "{\"peer\":\"\xe9\"}",
        "{\"peer\":\"::1\",\"more\":1}",
        "{\"headers\":[[\"a\",\"b\"],[\"c\",5]],\"peer\":\"::1\"}",
        "{\"headers\":[[\"a\",\"\\n\"]],\"peer\":\"::1\"}",
        "{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", /* 16 levels */
        "{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",
        "{\"a\":1,\"b\":[0,{\"c\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]],[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}]}",
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        reads_as_alone(rows[i]);
}

/* What lies before a request is no part of it. */
static void requests_of_a_batch_keep_apart(void **state)
{
    (void)state;
    ipt_span text = exact("{\"requests\":[1,{\"peer\":\"::1\"},[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]],\"\xe9\",{\"peer\":"
                          "\"::2\",\"x\":[{}]},"
                          "{\"headers\":[[\"a\",\"\\\"b\\\"\"]],\"peer\":\"::3\"}]}");
    static const char *const expected[] = {"bad_json", "::1", "bad_json", "bad_json", "unknown_key", "::3"};
    ipt_batch batch;
    ipt_problem problem;
    ipt_arena_reset(arena);
    assert_true(ipt_json_read_batch(text, 6, arena, &batch, &problem));
    assert_int_equal(batch.count, IPT_COUNT(expected));
    for (size_t i = 0; i < batch.count; i++) {
        ipt_call call;
        bool ok = ipt_batch_read(&batch, i, "", arena, &call, &problem);
        ipt_span said = ok ? call.request.peer : ipt_span_from(ipt_problem_name(problem.code));
        if (!ipt_span_equal(said, ipt_span_from(expected[i])))
            fail_msg("request %zu: %.*s", i, (int)said.n, said.p);
    }
    free((void *)(uintptr_t)text.p);
}

static void refuse(const char *json, ipt_problem_code code, const char *pointer)
{
    ipt_span text = exact(json);
    ipt_batch batch = {NULL, 77};
    ipt_problem problem;
    ipt_arena_reset(arena);
    if (ipt_json_read_batch(text, 2, arena, &batch, &problem))
        fail_msg("%s: accepted", json);
    if (problem.code != code || strcmp(problem.pointer, pointer) != 0)
        fail_msg("%s: %s at \"%s\" (%s)", json, ipt_problem_name(problem.code), problem.pointer, problem.detail);
    assert_int_equal(batch.count, 77); /* untouched */
    free((void *)(uintptr_t)text.p);
}

static void a_bad_batch_is_refused_whole(void **state)
{
    static const struct {
        const char *json;
        ipt_problem_code code;
        const char *pointer;
    } rows[] = {
        {"", IPT_PROBLEM_BAD_JSON, ""},
        {"[]", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{}]", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{}}", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{},]}", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{\"a\"}]}", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{}]} {}", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"requests\":[{\"a\":\"\v\"}]}", IPT_PROBLEM_BAD_JSON, ""},
        {"{\"more\":1,\"requests\":[{}}", IPT_PROBLEM_BAD_JSON, ""}, /* syntax goes before meaning */
        {"{}", IPT_PROBLEM_BAD_REQUEST, ""},
        {"{\"requests\":{}}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":\"x\"}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":null}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":7}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":false}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":{\"a\":[[1]]}}", IPT_PROBLEM_BAD_REQUEST, "/requests"},
        {"{\"requests\":[{}],\"options\":{}}", IPT_PROBLEM_UNKNOWN_KEY, ""},
        {"{\"more\":1,\"requests\":7}", IPT_PROBLEM_UNKNOWN_KEY, ""}, /* the first of two */
        {"{\"Requests\":[{}]}", IPT_PROBLEM_UNKNOWN_KEY, ""},
        {"{\"peer\":\"::1\"}", IPT_PROBLEM_UNKNOWN_KEY, ""},
        {"{\"requests\":[],\"requests\":[]}", IPT_PROBLEM_DUPLICATE_KEY, "/requests"},
        {"{\"requests\":[],\"\\u0072equests\":[{}]}", IPT_PROBLEM_DUPLICATE_KEY, "/requests"},
        {"{\"requests\":[{},{},{}]}", IPT_PROBLEM_TOO_LARGE, "/requests"},
        {"{\"requests\":[1,2,3]}", IPT_PROBLEM_TOO_LARGE, "/requests"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        refuse(rows[i].json, rows[i].code, rows[i].pointer);
}

/* {"requests":[X]} where X has that many levels. */
static char *batch_of_depth(size_t levels)
{
    static const char begin[] = "{\"requests\":[";
    char *json = malloc(sizeof(begin) + 2 * levels + 2);
    assert_non_null(json);
    size_t n = sizeof(begin) - 1;
    memcpy(json, begin, n);
    memset(json + n, '[', levels);
    memset(json + n + levels, ']', levels);
    memcpy(json + n + 2 * levels, "]}", 3);
    return json;
}

static void a_deep_request_is_its_own_problem_up_to_a_point(void **state)
{
    (void)state;
    static const size_t fine[] = {17, 126, 127, 254, 255, 510}, deep[] = {511, 512, 100000};
    for (size_t i = 0; i < IPT_COUNT(fine); i++) {
        char *json = batch_of_depth(fine[i]);
        ipt_span text = exact(json);
        ipt_batch batch;
        ipt_problem problem;
        ipt_arena_reset(arena);
        assert_true(ipt_json_read_batch(text, 1, arena, &batch, &problem));
        assert_int_equal(batch.count, 1);
        assert_int_equal(batch.requests[0].text.n, 2 * fine[i]);
        free((void *)(uintptr_t)text.p);
        free(json);
    }
    for (size_t i = 0; i < IPT_COUNT(deep); i++) {
        char *json = batch_of_depth(deep[i]);
        refuse(json, IPT_PROBLEM_TOO_DEEP, "");
        free(json);
    }
}

static void as_many_requests_as_the_limit_are_read(void **state)
{
    enum { MANY = 1000 };
    (void)state;
    char *json = malloc(MANY * 16 + 32);
    assert_non_null(json);
    for (int more = 0; more < 2; more++) {
        int n = sprintf(json, "{\"requests\":[");
        for (int i = 0; i < MANY + more; i++)
            n += sprintf(json + n, "%s{\"i\":%d}", i == 0 ? "" : ",", i);
        sprintf(json + n, "]}");
        ipt_span text = exact(json);
        ipt_batch batch;
        ipt_problem problem;
        ipt_arena_reset(arena);
        assert_int_equal(ipt_json_read_batch(text, MANY, arena, &batch, &problem), !more);
        if (more)
            assert_int_equal(problem.code, IPT_PROBLEM_TOO_LARGE);
        for (int i = 0; i < MANY && !more; i++) {
            char expected[16];
            int length = snprintf(expected, sizeof(expected), "{\"i\":%d}", i);
            assert_int_equal(batch.requests[i].text.n, length);
            assert_memory_equal(batch.requests[i].text.p, expected, (size_t)length);
        }
        free((void *)(uintptr_t)text.p);
    }
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_cut_into_its_requests),
        cmocka_unit_test(a_request_of_a_batch_reads_as_it_does_alone),
        cmocka_unit_test(requests_of_a_batch_keep_apart),
        cmocka_unit_test(a_bad_batch_is_refused_whole),
        cmocka_unit_test(a_deep_request_is_its_own_problem_up_to_a_point),
        cmocka_unit_test(as_many_requests_as_the_limit_are_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
