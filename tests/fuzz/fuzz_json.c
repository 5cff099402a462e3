/* Requests as JSON. Whatever is accepted obeys the rules of the contract, reads the same when it is read again, is
 * refused once a key stands twice, and comes back as JSON that reads the same. What a batch is cut into reads as its
 * text reads alone, problems included. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/codec/json.h"
#include "iptrust/json/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static ipt_arena *arena_new(void)
{
    ipt_arena *arena;
    must(ipt_arena_new(4096, 0, &arena) == IPT_OK);
    return arena;
}

static void check_field(ipt_span text)
{
    for (size_t i = 0; i < text.n; i++)
        must(text.p[i] != '\0' && text.p[i] != '\r' && text.p[i] != '\n');
}

static void check_headers(const ipt_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        must(headers[i].name.n != 0);
        check_field(headers[i].name);
        check_field(headers[i].value);
        must(ipt_span_equal(ipt_span_trim(headers[i].value), headers[i].value));
    }
}

static void check_rules(const ipt_call *call)
{
    must(call->request.peer.p != NULL);
    must(call->request.caller == IPT_CALLER_UNKNOWN);
    must(!call->request.http_parser_lax && !call->request.peer_header_forged && !call->request.policy_not_selectable);
    must(call->request_id.n <= 128);
    for (size_t i = 0; i < call->request_id.n; i++)
        must(call->request_id.p[i] >= 0x20 && call->request_id.p[i] <= 0x7e);
    check_headers(call->request.headers, call->request.header_count);
    check_headers(call->request.attributes, call->request.attribute_count);
}

static bool same_headers(const ipt_header *a, size_t count, const ipt_header *b, size_t other)
{
    bool same = count == other;
    for (size_t i = 0; i < count && same; i++)
        same = ipt_span_equal(a[i].name, b[i].name) && ipt_span_equal(a[i].value, b[i].value);
    return same;
}

static bool same(const ipt_call *a, const ipt_call *b)
{
    const ipt_request *x = &a->request, *y = &b->request;
    return ipt_span_equal(x->peer, y->peer) && ipt_span_equal(x->principal, y->principal) &&
           same_headers(x->headers, x->header_count, y->headers, y->header_count) &&
           same_headers(x->attributes, x->attribute_count, y->attributes, y->attribute_count) &&
           x->has_proxy_protocol == y->has_proxy_protocol && ipt_span_equal(x->proxy_protocol, y->proxy_protocol) &&
           x->headers_merged == y->headers_merged && ipt_span_equal(a->policy, b->policy) &&
           (a->policy.p == NULL) == (b->policy.p == NULL) && ipt_span_equal(a->request_id, b->request_id) &&
           a->want_geo == b->want_geo && a->want_chain == b->want_chain;
}

/* Reads from a heap copy, so that nothing can depend on what stands around the text. */
static bool read_copy(ipt_span text, ipt_arena *arena, ipt_call *call, ipt_problem *problem, char **copy)
{
    *copy = malloc(text.n == 0 ? 1 : text.n);
    must(*copy != NULL);
    if (text.n != 0)
        memcpy(*copy, text.p, text.n);
    return ipt_json_read_request((ipt_span){*copy, text.n}, "", arena, call, problem);
}

static void check_same_again(ipt_span text, const ipt_call *first)
{
    ipt_arena *arena = arena_new();
    ipt_call again;
    ipt_problem problem;
    char *copy;
    must(read_copy(text, arena, &again, &problem, &copy));
    must(same(first, &again));
    free(copy);
    ipt_arena_free(arena);
}

/* The text with one more member in front. */
static void check_refused_with(ipt_span text, const char *member, ipt_problem_code code)
{
    ipt_arena *arena = arena_new();
    ipt_buf more = {0};
    ipt_call call;
    ipt_problem problem;
    char *copy;
    const char *brace = memchr(text.p, '{', text.n);
    must(brace != NULL);
    ipt_buf_adds(&more, "{");
    ipt_buf_adds(&more, member);
    ipt_buf_addc(&more, ',');
    ipt_buf_add(&more, (ipt_span){brace + 1, text.n - (size_t)(brace + 1 - text.p)});
    must(!read_copy(ipt_buf_span(&more), arena, &call, &problem, &copy));
    must(problem.code == code);
    free(copy);
    ipt_buf_done(&more);
    ipt_arena_free(arena);
}

static void write_request(ipt_buf *out, const ipt_call *call)
{
    ipt_buf_adds(out, "{\"peer\":");
    ipt_json_write_string(out, call->request.peer);
    ipt_buf_adds(out, ",\"headers\":[");
    for (size_t i = 0; i < call->request.header_count; i++) {
        ipt_buf_adds(out, i == 0 ? "[" : ",[");
        ipt_json_write_string(out, call->request.headers[i].name);
        ipt_buf_addc(out, ',');
        ipt_json_write_string(out, call->request.headers[i].value);
        ipt_buf_addc(out, ']');
    }
    ipt_buf_adds(out, "]}");
}

/* What the writer of strings makes of the strings read is JSON, and says the same, bytes that are not UTF-8 apart. */
static void check_round_trip(const ipt_call *call)
{
    ipt_arena *arena = arena_new();
    ipt_buf out = {0};
    ipt_call again;
    ipt_problem problem;
    write_request(&out, call);
    must(!out.failed);
    must(ipt_json_read_request(ipt_buf_span(&out), "", arena, &again, &problem));
    must(again.request.header_count == call->request.header_count);
    must(ipt_span_equal(again.request.peer, call->request.peer));
    for (size_t i = 0; i < call->request.header_count; i++) {
        ipt_span value = call->request.headers[i].value;
        must(ipt_span_equal(again.request.headers[i].name, call->request.headers[i].name));
        must(!ipt_span_is_utf8(value) || ipt_span_equal(again.request.headers[i].value, value));
    }
    ipt_buf_done(&out);
    ipt_arena_free(arena);
}

static void check_problem(const ipt_problem *problem)
{
    must(ipt_problem_status(problem->code) == 400); /* not 500: memory was there */
    must(problem->detail[0] != '\0');
    must(problem->pointer[0] == '\0' || problem->pointer[0] == '/');
    must(ipt_span_is_utf8(ipt_span_from(problem->pointer)));
}

static void check_request(ipt_span text)
{
    ipt_arena *arena = arena_new();
    ipt_call call;
    ipt_problem problem;
    if (ipt_json_read_request(text, "", arena, &call, &problem)) {
        check_rules(&call);
        must(ipt_span_is_utf8(text));
        check_same_again(text, &call);
        check_refused_with(text, "\"peer\":\"::1\"", IPT_PROBLEM_DUPLICATE_KEY);
        check_refused_with(text, "\"p\\u0065er\":\"::1\"", IPT_PROBLEM_DUPLICATE_KEY);
        check_refused_with(text, "\"pear\":\"::1\"", IPT_PROBLEM_UNKNOWN_KEY);
        check_round_trip(&call);
    } else {
        check_problem(&problem);
    }
    ipt_arena_free(arena);
}

/* Under any limit of memory the text is read, refused, or refused for the lack of it. */
static void check_with_little_memory(ipt_span text)
{
    ipt_arena *arena;
    ipt_call call;
    ipt_batch batch;
    ipt_problem problem;
    for (size_t i = 0, limit = 1024 + text.n * 7 % 512; i < 8; i++, limit += 400) {
        must(ipt_arena_new(64, limit, &arena) == IPT_OK);
        must(ipt_json_read_request(text, "", arena, &call, &problem) || ipt_problem_status(problem.code) == 400 ||
             problem.code == IPT_PROBLEM_INTERNAL);
        ipt_arena_reset(arena);
        must(ipt_json_read_batch(text, 3, arena, &batch, &problem) || ipt_problem_status(problem.code) != 503);
        ipt_arena_free(arena);
    }
}

/* Two ways to the same answer. */
static void check_part(const ipt_batch *batch, size_t at)
{
    ipt_arena *arena = arena_new();
    ipt_call cut, alone;
    ipt_problem why_cut, why_alone;
    char *copy;
    bool ok = ipt_batch_read(batch, at, "/requests/7", arena, &cut, &why_cut);
    bool ok_alone = read_copy(batch->requests[at].text, arena, &alone, &why_alone, &copy);
    must(ok == ok_alone);
    if (ok) {
        must(same(&cut, &alone));
    } else {
        must(why_cut.code == why_alone.code && strcmp(why_cut.detail, why_alone.detail) == 0);
        must(strncmp(why_cut.pointer, "/requests/7", 11) == 0);
        size_t n = strlen(why_cut.pointer + 11); /* the longer prefix may leave less room */
        must(strncmp(why_cut.pointer + 11, why_alone.pointer, n) == 0);
    }
    free(copy);
    ipt_arena_free(arena);
}

static void check_batch(ipt_span text)
{
    enum { MOST = 100 };
    ipt_arena *arena = arena_new();
    ipt_batch batch;
    ipt_problem problem;
    if (ipt_json_read_batch(text, MOST, arena, &batch, &problem)) {
        must(batch.count <= MOST);
        for (size_t i = 0; i < batch.count; i++) {
            ipt_span request = batch.requests[i].text;
            must(request.n != 0);
            /* It stands in the text, or for something that is no object. */
            must((request.p >= text.p && request.p + request.n <= text.p + text.n) ||
                 ipt_span_equal(request, IPT_SPAN("null")));
            check_request(request);
            check_part(&batch, i);
        }
    } else {
        must(ipt_problem_status(problem.code) == 400 || problem.code == IPT_PROBLEM_TOO_LARGE);
    }
    ipt_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ipt_span text = {(const char *)data, size};
    check_request(text);
    check_batch(text);
    check_with_little_memory(text);
    return 0;
}
