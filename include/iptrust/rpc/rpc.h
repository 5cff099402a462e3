/* The gRPC services without a transport: a table of methods that turn a message's bytes into an answer's bytes or a
 * status. A transport looks a method up by its path, runs it on the threads it likes, one seat a thread, and carries
 * what comes out. */
#ifndef IPTRUST_RPC_RPC_H
#define IPTRUST_RPC_RPC_H

#include "iptrust/engine/requests.h"

/* The numbers are gRPC's. UNKNOWN is never sent. */
typedef enum ipt_grpc_code {
    IPT_GRPC_OK = 0,
    IPT_GRPC_INVALID_ARGUMENT = 3,
    IPT_GRPC_DEADLINE_EXCEEDED = 4,
    IPT_GRPC_NOT_FOUND = 5,
    IPT_GRPC_PERMISSION_DENIED = 7,
    IPT_GRPC_RESOURCE_EXHAUSTED = 8,
    IPT_GRPC_UNIMPLEMENTED = 12,
    IPT_GRPC_INTERNAL = 13,
    IPT_GRPC_UNAVAILABLE = 14,
} ipt_grpc_code;

/* How a call ended. details is a serialized google.rpc.Status for `grpc-status-details-bin`, empty when there is no
 * field to blame. */
typedef struct ipt_status {
    ipt_grpc_code code;
    unsigned result;   /* of iptrust_requests_total */
    char message[320]; /* "missing_peer: ...", printable ASCII */
    size_t details_n;
    uint8_t details[1024];
} ipt_status;

ipt_grpc_code ipt_grpc_code_of(ipt_problem_code code); /* the one table */
/* root is put before the field that is to blame: "request", or "" when the pointer is complete. */
void ipt_status_set(ipt_status *status, const ipt_problem *problem, const char *root);

/* ---- the services ---- */

typedef struct ipt_rpc ipt_rpc;

/* engine is borrowed. */
IPT_MUST_USE ipt_err ipt_rpc_new(ipt_engine *engine, ipt_rpc **out);
void ipt_rpc_free(ipt_rpc *rpc);
IPT_DEFINE_CLEANUP(ipt_rpc, ipt_rpc_free)

/* Memory of one thread that serves; calls of one seat run one after the other. */
typedef struct ipt_rpc_seat ipt_rpc_seat;
IPT_MUST_USE ipt_err ipt_rpc_seat_new(ipt_rpc *rpc, unsigned shard, ipt_rpc_seat **out);
void ipt_rpc_seat_free(ipt_rpc_seat *seat);
IPT_DEFINE_CLEANUP(ipt_rpc_seat, ipt_rpc_seat_free)

/* Who calls, as the transport knows it; nothing that the message or its metadata says. */
typedef struct ipt_rpc_caller {
    bool is_unix;
    bool verified; /* by a client certificate */
    ipt_addr addr; /* TCP */
} ipt_rpc_caller;

/* One call, or one message of a stream. seat and caller are the transport's to set, the rest is filled by the method.
 */
typedef struct ipt_rpc_call {
    ipt_rpc_seat *seat;
    ipt_rpc_caller caller;
    ipt_status status; /* valid when a method has returned false */
    /* of the services */
    const ipt_generation *generation; /* held while a method runs */
    void *request, *answer;           /* decoded, to be encoded; in the seat's memory */
    bool watch_known;                 /* a watch: the service that was asked for is served */
    int watch_sent;                   /* a watch: the state that was sent last */
} ipt_rpc_call;

typedef enum ipt_method_kind {
    IPT_METHOD_UNARY = 0,
    IPT_METHOD_STREAM, /* every message in is one message out, in order */
    IPT_METHOD_WATCH,  /* one message in; then ipt_method_watch whenever something may have changed */
} ipt_method_kind;

#define IPT_RPC_RECEIVE_MAX (16U << 20) /* bytes of any message; limits.message is TrustService's own */

typedef struct ipt_method {
    const char *path; /* "/iptrust.v1.TrustService/Resolve" */
    ipt_method_kind kind;
    bool own_limit; /* limits.message applies */
    ipt_operation operation;
    /* Each false with a status. */
    bool (*decode)(ipt_rpc_call *call, ipt_span bytes);
    bool (*handle)(ipt_rpc_call *call);
    bool (*encode)(ipt_rpc_call *call, ipt_buf *out);
} ipt_method;

const ipt_method *ipt_methods(size_t *count);
const ipt_method *ipt_method_find(ipt_span path); /* NULL: UNIMPLEMENTED */

/* Appends the answer to out. False: call->status says why and out is as before. bytes are borrowed for the call. */
IPT_MUST_USE bool ipt_method_run(const ipt_method *method, ipt_rpc_call *call, ipt_span bytes, ipt_buf *out);
/* A call that ends before its method ran: sets the status, and counts. method NULL: nobody serves this path. */
void ipt_method_refuse(const ipt_method *method, ipt_rpc_call *call, ipt_problem_code code, const char *detail);
/* After a WATCH has run: true when there is something new, which is appended to out. */
IPT_MUST_USE bool ipt_method_watch(ipt_rpc_call *call, ipt_buf *out);

#endif
