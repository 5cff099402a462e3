/* Prefixes as values, and the IPv4 address that a transition address carries. */
#ifndef IPTRUST_NET_PREFIX_H
#define IPTRUST_NET_PREFIX_H

#include "iptrust/net/addr.h"

typedef struct ipt_prefix {
    ipt_addr addr; /* host bits are zero */
    uint8_t len;   /* 0-128 over the 128 bits: an IPv4 /8 has 104 */
} ipt_prefix;

#define IPT_PREFIX_TEXT (IPT_ADDR_TEXT + 4)

static inline bool ipt_prefix_is_v4(ipt_prefix p)
{
    return p.len >= 96 && ipt_addr_is_v4(p.addr);
}

/* The length as people write it: 8 for 10.0.0.0/8. */
static inline unsigned ipt_prefix_bits(ipt_prefix p)
{
    return ipt_prefix_is_v4(p) ? p.len - 96U : p.len;
}

typedef enum ipt_prefix_result {
    IPT_PREFIX_INVALID = 0, /* no address at all */
    IPT_PREFIX_OK,
    IPT_PREFIX_BARE,        /* an address without a length: out is the /32 or /128 */
    IPT_PREFIX_BAD_LENGTH,  /* /33, /08, /-1, a dotted mask, nothing after the slash */
    IPT_PREFIX_HOST_BITS,   /* bits below the length are set: out is the masked prefix, for the message alone */
    IPT_PREFIX_WIDE_MAPPED, /* ::ffff:0:0/96 and longer is IPv4; wider says nothing that anyone means */
} ipt_prefix_result;

/* out is written for OK, BARE and HOST_BITS. */
IPT_MUST_USE ipt_prefix_result ipt_prefix_parse(ipt_span text, ipt_prefix *out);
size_t ipt_prefix_format(ipt_prefix prefix, char out[IPT_PREFIX_TEXT]); /* "10.0.0.0/8"; returns the length */
ipt_prefix ipt_prefix_of(ipt_addr addr, unsigned len);                  /* masks; len over the 128 bits */
bool ipt_prefix_holds(ipt_prefix prefix, ipt_addr addr);
bool ipt_prefix_equal(ipt_prefix a, ipt_prefix b);
/* Shorter than /12 or /29, or private and shorter than /16 or /48: as a trusted range it may well hold more than
 * proxies (decision.md section 7, broad_range). */
bool ipt_prefix_is_broad(ipt_prefix prefix);

/* Which transition scheme carries an IPv4 address. */
typedef enum ipt_embedding {
    IPT_EMBEDS_NONE = 0,
    IPT_EMBEDS_NAT64,  /* 64:ff9b::/96 or a configured prefix, RFC 6052 section 2.2 */
    IPT_EMBEDS_6TO4,   /* 2002::/16, RFC 3056 */
    IPT_EMBEDS_TEREDO, /* 2001::/32, the client's address, inverted: RFC 4380 section 4 */
    IPT_EMBEDS_ISATAP, /* ...:0:5efe:a.b.c.d or 200:5efe, RFC 5214 section 6.1: reported, never unwrapped for keys */
} ipt_embedding;

/* nat64: prefixes of RFC 6052 lengths 32, 40, 48, 56, 64, 96, besides 64:ff9b::/96; the longest that holds addr counts.
 */
ipt_embedding ipt_addr_embedded(ipt_addr addr, const ipt_prefix *nat64, size_t nat64_count, ipt_addr *v4);

#endif
