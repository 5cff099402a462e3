/* Every method with bytes of the input: the first byte chooses the method and the caller, the rest is the message.
 * There is an answer or a status that says why not; an answer to Check is never empty and decodes, every other decodes,
 * too; and the same call twice is the same bytes, which are
 * those that protobuf-c makes of the decoded answer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <envoy/service/auth/v3/external_auth.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>
#include <iptrust/v1/iptrust.pb-c.h>

#include "iptrust/rpc/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
    "lists:\n"
    "  lb: {prefixes: [10.0.12.0/24, 127.0.0.0/8], internal: true, broad: accepted,\n"
    "       vouches: {x-forwarded-for: append, x-real-ip: replace, proxy_protocol: replace}}\n"
    "  sock: {unix: true}\n"
    "policies:\n"
    "  default: {trust: [lb, sock], read: [x-forwarded-for, x-real-ip], clients: any}\n"
    "  edge: {trust: [lb], mode: enforce, deny: {confidence_below: high}, selectable_by: [grpc, ext_authz],\n"
    "         rewrite: [x-forwarded-for, x-real-ip]}\n";

/* In the order of the table of methods. */
static const ProtobufCMessageDescriptor *const answers[] = {
    &envoy__service__auth__v3__check_response__descriptor,
    &grpc__health__v1__health_check_response__descriptor,
    &grpc__health__v1__health_list_response__descriptor,
    &grpc__health__v1__health_check_response__descriptor,
    &grpc__reflection__v1__server_reflection_response__descriptor,
    &grpc__reflection__v1__server_reflection_response__descriptor,
    &iptrust__v1__get_status_response__descriptor,
    &iptrust__v1__lookup_address_response__descriptor,
    &iptrust__v1__resolve_response__descriptor,
    &iptrust__v1__resolve_batch_response__descriptor,
    &iptrust__v1__resolve_stream_response__descriptor,
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static ipt_rpc_seat *seat_new(void)
{
    char path[] = "/tmp/ipt-fuzz-rpc-XXXXXX";
    int fd = mkstemp(path);
    ipt_diag diag;
    ipt_engine *engine = NULL;
    ipt_rpc *rpc = NULL;
    ipt_rpc_seat *seat = NULL;
    const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1};
    must(fd >= 0 && write(fd, config, sizeof(config) - 1) == sizeof(config) - 1 && close(fd) == 0);
    must(ipt_diag_init(&diag) == IPT_OK && ipt_engine_open(&options, &diag, &engine) == IPT_OK);
    ipt_diag_done(&diag);
    unlink(path);
    must(ipt_rpc_new(engine, &rpc) == IPT_OK && ipt_rpc_seat_new(rpc, 0, &seat) == IPT_OK);
    return seat;
}

static bool run(ipt_rpc_seat *seat, size_t which, bool trusted, ipt_span message, ipt_buf *out)
{
    size_t count;
    const ipt_method *method = &ipt_methods(&count)[which];
    ipt_rpc_call call = {.seat = seat, .caller = {.is_unix = trusted}};
    must(count == IPT_COUNT(answers));
    bool done = ipt_method_run(method, &call, message, out);
    if (!done) {
        must(call.status.code != IPT_GRPC_OK && call.status.message[0] != '\0' && out->n == 0);
        return false;
    }
    must(which != 0 || out->n != 0);
    ProtobufCMessage *answer =
        protobuf_c_message_unpack(answers[which], NULL, out->n, (const uint8_t *)(out->n == 0 ? "" : out->p));
    must(answer != NULL && protobuf_c_message_check(answer));
    uint8_t *again = malloc(out->n + 1);
    must(again != NULL && protobuf_c_message_get_packed_size(answer) == out->n &&
         protobuf_c_message_pack(answer, again) == out->n && (out->n == 0 || memcmp(again, out->p, out->n) == 0));
    free(again);
    protobuf_c_message_free_unpacked(answer, NULL);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ipt_rpc_seat *seat;
    if (seat == NULL)
        seat = seat_new();
    if (size == 0)
        return 0;
    ipt_buf first = {0}, second = {0};
    size_t which = (data[0] & 0x7fU) % IPT_COUNT(answers);
    bool trusted = data[0] >= 0x80;
    const ipt_span message = {(const char *)data + 1, size - 1};
    bool done = run(seat, which, trusted, message, &first);
    must(run(seat, which, trusted, message, &second) == done);
    must(ipt_span_equal(ipt_buf_span(&first), ipt_buf_span(&second)));
    ipt_buf_done(&first);
    ipt_buf_done(&second);
    return 0;
}
