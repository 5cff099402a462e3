/* The use case behind every face: take the current view, find the policy, decide, count, log. And what keeps the view
 * current: loading, publishing, reloading, ageing, all off the threads that serve. */
#ifndef IPTRUST_ENGINE_ENGINE_H
#define IPTRUST_ENGINE_ENGINE_H

#include "iptrust/codec/json.h"
#include "iptrust/engine/clock.h"
#include "iptrust/engine/log.h"
#include "iptrust/engine/slot.h"

typedef struct ipt_engine ipt_engine;

typedef struct ipt_engine_options {
    const char *config_path;   /* NULL: the embedded default */
    ipt_config_options config; /* environment; kept for reloads */
    unsigned shards;           /* threads that decide; numbered from 0 */
    int decision_fd;           /* decision log; -1: none */
    ipt_log *log;              /* may be NULL */
    bool refresh;              /* fetch lists; false: built-in, remembered and accepted contents alone */
} ipt_engine_options;

/* Loads, builds and publishes the first view. IPT_ECONFIG: diag says why; diag also holds warnings on success. */
IPT_MUST_USE ipt_err ipt_engine_open(const ipt_engine_options *options, ipt_diag *diag, ipt_engine **out);
/* After every thread that decides has ended. */
void ipt_engine_close(ipt_engine *engine);
IPT_DEFINE_CLEANUP(ipt_engine, ipt_engine_close)

/* Starts the threads that reload, age, watch files and fetch lists. */
IPT_MUST_USE ipt_err ipt_engine_start(ipt_engine *engine);
/* Ends it: afterwards nobody who waits for a reload is called any more. Twice is fine. */
void ipt_engine_stop(ipt_engine *engine);

ipt_metrics *ipt_engine_metrics(ipt_engine *engine);
ipt_log *ipt_engine_log(ipt_engine *engine);
const ipt_generation *ipt_engine_acquire(ipt_engine *engine);
void ipt_engine_release(ipt_engine *engine, const ipt_generation *generation);

/* ---- deciding ---- */

/* A face; what it selects by stands in a policy's `selectable_by`. */
typedef enum ipt_api { IPT_API_REST = 0, IPT_API_GRPC, IPT_API_EXT_AUTHZ, IPT_API_AUTH } ipt_api;

/* Of one thread that decides. */
typedef struct ipt_seat {
    unsigned shard;
    uint64_t random; /* state for sampling; any value but 0 */
} ipt_seat;

/* False: problem says why, nothing was counted but the refusal. generation is held by the caller until the decision has
 * been written out. */
IPT_MUST_USE bool ipt_engine_decide(ipt_engine *engine, const ipt_generation *generation, ipt_seat *seat,
                                    const ipt_call *call, ipt_api api, ipt_detail detail, ipt_decision *out,
                                    ipt_problem *problem);

/* The two halves of it, for a face that chooses by rules of its own. NULL: problem says why; the refusal was counted.
 * wanted.p NULL: the default policy. selectable_by: one IPT_SELECT_*, or 0 when any policy will do. */
const ipt_policy *ipt_engine_find_policy(ipt_engine *engine, const ipt_generation *generation, unsigned shard,
                                         ipt_span wanted, unsigned selectable_by, ipt_problem *problem);
IPT_MUST_USE bool ipt_engine_decide_by(ipt_engine *engine, const ipt_generation *generation, ipt_seat *seat,
                                       const ipt_policy *policy, const ipt_call *call, ipt_api api, ipt_detail detail,
                                       ipt_decision *out, ipt_problem *problem);

/* Zero address and unix false: UNKNOWN. */
ipt_caller ipt_engine_caller(const ipt_generation *generation, bool is_unix, ipt_addr peer);

/* ---- keeping current ---- */

typedef struct ipt_reload_result {
    bool ok;
    char policies_revision[9], lists_revision[9]; /* of the view in force afterwards */
    char geo_revision[9];                         /* "" without a database */
    const ipt_diag *diag;                         /* borrowed for the call */
    ipt_err err;
} ipt_reload_result;
typedef void ipt_reload_done(void *context, const ipt_reload_result *result);

/* Opens and checks the databases of a configuration: not on a thread that serves. *out is NULL when there are none.
 * IPT_ECONFIG: a rule that none of them can answer; diag says which. previous lends its copies and may be NULL. */
IPT_MUST_USE ipt_err ipt_engine_open_geo(const ipt_config *config, const ipt_geo *previous, ipt_diag *diag,
                                         ipt_geo **out);

/* Asks for a reload; requests that arrive while one is waiting are one. */
void ipt_engine_reload(ipt_engine *engine);
/* The same for somebody who waits for the outcome; done is called by the reloading thread. False: one is under way. */
IPT_MUST_USE bool ipt_engine_reload_wait(ipt_engine *engine, ipt_reload_done *done, void *context);

/* Called by the reloading thread after every reload that succeeded, before its outcome is told: for what else is to be
 * read again. What it adds to diag is said with the reload's own warnings. Set before ipt_engine_start. */
typedef void ipt_reload_hook(void *context, const ipt_config *config, ipt_diag *diag);
void ipt_engine_on_reload(ipt_engine *engine, ipt_reload_hook *hook, void *context);

/* Of the last load. text: the complaints, one a line, "" when there were none; at most cap bytes with NUL. */
bool ipt_engine_last_reload(ipt_engine *engine, int64_t *when, char *text, size_t cap);

/* The effective configuration as JSON, secrets left out. */
void ipt_engine_write_config(ipt_buf *out, const ipt_config *config);
/* Policies of a view as JSON. */
void ipt_engine_write_policies(ipt_buf *out, const ipt_view *view);

#endif
