/* What the parts of the transport on gRPC C core share. No other module sees the library. */
#ifndef IPTRUST_TRANSPORT_CORE_PRIV_H
#define IPTRUST_TRANSPORT_CORE_PRIV_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "iptrust/engine/health.h"
#include "iptrust/listener/gate.h"
#include "iptrust/listener/listener.h"
#include "iptrust/tls/tls.h"
#include "iptrust/transport/transport.h"

enum {
    CORE_METADATA_MAX = 16 << 10,  /* bytes of a call's metadata */
    CORE_PING_TIMEOUT_MS = 20000,  /* for the answer to a keepalive ping */
    CORE_PING_INTERVAL_MS = 10000, /* callers may ping this often without calls */
    CORE_ARMED = 16,               /* calls of a method that a queue waits for */
    CORE_ARMED_RARE = 2,           /* the same for health, reflection and paths that nobody serves */
    CORE_KEEP_BYTES = 256 << 10,   /* a buffer above this is not kept for the next call */
    CORE_METHODS_MAX = 16,
};

/* ---- calls ---- */

typedef struct core_queue core_queue;
typedef struct core_call core_call;

/* What an event of a queue means: which step of which call. */
typedef struct core_tag {
    void (*step)(core_call *call, bool ok);
    core_call *call;
} core_tag;

struct core_call {
    core_call *next, *prev; /* of the queue's spares, or of its watches */
    core_queue *queue;
    const ipt_method *method; /* NULL: a path that nobody serves */
    core_tag main, close;     /* close: of streams, the end as the library saw it */
    grpc_call *call;
    grpc_metadata_array metadata;
    grpc_call_details details; /* of paths that nobody serves */
    gpr_timespec deadline;
    grpc_byte_buffer *request;
    grpc_slice flat; /* request in one piece */
    bool has_flat;
    grpc_slice status_message, status_details;
    grpc_metadata trailer;
    int cancelled;
    unsigned pending; /* batches under way */
    bool busy;        /* main is one of them */
    bool ended;       /* the status is on its way, or cannot be sent any more */
    bool watching;
    ipt_rpc_call rpc;
};

/* One completion queue, one thread, one seat. */
struct core_queue {
    ipt_transport *transport;
    grpc_completion_queue *cq;
    pthread_t thread;
    bool started;
    ipt_rpc_seat *seat;
    ipt_beat *beat;
    core_call *spare;                    /* calls that are not in use */
    core_call *watches;                  /* that wait for news */
    unsigned owed[CORE_METHODS_MAX + 1]; /* calls that could not be waited for, by method; last: paths nobody serves */
    unsigned events;
    ipt_buf out;
};

/* queue.c */
IPT_MUST_USE ipt_err core_queue_open(core_queue *queue, ipt_transport *transport, unsigned number, unsigned shard);
IPT_MUST_USE ipt_err core_queue_start(core_queue *queue);
void core_queue_close(core_queue *queue); /* after the server has ended */

/* call.c */
core_call *core_call_take(core_queue *queue, const ipt_method *method);
/* Waits for one more call of method; without memory it is owed. */
void core_call_arm(core_queue *queue, const ipt_method *method);
void core_call_done(core_call *call);
void core_call_free_spares(core_queue *queue);
/* Gives the library operations to do; the last step of the call when it refuses. */
void core_call_batch(core_call *call, const grpc_op *ops, size_t count, core_tag *tag);
/* The call's message in one piece; false with a status. */
IPT_MUST_USE bool core_call_bytes(core_call *call, ipt_span *out);
void core_call_drop_request(core_call *call);
/* False with a status: the deadline has passed. */
IPT_MUST_USE bool core_call_in_time(core_call *call);
/* True when the caller may be served and is still waiting; false with a status. */
IPT_MUST_USE bool core_call_admit(core_call *call);
grpc_op core_op_initial(void);
grpc_op core_op_message(grpc_byte_buffer *message);
grpc_op core_op_status(core_call *call);
grpc_op core_op_close(core_call *call);
grpc_byte_buffer *core_message_new(const ipt_buf *buf);

/* unary.c, stream.c: the first step after a call has come */
void core_unary_begin(core_call *call, bool ok);
void core_unknown_begin(core_call *call, bool ok);
void core_stream_begin(core_call *call, bool ok);
void core_watch_begin(core_call *call, bool ok);
void core_watch_look(core_queue *queue); /* tells those who watch what is new */

/* ---- connections ---- */

/* What a descriptor stands for: to the library a connection, whose address its calls read; to us the watch over one. A
 * number that the library has closed may be given again before its watch has seen the end, so the two never mix. */
typedef struct core_conn {
    _Atomic uint64_t hi, lo; /* the library's */
    ipt_addr watched;        /* the watch's: who is counted */
} core_conn;

typedef struct core_door {
    ipt_listener listener;
    ipt_gate gate;
    core_conn *conns; /* by descriptor */
    size_t conn_max;
    int epoll, wake, reserve;
    pthread_t thread;
    bool started;
    _Atomic bool closing, stop;
    _Atomic bool deaf; /* nobody else is accepted */
    _Atomic size_t connections;
    ipt_beat *beat;
} core_door;

/* door.c */
IPT_MUST_USE ipt_err core_door_open(ipt_transport *transport, const ipt_config *config);
IPT_MUST_USE ipt_err core_door_start(ipt_transport *transport);
void core_door_shut(ipt_transport *transport);
void core_door_close(ipt_transport *transport);
void core_door_free(core_door *door); /* after the queues, whose calls ask who is at their other end */
/* Who is at the other end of a call that came through the door. */
ipt_rpc_caller core_door_caller(const ipt_transport *transport, grpc_call *call);

/* ---- TLS ---- */

typedef struct core_tls {
    ipt_tls_files *files; /* NULL: plain text */
    ipt_tls_watch *watch;
    uint64_t shown; /* the generation that the library has */
    bool asks;      /* for callers' certificates */
    char **sans;
    size_t san_count;
} core_tls;

/* tls.c */
IPT_MUST_USE ipt_err core_tls_open(ipt_transport *transport, const ipt_listener_spec *spec, char *why, size_t cap);
/* Lets the library listen, and fills in the address; before the server starts. */
IPT_MUST_USE bool core_tls_listen(ipt_transport *transport, const ipt_listener_spec *spec, char *why, size_t cap);
void core_tls_close(core_tls *tls);
bool core_tls_peer_addr(ipt_span peer, ipt_addr *out);
/* False: the certificate names nobody who may call. */
IPT_MUST_USE bool core_tls_caller(const core_tls *tls, grpc_call *call, ipt_rpc_caller *out);

struct ipt_transport {
    ipt_engine *engine;
    ipt_rpc *rpc;
    ipt_log *log;
    grpc_server *server;
    void *registered[CORE_METHODS_MAX]; /* by the order of ipt_methods */
    core_queue *queues;
    unsigned queue_count;
    core_door door;
    core_tls tls;
    char end_tag; /* its address is the event that the server has ended */
    _Atomic bool closing, ended;
    bool running;
};

#endif
