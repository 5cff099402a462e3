/* Findings: what someone should look at, apart from how sure the answer is (decision.md section 7). Kept sorted, one
 * for each code and header, so that the order of the headers in the request changes nothing (I10). */
#include "resolve_priv.h"

static int compare_findings(const ipt_finding *a, ipt_finding_code code, ipt_span header)
{
    if (a->code != code)
        return a->code < code ? -1 : 1;
    return a->header.p == header.p && a->header.n == header.n ? 0 : ipt_span_compare_nocase(a->header, header);
}

static void add_finding(work *w, ipt_finding_code code, ipt_span header)
{
    ipt_decision *d = w->out;
    uint16_t at = d->finding_count;
    while (at > 0) {
        int order = compare_findings(&d->findings[at - 1], code, header);
        if (order == 0)
            return;
        if (order < 0)
            break;
        at--;
    }
    if (at == IPT_FINDINGS_MAX)
        return;
    if (d->finding_count == IPT_FINDINGS_MAX)
        d->finding_count--;
    memmove(&d->findings[at + 1], &d->findings[at], (size_t)(d->finding_count - at) * sizeof(d->findings[0]));
    d->findings[at] = (ipt_finding){code, header};
    d->finding_count++;
}

static void add_named(work *w, ipt_finding_code code, ipt_name name)
{
    add_finding(w, code, ipt_names_text(w->view->names, name));
}

void each_nominated(work *w, void (*visit)(work *w, ipt_name name))
{
    if (!has_header(w, IPT_NAME_CONNECTION))
        return;
    uint32_t at = w->headers.lines[IPT_NAME_CONNECTION].first;
    ipt_span value;
    while (next_line(w, IPT_NAME_CONNECTION, &at, &value)) {
        ipt_list_line line;
        ipt_span token;
        ipt_list_line_init(&line, IPT_LIST_XFF, value);
        while (ipt_list_line_prev(&line, &token)) {
            ipt_name name = find_header_name(w, token);
            if (name != IPT_NAME_NONE)
                visit(w, name);
        }
    }
}

static bool is_read(const work *w, ipt_name name)
{
    for (size_t i = 0; i < w->policy->spec->read_count; i++)
        if (w->policy->read[i].name == name)
            return true;
    return false;
}

static void find_nomination(work *w, ipt_name name)
{
    if (ipt_name_is_address(name) || is_read(w, name))
        add_named(w, IPT_FINDING_CONNECTION_NOMINATES_HEADER, name);
}

/* CF-Connecting-IPv6 is vouched for with CF-Connecting-IP, never by itself. */
static bool is_vouched(const work *w, ipt_name name)
{
    if (name == IPT_NAME_CF_CONNECTING_IPV6)
        name = IPT_NAME_CF_CONNECTING_IP;
    for (uint16_t i = 0; i < w->out->chain_count; i++)
        if (w->out->chain[i].verdict == IPT_VERDICT_TRUSTED && vouch_of(w, i, name) != IPT_VOUCH_NONE)
            return true;
    return false;
}

/* A forwarding header that nobody we trust is declared to write. */
static void find_unvouched_header(work *w, ipt_name name)
{
    if (name == w->entries.name && w->headers_read)
        return;
    if (w->headers_read && is_vouched(w, name))
        return;
    if (ipt_provider_of_header(name) != IPT_PROVIDER_NONE)
        add_named(w, IPT_FINDING_PROVIDER_HEADER_FROM_WRONG_PEER, name);
    else if (w->headers_read)
        add_named(w, IPT_FINDING_HEADER_NOT_VOUCHED, name);
    else
        add_named(w, IPT_FINDING_FORWARDING_HEADER_FROM_UNTRUSTED_PEER, name);
}

static void find_headers(work *w)
{
    for (uint64_t left = w->headers.present[0] & names_up_to(IPT_NAME_LAST_ADDRESS); left != 0; left &= left - 1) {
        ipt_name name = (ipt_name)__builtin_ctzll(left);
        if (is_filled(w, name))
            find_unvouched_header(w, name);
    }
    for (size_t i = 0; i < w->policy->spec->read_count; i++) {
        ipt_name name = w->policy->read[i].name;
        if (!ipt_name_is_address(name) && is_filled(w, name))
            find_unvouched_header(w, name);
    }
    if (w->out->has_proxy && !w->proxy_vouched)
        add_named(w,
                  w->headers_read ? IPT_FINDING_HEADER_NOT_VOUCHED : IPT_FINDING_FORWARDING_HEADER_FROM_UNTRUSTED_PEER,
                  IPT_NAME_PROXY_PROTOCOL);
}

static void find_aliases(work *w)
{
    for (size_t i = 0; w->headers.has_alias && i < w->request->header_count; i++)
        if (ipt_names_is_alias(w->view->names, w->request->headers[i].name))
            add_finding(w, IPT_FINDING_ALIAS_HEADER, w->request->headers[i].name);
}

static ipt_name hop_name(const ipt_hop *hop)
{
    return hop->origin == IPT_ORIGIN_HEADER ? hop->header : (ipt_name)IPT_NAME_PROXY_PROTOCOL;
}

static void find_in_trusted(work *w, uint16_t i)
{
    const ipt_hop *hop = &w->out->chain[i];
    if (w->has_several && (w->several[i / 64] >> i % 64 & 1) != 0)
        add_finding(w, IPT_FINDING_DOUBLE_LISTED_ADDRESS,
                    i == 0 ? IPT_SPAN("peer") : ipt_names_text(w->view->names, hop_name(hop)));
    if (hop->origin == IPT_ORIGIN_HEADER && hop->has_port)
        add_named(w, IPT_FINDING_PORT_ON_TRUSTED_HOP, hop->header);
}

/* Entries of the leading list header alone: of a PROXY source or a single-address header that led nowhere the reason
 * tells. Told once for all of them, so the loop only notes what there is. */
static void find_in_unused(work *w)
{
    bool trusted = false, reserved = false;
    for (uint16_t i = w->unused_from; i < w->out->chain_count; i++) {
        const ipt_hop *hop = &w->out->chain[i];
        if (!hop->has_addr)
            continue;
        ipt_class class = ipt_addr_class(hop->addr);
        trusted |= ipt_policy_judge(w->view, w->policy, hop->addr).list != IPT_LIST_NONE;
        reserved |= class != IPT_CLASS_GLOBAL && class != IPT_CLASS_TRANSITION;
    }
    if (trusted)
        add_named(w, IPT_FINDING_TRUSTED_ADDRESS_IN_UNVOUCHED, w->entries.name);
    if (reserved)
        add_named(w, IPT_FINDING_RESERVED_ADDRESS_IN_UNVOUCHED, w->entries.name);
}

static void find_in_chain(work *w)
{
    for (uint16_t i = 0; i < w->unused_from; i++)
        if (w->out->chain[i].verdict == IPT_VERDICT_TRUSTED)
            find_in_trusted(w, i);
    find_in_unused(w);
    if (w->headers_read && w->entries.has_word)
        add_named(w, IPT_FINDING_NON_ADDRESS_TOKEN, w->entries.name);
    if (w->headers_read && w->entries.has_repeat)
        add_named(w, IPT_FINDING_DUPLICATE_PARAMETER, w->entries.name);
}

static bool ends_with_zone(ipt_span host, ipt_span zone)
{
    if (host.n < zone.n || zone.n == 0)
        return false;
    ipt_span tail = {host.p + (host.n - zone.n), zone.n};
    return ipt_span_equal_nocase(tail, zone) && (host.n == zone.n || host.p[host.n - zone.n - 1] == '.');
}

/* CF-Worker names the zone of the Worker that sent a sub-request; one that is not the host's own is somebody else's
 * program speaking through the provider. Told only when a Cloudflare hop is in the chain and a host is known. */
static void find_foreign_worker(work *w)
{
    ipt_span zone, host;
    if (!w->headers_read || count_values(w, IPT_NAME_CF_WORKER, &zone) == 0)
        return;
    bool cloudflare = false;
    for (uint16_t i = 0; i < w->out->chain_count; i++) {
        const ipt_hop *hop = &w->out->chain[i];
        cloudflare = cloudflare || (hop->verdict == IPT_VERDICT_TRUSTED &&
                                    w->view->lists[hop->list].spec->provider == IPT_PROVIDER_CLOUDFLARE);
    }
    if (!cloudflare || count_values(w, IPT_NAME_HOST, &host) == 0)
        return;
    const char *colon = host.n == 0 ? NULL : memchr(host.p, ':', host.n);
    if (colon != NULL)
        host.n = (size_t)(colon - host.p);
    if (!ends_with_zone(ipt_span_trim(host), ipt_span_trim(zone)))
        add_named(w, IPT_FINDING_FOREIGN_WORKER, IPT_NAME_CF_WORKER);
}

void collect_findings(work *w)
{
    if (w->out->chain[0].verdict != IPT_VERDICT_MALFORMED) /* else nobody is known who could have sent them */
        find_headers(w);
    find_aliases(w);
    each_nominated(w, find_nomination);
    find_in_chain(w);
    for (size_t i = 0; i < w->conflict_count; i++)
        add_named(w, IPT_FINDING_HEADER_CONFLICT, w->conflicts[i]);
    find_foreign_worker(w);
    find_geo_conflicts(w, add_named);
    if (w->zone_dropped)
        add_finding(w, IPT_FINDING_ZONE_DROPPED, IPT_SPAN("peer"));
    if (w->request->policy_not_selectable)
        add_finding(w, IPT_FINDING_POLICY_NOT_SELECTABLE, IPT_SPAN("peer"));
    if (w->request->peer_header_forged)
        add_finding(w, IPT_FINDING_PEER_HEADER_FORGED, IPT_SPAN("peer"));
}
