/* Requests: what is read, and what is refused with which code and pointer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/codec/json.h"

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

static void is(ipt_span span, const char *text)
{
    if (span.n != strlen(text) || memcmp(span.p, text, span.n) != 0)
        fail_msg("\"%.*s\" is not \"%s\"", (int)span.n, span.p, text);
}

/* The caller frees text.p, which call borrows. */
static ipt_call accept(ipt_span text)
{
    ipt_call call;
    ipt_problem problem;
    ipt_arena_reset(arena);
    if (!ipt_json_read_request(text, "", arena, &call, &problem))
        fail_msg("%.*s: %s at %s: %s", (int)text.n, text.p, ipt_problem_name(problem.code), problem.pointer,
                 problem.detail);
    return call;
}

static void release(ipt_span text)
{
    free((void *)(uintptr_t)text.p);
}

static void refuse_below(const char *prefix, ipt_span shown, ipt_problem_code code, const char *pointer)
{
    ipt_span text = exact_n(shown.p, shown.n);
    ipt_call call, before;
    ipt_problem problem;
    ipt_arena_reset(arena);
    memset(&before, 0xa5, sizeof(before));
    memcpy(&call, &before, sizeof(call));
    if (ipt_json_read_request(text, prefix, arena, &call, &problem))
        fail_msg("%.*s: accepted", (int)text.n, text.p);
    if (problem.code != code || strcmp(problem.pointer, pointer) != 0)
        fail_msg("%.*s: %s at \"%s\" (%s), not %s at \"%s\"", (int)text.n, text.p, ipt_problem_name(problem.code),
                 problem.pointer, problem.detail, ipt_problem_name(code), pointer);
    assert_true(strlen(problem.detail) > 5);
    assert_memory_equal(&call, &before, sizeof(call)); /* untouched */
    release(text);
}

static void refuse(const char *text, ipt_problem_code code, const char *pointer)
{
    refuse_below("", ipt_span_from(text), code, pointer);
}

typedef struct row {
    const char *text, *pointer;
} row;

static void refuse_all(const row *rows, size_t n, ipt_problem_code code)
{
    for (size_t i = 0; i < n; i++)
        refuse(rows[i].text, code, rows[i].pointer);
}

/* ---- accepted ---- */

static void every_key_is_read(void **state)
{
    (void)state;
    ipt_span text =
        exact("{\"peer\":\"10.0.12.1:443\", \"headers\":[[\"X-Forwarded-For\",\"8.8.8.8\"],"
              "[\"X-Odd\",{\"base64\":\"6Q==\"}]],\"proxy_protocol\":\"UFJPWFk=\","
              "\"attributes\":{\"arg_realip\":\"1.1.1.1\",\"ARG_realip\":\"\"},\"policy\":\"cf\","
              "\"principal\":\"spiffe://x\",\"request_id\":\"r 1\",\"options\":{\"geo\":false,\"chain\":true}}");
    ipt_call call = accept(text);
    is(call.request.peer, "10.0.12.1:443");
    assert_int_equal(call.request.header_count, 2);
    is(call.request.headers[0].name, "X-Forwarded-For");
    is(call.request.headers[0].value, "8.8.8.8");
    is(call.request.headers[1].name, "X-Odd");
    is(call.request.headers[1].value, "\xe9");
    assert_true(call.request.has_proxy_protocol);
    is(call.request.proxy_protocol, "PROXY");
    assert_int_equal(call.request.attribute_count, 2);
    is(call.request.attributes[0].name, "arg_realip");
    is(call.request.attributes[0].value, "1.1.1.1");
    is(call.request.attributes[1].name, "ARG_realip");
    is(call.policy, "cf");
    is(call.request.principal, "spiffe://x");
    is(call.request_id, "r 1");
    assert_false(call.want_geo);
    assert_true(call.want_chain);
    assert_false(call.request.headers_merged);
    assert_int_equal(call.request.caller, IPT_CALLER_UNKNOWN);
    release(text);
}

static void what_is_absent_stays_zero_and_the_options_are_on(void **state)
{
    (void)state;
    ipt_span text = exact(" \t\r\n{\"peer\":\"unix\"}\n");
    ipt_call call = accept(text);
    is(call.request.peer, "unix");
    assert_null(call.policy.p);
    assert_null(call.request_id.p);
    assert_int_equal(call.request.header_count, 0);
    assert_int_equal(call.request.attribute_count, 0);
    assert_false(call.request.has_proxy_protocol);
    assert_int_equal(call.request.principal.n, 0);
    assert_true(call.want_geo);
    assert_true(call.want_chain);
    release(text);
}

static void strings_without_escapes_point_into_the_text(void **state)
{
    (void)state;
    ipt_span text = exact("{\"peer\":\"::1\",\"headers\":[[\"A\",\"plain\"],[\"B\",\"\\u0061\"]]}");
    ipt_call call = accept(text);
    assert_true(call.request.headers[0].value.p > text.p && call.request.headers[0].value.p < text.p + text.n);
    assert_false(call.request.headers[1].value.p >= text.p && call.request.headers[1].value.p < text.p + text.n);
    release(text);
}

/* Each row's first header value. */
static void header_values_are_read_as_they_stand(void **state)
{
    static const struct {
        const char *json, *value;
    } rows[] = {
        {"\"\"", ""},
        {"\" \\t 8.8.8.8\\t \"", "8.8.8.8"}, /* RFC 9110, 5.5 */
        {"\"a  b\"", "a  b"},
        {"\" \"", ""},
        {"\"\\\"\\\\\\/\\b\\f\\t.\"", "\"\\/\b\f\t."},
        {"\"\\u0001\\u001f\\u007f\"", "\x01\x1f\x7f"}, /* other control bytes pass */
        {"\"\\u00e9\\u20AC\\uD83D\\ude00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\xc3\xa9\xf0\x9f\x98\x80\"", "\xc3\xa9\xf0\x9f\x98\x80"},
        {"\"\\\\uD800\"", "\\uD800"}, /* a backslash, and no escape after it */
        {"{\"base64\":\"\"}", ""},
        {"{\"base64\":\"IDggCQ==\"}", "8"},
        {"{\"b\\u0061se64\":\"OA=\\u003d\"}", "8"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char json[256];
        snprintf(json, sizeof(json), "{\"peer\":\"::1\",\"headers\":[[\"N\",%s]]}", rows[i].json);
        ipt_span text = exact(json);
        ipt_call call = accept(text);
        is(call.request.headers[0].value, rows[i].value);
        release(text);
    }
}

static void a_map_of_headers_keeps_its_order_and_is_merged(void **state)
{
    (void)state;
    ipt_span text = exact("{\"headers\":{\"B\":\"1\",\"A\":[\"2\",\" 3 \"],\"C\":[],\"a-\":\"4\"},\"peer\":\"::1\"}");
    static const char *const expected[][2] = {{"B", "1"}, {"A", "2"}, {"A", "3"}, {"a-", "4"}};
    ipt_call call = accept(text);
    assert_true(call.request.headers_merged);
    assert_int_equal(call.request.header_count, IPT_COUNT(expected));
    for (size_t i = 0; i < IPT_COUNT(expected); i++) {
        is(call.request.headers[i].name, expected[i][0]);
        is(call.request.headers[i].value, expected[i][1]);
    }
    release(text);
}

static void empty_containers_are_fine(void **state)
{
    (void)state;
    ipt_span text = exact("{\"peer\":\"::1\",\"headers\":{},\"attributes\":{},\"options\":{}}");
    ipt_call call = accept(text);
    assert_true(call.request.headers_merged); /* a map is what the caller has, even when it is empty */
    release(text);
    text = exact("{\"peer\":\"::1\",\"headers\":[]}");
    call = accept(text);
    assert_false(call.request.headers_merged);
    release(text);
}

static void proxy_bytes_present_without_bytes_are_present(void **state)
{
    (void)state;
    ipt_span text = exact("{\"peer\":\"::1\",\"proxy_protocol\":\"\"}");
    ipt_call call = accept(text);
    assert_true(call.request.has_proxy_protocol);
    assert_int_equal(call.request.proxy_protocol.n, 0);
    release(text);
}

static void any_text_passes_as_peer(void **state)
{
    static const char *const rows[] = {"", " ", "nonsense", "1.2.3.4:0", "fe80::1%eth0"};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char json[64];
        snprintf(json, sizeof(json), "{\"peer\":\"%s\"}", rows[i]);
        ipt_span text = exact(json);
        ipt_call call = accept(text);
        is(call.request.peer, rows[i]);
        release(text);
    }
}

static void a_request_id_of_128_characters_is_the_longest(void **state)
{
    (void)state;
    char id[130], json[256];
    memset(id, '~', sizeof(id));
    id[128] = '\0';
    snprintf(json, sizeof(json), "{\"peer\":\"::1\",\"request_id\":\"%s\"}", id);
    ipt_span text = exact(json);
    ipt_call call = accept(text);
    is(call.request_id, id);
    release(text);
    id[128] = '~';
    id[129] = '\0';
    snprintf(json, sizeof(json), "{\"peer\":\"::1\",\"request_id\":\"%s\"}", id);
    refuse(json, IPT_PROBLEM_BAD_REQUEST, "/request_id");
}

/* Enough values to make the tape grow and enough keys for the sort. */
static void many_headers_are_read(void **state)
{
    enum { MANY = 3000 };
    (void)state;
    for (int map = 0; map < 2; map++) {
        char *json = malloc(64 + MANY * 24);
        assert_non_null(json);
        int n = sprintf(json, "{\"peer\":\"::1\",\"headers\":%c", map ? '{' : '[');
        for (int i = 0; i < MANY; i++)
            n += sprintf(json + n, map ? "%s\"n%d\":\"%d\"" : "%s[\"n%d\",\"%d\"]", i == 0 ? "" : ",", i, i);
        n += sprintf(json + n, map ? "}}" : "]}");
        ipt_span text = exact(json);
        ipt_call call = accept(text);
        assert_int_equal(call.request.header_count, MANY);
        for (int i = 0; i < MANY; i++) {
            char name[16];
            snprintf(name, sizeof(name), "n%d", i);
            is(call.request.headers[i].name, name);
            is(call.request.headers[i].value, name + 1);
        }
        release(text);
        free(json);
    }
}

/* ---- refused ---- */

static void what_is_not_one_json_object_is_bad_json(void **state)
{
    static const row rows[] = {
        {"", ""},
        {" ", ""},
        {"[]", ""},
        {"null", ""},
        {"\"{}\"", ""},
        {"5", ""},
        {"{", ""},
        {"}", ""},
        {"{\"peer\":\"::1\"", ""},
        {"{\"peer\":\"::1\"}}", ""},
        {"{\"peer\":\"::1\"} x", ""},
        {"{\"peer\":\"::1\"}{\"peer\":\"::1\"}", ""},
        {"{\"peer\":\"::1\"},{}", ""},
        {"{\"peer\":\"::1\",}", ""},
        {"{,\"peer\":\"::1\"}", ""},
        {"{\"peer\"}", ""},
        {"{\"peer\":}", ""},
        {"{peer:\"::1\"}", ""},
        {"{'peer':'::1'}", ""},
        {"{\"peer\":\"::1\" \"policy\":\"x\"}", ""},
        {"{\"peer\":\"::1\",\"headers\":[,]}", ""},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"b\"],]}", ""},
        {"{\"peer\":\"::1\",\"headers\":[}", ""},
        {"{\"peer\":\"::1\",\"options\":{\"geo\":TRUE}}", ""},
        {"{\"peer\":\"::1\",\"options\":{\"geo\":tru}}", ""},
        {"{\"peer\":01}", ""},
        {"{\"peer\":+1}", ""},
        {"{\"peer\":1.}", ""},
        {"{\"peer\":.5}", ""},
        {"{\"peer\":NaN}", ""},
        {"{\"peer\":0x10}", ""},
        {"{\"peer\":\"::1\" /* who */}", ""},
        {"// who\n{\"peer\":\"::1\"}", ""},
        {"{\"peer\":\"::1\"}//", ""},
        {"{\"peer\":\"a\\x41\"}", ""},
        {"{\"peer\":\"a\\u12\"}", ""},
        {"{\"peer\":\"a\\u12g4\"}", ""},
        {"{\"peer\":\"a\nb\"}", ""}, /* a raw control character in a string: RFC 8259, 7 */
        {"{\"peer\":\"a\rb\"}", ""},
        {"{\"peer\":\"a\tb\"}", ""},
        {"{\"peer\":\"\x01\"}", ""},
        {"{\v\"peer\":\"::1\"}", ""}, /* white space is SP, HTAB, LF, CR: RFC 8259, 2 */
        {"{\f\"peer\":\"::1\"}", ""},
        {"\xef\xbb\xbf{\"peer\":\"::1\"}", ""}, /* no byte order mark: RFC 8259, 8.1 */
        {"{\"peer\":\"::1}", ""},
        {"{\"peer\":\"::1\\\"}", ""},
        {"{\"peer\":\"::1\\\\\\\"}", ""},
        {"\\{\"peer\":\"::1\"}", ""},
        {"{\"foo\":1,\"foo\":2,\"peer\":5", ""}, /* goes before what the text would mean */
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_BAD_JSON);
    refuse_below("", (ipt_span){"{\"peer\":\"\0\"}", 12}, IPT_PROBLEM_BAD_JSON, "");
    refuse_below("", (ipt_span){"{\"peer\":\"::1\"}\0", 15}, IPT_PROBLEM_BAD_JSON, "");
}

static void a_syntax_error_says_where(void **state)
{
    (void)state;
    ipt_call call;
    ipt_problem problem;
    ipt_span text = exact("{\"peer\":\"::1\",\n \"x\" 5}");
    assert_false(ipt_json_read_request(text, "", arena, &call, &problem));
    assert_non_null(strstr(problem.detail, "line 2, column"));
    release(text);
}

static void a_key_that_stands_twice_is_refused_at_every_level(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"::1\",\"peer\":\"::1\"}", "/peer"},
        {"{\"peer\":\"::1\",\"p\\u0065er\":\"::2\"}", "/peer"}, /* after unescaping */
        {"{\"peer\":\"::1\",\"headers\":[],\"headers\":[]}", "/headers"},
        {"{\"peer\":\"::1\",\"headers\":{\"A\":\"1\",\"b\":\"2\",\"A\":\"3\"}}", "/headers/A"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"b\"],[\"A\",{\"base64\":\"\",\"base64\":\"\"}]]}",
         "/headers/1/1/base64"},
        {"{\"peer\":\"::1\",\"attributes\":{\"x\":\"1\",\"x\":\"1\"}}", "/attributes/x"},
        {"{\"peer\":\"::1\",\"options\":{\"geo\":true,\"geo\":true}}", "/options/geo"},
        {"{\"x\":1,\"x\":2}", "/x"}, /* before unknown keys */
        {"{\"peer\":\"::1\",\"headers\":[{\"a/b~\":{\"c\":1,\"c\":1}}]}", "/headers/0/a~1b~0/c"},
        {"{\"\":1,\"\":2}", "/"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_DUPLICATE_KEY);
}

/* More keys than are compared each with each; the twins stand anywhere. */
static void twins_are_found_among_many_keys(void **state)
{
    enum { MANY = 100 };
    (void)state;
    for (int twin = 0; twin < MANY - 1; twin += 7) {
        for (int upper = 0; upper < 2; upper++) {
            char json[MANY * 12 + 64], pointer[32];
            int n = sprintf(json, "{\"peer\":\"::1\",\"headers\":{");
            for (int i = 0; i < MANY; i++)
                n += sprintf(json + n, "\"k%d\":\"\",", i);
            sprintf(json + n, "\"%c%d\":\"\"}}", upper ? 'K' : 'k', twin);
            snprintf(pointer, sizeof(pointer), "/headers/%c%d", upper ? 'K' : 'k', twin);
            refuse(json, upper ? IPT_PROBLEM_AMBIGUOUS_HEADER : IPT_PROBLEM_DUPLICATE_KEY, pointer);
        }
    }
}

static void unknown_keys_are_refused_at_every_level(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"::1\",\"foo\":1}", "/foo"},
        {"{\"Peer\":\"::1\"}", "/Peer"},
        {"{\"peer\":\"::1\",\"\":1}", "/"},
        {"{\"peer\":\"::1\",\"peers\":1}", "/peers"},
        {"{\"peer\":\"::1\",\"pee\":1}", "/pee"},
        {"{\"peer\":\"::1\",\"caller\":\"trusted\"}", "/caller"},
        {"{\"peer\":\"::1\",\"headers_merged\":true}", "/headers_merged"},
        {"{\"peer\":\"::1\",\"options\":{\"geo\":true,\"geos\":true}}", "/options/geos"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"base64\":\"\",\"hex\":\"\"}]]}", "/headers/0/1/hex"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"Base64\":\"\"}]]}", "/headers/0/1/Base64"},
        {"{\"peer\":\"::1\",\"\\u00e9\":1}", "/\xc3\xa9"},
        {"{\"peer\":\"::1\",\"a\\u0000b\":1}", ""}, /* no C string holds that pointer */
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_UNKNOWN_KEY);
}

static void what_is_not_utf8_is_bad_encoding(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"\xe9\"}", ""},
        {"{\"peer\":\"\xc0\xaf\"}", ""},         /* overlong */
        {"{\"peer\":\"\xe0\x80\xaf\"}", ""},     /* overlong */
        {"{\"peer\":\"\xed\xa0\x80\"}", ""},     /* a surrogate */
        {"{\"peer\":\"\xf4\x90\x80\x80\"}", ""}, /* above U+10FFFF */
        {"{\"peer\":\"\xe2\x82\"}", ""},
        {"{\"\xff\":\"::1\"}", ""},
        {"{\"peer\":\"::1\"}\xe9", ""},
        {"{\"peer\":\"\\ud800\"}", ""},
        {"{\"peer\":\"\\uDFFF\"}", ""},
        {"{\"peer\":\"\\udc00\\ud800\"}", ""},
        {"{\"peer\":\"\\ud800\\ud800\\udc00\"}", ""},
        {"{\"peer\":\"\\ud800x\"}", ""},
        {"{\"peer\":\"\\ud800\\n\"}", ""},
        {"{\"peer\":\"\\ud800\\u0041\"}", ""},
        {"{\"\\ud83d\":\"::1\"}", ""},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_BAD_ENCODING);
}

static void base64_that_is_not_canonical_is_bad_encoding(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"::1\",\"proxy_protocol\":\"6Q\"}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"proxy_protocol\":\"6R==\"}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"proxy_protocol\":\"6Q==\\n\"}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"proxy_protocol\":\"_-8=\"}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"base64\":\"6Q=\"}]]}", "/headers/0/1/base64"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_BAD_ENCODING);
}

/* An object with `arrays` arrays in one another. */
static const char *nested(char *json, int arrays)
{
    int n = sprintf(json, "{\"headers\":");
    for (int i = 0; i < arrays; i++)
        json[n++] = '[';
    for (int i = 0; i < arrays; i++)
        json[n++] = ']';
    json[n++] = '}';
    json[n] = '\0';
    return json;
}

static void depth_over_16_is_too_deep(void **state)
{
    (void)state;
    char json[5000];
    static const char *const pointer = "/headers/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0";
    refuse(nested(json, 15), IPT_PROBLEM_BAD_REQUEST, "/headers/0"); /* 16 levels: judged by what it means */
    refuse(nested(json, 16), IPT_PROBLEM_TOO_DEEP, pointer);
    refuse(nested(json, 17), IPT_PROBLEM_TOO_DEEP, pointer);
    refuse(nested(json, 2000), IPT_PROBLEM_TOO_DEEP, pointer);
    refuse("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
           "\"a\":"
           "{}}}}}}}}}}}}}}}}}",
           IPT_PROBLEM_TOO_DEEP, "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a");
}

static void a_request_without_a_peer_is_refused(void **state)
{
    static const row rows[] = {
        {"{}", ""},
        {"{\"headers\":[[\"X-Forwarded-For\",\"8.8.8.8\"]]}", ""},
        {"{\"peer\":null}", "/peer"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_MISSING_PEER);
}

static void what_http_cannot_carry_is_a_bad_header(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"::1\",\"headers\":[[\"\",\"x\"]]}", "/headers/0/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"b\"],[\"a\\u0000\",\"x\"]]}", "/headers/1/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\\r\",\"x\"]]}", "/headers/0/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\\nb\",\"x\"]]}", "/headers/0/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"x\\u0000\"]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"x\\u000d\\u000aY: z\"]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"\\n\"]]}",
         "/headers/0/1"}, /* at an end, too: trimming is for SP and HTAB */
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"base64\":\"AA==\"}]]}", "/headers/0/1/base64"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"base64\":\"YQpi\"}]]}", "/headers/0/1/base64"},
        {"{\"peer\":\"::1\",\"headers\":{\"\":\"x\"}}", "/headers/"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\\n\":\"x\"}}", "/headers/a\n"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":[\"1\",\"x\\r\"]}}", "/headers/a/1"},
        {"{\"peer\":\"::1\",\"attributes\":{\"a\":\"\\u0000\"}}", "/attributes/a"},
        {"{\"peer\":\"::1\",\"attributes\":{\"\":\"\"}}", "/attributes/"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_BAD_HEADER);
}

static void header_keys_that_differ_only_in_case_are_ambiguous(void **state)
{
    static const row rows[] = {
        {"{\"peer\":\"::1\",\"headers\":{\"X-Forwarded-For\":\"1\",\"x-forwarded-for\":\"2\"}}",
         "/headers/x-forwarded-for"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":\"1\",\"b\":\"2\",\"A\":[]}}", "/headers/A"},
        {"{\"peer\":\"::1\",\"headers\":{\"\\u0061\":5,\"A\":5}}", "/headers/A"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_AMBIGUOUS_HEADER);
}

static void wrong_types_are_bad_requests(void **state)
{
    static const row rows[] = {
        {"{\"peer\":5}", "/peer"},
        {"{\"peer\":[\"::1\"]}", "/peer"},
        {"{\"peer\":{}}", "/peer"},
        {"{\"peer\":true}", "/peer"},
        {"{\"peer\":\"::1\",\"headers\":\"a\"}", "/headers"},
        {"{\"peer\":\"::1\",\"headers\":null}", "/headers"}, /* null is no way to leave a key out */
        {"{\"peer\":\"::1\",\"headers\":[\"a\"]}", "/headers/0"},
        {"{\"peer\":\"::1\",\"headers\":[[]]}", "/headers/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\"]]}", "/headers/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",\"b\"],[\"a\",\"b\",\"c\"]]}", "/headers/1"},
        {"{\"peer\":\"::1\",\"headers\":[{\"a\":\"b\"}]}", "/headers/0"},
        {"{\"peer\":\"::1\",\"headers\":[[5,\"b\"]]}", "/headers/0/0"},
        {"{\"peer\":\"::1\",\"headers\":[[[\"a\"],\"b\"]]}", "/headers/0/0"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",5]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",null]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",[\"b\"]]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{}]]}", "/headers/0/1"},
        {"{\"peer\":\"::1\",\"headers\":[[\"a\",{\"base64\":5}]]}", "/headers/0/1/base64"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":5}}", "/headers/a"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":{\"base64\":\"\"}}}", "/headers/a"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":[\"b\",[\"c\"]]}}", "/headers/a/1"},
        {"{\"peer\":\"::1\",\"headers\":{\"a\":[null]}}", "/headers/a/0"},
        {"{\"peer\":\"::1\",\"proxy_protocol\":5}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"proxy_protocol\":null}", "/proxy_protocol"},
        {"{\"peer\":\"::1\",\"attributes\":[]}", "/attributes"},
        {"{\"peer\":\"::1\",\"attributes\":{\"a\":[\"b\"]}}", "/attributes/a"},
        {"{\"peer\":\"::1\",\"policy\":null}", "/policy"},
        {"{\"peer\":\"::1\",\"policy\":5}", "/policy"},
        {"{\"peer\":\"::1\",\"principal\":[]}", "/principal"},
        {"{\"peer\":\"::1\",\"request_id\":17}", "/request_id"},
        {"{\"peer\":\"::1\",\"request_id\":\"a\\nb\"}", "/request_id"},
        {"{\"peer\":\"::1\",\"request_id\":\"\xc3\xa9\"}", "/request_id"},
        {"{\"peer\":\"::1\",\"request_id\":\"\\u007f\"}", "/request_id"},
        {"{\"peer\":\"::1\",\"options\":true}", "/options"},
        {"{\"peer\":\"::1\",\"options\":{\"geo\":1}}", "/options/geo"},
        {"{\"peer\":\"::1\",\"options\":{\"chain\":\"true\"}}", "/options/chain"},
        {"{\"peer\":\"::1\",\"options\":{\"chain\":null}}", "/options/chain"},
    };
    (void)state;
    refuse_all(rows, IPT_COUNT(rows), IPT_PROBLEM_BAD_REQUEST);
}

static void pointers_begin_with_the_prefix(void **state)
{
    (void)state;
    refuse_below("/requests/3", IPT_SPAN("{\"peer\":\"::1\",\"foo\":1}"), IPT_PROBLEM_UNKNOWN_KEY, "/requests/3/foo");
    refuse_below("/requests/3", IPT_SPAN("{}"), IPT_PROBLEM_MISSING_PEER, "/requests/3");
    refuse_below("/requests/3", IPT_SPAN("null"), IPT_PROBLEM_BAD_JSON, "/requests/3");
    refuse_below("/requests/3", IPT_SPAN("{\"a\":\"\xe9\"}"), IPT_PROBLEM_BAD_ENCODING, "/requests/3");
}

static void a_pointer_that_does_not_fit_ends_at_an_ancestor(void **state)
{
    (void)state;
    char json[300], key[200];
    memset(key, 'k', sizeof(key));
    for (size_t n = 90; n < 125; n++) {
        char pointer[200];
        snprintf(json, sizeof(json), "{\"peer\":\"::1\",\"headers\":{\"%.*s\":5}}", (int)n, key);
        snprintf(pointer, sizeof(pointer), "/headers/%.*s", (int)n, key);
        refuse(json, IPT_PROBLEM_BAD_REQUEST,
               strlen(pointer) < sizeof(((ipt_problem *)0)->pointer) ? pointer : "/headers");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_absent_stays_zero_and_the_options_are_on),
        cmocka_unit_test(strings_without_escapes_point_into_the_text),
        cmocka_unit_test(header_values_are_read_as_they_stand),
        cmocka_unit_test(a_map_of_headers_keeps_its_order_and_is_merged),
        cmocka_unit_test(empty_containers_are_fine),
        cmocka_unit_test(proxy_bytes_present_without_bytes_are_present),
        cmocka_unit_test(any_text_passes_as_peer),
        cmocka_unit_test(a_request_id_of_128_characters_is_the_longest),
        cmocka_unit_test(many_headers_are_read),
        cmocka_unit_test(what_is_not_one_json_object_is_bad_json),
        cmocka_unit_test(a_syntax_error_says_where),
        cmocka_unit_test(a_key_that_stands_twice_is_refused_at_every_level),
        cmocka_unit_test(twins_are_found_among_many_keys),
        cmocka_unit_test(unknown_keys_are_refused_at_every_level),
        cmocka_unit_test(what_is_not_utf8_is_bad_encoding),
        cmocka_unit_test(base64_that_is_not_canonical_is_bad_encoding),
        cmocka_unit_test(depth_over_16_is_too_deep),
        cmocka_unit_test(a_request_without_a_peer_is_refused),
        cmocka_unit_test(what_http_cannot_carry_is_a_bad_header),
        cmocka_unit_test(header_keys_that_differ_only_in_case_are_ambiguous),
        cmocka_unit_test(wrong_types_are_bad_requests),
        cmocka_unit_test(pointers_begin_with_the_prefix),
        cmocka_unit_test(a_pointer_that_does_not_fit_ends_at_an_ancestor),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
