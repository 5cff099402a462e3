/* What follows from a decision: the policy's deny and allow rules (interfaces.md, Configuration). A rule that cannot be
 * evaluated is never passed over in silence: `unknown` says what becomes of it. */
#include "resolve_priv.h"

typedef enum answer_kind { ANSWER_NO = 0, ANSWER_YES, ANSWER_UNKNOWN } answer_kind;

/* Whether one of the lists holds the client or the IPv4 address that it carries. */
static answer_kind in_lists(const work *w, const ipt_rule_spec *spec)
{
    const ipt_decision *d = w->out;
    if (!d->has_client || !d->complete)
        return ANSWER_UNKNOWN;
    ipt_addr addrs[2] = {d->client, d->embedded};
    size_t count = d->embedding == IPT_EMBEDS_NONE ? 1 : 2;
    answer_kind answer = ANSWER_NO;
    for (size_t l = 0; l < spec->list_count; l++) {
        if (w->view->lists[spec->lists[l]].spec->failed)
            answer = ANSWER_UNKNOWN;
        for (size_t a = 0; a < count; a++) {
            const ipt_members *members = ipt_lpm_find(w->view->lpm, addrs[a]);
            for (uint32_t i = 0; i < members->count; i++)
                if ((members->items[i].tag & ~IPT_EGRESS_TAG) == spec->lists[l])
                    return ANSWER_YES;
        }
    }
    return answer;
}

/* A condition that databases answer. Unknown when none of them could have told: nobody known, nothing loaded, or only
 * IPv4 for an IPv6 client. Silence of one that covers the address is no. */
static bool can_tell(const work *w, uint64_t fields)
{
    const ipt_decision *d = w->out;
    return d->has_client && d->complete && w->geo_asked && ipt_geo_covers(w->view->geo, &d->geo, fields);
}

static answer_kind in_countries(const work *w, const ipt_rule_spec *spec)
{
    const ipt_geo_facts *geo = &w->out->geo;
    if (!can_tell(w, IPT_GEO_BIT(IPT_GEO_COUNTRY_CODE)))
        return ANSWER_UNKNOWN;
    for (size_t i = 0; i < spec->country_count && ipt_geo_has(geo, IPT_GEO_COUNTRY_CODE); i++) {
        if (ipt_span_equal(geo->values[IPT_GEO_COUNTRY_CODE].text, ipt_span_from(spec->countries[i])))
            return ANSWER_YES;
    }
    return ANSWER_NO;
}

static answer_kind in_asns(const work *w, const ipt_rule_spec *spec)
{
    const ipt_geo_facts *geo = &w->out->geo;
    if (!can_tell(w, IPT_GEO_BIT(IPT_GEO_ASN)))
        return ANSWER_UNKNOWN;
    for (size_t i = 0; i < spec->asn_count && ipt_geo_has(geo, IPT_GEO_ASN); i++) {
        if (geo->values[IPT_GEO_ASN].uint == spec->asns[i])
            return ANSWER_YES;
    }
    return ANSWER_NO;
}

static answer_kind is_anonymous(const work *w)
{
    const ipt_geo_facts *geo = &w->out->geo;
    if (!can_tell(w, IPT_GEO_ANONYMITY))
        return ANSWER_UNKNOWN;
    for (uint64_t left = geo->present & IPT_GEO_ANONYMITY; left != 0; left &= left - 1) {
        if (geo->values[__builtin_ctzll(left)].flag)
            return ANSWER_YES;
    }
    return ANSWER_NO;
}

/* What a rule asks of the client beyond the level, in the order in which the rules are named. */
typedef struct condition {
    ipt_rule deny;
    bool is_asked;
    answer_kind answer;
} condition;
enum { CONDITIONS = 4 };

static void ask(const work *w, const ipt_rule_spec *spec, condition out[CONDITIONS])
{
    const condition asked[CONDITIONS] = {
        {IPT_RULE_DENY_LISTS, spec->list_count != 0, ANSWER_NO},
        {IPT_RULE_DENY_COUNTRIES, spec->country_count != 0, ANSWER_NO},
        {IPT_RULE_DENY_ASNS, spec->asn_count != 0, ANSWER_NO},
        {IPT_RULE_DENY_ANONYMOUS, spec->anonymous, ANSWER_NO},
    };
    memcpy(out, asked, sizeof(asked));
    if (out[0].is_asked)
        out[0].answer = in_lists(w, spec);
    if (out[1].is_asked)
        out[1].answer = in_countries(w, spec);
    if (out[2].is_asked)
        out[2].answer = in_asns(w, spec);
    if (out[3].is_asked)
        out[3].answer = is_anonymous(w);
}

static ipt_ruling deny(ipt_rule rule, answer_kind answer)
{
    return (ipt_ruling){IPT_ACTION_DENY, rule, answer == ANSWER_UNKNOWN};
}

static ipt_ruling judge_allow(const work *w)
{
    const ipt_policy_spec *spec = w->policy->spec;
    condition conditions[CONDITIONS];
    bool any = spec->allow.confidence != IPT_LEVEL_NONE;
    if (any && w->out->level < spec->allow.confidence)
        return deny(IPT_RULE_ALLOW, ANSWER_YES);
    ask(w, &spec->allow, conditions);
    for (size_t i = 0; i < CONDITIONS; i++) {
        answer_kind answer = conditions[i].answer;
        any = any || conditions[i].is_asked;
        if (conditions[i].is_asked && (answer == ANSWER_NO || (answer == ANSWER_UNKNOWN && spec->unknown_denies)))
            return deny(IPT_RULE_ALLOW, answer);
    }
    if (!any)
        return deny(IPT_RULE_ALLOW, ANSWER_NO); /* `allow: {lists: []}` names nobody */
    return (ipt_ruling){IPT_ACTION_ALLOW, IPT_RULE_NONE, false};
}

static ipt_ruling judge_rules(const work *w)
{
    const ipt_policy_spec *spec = w->policy->spec;
    condition conditions[CONDITIONS];
    if (spec->deny.confidence != IPT_LEVEL_NONE && w->out->level < spec->deny.confidence)
        return deny(IPT_RULE_DENY_CONFIDENCE, ANSWER_YES);
    ask(w, &spec->deny, conditions);
    for (size_t i = 0; i < CONDITIONS; i++) {
        answer_kind answer = conditions[i].answer;
        if (conditions[i].is_asked && (answer == ANSWER_YES || (answer == ANSWER_UNKNOWN && spec->unknown_denies)))
            return deny(conditions[i].deny, answer);
    }
    if (spec->allow.stated)
        return judge_allow(w);
    return (ipt_ruling){IPT_ACTION_ALLOW, IPT_RULE_NONE, false};
}

void apply_rules(work *w)
{
    ipt_ruling *ruling = &w->out->ruling;
    if (w->policy->spec->mode == IPT_MODE_ANNOTATE) {
        *ruling = (ipt_ruling){IPT_ACTION_ALLOW, IPT_RULE_NONE, false};
        return;
    }
    *ruling = judge_rules(w);
    if (w->policy->spec->mode == IPT_MODE_SHADOW)
        ruling->action = IPT_ACTION_ALLOW; /* the rule stays named: that is what shadow is for */
}
