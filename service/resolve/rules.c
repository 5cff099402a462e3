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

static ipt_ruling deny(ipt_rule rule, answer_kind answer)
{
    return (ipt_ruling){IPT_ACTION_DENY, rule, answer == ANSWER_UNKNOWN};
}

static ipt_ruling judge_rules(const work *w)
{
    const ipt_policy_spec *spec = w->policy->spec;
    const ipt_rule_spec *no = &spec->deny, *yes = &spec->allow;
    const ipt_ruling allow = {IPT_ACTION_ALLOW, IPT_RULE_NONE, false};

    if (no->confidence != IPT_LEVEL_NONE && w->out->level < no->confidence)
        return deny(IPT_RULE_DENY_CONFIDENCE, ANSWER_YES);
    if (no->list_count != 0) {
        answer_kind answer = in_lists(w, no);
        if (answer == ANSWER_YES || (answer == ANSWER_UNKNOWN && spec->unknown_denies))
            return deny(IPT_RULE_DENY_LISTS, answer);
    }
    if (!yes->stated)
        return allow;
    if (yes->confidence == IPT_LEVEL_NONE && yes->list_count == 0)
        return deny(IPT_RULE_ALLOW, ANSWER_NO); /* `allow: {lists: []}` names nobody */
    if (yes->confidence != IPT_LEVEL_NONE && w->out->level < yes->confidence)
        return deny(IPT_RULE_ALLOW, ANSWER_YES);
    if (yes->list_count != 0) {
        answer_kind answer = in_lists(w, yes);
        if (answer == ANSWER_NO || (answer == ANSWER_UNKNOWN && spec->unknown_denies))
            return deny(IPT_RULE_ALLOW, answer);
    }
    return allow;
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
