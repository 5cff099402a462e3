/* A central document below the configuration: which one is in force, what a new one must be to replace it, and what is
 * kept of it for the next start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"

static const char record_name[] = "_central"; /* no list can have this name */

const char *ipt_central_event_name(ipt_central_event event)
{
    static const char *const names[] = {"never", "updated", "unchanged", "refused", "failed"};
    return names[event];
}

ipt_err engine_central_init(ipt_engine *engine)
{
    static const char *const labels[] = {"result"};
    engine_central *c = &engine->central;
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    for (unsigned i = 0; i < IPT_CENTRAL_EVENTS; i++)
        c->events[i] = ipt_metrics_value(engine->metrics, ipt_central_event_name((ipt_central_event)i));
    return ipt_metrics_counter(engine->metrics, "iptrust_central_fetch",
                               "Questions to the central place, by what came of them.", labels, 1, &c->fetches);
}

void engine_central_done(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    ipt_config_free(c->config);
    ipt_buf_done(&c->bytes);
    ipt_buf_done(&c->candidate);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
}

/* ---- what may be taken ---- */

/* NULL: it may. Time and the serials of the past are not looked at: what is in force stays so. */
static const char *objection(ipt_span bytes, const ipt_central_spec *spec, ipt_bundle *out)
{
    ipt_public_key keys[IPT_CENTRAL_KEYS_MAX];
    const char *why = "";
    if (ipt_bundle_parse(bytes, out, &why) != IPT_BUNDLE_OK)
        return why;
    if (!spec->is_unsigned && !out->is_signed)
        return "it is not signed";
    if (!spec->is_unsigned && !ipt_bundle_verify(out, keys, engine_central_keys(spec, keys, NULL)))
        return "none of public_keys has signed it, or it was changed since";
    if (out->serial < spec->min_serial)
        return "its serial is below min_serial";
    return NULL;
}

ipt_span engine_central_document(ipt_engine *engine, const ipt_config *config, ipt_diag *diag)
{
    engine_central *c = &engine->central;
    ipt_bundle bundle;
    if (config->central == NULL || c->bytes.n == 0)
        return (ipt_span){NULL, 0};
    const char *why = objection(ipt_buf_span(&c->bytes), config->central, &bundle);
    if (why == NULL)
        return bundle.document;
    ipt_diag_add(diag, IPT_WARNING, config->central->place, "the last good central document is not used: %s", why);
    return (ipt_span){NULL, 0};
}

void engine_central_set(ipt_engine *engine, ipt_config *config, bool in_force)
{
    engine_central *c = &engine->central;
    (void)pthread_mutex_lock(&c->lock);
    ipt_config_free(c->config);
    c->config = config->central == NULL ? NULL : ipt_config_share(config);
    c->in_force = in_force;
    c->id++;
    atomic_store(&c->abort, true);
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- across restarts ---- */

void engine_central_remember(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    engine_lists *lists = &engine->lists;
    ipt_auto(ipt_buf) bytes = {0};
    char why[IPT_STORE_WHY_MAX] = "";
    if (lists->store == NULL || !ipt_store_is_writer(lists->store))
        return;
    (void)pthread_mutex_lock(&lists->store_lock);
    (void)pthread_mutex_lock(&c->lock);
    const ipt_central_record record = {.floor = c->floor, .taken = c->taken, .bundle = ipt_buf_span(&c->bytes)};
    ipt_central_record_encode(&bytes, &record);
    (void)pthread_mutex_unlock(&c->lock);
    bool ok = !bytes.failed && ipt_store_write(lists->store, record_name, ipt_buf_span(&bytes), why) == IPT_STORE_OK;
    (void)pthread_mutex_unlock(&lists->store_lock);
    if (!ok)
        ipt_log_note(engine->log, IPT_LOG_WARNING, "the central document could not be kept for the next start",
                     "reason", bytes.failed ? "no memory" : why);
}

ipt_err engine_central_recall(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    ipt_auto(ipt_buf) bytes = {0};
    ipt_central_record record;
    ipt_bundle bundle;
    char why[IPT_STORE_WHY_MAX] = "";
    const char *flaw = NULL;
    if (c->recalled || engine->lists.store == NULL)
        return IPT_OK;
    c->recalled = true;
    ipt_store_result result = ipt_store_read(engine->lists.store, record_name, &bytes, why);
    if (bytes.failed)
        return IPT_ENOMEM;
    if (result == IPT_STORE_NONE)
        return IPT_OK;
    if (result != IPT_STORE_OK || !ipt_central_record_decode(ipt_buf_span(&bytes), &record) ||
        ipt_bundle_parse(record.bundle, &bundle, &flaw) != IPT_BUNDLE_OK) {
        ipt_log_note(engine->log, IPT_LOG_WARNING, "the last good central document cannot be used", "reason",
                     result == IPT_STORE_OK ? "its record is damaged" : why);
        return IPT_OK;
    }
    ipt_buf_add(&c->bytes, record.bundle);
    if (c->bytes.failed)
        return IPT_ENOMEM;
    c->serial = bundle.serial;
    c->has_expires = bundle.has_expires;
    c->expires = bundle.expires;
    c->floor = record.floor;
    c->taken = record.taken;
    return IPT_OK;
}

/* ---- a new one ---- */

/* The first complaint of the document itself, or any. */
static void quote(const ipt_diag *diag, char why[CENTRAL_WHY_MAX])
{
    const ipt_diag_item *found = diag->first;
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        if (item->place.file != NULL && strcmp(item->place.file, IPT_CONFIG_DOCUMENT) == 0) {
            found = item;
            break;
        }
    }
    if (found != NULL)
        (void)snprintf(why, CENTRAL_WHY_MAX, "%s:%u:%u: %s", found->place.file == NULL ? "-" : found->place.file,
                       found->place.line, found->place.column, found->text);
}

static bool ours_is_good(const ipt_engine *engine)
{
    ipt_auto(ipt_config) *config = NULL;
    ipt_diag diag;
    if (ipt_diag_init(&diag) != IPT_OK)
        return false;
    ipt_err err = ipt_config_load(engine->config_path, &engine->config_options, &diag, &config);
    ipt_diag_done(&diag);
    return err == IPT_OK;
}

/* Builds and publishes the configuration with it. */
static ipt_central_event apply(ipt_engine *engine, ipt_span document, char why[CENTRAL_WHY_MAX])
{
    ipt_auto(ipt_config) *config = NULL;
    ipt_config_options options = engine->config_options;
    ipt_geo *geo = NULL;
    ipt_diag diag;
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK) {
        (void)snprintf(why, CENTRAL_WHY_MAX, "no memory");
        return IPT_CENTRAL_FAILED;
    }
    diag.watched = IPT_CONFIG_DOCUMENT;
    options.document = document;
    err = ipt_config_load(engine->config_path, &options, &diag, &config);
    bool refused = err == IPT_ECONFIG;
    if (err == IPT_OK) {
        refused = diag.watched_items != 0 && !(config->central != NULL && config->central->allow_dangerous);
        if (!refused)
            err = ipt_engine_open_geo(config, engine->geo, &diag, &geo);
        refused = refused || err == IPT_ECONFIG;
    }
    if (err == IPT_OK && !refused)
        err = engine_publish_config(engine, config, geo, "central document taken");
    if (err == IPT_OK && !refused) {
        ipt_geo_unref(engine->geo);
        engine->geo = geo;
        geo = NULL;
    }
    ipt_geo_unref(geo);
    if (refused && err == IPT_ECONFIG && !ours_is_good(engine)) {
        (void)snprintf(why, CENTRAL_WHY_MAX, "the configuration of this machine cannot be read at the moment");
        refused = false;
    } else if (refused)
        quote(&diag, why);
    else if (err != IPT_OK)
        (void)snprintf(why, CENTRAL_WHY_MAX, "%s", ipt_err_name(err));
    ipt_diag_done(&diag);
    return refused ? IPT_CENTRAL_REFUSED : err == IPT_OK ? IPT_CENTRAL_UPDATED : IPT_CENTRAL_FAILED;
}

static ipt_central_event judge(ipt_engine *engine, ipt_buf *bytes, char why[CENTRAL_WHY_MAX])
{
    engine_central *c = &engine->central;
    const ipt_central_spec *spec = c->config == NULL ? NULL : c->config->central;
    ipt_bundle bundle;
    if (spec == NULL)
        return IPT_CENTRAL_FAILED;
    const char *wrong = objection(ipt_buf_span(bytes), spec, &bundle);
    bool same = wrong == NULL && ipt_span_equal(ipt_buf_span(bytes), ipt_buf_span(&c->bytes));
    if (same && c->in_force)
        return IPT_CENTRAL_UNCHANGED;
    if (wrong == NULL && bundle.has_expires && bundle.expires < ipt_clock_now(&engine->clock))
        wrong = "it has expired";
    if (wrong != NULL) {
        (void)snprintf(why, CENTRAL_WHY_MAX, "%s", wrong);
        return IPT_CENTRAL_REFUSED;
    }
    if (!same && c->floor != 0 && bundle.serial <= c->floor) {
        (void)snprintf(why, CENTRAL_WHY_MAX, "its serial %llu is not above %llu, which was taken before",
                       (unsigned long long)bundle.serial, (unsigned long long)c->floor);
        return IPT_CENTRAL_REFUSED;
    }
    ipt_central_event event = apply(engine, bundle.document, why);
    if (event != IPT_CENTRAL_UPDATED)
        return event;
    (void)pthread_mutex_lock(&c->lock);
    ipt_buf old = c->bytes;
    c->bytes = *bytes;
    *bytes = old;
    c->in_force = true;
    c->serial = bundle.serial;
    c->floor = bundle.serial > c->floor ? bundle.serial : c->floor;
    c->has_expires = bundle.has_expires;
    c->expires = bundle.expires;
    c->taken = ipt_clock_now(&engine->clock);
    (void)pthread_mutex_unlock(&c->lock);
    return event;
}

void engine_central_judge(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    char why[CENTRAL_WHY_MAX] = "";
    (void)pthread_mutex_lock(&c->lock);
    ipt_buf bytes = c->candidate;
    bool asked = c->asked;
    c->candidate = (ipt_buf){0};
    c->asked = false;
    (void)pthread_mutex_unlock(&c->lock);
    if (!asked)
        return;
    ipt_central_event verdict = judge(engine, &bytes, why);
    ipt_buf_done(&bytes);
    (void)pthread_mutex_lock(&c->lock);
    c->judged = true;
    c->verdict = verdict;
    memcpy(c->verdict_why, why, sizeof(why));
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- what faces ask ---- */

ipt_central_state ipt_engine_central(ipt_engine *engine)
{
    engine_central *c = &engine->central;
    ipt_central_state state = {0};
    (void)pthread_mutex_lock(&c->lock);
    state.configured = c->config != NULL;
    state.in_force = state.configured && c->in_force;
    state.has_expires = c->has_expires;
    state.serial = c->serial;
    state.expires = c->expires;
    state.taken = c->taken;
    state.event = c->event;
    state.event_at = c->event_at;
    memcpy(state.why, c->why, sizeof(state.why));
    (void)pthread_mutex_unlock(&c->lock);
    return state;
}

void engine_central_collect(ipt_engine *engine, ipt_expo *expo)
{
    ipt_central_state state = ipt_engine_central(engine);
    if (!state.configured)
        return;
    (void)pthread_mutex_lock(&engine->central.lock);
    int64_t success_at = engine->central.success_at;
    (void)pthread_mutex_unlock(&engine->central.lock);
    ipt_expo_family(expo, "iptrust_central_serial", IPT_EXPO_GAUGE,
                    "Serial of the central document in force; 0: there is none.");
    ipt_expo_sample(expo, NULL, 0, state.in_force ? (double)state.serial : 0);
    ipt_expo_family(expo, "iptrust_central_last_success_timestamp_seconds", IPT_EXPO_GAUGE,
                    "When the central place last had a document that we take.");
    if (success_at != 0)
        ipt_expo_sample(expo, NULL, 0, (double)success_at);
    if (state.in_force && state.has_expires) {
        ipt_expo_family(expo, "iptrust_central_expiry_timestamp_seconds", IPT_EXPO_GAUGE,
                        "When the central document in force expires.");
        ipt_expo_sample(expo, NULL, 0, (double)state.expires);
    }
}
