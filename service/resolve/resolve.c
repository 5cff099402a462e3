/* The order of one decision: PROXY bytes, headers, walk, answer, reasons, and what is told beyond them. */
#include "resolve_priv.h"

#define WIDE_TABLE (1U << 20) /* bytes of prefix table from which look-ups are worth asking ahead */

static void begin(work *w, const ipt_view *view, const ipt_policy *policy, const ipt_request *request,
                  ipt_detail detail, ipt_decision *out)
{
    w->view = view;
    w->policy = policy;
    w->request = request;
    w->detail = detail;
    w->out = out;
    w->wide_table = ipt_lpm_bytes(view->lpm) > WIDE_TABLE;
    w->zone_dropped = false;
    w->peer_trusted = false;
    w->headers_read = false;
    w->proxy_vouched = false;
    w->http_hop = NO_HOP;
    w->cur = 0;
    w->answer = 0;
    w->placed = NO_HOP;
    w->closed = false;
    w->origin = IPT_REASON_NO_ADDRESS;
    w->reasons = 0;
    w->marks = 0;
    w->was_cut = false;
    w->has_several = false;
    memset(w->several, 0, sizeof(w->several));
    w->conflict_count = 0;
    w->members = NULL;
    w->pseudo = (pseudo_v4){.writer = NO_HOP, .hop = NO_HOP};
    w->entries.name = IPT_NAME_NONE;
    w->entries.count = 0;
    w->entries.used = 0;
    w->entries.has_word = false;
    w->entries.has_repeat = false;
    out->view = view;
    out->policy = policy;
    out->request = request;
    out->chain_count = 0;
    out->finding_count = 0;
}

/* decision.md section 5: false for every ending at a proxy but all_hops_trusted, and for provider_change. */
static bool is_complete(ipt_reason origin)
{
    switch ((int)origin) {
    case IPT_REASON_PEER_UNTRUSTED_DIRECT:
    case IPT_REASON_WALK_FIRST_UNTRUSTED:
    case IPT_REASON_PROVIDER_HEADER:
    case IPT_REASON_BOUND_HEADER:
    case IPT_REASON_PROXY_PROTOCOL:
    case IPT_REASON_HOP_COUNT_ONLY:
    case IPT_REASON_ALL_HOPS_TRUSTED:
    case IPT_REASON_CLIENT_IS_PROVIDER_EGRESS:
        return true;
    default:
        return false;
    }
}

static void set_client(work *w)
{
    ipt_decision *d = w->out;
    const ipt_hop *hop = &d->chain[w->answer];
    d->client_hop = w->answer;
    d->has_client = hop->has_addr;
    d->client_trusted = hop->verdict == IPT_VERDICT_TRUSTED;
    if (!d->has_client) /* a Unix socket has no address to tell */
        w->origin = IPT_REASON_NO_ADDRESS;
    d->client = hop->addr;
    d->client_port = hop->port;
    d->has_client_port = hop->has_port;
    d->complete = is_complete(w->origin);
    d->source = (ipt_origin)hop->origin;
    d->source_header = hop->header;
}

/* Flattened: the parts are small and each is called once or twice, so that calling costs as much as they do. */
__attribute__((flatten)) ipt_refusal ipt_resolve(const ipt_view *view, const ipt_policy *policy,
                                                 const ipt_request *request, ipt_detail detail, ipt_decision *out,
                                                 ipt_proxy_result *why)
{
    /* Each part writes what it later reads; clearing these 14 KiB (-ftrivial-auto-var-init) would cost more than the
     * decision does. Valgrind and the sanitizers watch over it. */
    work w __attribute__((uninitialized));
    out->has_proxy = request->has_proxy_protocol;
    if (request->has_proxy_protocol) {
        ipt_proxy_result result = ipt_proxy_parse(request->proxy_protocol, &out->proxy);
        if (result != IPT_PROXY_OK) {
            if (why != NULL)
                *why = result;
            return IPT_REFUSAL_PROXY_PROTOCOL;
        }
    }
    begin(&w, view, policy, request, detail, out);
    index_headers(&w);
    if (policy->spec->hops != 0)
        walk_hops(&w);
    else
        walk_trusted(&w);
    set_client(&w);
    describe_client(&w);
    place_client(&w);
    rate(&w);
    apply_rules(&w);
    if (detail == IPT_DETAIL_FULL) {
        make_keys(&w);
        w.unused_from = out->chain_count;
        if (w.headers_read)
            push_unused_entries(&w);
        read_context(&w);
        read_countries(&w);
        collect_findings(&w);
    } else {
        out->chain_count = 0;
        out->has_keys = false;
        out->has_peer_key = false;
    }
    return IPT_REFUSAL_NONE;
}
