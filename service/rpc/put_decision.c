/* A decision as a message: everything that json_write.c writes, so that either can be made of the other. */
#include <iptrust/v1/iptrust.pb-c.h>

#include "put_priv.h"

enum { VIA_MAX = 64 }; /* Via lines shown, as in JSON */

char *put_source(rpc_maker *maker, const ipt_view *view, ipt_origin origin, ipt_name header)
{
    switch (origin) {
    case IPT_ORIGIN_PEER:
        return rpc_borrow("peer");
    case IPT_ORIGIN_PROXY_PROTOCOL:
        return rpc_borrow("proxy_protocol");
    case IPT_ORIGIN_HEADER:
        break;
    }
    return rpc_text(maker, ipt_names_text(view->names, header), SIZE_MAX);
}

static Iptrust__V1__Level level_of(ipt_level level)
{
    switch (level) {
    case IPT_LEVEL_NONE:
        return IPTRUST__V1__LEVEL__LEVEL_NONE;
    case IPT_LEVEL_LOW:
        return IPTRUST__V1__LEVEL__LEVEL_LOW;
    case IPT_LEVEL_MEDIUM:
        return IPTRUST__V1__LEVEL__LEVEL_MEDIUM;
    case IPT_LEVEL_HIGH:
        return IPTRUST__V1__LEVEL__LEVEL_HIGH;
    case IPT_LEVEL_AUTHENTICATED:
        return IPTRUST__V1__LEVEL__LEVEL_AUTHENTICATED;
    }
    return IPTRUST__V1__LEVEL__LEVEL_UNSPECIFIED;
}

static void put_client(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    to->complete = d->complete;
    if (!d->has_client)
        return;
    to->client_ip = rpc_address(maker, d->client);
    if (d->has_client_port) {
        to->client_port_value_case = IPTRUST__V1__DECISION__CLIENT_PORT_VALUE_CLIENT_PORT;
        to->client_port = d->client_port;
    }
    to->source = put_source(maker, d->view, d->source, d->source_header);
    Iptrust__V1__Client *client = rpc_make(maker, &iptrust__v1__client__descriptor);
    char **lists = rpc_make_array(maker, d->client_list_count, sizeof(*lists));
    if (client == NULL || lists == NULL)
        return;
    client->class_ = rpc_borrow(ipt_class_name(d->client_class));
    if (d->embedding != IPT_EMBEDS_NONE)
        client->embedded_ipv4 = rpc_address(maker, d->embedded);
    for (size_t i = 0; i < d->client_list_count; i++)
        lists[i] = rpc_borrow(d->view->lists[d->client_lists[i]].spec->name);
    client->n_lists = d->client_list_count;
    client->lists = lists;
    to->client = client;
}

static void put_confidence(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    Iptrust__V1__Confidence *confidence = rpc_make(maker, &iptrust__v1__confidence__descriptor);
    void **reasons = rpc_make_list(maker, (size_t)__builtin_popcountll(d->reasons), &iptrust__v1__reason__descriptor);
    if (confidence == NULL || reasons == NULL)
        return;
    confidence->level = level_of(d->level);
    confidence->score = ipt_level_score(d->level);
    for (uint64_t left = d->reasons; left != 0; left &= left - 1) {
        ipt_reason reason = (ipt_reason)__builtin_ctzll(left);
        Iptrust__V1__Reason *out = reasons[confidence->n_reasons++];
        ipt_level cap;
        out->code = rpc_borrow(ipt_reason_name(reason));
        if (ipt_reason_cap(reason, &cap))
            out->cap = level_of(cap);
        if (reason == IPT_REASON_UNVOUCHED_ENTRIES) {
            out->count_value_case = IPTRUST__V1__REASON__COUNT_VALUE_COUNT;
            out->count = d->unvouched_count;
        }
    }
    confidence->reasons = (Iptrust__V1__Reason **)reasons;
    to->confidence = confidence;
}

static void put_verdict(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    Iptrust__V1__Ruling *ruling = rpc_make(maker, &iptrust__v1__ruling__descriptor);
    const char *rule = ipt_ruling_name(d->ruling);
    if (ruling == NULL)
        return;
    ruling->action =
        d->ruling.action == IPT_ACTION_DENY ? IPTRUST__V1__ACTION__ACTION_DENY : IPTRUST__V1__ACTION__ACTION_ALLOW;
    if (rule != NULL)
        ruling->rule = rpc_borrow(rule);
    to->verdict = ruling;
}

/* Header names are compared in any case and shown in one; an attribute's name is what it is. */
static char *finding_header(rpc_maker *maker, ipt_span name)
{
    static const ipt_span attribute = {"attribute:", 10};
    char *text = rpc_text(maker, name, IPT_TEXT_MAX);
    bool is_attribute = name.n >= attribute.n && memcmp(name.p, attribute.p, attribute.n) == 0;
    for (char *p = text; p != NULL && *p != '\0' && !is_attribute; p++)
        *p = ipt_lower(*p);
    return text;
}

static void put_findings(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    void **findings = rpc_make_list(maker, d->finding_count, &iptrust__v1__finding__descriptor);
    if (findings == NULL)
        return;
    for (size_t i = 0; i < d->finding_count; i++) {
        Iptrust__V1__Finding *out = findings[i];
        out->code = rpc_borrow(ipt_finding_name(d->findings[i].code));
        out->header = finding_header(maker, d->findings[i].header);
        out->detail = rpc_text(maker, ipt_span_from(ipt_finding_meaning(d->findings[i].code)), SIZE_MAX);
    }
    to->n_findings = d->finding_count;
    to->findings = (Iptrust__V1__Finding **)findings;
}

static void put_via(rpc_maker *maker, Iptrust__V1__Forwarded *to, const ipt_decision *d)
{
    size_t count = d->context.via_count < VIA_MAX ? d->context.via_count : VIA_MAX;
    char **via = rpc_make_array(maker, count, sizeof(*via));
    if (via == NULL)
        return;
    for (size_t i = 0; to->n_via < count && i < d->request->header_count; i++) {
        const ipt_header *header = &d->request->headers[i];
        if (!ipt_span_equal_nocase(header->name, IPT_SPAN("via")))
            continue;
        char *text = rpc_text(maker, header->value, IPT_TEXT_MAX);
        if (text == NULL)
            return;
        via[to->n_via++] = text;
    }
    to->via = via;
}

static void put_vouched(rpc_maker *maker, Iptrust__V1__Forwarded *to, const ipt_decision *d)
{
    char **vouched = rpc_make_array(maker, d->context.vouched_count, sizeof(*vouched));
    if (vouched == NULL)
        return;
    for (size_t i = 0; i < d->context.vouched_count; i++)
        vouched[i] = rpc_text(maker, ipt_names_text(d->view->names, d->context.vouched[i]), SIZE_MAX);
    to->n_vouched = d->context.vouched_count;
    to->vouched = vouched;
}

static void put_forwarded(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    const ipt_context *context = &d->context;
    Iptrust__V1__Forwarded *forwarded = rpc_make(maker, &iptrust__v1__forwarded__descriptor);
    uint16_t port;
    if (forwarded == NULL)
        return;
    if (context->proto.p != NULL) {
        forwarded->proto_value_case = IPTRUST__V1__FORWARDED__PROTO_VALUE_PROTO;
        forwarded->proto = rpc_text(maker, context->proto, IPT_TEXT_MAX);
    }
    if (context->host.p != NULL) {
        forwarded->host_value_case = IPTRUST__V1__FORWARDED__HOST_VALUE_HOST;
        forwarded->host = rpc_text(maker, context->host, IPT_TEXT_MAX);
    }
    if (context->port.p != NULL && ipt_port_parse(context->port, 1, &port))
        forwarded->port = port;
    if (context->prefix.p != NULL) {
        forwarded->prefix_value_case = IPTRUST__V1__FORWARDED__PREFIX_VALUE_PREFIX;
        forwarded->prefix = rpc_text(maker, context->prefix, IPT_TEXT_MAX);
    }
    put_via(maker, forwarded, d);
    put_vouched(maker, forwarded, d);
    to->forwarded = forwarded;
}

static void put_keys(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    Iptrust__V1__Keys *keys = rpc_make(maker, &iptrust__v1__keys__descriptor);
    if (keys == NULL)
        return;
    if (d->has_keys) {
        keys->rate_limit = rpc_prefix(maker, d->rate_limit);
        keys->network = rpc_prefix(maker, d->network);
        keys->anonymized = rpc_address(maker, d->network.addr);
    }
    if (d->has_peer_key)
        keys->peer = rpc_prefix(maker, d->peer_key);
    to->keys = keys;
}

static void put_provenance(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d, const ipt_call *call)
{
    Iptrust__V1__Revision *revision = rpc_make(maker, &iptrust__v1__revision__descriptor);
    if (revision == NULL)
        return;
    revision->policies = rpc_borrow(d->view->policies_revision);
    revision->lists = rpc_borrow(d->view->lists_revision);
    if (ipt_geo_revision(d->view->geo) != NULL)
        revision->geo = rpc_borrow(ipt_geo_revision(d->view->geo));
    to->revision = revision;
    to->policy = rpc_borrow(d->policy->spec->name);
    if (call->request_id.p != NULL) {
        to->request_id_value_case = IPTRUST__V1__DECISION__REQUEST_ID_VALUE_REQUEST_ID;
        to->request_id = rpc_text(maker, call->request_id, IPT_TEXT_MAX);
    }
}

static Iptrust__V1__Geo *put_place(rpc_maker *maker, const ipt_decision *d)
{
    ipt_span told_by = {NULL, 0};
    if (d->told_header != IPT_NAME_NONE)
        told_by = ipt_names_text(d->view->names, d->told_header);
    return rpc_put_geo(maker, d->view->geo, &d->geo, d->told_country, told_by);
}

Iptrust__V1__Decision *rpc_put_decision(rpc_maker *maker, const ipt_decision *decision, const ipt_call *call)
{
    Iptrust__V1__Decision *to = rpc_make(maker, &iptrust__v1__decision__descriptor);
    if (to == NULL)
        return NULL;
    put_client(maker, to, decision);
    put_confidence(maker, to, decision);
    put_verdict(maker, to, decision);
    if (call->want_chain)
        put_chain(maker, to, decision);
    put_findings(maker, to, decision);
    put_forwarded(maker, to, decision);
    if (decision->has_proxy)
        to->proxy_protocol = rpc_put_proxy(maker, &decision->proxy);
    if (decision->has_geo && call->want_geo)
        to->geo = put_place(maker, decision);
    put_keys(maker, to, decision);
    put_provenance(maker, to, decision, call);
    return maker->failed ? NULL : to;
}
