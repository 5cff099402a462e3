/* One body from one address, whole or not at all: https (http to this machine alone), from the host that was named,
 * within bounds of time, rate and decoded size. Blocks; for a thread of its own. By libcurl. */
#ifndef IPTRUST_FETCH_HTTP_H
#define IPTRUST_FETCH_HTTP_H

#include <stdatomic.h>

#include "iptrust/base/buf.h"

enum {
    IPT_HTTP_BODY_MAX = 16 << 20,   /* bytes, decoded */
    IPT_HTTP_HEADER_MAX = 64 << 10, /* bytes of all headers */
    IPT_HTTP_TIMEOUT_MS = 30000,    /* of one request, from its begin to its end */
    IPT_HTTP_CONNECT_MS = 10000,
    IPT_HTTP_RATE_MIN = 1024, /* bytes a second ... */
    IPT_HTTP_RATE_S = 10,     /* ... over so many seconds, else it is given up */
    IPT_HTTP_HOPS_MAX = 3,    /* redirects */
    IPT_HTTP_WAIT_MAX_S = 600,
    IPT_HTTP_ETAG_MAX = 256,
    IPT_HTTP_WHY_MAX = 256,
};

typedef struct ipt_http ipt_http;

/* stop: borrowed; once it is true a transfer ends within a second. */
IPT_MUST_USE ipt_err ipt_http_new(const atomic_bool *stop, ipt_http **out);
void ipt_http_free(ipt_http *http);
IPT_DEFINE_CLEANUP(ipt_http, ipt_http_free)

typedef struct ipt_http_ask {
    const char *url;
    const char *ca_file;       /* PEM, the only authority then; NULL: those of the system */
    const char *etag;          /* of the contents at hand; NULL: none */
    const char *last_modified; /* the same */
    bool redirects;            /* follow them, on the same host and scheme */
    int64_t timeout_ms;        /* 0: IPT_HTTP_TIMEOUT_MS; without the time of wait_s */
    size_t body_max;           /* bytes; 0: IPT_HTTP_BODY_MAX */
    /* The server may keep us waiting for news so long, in silence: `Prefer: wait` (RFC 7240, 4.3). 0: it may not. */
    unsigned wait_s;
    ipt_span post;             /* JSON to POST; p NULL: GET */
    const char *authorization; /* NULL: none */
    const char *header;        /* one more, "Name: value"; NULL: none */
    /* A body without an end, of which no more is wanted once this is true; then, and when the time is over, what has
     * come is the answer. Not for what may be compressed. */
    bool (*enough)(ipt_span body);
} ipt_http_ask;

typedef enum ipt_http_outcome {
    IPT_HTTP_FAILED = 0, /* why says why, as a person reads it */
    IPT_HTTP_BODY,       /* 200, whole */
    IPT_HTTP_UNCHANGED,  /* 304 to a condition of ours */
    IPT_HTTP_STOPPED,
} ipt_http_outcome;

typedef struct ipt_http_answer {
    ipt_http_outcome outcome;
    unsigned status;                                 /* 0: none arrived */
    int64_t retry_after;                             /* seconds, 0: nothing was asked for */
    bool waits;                                      /* Preference-Applied: wait */
    ipt_buf body;                                    /* decoded; owned */
    char etag[IPT_HTTP_ETAG_MAX], last_modified[64]; /* "" when absent or not printable */
    char why[IPT_HTTP_WHY_MAX];
} ipt_http_answer;
void ipt_http_answer_done(ipt_http_answer *answer);

/* What is in *out is overwritten, not freed. */
void ipt_http_get(ipt_http *http, const ipt_http_ask *ask, ipt_http_answer *out);

/* Both URLs name the same scheme, host and port. */
bool ipt_http_same_host(const char *a, const char *b);

#endif
