/* Header names as small numbers. The names that decision.md speaks of have fixed ones; a view adds those its
 * configuration mentions. Comparison is case-insensitive and otherwise exact (RFC 9110, 5.1). */
#ifndef IPTRUST_WIRE_NAMES_H
#define IPTRUST_WIRE_NAMES_H

#include "iptrust/base/span.h"

typedef uint16_t ipt_name; /* 0 is no name */

enum {
    IPT_NAME_NONE = 0,
    /* list headers */
    IPT_NAME_XFF,
    IPT_NAME_FORWARDED,
    /* single-address headers */
    IPT_NAME_CF_CONNECTING_IP,
    IPT_NAME_CF_CONNECTING_IPV6,
    IPT_NAME_X_REAL_IP,
    IPT_NAME_TRUE_CLIENT_IP,
    IPT_NAME_FASTLY_CLIENT_IP,
    IPT_NAME_FLY_CLIENT_IP,
    IPT_NAME_X_AZURE_SOCKETIP,
    IPT_NAME_X_CLIENT_IP,
    IPT_NAME_X_CLUSTER_CLIENT_IP,
    IPT_NAME_X_ENVOY_EXTERNAL_ADDRESS,
    IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS,
    IPT_NAME_LAST_ADDRESS = IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS,
    /* context headers */
    IPT_NAME_X_FORWARDED_PROTO,
    IPT_NAME_X_FORWARDED_HOST,
    IPT_NAME_X_FORWARDED_PORT,
    IPT_NAME_X_FORWARDED_PREFIX,
    IPT_NAME_FRONT_END_HTTPS,
    IPT_NAME_CF_VISITOR,
    IPT_NAME_CF_IPCOUNTRY,
    IPT_NAME_CLOUDFRONT_VIEWER_COUNTRY,
    IPT_NAME_VIA,
    IPT_NAME_X_ORIGINAL_FORWARDED_FOR,
    IPT_NAME_LAST_CONTEXT = IPT_NAME_X_ORIGINAL_FORWARDED_FOR,
    /* others that change a decision */
    IPT_NAME_CONNECTION,
    IPT_NAME_HOST,
    IPT_NAME_CF_WORKER,
    IPT_NAME_X_AZURE_FDID,
    IPT_NAME_PROXY_PROTOCOL, /* no header: `proxy_protocol` in vouches */
    IPT_NAME_FIXED,          /* the first number that a view gives */
};

static inline bool ipt_name_is_list(ipt_name n)
{
    return n == IPT_NAME_XFF || n == IPT_NAME_FORWARDED;
}

static inline bool ipt_name_is_address(ipt_name n) /* list or single-address */
{
    return n >= IPT_NAME_XFF && n <= IPT_NAME_LAST_ADDRESS;
}

static inline bool ipt_name_is_context(ipt_name n)
{
    return n > IPT_NAME_LAST_ADDRESS && n <= IPT_NAME_LAST_CONTEXT;
}

#define IPT_NAMES_MAX 512 /* numbers in all, fixed ones included */

typedef struct ipt_names ipt_names; /* immutable once shared */

IPT_MUST_USE ipt_err ipt_names_new(ipt_names **out); /* knows the fixed names */
void ipt_names_free(ipt_names *names);
IPT_DEFINE_CLEANUP(ipt_names, ipt_names_free)

/* The number of a name, a new one when it is unknown; IPT_ELIMIT past IPT_NAMES_MAX. Attributes go in as
 * "attribute:NAME", whose NAME compares exactly. The text is copied and not empty. */
IPT_MUST_USE ipt_err ipt_names_add(ipt_names *names, ipt_span text, ipt_name *out);
ipt_name ipt_names_find(const ipt_names *names, ipt_span text); /* IPT_NAME_NONE when unknown: the request path */
ipt_span ipt_names_text(const ipt_names *names, ipt_name name); /* lower case */
size_t ipt_names_count(const ipt_names *names);                 /* numbers given, 0 included */
ipt_name ipt_name_fixed(ipt_span text);                         /* the fixed ones, without a table */

/* A name that reads as a known address header once `_` and `.` are taken as `-`, yet is not spelt so: X_Forwarded_For.
 */
bool ipt_names_is_alias(const ipt_names *names, ipt_span text);

#endif
