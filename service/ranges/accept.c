/* The rules of acceptance, each a function that says no; together they are the contract's paragraph (interfaces.md,
 * Lists). Sizes are compared without rounding. */
#include "accept_priv.h"

#include <stdio.h>

enum {
    SHORTEST_V4 = 8,
    SHORTEST_V6 = 20,
    LOST = 25,
    GAINED = 300,
    GAINED_SMALL = 400,
    DAY = 24 * 60 * 60,
};

const char *ipt_accept_outcome_name(ipt_accept_outcome outcome)
{
    switch (outcome) {
    case IPT_ACCEPT_REFUSE:
        return "refused";
    case IPT_ACCEPT_HOLD:
        return "held";
    case IPT_ACCEPT_TAKE:
        return "taken";
    case IPT_ACCEPT_SAME:
        return "unchanged";
    }
    return "refused";
}

ipt_accept_limits ipt_accept_limits_for(ipt_provider provider, ipt_list_kind kind, bool internal)
{
    ipt_accept_limits limits = {.internal = internal,
                                .max_v4 = UINT64_C(1) << 16,
                                .max_v6 = UINT64_C(1) << 44,
                                .lost = LOST,
                                .gained = GAINED,
                                .gained_small = GAINED_SMALL};
    if (provider == IPT_PROVIDER_CLOUDFLARE)
        limits.max_v4 = UINT64_C(1) << 22;
    else if (provider != IPT_PROVIDER_NONE && kind == IPT_KIND_PROXY)
        limits.max_v4 = UINT64_C(1) << 24;
    else if (provider != IPT_PROVIDER_NONE)
        limits.max_v4 = UINT64_C(1) << 28;
    return limits;
}

/* ---- the past ---- */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void drop_oldest(ipt_accept_past *past)
{
    past->count--;
    memmove(past->items, past->items + 1, past->count * sizeof(past->items[0]));
}

void ipt_accept_past_add(ipt_accept_past *past, int64_t now, ipt_space space)
{
    /* A clock that was ahead and was put right must not leave a future that never becomes a week old. */
    while (past->count != 0 && past->items[past->count - 1].since > now)
        past->count--;
    if (past->count != 0 && now - past->items[past->count - 1].since < DAY) {
        ipt_space *last = &past->items[past->count - 1].space;
        *last = (ipt_space){smaller(last->v4, space.v4), smaller(last->v6, space.v6)};
        return;
    }
    while (past->count > 1 && past->items[1].since <= now - IPT_ACCEPT_WEEK)
        drop_oldest(past);
    if (past->count == IPT_ACCEPT_PAST_MAX)
        drop_oldest(past);
    past->items[past->count++] = (ipt_accept_moment){now, space};
}

void ipt_accept_past_restart(ipt_accept_past *past, int64_t now, ipt_space space)
{
    past->items[0] = (ipt_accept_moment){now, space};
    past->count = 1;
}

bool ipt_accept_past_week_ago(const ipt_accept_past *past, int64_t now, ipt_space *out)
{
    if (past->count == 0)
        return false;
    size_t found = 0;
    for (size_t i = 1; i < past->count && past->items[i].since <= now - IPT_ACCEPT_WEEK; i++)
        found = i;
    *out = past->items[found].space;
    return true;
}

/* ---- refusals ---- */

static bool check_prefixes(const ipt_accept_question *q, ipt_update_text *why)
{
    ipt_prefix_set set = q->candidate->set;
    char text[IPT_PREFIX_TEXT];
    if (set.count == 0)
        return ipt_update_say(why, IPT_UPDATE_EMPTY, "the list is empty");
    for (size_t i = 0; i < set.count; i++) {
        if (!ipt_prefix_is_special(set.items[i], q->limits->internal))
            continue;
        ipt_prefix_format(set.items[i], text);
        return ipt_update_say(why, IPT_UPDATE_SPECIAL, "%s is special-purpose space, where no public proxy can be",
                              text);
    }
    for (size_t i = 0; i < set.count; i++) {
        bool v4 = ipt_prefix_is_v4(set.items[i]);
        int shortest = v4 ? SHORTEST_V4 : SHORTEST_V6;
        if (ipt_prefix_bits(set.items[i]) >= (unsigned)shortest)
            continue;
        ipt_prefix_format(set.items[i], text);
        return ipt_update_say(why, IPT_UPDATE_WIDE, "%s is shorter than /%d", text, shortest);
    }
    return true;
}

static bool check_size(const ipt_accept_limits *limits, ipt_space after, ipt_update_text *why)
{
    if (after.v4 > limits->max_v4)
        return ipt_update_say(why, IPT_UPDATE_LARGE, "%llu IPv4 addresses, at most %llu are taken (max_addresses)",
                              (unsigned long long)after.v4, (unsigned long long)limits->max_v4);
    if (after.v6 > limits->max_v6)
        return ipt_update_say(why, IPT_UPDATE_LARGE, "%llu IPv6 /64s, at most %llu are taken",
                              (unsigned long long)after.v6, (unsigned long long)limits->max_v6);
    return true;
}

static bool check_ahead(const ipt_accept_question *q, ipt_update_text *why)
{
    const ipt_feed_version *version = &q->candidate->version;
    if (!version->has_time || version->time - q->now <= IPT_ACCEPT_AHEAD)
        return true;
    return ipt_update_say(why, IPT_UPDATE_AHEAD, "its own date (%s) is %lld hours ahead of our clock", version->text,
                          (long long)((version->time - q->now) / 3600));
}

static bool check_older(const ipt_accept_question *q, ipt_update_text *why)
{
    if (q->active == NULL || ipt_feed_version_compare(&q->candidate->version, &q->active->version) != IPT_VERSION_OLDER)
        return true;
    return ipt_update_say(why, IPT_UPDATE_OLDER, "its version %s is older than the active %s",
                          q->candidate->version.text, q->active->version.text);
}

/* ---- holds ---- */

typedef struct family_sizes {
    ipt_ip family;
    uint64_t before, after, lost, gained, floor;
    const uint64_t *week, *built_in;
} family_sizes;

/* part / whole > per cent, exactly: part > floor(percent * whole / 100). */
static bool exceeds(uint64_t part, uint64_t whole, uint32_t percent)
{
    uint64_t limit, rest = whole % 100 * percent / 100;
    if (__builtin_mul_overflow(whole / 100, (uint64_t)percent, &limit) || __builtin_add_overflow(limit, rest, &limit))
        return false;
    return part > limit;
}

static double percent_of(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static bool check_lost(const family_sizes *s, const ipt_accept_limits *limits, ipt_update_text *why)
{
    const char *name = ipt_ip_name(s->family), *units = s->family == IPT_IP_V4 ? "addresses" : "/64s";
    if (s->before != 0 && s->after == 0)
        return ipt_update_say(why, IPT_UPDATE_GONE, "%s is gone: the active list has %llu %s", name,
                              (unsigned long long)s->before, units);
    if (s->before < s->floor || !exceeds(s->lost, s->before, limits->lost))
        return true;
    return ipt_update_say(why, IPT_UPDATE_LOST, "%s loses %.1f %% of its space, %llu of %llu %s; %u %% are let pass",
                          name, percent_of(s->lost, s->before), (unsigned long long)s->lost,
                          (unsigned long long)s->before, units, limits->lost);
}

/* than: "the active list has". */
static bool check_gain(const family_sizes *s, uint64_t gained, uint64_t base, const char *than,
                       const ipt_accept_limits *limits, ipt_update_text *why)
{
    bool large = base >= s->floor;
    uint32_t percent = large ? limits->gained : limits->gained_small;
    if (!exceeds(gained, base, percent) || (!large && gained <= IPT_ACCEPT_FEW))
        return true;
    const char *name = ipt_ip_name(s->family), *units = s->family == IPT_IP_V4 ? "addresses" : "/64s";
    if (base == 0)
        return ipt_update_say(why, IPT_UPDATE_GAINED, "%s is new with %llu %s: %s none", name,
                              (unsigned long long)gained, units, than);
    return ipt_update_say(why, IPT_UPDATE_GAINED, "%s gains %llu %s where %s %llu; %u %% are let pass", name,
                          (unsigned long long)gained, units, than, (unsigned long long)base, percent);
}

/* Against each of what is active, was a week ago and is built in: the smallest of them decides, so that many
 * steps of 300 % do not pass where one would not. */
static bool check_gained(const family_sizes *s, const ipt_accept_limits *limits, ipt_update_text *why)
{
    if (!check_gain(s, s->gained, s->before, "the active list has", limits, why))
        return false;
    if (s->gained == 0)
        return true;
    if (s->week != NULL && s->after > *s->week &&
        !check_gain(s, s->after - *s->week, *s->week, "the list of a week ago had", limits, why))
        return false;
    return s->built_in == NULL || s->after <= *s->built_in ||
           check_gain(s, s->after - *s->built_in, *s->built_in, "the built-in list has", limits, why);
}

static bool check_family(const family_sizes *s, const ipt_accept_limits *limits, ipt_update_text *why)
{
    return check_lost(s, limits, why) && check_gained(s, limits, why);
}

static bool check_change(const ipt_accept_question *q, const ipt_accept_answer *a, ipt_update_text *why)
{
    const ipt_space *week = q->week, *built_in = q->built_in;
    family_sizes v4 = {IPT_IP_V4, a->before.v4, a->after.v4, a->lost.v4, a->gained.v4, IPT_ACCEPT_FLOOR_V4, NULL, NULL};
    family_sizes v6 = {IPT_IP_V6, a->before.v6, a->after.v6, a->lost.v6, a->gained.v6, IPT_ACCEPT_FLOOR_V6, NULL, NULL};
    if (week != NULL) {
        v4.week = &week->v4;
        v6.week = &week->v6;
    }
    if (built_in != NULL) {
        v4.built_in = &built_in->v4;
        v6.built_in = &built_in->v6;
    }
    return check_family(&v4, q->limits, why) && check_family(&v6, q->limits, why);
}

/* ---- the whole ---- */

static void measure(const ipt_accept_question *q, ipt_accept_answer *a)
{
    ipt_prefix_set candidate = q->candidate->set;
    ipt_prefix_set active = q->active == NULL ? (ipt_prefix_set){0} : q->active->set;
    a->digest = ipt_prefix_set_digest(candidate);
    a->before = ipt_prefix_set_space(active);
    a->after = ipt_prefix_set_space(candidate);
    a->lost = ipt_prefix_set_space_without(active, candidate);
    a->gained = ipt_prefix_set_space_without(candidate, active);
}

ipt_accept_answer ipt_accept_judge(const ipt_accept_question *q)
{
    ipt_accept_answer a = {.outcome = IPT_ACCEPT_REFUSE};
    measure(q, &a);
    bool accepted = q->accepted != NULL && ipt_digest_equal(*q->accepted, a.digest);
    if (!check_prefixes(q, &a.why) || !check_size(q->limits, a.after, &a.why) || !check_ahead(q, &a.why))
        return a;
    bool older = !check_older(q, &a.why);
    if (older && !(accepted && q->rollback))
        return a;
    if (q->active != NULL && ipt_prefix_set_equal(q->active->set, q->candidate->set)) {
        a.outcome = IPT_ACCEPT_SAME;
        return a;
    }
    bool held = q->active != NULL && !older && !check_change(q, &a, &a.why);
    a.outcome = held && !accepted ? IPT_ACCEPT_HOLD : IPT_ACCEPT_TAKE;
    a.by_hand = (held || older) && accepted;
    return a;
}

/* ---- for a person ---- */

static void write_side(ipt_buf *out, char sign, ipt_prefix_set set, ipt_prefix_set other, size_t most)
{
    size_t at = 0, count = 0;
    ipt_prefix prefix;
    while (ipt_prefix_set_next_beyond(set, other, &at, &prefix)) {
        char text[IPT_PREFIX_TEXT];
        if (count++ >= most)
            continue;
        ipt_prefix_format(prefix, text);
        ipt_buf_addf(out, "%c %s\n", sign, text);
    }
    if (count > most)
        ipt_buf_addf(out, "%c ... and %zu more\n", sign, count - most);
}

void ipt_accept_write_difference(ipt_buf *out, ipt_prefix_set active, ipt_prefix_set candidate, size_t most)
{
    write_side(out, '-', active, candidate, most);
    write_side(out, '+', candidate, active, most);
}
