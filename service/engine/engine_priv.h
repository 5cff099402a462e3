/* The engine's parts and what they share. */
#ifndef IPTRUST_ENGINE_PRIV_H
#define IPTRUST_ENGINE_PRIV_H

#include <pthread.h>

#include "iptrust/engine/requests.h"
#include "iptrust/fetch/watch.h"
#include "central_priv.h"
#include "lists_priv.h"
#include "iptrust/base/show.h"

enum { ENGINE_DIAG_TEXT = 8192, RULING_LABELS = 2 * (IPT_RULE_ALLOW + 1) };

/* Label values that are the same for every view. */
typedef struct engine_labels {
    ipt_label levels[IPT_LEVEL_AUTHENTICATED + 1];
    ipt_label modes[IPT_MODE_SHADOW + 1];
    ipt_label actions[IPT_ACTION_DENY + 1];
    ipt_label rulings[RULING_LABELS]; /* rule * 2 + unknown */
    ipt_label findings[IPT_FINDING_COUNT];
    ipt_label sources_fixed[2]; /* peer, proxy_protocol */
    ipt_label reload[2];        /* failure, success */
} engine_labels;

typedef struct engine_families {
    ipt_family decisions, verdicts, findings, reloads, unknown_policy, decision_duration;
} engine_families;

/* requests.c */
typedef struct engine_requests {
    ipt_family total, duration;
    ipt_label operations[IPT_OP_COUNT], results[IPT_PROBLEM_CODES + 1];
} engine_requests;

/* What the reloading thread is asked and has done. */
typedef struct engine_reload {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    bool stop, wanted, running;
    bool lists_wanted;     /* a view with the lists as they are now */
    bool document_wanted;  /* a central document waits to be judged */
    ipt_reload_done *done; /* of who waits; NULL */
    void *done_context;
    ipt_reload_hook *hook; /* NULL: none */
    void *hook_context;
    /* of the last load */
    bool ok;
    int64_t when;
    char text[ENGINE_DIAG_TEXT];
} engine_reload;

/* served.c */
typedef struct engine_served {
    pthread_mutex_t lock; /* of current */
    ipt_served *current;
    _Atomic uint64_t number;
    bool has_key, recalled; /* of the reloading thread, as what follows */
    ipt_signing_key key;
    uint64_t serial;
    char digest[65]; /* of the document that has this serial */
} engine_served;

struct ipt_engine {
    ipt_slot slot;
    ipt_metrics *metrics;
    ipt_log *log;
    int decision_fd;
    _Atomic(ipt_ring *) decisions; /* NULL until a configuration asks for a decision log; then it stays */
    const char *config_path;
    ipt_config_options config_options;
    ipt_clock clock;
    unsigned shards; /* of those that decide; one more is the reloading thread's */
    engine_labels labels;
    engine_families families;
    engine_requests requests;
    engine_reload reload;
    engine_lists lists;
    engine_central central;
    engine_served served;
    bool refresh;     /* lists are fetched */
    ipt_watch *watch; /* NULL: not started, or inotify is not to be had */
    ipt_geo *geo;     /* the databases last opened; of who reloads alone */
    struct ipt_beat *beats;
    _Atomic bool draining, listener_died;
};

/* counting.c */
IPT_MUST_USE ipt_err engine_count_init(ipt_engine *engine);
void engine_count_decision(ipt_engine *engine, const ipt_generation *generation, unsigned shard,
                           const ipt_decision *decision, uint64_t nanoseconds);
void engine_count_unknown_policy(ipt_engine *engine, unsigned shard);
void engine_count_reload(ipt_engine *engine, bool ok);
/* Label values for a view's policies and sources. */
IPT_MUST_USE ipt_err engine_generation_new(ipt_engine *engine, ipt_view **view_take, ipt_generation **out);

/* health.c */
void engine_beats_free(ipt_engine *engine);

/* requests.c */
IPT_MUST_USE ipt_err engine_requests_init(ipt_engine *engine);

/* lists.c, lists_json.c */
IPT_MUST_USE ipt_err engine_lists_init(ipt_engine *engine);
void engine_lists_done(ipt_engine *engine);
/* From now on these are the lists; what is known of those that stay is kept. */
IPT_MUST_USE ipt_err engine_lists_adopt(ipt_engine *engine, ipt_config *config);
/* The configuration with the contents of now. */
IPT_MUST_USE ipt_err engine_lists_overlay(ipt_engine *engine, const ipt_config *config, ipt_config **out);
void engine_publish_lists(ipt_engine *engine);     /* asks the reloading thread for a view with them */
void engine_lists_publish_now(ipt_engine *engine); /* by that thread */
void engine_lists_collect(ipt_engine *engine, ipt_expo *expo);

IPT_MUST_USE ipt_err engine_lists_open_store(ipt_engine *engine, const ipt_config *config);

/* central.c: by the thread that loads, where nothing else is said */
IPT_MUST_USE ipt_err engine_central_init(ipt_engine *engine);
void engine_central_done(ipt_engine *engine);
IPT_MUST_USE ipt_err engine_central_recall(ipt_engine *engine); /* once there is a store */
/* The one in force, for a configuration that is being loaded; n 0: none. Borrowed until the next is judged. */
ipt_span engine_central_document(ipt_engine *engine, const ipt_config *config, ipt_diag *diag);
void engine_central_set(ipt_engine *engine, ipt_config *config, bool in_force); /* it is published */
void engine_central_judge(ipt_engine *engine);
void engine_central_remember(ipt_engine *engine); /* any thread */
void engine_central_collect(ipt_engine *engine, ipt_expo *expo);
/* central_keys.c */
/* Those of public_keys that are keys, at most IPT_CENTRAL_KEYS_MAX; diag (may be NULL) is told of the others. */
size_t engine_central_keys(const ipt_central_spec *spec, ipt_public_key keys[IPT_CENTRAL_KEYS_MAX], ipt_diag *diag);
/* What serve_central.signing_key_file holds; false: diag says why not. */
IPT_MUST_USE bool engine_served_key(const ipt_config *config, ipt_diag *diag, ipt_signing_key *out);
/* central_fetch.c */
IPT_MUST_USE ipt_err engine_central_start(ipt_engine *engine);
void engine_central_stop(ipt_engine *engine);
/* served.c */
void engine_served_init(ipt_engine *engine);
void engine_served_done(ipt_engine *engine);
void engine_served_set_key(ipt_engine *engine, const ipt_config *config, ipt_diag *diag);
void engine_served_renew(ipt_engine *engine, const ipt_config *config); /* after a view with it is published */
/* config_json.c: what others need to judge as this configuration does; as YAML for `central`. */
void engine_write_document(ipt_buf *out, const ipt_config *config);

/* refresher.c */
IPT_MUST_USE ipt_err engine_refresher_start(ipt_engine *engine); /* nothing when refreshing is off */
void engine_refresher_stop(ipt_engine *engine);

/* files.c */
void engine_files_open(ipt_engine *engine); /* from now on a change of a file asks for a reload */
void engine_files_look(ipt_engine *engine); /* after a load: there may be other files, or links that lead elsewhere */
void engine_files_close(ipt_engine *engine);

/* gauges.c */
void engine_collect(void *context, ipt_expo *expo);

/* decision_log.c */
void engine_log_decision(ipt_engine *engine, ipt_seat *seat, const ipt_call *call, ipt_api api,
                         const ipt_decision *decision);

/* geo.c */
/* Takes over files that were replaced, and publishes a view with them. */
void engine_geo_poll(ipt_engine *engine);

/* reload.c */
void engine_ask_judgement(ipt_engine *engine); /* of the central candidate */
IPT_MUST_USE ipt_err engine_publish_config(ipt_engine *engine, ipt_config *config, const ipt_geo *geo, const char *msg);
void engine_log_view(ipt_engine *engine, const ipt_view *view, const char *msg);
IPT_MUST_USE ipt_err engine_load(ipt_engine *engine, ipt_diag *diag);
void engine_remember_load(ipt_engine *engine, ipt_err err, const ipt_diag *diag);

#endif
