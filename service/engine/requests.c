/* The two families of requests, with every label value known from the start. */
#include "iptrust/engine/requests.h"

#include "engine_priv.h"

static const char *const names[IPT_OP_COUNT] = {
    [IPT_OP_OTHER] = "other",
    [IPT_OP_RESOLVE] = "resolve",
    [IPT_OP_BATCH] = "batch",
    [IPT_OP_NDJSON] = "ndjson",
    [IPT_OP_SELF] = "self",
    [IPT_OP_ADDRESS] = "address",
    [IPT_OP_LOOKUP] = "lookup",
    [IPT_OP_VERSION] = "version",
    [IPT_OP_CENTRAL] = "central",
    [IPT_OP_AUTH_NGINX] = "auth_nginx",
    [IPT_OP_AUTH_HAPROXY] = "auth_haproxy",
    [IPT_OP_AUTH_TRAEFIK] = "auth_traefik",
    [IPT_OP_AUTH_CADDY] = "auth_caddy",
    [IPT_OP_AUTH_ENVOY] = "auth_envoy",
    [IPT_OP_HEALTH] = "health",
    [IPT_OP_METRICS] = "metrics",
    [IPT_OP_ADMIN] = "admin",
    [IPT_OP_EXT_AUTHZ] = "ext_authz",
    [IPT_OP_GRPC_RESOLVE] = "grpc_resolve",
    [IPT_OP_GRPC_BATCH] = "grpc_batch",
    [IPT_OP_GRPC_STREAM] = "grpc_stream",
    [IPT_OP_GRPC_LOOKUP] = "grpc_lookup",
    [IPT_OP_GRPC_STATUS] = "grpc_status",
    [IPT_OP_GRPC_HEALTH] = "grpc_health",
    [IPT_OP_GRPC_REFLECTION] = "grpc_reflection",
    [IPT_OP_GRPC_OTHER] = "grpc_other",
};

static const uint64_t bounds[] = {1000,   2500,    5000,    10000,    25000,    50000,     100000,     250000,
                                  500000, 1000000, 2500000, 10000000, 50000000, 250000000, 1000000000, 5000000000};

ipt_err engine_requests_init(ipt_engine *engine)
{
    static const char *const labels[] = {"api", "result"};
    ipt_metrics *m = engine->metrics;
    engine_requests *r = &engine->requests;
    ipt_histogram_spec duration = {.name = "iptrust_request_duration_seconds",
                                   .help = "Time that a request took: over HTTP from the end of its headers to the end "
                                           "of its answer, over gRPC from its message to the answer's.",
                                   .bounds = bounds,
                                   .bound_count = IPT_COUNT(bounds),
                                   .label = "api",
                                   .values = names,
                                   .value_count = IPT_OP_COUNT};
    ipt_err err =
        ipt_metrics_counter(m, "iptrust_requests", "Requests answered, by call and result.", labels, 2, &r->total);
    if (err == IPT_OK)
        err = ipt_metrics_histogram(m, &duration, &r->duration);
    for (unsigned i = 0; i < IPT_OP_COUNT; i++)
        r->operations[i] = ipt_metrics_value(m, names[i]);
    r->results[0] = ipt_metrics_value(m, "ok");
    for (unsigned i = 0; i < IPT_PROBLEM_CODES; i++)
        r->results[ipt_result_of((ipt_problem_code)i)] = ipt_metrics_value(m, ipt_problem_name((ipt_problem_code)i));
    return err;
}

void ipt_engine_count_request(ipt_engine *engine, unsigned shard, ipt_operation operation, unsigned result,
                              uint64_t nanoseconds)
{
    const engine_requests *r = &engine->requests;
    const ipt_label labels[] = {r->operations[operation], r->results[result]};
    ipt_metrics_add(engine->metrics, shard, r->total, labels, 1);
    ipt_metrics_observe(engine->metrics, shard, r->duration, operation, nanoseconds);
}
