/* The thread that fetches: one list after the other, each when its schedule says. It never touches a view; what it
 * brings is published by the thread that reloads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine_priv.h"

enum { WAIT_MAX_S = 3600 };

static living_list *next_due(engine_lists *lists)
{
    living_list *next = lists->first;
    for (living_list *list = lists->first; list != NULL; list = list->next)
        if (list->schedule.due < next->schedule.due)
            next = list;
    return next;
}

/* Under the lock. False: the thread is to end. */
static bool wait_for_job(ipt_engine *engine, list_job *job)
{
    engine_lists *lists = &engine->lists;
    while (!lists->stop) {
        living_list *list = next_due(lists);
        int64_t now = ipt_clock_now(&engine->clock), left = list == NULL ? WAIT_MAX_S : list->schedule.due - now;
        if (left <= 0) {
            list->fetching = true;
            *job = (list_job){.id = list->id,
                              .config = ipt_config_share(list->config),
                              .spec = list->spec,
                              .conditional = list->active.there && ipt_schedule_is_conditional(&list->schedule, now),
                              .part_count = list->part_count};
            memcpy(job->name, list->name, sizeof(job->name));
            memcpy(job->parts, list->parts, sizeof(job->parts));
            return true;
        }
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(left > WAIT_MAX_S ? WAIT_MAX_S : left);
        (void)pthread_cond_timedwait(&lists->changed, &lists->lock, &until);
    }
    return false;
}

static void log_event(ipt_engine *engine, const living_list *list, const ipt_accept_answer *judged)
{
    static const struct {
        ipt_log_level level;
        const char *msg;
    } rows[LIST_EVENTS] = {
        [LIST_NEVER] = {IPT_LOG_DEBUG, "list"},
        [LIST_UPDATED] = {IPT_LOG_INFO, "list updated"},
        [LIST_UNCHANGED] = {IPT_LOG_DEBUG, "list unchanged"},
        [LIST_HELD] = {IPT_LOG_WARNING, "list held: accept the update by its digest, or wait for a better one"},
        [LIST_REFUSED] = {IPT_LOG_WARNING, "list refused: the last good contents stay"},
        [LIST_FAILED] = {IPT_LOG_WARNING, "list not fetched: the last good contents stay"},
    };
    char digest[IPT_DIGEST_TEXT];
    ipt_log_line line;
    bool odd = list->event == LIST_UPDATED && list->event_why[0] != '\0'; /* taken, and still worth a look */
    ipt_log_begin(&line, engine->log, odd ? IPT_LOG_WARNING : rows[list->event].level, rows[list->event].msg);
    ipt_log_str(&line, "list", ipt_span_from(list->name));
    if (list->event_why[0] != '\0')
        ipt_log_str(&line, "reason", ipt_span_from(list->event_why));
    if (list->event == LIST_HELD) {
        ipt_digest_format(judged->digest, digest);
        ipt_log_str(&line, "digest", ipt_span_from(digest));
    }
    if (list->event == LIST_UPDATED || list->event == LIST_HELD) {
        ipt_log_num(&line, "prefixes", (int64_t)(list->event == LIST_HELD ? list->held : list->active).feed.set.count);
        ipt_log_num(&line, "ipv4_lost", (int64_t)judged->lost.v4);
        ipt_log_num(&line, "ipv4_gained", (int64_t)judged->gained.v4);
    }
    if (list->event == LIST_FAILED)
        ipt_log_num(&line, "retry_after_s", list->schedule.due - ipt_clock_now(&engine->clock));
    ipt_log_end(&line);
}

/* Under the lock. True: the record and the view are to follow. */
static bool apply(ipt_engine *engine, living_list *list, const list_job *job, list_answer *answer)
{
    engine_lists *lists = &engine->lists;
    int64_t now = ipt_clock_now(&engine->clock);
    ipt_accept_answer judged;
    list_event before = list->event;
    ipt_digest held_before = {{0}};
    if (list->held.there)
        held_before = ipt_prefix_set_digest(list->held.feed.set);
    list_event event = list_take(list, answer, job, now, &judged);
    bool success = event == LIST_UPDATED || event == LIST_UNCHANGED, news = true;
    const ipt_label labels[] = {list->label, lists->events[event]};
    ipt_metrics_add(engine->metrics, engine->shards + 1, lists->refreshes, labels, 1);
    if (success)
        ipt_schedule_succeeded(&list->schedule, now, answer->outcome == LIST_FETCH_UNCHANGED);
    else if (event == LIST_FAILED)
        news = ipt_schedule_failed(&list->schedule, now, answer->retry_after);
    else { /* the server did its part: the regular interval, and one line as long as it is the same */
        ipt_schedule_succeeded(&list->schedule, now, true);
        news = event != before || (event == LIST_HELD && !ipt_digest_equal(held_before, judged.digest));
    }
    if (news)
        log_event(engine, list, &judged);
    return success || list->held.there;
}

static void finish_job(ipt_engine *engine, list_job *job, list_answer *answer)
{
    engine_lists *lists = &engine->lists;
    bool changed = false;
    (void)pthread_mutex_lock(&lists->lock);
    living_list *list = list_find(lists, job->name);
    if (list != NULL && list->id == job->id) {
        list->fetching = false;
        if (answer->outcome != LIST_FETCH_STOPPED)
            changed = apply(engine, list, job, answer);
    }
    (void)pthread_mutex_unlock(&lists->lock);
    ipt_feed_done(&answer->feed);
    ipt_config_free(job->config);
    if (changed) {
        list_remember(engine, job->name);
        engine_publish_lists(engine);
    }
}

static void *refresher_thread(void *context)
{
    ipt_engine *engine = context;
    engine_lists *lists = &engine->lists;
    ipt_auto(ipt_http) *http = NULL;
    list_job job;
    list_answer answer;
    if (ipt_http_new(&lists->stopping, &http) != IPT_OK) {
        ipt_log_note(engine->log, IPT_LOG_ERROR, "lists are not refreshed: no memory", NULL, NULL);
        return NULL;
    }
    (void)pthread_mutex_lock(&lists->lock);
    while (wait_for_job(engine, &job)) {
        (void)pthread_mutex_unlock(&lists->lock);
        list_fetch(http, &job, &answer);
        finish_job(engine, &job, &answer);
        (void)pthread_mutex_lock(&lists->lock);
    }
    (void)pthread_mutex_unlock(&lists->lock);
    return NULL;
}

ipt_err engine_refresher_start(ipt_engine *engine)
{
    engine_lists *lists = &engine->lists;
    if (!engine->refresh)
        return IPT_OK;
    lists->started = pthread_create(&lists->thread, NULL, refresher_thread, engine) == 0;
    return lists->started ? IPT_OK : IPT_EIO;
}

void engine_refresher_stop(ipt_engine *engine)
{
    engine_lists *lists = &engine->lists;
    if (!lists->started)
        return;
    atomic_store(&lists->stopping, true);
    (void)pthread_mutex_lock(&lists->lock);
    lists->stop = true;
    (void)pthread_cond_signal(&lists->changed);
    (void)pthread_mutex_unlock(&lists->lock);
    (void)pthread_join(lists->thread, NULL);
    lists->started = false;
}
