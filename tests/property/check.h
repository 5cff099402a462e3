/* Properties I1 to I10 of decision.md, section 8, judged on one generated request. I8 is no matter of requests: it is
 * read from the symbols of the libraries (no_resolver.py). */
#ifndef PROPERTY_CHECK_H
#define PROPERTY_CHECK_H

#include "gen.h"
#include "iptrust/base/buf.h"
#include "iptrust/resolve/resolve.h"

typedef enum property {
    I1_UNTRUSTED_PEER = 0,
    I2_PREPENDED_ENTRIES,
    I3_LEVEL_FROM_REASONS,
    I4_CLIENT_FROM_VOUCHED_POSITION,
    I5_LINES_ARE_JOINED,
    I6_SPELLING,
    I7_EMPTIED_LISTS,
    I7_AGED_LISTS,
    I9_SAME_BYTES,
    I10_HEADER_ORDER,
    DETAIL_AGREES,
    PROPERTIES,
} property;

#define WORLD_LISTS    16
#define WORLD_POLICIES 16

/* One configuration and what its lists become. */
typedef struct world {
    const char *name;
    ipt_view *base, *aged;
    gen_pool pools[WORLD_POLICIES];
    ipt_view *emptied[WORLD_LISTS]; /* by list index; NULL for a Unix-socket list and for an empty one */
} world;

typedef struct tally {
    uint64_t exercised[PROPERTIES], failed[PROPERTIES];
    uint64_t requests, refused, origins[IPT_REASON_COUNT];
} tally;

/* Room for the decisions and texts of one check. */
typedef struct bench {
    rng rng;
    const world *world;
    size_t policy; /* index, the same in every view of the world */
    gen_request form, other_form;
    gen_rendered text, other_text;
    ipt_decision decision, other;
    ipt_buf json, other_json;
    uint64_t number; /* of the request */
} bench;

const char *property_name(property p);
/* Generates request b->number and counts what it shows; prints the first failures of each property. */
void check_request(bench *b, tally *t);

#endif
