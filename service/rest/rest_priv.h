/* What the parts of the HTTP face share: listeners, loops, connections, the request under way and its answer. */
#ifndef IPTRUST_REST_PRIV_H
#define IPTRUST_REST_PRIV_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "iptrust/callout/callout.h"
#include "iptrust/engine/central.h"
#include "iptrust/engine/health.h"
#include "iptrust/engine/requests.h"
#include "iptrust/listener/gate.h"
#include "iptrust/listener/listener.h"
#include "iptrust/rest/rest.h"
#include "iptrust/tls/session.h"

/* Limits of the contract (interfaces.md, REST) and of our own. */
enum {
    REST_HEADER_MAX = 16 << 10,   /* bytes of a header block */
    REST_MESSAGE_MAX = 256 << 10, /* one request */
    REST_BATCH_MAX = 4 << 20,     /* a JSON batch */
    REST_BATCH_COUNT_MAX = 1000,  /* its requests */
    REST_NDJSON_MAX = 64 << 20,   /* a stream of lines */
    REST_DISCARD_MAX = 8 << 20,   /* read and thrown away, so that a refusal reaches a client that is still sending */
    REST_BODIES_MAX = 256 << 20,  /* of all requests together, being collected */
    REST_POOL_BYTES = 24 << 10,   /* memory that the HTTP library gives a connection */
    REST_ANSWER_ROOM = 1024,      /* of it, for the head of a usual answer */
    REST_STREAM_BLOCK = 32 << 10, /* written at once of a streamed answer */
    REST_KEEP_BYTES = 64 << 10,   /* a buffer above this is not kept for the next request */
    REST_KEEP_WORKS = 64,         /* buffers that a loop keeps */
    REST_HEADER_DEADLINE_MS = 10000,  /* from the first byte of a request to the end of its headers */
    REST_REQUEST_DEADLINE_MS = 15000, /* from the first byte of a request to its last */
    REST_SEND_STALL_MS = 15000,       /* an answer of which nothing is taken */
    REST_TICK_MS = IPT_BEAT_LONGEST_MS,
    REST_SWEEP_MS = 1000,  /* how often deadlines are looked at */
    REST_FRESH_MS = 500,   /* at the end: for the first byte of a connection that was let in */
    REST_LINGER_MS = 2000, /* a socket that we closed first is kept for so long */
    REST_LINGER_MAX = 32,  /* of a loop */
    REST_LISTENERS_MAX = 3,
};

typedef enum rest_face { FACE_HTTP = 0, FACE_HEALTH, FACE_ADMIN } rest_face;

/* ---- listeners ---- */

typedef struct rest_listener {
    ipt_listener socket;
    rest_face face;
    ipt_tls_files *tls; /* NULL: in the clear */
} rest_listener;

/* Where the admin socket goes when nobody says: out is the spec to listen on, kind OFF when there is no place. */
ipt_listener_spec rest_admin_default(const ipt_config *config, char path[IPT_LISTENER_PATH_MAX]);

/* ---- the request under way ---- */

typedef struct rest_loop rest_loop;
typedef struct rest_conn rest_conn;
typedef void rest_call(rest_conn *conn);

/* GET takes HEAD along; ANY: the caller passes on what somebody else chose. */
enum { METHOD_GET = 1, METHOD_POST = 2, METHOD_ANY = 4 };

/* What follows a route's path. */
typedef enum rest_tail { TAIL_NONE = 0, TAIL_SEGMENT, TAIL_PATH } rest_tail;

typedef struct rest_route {
    rest_face face;
    const char *path;
    rest_tail tail;
    unsigned methods;
    ipt_operation operation;
    size_t body_max; /* 0: the call has no body, one that comes is thrown away */
    rest_call *call;
} rest_route;

/* What the headers say, gathered in one pass. */
typedef struct rest_facts {
    ipt_span content_type, content_length, transfer_encoding, content_encoding, accept, authorization;
    unsigned lengths, hosts, transfers, count;
    size_t bytes;
    bool expects;    /* 100-continue: nothing has been sent yet */
    const char *bad; /* why the request must not be read on; NULL */
    const char *end; /* of the line last looked at, where it arrived; NULL when the library does not tell (guard.c) */
} rest_facts;

/* Buffers that a request uses; kept by the loop between requests. */
typedef struct rest_work {
    struct rest_work *next;
    ipt_buf body, out;
} rest_work;

typedef enum rest_body { BODY_NONE = 0, BODY_COLLECT, BODY_DISCARD } rest_body;

typedef struct rest_request {
    struct MHD_Connection *mhd;
    const char *target_end;  /* of the request target as it arrived, at its first NUL */
    const rest_route *route; /* NULL: none */
    ipt_operation operation;
    bool post;
    const char *tail; /* what follows a prefix route's path */
    rest_facts facts;
    rest_body body_mode;
    size_t body_max, body_counted; /* counted: against REST_BODIES_MAX */
    uint64_t received;
    rest_work *work;
    ipt_span body; /* whole, once it is complete */
    uint64_t begin_ns;
    /* the answer */
    bool answered, streamed, queued, close;
    unsigned status;
    const char *content_type;
    const char *extra_name, *extra_value; /* one more header; static or NULL */
    const ipt_callout_header *headers;    /* more of them, in the loop's arena */
    size_t header_count;
    unsigned result;    /* of iptrust_requests_total */
    size_t stream_at;   /* NDJSON: bytes of body read */
    size_t stream_sent; /* of work->out */
    bool reload_asked, reload_done;
    /* GET /v1/central */
    const ipt_served *served; /* ours until the request is completed */
    bool waits;               /* told that we can keep it waiting */
    uint64_t wait_until;      /* ms; 0: not waiting */
} rest_request;

/* ---- connections ---- */

typedef enum rest_phase {
    PHASE_FRESH = 0, /* nothing asked yet */
    PHASE_IDLE,      /* between requests */
    PHASE_HEADERS,   /* the next request has begun */
    PHASE_BODY,
    PHASE_SENDING,
    PHASE_WAITING, /* for something of ours */
} rest_phase;

struct rest_conn {
    rest_conn *prev, *next;
    rest_loop *loop;
    int fd;
    rest_face face;
    ipt_tls_files *tls_files; /* the listener's; NULL: in the clear */
    ipt_tls_caller tls;
    bool is_unix, entered; /* entered: counted by the gate */
    bool cut;              /* shut down by us, about to be closed */
    ipt_addr addr;
    char peer[64]; /* "192.0.2.1:4711", "unix" */
    size_t peer_n;
    rest_phase phase;
    uint64_t since; /* ms: begin of the phase; BODY: begin of the request */
    bool has_bytes; /* bytes is what the kernel had received, SENDING: delivered, at the last look */
    uint64_t bytes;
    rest_request request;
};

typedef struct rest_linger_slot {
    bool used;
    int fd;
    uint64_t since; /* ms */
} rest_linger_slot;

struct rest_loop {
    ipt_rest *rest;
    unsigned number;
    bool decides; /* serves FACE_HTTP; else the other two */
    pthread_t thread;
    bool started;
    struct MHD_Daemon *plain, *secure; /* the library for connections in the clear and for TLS; NULL: not needed */
    struct MHD_Daemon *only;           /* the one that is there; NULL: both are */
    uint64_t refusal_told;             /* ms: when a refused certificate was last logged */
    int epoll, wake, reserve;          /* reserve: a descriptor to give up when there are no others */
    ipt_seat seat;
    ipt_arena *arena, *batch_arena;
    ipt_decision *decision;
    rest_conn *first; /* connections */
    rest_linger_slot lingering[REST_LINGER_MAX];
    size_t linger_next;
    rest_conn *adding; /* being handed to the library */
    rest_work *works;
    size_t work_count;
    uint64_t served, now, swept;
    size_t waiting;                 /* requests for the next central document */
    uint64_t looked, looked_number; /* ms, and what was served then */
    _Atomic bool listening;         /* false: this loop will not take another connection of http */
    bool busy;                      /* the last turn served a request */
    pthread_mutex_t inbox_lock;
    rest_conn *inbox; /* accepted by another loop */
    _Atomic size_t connections;
    ipt_beat *beat; /* the engine's */
};

typedef enum rest_state {
    REST_RUNNING = 0,
    REST_CLOSING, /* idle connections end; who has already come is still let in */
    REST_CLOSED,  /* the door of http is shut */
    REST_STOPPED
} rest_state;

struct ipt_rest {
    ipt_engine *engine;
    ipt_log *log;
    ipt_gate gate;
    rest_listener listeners[REST_LISTENERS_MAX];
    size_t listener_count;
    rest_loop *loops; /* loop_count of them; the last serves health and admin */
    unsigned loop_count;
    int64_t keepalive_ms;
    bool may_wait;        /* loops that decide can suspend requests */
    ipt_tls_watch *watch; /* NULL: no listener has TLS */
    pthread_mutex_t token_lock;
    ipt_buf token;      /* admin on TCP; .n 0: none */
    ipt_buf auth_token; /* of proxies; .n 0: none */
    _Atomic int state;
    _Atomic uint64_t bodies; /* bytes being collected */
    ipt_family refused;
    ipt_label refusals[3];
};

/* conn.c */
rest_conn *rest_conn_new(rest_loop *loop, int fd, const rest_listener *listener, const struct sockaddr_storage *from);
void rest_conn_free(rest_conn *conn);
void rest_conn_phase(rest_conn *conn, rest_phase phase);
void rest_conn_sweep(rest_loop *loop);
void rest_conn_idle_end(rest_loop *loop); /* shuts those down that nobody uses */
void rest_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode code);
void rest_on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code);

/* Whether what this caller says of a peer is believed. */
ipt_caller rest_caller(const rest_conn *conn, const ipt_generation *generation);

/* tls.c */
const char *rest_face_name(rest_face face);
IPT_MUST_USE bool rest_tls_open(const ipt_listener_spec *spec, rest_listener *listener, char *why, size_t cap);
IPT_MUST_USE ipt_err rest_tls_watch(ipt_rest *rest);
IPT_MUST_USE bool rest_tls_begin(rest_conn *conn, struct MHD_Connection *mhd);
void rest_tls_end(rest_conn *conn);
bool rest_has_tls(const ipt_rest *rest, bool decides, bool secure); /* a loop of that kind serves such a listener */

/* accept.c */
void rest_accept(rest_loop *loop, const rest_listener *listener);
void rest_adopt(rest_loop *loop); /* what other loops accepted for this one */

/* loop.c */
IPT_MUST_USE ipt_err rest_loop_open(rest_loop *loop);
IPT_MUST_USE ipt_err rest_loop_start(rest_loop *loop);
void rest_loop_wake(const rest_loop *loop);
void rest_loop_close(rest_loop *loop); /* joins, then frees */

/* guard.c */
size_t rest_unescape(void *context, struct MHD_Connection *mhd, char *text);
void *rest_on_target(void *context, const char *target, struct MHD_Connection *mhd);
rest_facts rest_facts_read(struct MHD_Connection *mhd, const char *target_end, const char *method, const char *version);

/* linger.c */
void rest_linger(rest_loop *loop, int fd); /* fd is about to be closed */
void rest_linger_sweep(rest_loop *loop);
void rest_linger_end(rest_loop *loop);

/* room.c */
/* Whether the library's memory of this connection still has that much for the head of an answer. */
bool rest_has_room(const rest_conn *conn, size_t bytes);
/* For a head that leaves none: the library could only close without a word. */
enum MHD_Result rest_refuse_without_room(rest_conn *conn);

/* dispatch.c */
void rest_refuse_headers(rest_conn *conn);
enum MHD_Result rest_on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_size, void **request_context);
const rest_route *rest_route_find(rest_face face, const char *path, const char **tail);

/* reply.c */
rest_work *rest_work_take(rest_loop *loop);
void rest_work_give(rest_loop *loop, rest_work *work);
/* The answer is in request.work->out. */
void rest_answer(rest_conn *conn, unsigned status, const char *content_type);
void rest_answer_json(rest_conn *conn);
void rest_answer_problem(rest_conn *conn, const ipt_problem *problem, ipt_span request_id);
IPT_PRINTF(4, 5) void rest_refuse(rest_conn *conn, ipt_problem_code code, const char *pointer, const char *format, ...);
enum MHD_Result rest_reply(rest_conn *conn);

/* calls */
extern const rest_route rest_routes[];
extern const size_t rest_route_count;
/* Forms of an answer, by Accept (RFC 9110, 12.5.1). */
typedef enum rest_form { FORM_PLAIN = 0, FORM_JSON, FORM_HTML } rest_form;
rest_form rest_preferred_form(ipt_span accept, rest_form otherwise);
void rest_write_page(rest_conn *conn, const ipt_decision *decision);

/* The header lines of the request, in the loop's arena, which it resets; NULL without memory. */
ipt_header *rest_own_lines(rest_conn *conn, size_t *count);

/* call_auth_read.c: who a proxy says its peer is, and what came with the request that it asks about. */
typedef enum rest_peer_source {
    PEER_NAMED = 0,
    /* one X-Iptrust-Peer line */ PEER_FORWARDED /* last X-Forwarded-For entry */
} rest_peer_source;
typedef struct rest_auth {
    ipt_span peer; /* .n 0: nobody says, or two do */
    bool forged;   /* another line would name the peer too */
    ipt_header *evidence;
    size_t evidence_count;
    ipt_span token;
    size_t tokens; /* X-Iptrust-Token lines */
} rest_auth;
/* evidence has room for count lines. */
void rest_auth_read(rest_peer_source source, const ipt_header *lines, size_t count, ipt_header *evidence,
                    rest_auth *out);

rest_call rest_call_resolve, rest_call_batch, rest_call_self, rest_call_root, rest_call_address, rest_call_lookup,
    rest_call_version;
rest_call rest_call_auth;
rest_call rest_call_central, rest_call_central_state;
void rest_central_look(rest_loop *loop); /* at each turn: whose wait has ended */
void rest_write_central(ipt_buf *out, const ipt_central_state *state, bool whole);
/* {"policies":..,"lists":..,"geo":..}; geo NULL: null. */
void rest_write_revision(ipt_buf *out, const char *policies, const char *lists, const char *geo);
rest_call rest_call_livez, rest_call_readyz, rest_call_metrics;
rest_call rest_call_lists, rest_call_list, rest_call_list_action, rest_call_policies, rest_call_config,
    rest_call_reload;
bool rest_is_ndjson(const rest_conn *conn);
ssize_t rest_stream_read(void *context, uint64_t position, char *out, size_t max);
/* Reads, decides and writes one line of NDJSON as {"decision":{}} or {"problem":{}}. */
void rest_decide_line(rest_conn *conn, const ipt_generation *generation, ipt_span line);
bool rest_media_is(ipt_span content_type, const char *wanted);
bool rest_admin_may(rest_conn *conn);
IPT_MUST_USE bool rest_token_read(const char *path, ipt_buf *out);
void rest_token_forget(ipt_buf *token);
ipt_reload_hook rest_token_renew;

static inline rest_state rest_state_now(const ipt_rest *rest)
{
    return (rest_state)atomic_load_explicit(&rest->state, memory_order_acquire);
}

#endif
