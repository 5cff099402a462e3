/* What is remembered of a fetched list across restarts, as bytes: the last good contents with their provenance, the
 * contents that are held, and the sizes that acceptance compares with. Whoever stores them cares for atomicity. */
#ifndef IPTRUST_RANGES_RECORD_H
#define IPTRUST_RANGES_RECORD_H

#include "iptrust/base/arena.h"
#include "iptrust/ranges/accept.h"

#define IPT_RECORD_FORMAT    1
#define IPT_RECORD_PARTS_MAX 4

typedef struct ipt_record_part { /* of a feed: what a conditional request needs. All may be empty. */
    ipt_span url;
    ipt_span etag;          /* of HTTP, as received */
    ipt_span last_modified; /* the same */
} ipt_record_part;

typedef struct ipt_record_contents {
    ipt_prefix_set set; /* canonical; may be empty */
    ipt_feed_version version;
    int64_t fetched_at; /* last time that the feed gave these contents (304 included); seconds since 1970 */
    int64_t changed_at; /* first time */
    ipt_digest digest;  /* of set; written and checked by the codec */
} ipt_record_contents;

typedef struct ipt_record {
    ipt_span source; /* ipt_feed_describe(): the contents are void for a list that is described otherwise */
    ipt_record_part parts[IPT_RECORD_PARTS_MAX];
    uint32_t part_count;
    ipt_record_contents active;
    bool has_held;
    ipt_record_contents held; /* waits for a person */
    ipt_update_text held_why;
    bool has_accepted; /* a person has accepted contents, last at: */
    int64_t accepted_at;
    ipt_accept_past past;
} ipt_record;

/* Appends the bytes; out->failed without memory. Sets must be canonical (ipt_prefixes_sort). */
void ipt_record_encode(ipt_buf *out, const ipt_record *record);

typedef enum ipt_record_result {
    IPT_RECORD_BROKEN = 0, /* cut short, a flipped bit, no record at all: void */
    IPT_RECORD_OK,
    IPT_RECORD_NEWER, /* written by a later program: void for us, but leave it where it is */
    IPT_RECORD_NO_MEMORY,
} ipt_record_result;

/* Everything lives in the arena, spans point into bytes. Exactly what ipt_record_encode() wrote decodes, and encodes to
 * the same bytes again. */
IPT_MUST_USE ipt_record_result ipt_record_decode(ipt_span bytes, ipt_arena *arena, ipt_record *out);

#endif
