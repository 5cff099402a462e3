/* The state of fetched lists in JSON and as gauges. */
#include <inttypes.h>

#include "engine_priv.h"

static void put_text(ipt_buf *out, const char *key, const char *text)
{
    ipt_buf_addf(out, "\"%s\":", key);
    if (text[0] == '\0')
        ipt_buf_adds(out, "null");
    else
        ipt_json_write_string(out, ipt_span_from(text));
}

static void put_time(ipt_buf *out, const char *key, int64_t seconds)
{
    char text[IPT_CLOCK_TEXT];
    ipt_clock_format(seconds, text);
    put_text(out, key, text);
}

static void put_space(ipt_buf *out, const char *key, ipt_space space)
{
    ipt_buf_addf(out, ",\"%s\":{\"ipv4_addresses\":%" PRIu64 ",\"ipv6_64s\":%" PRIu64 "}", key, space.v4, space.v6);
}

/* Lines "- 192.0.2.0/24" as an array of strings. */
static void put_lines(ipt_buf *out, ipt_span text)
{
    ipt_buf_adds(out, ",\"difference\":[");
    for (bool first = true; text.n != 0; first = false) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        ipt_buf_adds(out, first ? "" : ",");
        ipt_json_write_string(out, (ipt_span){text.p, n});
        n += end != NULL;
        text = (ipt_span){text.p + n, text.n - n};
    }
    ipt_buf_addc(out, ']');
}

static void put_difference(ipt_buf *out, const living_list *list)
{
    ipt_auto(ipt_buf) lines = {0};
    const ipt_feed *active = list_active(list);
    ipt_prefix_set before = active == NULL ? (ipt_prefix_set){0} : active->set, after = list->held.feed.set;
    put_space(out, "before", ipt_prefix_set_space(before));
    put_space(out, "after", ipt_prefix_set_space(after));
    put_space(out, "lost", ipt_prefix_set_space_without(before, after));
    put_space(out, "gained", ipt_prefix_set_space_without(after, before));
    ipt_accept_write_difference(&lines, before, after, LIST_DIFFERENCE_MAX);
    out->failed = out->failed || lines.failed;
    put_lines(out, ipt_buf_span(&lines));
}

static void put_pending(ipt_buf *out, const living_list *list, bool whole)
{
    char digest[IPT_DIGEST_TEXT];
    ipt_digest_format(ipt_prefix_set_digest(list->held.feed.set), digest);
    ipt_buf_addc(out, '{');
    put_text(out, "digest", digest);
    ipt_buf_addc(out, ',');
    put_text(out, "reason", ipt_update_reason_name(list->held_why.reason));
    ipt_buf_addc(out, ',');
    put_text(out, "detail", list->held_why.text);
    ipt_buf_addc(out, ',');
    put_time(out, "since", list->held.changed_at);
    if (whole)
        put_difference(out, list);
    ipt_buf_addc(out, '}');
}

void ipt_engine_list_write(void *context, ipt_buf *out, const char *name, bool whole)
{
    ipt_engine *engine = context;
    (void)pthread_mutex_lock(&engine->lists.lock);
    const living_list *list = list_find(&engine->lists, name);
    ipt_buf_adds(out, "\"last_result\":");
    if (list == NULL || list->event == LIST_NEVER)
        ipt_buf_adds(out, "null");
    else {
        ipt_buf_addc(out, '{');
        put_text(out, "result", list_event_name(list->event));
        ipt_buf_addc(out, ',');
        put_time(out, "at", list->event_at);
        ipt_buf_addc(out, ',');
        put_text(out, "detail", list->event_why);
        ipt_buf_addc(out, '}');
    }
    ipt_buf_adds(out, ",\"pending\":");
    if (list == NULL || !list->held.there)
        ipt_buf_adds(out, "null");
    else
        put_pending(out, list, whole);
    (void)pthread_mutex_unlock(&engine->lists.lock);
}

void engine_lists_collect(ipt_engine *engine, ipt_expo *expo)
{
    (void)pthread_mutex_lock(&engine->lists.lock);
    ipt_expo_family(expo, "iptrust_list_last_success_timestamp_seconds", IPT_EXPO_GAUGE,
                    "When a list was fetched last, 304 included; a held or refused fetch is no success.");
    for (const living_list *list = engine->lists.first; list != NULL; list = list->next) {
        const ipt_expo_label label = {"list", list->name};
        if (list->active.there)
            ipt_expo_sample(expo, &label, 1, (double)list->active.fetched_at);
    }
    ipt_expo_family(expo, "iptrust_list_pending", IPT_EXPO_GAUGE, "1 while contents of a list wait to be accepted.");
    for (const living_list *list = engine->lists.first; list != NULL; list = list->next) {
        const ipt_expo_label label = {"list", list->name};
        ipt_expo_count(expo, &label, 1, list->held.there);
    }
    (void)pthread_mutex_unlock(&engine->lists.lock);
}
