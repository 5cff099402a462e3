/* One table over all prefixes of all lists: one look-up says which lists hold an address, each by its longest prefix.
 * Immutable once built, so any number of threads may look. */
#ifndef IPTRUST_NET_LPM_H
#define IPTRUST_NET_LPM_H

#include "iptrust/net/prefix.h"

typedef struct ipt_lpm ipt_lpm;

typedef struct ipt_lpm_entry {
    ipt_prefix prefix;
    uint16_t tag; /* what the caller calls the list; any value */
} ipt_lpm_entry;

typedef struct ipt_member {
    uint16_t tag;
    uint8_t len; /* of the longest prefix with this tag that holds the address, over the 128 bits */
} ipt_member;

typedef struct ipt_members {
    uint32_t count;
    ipt_member items[]; /* one for each tag, by rising tag */
} ipt_members;

/* entries are sorted in place (the array is the caller's and may be freed afterwards); duplicates are fine. */
IPT_MUST_USE ipt_err ipt_lpm_build(ipt_lpm_entry *entries, size_t count, ipt_lpm **out);
void ipt_lpm_free(ipt_lpm *lpm);
IPT_DEFINE_CLEANUP(ipt_lpm, ipt_lpm_free)

/* Never NULL: an address in no list has count 0. Valid as long as the table. */
const ipt_members *ipt_lpm_find(const ipt_lpm *lpm, ipt_addr addr);

/* Asks the processor for what ipt_lpm_find(addr) will read first, so that the look-ups of one request overlap. */
void ipt_lpm_prefetch(const ipt_lpm *lpm, ipt_addr addr);

size_t ipt_lpm_bytes(const ipt_lpm *lpm); /* memory of the table */

#endif
