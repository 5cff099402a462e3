/* The chain of a decision as messages: the fields that json_chain.c writes. */
#include <iptrust/v1/iptrust.pb-c.h>

#include "iptrust/wire/forwarded.h"
#include "put_priv.h"

static const Iptrust__V1__Verdict verdicts[] = {
    [IPT_VERDICT_UNVOUCHED] = IPTRUST__V1__VERDICT__VERDICT_UNVOUCHED,
    [IPT_VERDICT_TRUSTED] = IPTRUST__V1__VERDICT__VERDICT_TRUSTED,
    [IPT_VERDICT_CLIENT] = IPTRUST__V1__VERDICT__VERDICT_CLIENT,
    [IPT_VERDICT_OWN] = IPTRUST__V1__VERDICT__VERDICT_OWN,
    [IPT_VERDICT_COUNTED] = IPTRUST__V1__VERDICT__VERDICT_COUNTED,
    [IPT_VERDICT_MALFORMED] = IPTRUST__V1__VERDICT__VERDICT_MALFORMED,
    [IPT_VERDICT_OBFUSCATED] = IPTRUST__V1__VERDICT__VERDICT_OBFUSCATED,
    [IPT_VERDICT_EMPTY] = IPTRUST__V1__VERDICT__VERDICT_EMPTY,
    [IPT_VERDICT_NOT_EXAMINED] = IPTRUST__V1__VERDICT__VERDICT_NOT_EXAMINED,
};

/* Of a quoted-string what it stands for (RFC 9110, 5.6.4). */
static char *hop_text(rpc_maker *maker, const ipt_hop *hop)
{
    if (!hop->text_quoted || hop->text.n == 0)
        return rpc_text(maker, hop->text, IPT_TEXT_MAX);
    char plain[2 * IPT_TEXT_MAX]; /* enough for IPT_TEXT_MAX bytes even when each is escaped */
    ipt_span text = {hop->text.p, hop->text.n < sizeof(plain) ? hop->text.n : sizeof(plain)};
    size_t n = ipt_unescape(text, plain);
    return rpc_text(maker, (ipt_span){plain, n}, IPT_TEXT_MAX);
}

static void put_origin(rpc_maker *maker, Iptrust__V1__Hop *to, const ipt_view *view, const ipt_hop *hop)
{
    to->origin = put_source(maker, view, (ipt_origin)hop->origin, hop->header);
    if (hop->origin != IPT_ORIGIN_HEADER)
        return;
    to->line_value_case = IPTRUST__V1__HOP__LINE_VALUE_LINE;
    to->line = hop->line;
    to->index_value_case = IPTRUST__V1__HOP__INDEX_VALUE_INDEX;
    to->index = hop->index;
}

/* A Unix socket is in a list by its kind, not by a prefix. */
static void put_list(rpc_maker *maker, Iptrust__V1__Hop *to, const ipt_view *view, const ipt_hop *hop)
{
    const ipt_view_list *list = &view->lists[hop->list];
    to->list = rpc_borrow(list->spec->name);
    to->list_revision = rpc_borrow(list->revision);
    to->fetched_at = rpc_borrow(list->fetched_at);
    if (hop->has_addr)
        to->prefix = rpc_prefix(maker, ipt_prefix_of(hop->addr, hop->prefix_len));
}

static void put_hop(rpc_maker *maker, Iptrust__V1__Hop *to, const ipt_view *view, const ipt_hop *hop, size_t number)
{
    to->verdict = verdicts[hop->verdict];
    if (hop->verdict == IPT_VERDICT_NOT_EXAMINED) {
        to->count = hop->count;
        return;
    }
    to->hop_value_case = IPTRUST__V1__HOP__HOP_VALUE_HOP;
    to->hop = (uint32_t)number;
    if (hop->has_addr)
        to->address = rpc_address(maker, hop->addr);
    if (hop->has_port) {
        to->port_value_case = IPTRUST__V1__HOP__PORT_VALUE_PORT;
        to->port = hop->port;
    }
    if (hop->has_text) {
        to->text_value_case = IPTRUST__V1__HOP__TEXT_VALUE_TEXT;
        to->text = hop_text(maker, hop);
    }
    put_origin(maker, to, view, hop);
    if (hop->list != IPT_LIST_NONE)
        put_list(maker, to, view, hop);
}

void put_chain(rpc_maker *maker, Iptrust__V1__Decision *to, const ipt_decision *d)
{
    void **hops = rpc_make_list(maker, d->chain_count, &iptrust__v1__hop__descriptor);
    if (hops == NULL)
        return;
    for (size_t i = 0; i < d->chain_count; i++)
        put_hop(maker, hops[i], d->view, &d->chain[i], i);
    to->n_chain = d->chain_count;
    to->chain = (Iptrust__V1__Hop **)hops;
}
