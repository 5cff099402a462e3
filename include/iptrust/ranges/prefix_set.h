/* Prefixes in one order, without doubles, and the address space that they cover: IPv4 in addresses, IPv6 in /64s. */
#ifndef IPTRUST_RANGES_PREFIX_SET_H
#define IPTRUST_RANGES_PREFIX_SET_H

#include "iptrust/net/prefix.h"

typedef enum ipt_ip { IPT_IP_ANY = 0, IPT_IP_V4, IPT_IP_V6 } ipt_ip;
const char *ipt_ip_name(ipt_ip family); /* "IPv4", "IPv6", "IP" */

/* Sorted by address, then length; IPv4 stands first. Prefixes that lie in others stay: they are what was published. */
typedef struct ipt_prefix_set {
    ipt_prefix *items; /* malloc, owned by whoever holds the set; NULL when count is 0 */
    size_t count;
} ipt_prefix_set;

int ipt_prefix_order(ipt_prefix a, ipt_prefix b);          /* <0, 0, >0 */
size_t ipt_prefixes_sort(ipt_prefix *items, size_t count); /* in place, drops doubles; returns how many are left */
bool ipt_prefix_set_equal(ipt_prefix_set a, ipt_prefix_set b);
void ipt_prefix_set_done(ipt_prefix_set *set);

/* Space of the union. A prefix longer than /64 counts as its /64, because a /64 is what one host or customer has.
 * 2^64 (all of IPv6) is told as 2^64 - 1. */
typedef struct ipt_space {
    uint64_t v4; /* addresses */
    uint64_t v6; /* /64s */
} ipt_space;
ipt_space ipt_prefix_set_space(ipt_prefix_set set);
ipt_space ipt_prefix_set_space_without(ipt_prefix_set set, ipt_prefix_set other); /* what other does not cover */

/* Whether the union of the set covers all of the prefix, to the last address. */
bool ipt_prefix_set_covers(ipt_prefix_set set, ipt_prefix prefix);
bool ipt_prefix_set_overlaps(ipt_prefix_set set, ipt_prefix prefix); /* any address of it */

/* The next item of `set` after *at whose space `other` does not wholly cover: what an update really adds, or with the
 * two exchanged takes away. *at begins with 0. False at the end. */
IPT_MUST_USE bool ipt_prefix_set_next_beyond(ipt_prefix_set set, ipt_prefix_set other, size_t *at, ipt_prefix *out);

/* SHA-256 over the canonical text, a prefix and a line feed for each: `iptrust lists NAME --format text | sha256sum`.
 */
typedef struct ipt_digest {
    uint8_t bytes[32];
} ipt_digest;
#define IPT_DIGEST_TEXT 72 /* "sha256:", 64 hexadecimal digits, NUL */
ipt_digest ipt_prefix_set_digest(ipt_prefix_set set);
void ipt_digest_format(ipt_digest digest, char out[IPT_DIGEST_TEXT]);
IPT_MUST_USE bool ipt_digest_parse(ipt_span text, ipt_digest *out); /* lower case, as format writes it */
bool ipt_digest_equal(ipt_digest a, ipt_digest b);

#endif
