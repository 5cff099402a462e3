/* Space in which no public proxy can sit: everything that ipt_addr_class() does not call global. As prefixes, because a
 * prefix is refused when any address of it is special. */
#include "accept_priv.h"

static const ipt_prefix special[] = {
    {{0, UINT64_C(0xffff00000000)}, 104},    /* 0.0.0.0/8 */
    {{0, UINT64_C(0xffff0a000000)}, 104},    /* 10.0.0.0/8 */
    {{0, UINT64_C(0xffff64400000)}, 106},    /* 100.64.0.0/10 */
    {{0, UINT64_C(0xffff7f000000)}, 104},    /* 127.0.0.0/8 */
    {{0, UINT64_C(0xffffa9fe0000)}, 112},    /* 169.254.0.0/16 */
    {{0, UINT64_C(0xffffac100000)}, 108},    /* 172.16.0.0/12 */
    {{0, UINT64_C(0xffffc0000000)}, 120},    /* 192.0.0.0/24 */
    {{0, UINT64_C(0xffffc0000200)}, 120},    /* 192.0.2.0/24 */
    {{0, UINT64_C(0xffffc0a80000)}, 112},    /* 192.168.0.0/16 */
    {{0, UINT64_C(0xffffc6120000)}, 111},    /* 198.18.0.0/15 */
    {{0, UINT64_C(0xffffc6336400)}, 120},    /* 198.51.100.0/24 */
    {{0, UINT64_C(0xffffcb007100)}, 120},    /* 203.0.113.0/24 */
    {{0, UINT64_C(0xffffe0000000)}, 99},     /* 224.0.0.0/3: multicast, class E, broadcast */
    {{UINT64_C(0x2001000000000000), 0}, 23}, /* 2001::/23 */
    {{UINT64_C(0x20010db800000000), 0}, 32}, /* 2001:db8::/32 */
    {{UINT64_C(0x2002000000000000), 0}, 16}, /* 2002::/16 */
    {{UINT64_C(0x3fff000000000000), 0}, 20}, /* 3fff::/20 */
    {{UINT64_C(0x4000000000000000), 0}, 2},  /* 4000::/2 */
    {{UINT64_C(0x8000000000000000), 0}, 1},  /* 8000::/1 */
};
/* Apart from the others, because it holds the IPv4 addresses in their mapped form. */
static const ipt_prefix below_unicast = {{0, 0}, 3}; /* ::/3 */

static const ipt_prefix private_space[] = {
    {{0, UINT64_C(0xffff0a000000)}, 104},   /* 10.0.0.0/8 */
    {{0, UINT64_C(0xffff64400000)}, 106},   /* 100.64.0.0/10: RFC 6598, inside of networks all the same */
    {{0, UINT64_C(0xffffac100000)}, 108},   /* 172.16.0.0/12 */
    {{0, UINT64_C(0xffffc0a80000)}, 112},   /* 192.168.0.0/16 */
    {{UINT64_C(0xfc00000000000000), 0}, 7}, /* fc00::/7 */
};

static bool overlap(ipt_prefix a, ipt_prefix b)
{
    return a.len <= b.len ? ipt_prefix_holds(a, b.addr) : ipt_prefix_holds(b, a.addr);
}

static bool is_private(ipt_prefix prefix)
{
    for (size_t i = 0; i < IPT_COUNT(private_space); i++) {
        if (prefix.len >= private_space[i].len && ipt_prefix_holds(private_space[i], prefix.addr))
            return true;
    }
    return false;
}

bool ipt_prefix_is_special(ipt_prefix prefix, bool internal)
{
    if (internal && is_private(prefix))
        return false;
    for (size_t i = 0; i < IPT_COUNT(special); i++) {
        if (overlap(special[i], prefix))
            return true;
    }
    return !ipt_prefix_is_v4(prefix) && overlap(below_unicast, prefix);
}
