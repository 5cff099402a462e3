/* etcd's gateway: what is asked, and what its answers are taken for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/central/etcd.h"

#define HEADER "\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"revision\":\"9\",\"raft_term\":\"3\"}"

static void questions_are_json_with_base64(void **state)
{
    ipt_auto(ipt_buf) out = {0};
    (void)state;
    ipt_etcd_write_range(&out, IPT_SPAN("/trust"));
    ipt_etcd_write_watch(&out, IPT_SPAN("k"), 9);
    ipt_etcd_write_login(&out, IPT_SPAN("u\"\\"), IPT_SPAN("p\n"));
    assert_true(
        ipt_span_equal(ipt_buf_span(&out), IPT_SPAN("{\"key\":\"L3RydXN0\"}"
                                                    "{\"create_request\":{\"key\":\"aw==\",\"start_revision\":\"10\"}}"
                                                    "{\"name\":\"u\\u0022\\u005c\",\"password\":\"p\\u000a\"}")));
}

static void answers_to_a_range(void **state)
{
    static const struct {
        const char *json;
        ipt_etcd_result result;
        const char *value;
    } rows[] = {
        {"{" HEADER ",\"kvs\":[{\"key\":\"aw==\",\"mod_revision\":\"4\",\"value\":\"Zm9v\"}],\"count\":\"1\"}",
         IPT_ETCD_VALUE, "foo"},
        {"{" HEADER ",\"kvs\":[{\"key\":\"aw==\",\"value\":\"Zg==\"}]}", IPT_ETCD_VALUE, "f"},
        {"{" HEADER ",\"kvs\":[{\"key\":\"aw==\"}]}", IPT_ETCD_VALUE, ""},
        {"{" HEADER "}", IPT_ETCD_ABSENT, NULL},
        {"{" HEADER ",\"kvs\":[]}", IPT_ETCD_ABSENT, NULL},
        {"{\"kvs\":[{\"value\":\"Zm9v\"}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[{\"value\":\"Zm9v\"},{\"value\":\"Zm9v\"}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[{\"value\":\"Zh==\"}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[{\"value\":\"Zm9\"}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[{\"value\":\"Zm 9\"}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[{\"value\":7}]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":[7]}", IPT_ETCD_BROKEN, NULL},
        {"{" HEADER ",\"kvs\":{}}", IPT_ETCD_BROKEN, NULL},
        {"{\"header\":{\"revision\":9}}", IPT_ETCD_BROKEN, NULL},
        {"{\"header\":\"x\"}", IPT_ETCD_BROKEN, NULL},
        {"{\"error\":\"etcdserver: no leader\",\"code\":14}", IPT_ETCD_BROKEN, NULL},
        {"", IPT_ETCD_BROKEN, NULL},
        {"<html>", IPT_ETCD_BROKEN, NULL},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_arena) *arena = NULL;
        ipt_span json = exact(rows[i].json), value = {NULL, 0};
        uint64_t revision = 0;
        assert_int_equal(ipt_arena_new(4096, 0, &arena), IPT_OK);
        assert_int_equal(ipt_etcd_read_range(json, arena, &revision, &value), rows[i].result);
        if (rows[i].value != NULL)
            assert_true(ipt_span_equal(value, ipt_span_from(rows[i].value)));
        assert_int_equal(revision, rows[i].result == IPT_ETCD_VALUE || rows[i].result == IPT_ETCD_ABSENT ? 9 : 0);
        free((void *)(uintptr_t)json.p);
    }
}

static void a_watch_speaks_when_more_than_its_begin_has_come(void **state)
{
    static const struct {
        const char *body;
        bool speaks;
    } rows[] = {
        {"", false},
        {"{\"result\":{\"header\":{},\"created\":true}}", false},
        {"{\"result\":{\"header\":{},\"created\":true}}\n", false},
        {"{\"result\":{\"header\":{},\"created\":true}}\n{", true},
        {"{\"result\":{\"header\":{},\"events\":[]}}\n", true},
        {"{\"result\":{\"created\":true,\"canceled\":true,\"compact_revision\":\"5\"}}\n", true},
        {"{\"result\":{\"created\":true,\"events\":[]}}\n", true},
        {"{\"error\":{\"grpc_code\":16}}\n", true},
        {"not json\n", true},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span body = exact(rows[i].body);
        assert_int_equal(ipt_etcd_watch_speaks(body), rows[i].speaks);
        free((void *)(uintptr_t)body.p);
    }
}

static void a_token_is_a_string_with_something_in_it(void **state)
{
    static const struct {
        const char *json, *token;
    } rows[] = {{"{" HEADER ",\"token\":\"abc.7\"}", "abc.7"},
                {"{" HEADER ",\"token\":\"\"}", NULL},
                {"{" HEADER ",\"token\":7}", NULL},
                {"{" HEADER "}", NULL},
                {"{\"error\":\"x\"}", NULL},
                {"x", NULL}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_arena) *arena = NULL;
        ipt_span json = exact(rows[i].json), token = {NULL, 0};
        assert_int_equal(ipt_arena_new(4096, 0, &arena), IPT_OK);
        assert_int_equal(ipt_etcd_read_token(json, arena, &token), rows[i].token != NULL);
        if (rows[i].token != NULL)
            assert_true(ipt_span_equal(token, ipt_span_from(rows[i].token)));
        free((void *)(uintptr_t)json.p);
    }
}

static void without_memory_a_range_says_so(void **state)
{
    static const char json[] = "{" HEADER ",\"kvs\":[{\"key\":\"aw==\",\"value\":\"Zm9v\"}]}";
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_arena *arena = NULL;
        ipt_span value;
        uint64_t revision;
        failalloc_at(n);
        ipt_etcd_result result = IPT_ETCD_NO_MEMORY;
        if (ipt_arena_new(64, 0, &arena) == IPT_OK)
            result = ipt_etcd_read_range(IPT_SPAN(json), arena, &revision, &value);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(result, failed ? IPT_ETCD_NO_MEMORY : IPT_ETCD_VALUE);
        ipt_arena_free(arena);
        if (!failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_json_with_base64),
        cmocka_unit_test(answers_to_a_range),
        cmocka_unit_test(a_watch_speaks_when_more_than_its_begin_has_come),
        cmocka_unit_test(a_token_is_a_string_with_something_in_it),
        cmocka_unit_test(without_memory_a_range_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
