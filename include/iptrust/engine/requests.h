/* Requests of all faces, counted in one pair of families: iptrust_requests_total{api,result} and
 * iptrust_request_duration_seconds{api} (interfaces.md, Metrics). */
#ifndef IPTRUST_ENGINE_REQUESTS_H
#define IPTRUST_ENGINE_REQUESTS_H

#include "iptrust/engine/engine.h"

/* The label `api`. */
typedef enum ipt_operation {
    IPT_OP_OTHER = 0,
    IPT_OP_RESOLVE,
    IPT_OP_BATCH,
    IPT_OP_NDJSON,
    IPT_OP_SELF,
    IPT_OP_ADDRESS,
    IPT_OP_LOOKUP,
    IPT_OP_VERSION,
    IPT_OP_CENTRAL,
    IPT_OP_AUTH_NGINX,
    IPT_OP_AUTH_HAPROXY,
    IPT_OP_AUTH_TRAEFIK,
    IPT_OP_AUTH_CADDY,
    IPT_OP_AUTH_ENVOY,
    IPT_OP_HEALTH,
    IPT_OP_METRICS,
    IPT_OP_ADMIN,
    IPT_OP_EXT_AUTHZ,
    IPT_OP_GRPC_RESOLVE,
    IPT_OP_GRPC_BATCH,
    IPT_OP_GRPC_STREAM,
    IPT_OP_GRPC_LOOKUP,
    IPT_OP_GRPC_STATUS,
    IPT_OP_GRPC_HEALTH,
    IPT_OP_GRPC_REFLECTION,
    IPT_OP_GRPC_OTHER,
    IPT_OP_COUNT,
} ipt_operation;

/* The label `result`: 0 is "ok", else a problem. */
static inline unsigned ipt_result_of(ipt_problem_code code)
{
    return (unsigned)code + 1;
}

/* The thread that owns the shard. A message of a stream counts as a request. */
void ipt_engine_count_request(ipt_engine *engine, unsigned shard, ipt_operation operation, unsigned result,
                              uint64_t nanoseconds);

#endif
