/* The engine's life. */
#include "engine_priv.h"

#include <stdlib.h>

static ipt_err init_locks(ipt_engine *engine)
{
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&engine->reload.lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&engine->reload.asked, &attr);
    (void)pthread_condattr_destroy(&attr);
    return IPT_OK;
}

static ipt_err init_parts(ipt_engine *engine)
{
    ipt_err err =
        ipt_metrics_new(engine->shards + 3, /* the reloading and the two fetching threads */ &engine->metrics);
    if (err == IPT_OK)
        err = engine_count_init(engine);
    if (err == IPT_OK)
        err = engine_requests_init(engine);
    if (err == IPT_OK)
        err = engine_lists_init(engine);
    if (err == IPT_OK)
        err = engine_central_init(engine);
    if (err == IPT_OK)
        err = ipt_metrics_on_collect(engine->metrics, engine_collect, engine);
    return err;
}

ipt_err ipt_engine_open(const ipt_engine_options *options, ipt_diag *diag, ipt_engine **out)
{
    ipt_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return IPT_ENOMEM;
    engine->shards = options->shards == 0 ? 1 : options->shards;
    engine->log = options->log;
    engine->decision_fd = options->decision_fd;
    engine->config_path = options->config_path;
    engine->config_options = options->config;
    engine->refresh = options->refresh;
    engine->clock = ipt_clock_start();
    engine_served_init(engine);
    ipt_err err = init_locks(engine);
    if (err == IPT_OK)
        err = init_parts(engine);
    if (err == IPT_OK)
        err = engine_load(engine, diag);
    if (err != IPT_OK) {
        ipt_engine_close(engine);
        return err;
    }
    engine_remember_load(engine, err, diag);
    *out = engine;
    return IPT_OK;
}

void ipt_engine_stop(ipt_engine *engine)
{
    engine_reload *reload = &engine->reload;
    engine_central_stop(engine); /* first: it waits for the reloading thread */
    engine_refresher_stop(engine);
    if (!reload->started)
        return;
    (void)pthread_mutex_lock(&reload->lock);
    reload->stop = true;
    (void)pthread_cond_signal(&reload->asked);
    (void)pthread_mutex_unlock(&reload->lock);
    (void)pthread_join(reload->thread, NULL);
    reload->started = false;
    engine_files_close(engine); /* last: the reloading thread looks at it */
}

void ipt_engine_close(ipt_engine *engine)
{
    if (engine == NULL)
        return;
    ipt_engine_stop(engine);
    ipt_slot_publish_take(&engine->slot, NULL);
    ipt_geo_unref(engine->geo);
    engine_central_done(engine);
    engine_served_done(engine);
    engine_lists_done(engine);
    ipt_ring_free(engine->decisions);
    ipt_metrics_free(engine->metrics);
    engine_beats_free(engine);
    (void)pthread_cond_destroy(&engine->reload.asked);
    (void)pthread_mutex_destroy(&engine->reload.lock);
    free(engine);
}

ipt_metrics *ipt_engine_metrics(ipt_engine *engine)
{
    return engine->metrics;
}

ipt_log *ipt_engine_log(ipt_engine *engine)
{
    return engine->log;
}

const ipt_generation *ipt_engine_acquire(ipt_engine *engine)
{
    return ipt_slot_acquire(&engine->slot);
}

void ipt_engine_release(ipt_engine *engine, const ipt_generation *generation)
{
    ipt_slot_release(&engine->slot, generation);
}
