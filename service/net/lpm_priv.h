/* The layout of the longest-prefix table, shared by the builder and the look-up.
 *
 * A look-up turns the address into a key of 64 bits (an IPv4 address at its top) and a slot of the root, chosen by the
 * key's first 16 bits. A slot is 32 bits: two of kind, thirty of place, counted in words behind the root.
 *   leaf  the members themselves; slot 0 is the empty set
 *   node  eight bits of the key choose among runs of equal slots: a bitmap says where runs start, counts and the
 *         values stand beside it, so that a sparse node is one or two cache lines
 *   list  a few prefixes, longest first, ended by one that matches everything: it skips bits on which all agree and
 *         keeps thin branches, which IPv6 is full of, shallow
 * Whoever has used up 64 bits goes on with the lower half of the address. */
#ifndef IPTRUST_NET_LPM_PRIV_H
#define IPTRUST_NET_LPM_PRIV_H

#include "iptrust/net/lpm.h"

enum {
    LPM_ROOT_BITS = 16,
    LPM_ROOT_SLOTS = 1 << LPM_ROOT_BITS, /* of each family */
    LPM_NODE_BITS = 8,
    LPM_LIST_MAX = 4, /* prefixes of a list, besides its end */
};

#define LPM_KIND  UINT32_C(0xc0000000)
#define LPM_PLACE UINT32_C(0x3fffffff)
#define LPM_LEAF  UINT32_C(0)
#define LPM_NODE  UINT32_C(0x40000000)
#define LPM_LIST  UINT32_C(0x80000000)

typedef struct lpm_node {
    uint64_t starts[4]; /* bit b: a run of slots starts at byte value b; bit 0 is always set */
    uint8_t before[4];  /* runs that start in the words before */
    uint32_t values[];  /* one for each run */
} lpm_node;

typedef struct lpm_item {
    uint64_t key;
    uint32_t slot;
    uint8_t depth;          /* bits of the key that matched, where a node below goes on */
    uint8_t shift1, shift2; /* together 64 - depth; in two parts, because a shift by 64 is undefined */
    uint8_t unused;
} lpm_item;

struct ipt_lpm {
    const uint32_t *root; /* IPv4, then IPv6 */
    const uint32_t *words;
    void *block; /* what free() wants; root and words lie in it */
    size_t bytes;
    bool has_popcnt;
};

static inline uint64_t lpm_key(ipt_addr addr, bool is_v4)
{
    return is_v4 ? addr.lo << 32 : addr.hi;
}

#endif
