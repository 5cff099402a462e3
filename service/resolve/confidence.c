/* Confidence: every reason is found by its own rule, and the level is the lowest cap among them (decision.md section
 * 7). */
#include "resolve_priv.h"

/* Hop by hop, for what depends on more than the list. Returns the marks that count. */
static unsigned rate_each_hop(work *w)
{
    unsigned counted = 0;
    bool proven = false;
    for (uint16_t i = 0; i < w->out->chain_count; i++) {
        const ipt_hop *hop = &w->out->chain[i];
        if (hop->verdict != IPT_VERDICT_TRUSTED)
            continue;
        const unsigned marks = w->view->marks[hop->list];
        const proof_result proof = check_proof(w, i);
        proven = proof == PROOF_RIGHT;
        if (proof == PROOF_FAILED)
            add_reason(w, IPT_REASON_PROOF_FAILED);
        if ((marks & IPT_MARK_BROAD) != 0 && hop->has_addr &&
            ipt_prefix_is_broad(ipt_prefix_of(hop->addr, hop->prefix_len)))
            add_reason(w, IPT_REASON_BROAD_RANGE);
        counted |= proven ? marks & ~(unsigned)IPT_MARK_SHARED : marks;
    }
    if (proven) /* the outermost */
        add_reason(w, IPT_REASON_PROOF_VERIFIED);
    return counted;
}

static uint64_t reason_if(unsigned marks, unsigned mark, ipt_reason reason)
{
    return (uint64_t)((marks & mark) != 0) << reason;
}

static void rate_hops(work *w)
{
    unsigned marks = w->marks;
    if (w->was_cut || (marks & (IPT_MARK_PROOF | IPT_MARK_BROAD)) != 0)
        marks = rate_each_hop(w);
    w->reasons |= reason_if(marks, IPT_MARK_SHARED, IPT_REASON_SHARED_PROVIDER) |
                  reason_if(marks, IPT_MARK_BUNDLED, IPT_REASON_LIST_BUNDLED) |
                  reason_if(marks, IPT_MARK_STALE, IPT_REASON_LIST_STALE) |
                  reason_if(marks, IPT_MARK_EXPIRED, IPT_REASON_LIST_EXPIRED);
}

/* The answer is an address that no list of `trust` holds: then a list that is old or empty may be why. */
static bool ended_outside(const work *w)
{
    if (w->origin == IPT_REASON_TOO_FEW_ENTRIES) /* of a hop count, behind a PROXY source in no list */
        return w->out->chain[w->answer].verdict == IPT_VERDICT_COUNTED && !w->policy->spec->trust_anyone;
    return w->origin == IPT_REASON_PEER_UNTRUSTED_DIRECT || w->origin == IPT_REASON_WALK_FIRST_UNTRUSTED ||
           w->origin == IPT_REASON_PROVIDER_HEADER || w->origin == IPT_REASON_BOUND_HEADER ||
           w->origin == IPT_REASON_PROXY_PROTOCOL;
}

static void rate_trust_set(work *w)
{
    if (!ended_outside(w))
        return;
    if (w->policy->trusts_empty)
        add_reason(w, IPT_REASON_TRUST_SET_EMPTY);
    bool outdated = false;
    for (size_t i = 0; !w->view->all_fresh && !outdated && i < w->policy->spec->trust_count; i++)
        outdated = w->view->freshness[w->policy->spec->trust[i]] != IPT_FRESH;
    if (outdated)
        add_reason(w, IPT_REASON_TRUST_SET_OUTDATED);
}

/* A transition address counts as the IPv4 address that it carries. */
static bool is_global(const ipt_decision *d)
{
    return d->client_class == IPT_CLASS_GLOBAL ||
           (d->client_class == IPT_CLASS_TRANSITION && d->embedding != IPT_EMBEDS_NONE &&
            ipt_addr_class(d->embedded) == IPT_CLASS_GLOBAL);
}

static bool is_special(ipt_class class)
{
    return class == IPT_CLASS_UNSPECIFIED || class == IPT_CLASS_MULTICAST || class == IPT_CLASS_DOCUMENTATION ||
           class == IPT_CLASS_RESERVED || class == IPT_CLASS_BROADCAST;
}

static void rate_client(work *w)
{
    const ipt_decision *d = w->out;
    if (!d->has_client)
        return;
    if (is_unwrapped(d->embedding, d->embedded))
        add_reason(w, IPT_REASON_TRANSITION_UNWRAPPED);
    if (w->policy->spec->clients_any)
        return;
    if (!is_global(d))
        add_reason(w, IPT_REASON_CLIENT_NOT_GLOBAL);
    if (is_special(d->client_class))
        add_reason(w, IPT_REASON_CLIENT_SPECIAL);
}

/* CF-Connecting-IPv6 is read with CF-Connecting-IP. */
static void rate_nomination(work *w, ipt_name name)
{
    if (name == IPT_NAME_CF_CONNECTING_IPV6)
        name = IPT_NAME_CF_CONNECTING_IP;
    for (size_t i = 0; i < w->policy->spec->read_count; i++)
        if (w->policy->read[i].name == name)
            add_reason(w, IPT_REASON_HOP_BY_HOP_TAMPER);
}

void rate(work *w)
{
    rate_hops(w);
    rate_trust_set(w);
    rate_client(w);
    if (w->peer_trusted && w->headers_read)
        each_nominated(w, rate_nomination);
    if (w->request->caller != IPT_CALLER_TRUSTED)
        add_reason(w, IPT_REASON_CALLER_UNAUTHENTICATED);
    if (w->request->http_parser_lax)
        add_reason(w, IPT_REASON_HTTP_PARSER_LAX);
    if (w->request->headers_merged)
        add_reason(w, IPT_REASON_HEADERS_MERGED);
    w->out->unvouched_count = 0;
    if (w->headers_read) {
        size_t unused = entries_unused(w);
        w->out->unvouched_count = unused > UINT32_MAX ? UINT32_MAX : (uint32_t)unused;
    }
    if (w->out->unvouched_count != 0)
        add_reason(w, IPT_REASON_UNVOUCHED_ENTRIES);
    w->out->reasons = w->reasons | UINT64_C(1) << w->origin;
    w->out->level = ipt_level_from_reasons(w->out->reasons);
}
