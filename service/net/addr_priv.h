/* The dotted quad, which most addresses of a request are: two readers of the same texts, one of which needs
 * instructions that not every x86-64 has. Tests hold them together. */
#ifndef IPTRUST_NET_ADDR_PRIV_H
#define IPTRUST_NET_ADDR_PRIV_H

#include "iptrust/net/addr.h"

enum { V4_TEXT_MIN = 7, V4_TEXT_MAX = 15 };

IPT_MUST_USE bool ipt_v4_parse_plain(const char *p, size_t n, uint32_t *out);

#if defined(__x86_64__)
#define IPT_V4_SSE41 1
IPT_MUST_USE bool ipt_v4_parse_sse41(const char *p, size_t n, uint32_t *out);
#endif

/* Lowest byte first on every machine; an unaligned load and nothing else on most. */
static inline uint32_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

#endif
