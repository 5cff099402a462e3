/* The document of a central place as it is at this moment. It is fetched by a thread of its own and judged by the one
 * that reloads, because it is taken by building a configuration with it. */
#ifndef IPTRUST_ENGINE_CENTRAL_PRIV_H
#define IPTRUST_ENGINE_CENTRAL_PRIV_H

#include <pthread.h>

#include "iptrust/central/bundle.h"
#include "iptrust/engine/central.h"
#include "iptrust/fetch/http.h"

enum { CENTRAL_WAIT_S = 50, CENTRAL_SPIN_MS = 200, CENTRAL_WHY_MAX = sizeof(((ipt_central_state *)0)->why) };

typedef struct engine_central {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool started, stop;
    atomic_bool abort;  /* seen by a transfer: it is to end */
    ipt_config *config; /* shared; NULL: nothing central is configured */
    uint64_t id;        /* of this configuration: what was asked for another one is void */
    /* In force; changed by the reloading thread alone, which therefore reads it without the lock. */
    ipt_buf bytes; /* the bundle as it came; n 0: none */
    bool in_force;
    uint64_t serial, floor; /* floor: of all that were ever taken */
    bool has_expires;
    int64_t expires, taken;
    bool recalled;
    /* What is to be judged. */
    ipt_buf candidate;
    bool asked, judged;
    ipt_central_event verdict;
    char verdict_why[CENTRAL_WHY_MAX];
    /* What came of the last question. */
    ipt_central_event event;
    int64_t event_at, success_at;
    char why[CENTRAL_WHY_MAX];
    ipt_family fetches;
    ipt_label events[IPT_CENTRAL_EVENTS];
} engine_central;

/* What to ask for; of the fetching thread. */
typedef struct central_job {
    uint64_t id;
    ipt_config *config; /* shared */
    const ipt_central_spec *spec;
    char etag[IPT_HTTP_ETAG_MAX]; /* of the last body */
    size_t endpoint, failures;    /* failures: endpoints that failed in a row */
    ipt_buf token;
} central_job;

/* What came: one turn of the thread. */
typedef struct central_turn {
    bool failed, stopped; /* failed: not yet told */
    int64_t wait_ms;      /* until the next turn */
    char why[CENTRAL_WHY_MAX];
} central_turn;

/* central_etcd.c: one turn; every document that it sees goes through central_offer. */
void central_turn_etcd(struct ipt_engine *engine, ipt_http *http, central_job *job, central_turn *out);

/* central_fetch.c: has a document judged and remembers what came of it. Blocks. FAILED: to be offered again. */
ipt_central_event central_offer(struct ipt_engine *engine, const central_job *job, ipt_span bytes);

/* central.c: under no lock, by the thread that fetches. */
void central_told(struct ipt_engine *engine, ipt_central_event event, const char *why);

#endif
