/* See naive.h. */
#include "naive.h"

static bool prefix_holds(ipt_prefix prefix, ipt_addr addr)
{
    for (unsigned bit = 0; bit < prefix.len; bit++) {
        uint64_t a = bit < 64 ? addr.hi >> (63 - bit) : addr.lo >> (127 - bit);
        uint64_t p = bit < 64 ? prefix.addr.hi >> (63 - bit) : prefix.addr.lo >> (127 - bit);
        if ((a & 1) != (p & 1))
            return false;
    }
    return true;
}

int naive_list_holds(const ipt_list_spec *list, ipt_addr addr)
{
    int longest = -1;
    for (size_t i = 0; i < list->prefix_count; i++)
        if (prefix_holds(list->prefixes[i], addr) && (int)list->prefixes[i].len > longest)
            longest = list->prefixes[i].len;
    return longest;
}

bool naive_in_egress(const ipt_view *view, const ipt_policy *policy, ipt_addr addr)
{
    for (size_t t = 0; t < policy->spec->trust_count; t++) {
        const ipt_list_spec *list = view->lists[policy->spec->trust[t]].spec;
        for (size_t i = 0; i < list->egress_count; i++)
            if (prefix_holds(list->egress[i], addr))
                return true;
    }
    return false;
}

bool naive_trusted(const ipt_view *view, const ipt_policy *policy, ipt_addr addr, uint16_t without)
{
    if (naive_in_egress(view, policy, addr))
        return false;
    for (size_t t = 0; t < policy->spec->trust_count; t++) {
        uint16_t list = policy->spec->trust[t];
        if (list != without && naive_list_holds(view->lists[list].spec, addr) >= 0)
            return true;
    }
    return false;
}

bool naive_unix_trusted(const ipt_view *view, const ipt_policy *policy)
{
    for (size_t t = 0; t < policy->spec->trust_count; t++)
        if (view->lists[policy->spec->trust[t]].spec->source == IPT_SOURCE_UNIX)
            return true;
    return false;
}

/* Section 7, in the order of the reasons; AUTHENTICATED stands for no cap. */
static const ipt_level caps[IPT_REASON_COUNT] = {
    [IPT_REASON_PEER_UNTRUSTED_DIRECT] = IPT_LEVEL_HIGH,
    [IPT_REASON_WALK_FIRST_UNTRUSTED] = IPT_LEVEL_HIGH,
    [IPT_REASON_PROVIDER_HEADER] = IPT_LEVEL_HIGH,
    [IPT_REASON_BOUND_HEADER] = IPT_LEVEL_HIGH,
    [IPT_REASON_PROXY_PROTOCOL] = IPT_LEVEL_HIGH,
    [IPT_REASON_HOP_COUNT_ONLY] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_ALL_HOPS_TRUSTED] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_PEER_TRUSTED_NO_HEADER] = IPT_LEVEL_LOW,
    [IPT_REASON_ENTRY_MALFORMED] = IPT_LEVEL_LOW,
    [IPT_REASON_ENTRY_OBFUSCATED] = IPT_LEVEL_LOW,
    [IPT_REASON_ENTRY_EMPTY] = IPT_LEVEL_LOW,
    [IPT_REASON_TOO_FEW_ENTRIES] = IPT_LEVEL_LOW,
    [IPT_REASON_LIMIT_REACHED] = IPT_LEVEL_LOW,
    [IPT_REASON_HOP_NOT_VOUCHING] = IPT_LEVEL_LOW,
    [IPT_REASON_TRUST_INVERSION] = IPT_LEVEL_LOW,
    [IPT_REASON_PROVIDER_CHANGE] = IPT_LEVEL_LOW,
    [IPT_REASON_CLIENT_IS_PROVIDER_EGRESS] = IPT_LEVEL_LOW,
    [IPT_REASON_NO_ADDRESS] = IPT_LEVEL_NONE,
    [IPT_REASON_SHARED_PROVIDER] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_PROOF_FAILED] = IPT_LEVEL_LOW,
    [IPT_REASON_PROOF_VERIFIED] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_HEADER_CONFLICT] = IPT_LEVEL_LOW,
    [IPT_REASON_SINGLE_HEADER_UNUSABLE] = IPT_LEVEL_LOW,
    [IPT_REASON_HOP_BY_HOP_TAMPER] = IPT_LEVEL_LOW,
    [IPT_REASON_PEER_UNCHECKED] = IPT_LEVEL_LOW,
    [IPT_REASON_LIST_STALE] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_LIST_EXPIRED] = IPT_LEVEL_LOW,
    [IPT_REASON_TRUST_SET_OUTDATED] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_TRUST_SET_EMPTY] = IPT_LEVEL_LOW,
    [IPT_REASON_BROAD_RANGE] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_CLIENT_NOT_GLOBAL] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_CLIENT_SPECIAL] = IPT_LEVEL_LOW,
    [IPT_REASON_CALLER_UNAUTHENTICATED] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_HTTP_PARSER_LAX] = IPT_LEVEL_MEDIUM,
    [IPT_REASON_LIST_BUNDLED] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_HEADERS_AGREE] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_UNVOUCHED_ENTRIES] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_PROXY_LOCAL] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_TRANSITION_UNWRAPPED] = IPT_LEVEL_AUTHENTICATED,
    [IPT_REASON_HEADERS_MERGED] = IPT_LEVEL_AUTHENTICATED,
};

bool naive_level(uint64_t reasons, ipt_level *out)
{
    unsigned origins = 0;
    ipt_level level = IPT_LEVEL_AUTHENTICATED;
    for (unsigned reason = 0; reason < IPT_REASON_COUNT; reason++) {
        if ((reasons >> reason & 1) == 0)
            continue;
        origins += reason < IPT_REASON_ORIGINS ? 1U : 0U;
        if (caps[reason] < level)
            level = caps[reason];
    }
    if (level == IPT_LEVEL_HIGH && (reasons >> IPT_REASON_PROOF_VERIFIED & 1) != 0)
        level = IPT_LEVEL_AUTHENTICATED;
    *out = level;
    return origins == 1;
}
