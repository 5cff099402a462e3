/* The words of a decision: names, caps and meanings, each in one table. */
#include "iptrust/resolve/decision.h"

#include <assert.h>

typedef struct reason_words {
    const char *name;
    signed char cap; /* ipt_level, or NO_CAP for information and the promoter */
    const char *meaning;
} reason_words;

#define NO_CAP      (-1)
#define BIT(reason) (UINT64_C(1) << IPT_REASON_##reason)

/* The caps once more, as sets: the level is asked for at every decision. test_resolve_words holds both together. */
static const uint64_t caps_low =
    BIT(PEER_TRUSTED_NO_HEADER) | BIT(ENTRY_MALFORMED) | BIT(ENTRY_OBFUSCATED) | BIT(ENTRY_EMPTY) |
    BIT(TOO_FEW_ENTRIES) | BIT(LIMIT_REACHED) | BIT(HOP_NOT_VOUCHING) | BIT(TRUST_INVERSION) | BIT(PROVIDER_CHANGE) |
    BIT(CLIENT_IS_PROVIDER_EGRESS) | BIT(PROOF_FAILED) | BIT(HEADER_CONFLICT) | BIT(SINGLE_HEADER_UNUSABLE) |
    BIT(HOP_BY_HOP_TAMPER) | BIT(PEER_UNCHECKED) | BIT(LIST_EXPIRED) | BIT(TRUST_SET_EMPTY) | BIT(CLIENT_SPECIAL);
static const uint64_t caps_medium = BIT(HOP_COUNT_ONLY) | BIT(ALL_HOPS_TRUSTED) | BIT(SHARED_PROVIDER) |
                                    BIT(LIST_STALE) | BIT(TRUST_SET_OUTDATED) | BIT(BROAD_RANGE) |
                                    BIT(CLIENT_NOT_GLOBAL) | BIT(CALLER_UNAUTHENTICATED) | BIT(HTTP_PARSER_LAX);

/* clang-format off */
static const reason_words reasons[IPT_REASON_COUNT] = {
    [IPT_REASON_PEER_UNTRUSTED_DIRECT] = {"peer_untrusted_direct", IPT_LEVEL_HIGH,
        "the peer is in no list that the policy trusts, so it is the client and its headers are its own word"},
    [IPT_REASON_WALK_FIRST_UNTRUSTED] = {"walk_first_untrusted", IPT_LEVEL_HIGH,
        "the first address outside the trusted lists, told by the trusted hop before it"},
    [IPT_REASON_PROVIDER_HEADER] = {"provider_header", IPT_LEVEL_HIGH,
        "told by the provider's own header, which its hosts set"},
    [IPT_REASON_BOUND_HEADER] = {"bound_header", IPT_LEVEL_HIGH,
        "told by a single-address header that a trusted hop is declared to set"},
    [IPT_REASON_PROXY_PROTOCOL] = {"proxy_protocol", IPT_LEVEL_HIGH,
        "the source of the PROXY header that the trusted peer sent"},
    [IPT_REASON_HOP_COUNT_ONLY] = {"hop_count_only", IPT_LEVEL_MEDIUM,
        "counted from the right, whoever stood in between"},
    [IPT_REASON_ALL_HOPS_TRUSTED] = {"all_hops_trusted", IPT_LEVEL_MEDIUM,
        "every address told is a trusted one, so the outermost of them is the answer"},
    [IPT_REASON_PEER_TRUSTED_NO_HEADER] = {"peer_trusted_no_header", IPT_LEVEL_LOW,
        "the peer is trusted but sent no header that it is declared to write"},
    [IPT_REASON_ENTRY_MALFORMED] = {"entry_malformed", IPT_LEVEL_LOW,
        "the next entry is no address, so the answer is the last proven hop"},
    [IPT_REASON_ENTRY_OBFUSCATED] = {"entry_obfuscated", IPT_LEVEL_LOW,
        "the next entry hides its address, so the answer is the last proven hop"},
    [IPT_REASON_ENTRY_EMPTY] = {"entry_empty", IPT_LEVEL_LOW,
        "the next entry is empty, so the answer is the last proven hop"},
    [IPT_REASON_TOO_FEW_ENTRIES] = {"too_few_entries", IPT_LEVEL_LOW,
        "fewer entries came than the proxies in front of us write"},
    [IPT_REASON_LIMIT_REACHED] = {"limit_reached", IPT_LEVEL_LOW, "64 entries were examined and more were left"},
    [IPT_REASON_HOP_NOT_VOUCHING] = {"hop_not_vouching", IPT_LEVEL_LOW,
        "a trusted hop is not declared to write this header, so what stands further left may be anybody's"},
    [IPT_REASON_TRUST_INVERSION] = {"trust_inversion", IPT_LEVEL_LOW,
        "an outside hop told of an address of our own infrastructure"},
    [IPT_REASON_PROVIDER_CHANGE] = {"provider_change", IPT_LEVEL_LOW,
        "one provider told of a host of another, a pair that the policy does not expect"},
    [IPT_REASON_CLIENT_IS_PROVIDER_EGRESS] = {"client_is_provider_egress", IPT_LEVEL_LOW,
        "the address is a tenants' machine at the provider, not one of its proxies"},
    [IPT_REASON_NO_ADDRESS] = {"no_address", IPT_LEVEL_NONE, "no address is known"},
    [IPT_REASON_SHARED_PROVIDER] = {"shared_provider", IPT_LEVEL_MEDIUM,
        "any customer of that provider could have written everything further out"},
    [IPT_REASON_PROOF_FAILED] = {"proof_failed", IPT_LEVEL_LOW,
        "a trusted hop should have proven itself and did not"},
    [IPT_REASON_PROOF_VERIFIED] = {"proof_verified", NO_CAP, "the outermost trusted hop proved itself"},
    [IPT_REASON_HEADER_CONFLICT] = {"header_conflict", IPT_LEVEL_LOW,
        "two vouched headers name different addresses for the same position"},
    [IPT_REASON_SINGLE_HEADER_UNUSABLE] = {"single_header_unusable", IPT_LEVEL_LOW,
        "a vouched single-address header came repeated or without exactly one address"},
    [IPT_REASON_HOP_BY_HOP_TAMPER] = {"hop_by_hop_tamper", IPT_LEVEL_LOW,
        "Connection names a header that the policy reads, which asks proxies to drop it"},
    [IPT_REASON_PEER_UNCHECKED] = {"peer_unchecked", IPT_LEVEL_LOW, "the policy believes any peer"},
    [IPT_REASON_LIST_STALE] = {"list_stale", IPT_LEVEL_MEDIUM, "a list that a hop matched is past its soft age"},
    [IPT_REASON_LIST_EXPIRED] = {"list_expired", IPT_LEVEL_LOW, "a list that a hop matched is past its hard age"},
    [IPT_REASON_TRUST_SET_OUTDATED] = {"trust_set_outdated", IPT_LEVEL_MEDIUM,
        "the answer is in no trusted list, but one of these lists is old and may lack it"},
    [IPT_REASON_TRUST_SET_EMPTY] = {"trust_set_empty", IPT_LEVEL_LOW,
        "the answer is in no trusted list, but one of these lists is empty"},
    [IPT_REASON_BROAD_RANGE] = {"broad_range", IPT_LEVEL_MEDIUM,
        "a trusted hop matched a very wide prefix, which may hold more than proxies"},
    [IPT_REASON_CLIENT_NOT_GLOBAL] = {"client_not_global", IPT_LEVEL_MEDIUM,
        "the answer is no address of the public Internet"},
    [IPT_REASON_CLIENT_SPECIAL] = {"client_special", IPT_LEVEL_LOW, "the answer is an address that no host has"},
    [IPT_REASON_CALLER_UNAUTHENTICATED] = {"caller_unauthenticated", IPT_LEVEL_MEDIUM,
        "who asked is not known, and the peer is its word"},
    [IPT_REASON_HTTP_PARSER_LAX] = {"http_parser_lax", IPT_LEVEL_MEDIUM,
        "the headers are those of the call itself, and the HTTP library hides malformed ones"},
    [IPT_REASON_LIST_BUNDLED] = {"list_bundled", NO_CAP, "a matching list is the built-in snapshot"},
    [IPT_REASON_HEADERS_AGREE] = {"headers_agree", NO_CAP, "another vouched header says the same"},
    [IPT_REASON_UNVOUCHED_ENTRIES] = {"unvouched_entries", NO_CAP,
        "entries stand further left that nobody vouches for; they were not used"},
    [IPT_REASON_PROXY_LOCAL] = {"proxy_local", NO_CAP, "the PROXY header says LOCAL: the proxy speaks for itself"},
    [IPT_REASON_TRANSITION_UNWRAPPED] = {"transition_unwrapped", NO_CAP,
        "the client is an IPv6 address that carries an IPv4 one"},
    [IPT_REASON_HEADERS_MERGED] = {"headers_merged", NO_CAP,
        "the caller could not keep repeated header lines apart"},
};
/* clang-format on */

const char *ipt_reason_name(ipt_reason reason)
{
    assert(reason >= 0 && reason < IPT_REASON_COUNT);
    return reasons[reason].name;
}

bool ipt_reason_cap(ipt_reason reason, ipt_level *cap)
{
    assert(reason >= 0 && reason < IPT_REASON_COUNT);
    if (reasons[reason].cap == NO_CAP)
        return false;
    *cap = (ipt_level)reasons[reason].cap;
    return true;
}

ipt_level ipt_level_from_reasons(uint64_t set)
{
    if (set & BIT(NO_ADDRESS))
        return IPT_LEVEL_NONE;
    if (set & caps_low)
        return IPT_LEVEL_LOW;
    if (set & caps_medium)
        return IPT_LEVEL_MEDIUM;
    return set & BIT(PROOF_VERIFIED) ? IPT_LEVEL_AUTHENTICATED : IPT_LEVEL_HIGH;
}

const char *ipt_reason_meaning(ipt_reason reason)
{
    assert(reason >= 0 && reason < IPT_REASON_COUNT);
    return reasons[reason].meaning;
}

const char *ipt_verdict_name(ipt_verdict verdict)
{
    static const char *const names[] = {"unvouched", "trusted",    "client", "own",         "counted",
                                        "malformed", "obfuscated", "empty",  "not_examined"};
    assert((size_t)verdict < IPT_COUNT(names));
    return names[verdict];
}

/* clang-format off */
static const struct {
    const char *name, *meaning;
} findings[IPT_FINDING_COUNT] = {
    [IPT_FINDING_FORWARDING_HEADER_FROM_UNTRUSTED_PEER] = {"forwarding_header_from_untrusted_peer",
        "sent by someone the policy does not trust: anyone can write it"},
    [IPT_FINDING_PROVIDER_HEADER_FROM_WRONG_PEER] = {"provider_header_from_wrong_peer",
        "a provider's own header, but no hop of that provider is known to have written it"},
    [IPT_FINDING_HEADER_NOT_VOUCHED] = {"header_not_vouched", "no trusted hop is declared to write it"},
    [IPT_FINDING_TRUSTED_ADDRESS_IN_UNVOUCHED] = {"trusted_address_in_unvouched",
        "an entry that nobody vouches for names an address of a trusted list"},
    [IPT_FINDING_RESERVED_ADDRESS_IN_UNVOUCHED] = {"reserved_address_in_unvouched",
        "an entry that nobody vouches for names an address that is not global"},
    [IPT_FINDING_ALIAS_HEADER] = {"alias_header",
        "reads like a forwarding header once _ and . are taken as -; some programs believe it, we do not"},
    [IPT_FINDING_CONNECTION_NOMINATES_HEADER] = {"connection_nominates_header",
        "Connection names it, which asks proxies to drop it"},
    [IPT_FINDING_NON_ADDRESS_TOKEN] = {"non_address_token", "an entry is no address"},
    [IPT_FINDING_DUPLICATE_PARAMETER] = {"duplicate_parameter", "an element states a parameter twice"},
    [IPT_FINDING_PORT_ON_TRUSTED_HOP] = {"port_on_trusted_hop", "a trusted hop was written with a port"},
    [IPT_FINDING_HEADER_CONFLICT] = {"header_conflict", "names another address than the chain does"},
    [IPT_FINDING_FOREIGN_WORKER] = {"foreign_worker", "a Worker of another zone sent this request"},
    [IPT_FINDING_GEO_CONFLICT] = {"geo_conflict", "the provider and our database name different countries"},
    [IPT_FINDING_DOUBLE_LISTED_ADDRESS] = {"double_listed_address", "a trusted hop stands in several trusted lists"},
    [IPT_FINDING_ZONE_DROPPED] = {"zone_dropped", "the zone of the address was cut off"},
    [IPT_FINDING_POLICY_NOT_SELECTABLE] = {"policy_not_selectable",
        "the policy asked for may not be chosen by this kind of call"},
    [IPT_FINDING_PEER_HEADER_FORGED] = {"peer_header_forged",
        "the request carries a second source for the peer, which was not used"},
};
/* clang-format on */

const char *ipt_finding_name(ipt_finding_code code)
{
    assert(code >= 0 && code < IPT_FINDING_COUNT);
    return findings[code].name;
}

const char *ipt_finding_meaning(ipt_finding_code code)
{
    assert(code >= 0 && code < IPT_FINDING_COUNT);
    return findings[code].meaning;
}

const char *ipt_ruling_name(ipt_ruling ruling)
{
    switch (ruling.rule) {
    case IPT_RULE_NONE:
        return NULL;
    case IPT_RULE_DENY_CONFIDENCE:
        return ruling.unknown ? "unknown:deny.confidence_below" : "deny.confidence_below";
    case IPT_RULE_DENY_LISTS:
        return ruling.unknown ? "unknown:deny.lists" : "deny.lists";
    case IPT_RULE_DENY_COUNTRIES:
        return ruling.unknown ? "unknown:deny.countries" : "deny.countries";
    case IPT_RULE_DENY_ASNS:
        return ruling.unknown ? "unknown:deny.asns" : "deny.asns";
    case IPT_RULE_DENY_ANONYMOUS:
        return ruling.unknown ? "unknown:deny.anonymous" : "deny.anonymous";
    case IPT_RULE_ALLOW:
        return ruling.unknown ? "unknown:allow" : "allow";
    }
    return NULL;
}
