/* The walk by hop count: the client is the n-th entry from the right, whoever stands there (decision.md section 5). */
#include "resolve_priv.h"

/* A PROXY source takes one of the n places and is not judged. Returns the entries still to count, 0 when it is over. */
static unsigned count_proxy_source(work *w, unsigned hops)
{
    if (w->out->chain_count != 2)
        return hops;
    ipt_hop *source = &w->out->chain[1];
    w->cur = 1;
    if (hops == 1) {
        source->verdict = IPT_VERDICT_CLIENT;
        w->http_hop = NO_HOP;
        end_at(w, 1, IPT_REASON_HOP_COUNT_ONLY);
        return 0;
    }
    ipt_judgement judgement = ipt_policy_judge(w->view, w->policy, source->addr);
    if (judgement.list != IPT_LIST_NONE) {
        set_trusted(w, source, &judgement);
        w->http_hop = 1;
        return hops - 1;
    }
    source->verdict = IPT_VERDICT_COUNTED;
    w->http_hop = NO_HOP;
    return hops - 1;
}

static void choose_counted_lead(work *w)
{
    if (!w->policy->spec->trust_anyone) {
        choose_lead(w, w->cur);
        return;
    }
    ipt_name name = w->policy->read[0].name; /* the configuration made sure of it */
    entries_begin(w, is_filled(w, name) ? name : IPT_NAME_NONE);
}

/* The next entry, which must be an address; NULL when the count ends here. */
static const item *next_counted(work *w)
{
    const item *it = w->entries.name == IPT_NAME_NONE ? NULL : entry_at(w, w->entries.used);
    if (it == NULL) {
        end_at(w, w->cur, IPT_REASON_TOO_FEW_ENTRIES);
        return NULL;
    }
    if (it->kind != IPT_ENTRY_ADDRESS) {
        (void)push_entry(w, it, bad_entry_verdict(it->kind));
        end_at(w, w->cur, bad_entry_reason(it->kind));
        return NULL;
    }
    return it;
}

void walk_hops(work *w)
{
    if (!push_peer(w) || !follow_proxy(w))
        return;
    unsigned left = count_proxy_source(w, w->policy->spec->hops);
    if (left == 0) {
        w->headers_read = false;
        return;
    }
    choose_counted_lead(w);
    const item *it;
    if (w->policy->spec->peer_in_header) {
        if ((it = next_counted(w)) == NULL)
            return;
        (void)push_entry(w, it, IPT_VERDICT_OWN);
    }
    for (; (it = next_counted(w)) != NULL; left--) {
        (void)push_entry(w, it, left == 1 ? IPT_VERDICT_CLIENT : IPT_VERDICT_COUNTED);
        if (left == 1) {
            end_at(w, (uint16_t)(w->out->chain_count - 1), IPT_REASON_HOP_COUNT_ONLY);
            return;
        }
    }
}
