/* What the answer is good for: class and lists of the client, and the keys by which users count and anonymise. */
#include "resolve_priv.h"

#define KEY_NETWORK_V4 (96 + 24)
#define KEY_NETWORK_V6 48

void describe_client(work *w)
{
    ipt_decision *d = w->out;
    d->client_list_count = 0;
    d->embedding = IPT_EMBEDS_NONE;
    if (!d->has_client)
        return;
    d->client_class = ipt_addr_class(d->client);
    if (!ipt_addr_is_v4(d->client))
        d->embedding = ipt_addr_embedded(d->client, w->view->nat64, w->view->nat64_count, &d->embedded);
    if (w->detail != IPT_DETAIL_FULL)
        return;
    const ipt_members *members = ipt_lpm_find(w->view->lpm, d->client);
    uint64_t seen[IPT_CONFIG_LISTS_MAX / 64];
    memset(seen, 0, (w->view->list_count + 63) / 64 * sizeof(seen[0]));
    for (uint32_t i = 0; i < members->count; i++) {
        uint16_t list = (uint16_t)(members->items[i].tag & ~IPT_EGRESS_TAG);
        seen[list / 64] |= UINT64_C(1) << list % 64;
    }
    for (uint16_t list = 0; list < w->view->list_count && d->client_list_count < IPT_CLIENT_LISTS_MAX; list++)
        if ((seen[list / 64] >> list % 64 & 1) != 0)
            d->client_lists[d->client_list_count++] = list;
}

/* Only schemes by which one IPv4 host appears as IPv6, and only when it is a host of the Internet. */
static ipt_addr unwrap(const work *w, ipt_addr addr)
{
    ipt_addr v4;
    if (ipt_addr_is_v4(addr))
        return addr;
    ipt_embedding embedding = ipt_addr_embedded(addr, w->view->nat64, w->view->nat64_count, &v4);
    bool unwraps = embedding == IPT_EMBEDS_NAT64 || embedding == IPT_EMBEDS_6TO4 || embedding == IPT_EMBEDS_TEREDO;
    return unwraps && ipt_addr_class(v4) == IPT_CLASS_GLOBAL ? v4 : addr;
}

static ipt_prefix rate_limit_key(const work *w, ipt_addr addr)
{
    return ipt_prefix_of(addr, ipt_addr_is_v4(addr) ? 128 : w->policy->spec->ipv6_rate_limit);
}

void make_keys(work *w)
{
    ipt_decision *d = w->out;
    const ipt_hop *peer = &d->chain[0];
    d->has_peer_key = peer->has_addr;
    if (d->has_peer_key)
        d->peer_key = rate_limit_key(w, unwrap(w, peer->addr));
    d->has_keys = d->has_client && d->complete && !d->client_trusted;
    if (!d->has_keys)
        return;
    ipt_addr client = unwrap(w, d->client);
    d->rate_limit = rate_limit_key(w, client);
    d->network = ipt_prefix_of(client, ipt_addr_is_v4(client) ? KEY_NETWORK_V4 : KEY_NETWORK_V6);
}
