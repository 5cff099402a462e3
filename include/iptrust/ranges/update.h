/* Why new contents of a list were not simply taken, and what the feed says about its own age. */
#ifndef IPTRUST_RANGES_UPDATE_H
#define IPTRUST_RANGES_UPDATE_H

#include "iptrust/base/span.h"

/* The contract's refusals and holds, in the order in which they are judged (interfaces.md, Lists). */
typedef enum ipt_update_reason {
    IPT_UPDATE_FINE = 0,
    IPT_UPDATE_BODY,     /* refused: not wholly parseable */
    IPT_UPDATE_EMPTY,    /* refused: no prefix, or none of a service that was asked for */
    IPT_UPDATE_FAMILY,   /* refused: IPv4 where IPv6 must be, or the other way round */
    IPT_UPDATE_DISOWNED, /* refused: google-lb, whose ranges stand in prose alone, and Google's files speak against them
                          */
    IPT_UPDATE_SPECIAL,  /* refused: special-purpose space */
    IPT_UPDATE_WIDE,     /* refused: a prefix shorter than /8 or /20 */
    IPT_UPDATE_LARGE,    /* refused: more than max_addresses */
    IPT_UPDATE_OLDER,    /* refused: the feed's own version is older than the active one's */
    IPT_UPDATE_AHEAD,    /* refused: its own date is more than 24 h ahead */
    IPT_UPDATE_GONE,     /* held: a family is gone */
    IPT_UPDATE_LOST,     /* held: much of a family's space is lost */
    IPT_UPDATE_GAINED,   /* held: a family's space grew too much */
    IPT_UPDATE_REASONS,
} ipt_update_reason;
const char *ipt_update_reason_name(ipt_update_reason reason); /* "special_purpose", "lost" */

typedef struct ipt_update_text {
    ipt_update_reason reason;
    char text[256]; /* one sentence for a person, printable ASCII, no final full stop */
} ipt_update_text;

/* Always false. Bytes that are not printable ASCII become `?`. */
IPT_PRINTF(3, 4)
bool ipt_update_say(ipt_update_text *out, ipt_update_reason reason, const char *format, ...);

/* ---- the version that a body carries ---- */

typedef struct ipt_feed_version {
    char text[48]; /* as the feed writes it: syncToken, changeNumber, a date, an etag; "" when it has none */
    bool has_serial, has_time;
    uint64_t serial; /* grows with each publication; its unit is the feed's own */
    int64_t time;    /* of publication, seconds since 1970 */
} ipt_feed_version;

typedef enum ipt_version_order {
    IPT_VERSION_UNKNOWN = 0, /* one of the two says nothing */
    IPT_VERSION_SAME,
    IPT_VERSION_OLDER, /* a is older than b */
    IPT_VERSION_NEWER,
} ipt_version_order;

/* a against b, both of the same feed: OLDER when the serial or the time is. */
ipt_version_order ipt_feed_version_compare(const ipt_feed_version *a, const ipt_feed_version *b);

#endif
