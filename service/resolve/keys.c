/* What the answer is good for: class and lists of the client, and the keys by which users count and anonymise. */
#include "resolve_priv.h"

#define KEY_NETWORK_V4 (96 + 24)
#define KEY_NETWORK_V6 48

/* By name, each once: a list may hold an address among its prefixes and in its egress. */
static void add_client_list(ipt_decision *d, uint16_t list)
{
    const char *name = d->view->lists[list].spec->name;
    uint16_t at = d->client_list_count;
    while (at > 0 && strcmp(d->view->lists[d->client_lists[at - 1]].spec->name, name) > 0)
        at--;
    if ((at > 0 && d->client_lists[at - 1] == list) || at == IPT_CLIENT_LISTS_MAX)
        return;
    if (d->client_list_count == IPT_CLIENT_LISTS_MAX)
        d->client_list_count--;
    memmove(&d->client_lists[at + 1], &d->client_lists[at], (size_t)(d->client_list_count - at) * sizeof(uint16_t));
    d->client_lists[at] = list;
    d->client_list_count++;
}

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
    const ipt_members *members = members_of(w, d->client);
    for (uint32_t i = 0; i < members->count; i++)
        add_client_list(d, (uint16_t)(members->items[i].tag & ~IPT_EGRESS_TAG));
}

/* Only schemes by which one IPv4 host appears as IPv6, and only when it is a host of the Internet. */
bool is_unwrapped(ipt_embedding embedding, ipt_addr v4)
{
    return (embedding == IPT_EMBEDS_NAT64 || embedding == IPT_EMBEDS_6TO4 || embedding == IPT_EMBEDS_TEREDO) &&
           ipt_addr_class(v4) == IPT_CLASS_GLOBAL;
}

static ipt_addr unwrap(const work *w, ipt_addr addr)
{
    ipt_addr v4;
    if (ipt_addr_is_v4(addr))
        return addr;
    ipt_embedding embedding = ipt_addr_embedded(addr, w->view->nat64, w->view->nat64_count, &v4);
    return is_unwrapped(embedding, v4) ? v4 : addr;
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
    ipt_addr client = is_unwrapped(d->embedding, d->embedded) ? d->embedded : d->client;
    d->rate_limit = rate_limit_key(w, client);
    d->network = ipt_prefix_of(client, ipt_addr_is_v4(client) ? KEY_NETWORK_V4 : KEY_NETWORK_V6);
}
