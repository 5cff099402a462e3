/* What the parts of the transport on libnghttp2 share. No other module sees the library.
 *
 * A loop is a thread with an epoll set; it owns its connections, and nothing of a connection is touched by another
 * thread. A connection is a session of the library, its streams, and the descriptor, which session and stream know
 * nothing of: they take bytes and give bytes. */
#ifndef IPTRUST_TRANSPORT_H2_PRIV_H
#define IPTRUST_TRANSPORT_H2_PRIV_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "flood.h"
#include "frame.h"
#include "secure.h"
#include "text.h"
#include "timers.h"

#include "iptrust/engine/clock.h"
#include "iptrust/engine/health.h"
#include "iptrust/listener/gate.h"
#include "iptrust/listener/listener.h"
#include "iptrust/transport/transport.h"

static inline int64_t h2_ms(int64_t ms)
{
    return ms * 1000000;
}

enum {
    H2_HEADERS_MAX = 16 << 10,    /* bytes of a call's metadata, as RFC 9113, 6.5.2 counts them */
    H2_HEADERS_BOMB = 256 << 10,  /* where a header list is an attack */
    H2_STREAM_WINDOW = 256 << 10, /* bytes of a stream that may be on their way */
    H2_CONN_WINDOW = 1 << 20,     /* the same of a connection */
    H2_BACKLOG_MAX = 256 << 10,   /* answers of a stream that wait before its messages do */
    H2_HELD_FREE = 16 << 10,      /* bytes a stream that are not counted: their sum is bounded by limits.streams */
    H2_CONN_HELD_MAX = 40 << 20,  /* bytes of messages that a connection may make us hold */
    H2_ALL_HELD_MAX = 256 << 20,  /* the same of all connections */
    H2_KEEP_BYTES = 8 << 10,      /* a buffer above this is not kept for the next call */
    H2_SPARE_MAX = 256,           /* streams that a loop keeps for the next calls */
    H2_IN = 64 << 10,             /* bytes read of a connection a turn */
    H2_OUT = 96 << 10,            /* room for what is written a turn */
    H2_OUT_FULL = 64 << 10,       /* of it; the rest is for the frame that passes this mark */
    H2_HELLO_MS = 10000,          /* from accept to the caller's SETTINGS, TLS included */
    H2_HEADERS_MS = 10000,        /* for a frame that has begun, or a header block */
    H2_MESSAGE_MS = 30000,        /* for a message, and for an answer to be taken */
    H2_PING_TIMEOUT_MS = 20000,   /* for the answer to a keepalive ping */
    H2_NOTICE_MS = 1000,          /* between the two GOAWAY, when no answer to the ping comes */
    H2_LINGER_MS = 1000,          /* for the other side to close, too */
    H2_LOOK_MS = IPT_BEAT_LONGEST_MS,
};

typedef struct h2_loop h2_loop;
typedef struct h2_conn h2_conn;
typedef struct h2_stream h2_stream;

/* ---- what is served ---- */

enum { H2_METADATA_MAX = 4 }; /* headers that a service adds to its answers' */

/* The program's own methods are a message in and a message out, and know nothing of streams. A service that uses all of
 * gRPC sees the stream: any number of answers at any time, and metadata both ways. Such methods are of the kind STREAM,
 * and none of their functions is called. */
typedef struct h2_service {
    const ipt_method *(*find)(ipt_span path);
    /* All of these, or none. */
    void (*header)(h2_stream *stream, ipt_span name, ipt_span value); /* of the call; the library's memory */
    void (*message)(h2_stream *stream, ipt_span bytes);
    void (*said_all)(h2_stream *stream); /* has to end the call, now or later */
    /* Adds headers, to live as long as the stream, before the first answer or to the status behind the last. */
    size_t (*metadata)(h2_stream *stream, bool is_behind, nghttp2_nv *to);
    void (*over)(h2_stream *stream); /* own is to be freed */
} h2_service;

/* ---- streams ---- */

/* A timer and whose it is. */
typedef struct h2_alarm {
    h2_timer timer; /* first */
    bool of_stream;
} h2_alarm;

struct h2_stream {
    h2_alarm alarm;         /* first */
    h2_stream *next, *prev; /* of the connection, touched last first; of the loop's spares */
    h2_conn *conn;
    const ipt_method *method; /* NULL: a path that nobody serves */
    int64_t deadline;         /* the caller's; INT64_MAX: none */
    int64_t ask_by;           /* when the header block or message under way must be there; INT64_MAX: none */
    int64_t take_by;          /* when take_mark must be taken; INT64_MAX: nothing waits */
    uint64_t queued, taken;   /* bytes of answers so far */
    uint64_t take_mark;
    int32_t id;
    uint32_t header_bytes;
    h2_frame_reader reader;
    ipt_buf inbox;       /* what came while answers wait; not yet consumed */
    ipt_buf out;         /* framed answers that wait */
    size_t out_at;       /* of out: taken */
    size_t held;         /* bytes counted in the budgets */
    ipt_status *end;     /* the status that follows the answers; NULL: OK */
    void *own;           /* of a service that sees streams */
    ipt_rpc_call *watch; /* a watch that waits for news */
    h2_stream *watch_next, *watch_prev;
    bool is_post, is_grpc, is_packed, bad_timeout, in_headers, said_all; /* said_all: the caller has ended its side */
    bool answered;                                                       /* headers were submitted */
    bool ended; /* the status is decided: what still comes is thrown away */
    bool deferred, touched;
};

/* ---- connections ---- */

/* Where in the caller's frames we are: the library ignores some without a word, and they count, too. */
typedef struct h2_place {
    uint8_t head[9];
    uint8_t have;  /* bytes of head */
    uint32_t left; /* bytes of the frame, or of the preface, still to come */
    bool in_block; /* a header block has begun, and the next frame goes on with it */
} h2_place;

typedef enum h2_drain { H2_DRAIN_NONE = 0, H2_DRAIN_NOTICED, H2_DRAIN_FINAL } h2_drain;

struct h2_conn {
    h2_alarm alarm; /* first */
    h2_conn *next, *prev;
    h2_loop *loop;
    nghttp2_session *session;
    h2_tls *tls; /* NULL: plain text */
    int fd;      /* -1: none, in tests */
    ipt_rpc_caller caller;
    h2_stream *streams;
    uint32_t stream_count;
    uint32_t events; /* of epoll, as set */
    size_t held;
    uint8_t *rest; /* what the socket did not take */
    size_t rest_n, rest_at;
    h2_flood flood;
    h2_place place;
    int64_t born, age_at, last_in;
    int64_t hello_by, frame_by, ping_by, write_by, drain_by, grace_by, linger_by; /* INT64_MAX: not now */
    h2_drain drain;
    bool refused;   /* by client_sans: every call is */
    bool shaking;   /* hands: TLS comes first */
    bool greeted;   /* the caller's SETTINGS have come */
    bool failed;    /* nothing more can be written */
    bool broken;    /* the other side has broken the protocol: it is told, and read no more */
    bool lingering; /* only for the other side to close */
    bool dirty;     /* a watch has spoken on it */
};

/* ---- loops ---- */

/* One connection handed from the loop that accepted it to the one that has the fewest, through its pipe; fd -1 wakes.
 */
typedef struct h2_post {
    int fd;
    bool has_addr;
    ipt_addr addr;
} h2_post;

struct h2_loop {
    ipt_transport *transport;
    pthread_t thread;
    bool started;
    int epoll, post[2], reserve;
    ipt_beat *beat;
    ipt_rpc_seat *seat;
    h2_timers timers;
    int64_t now, look_at;
    h2_conn *conns;
    h2_stream *spare, *watches;
    unsigned spare_count;
    _Atomic size_t conn_count; /* with those that are on their way */
    _Atomic bool closing;      /* what the transport has said was seen: nobody else is accepted */
    uint64_t jitter;
    uint8_t *in, *out;
    size_t out_n;
    ipt_rpc_call call; /* of the message that is being answered */
};

struct ipt_transport {
    ipt_engine *engine;
    ipt_rpc *rpc;
    ipt_log *log;
    const h2_service *service;
    uint32_t limit_streams;
    int64_t age_ns, keepalive_ns, grace_ns;
    ipt_listener listener;
    ipt_gate gate;
    h2_secure secure;
    ipt_tls_watch *watch;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    h2_loop *loops;
    unsigned loop_count;
    _Atomic size_t held;
    _Atomic bool closing, stop;
    bool running;
};

/* transport.c */
/* As ipt_transport_open, for another service (tests). */
IPT_MUST_USE ipt_err h2_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config,
                                       const ipt_inherited *inherited, unsigned threads, unsigned first_shard,
                                       const h2_service *service, ipt_transport **out);

/* loop.c */
IPT_MUST_USE ipt_err h2_loop_open(h2_loop *loop, ipt_transport *transport, unsigned number, unsigned shard);
IPT_MUST_USE ipt_err h2_loop_start(h2_loop *loop);
void h2_loop_wake(h2_loop *loop);
void h2_loop_stop(h2_loop *loop); /* joins; transport->stop is set */
void h2_loop_done(h2_loop *loop);

/* accept.c */
void h2_accept_some(h2_loop *loop);
void h2_accept_posted(h2_loop *loop); /* takes what others have handed over */

/* conn.c: a connection and its descriptor */
h2_conn *h2_conn_new(h2_loop *loop, int fd, bool has_addr,
                     ipt_addr addr); /* NULL: no memory; fd is still the caller's */
void h2_conn_free(h2_conn *conn);    /* closes fd, leaves the gate */
void h2_conn_begin(h2_conn *conn);   /* greets, or shakes hands */
void h2_conn_ready(h2_conn *conn, uint32_t events);
/* After anything that may have made output or an end: writes, sets timers, lets go. The connection may be gone. */
void h2_conn_settle(h2_conn *conn);
void h2_conn_alarm(h2_conn *conn);

/* drain.c: when connections have to end */
void h2_drain_begin(h2_conn *conn); /* the first GOAWAY */
void h2_drain_step(h2_conn *conn);  /* the second */
int64_t h2_age(h2_loop *loop);      /* how old a connection may become */
/* Asks whether the other side lives, ages it, ends what has taken too long; false: it is over. */
IPT_MUST_USE bool h2_conn_in_time(h2_conn *conn);
int64_t h2_conn_due(const h2_conn *conn);

/* session.c: HTTP/2, without a descriptor */
IPT_MUST_USE ipt_err h2_session_setup(ipt_transport *transport); /* callbacks and options of all sessions */
IPT_MUST_USE bool h2_session_new(h2_conn *conn);
/* False: the other side breaks the protocol, or there is no memory; what is to be said of it can still be taken. */
IPT_MUST_USE bool h2_session_feed(h2_conn *conn, const uint8_t *bytes, size_t n);
/* Appends what is to be sent to the loop's out, until it is full. False: it cannot go on. */
IPT_MUST_USE bool h2_session_take(h2_conn *conn);
void h2_session_retime(h2_conn *conn); /* sets the timers of streams that were touched */
void h2_session_enough(h2_conn *conn); /* ENHANCE_YOUR_CALM: GOAWAY, then the end */
bool h2_session_is_over(const h2_conn *conn);

/* place.c: frames as they come, before the library reads them */
void h2_place_init(h2_place *place);
/* False: there are too many of a kind. */
IPT_MUST_USE bool h2_place_walk(h2_conn *conn, const uint8_t *bytes, size_t n);

/* request.c: a call's headers */
void h2_request_header(h2_stream *stream, ipt_span name, ipt_span value);
void h2_request_begin(h2_stream *stream); /* the header block is whole */

/* stream.c: a call's messages */
h2_stream *h2_stream_new(h2_conn *conn, int32_t id);
void h2_stream_free(h2_stream *stream); /* the library has closed it */
void h2_stream_feed(h2_stream *stream, ipt_span bytes);
void h2_stream_said_all(h2_stream *stream);
void h2_stream_goes_on(h2_stream *stream); /* answers were taken: what waited may be looked at */
void h2_stream_touch(h2_stream *stream);
void h2_stream_retime(h2_stream *stream);
void h2_stream_alarm(h2_stream *stream);
void h2_watch_look(h2_loop *loop); /* tells those who watch what is new */
void h2_spares_free(h2_loop *loop);

/* reply.c: answers */
void h2_reply_message(h2_stream *stream);                       /* out has grown */
void h2_reply_end(h2_stream *stream, const ipt_status *status); /* NULL: OK */
void h2_reply_refuse(h2_stream *stream, ipt_problem_code code, const char *detail);
void h2_reply_http(h2_stream *stream, unsigned status);
void h2_reply_reset(h2_stream *stream, uint32_t error);
ssize_t h2_reply_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                      nghttp2_data_source *source, void *user);

#endif
