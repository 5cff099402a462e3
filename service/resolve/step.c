/* Hops, and how one leads to the next: the rows of the loop in decision.md section 5 that every kind of evidence
 * shares. */
#include "resolve_priv.h"

#include <assert.h>

ipt_hop *push_hop(work *w, ipt_origin origin, ipt_verdict verdict)
{
    assert(w->out->chain_count < IPT_CHAIN_MAX);
    ipt_hop *hop = &w->out->chain[w->out->chain_count++];
    *hop = (ipt_hop){.list = IPT_LIST_NONE, .origin = (uint8_t)origin, .verdict = (uint8_t)verdict};
    return hop;
}

ipt_hop *push_entry(work *w, const item *it, ipt_verdict verdict)
{
    assert(w->out->chain_count < IPT_CHAIN_MAX);
    ipt_hop *hop = &w->out->chain[w->out->chain_count++];
    *hop = it->hop;
    hop->verdict = (uint8_t)verdict;
    w->entries.used++;
    return hop;
}

/* The nearest hop inwards, hop itself included, whose list has a provider; NO_HOP when there is none. */
static uint16_t nearest_provider(const work *w, uint16_t hop)
{
    for (uint16_t i = hop;; i--) {
        uint16_t list = w->out->chain[i].list;
        if (list != IPT_LIST_NONE && w->view->lists[list].provider != IPT_PROVIDER_NONE)
            return list;
        if (i == 0)
            return IPT_LIST_NONE;
    }
}

static bool is_allowed_chain(const work *w, uint16_t outer, uint16_t inner)
{
    const ipt_policy_spec *spec = w->policy->spec;
    for (size_t i = 0; i < spec->chain_count; i++)
        if (spec->chains[i].outer == outer && spec->chains[i].inner == inner)
            return true;
    return false;
}

const ipt_members *members_of(work *w, ipt_addr addr)
{
    if (w->members == NULL || !ipt_addr_equal(w->judged, addr)) {
        w->judged = addr;
        w->members = ipt_lpm_find(w->view->lpm, addr);
    }
    return w->members;
}

step_kind judge_step(work *w, uint16_t cur, ipt_addr addr, ipt_judgement *judgement)
{
    *judgement = ipt_policy_judge_members(w->policy, members_of(w, addr));
    if (judgement->egress)
        return STEP_EGRESS;
    if (judgement->list == IPT_LIST_NONE)
        return STEP_UNTRUSTED;
    const ipt_view_list *next = &w->view->lists[judgement->list];
    if (next->internal && !w->view->lists[w->out->chain[cur].list].internal)
        return STEP_INVERSION;
    if (next->provider == IPT_PROVIDER_NONE)
        return STEP_TRUSTED;
    uint16_t inner = nearest_provider(w, cur);
    if (inner == IPT_LIST_NONE || w->view->lists[inner].provider == next->provider)
        return STEP_TRUSTED;
    return is_allowed_chain(w, judgement->list, inner) ? STEP_TRUSTED : STEP_CHANGE;
}

void set_trusted(work *w, ipt_hop *hop, const ipt_judgement *judgement)
{
    hop->verdict = IPT_VERDICT_TRUSTED;
    hop->list = judgement->list;
    hop->prefix_len = judgement->prefix_len;
    w->marks |= w->view->marks[judgement->list];
    if (!judgement->several && !w->has_several)
        return;
    size_t place = (size_t)(hop - w->out->chain);
    uint64_t bit = UINT64_C(1) << place % 64; /* cleared too: another hop may have stood here before */
    w->several[place / 64] = judgement->several ? w->several[place / 64] | bit : w->several[place / 64] & ~bit;
    w->has_several = true;
}

void end_at(work *w, uint16_t hop, ipt_reason origin)
{
    w->answer = hop;
    w->origin = origin;
}

bool take_step(work *w, uint16_t hop, step_kind step, const ipt_judgement *judgement, ipt_reason untrusted)
{
    if (step == STEP_TRUSTED) {
        set_trusted(w, &w->out->chain[hop], judgement);
        w->cur = hop;
        return true;
    }
    if (step == STEP_INVERSION) {
        end_at(w, w->cur, IPT_REASON_TRUST_INVERSION);
        return false;
    }
    end_at(w, hop,
           step == STEP_EGRESS   ? IPT_REASON_CLIENT_IS_PROVIDER_EGRESS
           : step == STEP_CHANGE ? IPT_REASON_PROVIDER_CHANGE
                                 : untrusted);
    w->out->chain[hop].verdict = IPT_VERDICT_CLIENT;
    return false;
}

ipt_vouch vouch_of(const work *w, uint16_t hop, ipt_name header)
{
    uint16_t list = w->out->chain[hop].list;
    return list == IPT_LIST_NONE ? IPT_VOUCH_NONE : ipt_policy_vouch(w->view, w->policy, list, header);
}

ipt_verdict bad_entry_verdict(ipt_entry_kind kind)
{
    return kind == IPT_ENTRY_EMPTY        ? IPT_VERDICT_EMPTY
           : kind == IPT_ENTRY_OBFUSCATED ? IPT_VERDICT_OBFUSCATED
                                          : IPT_VERDICT_MALFORMED;
}

ipt_reason bad_entry_reason(ipt_entry_kind kind)
{
    return kind == IPT_ENTRY_EMPTY        ? IPT_REASON_ENTRY_EMPTY
           : kind == IPT_ENTRY_OBFUSCATED ? IPT_REASON_ENTRY_OBFUSCATED
                                          : IPT_REASON_ENTRY_MALFORMED;
}
