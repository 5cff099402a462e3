/* Problems: names, statuses and the JSON of RFC 9457. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/codec/problem.h"

static void each_code_has_its_name_and_status(void **state)
{
    static const struct {
        ipt_problem_code code;
        const char *name;
        unsigned status;
    } rows[] = {
        {IPT_PROBLEM_INTERNAL, "internal", 500},
        {IPT_PROBLEM_BAD_REQUEST, "bad_request", 400},
        {IPT_PROBLEM_BAD_JSON, "bad_json", 400},
        {IPT_PROBLEM_UNKNOWN_KEY, "unknown_key", 400},
        {IPT_PROBLEM_DUPLICATE_KEY, "duplicate_key", 400},
        {IPT_PROBLEM_BAD_ENCODING, "bad_encoding", 400},
        {IPT_PROBLEM_TOO_DEEP, "too_deep", 400},
        {IPT_PROBLEM_TOO_LARGE, "too_large", 413},
        {IPT_PROBLEM_MISSING_PEER, "missing_peer", 400},
        {IPT_PROBLEM_BAD_HEADER, "bad_header", 400},
        {IPT_PROBLEM_AMBIGUOUS_HEADER, "ambiguous_header", 400},
        {IPT_PROBLEM_BAD_PROXY_PROTOCOL, "bad_proxy_protocol", 400},
        {IPT_PROBLEM_UNKNOWN_POLICY, "unknown_policy", 404},
        {IPT_PROBLEM_POLICY_NOT_SELECTABLE, "policy_not_selectable", 403},
        {IPT_PROBLEM_CALLER_NOT_ALLOWED, "caller_not_allowed", 403},
        {IPT_PROBLEM_PEER_UNKNOWN, "peer_unknown", 500},
        {IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415},
        {IPT_PROBLEM_NOT_FOUND, "not_found", 404},
        {IPT_PROBLEM_METHOD_NOT_ALLOWED, "method_not_allowed", 405},
        {IPT_PROBLEM_BUSY, "busy", 409},
        {IPT_PROBLEM_DRAINING, "draining", 503},
        {IPT_PROBLEM_OVERLOADED, "overloaded", 503},
        {IPT_PROBLEM_DEADLINE_EXCEEDED, "deadline_exceeded", 504},
        {IPT_PROBLEM_BAD_CONFIG, "bad_config", 422},
    };
    (void)state;
    assert_int_equal(IPT_COUNT(rows), IPT_PROBLEM_CODES);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        assert_int_equal(rows[i].code, i);
        assert_string_equal(ipt_problem_name(rows[i].code), rows[i].name);
        assert_int_equal(ipt_problem_status(rows[i].code), rows[i].status);
        assert_true(strlen(ipt_problem_title(rows[i].code)) > 10);
    }
}

static void a_code_outside_the_table_is_internal(void **state)
{
    (void)state;
    assert_string_equal(ipt_problem_name(IPT_PROBLEM_CODES), "internal");
    assert_int_equal(ipt_problem_status((ipt_problem_code)4000), 500);
}

static void write(const ipt_problem *problem, const char *id, const char *expected)
{
    ipt_buf out = {0};
    ipt_problem_write_json(&out, problem, ipt_span_from(id));
    assert_false(out.failed);
    ipt_buf_addc(&out, '\0');
    assert_string_equal(out.p, expected);
    ipt_buf_done(&out);
}

static void the_json_has_errors_and_request_id_only_when_there_are_any(void **state)
{
    (void)state;
    ipt_problem problem;
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, "", "at byte %d", 7);
    write(&problem, "",
          "{\"type\":\"urn:iptrust:problem:bad_json\",\"title\":\"The body is not a JSON object\",\"status\":400,"
          "\"detail\":\"at byte 7\",\"code\":\"bad_json\"}");
    ipt_problem_set(&problem, IPT_PROBLEM_UNKNOWN_KEY, "/a\"b", "no \"such\" key");
    write(&problem, "id-\"1\"",
          "{\"type\":\"urn:iptrust:problem:unknown_key\",\"title\":\"The request has a key that is not known\","
          "\"status\":400,\"detail\":\"no \\\"such\\\" key\",\"code\":\"unknown_key\","
          "\"errors\":[{\"pointer\":\"/a\\\"b\",\"detail\":\"no \\\"such\\\" key\"}],\"request_id\":\"id-\\\"1\\\"\"}");
}

static void detail_and_pointer_are_cut_and_detail_is_printable(void **state)
{
    (void)state;
    char longer[400];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    ipt_problem problem;
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, longer, "%s", longer);
    assert_int_equal(strlen(problem.detail), sizeof(problem.detail) - 1);
    assert_int_equal(strlen(problem.pointer), sizeof(problem.pointer) - 1);
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, NULL, "a\nb\xe9\x7f");
    assert_string_equal(problem.detail, "a?b??");
    assert_string_equal(problem.pointer, "");
    /* A pointer may be the problem's own. */
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, "/own", "x");
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, problem.pointer, "y");
    assert_string_equal(problem.pointer, "/own");
}

static void a_buffer_without_memory_says_so(void **state)
{
    (void)state;
    ipt_problem problem;
    ipt_problem_set(&problem, IPT_PROBLEM_BAD_JSON, "/x", "detail");
    for (size_t n = 1;; n++) {
        ipt_buf out = {0};
        failalloc_at(n);
        ipt_problem_write_json(&out, &problem, IPT_SPAN("id"));
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(out.failed, happened);
        ipt_buf_done(&out);
        if (!happened)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_has_its_name_and_status),
        cmocka_unit_test(a_code_outside_the_table_is_internal),
        cmocka_unit_test(the_json_has_errors_and_request_id_only_when_there_are_any),
        cmocka_unit_test(detail_and_pointer_are_cut_and_detail_is_printable),
        cmocka_unit_test(a_buffer_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
