/* grpc.health.v1: every service is as ready as the daemon is. */
#include <grpc/health/v1/health.pb-c.h>

#include "rpc_priv.h"

static const char *const services[] = {
    "",
    "envoy.service.auth.v3.Authorization",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "iptrust.v1.TrustService",
};

static Grpc__Health__V1__HealthCheckResponse__ServingStatus state_now(const ipt_rpc_call *call)
{
    return ipt_engine_is_ready(call->seat->rpc->engine)
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

static bool is_served(const char *name)
{
    for (size_t i = 0; i < IPT_COUNT(services); i++) {
        if (strcmp(services[i], name) == 0)
            return true;
    }
    return false;
}

bool rpc_health_decode(ipt_rpc_call *call, ipt_span bytes)
{
    if (!rpc_unpack(call, bytes, &grpc__health__v1__health_check_request__descriptor))
        return false;
    const Grpc__Health__V1__HealthCheckRequest *request = call->request;
    call->watch_known = is_served(request->service);
    call->watch_sent = -1;
    return true;
}

bool rpc_health_decode_list(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &grpc__health__v1__health_list_request__descriptor);
}

static bool answer(ipt_rpc_call *call, Grpc__Health__V1__HealthCheckResponse__ServingStatus state)
{
    rpc_maker maker = {call->seat->answer, false};
    Grpc__Health__V1__HealthCheckResponse *response =
        rpc_make(&maker, &grpc__health__v1__health_check_response__descriptor);
    if (response == NULL)
        return rpc_no_memory(call);
    response->status = state;
    call->answer = response;
    return true;
}

bool rpc_health_check(ipt_rpc_call *call)
{
    if (!call->watch_known)
        return rpc_refuse(call, IPT_PROBLEM_NOT_FOUND, "/service", "there is no service of this name");
    return answer(call, state_now(call));
}

/* An unknown service is an answer here and not an error, because it may come (health checking protocol, Watch). */
bool rpc_health_watch(ipt_rpc_call *call)
{
    Grpc__Health__V1__HealthCheckResponse__ServingStatus state =
        call->watch_known ? state_now(call) : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    call->watch_sent = (int)state;
    return answer(call, state);
}

bool rpc_health_list(ipt_rpc_call *call)
{
    rpc_maker maker = {call->seat->answer, false};
    Grpc__Health__V1__HealthListResponse *response =
        rpc_make(&maker, &grpc__health__v1__health_list_response__descriptor);
    void **entries =
        rpc_make_list(&maker, IPT_COUNT(services), &grpc__health__v1__health_list_response__statuses_entry__descriptor);
    void **states = rpc_make_list(&maker, IPT_COUNT(services), &grpc__health__v1__health_check_response__descriptor);
    if (response == NULL || entries == NULL || states == NULL)
        return rpc_no_memory(call);
    for (size_t i = 0; i < IPT_COUNT(services); i++) {
        Grpc__Health__V1__HealthListResponse__StatusesEntry *entry = entries[i];
        entry->key = rpc_borrow(services[i]);
        entry->value = states[i];
        entry->value->status = state_now(call);
    }
    response->n_statuses = IPT_COUNT(services);
    response->statuses = (Grpc__Health__V1__HealthListResponse__StatusesEntry **)entries;
    call->answer = response;
    return true;
}
