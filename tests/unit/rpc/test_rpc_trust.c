/* iptrust.v1.TrustService, called with bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <iptrust/v1/iptrust.pb-c.h>

#include "failalloc.h"
#include "rpc_face.h"

#define SERVICE "/iptrust.v1.TrustService/"

typedef Iptrust__V1__Request request;

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static ProtobufCBinaryData bytes(const char *s)
{
    return (ProtobufCBinaryData){strlen(s), (uint8_t *)text(s)};
}

static request request_of(const char *peer)
{
    request r = IPTRUST__V1__REQUEST__INIT;
    r.peer_choice_case = IPTRUST__V1__REQUEST__PEER_CHOICE_PEER;
    r.peer = text(peer);
    return r;
}

/* NULL: the status says why. */
static Iptrust__V1__ResolveResponse *resolve(face *f, request *r)
{
    Iptrust__V1__ResolveRequest whole = IPTRUST__V1__RESOLVE_REQUEST__INIT;
    whole.request = r;
    return face_ask(f, SERVICE "Resolve", &whole.base, &iptrust__v1__resolve_response__descriptor);
}

static void a_decision_has_what_json_has(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    request r = request_of("10.0.12.1:443");
    Iptrust__V1__Header xff = IPTRUST__V1__HEADER__INIT, via = IPTRUST__V1__HEADER__INIT;
    Iptrust__V1__Header *headers[] = {&xff, &via};
    xff.name = text("X-Forwarded-For");
    xff.value = bytes(" unknown, 8.8.8.8:4711 ");
    via.name = text("Via");
    via.value = bytes("1.1 a\\b\xe9");
    r.headers = headers;
    r.n_headers = 2;
    r.request_id_choice_case = IPTRUST__V1__REQUEST__REQUEST_ID_CHOICE_REQUEST_ID;
    r.request_id = text("");
    Iptrust__V1__ResolveResponse *response = resolve(&f, &r);
    assert_non_null(response);
    const Iptrust__V1__Decision *d = response->decision;
    assert_string_equal(d->client_ip, "8.8.8.8");
    assert_int_equal(d->client_port_value_case, IPTRUST__V1__DECISION__CLIENT_PORT_VALUE_CLIENT_PORT);
    assert_int_equal(d->client_port, 4711);
    assert_true(d->complete);
    assert_string_equal(d->source, "x-forwarded-for");
    assert_string_equal(d->client->class_, "global");
    assert_int_equal(d->confidence->level, IPTRUST__V1__LEVEL__LEVEL_HIGH);
    assert_int_equal(d->confidence->score, 80);
    assert_int_equal(d->confidence->n_reasons, 2);
    assert_string_equal(d->confidence->reasons[0]->code, "walk_first_untrusted");
    assert_int_equal(d->confidence->reasons[0]->cap, IPTRUST__V1__LEVEL__LEVEL_HIGH);
    assert_string_equal(d->confidence->reasons[1]->code, "unvouched_entries");
    assert_int_equal(d->confidence->reasons[1]->cap, IPTRUST__V1__LEVEL__LEVEL_UNSPECIFIED);
    assert_int_equal(d->confidence->reasons[1]->count, 1);
    assert_int_equal(d->verdict->action, IPTRUST__V1__ACTION__ACTION_ALLOW);
    assert_string_equal(d->verdict->rule, "");
    assert_int_equal(d->n_chain, 3);
    assert_int_equal(d->chain[0]->verdict, IPTRUST__V1__VERDICT__VERDICT_TRUSTED);
    assert_string_equal(d->chain[0]->list, "lb");
    assert_string_equal(d->chain[0]->prefix, "10.0.12.0/24");
    assert_int_equal(d->chain[0]->line_value_case, IPTRUST__V1__HOP__LINE_VALUE__NOT_SET);
    assert_int_equal(d->chain[1]->verdict, IPTRUST__V1__VERDICT__VERDICT_CLIENT);
    assert_int_equal(d->chain[1]->index, 1);
    assert_string_equal(d->chain[2]->text, "unknown");
    assert_string_equal(d->forwarded->via[0], "1.1 a\\\\b\\xe9");
    assert_string_equal(d->findings[0]->code, "non_address_token");
    assert_string_equal(d->keys->rate_limit, "8.8.8.8/32");
    assert_string_equal(d->keys->peer, "10.0.12.1/32");
    assert_string_equal(d->policy, "default");
    assert_int_equal(d->request_id_value_case, IPTRUST__V1__DECISION__REQUEST_ID_VALUE_REQUEST_ID);
    assert_null(d->proxy_protocol);
    iptrust__v1__resolve_response__free_unpacked(response, NULL);
    face_close(&f);
}

static void a_proxy_header_comes_back_field_by_field(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    request r = request_of("10.0.12.1");
    r.proxy_protocol_choice_case = IPTRUST__V1__REQUEST__PROXY_PROTOCOL_CHOICE_PROXY_PROTOCOL;
    r.proxy_protocol = bytes("PROXY TCP4 8.8.8.8 10.0.0.1 0 443\r\n");
    Iptrust__V1__ResolveResponse *response = resolve(&f, &r);
    assert_non_null(response);
    const Iptrust__V1__ProxyProtocol *proxy = response->decision->proxy_protocol;
    assert_int_equal(proxy->version, 1);
    assert_string_equal(proxy->family, "inet");
    assert_string_equal(proxy->transport, "stream");
    assert_string_equal(proxy->source, "8.8.8.8");
    assert_int_equal(proxy->source_port_value_case, IPTRUST__V1__PROXY_PROTOCOL__SOURCE_PORT_VALUE_SOURCE_PORT);
    assert_int_equal(proxy->source_port, 0);
    assert_int_equal(proxy->alpn_value_case, IPTRUST__V1__PROXY_PROTOCOL__ALPN_VALUE__NOT_SET);
    iptrust__v1__resolve_response__free_unpacked(response, NULL);
    face_close(&f);
}

/* The field that the status blames. */
static void blamed(const ipt_status *status, char *out, size_t cap)
{
    Google__Rpc__Status *whole = google__rpc__status__unpack(NULL, status->details_n, status->details);
    assert_non_null(whole);
    assert_int_equal(whole->code, status->code);
    Google__Rpc__BadRequest *bad =
        google__rpc__bad_request__unpack(NULL, whole->details[0]->value.len, whole->details[0]->value.data);
    assert_non_null(bad);
    snprintf(out, cap, "%s", bad->field_violations[0]->field);
    google__rpc__bad_request__free_unpacked(bad, NULL);
    google__rpc__status__free_unpacked(whole, NULL);
}

static void bad_requests_name_code_and_field(void **state)
{
    static const struct {
        const char *peer, *name, *value, *policy, *request_id, *proxy;
        ipt_grpc_code code;
        const char *begins, *field;
    } rows[] = {
        {NULL, NULL, NULL, NULL, NULL, NULL, IPT_GRPC_INVALID_ARGUMENT, "missing_peer: ", "request.peer"},
        {"1.1.1.1", "", "x", NULL, NULL, NULL, IPT_GRPC_INVALID_ARGUMENT, "bad_header: ", "request.headers[0].name"},
        {"1.1.1.1", "a", "x\n", NULL, NULL, NULL, IPT_GRPC_INVALID_ARGUMENT,
         "bad_header: ", "request.headers[0].value"},
        {"1.1.1.1", NULL, NULL, "none", NULL, NULL, IPT_GRPC_NOT_FOUND, "unknown_policy: ", "request.policy"},
        {"1.1.1.1", NULL, NULL, "", NULL, NULL, IPT_GRPC_NOT_FOUND, "unknown_policy: ", "request.policy"},
        {"1.1.1.1", NULL, NULL, "closed", NULL, NULL, IPT_GRPC_PERMISSION_DENIED,
         "policy_not_selectable: ", "request.policy"},
        {"1.1.1.1", NULL, NULL, NULL, "a\x01", NULL, IPT_GRPC_INVALID_ARGUMENT, "bad_request: ", "request.request_id"},
        {"1.1.1.1", NULL, NULL, NULL, NULL, "", IPT_GRPC_INVALID_ARGUMENT,
         "bad_proxy_protocol: ", "request.proxy_protocol"},
    };
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char field[200];
        request r = request_of(rows[i].peer);
        Iptrust__V1__Header header = IPTRUST__V1__HEADER__INIT, *headers[] = {&header};
        if (rows[i].peer == NULL)
            r.peer_choice_case = IPTRUST__V1__REQUEST__PEER_CHOICE__NOT_SET;
        if (rows[i].name != NULL) {
            header.name = text(rows[i].name);
            header.value = bytes(rows[i].value);
            r.headers = headers;
            r.n_headers = 1;
        }
        if (rows[i].policy != NULL)
            r.policy_choice_case = IPTRUST__V1__REQUEST__POLICY_CHOICE_POLICY;
        r.policy = text(rows[i].policy);
        if (rows[i].request_id != NULL)
            r.request_id_choice_case = IPTRUST__V1__REQUEST__REQUEST_ID_CHOICE_REQUEST_ID;
        r.request_id = text(rows[i].request_id);
        if (rows[i].proxy != NULL) {
            r.proxy_protocol_choice_case = IPTRUST__V1__REQUEST__PROXY_PROTOCOL_CHOICE_PROXY_PROTOCOL;
            r.proxy_protocol = bytes(rows[i].proxy);
        }
        assert_null(resolve(&f, &r));
        assert_int_equal(f.call.status.code, rows[i].code);
        assert_memory_equal(f.call.status.message, rows[i].begins, strlen(rows[i].begins));
        blamed(&f.call.status, field, sizeof(field));
        assert_string_equal(field, rows[i].field);
    }
    assert_false(face_run(&f, SERVICE "Resolve", IPT_SPAN("\x0a\x05")));
    assert_int_equal(f.call.status.code, IPT_GRPC_INVALID_ARGUMENT);
    face_close(&f);
}

static void a_caller_of_class_unknown_gets_less_confidence(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    f.call.caller = (ipt_rpc_caller){.addr = ipt_addr_from_v4(0x08080404)};
    request r = request_of("8.8.4.4");
    Iptrust__V1__ResolveResponse *response = resolve(&f, &r);
    assert_non_null(response);
    assert_int_equal(response->decision->confidence->level, IPTRUST__V1__LEVEL__LEVEL_MEDIUM);
    iptrust__v1__resolve_response__free_unpacked(response, NULL);
    f.call.caller.verified = true;
    response = resolve(&f, &r);
    assert_non_null(response);
    assert_int_equal(response->decision->confidence->level, IPTRUST__V1__LEVEL__LEVEL_HIGH);
    iptrust__v1__resolve_response__free_unpacked(response, NULL);
    face_close(&f);
}

static void a_batch_answers_each_in_its_place(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    request good = request_of("8.8.8.8"), bad = request_of("");
    bad.peer_choice_case = IPTRUST__V1__REQUEST__PEER_CHOICE__NOT_SET;
    request *requests[] = {&good, &bad, &good};
    Iptrust__V1__ResolveBatchRequest batch = IPTRUST__V1__RESOLVE_BATCH_REQUEST__INIT;
    batch.n_requests = 3;
    batch.requests = requests;
    Iptrust__V1__ResolveBatchResponse *response =
        face_ask(&f, SERVICE "ResolveBatch", &batch.base, &iptrust__v1__resolve_batch_response__descriptor);
    assert_non_null(response);
    assert_int_equal(response->n_results, 3);
    assert_int_equal(response->results[0]->result_case, IPTRUST__V1__RESULT__RESULT_DECISION);
    assert_int_equal(response->results[1]->result_case, IPTRUST__V1__RESULT__RESULT_PROBLEM);
    assert_string_equal(response->results[1]->problem->code, "missing_peer");
    assert_string_equal(response->results[1]->problem->type, "urn:iptrust:problem:missing_peer");
    assert_string_equal(response->results[1]->problem->errors[0]->pointer, "/requests/1/peer");
    assert_string_equal(response->results[2]->decision->client_ip, "8.8.8.8");
    iptrust__v1__resolve_batch_response__free_unpacked(response, NULL);
    face_close(&f);
}

static void a_batch_has_an_end(void **state)
{
    enum { MAX = 1000 };
    face f;
    char many[2 * (MAX + 1)];
    (void)state;
    for (size_t i = 0; i < sizeof(many); i += 2) {
        many[i] = 0x0a;
        many[i + 1] = 0;
    }
    face_open(&f);
    assert_true(face_run(&f, SERVICE "ResolveBatch", (ipt_span){many, sizeof(many) - 2}));
    assert_false(face_run(&f, SERVICE "ResolveBatch", (ipt_span){many, sizeof(many)}));
    assert_int_equal(f.call.status.code, IPT_GRPC_RESOURCE_EXHAUSTED);
    face_close(&f);
}

static void a_message_has_an_end(void **state)
{
    enum { MAX = 1 << 20 };
    face f;
    char *many = calloc(1, MAX + 1);
    (void)state;
    assert_non_null(many);
    face_open(&f);
    assert_false(face_run(&f, SERVICE "Resolve", (ipt_span){many, MAX + 1}));
    assert_int_equal(f.call.status.code, IPT_GRPC_RESOURCE_EXHAUSTED);
    assert_false(face_run(&f, SERVICE "Resolve", (ipt_span){many, MAX}));
    assert_int_equal(f.call.status.code, IPT_GRPC_INVALID_ARGUMENT);
    face_close(&f);
    free(many);
}

static void a_stream_goes_on_behind_a_bad_request(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    for (unsigned i = 0; i < 3; i++) {
        request r = request_of("8.8.8.8");
        if (i == 1)
            r.peer_choice_case = IPTRUST__V1__REQUEST__PEER_CHOICE__NOT_SET;
        Iptrust__V1__ResolveStreamRequest whole = IPTRUST__V1__RESOLVE_STREAM_REQUEST__INIT;
        whole.request = &r;
        Iptrust__V1__ResolveStreamResponse *response =
            face_ask(&f, SERVICE "ResolveStream", &whole.base, &iptrust__v1__resolve_stream_response__descriptor);
        assert_non_null(response);
        assert_int_equal(response->result->result_case,
                         i == 1 ? IPTRUST__V1__RESULT__RESULT_PROBLEM : IPTRUST__V1__RESULT__RESULT_DECISION);
        iptrust__v1__resolve_stream_response__free_unpacked(response, NULL);
    }
    face_close(&f);
}

static void an_address_is_looked_up(void **state)
{
    face f;
    Iptrust__V1__LookupAddressRequest lookup = IPTRUST__V1__LOOKUP_ADDRESS_REQUEST__INIT;
    (void)state;
    face_open(&f);
    lookup.address = text("::ffff:10.0.12.7");
    Iptrust__V1__LookupAddressResponse *response =
        face_ask(&f, SERVICE "LookupAddress", &lookup.base, &iptrust__v1__lookup_address_response__descriptor);
    assert_non_null(response);
    assert_string_equal(response->address, "10.0.12.7");
    assert_string_equal(response->class_, "private");
    assert_int_equal(response->n_lists, 1);
    assert_string_equal(response->lists[0]->list, "lb");
    assert_string_equal(response->lists[0]->prefix, "10.0.12.0/24");
    iptrust__v1__lookup_address_response__free_unpacked(response, NULL);
    lookup.address = text("10.0.12.7:80");
    assert_false(face_send(&f, SERVICE "LookupAddress", &lookup.base));
    assert_int_equal(f.call.status.code, IPT_GRPC_INVALID_ARGUMENT);
    face_close(&f);
}

static void status_names_lists_to_trusted_callers_alone(void **state)
{
    face f;
    Iptrust__V1__GetStatusRequest whole = IPTRUST__V1__GET_STATUS_REQUEST__INIT;
    (void)state;
    face_open(&f);
    for (unsigned trusted = 0; trusted < 2; trusted++) {
        f.call.caller = (ipt_rpc_caller){.is_unix = trusted != 0, .addr = ipt_addr_from_v4(0x08080808)};
        if (trusted != 0)
            ipt_engine_drain(f.engine);
        Iptrust__V1__GetStatusResponse *response =
            face_ask(&f, SERVICE "GetStatus", &whole.base, &iptrust__v1__get_status_response__descriptor);
        assert_non_null(response);
        assert_int_equal(strlen(response->revision->policies), 8);
        assert_int_equal(response->ready, trusted == 0);
        assert_int_equal(response->n_lists, trusted != 0 ? 3 : 0);
        assert_int_equal(response->n_policies, trusted != 0 ? 6 : 0);
        iptrust__v1__get_status_response__free_unpacked(response, NULL);
    }
    face_close(&f);
}

/* Many hops, so that arenas have to grow. */
static size_t pack_large(uint8_t *out, size_t cap)
{
    static char value[4096];
    request r = request_of("10.0.12.1");
    Iptrust__V1__Header header = IPTRUST__V1__HEADER__INIT, *headers[64];
    Iptrust__V1__ResolveRequest whole = IPTRUST__V1__RESOLVE_REQUEST__INIT;
    for (size_t i = 0; i < sizeof(value) - 1; i += 2) {
        value[i] = 'x';
        value[i + 1] = ',';
    }
    header.name = text("x-forwarded-for");
    header.value = (ProtobufCBinaryData){sizeof(value) - 1, (uint8_t *)value};
    for (size_t i = 0; i < IPT_COUNT(headers); i++)
        headers[i] = &header;
    r.headers = headers;
    r.n_headers = IPT_COUNT(headers);
    whole.request = &r;
    size_t n = iptrust__v1__resolve_request__get_packed_size(&whole);
    assert_true(n <= cap);
    return iptrust__v1__resolve_request__pack(&whole, out);
}

static void every_allocation_may_fail(void **state)
{
    static uint8_t large[512 << 10];
    face f;
    bool done = false;
    size_t failed = 0;
    (void)state;
    face_open(&f);
    const ipt_method *method = ipt_method_find(IPT_SPAN(SERVICE "Resolve"));
    const ipt_span message = {(const char *)large, pack_large(large, sizeof(large))};
    for (size_t n = 1; !done; n++) {
        ipt_rpc *rpc = NULL;
        ipt_rpc_seat *seat = NULL;
        ipt_buf out = {0};
        failalloc_at(n);
        bool opened = ipt_rpc_new(f.engine, &rpc) == IPT_OK && ipt_rpc_seat_new(rpc, 0, &seat) == IPT_OK;
        ipt_rpc_call call = {.seat = seat, .caller = {.is_unix = true}};
        done = opened && ipt_method_run(method, &call, message, &out);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_true(done != happened);
        if (opened && !done)
            assert_int_equal(call.status.code, IPT_GRPC_INTERNAL);
        failed += happened;
        ipt_buf_done(&out);
        ipt_rpc_seat_free(seat);
        ipt_rpc_free(rpc);
    }
    assert_true(failed > 6); /* the objects, the arenas' growth, the answer */
    face_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_has_what_json_has),
        cmocka_unit_test(a_proxy_header_comes_back_field_by_field),
        cmocka_unit_test(bad_requests_name_code_and_field),
        cmocka_unit_test(a_caller_of_class_unknown_gets_less_confidence),
        cmocka_unit_test(a_batch_answers_each_in_its_place),
        cmocka_unit_test(a_batch_has_an_end),
        cmocka_unit_test(a_message_has_an_end),
        cmocka_unit_test(a_stream_goes_on_behind_a_bad_request),
        cmocka_unit_test(an_address_is_looked_up),
        cmocka_unit_test(status_names_lists_to_trusted_callers_alone),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
