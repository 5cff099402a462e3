/* The services as one object, the seats of those who serve, and the table of methods. */
#include "rpc_priv.h"

#include <stdlib.h>

static const ipt_method methods[] = {
    {"/envoy.service.auth.v3.Authorization/Check", IPT_METHOD_UNARY, false, IPT_OP_EXT_AUTHZ, rpc_check_decode,
     rpc_check_handle, rpc_check_encode},
    {"/grpc.health.v1.Health/Check", IPT_METHOD_UNARY, false, IPT_OP_GRPC_HEALTH, rpc_health_decode, rpc_health_check,
     rpc_encode},
    {"/grpc.health.v1.Health/List", IPT_METHOD_UNARY, false, IPT_OP_GRPC_HEALTH, rpc_health_decode_list,
     rpc_health_list, rpc_encode},
    {"/grpc.health.v1.Health/Watch", IPT_METHOD_WATCH, false, IPT_OP_GRPC_HEALTH, rpc_health_decode, rpc_health_watch,
     rpc_encode},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", IPT_METHOD_STREAM, true, IPT_OP_GRPC_REFLECTION,
     rpc_reflection_decode, rpc_reflection_handle, rpc_encode},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", IPT_METHOD_STREAM, true, IPT_OP_GRPC_REFLECTION,
     rpc_reflection_decode, rpc_reflection_handle, rpc_encode},
    {"/iptrust.v1.TrustService/GetStatus", IPT_METHOD_UNARY, true, IPT_OP_GRPC_STATUS, rpc_status_decode,
     rpc_status_handle, rpc_encode},
    {"/iptrust.v1.TrustService/LookupAddress", IPT_METHOD_UNARY, true, IPT_OP_GRPC_LOOKUP, rpc_lookup_decode,
     rpc_lookup_handle, rpc_encode},
    {"/iptrust.v1.TrustService/Resolve", IPT_METHOD_UNARY, true, IPT_OP_GRPC_RESOLVE, rpc_resolve_decode,
     rpc_resolve_handle, rpc_encode},
    {"/iptrust.v1.TrustService/ResolveBatch", IPT_METHOD_UNARY, true, IPT_OP_GRPC_BATCH, rpc_batch_decode,
     rpc_batch_handle, rpc_batch_encode},
    {"/iptrust.v1.TrustService/ResolveStream", IPT_METHOD_STREAM, true, IPT_OP_GRPC_STREAM, rpc_stream_decode,
     rpc_stream_handle, rpc_encode},
};

const ipt_method *ipt_methods(size_t *count)
{
    *count = IPT_COUNT(methods);
    return methods;
}

const ipt_method *ipt_method_find(ipt_span path)
{
    for (size_t i = 0; i < IPT_COUNT(methods); i++) {
        if (ipt_span_equal(path, ipt_span_from(methods[i].path)))
            return &methods[i];
    }
    return NULL;
}

ipt_err ipt_rpc_new(ipt_engine *engine, ipt_rpc **out)
{
    ipt_rpc *rpc = calloc(1, sizeof(*rpc));
    if (rpc == NULL)
        return IPT_ENOMEM;
    rpc->engine = engine;
    *out = rpc;
    return IPT_OK;
}

void ipt_rpc_free(ipt_rpc *rpc)
{
    free(rpc);
}

ipt_err ipt_rpc_seat_new(ipt_rpc *rpc, unsigned shard, ipt_rpc_seat **out)
{
    ipt_auto(ipt_rpc_seat) *seat = calloc(1, sizeof(*seat));
    if (seat == NULL)
        return IPT_ENOMEM;
    seat->rpc = rpc;
    seat->seat = (ipt_seat){shard, (ipt_clock_ns() << 8 ^ shard) | 1};
    ipt_err err = ipt_arena_new(RPC_REQUEST_BLOCK, RPC_REQUEST_MEMORY, &seat->request);
    if (err == IPT_OK)
        err = ipt_arena_new(RPC_ANSWER_BLOCK, RPC_ANSWER_MEMORY, &seat->answer);
    if (err != IPT_OK)
        return err;
    *out = seat;
    seat = NULL;
    return IPT_OK;
}

void ipt_rpc_seat_free(ipt_rpc_seat *seat)
{
    if (seat == NULL)
        return;
    ipt_arena_free(seat->request);
    ipt_arena_free(seat->answer);
    free(seat);
}

static bool is_small_enough(ipt_rpc_call *call, const ipt_method *method, size_t n)
{
    uint64_t max = method->own_limit ? call->generation->view->config->limit_message : IPT_RPC_RECEIVE_MAX;
    if (n <= max)
        return true;
    return rpc_refuse(call, IPT_PROBLEM_TOO_LARGE, "", "the message has more than %llu bytes", (unsigned long long)max);
}

bool ipt_method_run(const ipt_method *method, ipt_rpc_call *call, ipt_span bytes, ipt_buf *out)
{
    ipt_rpc_seat *seat = call->seat;
    ipt_engine *engine = seat->rpc->engine;
    size_t before = out->n;
    uint64_t begin = ipt_clock_ns();
    ipt_arena_reset(seat->request);
    ipt_arena_reset(seat->answer);
    call->request = call->answer = NULL;
    call->status.code = IPT_GRPC_INTERNAL; /* whoever forgets to say why has failed inside */
    call->status.result = ipt_result_of(IPT_PROBLEM_INTERNAL);
    call->status.message[0] = '\0';
    call->status.details_n = 0;
    call->generation = ipt_engine_acquire(engine);
    bool done = is_small_enough(call, method, bytes.n) && method->decode(call, bytes) && method->handle(call) &&
                method->encode(call, out);
    ipt_engine_release(engine, call->generation);
    call->generation = NULL;
    if (done && out->failed)
        done = rpc_no_memory(call);
    if (done) {
        call->status.code = IPT_GRPC_OK;
        call->status.result = 0;
    } else if (out->n > before)
        out->n = before;
    ipt_engine_count_request(engine, seat->seat.shard, method->operation, call->status.result, ipt_clock_ns() - begin);
    return done;
}

void ipt_method_refuse(const ipt_method *method, ipt_rpc_call *call, ipt_problem_code code, const char *detail)
{
    (void)rpc_refuse(call, code, "", "%s", detail);
    ipt_engine_count_request(call->seat->rpc->engine, call->seat->seat.shard,
                             method == NULL ? IPT_OP_GRPC_OTHER : method->operation, call->status.result, 0);
}

bool ipt_method_watch(ipt_rpc_call *call, ipt_buf *out)
{
    int before = call->watch_sent;
    ipt_arena_reset(call->seat->answer);
    if (!rpc_health_watch(call))
        return false;
    if (call->watch_sent != before && rpc_encode(call, out))
        return true;
    call->watch_sent = before;
    return false;
}
