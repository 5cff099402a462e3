/* Fetched lists as they are at this moment: what is active, what is held, what happened last and when the feed is asked
 * again. One lock over all; nobody on the request path takes it, because requests read views. */
#ifndef IPTRUST_ENGINE_LISTS_PRIV_H
#define IPTRUST_ENGINE_LISTS_PRIV_H

#include <pthread.h>

#include "iptrust/engine/lists.h"
#include "iptrust/fetch/http.h"
#include "iptrust/fetch/schedule.h"
#include "iptrust/fetch/store.h"
#include "iptrust/ranges/record.h"

enum { LIST_WHY_MAX = 320, LIST_PARTS_MAX = IPT_RECORD_PARTS_MAX, LIST_DIFFERENCE_MAX = 50 };

typedef enum list_event {
    LIST_NEVER = 0, /* not asked since the start */
    LIST_UPDATED,
    LIST_UNCHANGED,
    LIST_HELD,
    LIST_REFUSED,
    LIST_FAILED, /* no body */
    LIST_EVENTS,
} list_event;
const char *list_event_name(list_event event);

/* Where a body came from, and the validators that it came with (RFC 9110, 8.8). */
typedef struct list_part {
    char url[512];
    char etag[IPT_HTTP_ETAG_MAX], last_modified[64];
} list_part;

typedef struct list_contents {
    bool there;
    ipt_feed feed; /* owned */
    int64_t fetched_at, changed_at;
} list_contents;

typedef struct living_list {
    struct living_list *next;
    char name[IPT_NAME_LENGTH_MAX + 1];
    uint64_t id;        /* of this entry: an answer to another one's question is void */
    ipt_buf source;     /* ipt_feed_describe() */
    ipt_config *config; /* shared: keeps spec alive */
    const ipt_list_spec *spec;
    list_contents built_in; /* there: a snapshot is compiled in */
    list_contents active;   /* there: fetched once; else the snapshot is in force */
    list_contents held;
    ipt_update_text held_why;
    bool has_accepted;
    int64_t accepted_at;
    ipt_accept_past past;
    list_part parts[LIST_PARTS_MAX];
    uint32_t part_count;
    bool keep_record; /* what is stored is of a later program: not ours to replace */
    bool unsaved;     /* its record waits for the reloading thread */
    ipt_schedule schedule;
    bool fetching;
    list_event event;
    int64_t event_at;
    char event_why[LIST_WHY_MAX];
    ipt_label label;
} living_list;

typedef struct engine_lists {
    pthread_mutex_t lock; /* of all lists and what follows; taken after store_lock */
    pthread_cond_t changed;
    living_list *first;
    uint64_t next_id;
    pthread_mutex_t store_lock; /* one record is written at a time, so that the later state wins */
    ipt_store *store;           /* NULL: nothing outlives a restart */
    pthread_t thread;
    bool started, stop;
    atomic_bool stopping; /* seen by a transfer */
    ipt_family refreshes;
    ipt_label events[LIST_EVENTS];
} engine_lists;

/* What to fetch, and what came of it. */
typedef struct list_job {
    uint64_t id;
    char name[IPT_NAME_LENGTH_MAX + 1];
    ipt_config *config;
    const ipt_list_spec *spec;
    bool conditional;
    list_part parts[LIST_PARTS_MAX]; /* as known; then as received */
    uint32_t part_count;
} list_job;

typedef enum list_fetched {
    LIST_FETCH_FAILED = 0,
    LIST_FETCH_REFUSED, /* a body, but not one to take */
    LIST_FETCH_UNCHANGED,
    LIST_FETCH_PARSED,
    LIST_FETCH_STOPPED,
} list_fetched;

typedef struct list_answer {
    list_fetched outcome;
    ipt_feed feed; /* PARSED */
    int64_t retry_after;
    char why[LIST_WHY_MAX];
} list_answer;

/* lists_fetch.c: blocks. */
void list_fetch(ipt_http *http, list_job *job, list_answer *out);
void list_describe(const ipt_list_spec *spec, ipt_buf *out);

/* lists_judge.c: under the lock. */
list_event list_take(living_list *list, list_answer *answer, const list_job *job, int64_t now,
                     ipt_accept_answer *judged);
bool list_accept(living_list *list, const ipt_digest *digest, bool rollback, int64_t now, ipt_accept_answer *judged);
void list_contents_done(list_contents *contents);
const ipt_feed *list_active(const living_list *list); /* NULL: none */

/* lists_store.c */
void list_remember(struct ipt_engine *engine, const char *name);   /* writes the record; takes both locks */
void lists_remember_unsaved(struct ipt_engine *engine);            /* of all that wait for it; the same */
ipt_err list_recall(struct ipt_engine *engine, living_list *list); /* a list that is not yet in the table */

/* lists.c: under the lock. */
living_list *list_find(engine_lists *lists, const char *name);

#endif
