/* A view of the same configuration with the lists as they are now. By the reloading thread, so that publications follow
 * one another. */
#include "engine_priv.h"

void engine_lists_publish_now(ipt_engine *engine)
{
    ipt_auto(ipt_view) *view = NULL;
    ipt_auto(ipt_config) *current = NULL;
    ipt_generation *generation = NULL;
    const ipt_generation *old = ipt_engine_acquire(engine);
    char before[sizeof(old->view->lists_revision)];
    memcpy(before, old->view->lists_revision, sizeof(before));
    ipt_err err = engine_lists_overlay(engine, old->view->config, &current);
    ipt_engine_release(engine, old);
    if (err == IPT_OK)
        err = ipt_view_build_take(current, ipt_clock_now(&engine->clock), &view);
    if (err == IPT_OK) {
        current = NULL; /* the view's now */
        ipt_view_set_geo(view, engine->geo);
        err = engine_generation_new(engine, &view, &generation);
    }
    if (err != IPT_OK) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "new lists could not be published", "fault", ipt_err_name(err));
        return;
    }
    const ipt_view *fresh = generation->view;
    ipt_slot_publish_take(&engine->slot, generation);
    engine_served_renew(engine, fresh->config);
    if (strcmp(before, fresh->lists_revision) != 0)
        engine_log_view(engine, fresh, "lists published");
}

void engine_publish_lists(ipt_engine *engine)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    r->lists_wanted = true;
    (void)pthread_cond_signal(&r->asked);
    (void)pthread_mutex_unlock(&r->lock);
}
