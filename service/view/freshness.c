/* How old is too old. A list without a time does not age (decision.md section 3). */
#include "view_priv.h"

/* Whether the list is past an age at a time; the subtraction cannot overflow for any time a calendar can name. */
static bool is_past(const ipt_list_spec *spec, int64_t age, int64_t now)
{
    return age != IPT_AGE_NONE && now > spec->fetched_at && (uint64_t)now - (uint64_t)spec->fetched_at > (uint64_t)age;
}

ipt_freshness ipt_freshness_at(const ipt_list_spec *spec, int64_t now)
{
    if (spec->fetched_at == IPT_TIME_NONE)
        return IPT_FRESH;
    if (is_past(spec, spec->hard_age, now))
        return IPT_EXPIRED;
    return is_past(spec, spec->soft_age, now) ? IPT_STALE : IPT_FRESH;
}

/* The first second at which an age is passed, when that is still to come. */
static int64_t passes_at(const ipt_list_spec *spec, int64_t age, int64_t now)
{
    int64_t at;
    if (age == IPT_AGE_NONE || __builtin_add_overflow(spec->fetched_at, age, &at) || at >= IPT_AGE_NONE - 1)
        return IPT_AGE_NONE;
    return at + 1 > now ? at + 1 : IPT_AGE_NONE;
}

int64_t ipt_view_next_change(const ipt_view *view)
{
    int64_t next = IPT_AGE_NONE;
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_list_spec *spec = view->lists[i].spec;
        if (spec->fetched_at == IPT_TIME_NONE)
            continue;
        int64_t soft = passes_at(spec, spec->soft_age, view->now);
        int64_t hard = passes_at(spec, spec->hard_age, view->now);
        if (spec->soft_age >= spec->hard_age) /* then it is never stale, only expired */
            soft = IPT_AGE_NONE;
        next = soft < next ? soft : next;
        next = hard < next ? hard : next;
    }
    return next;
}
