/* What becomes of a fetch, and of a person's word: active, held, or nothing. */
#include <stdio.h>

#include "engine_priv.h"

const char *list_event_name(list_event event)
{
    static const char *const names[LIST_EVENTS] = {
        [LIST_NEVER] = "never", [LIST_UPDATED] = "updated", [LIST_UNCHANGED] = "unchanged",
        [LIST_HELD] = "held",   [LIST_REFUSED] = "refused", [LIST_FAILED] = "failed",
    };
    return names[event];
}

void list_contents_done(list_contents *contents)
{
    ipt_feed_done(&contents->feed);
    *contents = (list_contents){0};
}

const ipt_feed *list_active(const living_list *list)
{
    if (list->active.there)
        return &list->active.feed;
    return list->built_in.there ? &list->built_in.feed : NULL;
}

static ipt_accept_limits limits_of(const ipt_list_spec *spec)
{
    ipt_accept_limits limits = ipt_accept_limits_for(spec->provider, spec->kind, spec->internal);
    if (spec->max_addresses != 0)
        limits.max_v4 = spec->max_addresses;
    if (spec->hold_lost >= 0)
        limits.lost = (uint32_t)spec->hold_lost;
    if (spec->hold_gained >= 0)
        limits.gained = limits.gained_small = (uint32_t)spec->hold_gained;
    return limits;
}

static ipt_accept_answer judge(const living_list *list, const ipt_feed *candidate, const ipt_digest *accepted,
                               bool rollback, int64_t now)
{
    ipt_accept_limits limits = limits_of(list->spec);
    ipt_space week, built_in = {0};
    bool has_week = ipt_accept_past_week_ago(&list->past, now, &week);
    /* What a person accepted after the snapshot was taken replaces it as the measure. */
    bool anchored = list->built_in.there && !(list->has_accepted && list->accepted_at > list->built_in.fetched_at);
    if (anchored)
        built_in = ipt_prefix_set_space(list->built_in.feed.set);
    const ipt_accept_question question = {.candidate = candidate,
                                          .active = list_active(list),
                                          .week = has_week ? &week : NULL,
                                          .built_in = anchored ? &built_in : NULL,
                                          .limits = &limits,
                                          .now = now,
                                          .accepted = accepted,
                                          .rollback = rollback};
    return ipt_accept_judge(&question);
}

/* Takes the feed over. */
static void activate(living_list *list, ipt_feed *feed, const ipt_accept_answer *judged, int64_t fetched_at,
                     int64_t now)
{
    bool same = judged->outcome == IPT_ACCEPT_SAME && list->active.there;
    int64_t changed_at = same ? list->active.changed_at : now;
    list_contents_done(&list->active);
    list->active = (list_contents){.there = true, .feed = *feed, .fetched_at = fetched_at, .changed_at = changed_at};
    *feed = (ipt_feed){0};
    if (judged->by_hand) {
        ipt_accept_past_restart(&list->past, now, judged->after);
        list->has_accepted = true;
        list->accepted_at = now;
    } else if (judged->outcome == IPT_ACCEPT_TAKE || list->past.count == 0)
        ipt_accept_past_add(&list->past, now, judged->after);
    list_contents_done(&list->held);
    list->held_why = (ipt_update_text){0};
}

static void hold(living_list *list, ipt_feed *feed, const ipt_accept_answer *judged, int64_t now)
{
    bool same = list->held.there && ipt_prefix_set_equal(list->held.feed.set, feed->set);
    int64_t since = same ? list->held.changed_at : now;
    list_contents_done(&list->held);
    list->held = (list_contents){.there = true, .feed = *feed, .fetched_at = now, .changed_at = since};
    list->held_why = judged->why;
    *feed = (ipt_feed){0};
}

/* One version with two contents is a race at the publisher or somebody's hand: taken like any other change, but said.
 */
static bool is_same_version(const living_list *list, const ipt_feed *feed)
{
    const ipt_feed *active = list_active(list);
    return active != NULL && ipt_feed_version_compare(&feed->version, &active->version) == IPT_VERSION_SAME;
}

static list_event take_feed(living_list *list, list_answer *answer, const list_job *job, int64_t now,
                            ipt_accept_answer *judged)
{
    ipt_digest accepted;
    bool has_word =
        list->spec->accept_digest != NULL && ipt_digest_parse(ipt_span_from(list->spec->accept_digest), &accepted);
    *judged = judge(list, &answer->feed, has_word ? &accepted : NULL, false, now);
    (void)snprintf(answer->why, sizeof(answer->why), "%s", judged->why.text);
    switch (judged->outcome) {
    case IPT_ACCEPT_TAKE:
    case IPT_ACCEPT_SAME:
        if (judged->outcome == IPT_ACCEPT_TAKE && !judged->by_hand && is_same_version(list, &answer->feed))
            (void)snprintf(answer->why, sizeof(answer->why), "the feed's own version is that of the contents before");
        activate(list, &answer->feed, judged, now, now);
        memcpy(list->parts, job->parts, sizeof(list->parts));
        list->part_count = job->part_count;
        return judged->outcome == IPT_ACCEPT_TAKE ? LIST_UPDATED : LIST_UNCHANGED;
    case IPT_ACCEPT_HOLD:
        hold(list, &answer->feed, judged, now);
        return LIST_HELD;
    case IPT_ACCEPT_REFUSE:
        /* For `accept --rollback`; but an edge that is behind must not take away what waits to be looked at. */
        if (judged->why.reason == IPT_UPDATE_OLDER && (!list->held.there || list->held_why.reason == IPT_UPDATE_OLDER))
            hold(list, &answer->feed, judged, now);
        return LIST_REFUSED;
    }
    return LIST_REFUSED;
}

list_event list_take(living_list *list, list_answer *answer, const list_job *job, int64_t now,
                     ipt_accept_answer *judged)
{
    list_event event = LIST_FAILED;
    *judged = (ipt_accept_answer){0};
    if (answer->outcome == LIST_FETCH_UNCHANGED && list->active.there) {
        list->active.fetched_at = now;
        list_contents_done(&list->held); /* the feed is back at what is active */
        event = LIST_UNCHANGED;
    } else if (answer->outcome == LIST_FETCH_PARSED)
        event = take_feed(list, answer, job, now, judged);
    else if (answer->outcome == LIST_FETCH_REFUSED)
        event = LIST_REFUSED;
    list->event = event;
    list->event_at = now;
    (void)snprintf(list->event_why, sizeof(list->event_why), "%s", answer->why);
    return event;
}

bool list_accept(living_list *list, const ipt_digest *digest, bool rollback, int64_t now, ipt_accept_answer *judged)
{
    *judged = judge(list, &list->held.feed, digest, rollback, now);
    if (judged->outcome != IPT_ACCEPT_TAKE && judged->outcome != IPT_ACCEPT_SAME)
        return false;
    ipt_feed feed = list->held.feed;
    int64_t fetched_at = list->held.fetched_at;
    list->held.feed = (ipt_feed){0};
    activate(list, &feed, judged, fetched_at, now);
    list->part_count = 0; /* validators were of the contents before: the next fetch is whole */
    list->event = LIST_UPDATED;
    list->event_at = now;
    (void)snprintf(list->event_why, sizeof(list->event_why), "accepted by hand");
    return true;
}
