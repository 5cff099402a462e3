/* Addresses as values. One parser for headers, configuration, feeds and API (RFC 4291, 2.2; RFC 5952). */
#ifndef IPTRUST_NET_ADDR_H
#define IPTRUST_NET_ADDR_H

#include "iptrust/base/span.h"

/* 128 bits, most significant first. An IPv4 address is held in its mapped form ::ffff:a.b.c.d, because that is what it
 * is everywhere: in matching, output and keys. All zero is `::`, which nothing trusts. */
typedef struct ipt_addr {
    uint64_t hi, lo;
} ipt_addr;

#define IPT_ADDR_TEXT 46 /* bytes of the longest text with its NUL */

static inline bool ipt_addr_is_v4(ipt_addr a)
{
    return a.hi == 0 && (a.lo >> 32) == 0xffff;
}

static inline uint32_t ipt_addr_v4(ipt_addr a)
{
    return (uint32_t)a.lo;
}

static inline ipt_addr ipt_addr_from_v4(uint32_t v4)
{
    return (ipt_addr){0, UINT64_C(0xffff00000000) | v4};
}

static inline bool ipt_addr_equal(ipt_addr a, ipt_addr b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

/* Network order, 4 or 16 bytes. */
ipt_addr ipt_addr_from_bytes4(const uint8_t bytes[4]);
ipt_addr ipt_addr_from_bytes16(const uint8_t bytes[16]);

/* Strict text, nothing around it: dotted quad of 1-3 digits without leading zeros, or RFC 4291 IPv6 text (`::` for one
 * or more groups, a dotted quad only at the end). No zone, no port, no brackets. out stays untouched when false.
 * *mapped (may be NULL) says that an IPv4 address was written in its IPv6 form. */
IPT_MUST_USE bool ipt_addr_parse(ipt_span text, ipt_addr *out, bool *mapped);

/* An address as forwarding headers and `peer` carry it: v4, v4:port, v6, [v6], [v6]:port. */
typedef struct ipt_endpoint {
    ipt_addr addr;
    uint16_t port; /* valid when has_port */
    bool has_port;
    bool mapped; /* IPv4 written as ::ffff:... */
} ipt_endpoint;

/* The two halves of ipt_endpoint_parse(): a dotted quad alone, and all else. */
IPT_MUST_USE bool ipt_v4_parse(ipt_span text, uint32_t *out);
IPT_MUST_USE bool ipt_endpoint_parse_other(ipt_span text, ipt_endpoint *out);

/* Port 1-65535 without leading zeros; a bad port makes the whole text malformed. out stays untouched when false. Here,
 * so that it becomes part of its callers: most endpoints are a dotted quad and nothing more. */
IPT_MUST_USE static inline bool ipt_endpoint_parse(ipt_span text, ipt_endpoint *out)
{
    uint32_t v4;
    if (ipt_v4_parse(text, &v4)) {
        *out = (ipt_endpoint){.addr = ipt_addr_from_v4(v4), .port = 0, .has_port = false, .mapped = false};
        return true;
    }
    ipt_endpoint other; /* its address is told, not that of *out, which can then live in registers */
    if (!ipt_endpoint_parse_other(text, &other))
        return false;
    *out = other;
    return true;
}

/* 1 to 5 digits, no leading zeros, min..65535. */
IPT_MUST_USE bool ipt_port_parse(ipt_span text, unsigned min, uint16_t *out);

/* RFC 5952 text with NUL; an IPv4 address as dotted quad. Returns the length. */
size_t ipt_addr_format(ipt_addr addr, char out[IPT_ADDR_TEXT]);

/* decision.md section 2, first match wins. Zero is the class that is never global. */
typedef enum ipt_class {
    IPT_CLASS_UNSPECIFIED = 0,
    IPT_CLASS_BROADCAST,
    IPT_CLASS_LOOPBACK,
    IPT_CLASS_PRIVATE,
    IPT_CLASS_CGNAT,
    IPT_CLASS_LINK_LOCAL,
    IPT_CLASS_UNIQUE_LOCAL,
    IPT_CLASS_MULTICAST,
    IPT_CLASS_DOCUMENTATION,
    IPT_CLASS_BENCHMARKING,
    IPT_CLASS_TRANSITION,
    IPT_CLASS_RESERVED,
    IPT_CLASS_GLOBAL,
} ipt_class;

ipt_class ipt_addr_class(ipt_addr addr);
const char *ipt_class_name(ipt_class which); /* "link_local" */

#endif
