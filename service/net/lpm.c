/* The look-up in the longest-prefix table. */
#include <stdlib.h>

#include "lpm_priv.h"

static inline const void *place(const ipt_lpm *lpm, uint32_t slot)
{
    return lpm->words + (slot & LPM_PLACE);
}

static inline uint32_t root_slot(const ipt_lpm *lpm, uint64_t key, bool is_v4)
{
    return lpm->root[(is_v4 ? 0 : LPM_ROOT_SLOTS) + (key >> (64 - LPM_ROOT_BITS))];
}

/* Always inlined, here and below: into each variant of the look-up, so that counting bits is one instruction where the
 * processor has it. */
__attribute__((always_inline)) static inline uint32_t node_slot(const lpm_node *node, unsigned byte)
{
    unsigned word = byte >> 6;
    uint64_t up_to = node->starts[word] << (63 - (byte & 63));
    return node->values[node->before[word] + (unsigned)__builtin_popcountll(up_to) - 1];
}

/* A value's place is known only after its node was read: asking for the lines behind at once makes two misses one. */
__attribute__((always_inline)) static inline void prefetch_values(const char *node)
{
    __builtin_prefetch(node + 64);
    __builtin_prefetch(node + 128);
}

/* Follows one half of an address until a leaf is found or the half is used up. */
__attribute__((always_inline)) static inline uint32_t walk(const ipt_lpm *lpm, uint64_t key, uint32_t slot,
                                                           unsigned depth)
{
    while ((slot & LPM_KIND) != LPM_LEAF && depth < 64) {
        if ((slot & LPM_KIND) == LPM_NODE) {
            const void *node = place(lpm, slot);
            prefetch_values(node);
            slot = node_slot(node, (unsigned)(key << depth >> 56));
            depth += LPM_NODE_BITS;
            continue;
        }
        const lpm_item *item = place(lpm, slot);
        while (((item->key ^ key) >> item->shift1) >> item->shift2 != 0)
            item++;
        slot = item->slot;
        depth = item->depth;
    }
    return slot;
}

__attribute__((always_inline)) static inline const ipt_members *find(const ipt_lpm *lpm, ipt_addr addr)
{
    bool is_v4 = ipt_addr_is_v4(addr);
    uint64_t key = lpm_key(addr, is_v4);
    uint32_t slot = root_slot(lpm, key, is_v4);
    slot = walk(lpm, key, slot, LPM_ROOT_BITS);
    if ((slot & LPM_KIND) != LPM_LEAF)
        slot = walk(lpm, addr.lo, slot, 0);
    return place(lpm, slot);
}

/* In halves: an address that was just written as two words and is read as one vector waits until both have reached the
 * cache, and it is not passed on in registers. */
__attribute__((noinline)) static const ipt_members *find_plain(const ipt_lpm *lpm, uint64_t hi, uint64_t lo)
{
    return find(lpm, (ipt_addr){hi, lo});
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static const ipt_members *find_popcnt(const ipt_lpm *lpm, uint64_t hi, uint64_t lo)
{
    return find(lpm, (ipt_addr){hi, lo});
}
#endif

const ipt_members *ipt_lpm_find(const ipt_lpm *lpm, ipt_addr addr)
{
#if defined(__x86_64__)
    if (lpm->has_popcnt)
        return find_popcnt(lpm, addr.hi, addr.lo);
#endif
    return find_plain(lpm, addr.hi, addr.lo);
}

void ipt_lpm_prefetch(const ipt_lpm *lpm, ipt_addr addr)
{
    bool is_v4 = ipt_addr_is_v4(addr);
    const char *next = place(lpm, root_slot(lpm, lpm_key(addr, is_v4), is_v4));
    __builtin_prefetch(next);
    prefetch_values(next);
}

void ipt_lpm_free(ipt_lpm *lpm)
{
    if (lpm == NULL)
        return;
    free(lpm->block);
    free(lpm);
}

size_t ipt_lpm_bytes(const ipt_lpm *lpm)
{
    return sizeof(*lpm) + lpm->bytes;
}
