/* What we know of each publisher of address lists without being told: its kind, what its hosts write, which services it
 * lists, which header is its own (decision.md sections 3 and 5; interfaces.md, Lists). One table, no network. */
#ifndef IPTRUST_RANGES_PROVIDER_H
#define IPTRUST_RANGES_PROVIDER_H

#include "iptrust/net/prefix.h"
#include "iptrust/wire/names.h"

typedef enum ipt_provider {
    IPT_PROVIDER_NONE = 0, /* an own list */
    IPT_PROVIDER_CLOUDFLARE,
    IPT_PROVIDER_AWS,
    IPT_PROVIDER_FASTLY,
    IPT_PROVIDER_GOOGLE_LB,
    IPT_PROVIDER_GOOGLE,
    IPT_PROVIDER_AZURE,
    IPT_PROVIDER_BUNNY,
    IPT_PROVIDER_IMPERVA,
    IPT_PROVIDER_CDN77,
    IPT_PROVIDER_ORACLE,
    IPT_PROVIDER_DIGITALOCEAN,
    IPT_PROVIDER_GITHUB,
    IPT_PROVIDER_COUNT,
} ipt_provider;

ipt_provider ipt_provider_find(ipt_span name);        /* "google-lb"; NONE when unknown */
const char *ipt_provider_name(ipt_provider provider); /* NULL for NONE */

/* Who sits on the addresses. Zero is the kind that must not be trusted without a word. */
typedef enum ipt_list_kind {
    IPT_KIND_TENANTS = 0, /* anybody's machines */
    IPT_KIND_CRAWLERS,
    IPT_KIND_PROXY, /* hosts that forward for others */
    IPT_KIND_OWN,   /* prefixes, file, url, unix */
} ipt_list_kind;
const char *ipt_list_kind_name(ipt_list_kind kind); /* "tenants" */

/* A header that the hosts of a list write, and how. Zero: nothing it says is evidence. */
typedef enum ipt_vouch { IPT_VOUCH_NONE = 0, IPT_VOUCH_APPEND, IPT_VOUCH_REPLACE } ipt_vouch;
const char *ipt_vouch_name(ipt_vouch vouch); /* "append" */

typedef struct ipt_vouch_default {
    ipt_name header;
    ipt_vouch how;
} ipt_vouch_default;

typedef struct ipt_provider_defaults {
    ipt_list_kind kind;
    ipt_vouch_default vouches[2]; /* header IPT_NAME_NONE: not used */
    uint8_t adds;                 /* entries that a host adds to X-Forwarded-For: 1, or 2 for google-lb */
    const char *egress;           /* one prefix of tenants' machines, or NULL */
} ipt_provider_defaults;

/* services: as configured; the aws and azure defaults hold only when it is not empty and every entry is in the row of
 * decision.md section 3. */
ipt_provider_defaults ipt_provider_defaults_for(ipt_provider provider, const char *const *services, size_t count);

bool ipt_provider_takes_services(ipt_provider provider); /* aws, azure, github: `services` picks a part of the feed */

/* The header that only this provider's hosts set (section 5, provider_header); NONE for other names.
 * cf-connecting-ip, cf-connecting-ipv6: cloudflare; cloudfront-viewer-address: aws; x-azure-socketip: azure;
 * fastly-client-ip: fastly. */
ipt_provider ipt_provider_of_header(ipt_name header);

/* A header that clients are known to be able to set themselves, so that reading it deserves a warning. */
bool ipt_header_is_client_settable(ipt_name header);

/* A snapshot compiled in, taken from the provider's feed on a stated day; count 0 when there is none. */
typedef struct ipt_snapshot {
    const ipt_prefix *prefixes;
    size_t count;
    int64_t taken_at;  /* seconds since 1970, UTC */
    const char *token; /* the feed's own token or date (aws syncToken), or NULL */
} ipt_snapshot;
ipt_snapshot ipt_provider_snapshot(ipt_provider provider, const char *const *services, size_t count);

#endif
