/* From a configuration to the view in force, at the start and again whenever asked; and the timer that publishes a view
 * with other ages. All on one thread of its own, so that reloads follow one another. */
#include "engine_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DECISION_LOG_SLOTS = 512, WAIT_MAX_S = 3600, GEO_POLL_S = 1 };

/* Before the view that asks for it is published: whoever sees that view sees the ring. */
static ipt_err open_decision_log(ipt_engine *engine, const ipt_config *config)
{
    if (!config->decision_log || engine->decision_fd < 0 || engine->decisions != NULL)
        return IPT_OK;
    ipt_ring *ring;
    ipt_err err = ipt_ring_new(DECISION_LOG_SLOTS, engine->decision_fd, &ring);
    if (err == IPT_OK)
        engine->decisions = ring;
    return err;
}

static bool find_spec(const ipt_config *config, const char *name, const ipt_policy_spec **out)
{
    *out = ipt_config_find_policy(config, ipt_span_from(name));
    return *out != NULL;
}

static void log_removed_rule(ipt_engine *engine, const ipt_policy_spec *policy, const char *rule)
{
    ipt_log_line line;
    ipt_log_begin(&line, engine->log, IPT_LOG_WARNING, "rule removed");
    ipt_log_str(&line, "policy", ipt_span_from(policy->name));
    ipt_log_str(&line, "rule", ipt_span_from(rule));
    ipt_log_end(&line);
}

static void log_removed_rules(ipt_engine *engine, const ipt_policy_spec *before, const ipt_policy_spec *after)
{
    const ipt_rule_spec *old = &before->deny, *fresh = &after->deny;
    if (old->confidence != IPT_LEVEL_NONE && fresh->confidence == IPT_LEVEL_NONE)
        log_removed_rule(engine, before, "deny.confidence_below");
    if (old->list_count != 0 && fresh->list_count == 0)
        log_removed_rule(engine, before, "deny.lists");
    if (old->country_count != 0 && fresh->country_count == 0)
        log_removed_rule(engine, before, "deny.countries");
    if (old->asn_count != 0 && fresh->asn_count == 0)
        log_removed_rule(engine, before, "deny.asns");
    if (old->anonymous && !fresh->anonymous)
        log_removed_rule(engine, before, "deny.anonymous");
    if (before->allow.stated && !after->allow.stated)
        log_removed_rule(engine, before, "allow");
}

/* What a reload takes away is said by name: a rule that vanished by a slip of the editor denies nobody any more. */
static void log_removed(ipt_engine *engine, const ipt_config *old, const ipt_config *fresh)
{
    for (size_t i = 0; i < old->policy_count; i++) {
        const ipt_policy_spec *before = &old->policies[i], *after;
        if (!find_spec(fresh, before->name, &after)) {
            ipt_log_note(engine->log, IPT_LOG_WARNING, "policy removed", "policy", before->name);
            continue;
        }
        log_removed_rules(engine, before, after);
    }
}

void engine_log_view(ipt_engine *engine, const ipt_view *view, const char *msg)
{
    ipt_log_line line;
    ipt_log_begin(&line, engine->log, IPT_LOG_INFO, msg);
    ipt_log_str(&line, "policies", ipt_span_from(view->policies_revision));
    ipt_log_str(&line, "lists", ipt_span_from(view->lists_revision));
    if (ipt_geo_revision(view->geo) != NULL)
        ipt_log_str(&line, "geo", ipt_span_from(ipt_geo_revision(view->geo)));
    ipt_log_end(&line);
}

ipt_err engine_publish_config(ipt_engine *engine, ipt_config *config, const ipt_geo *geo, const char *msg)
{
    ipt_auto(ipt_view) *view = NULL;
    ipt_auto(ipt_config) *current = NULL;
    ipt_generation *generation = NULL;
    ipt_err err = open_decision_log(engine, config);
    if (err == IPT_OK)
        err = engine_lists_adopt(engine, config);
    if (err == IPT_OK)
        err = engine_lists_overlay(engine, config, &current);
    if (err == IPT_OK)
        err = ipt_view_build_take(current, ipt_clock_now(&engine->clock), &view);
    if (err != IPT_OK)
        return err;
    current = NULL; /* the view's now */
    ipt_view_set_geo(view, geo);
    err = engine_generation_new(engine, &view, &generation);
    if (err != IPT_OK)
        return err;
    const ipt_generation *old = ipt_engine_acquire(engine);
    bool first = old == NULL;
    if (!first)
        log_removed(engine, old->view->config, generation->view->config);
    ipt_engine_release(engine, old);
    ipt_log_set_level(engine->log, generation->view->config->log_level);
    const ipt_view *fresh = generation->view; /* nobody else publishes, so that it stays for now */
    ipt_slot_publish_take(&engine->slot, generation);
    if (!first)
        engine_log_view(engine, fresh, msg);
    engine_served_renew(engine, fresh->config);
    return IPT_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_tls(const ipt_listener_spec *a, const ipt_listener_spec *b)
{
    bool same = same_text(a->tls_cert, b->tls_cert) && same_text(a->tls_key, b->tls_key) &&
                same_text(a->tls_client_ca, b->tls_client_ca) && a->tls_client_sans_count == b->tls_client_sans_count;
    for (size_t i = 0; same && i < a->tls_client_sans_count; i++)
        same = same_text(a->tls_client_sans[i], b->tls_client_sans[i]);
    return same;
}

static bool same_listener(const ipt_listener_spec *a, const ipt_listener_spec *b)
{
    return a->kind == b->kind && same_text(a->text, b->text) && a->mode == b->mode && same_tls(a, b);
}

/* Sockets and limits are set up once: whoever changes them and reloads must not believe that they hold. */
static void warn_of_fixed(const ipt_config *old, const ipt_config *fresh, ipt_diag *diag)
{
    const struct {
        const char *key;
        bool same;
    } fixed[] = {
        {"http", same_listener(&old->http, &fresh->http)},
        {"health", same_listener(&old->health, &fresh->health)},
        {"admin", same_listener(&old->admin, &fresh->admin)},
        {"drain", old->drain_delay_ms == fresh->drain_delay_ms && old->drain_timeout_ms == fresh->drain_timeout_ms},
        {"limits", old->limit_connections == fresh->limit_connections &&
                       old->limit_per_address == fresh->limit_per_address &&
                       old->limit_keepalive_ms == fresh->limit_keepalive_ms},
        {"log.format", old->log_format == fresh->log_format},
        /* One that comes is used at once; from one to another would be two writers of one process. */
        {"state_dir", old->state_dir == NULL || same_text(old->state_dir, fresh->state_dir)},
    };
    for (size_t i = 0; i < IPT_COUNT(fixed); i++) {
        if (!fixed[i].same)
            ipt_diag_add(diag, IPT_WARNING, (ipt_place){.file = fresh->file},
                         "%s is changed and takes effect at the next start", fixed[i].key);
    }
}

static const char *first_error(const ipt_diag *diag)
{
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next)
        if (item->severity == IPT_ERROR)
            return item->text;
    return "";
}

/* The configuration with the last good central document, which was good with another configuration: when it is not with
 * this one, a start does without it, and a reload fails. */
static ipt_err add_document(ipt_engine *engine, const ipt_config_options *options, ipt_diag *diag, ipt_config **config,
                            bool *in_force)
{
    ipt_auto(ipt_config) *whole = NULL;
    ipt_config_options with = *options;
    ipt_diag scratch;
    ipt_err err = engine_lists_open_store(engine, *config);
    if (err == IPT_OK)
        err = ipt_engine_check_central(*config, diag);
    if (err == IPT_OK && (*config)->central != NULL)
        err = engine_central_recall(engine);
    if (err != IPT_OK)
        return err;
    with.document = engine_central_document(engine, *config, diag);
    if (with.document.n == 0)
        return IPT_OK;
    err = ipt_diag_init(&scratch);
    if (err != IPT_OK)
        return err;
    err = ipt_config_load(engine->config_path, &with, &scratch, &whole);
    if (err == IPT_OK) {
        ipt_config_free(*config);
        *config = whole;
        whole = NULL;
        *in_force = true;
    } else if (err == IPT_ECONFIG) {
        ipt_diag_add(diag, options->whole_files ? IPT_ERROR : IPT_WARNING, (*config)->central->place,
                     "the last good central document does not go with this configuration: %s", first_error(&scratch));
        err = options->whole_files ? IPT_ECONFIG : IPT_OK;
    }
    ipt_diag_done(&scratch);
    return err;
}

ipt_err engine_load(ipt_engine *engine, ipt_diag *diag)
{
    ipt_auto(ipt_config) *config = NULL;
    const ipt_generation *old = ipt_engine_acquire(engine);
    ipt_config_options options = engine->config_options;
    options.whole_files = old != NULL; /* at the start there is nothing better; nobody has just begun to write */
    ipt_engine_release(engine, old);
    ipt_err err = ipt_config_load(engine->config_path, &options, diag, &config);
    old = ipt_engine_acquire(engine);
    if (err == IPT_OK && old != NULL)
        warn_of_fixed(old->view->config, config, diag);
    ipt_engine_release(engine, old);
    bool in_force = false;
    if (err == IPT_OK)
        err = add_document(engine, &options, diag, &config, &in_force);
    ipt_geo *geo = NULL;
    if (err == IPT_OK)
        err = ipt_engine_open_geo(config, engine->geo, diag, &geo);
    if (err == IPT_OK) {
        engine_served_set_key(engine, config, diag);
        err = engine_publish_config(engine, config, geo, "configuration reloaded");
    }
    if (err == IPT_OK) {
        engine_central_set(engine, config, in_force);
        ipt_geo_unref(engine->geo);
        engine->geo = geo;
    } else
        ipt_geo_unref(geo);
    engine_count_reload(engine, err == IPT_OK);
    return err;
}

void engine_remember_load(ipt_engine *engine, ipt_err err, const ipt_diag *diag)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    r->ok = err == IPT_OK;
    r->when = ipt_clock_wall();
    size_t n = 0;
    r->text[0] = '\0';
    for (const ipt_diag_item *item = diag->first; item != NULL && n + 2 < sizeof(r->text); item = item->next) {
        int more = snprintf(r->text + n, sizeof(r->text) - n, "%s:%u:%u: %s: %s\n",
                            item->place.file == NULL ? "-" : item->place.file, item->place.line, item->place.column,
                            item->severity == IPT_ERROR ? "error" : "warning", item->text);
        n = more < 0 || (size_t)more >= sizeof(r->text) - n ? sizeof(r->text) - 1 : n + (size_t)more;
    }
    if (err != IPT_OK && err != IPT_ECONFIG && n + 32 < sizeof(r->text))
        snprintf(r->text + n, sizeof(r->text) - n, "%s\n", ipt_err_name(err));
    (void)pthread_mutex_unlock(&r->lock);
}

static void log_complaints(ipt_engine *engine, const ipt_diag *diag)
{
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        ipt_log_line line;
        ipt_log_begin(&line, engine->log, item->severity == IPT_ERROR ? IPT_LOG_ERROR : IPT_LOG_WARNING,
                      "configuration");
        if (item->place.file != NULL)
            ipt_log_str(&line, "file", ipt_span_from(item->place.file));
        ipt_log_num(&line, "line", item->place.line);
        ipt_log_num(&line, "column", item->place.column);
        ipt_log_str(&line, "detail", ipt_span_from(item->text));
        ipt_log_end(&line);
    }
}

static void call_hook(ipt_engine *engine, ipt_diag *diag)
{
    const ipt_generation *generation = ipt_engine_acquire(engine);
    if (engine->reload.hook != NULL)
        engine->reload.hook(engine->reload.hook_context, generation->view->config, diag);
    ipt_engine_release(engine, generation);
}

static void reload_once(ipt_engine *engine, ipt_reload_done *done, void *context)
{
    ipt_diag diag;
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK)
        diag = (ipt_diag){0};
    else
        err = engine_load(engine, &diag);
    if (err == IPT_OK)
        call_hook(engine, &diag);
    engine_files_look(engine);
    log_complaints(engine, &diag);
    if (err != IPT_OK)
        ipt_log_note(engine->log, IPT_LOG_ERROR, "reload failed, the configuration in force stays", "fault",
                     ipt_err_name(err));
    engine_remember_load(engine, err, &diag);
    if (done != NULL) {
        ipt_reload_result result = {.ok = err == IPT_OK, .diag = &diag, .err = err};
        const ipt_generation *generation = ipt_engine_acquire(engine);
        memcpy(result.policies_revision, generation->view->policies_revision, sizeof(result.policies_revision));
        memcpy(result.lists_revision, generation->view->lists_revision, sizeof(result.lists_revision));
        if (ipt_geo_revision(generation->view->geo) != NULL)
            memcpy(result.geo_revision, ipt_geo_revision(generation->view->geo), sizeof(result.geo_revision));
        ipt_engine_release(engine, generation);
        done(context, &result);
    }
    if (diag.arena != NULL)
        ipt_diag_done(&diag);
}

/* A view of the same contents, judged at another time. */
static void refresh_once(ipt_engine *engine)
{
    ipt_auto(ipt_view) *view = NULL;
    ipt_generation *generation = NULL;
    const ipt_generation *old = ipt_engine_acquire(engine);
    ipt_err err = ipt_view_refresh(old->view, ipt_clock_now(&engine->clock), &view);
    ipt_engine_release(engine, old);
    if (err == IPT_OK)
        err = engine_generation_new(engine, &view, &generation);
    if (err != IPT_OK) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "freshness of lists could not be renewed", "fault", ipt_err_name(err));
        return;
    }
    const ipt_view *fresh = generation->view;
    ipt_slot_publish_take(&engine->slot, generation);
    engine_log_view(engine, fresh, "freshness of a list changed");
}

static int64_t seconds_to_change(ipt_engine *engine)
{
    const ipt_generation *generation = ipt_engine_acquire(engine);
    int64_t next = ipt_view_next_change(generation->view);
    ipt_engine_release(engine, generation);
    if (next == IPT_AGE_NONE)
        return WAIT_MAX_S;
    int64_t left = next - ipt_clock_now(&engine->clock);
    return left < 0 ? 0 : left > WAIT_MAX_S ? WAIT_MAX_S : left;
}

static bool change_is_due(ipt_engine *engine)
{
    const ipt_generation *generation = ipt_engine_acquire(engine);
    int64_t next = ipt_view_next_change(generation->view);
    ipt_engine_release(engine, generation);
    return next != IPT_AGE_NONE && next <= ipt_clock_now(&engine->clock);
}

/* Waits under the lock until something is asked or a list changes its freshness. */
static void wait_for_work(ipt_engine *engine)
{
    engine_reload *r = &engine->reload;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    /* A second at least: a refresh that fails for want of memory must not spin. */
    int64_t seconds = engine->geo != NULL ? GEO_POLL_S : seconds_to_change(engine);
    until.tv_sec += (time_t)(seconds < 1 ? 1 : seconds);
    while (!r->stop && !r->wanted && !r->lists_wanted && !r->document_wanted && r->done == NULL) {
        if (pthread_cond_timedwait(&r->asked, &r->lock, &until) == ETIMEDOUT)
            return;
    }
}

static void *reload_thread(void *context)
{
    ipt_engine *engine = context;
    engine_reload *r = &engine->reload;
    lists_remember_unsaved(engine); /* what the first configuration accepts */
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        wait_for_work(engine);
        bool asked = r->wanted || r->done != NULL, lists = r->lists_wanted, document = r->document_wanted;
        ipt_reload_done *done = r->done;
        void *done_context = r->done_context;
        r->wanted = r->lists_wanted = r->document_wanted = false;
        r->done = NULL;
        r->running = asked;
        if (r->stop && done == NULL)
            break;
        (void)pthread_mutex_unlock(&r->lock);
        lists_remember_unsaved(engine); /* first what was accepted: what a view has must survive */
        if (asked)
            reload_once(engine, done, done_context);
        if (document)
            engine_central_judge(engine);
        if (lists && !asked)
            engine_lists_publish_now(engine); /* a reload has them anyway */
        else if (!asked && change_is_due(engine))
            refresh_once(engine);
        if (!asked)
            engine_geo_poll(engine);
        lists_remember_unsaved(engine); /* what the new configuration accepts */
        (void)pthread_mutex_lock(&r->lock);
        r->running = false;
    }
    (void)pthread_mutex_unlock(&r->lock);
    lists_remember_unsaved(engine);
    return NULL;
}

ipt_err ipt_engine_start(ipt_engine *engine)
{
    engine_files_open(engine);
    if (pthread_create(&engine->reload.thread, NULL, reload_thread, engine) != 0) {
        engine_files_close(engine);
        return IPT_EIO;
    }
    engine->reload.started = true;
    ipt_err err = engine_central_start(engine);
    return err == IPT_OK ? engine_refresher_start(engine) : err;
}

void engine_ask_judgement(ipt_engine *engine)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    r->document_wanted = true;
    (void)pthread_cond_signal(&r->asked);
    (void)pthread_mutex_unlock(&r->lock);
}

void ipt_engine_on_reload(ipt_engine *engine, ipt_reload_hook *hook, void *context)
{
    engine->reload.hook = hook;
    engine->reload.hook_context = context;
}

void ipt_engine_reload(ipt_engine *engine)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    r->wanted = true;
    (void)pthread_cond_signal(&r->asked);
    (void)pthread_mutex_unlock(&r->lock);
}

bool ipt_engine_reload_wait(ipt_engine *engine, ipt_reload_done *done, void *context)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    bool taken = !r->running && !r->wanted && r->done == NULL && !r->stop;
    if (taken) {
        r->done = done;
        r->done_context = context;
        (void)pthread_cond_signal(&r->asked);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return taken;
}

bool ipt_engine_last_reload(ipt_engine *engine, int64_t *when, char *text, size_t cap)
{
    engine_reload *r = &engine->reload;
    (void)pthread_mutex_lock(&r->lock);
    bool ok = r->ok;
    *when = r->when;
    snprintf(text, cap, "%s", r->text);
    (void)pthread_mutex_unlock(&r->lock);
    return ok;
}
