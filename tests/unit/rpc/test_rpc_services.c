/* The table of methods, statuses, health and reflection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>

#include "failalloc.h"
#include "rpc_face.h"

#define HEALTH     "/grpc.health.v1.Health/"
#define REFLECTION "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"

enum { SERVING = 1, NOT_SERVING = 2, SERVICE_UNKNOWN = 3 };

static void methods_are_found_by_their_path(void **state)
{
    size_t count;
    const ipt_method *methods = ipt_methods(&count);
    (void)state;
    assert_int_equal(count, 11);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(ipt_method_find(ipt_span_from(methods[i].path)), &methods[i]);
    assert_null(ipt_method_find(IPT_SPAN("/iptrust.v1.TrustService/resolve")));
    assert_null(ipt_method_find(IPT_SPAN("/envoy.service.auth.v2.Authorization/Check")));
    assert_null(ipt_method_find(IPT_SPAN("")));
}

static void no_problem_is_ok_or_unknown(void **state)
{
    (void)state;
    for (unsigned code = 0; code < IPT_PROBLEM_CODES + 1; code++) {
        ipt_grpc_code grpc = ipt_grpc_code_of((ipt_problem_code)code);
        assert_true(grpc > 2 && grpc <= IPT_GRPC_UNAVAILABLE);
    }
    assert_int_equal(ipt_grpc_code_of(IPT_PROBLEM_UNKNOWN_POLICY), IPT_GRPC_NOT_FOUND);
    assert_int_equal(ipt_grpc_code_of(IPT_PROBLEM_TOO_LARGE), IPT_GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(ipt_grpc_code_of(IPT_PROBLEM_DRAINING), IPT_GRPC_UNAVAILABLE);
}

static void the_field_to_blame_is_in_the_details(void **state)
{
    static const struct {
        const char *root, *pointer, *field;
    } rows[] = {
        {"request", "/peer", "request.peer"},
        {"request", "/headers/12/value", "request.headers[12].value"},
        {"", "/requests/3/peer", "requests[3].peer"},
        {"", "/address", "address"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_problem problem;
        ipt_status status;
        ipt_problem_set(&problem, IPT_PROBLEM_MISSING_PEER, rows[i].pointer, "what is wrong");
        ipt_status_set(&status, &problem, rows[i].root);
        assert_string_equal(status.message, "missing_peer: what is wrong");
        Google__Rpc__Status *whole = google__rpc__status__unpack(NULL, status.details_n, status.details);
        assert_non_null(whole);
        assert_int_equal(whole->code, IPT_GRPC_INVALID_ARGUMENT);
        assert_int_equal(whole->n_details, 1);
        assert_string_equal(whole->details[0]->type_url, "type.googleapis.com/google.rpc.BadRequest");
        Google__Rpc__BadRequest *bad =
            google__rpc__bad_request__unpack(NULL, whole->details[0]->value.len, whole->details[0]->value.data);
        assert_non_null(bad);
        assert_string_equal(bad->field_violations[0]->field, rows[i].field);
        assert_string_equal(bad->field_violations[0]->description, "what is wrong");
        google__rpc__bad_request__free_unpacked(bad, NULL);
        google__rpc__status__free_unpacked(whole, NULL);
    }
}

/* The state, or -1 for a status. */
static int health(face *f, const char *path, const char *service)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    request.service = (char *)(uintptr_t)service;
    Grpc__Health__V1__HealthCheckResponse *response =
        face_ask(f, path, &request.base, &grpc__health__v1__health_check_response__descriptor);
    int state = response == NULL ? -1 : (int)response->status;
    if (response != NULL)
        grpc__health__v1__health_check_response__free_unpacked(response, NULL);
    return state;
}

static void health_follows_the_daemon(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    assert_int_equal(health(&f, HEALTH "Check", ""), SERVING);
    assert_int_equal(health(&f, HEALTH "Check", "iptrust.v1.TrustService"), SERVING);
    assert_int_equal(health(&f, HEALTH "Check", "envoy.service.auth.v3.Authorization"), SERVING);
    assert_int_equal(health(&f, HEALTH "Check", "nobody.v1.Nothing"), -1);
    assert_int_equal(f.call.status.code, IPT_GRPC_NOT_FOUND);
    ipt_engine_drain(f.engine);
    assert_int_equal(health(&f, HEALTH "Check", ""), NOT_SERVING);
    face_close(&f);
}

static void every_service_is_listed_with_its_health(void **state)
{
    face f;
    Grpc__Health__V1__HealthListRequest request = GRPC__HEALTH__V1__HEALTH_LIST_REQUEST__INIT;
    (void)state;
    face_open(&f);
    Grpc__Health__V1__HealthListResponse *list =
        face_ask(&f, HEALTH "List", &request.base, &grpc__health__v1__health_list_response__descriptor);
    assert_non_null(list);
    assert_int_equal(list->n_statuses, 6);
    for (size_t i = 0; i < list->n_statuses; i++)
        assert_int_equal(list->statuses[i]->value->status, SERVING);
    grpc__health__v1__health_list_response__free_unpacked(list, NULL);
    face_close(&f);
}

static void a_watch_tells_changes_and_nothing_else(void **state)
{
    face f;
    (void)state;
    face_open(&f);
    assert_int_equal(health(&f, HEALTH "Watch", "iptrust.v1.TrustService"), SERVING);
    ipt_buf_reset(&f.out);
    assert_false(ipt_method_watch(&f.call, &f.out));
    ipt_engine_drain(f.engine);
    assert_true(ipt_method_watch(&f.call, &f.out));
    assert_true(ipt_span_equal(ipt_buf_span(&f.out), IPT_SPAN("\x08\x02")));
    assert_false(ipt_method_watch(&f.call, &f.out));
    assert_int_equal(health(&f, HEALTH "Watch", "nobody.v1.Nothing"), SERVICE_UNKNOWN);
    ipt_buf_reset(&f.out);
    assert_false(ipt_method_watch(&f.call, &f.out));
    face_close(&f);
}

typedef Grpc__Reflection__V1__ServerReflectionRequest question;
typedef Grpc__Reflection__V1__ServerReflectionResponse reply;

static reply *reflect(face *f, const question *request)
{
    reply *response =
        face_ask(f, REFLECTION, &request->base, &grpc__reflection__v1__server_reflection_response__descriptor);
    assert_non_null(response);
    assert_non_null(response->original_request);
    return response;
}

static void reflection_lists_what_is_served(void **state)
{
    static const char *const names[] = {"envoy.service.auth.v3.Authorization", "grpc.health.v1.Health",
                                        "grpc.reflection.v1.ServerReflection",
                                        "grpc.reflection.v1alpha.ServerReflection", "iptrust.v1.TrustService"};
    face f;
    question request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    (void)state;
    face_open(&f);
    request.message_request_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
    request.list_services = (char *)(uintptr_t) "*";
    reply *response = reflect(&f, &request);
    assert_int_equal(response->message_response_case,
                     GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE);
    assert_int_equal(response->list_services_response->n_service, IPT_COUNT(names));
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        bool found = false;
        for (size_t k = 0; k < IPT_COUNT(names); k++)
            found = found || strcmp(response->list_services_response->service[k]->name, names[i]) == 0;
        assert_true(found);
    }
    grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
    face_close(&f);
}

/* The name of the file that declares a symbol, NULL when there is none. The name stands first in a descriptor. */
static bool is_declared_in(face *f, const char *symbol, const char *file)
{
    question request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
    request.message_request_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    request.file_containing_symbol = (char *)(uintptr_t)symbol;
    reply *response = reflect(f, &request);
    bool found = false;
    if (response->message_response_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE) {
        ProtobufCBinaryData bytes = response->file_descriptor_response->file_descriptor_proto[0];
        found = file != NULL && bytes.len > 2 + strlen(file) && memcmp(bytes.data + 2, file, strlen(file)) == 0;
    } else {
        found = file == NULL && response->error_response->error_code == IPT_GRPC_NOT_FOUND;
    }
    grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
    return found;
}

static void symbols_are_found_where_they_are_declared(void **state)
{
    static const struct {
        const char *symbol, *file;
    } rows[] = {
        {"iptrust.v1.TrustService", "iptrust/v1/iptrust.proto"},
        {"iptrust.v1.TrustService.Resolve", "iptrust/v1/iptrust.proto"},
        {"iptrust.v1.Decision", "iptrust/v1/iptrust.proto"},
        {"iptrust.v1.Decision.client_ip", "iptrust/v1/iptrust.proto"},
        {"iptrust.v1.Level", "iptrust/v1/iptrust.proto"},
        {"envoy.service.auth.v3.AttributeContext.HttpRequest", "envoy/service/auth/v3/attribute_context.proto"},
        {"google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"},
        {"google.protobuf.Struct", "google/protobuf/struct.proto"},
        {"iptrust.v1.TrustService.Nothing", NULL},
        {"iptrust.v1.Decisio", NULL},
        {"iptrust.v1", NULL},
        {"iptrust.v1xDecision", NULL},
        {"iptrust.v1.Decision.client_ip.more", NULL},
        {"", NULL},
    };
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_true(is_declared_in(&f, rows[i].symbol, rows[i].file));
    face_close(&f);
}

static void every_import_can_be_had(void **state)
{
    static const char *const files[] = {"google/protobuf/any.proto",
                                        "google/protobuf/struct.proto",
                                        "google/protobuf/timestamp.proto",
                                        "google/protobuf/wrappers.proto",
                                        "google/rpc/status.proto",
                                        "envoy/config/core/v3/base.proto",
                                        "envoy/config/core/v3/address.proto",
                                        "envoy/type/v3/http_status.proto",
                                        "grpc/reflection/v1alpha/reflection.proto"};
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i <= IPT_COUNT(files); i++) {
        question request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
        request.message_request_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME;
        request.file_by_filename = (char *)(uintptr_t)(i < IPT_COUNT(files) ? files[i] : "no/such.proto");
        reply *response = reflect(&f, &request);
        assert_int_equal(
            response->message_response_case,
            i < IPT_COUNT(files)
                ? GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE
                : GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE);
        grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
    }
    face_close(&f);
}

/* Every method, with a message that it answers. */
static void every_allocation_may_fail(void **state)
{
    static const struct {
        const char *path;
        ipt_span message;
    } rows[] = {
        {HEALTH "Check", {"", 0}},
        {HEALTH "List", {"", 0}},
        {HEALTH "Watch", {"", 0}},
        {REFLECTION, {"\x3a\x01*", 3}},
        {REFLECTION, {"\x1a\x18iptrust/v1/iptrust.proto", 26}},
        {"/iptrust.v1.TrustService/GetStatus", {"", 0}},
        {"/iptrust.v1.TrustService/LookupAddress", {"\x0a\x03::1", 5}},
        {"/iptrust.v1.TrustService/ResolveBatch", {"\x0a\x06\x0a\x04unix\x0a\x00", 10}},
        {"/iptrust.v1.TrustService/ResolveStream", {"\x0a\x06\x0a\x04unix", 8}},
    };
    face f;
    (void)state;
    face_open(&f);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        bool done = false;
        for (size_t n = 1; !done; n++) {
            ipt_rpc_seat *seat = NULL;
            ipt_buf out = {0};
            failalloc_at(n);
            bool opened = ipt_rpc_seat_new(f.rpc, 0, &seat) == IPT_OK;
            ipt_rpc_call call = {.seat = seat, .caller = {.is_unix = true}};
            done = opened && ipt_method_run(ipt_method_find(ipt_span_from(rows[i].path)), &call, rows[i].message, &out);
            bool happened = failalloc_happened();
            failalloc_at(0);
            assert_true(done != happened);
            assert_true(!opened || done || call.status.code == IPT_GRPC_INTERNAL);
            ipt_buf_done(&out);
            ipt_rpc_seat_free(seat);
        }
    }
    face_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_found_by_their_path),
        cmocka_unit_test(no_problem_is_ok_or_unknown),
        cmocka_unit_test(the_field_to_blame_is_in_the_details),
        cmocka_unit_test(health_follows_the_daemon),
        cmocka_unit_test(every_service_is_listed_with_its_health),
        cmocka_unit_test(a_watch_tells_changes_and_nothing_else),
        cmocka_unit_test(reflection_lists_what_is_served),
        cmocka_unit_test(symbols_are_found_where_they_are_declared),
        cmocka_unit_test(every_import_can_be_had),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
