/* The thread that asks a central place: over and over, kept waiting by a server that can (RFC 7240), else by the
 * interval. What it brings is judged by the thread that reloads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine_priv.h"

enum { FIRST_RETRY_MS = 500, SPIN_MS = CENTRAL_SPIN_MS };

void central_told(ipt_engine *engine, ipt_central_event event, const char *why)
{
    engine_central *c = &engine->central;
    (void)pthread_mutex_lock(&c->lock);
    bool news = event == IPT_CENTRAL_UPDATED || event != c->event || strcmp(why, c->why) != 0;
    bool quiet = event == IPT_CENTRAL_UNCHANGED && (c->event == IPT_CENTRAL_UPDATED || c->event == IPT_CENTRAL_NEVER);
    c->event = event;
    c->event_at = ipt_clock_wall();
    if (event == IPT_CENTRAL_UPDATED || event == IPT_CENTRAL_UNCHANGED)
        c->success_at = c->event_at;
    (void)snprintf(c->why, sizeof(c->why), "%s", why);
    uint64_t serial = c->serial;
    bool in_force = c->in_force;
    (void)pthread_mutex_unlock(&c->lock);
    ipt_metrics_add(engine->metrics, engine->shards + 2, c->fetches, &c->events[event], 1);
    if (!news)
        return;
    bool bad = event == IPT_CENTRAL_REFUSED || event == IPT_CENTRAL_FAILED;
    static const char *const msgs[] = {[IPT_CENTRAL_NEVER] = "central document",
                                       [IPT_CENTRAL_UPDATED] = "central document updated",
                                       [IPT_CENTRAL_UNCHANGED] = "central document unchanged",
                                       [IPT_CENTRAL_REFUSED] = "central document refused: the last good one stays",
                                       [IPT_CENTRAL_FAILED] = "central document not fetched: the last good one stays"};
    ipt_log_line line;
    ipt_log_begin(&line, engine->log, bad ? IPT_LOG_WARNING : quiet ? IPT_LOG_DEBUG : IPT_LOG_INFO, msgs[event]);
    if (in_force)
        ipt_log_num(&line, "serial", (int64_t)serial);
    if (why[0] != '\0')
        ipt_log_str(&line, "reason", ipt_span_from(why));
    ipt_log_end(&line);
}

ipt_central_event central_offer(ipt_engine *engine, const central_job *job, ipt_span bytes)
{
    engine_central *c = &engine->central;
    char why[CENTRAL_WHY_MAX];
    (void)pthread_mutex_lock(&c->lock);
    if (c->id != job->id) { /* by the next turn */
        (void)pthread_mutex_unlock(&c->lock);
        return IPT_CENTRAL_FAILED;
    }
    ipt_buf_reset(&c->candidate);
    ipt_buf_add(&c->candidate, bytes);
    bool failed = c->candidate.failed;
    c->asked = !failed;
    c->judged = false;
    (void)pthread_mutex_unlock(&c->lock);
    if (failed) {
        central_told(engine, IPT_CENTRAL_FAILED, "no memory");
        return IPT_CENTRAL_FAILED;
    }
    engine_ask_judgement(engine);
    (void)pthread_mutex_lock(&c->lock);
    while (!c->judged && !c->stop)
        (void)pthread_cond_wait(&c->changed, &c->lock);
    bool judged = c->judged;
    ipt_central_event verdict = c->verdict;
    memcpy(why, c->verdict_why, sizeof(why));
    (void)pthread_mutex_unlock(&c->lock);
    if (!judged)
        return IPT_CENTRAL_FAILED;
    if (verdict == IPT_CENTRAL_UPDATED)
        engine_central_remember(engine);
    central_told(engine, verdict, why);
    return verdict;
}

/* ---- by URL ---- */

static void turn_url(ipt_engine *engine, ipt_http *http, central_job *job, central_turn *out)
{
    const ipt_central_spec *spec = job->spec;
    const ipt_http_ask ask = {
        .url = spec->url, .ca_file = spec->ca, .etag = job->etag, .wait_s = CENTRAL_WAIT_S, .body_max = IPT_BUNDLE_MAX};
    ipt_http_answer answer = {0};
    uint64_t begun = ipt_clock_ms();
    ipt_http_get(http, &ask, &answer);
    bool prompt = ipt_clock_ms() - begun < SPIN_MS, waits = answer.waits && answer.etag[0] != '\0';
    out->wait_ms = !waits ? spec->interval_ms : prompt && answer.outcome == IPT_HTTP_UNCHANGED ? SPIN_MS : 0;
    switch (answer.outcome) {
    case IPT_HTTP_BODY:
        memcpy(job->etag, answer.etag, sizeof(job->etag));
        if (central_offer(engine, job, ipt_buf_span(&answer.body)) == IPT_CENTRAL_FAILED) {
            job->etag[0] = '\0';
            out->wait_ms = spec->interval_ms;
        }
        break;
    case IPT_HTTP_UNCHANGED: /* as good or as bad as it was before */
        if (engine->central.event != IPT_CENTRAL_REFUSED)
            central_told(engine, IPT_CENTRAL_UNCHANGED, "");
        break;
    case IPT_HTTP_STOPPED:
        out->stopped = true;
        break;
    case IPT_HTTP_FAILED:
        out->failed = true;
        job->etag[0] = '\0'; /* what comes next is judged, whatever was judged before */
        (void)snprintf(out->why, sizeof(out->why), "%.100s: %.200s", spec->url, answer.why);
        break;
    }
    ipt_http_answer_done(&answer);
}

/* ---- the thread ---- */

/* Under the lock. False: the thread is to end. */
static bool next_job(engine_central *c, central_job *job)
{
    while (!c->stop && c->config == NULL)
        (void)pthread_cond_wait(&c->changed, &c->lock);
    if (c->stop)
        return false;
    if (job->id != c->id) {
        ipt_config_free(job->config);
        ipt_buf_done(&job->token);
        *job = (central_job){.id = c->id, .config = ipt_config_share(c->config)};
        job->spec = job->config->central;
        atomic_store(&c->abort, false);
    }
    return true;
}

/* Under the lock. */
static void pause_for(engine_central *c, const central_job *job, int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    while (!c->stop && c->id == job->id)
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) == ETIMEDOUT)
            return;
}

static int64_t retry_ms(unsigned failures, int64_t interval_ms)
{
    int64_t ms = (int64_t)FIRST_RETRY_MS << (failures > 10 ? 10 : failures);
    return ms < interval_ms ? ms : interval_ms;
}

static void *central_thread(void *context)
{
    ipt_engine *engine = context;
    engine_central *c = &engine->central;
    ipt_auto(ipt_http) *http = NULL;
    central_job job = {0};
    unsigned failures = 0;
    if (ipt_http_new(&c->abort, &http) != IPT_OK) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "the central place is not asked: no memory", NULL, NULL);
        return NULL;
    }
    (void)pthread_mutex_lock(&c->lock);
    while (next_job(c, &job)) {
        central_turn turn = {0};
        (void)pthread_mutex_unlock(&c->lock);
        if (job.spec->etcd)
            central_turn_etcd(engine, http, &job, &turn);
        else
            turn_url(engine, http, &job, &turn);
        if (turn.failed) {
            central_told(engine, IPT_CENTRAL_FAILED, turn.why);
            turn.wait_ms = retry_ms(failures++, job.spec->interval_ms);
        } else if (!turn.stopped)
            failures = 0;
        (void)pthread_mutex_lock(&c->lock);
        pause_for(c, &job, turn.stopped ? 0 : turn.wait_ms);
    }
    (void)pthread_mutex_unlock(&c->lock);
    ipt_config_free(job.config);
    ipt_buf_done(&job.token);
    return NULL;
}

ipt_err engine_central_start(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    c->started = pthread_create(&c->thread, NULL, central_thread, engine) == 0;
    return c->started ? IPT_OK : IPT_EIO;
}

void engine_central_stop(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    if (!c->started)
        return;
    (void)pthread_mutex_lock(&c->lock);
    c->stop = true;
    atomic_store(&c->abort, true);
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
    c->started = false;
}
