/* The answer: client, confidence with reasons, chain, findings, keys (decision.md sections 6 and 7). A plain value of
 * fixed size that borrows from the request and the view; it lives as long as both. */
#ifndef IPTRUST_RESOLVE_DECISION_H
#define IPTRUST_RESOLVE_DECISION_H

#include "iptrust/resolve/request.h"
#include "iptrust/view/view.h"
#include "iptrust/wire/entry.h"
#include "iptrust/wire/proxy.h"

#define IPT_WALK_MAX         64                     /* entries examined */
#define IPT_CHAIN_MAX        (2 + 2 * IPT_WALK_MAX) /* peer, PROXY source, single-address headers, entries, not_examined */
#define IPT_FINDINGS_MAX     64                     /* the first ones in their order are kept */
#define IPT_TEXT_MAX         256                    /* bytes of raw text shown of a hop */
#define IPT_CLIENT_LISTS_MAX 64                     /* lists named of the client */

/* In the order of decision.md's tables: the order in which they are printed. */
typedef enum ipt_reason {
    /* origins, exactly one */
    IPT_REASON_PEER_UNTRUSTED_DIRECT = 0,
    IPT_REASON_WALK_FIRST_UNTRUSTED,
    IPT_REASON_PROVIDER_HEADER,
    IPT_REASON_BOUND_HEADER,
    IPT_REASON_PROXY_PROTOCOL,
    IPT_REASON_HOP_COUNT_ONLY,
    IPT_REASON_ALL_HOPS_TRUSTED,
    IPT_REASON_PEER_TRUSTED_NO_HEADER,
    IPT_REASON_ENTRY_MALFORMED,
    IPT_REASON_ENTRY_OBFUSCATED,
    IPT_REASON_ENTRY_EMPTY,
    IPT_REASON_TOO_FEW_ENTRIES,
    IPT_REASON_LIMIT_REACHED,
    IPT_REASON_HOP_NOT_VOUCHING,
    IPT_REASON_TRUST_INVERSION,
    IPT_REASON_PROVIDER_CHANGE,
    IPT_REASON_CLIENT_IS_PROVIDER_EGRESS,
    IPT_REASON_NO_ADDRESS,
    IPT_REASON_ORIGINS, /* number of origins */
    /* others */
    IPT_REASON_SHARED_PROVIDER = IPT_REASON_ORIGINS,
    IPT_REASON_PROOF_FAILED,
    IPT_REASON_PROOF_VERIFIED,
    IPT_REASON_HEADER_CONFLICT,
    IPT_REASON_SINGLE_HEADER_UNUSABLE,
    IPT_REASON_HOP_BY_HOP_TAMPER,
    IPT_REASON_PEER_UNCHECKED,
    IPT_REASON_LIST_STALE,
    IPT_REASON_LIST_EXPIRED,
    IPT_REASON_TRUST_SET_OUTDATED,
    IPT_REASON_TRUST_SET_EMPTY,
    IPT_REASON_BROAD_RANGE,
    IPT_REASON_CLIENT_NOT_GLOBAL,
    IPT_REASON_CLIENT_SPECIAL,
    IPT_REASON_CALLER_UNAUTHENTICATED,
    IPT_REASON_HTTP_PARSER_LAX,
    IPT_REASON_LIST_BUNDLED,
    IPT_REASON_HEADERS_AGREE,
    IPT_REASON_UNVOUCHED_ENTRIES, /* count in ipt_decision.unvouched_count */
    IPT_REASON_PROXY_LOCAL,
    IPT_REASON_TRANSITION_UNWRAPPED,
    IPT_REASON_HEADERS_MERGED,
    IPT_REASON_COUNT,
} ipt_reason;

const char *ipt_reason_name(ipt_reason reason); /* "walk_first_untrusted" */
/* False for information and for the promoter, which cap nothing. */
bool ipt_reason_cap(ipt_reason reason, ipt_level *cap);
/* One sentence for a person who reads `explain`. */
const char *ipt_reason_meaning(ipt_reason reason);

/* The lowest cap among a set of reasons, bit `1 << reason` each; proof_verified lifts high to authenticated (I3). */
ipt_level ipt_level_from_reasons(uint64_t reasons);

/* Zero is what nobody vouches for. */
typedef enum ipt_verdict {
    IPT_VERDICT_UNVOUCHED = 0,
    IPT_VERDICT_TRUSTED,
    IPT_VERDICT_CLIENT,
    IPT_VERDICT_OWN,     /* an address that the hop added of itself */
    IPT_VERDICT_COUNTED, /* passed by hop count */
    IPT_VERDICT_MALFORMED,
    IPT_VERDICT_OBFUSCATED,
    IPT_VERDICT_EMPTY,
    IPT_VERDICT_NOT_EXAMINED, /* `count` entries beyond the limit, one item for all */
} ipt_verdict;
const char *ipt_verdict_name(ipt_verdict verdict);

typedef enum ipt_origin { IPT_ORIGIN_PEER = 0, IPT_ORIGIN_PROXY_PROTOCOL, IPT_ORIGIN_HEADER } ipt_origin;

typedef struct ipt_hop {
    ipt_addr addr;      /* when has_addr */
    uint16_t port;      /* when has_port */
    uint16_t list;      /* TRUSTED: that labels it, else IPT_LIST_NONE */
    uint8_t prefix_len; /* TRUSTED: of the prefix that matched, over the 128 bits */
    uint8_t verdict;    /* ipt_verdict */
    uint8_t origin;     /* ipt_origin */
    bool has_addr, has_port;
    bool has_text;        /* no address, or written mapped */
    bool text_quoted;     /* text is the inside of a quoted-string */
    ipt_name header;      /* HEADER */
    uint32_t line, index; /* HEADER: line among those of that name; element from the left of its line; both from 0 */
    uint32_t count;       /* NOT_EXAMINED */
    ipt_span text;
} ipt_hop;

/* In the order of decision.md section 7. */
typedef enum ipt_finding_code {
    IPT_FINDING_FORWARDING_HEADER_FROM_UNTRUSTED_PEER = 0,
    IPT_FINDING_PROVIDER_HEADER_FROM_WRONG_PEER,
    IPT_FINDING_HEADER_NOT_VOUCHED,
    IPT_FINDING_TRUSTED_ADDRESS_IN_UNVOUCHED,
    IPT_FINDING_RESERVED_ADDRESS_IN_UNVOUCHED,
    IPT_FINDING_ALIAS_HEADER,
    IPT_FINDING_CONNECTION_NOMINATES_HEADER,
    IPT_FINDING_NON_ADDRESS_TOKEN,
    IPT_FINDING_DUPLICATE_PARAMETER,
    IPT_FINDING_PORT_ON_TRUSTED_HOP,
    IPT_FINDING_HEADER_CONFLICT,
    IPT_FINDING_FOREIGN_WORKER,
    IPT_FINDING_GEO_CONFLICT,
    IPT_FINDING_DOUBLE_LISTED_ADDRESS,
    IPT_FINDING_ZONE_DROPPED,
    IPT_FINDING_POLICY_NOT_SELECTABLE,
    IPT_FINDING_PEER_HEADER_FORGED,
    IPT_FINDING_COUNT,
} ipt_finding_code;
const char *ipt_finding_name(ipt_finding_code code);
const char *ipt_finding_meaning(ipt_finding_code code); /* `detail`: plain words, static */

typedef struct ipt_finding {
    ipt_finding_code code;
    ipt_span header; /* any case: printed in lower case; "peer", "proxy_protocol", "attribute:NAME" */
} ipt_finding;

typedef enum ipt_action { IPT_ACTION_ALLOW = 0, IPT_ACTION_DENY } ipt_action;

/* Which rule spoke. Zero: none did. */
typedef enum ipt_rule {
    IPT_RULE_NONE = 0,
    IPT_RULE_DENY_CONFIDENCE,
    IPT_RULE_DENY_LISTS,
    IPT_RULE_DENY_COUNTRIES,
    IPT_RULE_DENY_ASNS,
    IPT_RULE_DENY_ANONYMOUS,
    IPT_RULE_ALLOW, /* `allow` is there and did not match */
} ipt_rule;

typedef struct ipt_ruling {
    ipt_action action; /* what the caller is to do: in annotate and shadow always allow */
    ipt_rule rule;     /* that denies; in shadow the one that would have */
    bool unknown;      /* the rule could not be evaluated: named unknown:<rule> */
} ipt_ruling;
/* "deny.confidence_below", "unknown:deny.lists"; NULL for none. */
const char *ipt_ruling_name(ipt_ruling ruling);

/* Headers that describe the request and never identify anyone: first line's value of each, as sent. */
typedef struct ipt_context {
    ipt_span proto, host, port, prefix; /* .p NULL when absent */
    uint16_t via_count;                 /* Via lines */
    ipt_name
        vouched[IPT_VIEW_VOUCHES_MAX]; /* context headers that the hop which spoke HTTP to us is declared to write */
    uint8_t vouched_count;
} ipt_context;

typedef struct ipt_decision {
    const ipt_view *view;
    const ipt_policy *policy;
    const ipt_request *request;

    bool has_client; /* false: client_ip is null */
    bool complete;
    bool client_trusted; /* the client is itself a trusted hop */
    ipt_addr client;
    uint16_t client_port; /* when has_client_port */
    bool has_client_port;
    ipt_origin source; /* where the client's address was read */
    ipt_name source_header;
    uint16_t client_hop; /* its place in chain */

    uint64_t reasons; /* bit set by ipt_reason; the origin is its lowest bit */
    uint32_t unvouched_count;
    ipt_level level;
    ipt_ruling ruling;

    ipt_class client_class;
    ipt_embedding embedding; /* of client */
    ipt_addr embedded;
    uint16_t client_lists[IPT_CLIENT_LISTS_MAX]; /* every list that holds the client, by list index */
    uint16_t client_list_count;

    /* keys; prefixes over the 128 bits. valid when has_keys; peer_key when has_peer_key */
    bool has_keys, has_peer_key;
    ipt_prefix rate_limit, network, peer_key;

    bool has_geo; /* a database is loaded, geo is wanted and there is a client: geo tells what they say */
    ipt_geo_facts geo;
    ipt_name told_header;  /* with has_geo: a context header that is vouched for and names a country; NONE without */
    ipt_span told_country; /* as it says: two letters */

    bool has_proxy; /* PROXY bytes were given and read */
    ipt_proxy proxy;
    ipt_context context;

    uint16_t chain_count, finding_count;
    ipt_hop chain[IPT_CHAIN_MAX];
    ipt_finding findings[IPT_FINDINGS_MAX];
} ipt_decision;

#endif
