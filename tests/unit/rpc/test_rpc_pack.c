/* Packing in one pass: the same bytes as protobuf-c's own, and every message that we answer with is of kinds that it
 * knows. Whole answers are held against the library's packing by face_ask in the other tests and by fuzz_rpc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <envoy/service/auth/v3/external_auth.pb-c.h>
#include <google/protobuf/struct.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>
#include <iptrust/v1/iptrust.pb-c.h>

#include "failalloc.h"
#include "rpc_priv.h"

static void same_as_the_library(const ProtobufCMessage *message)
{
    ipt_buf ours = {0};
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *theirs = malloc(n + 1);
    assert_non_null(theirs);
    assert_int_equal(protobuf_c_message_pack(message, theirs), n);
    assert_true(rpc_pack(message, &ours));
    assert_int_equal(ours.n, n);
    if (n != 0)
        assert_memory_equal(ours.p, theirs, n);
    ipt_buf_done(&ours);
    free(theirs);
}

static void lengths_of_every_width(void **state)
{
    static char text[70000];
    (void)state;
    for (size_t n = 0; n < sizeof(text); n = n < 300 ? n + 1 : n * 3 / 2) {
        memset(text, 'x', n);
        text[n] = '\0';
        Iptrust__V1__Decision decision = IPTRUST__V1__DECISION__INIT;
        Iptrust__V1__Client client = IPTRUST__V1__CLIENT__INIT;
        Iptrust__V1__ResolveResponse response = IPTRUST__V1__RESOLVE_RESPONSE__INIT;
        char *lists[] = {text, text, text};
        client.class_ = text;
        client.lists = lists;
        client.n_lists = n % 4 == 0 ? 3 : 1;
        decision.client = &client;
        response.decision = &decision;
        same_as_the_library(&response.base);
    }
}

static void values_that_read_as_absent(void **state)
{
    static const double numbers[] = {0.0, -0.0, 1.0, 3320.0, 4294967295.0, -1.5};
    static char empty[] = "";
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(numbers); i++) {
        Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
        value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        value.number_value = numbers[i];
        same_as_the_library(&value.base);
    }
    for (uint32_t port = 0; port < 2; port++) {
        Iptrust__V1__Hop hop = IPTRUST__V1__HOP__INIT;
        hop.port_value_case = IPTRUST__V1__HOP__PORT_VALUE_PORT; /* said to be 0, which is not absent */
        hop.port = port;
        hop.text_value_case = IPTRUST__V1__HOP__TEXT_VALUE_TEXT;
        hop.text = empty;
        same_as_the_library(&hop.base);
    }
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = -1; /* ten bytes */
    same_as_the_library(&status.base);
}

enum { DEEP = 12 };

static void every_kind_is_known(const ProtobufCMessageDescriptor *message, unsigned depth)
{
    assert_true(depth < DEEP);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        /* Nothing here has extensions, so no answer numbers them. */
        if (strcmp(field->name, "all_extension_numbers_response") == 0)
            continue;
        if (!rpc_packs(field))
            fail_msg("%s.%s is of a kind that rpc_pack does not know", message->name, field->name);
        const ProtobufCMessageDescriptor *inner = field->descriptor;
        /* A Value may hold a Struct of Values. */
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && inner != &google__protobuf__struct__descriptor &&
            inner != &google__protobuf__list_value__descriptor)
            every_kind_is_known(inner, depth + 1);
    }
}

static void all_answers_can_be_packed(void **state)
{
    static const ProtobufCMessageDescriptor *const answers[] = {
        &envoy__service__auth__v3__check_response__descriptor,
        &google__protobuf__struct__fields_entry__descriptor,
        &grpc__health__v1__health_check_response__descriptor,
        &grpc__health__v1__health_list_response__descriptor,
        &grpc__reflection__v1__server_reflection_response__descriptor,
        &iptrust__v1__get_status_response__descriptor,
        &iptrust__v1__lookup_address_response__descriptor,
        &iptrust__v1__resolve_response__descriptor,
        &iptrust__v1__resolve_batch_response__descriptor,
        &iptrust__v1__resolve_stream_response__descriptor,
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(answers); i++)
        every_kind_is_known(answers[i], 0);
}

static void without_memory_nothing_is_promised(void **state)
{
    static char text[500];
    Iptrust__V1__Client client = IPTRUST__V1__CLIENT__INIT;
    Iptrust__V1__Decision decision = IPTRUST__V1__DECISION__INIT;
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    client.class_ = text;
    decision.client_ip = text;
    decision.client = &client;
    bool done = false;
    for (unsigned n = 1; !done; n++) {
        ipt_buf out = {0};
        failalloc_at(n);
        done = rpc_pack(&decision.base, &out);
        failalloc_at(0);
        assert_int_equal(done, !out.failed);
        ipt_buf_done(&out);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_every_width),
        cmocka_unit_test(values_that_read_as_absent),
        cmocka_unit_test(all_answers_can_be_packed),
        cmocka_unit_test(without_memory_nothing_is_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
