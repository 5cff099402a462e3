/* The IPv4 address inside a transition address. Trust never looks at it; reports and keys do. */
#include "iptrust/net/prefix.h"

/* The length of the longest NAT64 prefix that holds addr, 0 for none. */
static unsigned nat64_length(ipt_addr addr, const ipt_prefix *nat64, size_t count)
{
    bool well_known = addr.hi == UINT64_C(0x0064ff9b00000000) && addr.lo >> 32 == 0;
    unsigned longest = well_known ? 96 : 0;
    for (size_t i = 0; i < count; i++) {
        unsigned len = nat64[i].len;
        bool allowed = len == 32 || len == 40 || len == 48 || len == 56 || len == 64 || len == 96;
        if (allowed && len > longest && ipt_prefix_holds(nat64[i], addr))
            longest = len;
    }
    return longest;
}

/* RFC 6052, 2.2: the address follows the prefix and leaves out bits 64 to 71. */
static uint32_t nat64_address(ipt_addr addr, unsigned len)
{
    if (len == 96)
        return (uint32_t)addr.lo;
    unsigned in_hi = 64 - len, in_lo = 32 - in_hi;
    uint64_t first = in_hi == 0 ? 0 : (addr.hi & (UINT64_MAX >> len)) << in_lo;
    uint64_t rest = in_lo == 0 ? 0 : (addr.lo << 8) >> (64 - in_lo);
    return (uint32_t)(first | rest);
}

ipt_embedding ipt_addr_embedded(ipt_addr addr, const ipt_prefix *nat64, size_t nat64_count, ipt_addr *v4)
{
    if (ipt_addr_is_v4(addr))
        return IPT_EMBEDS_NONE;
    unsigned len = nat64_length(addr, nat64, nat64_count);
    if (len != 0) {
        /* The octet at bits 64 to 71 must be zero (RFC 6052, 2.2): otherwise no translator wrote this address. */
        if (addr.lo >> 56 != 0)
            return IPT_EMBEDS_NONE;
        *v4 = ipt_addr_from_v4(nat64_address(addr, len));
        return IPT_EMBEDS_NAT64;
    }
    /* 64:ff9b:1::/48 is for local use (RFC 8215): only the configuration knows where in it the address stands. */
    if (addr.hi >> 16 == UINT64_C(0x0064ff9b0001))
        return IPT_EMBEDS_NONE;
    if (addr.hi >> 48 == 0x2002) {
        *v4 = ipt_addr_from_v4((uint32_t)(addr.hi >> 16));
        return IPT_EMBEDS_6TO4;
    }
    if (addr.hi >> 32 == 0x20010000) {
        *v4 = ipt_addr_from_v4(~(uint32_t)addr.lo);
        return IPT_EMBEDS_TEREDO;
    }
    uint64_t marker = addr.lo >> 32;
    if (marker == 0x00005efe || marker == 0x02005efe) {
        *v4 = ipt_addr_from_v4((uint32_t)addr.lo);
        return IPT_EMBEDS_ISATAP;
    }
    return IPT_EMBEDS_NONE;
}
