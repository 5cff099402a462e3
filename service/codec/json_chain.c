/* The chain of a decision: one object a hop, with the keys that apply to it. */
#include "iptrust/wire/forwarded.h"
#include "json_put_priv.h"

/* Text of a hop as a person wrote it: of a quoted-string what it stands for (RFC 9110, 5.6.4). */
static void write_hop_text(ipt_buf *out, const ipt_hop *hop)
{
    if (!hop->text_quoted || hop->text.n == 0) {
        ipt_json_write_text(out, hop->text, IPT_TEXT_MAX);
        return;
    }
    char plain[2 * IPT_TEXT_MAX]; /* enough for IPT_TEXT_MAX bytes even when each is escaped */
    ipt_span text = {hop->text.p, hop->text.n < sizeof(plain) ? hop->text.n : sizeof(plain)};
    size_t n = ipt_unescape(text, plain);
    ipt_json_write_text(out, (ipt_span){plain, n}, IPT_TEXT_MAX);
}

static void write_origin(ipt_buf *out, const ipt_view *view, const ipt_hop *hop)
{
    put(out, IPT_SPAN("\"origin\":"));
    switch ((ipt_origin)hop->origin) {
    case IPT_ORIGIN_PEER:
        put(out, IPT_SPAN("\"peer\""));
        return;
    case IPT_ORIGIN_PROXY_PROTOCOL:
        put(out, IPT_SPAN("\"proxy_protocol\""));
        return;
    case IPT_ORIGIN_HEADER:
        put_header_name(out, view, hop->header);
        put(out, IPT_SPAN(",\"line\":"));
        put_number(out, hop->line);
        put(out, IPT_SPAN(",\"index\":"));
        put_number(out, hop->index);
        return;
    }
}

/* A Unix socket is in a list by its kind, not by a prefix. */
static void write_list(ipt_buf *out, const ipt_view *view, const ipt_hop *hop)
{
    const ipt_view_list *list = &view->lists[hop->list];
    put(out, IPT_SPAN(",\"list\":"));
    put_quoted(out, list->spec->name);
    if (hop->has_addr) {
        put(out, IPT_SPAN(",\"prefix\":"));
        put_prefix(out, ipt_prefix_of(hop->addr, hop->prefix_len));
    }
    if (list->revision[0] != '\0') {
        put(out, IPT_SPAN(",\"list_revision\":"));
        put_quoted(out, list->revision);
    }
    if (list->fetched_at[0] != '\0') {
        put(out, IPT_SPAN(",\"fetched_at\":"));
        put_quoted(out, list->fetched_at);
    }
}

static void write_hop(ipt_buf *out, const ipt_view *view, const ipt_hop *hop, size_t number)
{
    if (hop->verdict == IPT_VERDICT_NOT_EXAMINED) {
        put(out, IPT_SPAN("{\"verdict\":\"not_examined\",\"count\":"));
        put_number(out, hop->count);
        put_char(out, '}');
        return;
    }
    put(out, IPT_SPAN("{\"hop\":"));
    put_number(out, number);
    put_char(out, ',');
    if (hop->has_addr) {
        put(out, IPT_SPAN("\"address\":"));
        put_address(out, hop->addr);
        put_char(out, ',');
    }
    if (hop->has_port) {
        put(out, IPT_SPAN("\"port\":"));
        put_number(out, hop->port);
        put_char(out, ',');
    }
    if (hop->has_text) {
        put(out, IPT_SPAN("\"text\":"));
        write_hop_text(out, hop);
        put_char(out, ',');
    }
    write_origin(out, view, hop);
    put(out, IPT_SPAN(",\"verdict\":"));
    put_quoted(out, ipt_verdict_name((ipt_verdict)hop->verdict));
    if (hop->list != IPT_LIST_NONE)
        write_list(out, view, hop);
    put_char(out, '}');
}

void ipt_json_write_chain(ipt_buf *out, const ipt_decision *decision)
{
    put_char(out, '[');
    for (size_t i = 0; i < decision->chain_count; i++) {
        if (i != 0)
            put_char(out, ',');
        write_hop(out, decision->view, &decision->chain[i], i);
    }
    put_char(out, ']');
}
