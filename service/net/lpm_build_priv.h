/* What the steps of building a table hand to each other: sorted entries -> routes with interned sets -> slots. */
#ifndef IPTRUST_NET_LPM_BUILD_PRIV_H
#define IPTRUST_NET_LPM_BUILD_PRIV_H

#include "lpm_priv.h"

/* Words of the table in the making. They move when they grow, so only places are kept, never pointers. */
typedef struct lpm_words {
    uint32_t *p;
    size_t n, cap;
} lpm_words;

/* A distinct prefix and the leaf of those who are in it and in nothing longer. */
typedef struct lpm_route {
    uint64_t half[2]; /* the key and what follows it */
    uint32_t slot;
    uint8_t len; /* over the bits of half */
} lpm_route;

/* Room for count words at a multiple of align words (a power of two), zeroed, at *place. */
IPT_MUST_USE ipt_err lpm_words_add(lpm_words *words, size_t count, size_t align, uint32_t *place);

/* Sets that were built before; a table of places, open addressing. */
typedef struct lpm_sets {
    uint32_t *places; /* 0 is free: nobody asks for the empty set */
    size_t cap, used;
} lpm_sets;

/* The set of a prefix: its parent's, overlaid with its own entries, which are sorted by tag. */
IPT_MUST_USE ipt_err lpm_sets_overlay(lpm_sets *sets, lpm_words *words, uint32_t parent, const ipt_lpm_entry *own,
                                      size_t count, uint32_t *out);

/* Fills the LPM_ROOT_SLOTS slots of one family from its sorted routes. */
IPT_MUST_USE ipt_err lpm_nodes_build(lpm_words *words, const lpm_route *routes, size_t count, uint32_t *root);

#endif
