/* The chain of a decision: one object a hop, with the keys that apply to it. */
#include "iptrust/wire/forwarded.h"
#include "json_put_priv.h"

enum { HOP_MAX = 640 }; /* of one hop, without the texts that come with the request or the configuration */

/* Text of a hop as a person wrote it: of a quoted-string what it stands for (RFC 9110, 5.6.4). */
static char *lay_hop_text(char *to, const ipt_hop *hop)
{
    if (!hop->text_quoted || hop->text.n == 0)
        return lay_text(to, text_cut(hop->text, IPT_TEXT_MAX));
    char plain[2 * IPT_TEXT_MAX]; /* enough for IPT_TEXT_MAX bytes even when each is escaped */
    size_t n = ipt_unescape(text_cut(hop->text, sizeof(plain)), plain);
    return lay_text(to, text_cut((ipt_span){plain, n}, IPT_TEXT_MAX));
}

static char *lay_origin(char *to, const ipt_hop *hop, ipt_span header)
{
    to = lay(to, IPT_SPAN("\"origin\":"));
    switch ((ipt_origin)hop->origin) {
    case IPT_ORIGIN_PEER:
        return lay(to, IPT_SPAN("\"peer\""));
    case IPT_ORIGIN_PROXY_PROTOCOL:
        return lay(to, IPT_SPAN("\"proxy_protocol\""));
    case IPT_ORIGIN_HEADER:
        to = lay_text(to, header);
        to = lay(to, IPT_SPAN(",\"line\":"));
        to = lay_number(to, hop->line);
        to = lay(to, IPT_SPAN(",\"index\":"));
        return lay_number(to, hop->index);
    }
    return to;
}

/* A Unix socket is in a list by its kind, not by a prefix. */
static char *lay_list(char *to, const ipt_view_list *list, const ipt_hop *hop)
{
    to = lay(to, IPT_SPAN(",\"list\":"));
    to = lay_quoted(to, list->spec->name);
    if (hop->has_addr) {
        to = lay(to, IPT_SPAN(",\"prefix\":"));
        to = lay_prefix(to, ipt_prefix_of(hop->addr, hop->prefix_len));
    }
    if (list->revision[0] != '\0')
        to = lay_words_or_null(to, IPT_SPAN(",\"list_revision\":"), list->revision);
    if (list->fetched_at[0] != '\0')
        to = lay_words_or_null(to, IPT_SPAN(",\"fetched_at\":"), list->fetched_at);
    return to;
}

static char *lay_hop(char *to, const ipt_view *view, const ipt_hop *hop, size_t number, ipt_span header)
{
    to = lay(to, IPT_SPAN("{\"hop\":"));
    to = lay_number(to, number);
    *to++ = ',';
    if (hop->has_addr) {
        to = lay(to, IPT_SPAN("\"address\":"));
        to = lay_address(to, hop->addr);
        *to++ = ',';
    }
    if (hop->has_port) {
        to = lay(to, IPT_SPAN("\"port\":"));
        to = lay_number(to, hop->port);
        *to++ = ',';
    }
    if (hop->has_text) {
        to = lay(to, IPT_SPAN("\"text\":"));
        to = lay_hop_text(to, hop);
        *to++ = ',';
    }
    to = lay_origin(to, hop, header);
    to = lay_words_or_null(to, IPT_SPAN(",\"verdict\":"), ipt_verdict_name((ipt_verdict)hop->verdict));
    if (hop->list != IPT_LIST_NONE)
        to = lay_list(to, &view->lists[hop->list], hop);
    *to++ = '}';
    return to;
}

static void write_not_examined(ipt_buf *out, const ipt_hop *hop)
{
    put(out, IPT_SPAN("{\"verdict\":\"not_examined\",\"count\":"));
    put_number(out, hop->count);
    put_char(out, '}');
}

static void write_hop(ipt_buf *out, const ipt_view *view, const ipt_hop *hop, size_t number)
{
    if (hop->verdict == IPT_VERDICT_NOT_EXAMINED) {
        write_not_examined(out, hop);
        return;
    }
    ipt_span header = {NULL, 0};
    if (hop->origin == IPT_ORIGIN_HEADER)
        header = ipt_names_text(view->names, hop->header);
    size_t text = hop->has_text ? text_room((ipt_span){NULL, IPT_TEXT_MAX}) : 0;
    char *to = lay_begin(out, HOP_MAX + text_room(header) + text);
    if (to != NULL)
        lay_end(out, lay_hop(to, view, hop, number, header));
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
