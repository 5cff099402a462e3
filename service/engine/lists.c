/* The table of fetched lists: who is in it, what a view is given, and what faces ask. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"

static bool is_fetched(const ipt_list_spec *spec)
{
    return spec->source == IPT_SOURCE_URL || spec->source == IPT_SOURCE_PROVIDER;
}

living_list *list_find(engine_lists *lists, const char *name)
{
    for (living_list *list = lists->first; list != NULL; list = list->next)
        if (strcmp(list->name, name) == 0)
            return list;
    return NULL;
}

static void list_free(living_list *list)
{
    ipt_buf_done(&list->source);
    ipt_config_free(list->config);
    list_contents_done(&list->built_in);
    list_contents_done(&list->active);
    list_contents_done(&list->held);
    free(list);
}

ipt_err engine_lists_init(ipt_engine *engine)
{
    static const char *const labels[] = {"list", "result"};
    engine_lists *lists = &engine->lists;
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&lists->lock, NULL);
    (void)pthread_mutex_init(&lists->store_lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lists->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    lists->next_id = 1;
    for (unsigned i = 0; i < LIST_EVENTS; i++)
        lists->events[i] = ipt_metrics_value(engine->metrics, list_event_name((list_event)i));
    return ipt_metrics_counter(engine->metrics, "iptrust_list_refresh", "Fetches of lists, by what came of them.",
                               labels, 2, &lists->refreshes);
}

void engine_lists_done(ipt_engine *engine)
{
    engine_lists *lists = &engine->lists;
    while (lists->first != NULL) {
        living_list *next = lists->first->next;
        list_free(lists->first);
        lists->first = next;
    }
    ipt_store_close(lists->store);
    (void)pthread_cond_destroy(&lists->changed);
    (void)pthread_mutex_destroy(&lists->store_lock);
    (void)pthread_mutex_destroy(&lists->lock);
}

/* ---- with a configuration ---- */

/* Without state_dir, or with one that cannot be used, lists live as long as the process: never a reason not to start.
 */
ipt_err engine_lists_open_store(ipt_engine *engine, const ipt_config *config)
{
    char why[IPT_STORE_WHY_MAX];
    if (engine->lists.store != NULL || config->state_dir == NULL)
        return IPT_OK;
    ipt_err err = ipt_store_open(config->state_dir, &engine->lists.store, why);
    if (err == IPT_OK && why[0] != '\0')
        ipt_log_note(engine->log, IPT_LOG_WARNING, "lists are not kept for the next start", "reason", why);
    return err;
}

/* A token of digits is the serial of the feed (AWS, Google, Azure); any other is only shown. */
static ipt_feed_version version_of(const ipt_snapshot *snapshot)
{
    ipt_feed_version version = {0};
    if (snapshot->token == NULL)
        return version;
    (void)snprintf(version.text, sizeof(version.text), "%s", snapshot->token);
    size_t digits = strspn(snapshot->token, "0123456789");
    version.has_serial = digits != 0 && digits < 19 && snapshot->token[digits] == '\0';
    if (version.has_serial)
        version.serial = strtoull(snapshot->token, NULL, 10);
    return version;
}

static ipt_err take_snapshot(living_list *list)
{
    const ipt_list_spec *spec = list->spec;
    if (spec->source != IPT_SOURCE_PROVIDER)
        return IPT_OK;
    ipt_snapshot snapshot = ipt_provider_snapshot(spec->provider, spec->services, spec->service_count);
    if (snapshot.count == 0)
        return IPT_OK;
    ipt_prefix *items = calloc(snapshot.count, sizeof(*items));
    if (items == NULL)
        return IPT_ENOMEM;
    memcpy(items, snapshot.prefixes, snapshot.count * sizeof(*items));
    size_t count = ipt_prefixes_sort(items, snapshot.count);
    list->built_in = (list_contents){.there = true,
                                     .feed = {.set = {items, count}, .version = version_of(&snapshot)},
                                     .fetched_at = snapshot.taken_at,
                                     .changed_at = snapshot.taken_at};
    return IPT_OK;
}

/* NULL without memory. */
static living_list *list_new(ipt_engine *engine, ipt_config *config, const ipt_list_spec *spec)
{
    living_list *list = calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    (void)snprintf(list->name, sizeof(list->name), "%s", spec->name);
    list->config = ipt_config_share(config);
    list->spec = spec;
    list_describe(spec, &list->source);
    ipt_err err = list->source.failed ? IPT_ENOMEM : take_snapshot(list);
    if (err == IPT_OK)
        err = list_recall(engine, list);
    if (err != IPT_OK) {
        list_free(list);
        return NULL;
    }
    int64_t now = ipt_clock_now(&engine->clock);
    list->id = engine->lists.next_id++;
    list->label = ipt_metrics_value(engine->metrics, list->name);
    list->schedule = ipt_schedule_start(spec->refresh, now, list->active.there ? list->active.fetched_at : INT64_MIN,
                                        ipt_clock_ns() * 2 + 1);
    return list;
}

static bool has_source(const living_list *list, const ipt_list_spec *spec, bool *no_memory)
{
    ipt_auto(ipt_buf) source = {0};
    list_describe(spec, &source);
    *no_memory = source.failed;
    return !source.failed && ipt_span_equal(ipt_buf_span(&source), ipt_buf_span(&list->source));
}

/* The word may have come after the contents that it takes. */
static void accept_by_config(ipt_engine *engine, living_list *list)
{
    ipt_digest digest;
    ipt_accept_answer judged;
    if (list->spec->accept_digest == NULL || !list->held.there ||
        !ipt_digest_parse(ipt_span_from(list->spec->accept_digest), &digest) ||
        !ipt_digest_equal(digest, ipt_prefix_set_digest(list->held.feed.set)))
        return;
    if (!list_accept(list, &digest, false, ipt_clock_now(&engine->clock), &judged))
        return;
    list->unsaved = true;
    ipt_log_note(engine->log, IPT_LOG_INFO, "held contents are accepted by the configuration", "list", list->name);
}

/* Keeps a list that is the same one, makes one that is new. */
static ipt_err adopt(ipt_engine *engine, ipt_config *config, const ipt_list_spec *spec, living_list **old,
                     living_list **fresh)
{
    living_list *list = NULL;
    bool no_memory = false;
    for (living_list **at = old; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, spec->name) != 0 || !has_source(*at, spec, &no_memory))
            continue;
        list = *at;
        *at = list->next;
        break;
    }
    if (no_memory)
        return IPT_ENOMEM;
    if (list == NULL) {
        list = list_new(engine, config, spec);
        if (list == NULL)
            return IPT_ENOMEM;
    } else {
        ipt_config_free(list->config);
        list->config = ipt_config_share(config);
        list->spec = spec;
        ipt_schedule_set_interval(&list->schedule, spec->refresh, ipt_clock_now(&engine->clock));
    }
    accept_by_config(engine, list);
    list->next = *fresh;
    *fresh = list;
    return IPT_OK;
}

ipt_err engine_lists_adopt(ipt_engine *engine, ipt_config *config)
{
    engine_lists *lists = &engine->lists;
    living_list *fresh = NULL;
    ipt_err err = engine_lists_open_store(engine, config);
    (void)pthread_mutex_lock(&lists->lock);
    for (size_t i = 0; i < config->list_count && err == IPT_OK; i++)
        if (is_fetched(&config->lists[i]))
            err = adopt(engine, config, &config->lists[i], &lists->first, &fresh);
    if (err != IPT_OK) { /* what is there stays; the next load puts it right */
        living_list **end = &lists->first;
        while (*end != NULL)
            end = &(*end)->next;
        *end = fresh;
    } else {
        living_list *gone = lists->first;
        lists->first = fresh;
        while (gone != NULL) {
            living_list *next = gone->next;
            list_free(gone);
            gone = next;
        }
    }
    (void)pthread_cond_signal(&lists->changed);
    (void)pthread_mutex_unlock(&lists->lock);
    return err;
}

ipt_err engine_lists_overlay(ipt_engine *engine, const ipt_config *config, ipt_config **out)
{
    engine_lists *lists = &engine->lists;
    ipt_list_contents *contents = calloc(config->list_count + 1, sizeof(*contents));
    bool no_memory = contents == NULL;
    if (no_memory)
        return IPT_ENOMEM;
    (void)pthread_mutex_lock(&lists->lock);
    for (size_t i = 0; i < config->list_count && !no_memory; i++) {
        const ipt_list_spec *spec = &config->lists[i];
        const living_list *list = is_fetched(spec) ? list_find(lists, spec->name) : NULL;
        if (list == NULL || !list->active.there || !has_source(list, spec, &no_memory))
            continue;
        contents[i] = (ipt_list_contents){.stated = true,
                                          .prefixes = list->active.feed.set.items,
                                          .prefix_count = list->active.feed.set.count,
                                          .fetched_at = list->active.fetched_at};
    }
    ipt_err err = no_memory ? IPT_ENOMEM : ipt_config_with_contents(config, contents, out);
    (void)pthread_mutex_unlock(&lists->lock);
    free(contents);
    return err;
}

/* ---- what faces ask ---- */

ipt_list_call ipt_engine_list_refresh(ipt_engine *engine, const char *name)
{
    engine_lists *lists = &engine->lists;
    (void)pthread_mutex_lock(&lists->lock);
    living_list *list = list_find(lists, name);
    ipt_list_call result = list == NULL ? IPT_LIST_CALL_NONE : !lists->started ? IPT_LIST_CALL_OFF : IPT_LIST_CALL_DONE;
    if (result == IPT_LIST_CALL_DONE) {
        ipt_schedule_ask(&list->schedule, ipt_clock_now(&engine->clock));
        (void)pthread_cond_signal(&lists->changed);
    }
    (void)pthread_mutex_unlock(&lists->lock);
    return result;
}

static ipt_list_call accept_held(ipt_engine *engine, living_list *list, ipt_span text, bool rollback, char why[256])
{
    ipt_digest digest;
    ipt_accept_answer judged;
    if (!list->held.there)
        return IPT_LIST_CALL_MISSING;
    if (!ipt_digest_parse(text, &digest) || !ipt_digest_equal(digest, ipt_prefix_set_digest(list->held.feed.set)))
        return IPT_LIST_CALL_OTHER;
    if (list_accept(list, &digest, rollback, ipt_clock_now(&engine->clock), &judged))
        return IPT_LIST_CALL_DONE;
    (void)snprintf(why, 256, "%s", judged.why.text);
    return IPT_LIST_CALL_REFUSED;
}

ipt_list_call ipt_engine_list_accept(ipt_engine *engine, const char *name, ipt_span digest, bool rollback,
                                     char why[256])
{
    engine_lists *lists = &engine->lists;
    why[0] = '\0';
    (void)pthread_mutex_lock(&lists->lock);
    living_list *list = list_find(lists, name);
    ipt_list_call result = list == NULL ? IPT_LIST_CALL_NONE : accept_held(engine, list, digest, rollback, why);
    if (result == IPT_LIST_CALL_DONE)
        list->unsaved = true;
    (void)pthread_mutex_unlock(&lists->lock);
    if (result != IPT_LIST_CALL_DONE)
        return result;
    engine_publish_lists(engine);
    ipt_log_line line;
    ipt_log_begin(&line, engine->log, IPT_LOG_WARNING, "held contents are accepted by hand");
    ipt_log_str(&line, "list", ipt_span_from(name));
    ipt_log_str(&line, "digest", digest);
    ipt_log_end(&line);
    return result;
}

ipt_list_trouble ipt_engine_list_trouble(ipt_engine *engine, const char *name)
{
    engine_lists *lists = &engine->lists;
    (void)pthread_mutex_lock(&lists->lock);
    const living_list *list = list_find(lists, name);
    ipt_list_trouble trouble = list == NULL                  ? IPT_LIST_FINE
                               : list->held.there            ? IPT_LIST_IS_HELD
                               : list->event == LIST_REFUSED ? IPT_LIST_IS_REFUSED
                               : list->event == LIST_FAILED  ? IPT_LIST_IS_FAILING
                                                             : IPT_LIST_FINE;
    (void)pthread_mutex_unlock(&lists->lock);
    return trouble;
}
