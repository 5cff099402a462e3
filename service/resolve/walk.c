/* The walk by trust: from the peer outwards, each step believed only because the hop before it vouches for it
 * (decision.md section 5). */
#include "resolve_priv.h"

/* A zone is the host's own word for an interface and says nothing about the address (RFC 4007, 11): cut off, and told.
 * Only where an IPv6 address is written, with or without brackets and port. */
static bool parse_odd_peer(work *w, ipt_endpoint *out)
{
    ipt_span text = w->request->peer;
    if (text.n == 0)
        return false;
    char copy[IPT_ADDR_TEXT + 16];
    const char *percent = memchr(text.p, '%', text.n);
    if (percent != NULL) {
        size_t head = (size_t)(percent - text.p);
        bool bracketed = text.p[0] == '[';
        const char *end = bracketed ? memchr(percent, ']', text.n - head) : text.p + text.n;
        if (end == NULL || end == percent + 1 || text.n - (size_t)(end - percent) > sizeof(copy) ||
            memchr(text.p, ':', head) == NULL)
            return false;
        for (const char *c = percent + 1; c < end; c++)
            if (*c <= ' ' || *c > '~' || *c == '%' || *c == '[' || *c == ']')
                return false;
        memcpy(copy, text.p, head);
        memcpy(copy + head, end, (size_t)(text.p + text.n - end));
        text = (ipt_span){copy, text.n - (size_t)(end - percent)};
    }
    /* Callers that know no port say :0. */
    bool no_port = text.n > 2 && memcmp(text.p + text.n - 2, ":0", 2) == 0 &&
                   (memchr(text.p, ':', text.n - 2) == NULL || text.p[text.n - 3] == ']');
    if (no_port)
        text.n -= 2;
    if (!ipt_endpoint_parse(text, out) || (no_port && out->has_port))
        return false;
    if (percent != NULL && ipt_addr_is_v4(out->addr))
        return false; /* 10.0.0.1:80%eth0, and ::ffff:10.0.0.1%eth0, which is an IPv4 address everywhere */
    w->zone_dropped = percent != NULL;
    return true;
}

static bool push_unix_peer(work *w)
{
    ipt_hop *hop = push_hop(w, IPT_ORIGIN_PEER, IPT_VERDICT_CLIENT);
    hop->has_text = true;
    hop->text = w->request->peer;
    for (size_t i = 0; i < w->policy->spec->trust_count; i++) {
        uint16_t list = w->policy->spec->trust[i];
        if (w->view->lists[list].spec->source != IPT_SOURCE_UNIX)
            continue;
        hop->verdict = IPT_VERDICT_TRUSTED;
        hop->list = list;
        w->marks |= w->view->marks[list];
        return true;
    }
    end_at(w, 0, IPT_REASON_PEER_UNTRUSTED_DIRECT);
    return false;
}

/* The peer as hop 0, judged by `trust`. */
static bool judge_peer(work *w)
{
    if (ipt_span_equal(w->request->peer, IPT_SPAN("unix")))
        return push_unix_peer(w);

    ipt_endpoint peer;
    if (!ipt_endpoint_parse(w->request->peer, &peer) && !parse_odd_peer(w, &peer)) {
        ipt_hop *hop = push_hop(w, IPT_ORIGIN_PEER, IPT_VERDICT_MALFORMED);
        hop->has_text = true;
        hop->text = w->request->peer;
        end_at(w, 0, IPT_REASON_NO_ADDRESS);
        return false;
    }
    ipt_hop *hop = push_hop(w, IPT_ORIGIN_PEER, IPT_VERDICT_CLIENT);
    hop->has_addr = true;
    hop->addr = peer.addr;
    hop->port = peer.port;
    hop->has_port = peer.has_port;
    hop->has_text = peer.mapped;
    hop->text = w->request->peer;

    ipt_judgement judgement = ipt_policy_judge_members(w->policy, members_of(w, peer.addr));
    if (judgement.egress) {
        end_at(w, 0, IPT_REASON_CLIENT_IS_PROVIDER_EGRESS);
        return false;
    }
    if (judgement.list == IPT_LIST_NONE) {
        end_at(w, 0, IPT_REASON_PEER_UNTRUSTED_DIRECT);
        return false;
    }
    set_trusted(w, hop, &judgement);
    return true;
}

bool push_peer(work *w)
{
    if (w->policy->spec->trust_anyone) {
        (void)judge_peer(w); /* in no list: what it sets is replaced here */
        if (w->origin == IPT_REASON_NO_ADDRESS)
            return false;
        w->out->chain[0].verdict = IPT_VERDICT_COUNTED;
        add_reason(w, IPT_REASON_PEER_UNCHECKED);
        w->headers_read = true;
        return true;
    }
    if (!judge_peer(w))
        return false;
    w->peer_trusted = true;
    w->headers_read = true;
    w->http_hop = 0;
    return true;
}

static bool is_known_source(const ipt_proxy *proxy)
{
    return proxy->family == IPT_PROXY_INET || proxy->family == IPT_PROXY_INET6;
}

bool follow_proxy(work *w)
{
    if (!w->out->has_proxy || vouch_of(w, 0, IPT_NAME_PROXY_PROTOCOL) == IPT_VOUCH_NONE)
        return true;
    const ipt_proxy *proxy = &w->out->proxy;
    w->proxy_vouched = true;
    if (proxy->command == IPT_PROXY_CMD_LOCAL) {
        add_reason(w, IPT_REASON_PROXY_LOCAL);
        return true;
    }
    ipt_hop *hop = push_hop(w, IPT_ORIGIN_PROXY_PROTOCOL, IPT_VERDICT_UNVOUCHED);
    if (!is_known_source(proxy)) {
        hop->verdict = IPT_VERDICT_OBFUSCATED;
        end_at(w, 0, IPT_REASON_ENTRY_OBFUSCATED);
        w->headers_read = false;
        w->http_hop = NO_HOP;
        return false;
    }
    hop->has_addr = true;
    hop->addr = proxy->source;
    hop->port = proxy->source_port;
    hop->has_port = true;
    if (w->policy->spec->hops != 0)
        return true; /* counted, not judged: hops.c */
    ipt_judgement judgement;
    step_kind step = judge_step(w, 0, proxy->source, &judgement);
    if (!take_step(w, 1, step, &judgement, IPT_REASON_PROXY_PROTOCOL)) {
        w->headers_read = false;
        w->http_hop = NO_HOP;
        return false;
    }
    w->http_hop = 1;
    return true;
}

void choose_lead(work *w, uint16_t hop)
{
    ipt_name lead = IPT_NAME_NONE;
    for (size_t i = 0; i < w->policy->spec->read_count && lead == IPT_NAME_NONE; i++) {
        ipt_name name = w->policy->read[i].name;
        if (ipt_name_is_list(name) && is_filled(w, name) && vouch_of(w, hop, name) != IPT_VOUCH_NONE)
            lead = name;
    }
    entries_begin(w, lead);
}

/* What a pseudo IPv4 address of Cloudflare stands for is known before the hop is judged, wherever it is written. */
static void replace_pseudo_v4(work *w, item *it)
{
    if (!w->pseudo.active || w->pseudo.writer != w->cur || !ipt_addr_equal(it->hop.addr, w->pseudo.claim))
        return;
    it->hop.addr = w->pseudo.real;
    it->hop.has_text = false;
    w->pseudo.hop = w->out->chain_count;
}

static void end_with_bad_entry(work *w, const item *it)
{
    (void)push_entry(w, it, bad_entry_verdict(it->kind));
    end_at(w, w->cur, bad_entry_reason(it->kind));
}

/* Entries end the walk by their absence too: why depends on how many were looked at. */
static void end_without_entry(work *w, bool behind_own)
{
    ipt_reason reason = behind_own ? IPT_REASON_TOO_FEW_ENTRIES : IPT_REASON_ALL_HOPS_TRUSTED;
    end_at(w, w->cur, !w->closed && entries_beyond(w) ? IPT_REASON_LIMIT_REACHED : reason);
}

/* One turn of the loop; false when the walk has ended. */
static bool walk_one(work *w)
{
    const ipt_view_list *list = list_of(w, w->cur);
    const ipt_vouch how = list->list_vouch[w->entries.name - IPT_NAME_XFF];
    item *it = w->closed ? NULL : entry_at(w, w->entries.used);
    const bool own = list->adds == 2 && w->entries.name == IPT_NAME_XFF;
    if (how == IPT_VOUCH_NONE || (it != NULL && !carries_secret(w, list, it))) {
        end_at(w, w->cur, IPT_REASON_HOP_NOT_VOUCHING);
        return false;
    }
    if (own) {
        if (it != NULL && it->kind == IPT_ENTRY_ADDRESS) {
            (void)push_entry(w, it, IPT_VERDICT_OWN);
            it = entry_at(w, w->entries.used);
        }
    }
    if (it == NULL) {
        end_without_entry(w, own);
        return false;
    }
    if (it->kind != IPT_ENTRY_ADDRESS) {
        end_with_bad_entry(w, it);
        return false;
    }
    w->closed = how == IPT_VOUCH_REPLACE;
    replace_pseudo_v4(w, it);
    ipt_judgement judgement;
    step_kind step = judge_step(w, w->cur, it->hop.addr, &judgement);
    if (step == STEP_INVERSION) { /* shown with the entries that were not used */
        end_at(w, w->cur, IPT_REASON_TRUST_INVERSION);
        return false;
    }
    (void)push_entry(w, it, IPT_VERDICT_UNVOUCHED);
    return take_step(w, (uint16_t)(w->out->chain_count - 1), step, &judgement, IPT_REASON_WALK_FIRST_UNTRUSTED);
}

void walk_trusted(work *w)
{
    if (!push_peer(w))
        return;
    read_pseudo_v4(w);
    if (!follow_proxy(w))
        return;
    choose_lead(w, w->cur);
    if (w->entries.name == IPT_NAME_NONE)
        end_at(w, w->cur, IPT_REASON_PEER_TRUSTED_NO_HEADER);
    else
        for (bool more = true; more;) {
            if (w->pseudo.active && w->pseudo.writer == NO_HOP &&
                vouch_of(w, w->cur, IPT_NAME_CF_CONNECTING_IP) != IPT_VOUCH_NONE)
                w->pseudo.writer = w->cur;
            more = walk_one(w);
        }
    read_single_headers(w);
}
