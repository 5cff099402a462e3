/* What kind of address it is: the table of decision.md section 2, in its order, the first match wins. */
#include "iptrust/net/addr.h"

/* First octets that hold anything but global addresses, a bit each. Most addresses are told by this alone. */
static const uint64_t special_octets[4] = {
    UINT64_C(1) << 0 | UINT64_C(1) << 10,
    UINT64_C(1) << (100 - 64) | UINT64_C(1) << (127 - 64),
    UINT64_C(1) << (169 - 128) | UINT64_C(1) << (172 - 128),
    UINT64_C(1) << (192 - 192) | UINT64_C(1) << (198 - 192) | UINT64_C(1) << (203 - 192) | UINT64_MAX << (224 - 192),
};

static ipt_class class_v4(uint32_t a)
{
    if ((special_octets[a >> 30] >> (a >> 24 & 63) & 1) == 0)
        return IPT_CLASS_GLOBAL;
    switch (a >> 24) {
    case 0:
        return a == 0 ? IPT_CLASS_UNSPECIFIED : IPT_CLASS_RESERVED;
    case 10:
        return IPT_CLASS_PRIVATE;
    case 100:
        return a >> 22 == 0x64400000U >> 22 ? IPT_CLASS_CGNAT : IPT_CLASS_GLOBAL;
    case 127:
        return IPT_CLASS_LOOPBACK;
    case 169:
        return a >> 16 == 0xa9fe ? IPT_CLASS_LINK_LOCAL : IPT_CLASS_GLOBAL;
    case 172:
        return a >> 20 == 0xac1 ? IPT_CLASS_PRIVATE : IPT_CLASS_GLOBAL;
    case 192:
        if (a >> 16 == 0xc0a8)
            return IPT_CLASS_PRIVATE;
        if (a >> 8 == 0xc00002)
            return IPT_CLASS_DOCUMENTATION;
        return a >> 8 == 0xc00000 ? IPT_CLASS_RESERVED : IPT_CLASS_GLOBAL;
    case 198:
        if (a >> 8 == 0xc63364)
            return IPT_CLASS_DOCUMENTATION;
        return a >> 17 == 0xc6120000U >> 17 ? IPT_CLASS_BENCHMARKING : IPT_CLASS_GLOBAL;
    case 203:
        return a >> 8 == 0xcb0071 ? IPT_CLASS_DOCUMENTATION : IPT_CLASS_GLOBAL;
    default:
        if (a == UINT32_MAX)
            return IPT_CLASS_BROADCAST;
        if (a >> 28 == 0xe)
            return IPT_CLASS_MULTICAST;
        return a >> 28 == 0xf ? IPT_CLASS_RESERVED : IPT_CLASS_GLOBAL;
    }
}

/* Inside 2000::/3, the space from which IANA assigns. */
static ipt_class class_unicast(uint64_t hi)
{
    uint64_t first16 = hi >> 48, first32 = hi >> 32;
    if (first16 != 0x2001 && first16 != 0x2002 && first16 != 0x3fff) /* none of the rows below */
        return IPT_CLASS_GLOBAL;
    if (first32 == 0x20010db8 || hi >> 44 == 0x3fff0) /* 3fff::/20: RFC 9637 */
        return IPT_CLASS_DOCUMENTATION;
    if (hi >> 16 == UINT64_C(0x200100020000))
        return IPT_CLASS_BENCHMARKING;
    if (first16 == 0x2002 || first32 == 0x20010000)
        return IPT_CLASS_TRANSITION;
    return first32 >> 9 == 0x20010000U >> 9 ? IPT_CLASS_RESERVED : IPT_CLASS_GLOBAL;
}

static ipt_class class_v6(ipt_addr a)
{
    if (a.hi >> 61 == 1)
        return class_unicast(a.hi);
    if (a.hi == 0 && a.lo <= 1)
        return a.lo == 0 ? IPT_CLASS_UNSPECIFIED : IPT_CLASS_LOOPBACK;
    if (a.hi >> 54 == 0xfe80 >> 6)
        return IPT_CLASS_LINK_LOCAL;
    if (a.hi >> 57 == 0xfc >> 1)
        return IPT_CLASS_UNIQUE_LOCAL;
    if (a.hi >> 56 == 0xff)
        return IPT_CLASS_MULTICAST;
    bool nat64 = a.hi == UINT64_C(0x0064ff9b00000000) && a.lo >> 32 == 0; /* RFC 6052 */
    bool local_nat64 = a.hi >> 16 == UINT64_C(0x0064ff9b0001);            /* RFC 8215 */
    return nat64 || local_nat64 ? IPT_CLASS_TRANSITION : IPT_CLASS_RESERVED;
}

ipt_class ipt_addr_class(ipt_addr addr)
{
    return ipt_addr_is_v4(addr) ? class_v4(ipt_addr_v4(addr)) : class_v6(addr);
}

const char *ipt_class_name(ipt_class class)
{
    switch (class) {
    case IPT_CLASS_UNSPECIFIED:
        return "unspecified";
    case IPT_CLASS_BROADCAST:
        return "broadcast";
    case IPT_CLASS_LOOPBACK:
        return "loopback";
    case IPT_CLASS_PRIVATE:
        return "private";
    case IPT_CLASS_CGNAT:
        return "cgnat";
    case IPT_CLASS_LINK_LOCAL:
        return "link_local";
    case IPT_CLASS_UNIQUE_LOCAL:
        return "unique_local";
    case IPT_CLASS_MULTICAST:
        return "multicast";
    case IPT_CLASS_DOCUMENTATION:
        return "documentation";
    case IPT_CLASS_BENCHMARKING:
        return "benchmarking";
    case IPT_CLASS_TRANSITION:
        return "transition";
    case IPT_CLASS_RESERVED:
        return "reserved";
    case IPT_CLASS_GLOBAL:
        return "global";
    }
    return "reserved";
}
