/* A decision as JSON, byte for byte the same for the same decision: interfaces.md, Decision. */
#include "json_put_priv.h"

enum {
    USUAL_BYTES = 2048, /* room for a decision with a handful of hops, asked for once */
    VIA_MAX = 64,       /* Via lines shown: each is cut, and so is their number, or a decision grows with its request */
};

static void write_source(ipt_buf *out, const ipt_decision *d)
{
    if (!d->has_client) {
        put(out, IPT_SPAN("null"));
        return;
    }
    switch (d->source) {
    case IPT_ORIGIN_PEER:
        put(out, IPT_SPAN("\"peer\""));
        return;
    case IPT_ORIGIN_PROXY_PROTOCOL:
        put(out, IPT_SPAN("\"proxy_protocol\""));
        return;
    case IPT_ORIGIN_HEADER:
        put_header_name(out, d->view, d->source_header);
        return;
    }
}

static void write_client(ipt_buf *out, const ipt_decision *d)
{
    put(out, IPT_SPAN("{\"client_ip\":"));
    if (d->has_client)
        put_address(out, d->client);
    else
        put(out, IPT_SPAN("null"));
    put(out, IPT_SPAN(",\"client_port\":"));
    if (d->has_client && d->has_client_port)
        put_number(out, d->client_port);
    else
        put(out, IPT_SPAN("null"));
    put(out, IPT_SPAN(",\"complete\":"));
    put_bool(out, d->complete);
    put(out, IPT_SPAN(",\"source\":"));
    write_source(out, d);
    if (!d->has_client) {
        put(out, IPT_SPAN(",\"client\":null"));
        return;
    }
    put_words_or_null(out, IPT_SPAN(",\"client\":{\"class\":"), ipt_class_name(d->client_class));
    put(out, IPT_SPAN(",\"embedded_ipv4\":"));
    if (d->embedding != IPT_EMBEDS_NONE)
        put_address(out, d->embedded);
    else
        put(out, IPT_SPAN("null"));
    put(out, IPT_SPAN(",\"lists\":"));
    put_lists(out, d->view, d->client_lists, d->client_list_count);
    put_char(out, '}');
}

static void write_confidence(ipt_buf *out, const ipt_decision *d)
{
    put_words_or_null(out, IPT_SPAN(",\"confidence\":{\"level\":"), ipt_level_name(d->level));
    put(out, IPT_SPAN(",\"score\":"));
    put_number(out, ipt_level_score(d->level));
    put(out, IPT_SPAN(",\"reasons\":["));
    bool any = false;
    for (uint64_t left = d->reasons; left != 0; left &= left - 1) {
        ipt_reason reason = (ipt_reason)__builtin_ctzll(left);
        ipt_level cap;
        put_words_or_null(out, any ? IPT_SPAN(",{\"code\":") : IPT_SPAN("{\"code\":"), ipt_reason_name(reason));
        if (ipt_reason_cap(reason, &cap))
            put_words_or_null(out, IPT_SPAN(",\"cap\":"), ipt_level_name(cap));
        if (reason == IPT_REASON_UNVOUCHED_ENTRIES) {
            put(out, IPT_SPAN(",\"count\":"));
            put_number(out, d->unvouched_count);
        }
        put_char(out, '}');
        any = true;
    }
    put(out, IPT_SPAN("]}"));
}

static void write_verdict(ipt_buf *out, const ipt_decision *d)
{
    put_words_or_null(out, IPT_SPAN(",\"verdict\":{\"action\":"),
                      d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow");
    put_words_or_null(out, IPT_SPAN(",\"rule\":"), ipt_ruling_name(d->ruling));
    put_char(out, '}');
}

/* Header names are compared in any case and shown in one; an attribute's name is what it is. */
static void write_finding_header(ipt_buf *out, ipt_span name)
{
    static const ipt_span attribute = {"attribute:", 10};
    bool is_attribute = name.n >= attribute.n && memcmp(name.p, attribute.p, attribute.n) == 0;
    size_t begin = out->n;
    ipt_json_write_text(out, name, IPT_TEXT_MAX);
    for (size_t i = begin; i < out->n && !is_attribute; i++)
        out->p[i] = ipt_lower(out->p[i]);
}

static void write_findings(ipt_buf *out, const ipt_decision *d)
{
    put(out, IPT_SPAN(",\"findings\":["));
    for (size_t i = 0; i < d->finding_count; i++) {
        const ipt_finding *finding = &d->findings[i];
        put_words_or_null(out, i == 0 ? IPT_SPAN("{\"code\":") : IPT_SPAN(",{\"code\":"),
                          ipt_finding_name(finding->code));
        put(out, IPT_SPAN(",\"header\":"));
        write_finding_header(out, finding->header);
        put(out, IPT_SPAN(",\"detail\":"));
        ipt_json_write_text(out, ipt_span_from(ipt_finding_meaning(finding->code)), SIZE_MAX);
        put_char(out, '}');
    }
    put_char(out, ']');
}

static void put_text_or_null(ipt_buf *out, ipt_span key, ipt_span text)
{
    put(out, key);
    if (text.p == NULL)
        put(out, IPT_SPAN("null"));
    else
        ipt_json_write_text(out, text, IPT_TEXT_MAX);
}

static void write_via(ipt_buf *out, const ipt_decision *d)
{
    put(out, IPT_SPAN(",\"via\":["));
    size_t left = d->context.via_count < VIA_MAX ? d->context.via_count : VIA_MAX;
    bool any = false;
    for (size_t i = 0; left != 0 && i < d->request->header_count; i++) {
        const ipt_header *header = &d->request->headers[i];
        if (!ipt_span_equal_nocase(header->name, IPT_SPAN("via")))
            continue;
        if (any)
            put_char(out, ',');
        ipt_json_write_text(out, header->value, IPT_TEXT_MAX);
        any = true;
        left--;
    }
    put_char(out, ']');
}

static void write_forwarded(ipt_buf *out, const ipt_decision *d)
{
    const ipt_context *context = &d->context;
    uint16_t port;
    put_text_or_null(out, IPT_SPAN(",\"forwarded\":{\"proto\":"), context->proto);
    put_text_or_null(out, IPT_SPAN(",\"host\":"), context->host);
    put(out, IPT_SPAN(",\"port\":"));
    if (context->port.p != NULL && ipt_port_parse(context->port, 1, &port))
        put_number(out, port);
    else
        put(out, IPT_SPAN("null"));
    put_text_or_null(out, IPT_SPAN(",\"prefix\":"), context->prefix);
    write_via(out, d);
    put(out, IPT_SPAN(",\"vouched\":["));
    for (size_t i = 0; i < context->vouched_count; i++) {
        if (i != 0)
            put_char(out, ',');
        put_header_name(out, d->view, context->vouched[i]);
    }
    put(out, IPT_SPAN("]}"));
}

static void put_prefix_or_null(ipt_buf *out, ipt_span key, bool is_there, ipt_prefix prefix)
{
    put(out, key);
    if (is_there)
        put_prefix(out, prefix);
    else
        put(out, IPT_SPAN("null"));
}

static void write_keys(ipt_buf *out, const ipt_decision *d)
{
    put_prefix_or_null(out, IPT_SPAN(",\"keys\":{\"rate_limit\":"), d->has_keys, d->rate_limit);
    put_prefix_or_null(out, IPT_SPAN(",\"network\":"), d->has_keys, d->network);
    put(out, IPT_SPAN(",\"anonymized\":"));
    if (d->has_keys)
        put_address(out, d->network.addr);
    else
        put(out, IPT_SPAN("null"));
    put_prefix_or_null(out, IPT_SPAN(",\"peer\":"), d->has_peer_key, d->peer_key);
    put_char(out, '}');
}

static void write_provenance(ipt_buf *out, const ipt_decision *d, const ipt_call *call)
{
    put_words_or_null(out, IPT_SPAN(",\"policy\":"), d->policy->spec->name);
    put_words_or_null(out, IPT_SPAN(",\"revision\":{\"policies\":"), d->view->policies_revision);
    put_words_or_null(out, IPT_SPAN(",\"lists\":"), d->view->lists_revision);
    put(out, IPT_SPAN(",\"geo\":null}"));
    put_text_or_null(out, IPT_SPAN(",\"request_id\":"), call->request_id);
    put_char(out, '}');
}

void ipt_json_write_decision(ipt_buf *out, const ipt_decision *decision, const ipt_call *call)
{
    if (!ipt_buf_reserve(out, USUAL_BYTES))
        return;
    write_client(out, decision);
    write_confidence(out, decision);
    write_verdict(out, decision);
    put(out, IPT_SPAN(",\"chain\":"));
    if (call->want_chain)
        ipt_json_write_chain(out, decision);
    else
        put(out, IPT_SPAN("[]"));
    write_findings(out, decision);
    write_forwarded(out, decision);
    put(out, IPT_SPAN(",\"proxy_protocol\":"));
    if (decision->has_proxy)
        ipt_json_write_proxy(out, &decision->proxy);
    else
        put(out, IPT_SPAN("null"));
    put(out, IPT_SPAN(",\"geo\":null")); /* no database is loaded yet, whatever call->want_geo says */
    write_keys(out, decision);
    write_provenance(out, decision, call);
}

static void write_members(ipt_buf *out, const ipt_view *view, ipt_addr addr)
{
    const ipt_members *members = ipt_lpm_find(view->lpm, addr);
    put_char(out, '[');
    for (uint32_t i = 0; i < members->count; i++) {
        const ipt_member *member = &members->items[i];
        const ipt_view_list *list = &view->lists[member->tag & ~IPT_EGRESS_TAG];
        put_words_or_null(out, i == 0 ? IPT_SPAN("{\"list\":") : IPT_SPAN(",{\"list\":"), list->spec->name);
        put(out, IPT_SPAN(",\"prefix\":"));
        put_prefix(out, ipt_prefix_of(addr, member->len));
        put(out, IPT_SPAN(",\"egress\":"));
        put_bool(out, (member->tag & IPT_EGRESS_TAG) != 0);
        put_char(out, '}');
    }
    put_char(out, ']');
}

void ipt_json_write_address(ipt_buf *out, const ipt_view *view, ipt_addr addr)
{
    ipt_addr embedded;
    ipt_embedding embedding = ipt_addr_embedded(addr, view->nat64, view->nat64_count, &embedded);
    put(out, IPT_SPAN("{\"address\":"));
    put_address(out, addr);
    put_words_or_null(out, IPT_SPAN(",\"class\":"), ipt_class_name(ipt_addr_class(addr)));
    put(out, IPT_SPAN(",\"embedded_ipv4\":"));
    if (embedding != IPT_EMBEDS_NONE)
        put_address(out, embedded);
    else
        put(out, IPT_SPAN("null"));
    put_words_or_null(out, IPT_SPAN(",\"embedding\":"), ipt_embedding_name(embedding));
    put(out, IPT_SPAN(",\"lists\":"));
    write_members(out, view, addr);
    put(out, IPT_SPAN(",\"geo\":null}"));
}
