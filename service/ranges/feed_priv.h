/* What the readers of the formats share: where prefixes go, and how a reader says no. */
#ifndef IPT_FEED_PRIV_H
#define IPT_FEED_PRIV_H

#include "iptrust/json/tape.h"
#include "iptrust/ranges/feed.h"

typedef struct ipt_collector {
    const ipt_feed_selection *selection;
    const char *name; /* of the part, for messages: a URL */
    ipt_prefix *items;
    size_t count, room;
    ipt_feed_version version;
    ipt_update_text *why;
    bool no_memory; /* false was returned because of this */
} ipt_collector;

/* All return false after *why was set, or no_memory. */
IPT_MUST_USE bool ipt_collect(ipt_collector *to, ipt_prefix prefix);
/* The text as a prefix of that family. place is where it stands: "line 3" or "/prefixes/0/ip_prefix". */
IPT_MUST_USE bool ipt_collect_parse(ipt_collector *to, ipt_span text, ipt_ip family, const char *place,
                                    ipt_prefix *out);
IPT_MUST_USE bool ipt_collect_text(ipt_collector *to, ipt_span text, ipt_ip family, const char *place);

IPT_MUST_USE bool ipt_feed_read_text(ipt_collector *to, ipt_span body, ipt_ip family);
IPT_MUST_USE bool ipt_feed_read_csv(ipt_collector *to, ipt_span body, ipt_ip family);
IPT_MUST_USE bool ipt_feed_read_json(ipt_collector *to, ipt_span body, const ipt_feed_part *part);

/* ---- JSON ---- */

typedef struct ipt_feed_json {
    ipt_tape tape;
    ipt_collector *to;
} ipt_feed_json;

/* Says no about the value at `at`. Always false. */
IPT_PRINTF(3, 4) bool ipt_feed_json_fail(const ipt_feed_json *json, uint32_t at, const char *format, ...);
/* The value must be a string, a prefix of that family. */
IPT_MUST_USE bool ipt_feed_json_take(const ipt_feed_json *json, uint32_t at, ipt_ip family);
IPT_MUST_USE bool ipt_feed_read_path(const ipt_feed_json *json, ipt_ip family);

/* ---- dates ---- */

/* shape: digits are written d, everything else stands for itself: year, month, day, hour, minute, second in this order.
 * The text must begin so; *rest is what follows. False for what is no date. */
IPT_MUST_USE bool ipt_feed_date(ipt_span text, const char *shape, int64_t *seconds, ipt_span *rest);
/* RFC 3339 with an optional fraction; without a zone it is UTC. */
IPT_MUST_USE bool ipt_feed_timestamp(ipt_span text, int64_t *seconds, uint32_t *micros);
/* 1 to 19 decimal digits. */
IPT_MUST_USE bool ipt_feed_number(ipt_span text, uint64_t *out);

#endif
