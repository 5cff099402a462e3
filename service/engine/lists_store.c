/* Lists across restarts: what is remembered, and whether it or the snapshot that is built in is the better one. */
#include <stdio.h>
#include <stdlib.h>

#include "engine_priv.h"

/* A time after that was written by a clock that was wrong: it would keep a list young for ever. */
enum { TIME_VOID_S = 10 * 365 * 24 * 3600 };

static bool is_void(int64_t time)
{
    return time > (int64_t)IPTRUST_BUILD_TIME + TIME_VOID_S;
}

/* ---- writing ---- */

static ipt_record_contents contents_out(const list_contents *contents)
{
    return (ipt_record_contents){.set = contents->feed.set,
                                 .version = contents->feed.version,
                                 .fetched_at = contents->fetched_at,
                                 .changed_at = contents->changed_at};
}

static void encode(const living_list *list, ipt_buf *out)
{
    ipt_record record = {.source = ipt_buf_span(&list->source),
                         .part_count = list->part_count,
                         .active = contents_out(&list->active),
                         .has_held = list->held.there,
                         .held = contents_out(&list->held),
                         .held_why = list->held_why,
                         .has_accepted = list->has_accepted,
                         .accepted_at = list->accepted_at,
                         .past = list->past};
    for (uint32_t i = 0; i < list->part_count && i < LIST_PARTS_MAX; i++)
        record.parts[i] = (ipt_record_part){.url = ipt_span_from(list->parts[i].url),
                                            .etag = ipt_span_from(list->parts[i].etag),
                                            .last_modified = ipt_span_from(list->parts[i].last_modified)};
    ipt_record_encode(out, &record);
}

static void log_trouble(ipt_engine *engine, const char *msg, const char *name, const char *why)
{
    ipt_log_line line;
    ipt_log_begin(&line, engine->log, IPT_LOG_WARNING, msg);
    ipt_log_str(&line, "list", ipt_span_from(name));
    ipt_log_str(&line, "reason", ipt_span_from(why));
    ipt_log_end(&line);
}

void list_remember(ipt_engine *engine, const char *name)
{
    engine_lists *lists = &engine->lists;
    ipt_auto(ipt_buf) bytes = {0};
    char why[IPT_STORE_WHY_MAX] = "";
    if (lists->store == NULL || !ipt_store_is_writer(lists->store))
        return;
    (void)pthread_mutex_lock(&lists->store_lock);
    (void)pthread_mutex_lock(&lists->lock);
    living_list *list = list_find(lists, name);
    bool wanted = list != NULL && !list->keep_record && (list->active.there || list->held.there);
    if (list != NULL)
        list->unsaved = false;
    if (wanted)
        encode(list, &bytes);
    (void)pthread_mutex_unlock(&lists->lock);
    bool ok =
        !wanted || (!bytes.failed && ipt_store_write(lists->store, name, ipt_buf_span(&bytes), why) == IPT_STORE_OK);
    (void)pthread_mutex_unlock(&lists->store_lock);
    if (!ok)
        log_trouble(engine, "a list could not be kept for the next start", name, bytes.failed ? "no memory" : why);
}

static bool find_unsaved(engine_lists *lists, char name[IPT_NAME_LENGTH_MAX + 1])
{
    (void)pthread_mutex_lock(&lists->lock);
    living_list *list = lists->first;
    while (list != NULL && !list->unsaved)
        list = list->next;
    if (list != NULL) {
        memcpy(name, list->name, sizeof(list->name));
        list->unsaved = false;
    }
    (void)pthread_mutex_unlock(&lists->lock);
    return list != NULL;
}

void lists_remember_unsaved(ipt_engine *engine)
{
    char name[IPT_NAME_LENGTH_MAX + 1];
    while (find_unsaved(&engine->lists, name))
        list_remember(engine, name);
}

/* ---- reading ---- */

/* An empty set stands for contents that were not there: a feed is never empty. */
static ipt_err contents_in(const ipt_record_contents *record, list_contents *out)
{
    if (record->set.count == 0)
        return IPT_OK;
    ipt_prefix *items = calloc(record->set.count, sizeof(*items));
    if (items == NULL)
        return IPT_ENOMEM;
    memcpy(items, record->set.items, record->set.count * sizeof(*items));
    *out = (list_contents){.there = true,
                           .feed = {.set = {items, record->set.count}, .version = record->version},
                           .fetched_at = record->fetched_at,
                           .changed_at = record->changed_at};
    return IPT_OK;
}

static void part_in(const ipt_record_part *record, list_part *out)
{
    *out = (list_part){0};
    (void)snprintf(out->url, sizeof(out->url), "%.*s", (int)record->url.n, record->url.p);
    (void)snprintf(out->etag, sizeof(out->etag), "%.*s", (int)record->etag.n, record->etag.p);
    (void)snprintf(out->last_modified, sizeof(out->last_modified), "%.*s", (int)record->last_modified.n,
                   record->last_modified.p);
}

/* The feed's own version settles which is newer; without one, the time at which each was had. */
static bool is_built_in_better(const living_list *list, const list_contents *remembered)
{
    if (!list->built_in.there)
        return false;
    switch (ipt_feed_version_compare(&remembered->feed.version, &list->built_in.feed.version)) {
    case IPT_VERSION_OLDER:
        return true;
    case IPT_VERSION_NEWER:
    case IPT_VERSION_SAME:
        return false;
    case IPT_VERSION_UNKNOWN:
        break;
    }
    return is_void(remembered->fetched_at) || remembered->fetched_at < list->built_in.fetched_at;
}

static ipt_err restore(ipt_engine *engine, living_list *list, const ipt_record *record)
{
    list_contents active = {0};
    ipt_err err = contents_in(&record->active, &active);
    if (err == IPT_OK && record->has_held)
        err = contents_in(&record->held, &list->held);
    if (err != IPT_OK) {
        list_contents_done(&active);
        return err;
    }
    if (is_void(list->held.fetched_at)) /* it would be the time of the list once a person takes it */
        list->held.fetched_at = (int64_t)IPTRUST_BUILD_TIME;
    list->held_why = record->held_why;
    list->has_accepted = record->has_accepted;
    list->accepted_at = record->accepted_at;
    list->past = record->past;
    if (active.there && is_built_in_better(list, &active)) {
        ipt_log_note(engine->log, IPT_LOG_INFO, "the built-in snapshot is newer than the remembered list", "list",
                     list->name);
        list_contents_done(&active);
    }
    if (is_void(active.fetched_at))
        active.fetched_at = list->built_in.there ? list->built_in.fetched_at : (int64_t)IPTRUST_BUILD_TIME;
    list->active = active;
    list->part_count = active.there ? record->part_count : 0;
    for (uint32_t i = 0; i < list->part_count && i < LIST_PARTS_MAX; i++)
        part_in(&record->parts[i], &list->parts[i]);
    return IPT_OK;
}

static ipt_err decode(ipt_engine *engine, living_list *list, ipt_span bytes)
{
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_record record;
    ipt_err err = ipt_arena_new(64 << 10, 0, &arena);
    if (err != IPT_OK)
        return err;
    switch (ipt_record_decode(bytes, arena, &record)) {
    case IPT_RECORD_OK:
        if (ipt_span_equal(record.source, ipt_buf_span(&list->source)))
            return restore(engine, list, &record);
        ipt_log_note(engine->log, IPT_LOG_INFO, "the remembered list came from elsewhere and is not used", "list",
                     list->name);
        return IPT_OK;
    case IPT_RECORD_NEWER:
        list->keep_record = true;
        log_trouble(engine, "the remembered list is not used", list->name, "a later version of this program wrote it");
        return IPT_OK;
    case IPT_RECORD_BROKEN:
        log_trouble(engine, "the remembered list is not used", list->name, "its record is damaged");
        return IPT_OK;
    case IPT_RECORD_NO_MEMORY:
        break;
    }
    return IPT_ENOMEM;
}

ipt_err list_recall(ipt_engine *engine, living_list *list)
{
    ipt_auto(ipt_buf) bytes = {0};
    char why[IPT_STORE_WHY_MAX] = "";
    if (engine->lists.store == NULL)
        return IPT_OK;
    switch (ipt_store_read(engine->lists.store, list->name, &bytes, why)) {
    case IPT_STORE_OK:
        return decode(engine, list, ipt_buf_span(&bytes));
    case IPT_STORE_NONE:
        return IPT_OK;
    case IPT_STORE_FAILED:
        break;
    }
    if (bytes.failed)
        return IPT_ENOMEM;
    log_trouble(engine, "the remembered list is not used", list->name, why);
    return IPT_OK;
}
