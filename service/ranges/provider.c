/* The table of publishers, and the questions that the configuration and the walk ask of it. */
#include "iptrust/ranges/provider.h"

/* What a provider is called, what its addresses are by default, and what `services` may make of them. */
typedef struct provider_row {
    const char *name;
    ipt_list_kind kind;
    bool takes_services;
    ipt_name header; /* the single-address header that only its hosts set */
} provider_row;

static const provider_row providers[IPT_PROVIDER_COUNT] = {
    [IPT_PROVIDER_CLOUDFLARE] = {"cloudflare", IPT_KIND_PROXY, false, IPT_NAME_CF_CONNECTING_IP},
    [IPT_PROVIDER_AWS] = {"aws", IPT_KIND_TENANTS, true, IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS},
    [IPT_PROVIDER_FASTLY] = {"fastly", IPT_KIND_PROXY, false, IPT_NAME_FASTLY_CLIENT_IP},
    [IPT_PROVIDER_GOOGLE_LB] = {"google-lb", IPT_KIND_PROXY, false, IPT_NAME_NONE},
    [IPT_PROVIDER_GOOGLE] = {"google", IPT_KIND_TENANTS, false, IPT_NAME_NONE},
    [IPT_PROVIDER_AZURE] = {"azure", IPT_KIND_TENANTS, true, IPT_NAME_X_AZURE_SOCKETIP},
    [IPT_PROVIDER_BUNNY] = {"bunny", IPT_KIND_PROXY, false, IPT_NAME_NONE},
    [IPT_PROVIDER_IMPERVA] = {"imperva", IPT_KIND_PROXY, false, IPT_NAME_NONE},
    [IPT_PROVIDER_CDN77] = {"cdn77", IPT_KIND_PROXY, false, IPT_NAME_NONE},
    [IPT_PROVIDER_ORACLE] = {"oracle", IPT_KIND_TENANTS, false, IPT_NAME_NONE},
    [IPT_PROVIDER_DIGITALOCEAN] = {"digitalocean", IPT_KIND_TENANTS, false, IPT_NAME_NONE},
    [IPT_PROVIDER_GITHUB] = {"github", IPT_KIND_TENANTS, true, IPT_NAME_NONE},
};

/* A part of a feed whose hosts are known to be proxies and not customers' machines. */
typedef struct service_row {
    ipt_provider provider;
    const char *name;
    bool vouches; /* in the row of decision.md section 3 */
} service_row;

static const service_row proxy_services[] = {
    {IPT_PROVIDER_AWS, "CLOUDFRONT", true},
    {IPT_PROVIDER_AWS, "CLOUDFRONT_ORIGIN_FACING", true},
    {IPT_PROVIDER_AWS, "GLOBALACCELERATOR", false},
    {IPT_PROVIDER_AZURE, "AzureFrontDoor.Backend", true},
};

static const provider_row *row_of(ipt_provider provider)
{
    static const provider_row none = {NULL, IPT_KIND_OWN, false, IPT_NAME_NONE};
    return provider > IPT_PROVIDER_NONE && provider < IPT_PROVIDER_COUNT ? &providers[provider] : &none;
}

ipt_provider ipt_provider_find(ipt_span name)
{
    for (int p = IPT_PROVIDER_NONE + 1; p < IPT_PROVIDER_COUNT; p++) {
        if (ipt_span_equal(name, ipt_span_from(providers[p].name)))
            return (ipt_provider)p;
    }
    return IPT_PROVIDER_NONE;
}

const char *ipt_provider_name(ipt_provider provider)
{
    return row_of(provider)->name;
}

const char *ipt_list_kind_name(ipt_list_kind kind)
{
    switch (kind) {
    case IPT_KIND_TENANTS:
        return "tenants";
    case IPT_KIND_CRAWLERS:
        return "crawlers";
    case IPT_KIND_PROXY:
        return "proxy";
    case IPT_KIND_OWN:
        return "own";
    }
    return "tenants";
}

const char *ipt_vouch_name(ipt_vouch vouch)
{
    switch (vouch) {
    case IPT_VOUCH_NONE:
        return "none";
    case IPT_VOUCH_APPEND:
        return "append";
    case IPT_VOUCH_REPLACE:
        return "replace";
    }
    return "none";
}

static const service_row *proxy_service(ipt_provider provider, const char *name)
{
    for (size_t i = 0; i < IPT_COUNT(proxy_services); i++) {
        if (proxy_services[i].provider == provider && strcmp(proxy_services[i].name, name) == 0)
            return &proxy_services[i];
    }
    return NULL;
}

/* One service outside the row takes the default away from the whole list: its addresses cannot be told apart. */
static void judge_services(ipt_provider provider, const char *const *services, size_t count, bool *proxy, bool *vouches)
{
    *proxy = *vouches = count != 0;
    for (size_t i = 0; i < count; i++) {
        const service_row *row = proxy_service(provider, services[i]);
        *proxy = *proxy && row != NULL;
        *vouches = *vouches && row != NULL && row->vouches;
    }
}

ipt_provider_defaults ipt_provider_defaults_for(ipt_provider provider, const char *const *services, size_t count)
{
    static const ipt_vouch_default appends_xff = {IPT_NAME_XFF, IPT_VOUCH_APPEND};
    ipt_provider_defaults d = {.kind = row_of(provider)->kind, .adds = 1};
    bool proxy = false, vouches = false;
    if (ipt_provider_takes_services(provider))
        judge_services(provider, services, count, &proxy, &vouches);
    if (proxy)
        d.kind = IPT_KIND_PROXY;

    switch (provider) {
    case IPT_PROVIDER_NONE:
        d.vouches[0] = appends_xff;
        break;
    case IPT_PROVIDER_CLOUDFLARE:
        d.vouches[0] = appends_xff;
        d.vouches[1] = (ipt_vouch_default){IPT_NAME_CF_CONNECTING_IP, IPT_VOUCH_REPLACE};
        d.egress = "2a06:98c0:3600::/48"; /* Workers: a tenant's machine speaks from here */
        break;
    case IPT_PROVIDER_AWS:
        if (vouches)
            d.vouches[0] = appends_xff;
        break;
    case IPT_PROVIDER_AZURE:
        if (vouches) {
            d.vouches[0] = appends_xff;
            d.vouches[1] = (ipt_vouch_default){IPT_NAME_X_AZURE_SOCKETIP, IPT_VOUCH_REPLACE};
        }
        break;
    case IPT_PROVIDER_GOOGLE_LB:
        d.vouches[0] = appends_xff;
        d.adds = 2; /* the client's address, then the balancer's own */
        break;
    case IPT_PROVIDER_FASTLY:
    case IPT_PROVIDER_GOOGLE:
    case IPT_PROVIDER_BUNNY:
    case IPT_PROVIDER_IMPERVA:
    case IPT_PROVIDER_CDN77:
    case IPT_PROVIDER_ORACLE:
    case IPT_PROVIDER_DIGITALOCEAN:
    case IPT_PROVIDER_GITHUB:
    case IPT_PROVIDER_COUNT:
        break; /* depends on the customer's set-up, so nothing until the list says so */
    }
    return d;
}

bool ipt_provider_takes_services(ipt_provider provider)
{
    return row_of(provider)->takes_services;
}

ipt_provider ipt_provider_of_header(ipt_name header)
{
    if (header == IPT_NAME_NONE)
        return IPT_PROVIDER_NONE;
    if (header == IPT_NAME_CF_CONNECTING_IPV6) /* speaks only together with CF-Connecting-IP */
        header = IPT_NAME_CF_CONNECTING_IP;
    for (int p = IPT_PROVIDER_NONE + 1; p < IPT_PROVIDER_COUNT; p++) {
        if (providers[p].header == header)
            return (ipt_provider)p;
    }
    return IPT_PROVIDER_NONE;
}

bool ipt_header_is_client_settable(ipt_name header)
{
    /* True-Client-IP passes Cloudflare's free plans untouched, Fastly keeps a client's Fastly-Client-IP, and the rest
     * have no owner that would remove them. */
    return header == IPT_NAME_TRUE_CLIENT_IP || header == IPT_NAME_FASTLY_CLIENT_IP || header == IPT_NAME_X_CLIENT_IP ||
           header == IPT_NAME_X_CLUSTER_CLIENT_IP;
}
