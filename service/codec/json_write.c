/* A decision as JSON, byte for byte the same for the same decision: interfaces.md, Decision. */
#include "json_put_priv.h"

enum {
    USUAL_BYTES = 2048, /* room for a decision with a handful of hops, asked for once */
    VIA_MAX = 64,       /* Via lines shown: each is cut, and so is their number, or a decision grows with its request */
    PART_MAX = 512,     /* literals, addresses, prefixes, numbers and words of one part of a decision */
    REASON_MAX = 64 + 2 * QUOTED_MAX + NUMBER_MAX,
};

static char *lay_source(char *to, const ipt_decision *d, ipt_span header)
{
    if (!d->has_client)
        return lay(to, IPT_SPAN("null"));
    switch (d->source) {
    case IPT_ORIGIN_PEER:
        return lay(to, IPT_SPAN("\"peer\""));
    case IPT_ORIGIN_PROXY_PROTOCOL:
        return lay(to, IPT_SPAN("\"proxy_protocol\""));
    case IPT_ORIGIN_HEADER:
        return lay_text(to, header);
    }
    return to;
}

/* The names of the lists that hold the client; egress members are theirs, too. */
static char *lay_lists(char *to, const ipt_decision *d)
{
    *to++ = '[';
    for (size_t i = 0; i < d->client_list_count; i++) {
        if (i != 0)
            *to++ = ',';
        to = lay_quoted(to, d->view->lists[d->client_lists[i]].spec->name);
    }
    *to++ = ']';
    return to;
}

static void write_client(ipt_buf *out, const ipt_decision *d)
{
    ipt_span header = {NULL, 0};
    if (d->has_client && d->source == IPT_ORIGIN_HEADER)
        header = ipt_names_text(d->view->names, d->source_header);
    char *to = lay_begin(out, PART_MAX + text_room(header) + d->client_list_count * (size_t)(QUOTED_MAX + 1));
    if (to == NULL)
        return;
    to = lay(to, IPT_SPAN("{\"client_ip\":"));
    to = d->has_client ? lay_address(to, d->client) : lay(to, IPT_SPAN("null"));
    to = lay(to, IPT_SPAN(",\"client_port\":"));
    to = d->has_client && d->has_client_port ? lay_number(to, d->client_port) : lay(to, IPT_SPAN("null"));
    to = lay(to, IPT_SPAN(",\"complete\":"));
    to = lay_bool(to, d->complete);
    to = lay(to, IPT_SPAN(",\"source\":"));
    to = lay_source(to, d, header);
    if (d->has_client) {
        to = lay_words_or_null(to, IPT_SPAN(",\"client\":{\"class\":"), ipt_class_name(d->client_class));
        to = lay(to, IPT_SPAN(",\"embedded_ipv4\":"));
        to = d->embedding != IPT_EMBEDS_NONE ? lay_address(to, d->embedded) : lay(to, IPT_SPAN("null"));
        to = lay(to, IPT_SPAN(",\"lists\":"));
        to = lay_lists(to, d);
        *to++ = '}';
    } else
        to = lay(to, IPT_SPAN(",\"client\":null"));
    lay_end(out, to);
}

static char *lay_reasons(char *to, const ipt_decision *d)
{
    bool any = false;
    for (uint64_t left = d->reasons; left != 0; left &= left - 1) {
        ipt_reason reason = (ipt_reason)__builtin_ctzll(left);
        ipt_level cap;
        if (any)
            *to++ = ',';
        to = lay_words_or_null(to, IPT_SPAN("{\"code\":"), ipt_reason_name(reason));
        if (ipt_reason_cap(reason, &cap))
            to = lay_words_or_null(to, IPT_SPAN(",\"cap\":"), ipt_level_name(cap));
        if (reason == IPT_REASON_UNVOUCHED_ENTRIES) {
            to = lay(to, IPT_SPAN(",\"count\":"));
            to = lay_number(to, d->unvouched_count);
        }
        *to++ = '}';
        any = true;
    }
    return to;
}

static void write_judgement(ipt_buf *out, const ipt_decision *d)
{
    char *to = lay_begin(out, PART_MAX + (size_t)__builtin_popcountll(d->reasons) * REASON_MAX);
    if (to == NULL)
        return;
    to = lay_words_or_null(to, IPT_SPAN(",\"confidence\":{\"level\":"), ipt_level_name(d->level));
    to = lay(to, IPT_SPAN(",\"score\":"));
    to = lay_number(to, ipt_level_score(d->level));
    to = lay(to, IPT_SPAN(",\"reasons\":["));
    to = lay_reasons(to, d);
    to = lay_words_or_null(to, IPT_SPAN("]},\"verdict\":{\"action\":"),
                           d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow");
    to = lay_words_or_null(to, IPT_SPAN(",\"rule\":"), ipt_ruling_name(d->ruling));
    *to++ = '}';
    lay_end(out, to);
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

static char *lay_text_or_null(char *to, ipt_span text)
{
    return text.p == NULL ? lay(to, IPT_SPAN("null")) : lay_text(to, text);
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

static void write_vouched(ipt_buf *out, const ipt_decision *d)
{
    put(out, IPT_SPAN(",\"vouched\":["));
    for (size_t i = 0; i < d->context.vouched_count; i++) {
        if (i != 0)
            put_char(out, ',');
        ipt_json_write_text(out, ipt_names_text(d->view->names, d->context.vouched[i]), SIZE_MAX);
    }
    put(out, IPT_SPAN("]}"));
}

static void write_forwarded(ipt_buf *out, const ipt_decision *d)
{
    const ipt_context *context = &d->context;
    uint16_t port;
    char *to = lay_begin(out, PART_MAX + 3 * text_room((ipt_span){NULL, IPT_TEXT_MAX}));
    if (to == NULL)
        return;
    to = lay(to, IPT_SPAN(",\"forwarded\":{\"proto\":"));
    to = lay_text_or_null(to, text_cut(context->proto, IPT_TEXT_MAX));
    to = lay(to, IPT_SPAN(",\"host\":"));
    to = lay_text_or_null(to, text_cut(context->host, IPT_TEXT_MAX));
    to = lay(to, IPT_SPAN(",\"port\":"));
    bool has_port = context->port.p != NULL && ipt_port_parse(context->port, 1, &port);
    to = has_port ? lay_number(to, port) : lay(to, IPT_SPAN("null"));
    to = lay(to, IPT_SPAN(",\"prefix\":"));
    to = lay_text_or_null(to, text_cut(context->prefix, IPT_TEXT_MAX));
    lay_end(out, to);
    write_via(out, d);
    write_vouched(out, d);
}

__attribute__((always_inline)) static inline char *lay_prefix_or_null(char *to, ipt_span key, bool is_there,
                                                                      ipt_prefix prefix)
{
    to = lay(to, key);
    return is_there ? lay_prefix(to, prefix) : lay(to, IPT_SPAN("null"));
}

static void write_keys(ipt_buf *out, const ipt_decision *d)
{
    char *to = lay_begin(out, PART_MAX);
    if (to == NULL)
        return;
    to = lay_prefix_or_null(to, IPT_SPAN(",\"keys\":{\"rate_limit\":"), d->has_keys, d->rate_limit);
    to = lay_prefix_or_null(to, IPT_SPAN(",\"network\":"), d->has_keys, d->network);
    to = lay(to, IPT_SPAN(",\"anonymized\":"));
    to = d->has_keys ? lay_address(to, d->network.addr) : lay(to, IPT_SPAN("null"));
    to = lay_prefix_or_null(to, IPT_SPAN(",\"peer\":"), d->has_peer_key, d->peer_key);
    *to++ = '}';
    lay_end(out, to);
}

static void write_provenance(ipt_buf *out, const ipt_decision *d, const ipt_call *call)
{
    ipt_span id = text_cut(call->request_id, IPT_TEXT_MAX);
    char *to = lay_begin(out, PART_MAX + text_room(id));
    if (to == NULL)
        return;
    to = lay_words_or_null(to, IPT_SPAN(",\"policy\":"), d->policy->spec->name);
    to = lay_words_or_null(to, IPT_SPAN(",\"revision\":{\"policies\":"), d->view->policies_revision);
    to = lay_words_or_null(to, IPT_SPAN(",\"lists\":"), d->view->lists_revision);
    to = lay_words_or_null(to, IPT_SPAN(",\"geo\":"), ipt_geo_revision(d->view->geo));
    to = lay(to, IPT_SPAN("},\"request_id\":"));
    to = lay_text_or_null(to, id);
    *to++ = '}';
    lay_end(out, to);
}

static void write_place(ipt_buf *out, const ipt_decision *d, const ipt_call *call)
{
    put(out, IPT_SPAN(",\"geo\":"));
    if (!d->has_geo || !call->want_geo) {
        put(out, IPT_SPAN("null"));
        return;
    }
    bool told = d->told_header != IPT_NAME_NONE;
    ipt_json_write_geo(out, d->view->geo, &d->geo, d->told_country,
                       told ? ipt_names_text(d->view->names, d->told_header).p : NULL);
}

void ipt_json_write_decision(ipt_buf *out, const ipt_decision *decision, const ipt_call *call)
{
    if (!ipt_buf_reserve(out, USUAL_BYTES))
        return;
    write_client(out, decision);
    write_judgement(out, decision);
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
    write_place(out, decision, call);
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

static void write_address_place(ipt_buf *out, const ipt_view *view, ipt_addr addr)
{
    ipt_geo_facts facts;
    const ipt_span none = {NULL, 0};
    ipt_view_place(view, addr, IPT_GEO_ALL, &facts);
    put(out, IPT_SPAN(",\"geo\":"));
    if (ipt_geo_fields(view->geo) != 0)
        ipt_json_write_geo(out, view->geo, &facts, none, NULL);
    else
        put(out, IPT_SPAN("null"));
    put_words_or_null(out, IPT_SPAN(",\"geo_reason\":"), ipt_view_no_place(view, &facts));
    const char *attributions[IPT_GEO_FILES_MAX];
    size_t count = ipt_geo_attributions(view->geo, &facts, attributions);
    put(out, IPT_SPAN(",\"attributions\":["));
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            put_char(out, ',');
        ipt_json_write_string(out, ipt_span_from(attributions[i]));
    }
    put(out, IPT_SPAN("]}"));
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
    write_address_place(out, view, addr);
}
