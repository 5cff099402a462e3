/* The heart: one pure function from a view, a policy and a request to a decision. It knows no clock, resolver, log,
 * lock or heap. decision.md is its specification. */
#ifndef IPTRUST_RESOLVE_RESOLVE_H
#define IPTRUST_RESOLVE_RESOLVE_H

#include "iptrust/resolve/decision.h"

/* How much of a decision is wanted. The client, its level and the reasons are the same for all. */
typedef enum ipt_detail {
    IPT_DETAIL_FULL = 0, /* chain, findings, context, keys, lists of the client */
    IPT_DETAIL_CLIENT, /* none of these: their counts are 0 and has_keys and has_peer_key are false; context is void */
} ipt_detail;

/* Why there is no decision. */
typedef enum ipt_refusal {
    IPT_REFUSAL_NONE = 0,
    IPT_REFUSAL_PROXY_PROTOCOL, /* the bytes are no PROXY header: code bad_proxy_protocol; *why tells more */
} ipt_refusal;

/* view, policy and request must outlive out. out is void when refused; *why (may be NULL) is then set. The fields of
 * out beyond the counts are not cleared. */
IPT_MUST_USE ipt_refusal ipt_resolve(const ipt_view *view, const ipt_policy *policy, const ipt_request *request,
                                     ipt_detail detail, ipt_decision *out, ipt_proxy_result *why);

#endif
