/* The other side of a connection without a network: a client session of nghttp2, and the transport's loop that answers
 * it when the test says so, at the time that the test says. */
#ifndef IPTRUST_TESTS_H2_CLIENT_H
#define IPTRUST_TESTS_H2_CLIENT_H

#include "h2_priv.h"

typedef struct h2_bench {
    ipt_engine *engine;
    ipt_rpc *rpc;
    ipt_transport *transport;
    h2_loop *loop;
} h2_bench;

void h2_bench_open(h2_bench *bench);
void h2_bench_close(h2_bench *bench);

enum { H2_CALLS_MAX = 128 };

/* What the client has seen of one call. */
typedef struct h2_seen {
    int32_t id;
    int http, grpc;      /* -1: not yet */
    unsigned messages;   /* whole ones */
    size_t bytes;        /* of DATA */
    uint32_t reset;      /* the error of the end */
    bool ended, trailed; /* trailed: the status came behind the first headers */
    h2_frame_reader reader;
} h2_seen;

typedef struct h2_client {
    nghttp2_session *session;
    h2_conn *conn;
    size_t piece; /* bytes that the server is fed at once; 0: all */
    h2_seen seen[H2_CALLS_MAX];
    unsigned count;
    unsigned goaways, pings;
    int32_t goaway_last;
    uint32_t goaway_error;
    bool deaf; /* takes what comes and answers nothing */
    bool over; /* the server has broken the connection off */
} h2_client;

/* window: of each stream towards the client; 0: the default. False: no memory on the server's side. */
bool h2_client_open(h2_client *client, h2_bench *bench, uint32_t window);
void h2_client_close(h2_client *client);
/* A call with its whole body, framed by the caller; end: behind it. extra: one more header, name NULL for none. */
h2_seen *h2_client_call(h2_client *client, const char *path, ipt_span body, bool end, const char *name,
                        const char *value);
void h2_client_headers(h2_client *client, const nghttp2_nv *headers, size_t count, h2_seen **out);
/* Raw bytes into the server, past the session. */
void h2_client_raw(h2_client *client, const void *bytes, size_t n);
/* Both sides talk until neither has anything to say. */
void h2_client_run(h2_client *client);
/* Time goes on, and what is due happens. */
void h2_client_wait(h2_client *client, int64_t ms);
h2_seen *h2_client_find(h2_client *client, int32_t id);

#endif
