/* A publisher's answer, read strictly: whole, or not at all. Bytes in, prefixes with the feed's own version out; no
 * network and no clock. The fetcher asks where to fetch (parts), hands over the bodies, and gives what comes out to
 * iptrust/ranges/accept.h. */
#ifndef IPTRUST_RANGES_FEED_H
#define IPTRUST_RANGES_FEED_H

#include "iptrust/base/buf.h"
#include "iptrust/ranges/prefix_set.h"
#include "iptrust/ranges/provider.h"
#include "iptrust/ranges/update.h"

/* ---- where a list comes from ---- */

typedef enum ipt_feed_format {
    IPT_FEED_TEXT = 0, /* iptrust/ranges/text.h */
    IPT_FEED_JSON,     /* any JSON, with a path */
    IPT_FEED_CSV,      /* RFC 4180, with a column; lines that begin with # are comments (RFC 8805, 2.1.2) */
    IPT_FEED_CLOUDFLARE,
    IPT_FEED_AWS,
    IPT_FEED_FASTLY,
    IPT_FEED_GOOGLE,
    IPT_FEED_GOOGLE_LB,     /* goog.json: must hold the balancers' ranges */
    IPT_FEED_GOOGLE_LB_NOT, /* cloud.json: must hold none of them */
    IPT_FEED_AZURE,
    IPT_FEED_ADDRESSES, /* a JSON array of addresses: Bunny */
    IPT_FEED_IMPERVA,
    IPT_FEED_CDN77,
    IPT_FEED_ORACLE,
    IPT_FEED_GITHUB,
} ipt_feed_format;

typedef struct ipt_feed_part {
    const char *url;  /* of the body; NULL when `page` names it */
    const char *page; /* a page to fetch first; ipt_feed_find_link() finds the body's URL in it */
    ipt_feed_format format;
    ipt_ip family; /* of all prefixes in it; ANY for both */
} ipt_feed_part;

typedef struct ipt_feed_parts {
    const ipt_feed_part *items; /* static; all of them make one list */
    size_t count;
} ipt_feed_parts;

/* What must be fetched for a provider's list: all parts, in this order. alternative 0 is the first choice, 1 and so on
 * are others to try when it fails; count 0 when there is none (any more). A list of several parts has no 304: when one
 * part has changed, the others are fetched without condition. */
ipt_feed_parts ipt_feed_parts_of(ipt_provider provider, unsigned alternative);

/* The newest link to a dated file (Azure's service tags) in an HTML page; false when there is none. *url points into
 * page. */
IPT_MUST_USE bool ipt_feed_find_link(ipt_span page, ipt_span *url);

/* ---- what to take of it ---- */

typedef struct ipt_feed_selection {
    const char *const *services; /* aws, azure: required; github: none means all of its address lists */
    size_t service_count;
    const char *path;   /* JSON; NULL: the text is an array of prefixes */
    const char *column; /* CSV: a number from 1, or a name that the first line has; NULL: 1 */
} ipt_feed_selection;

/* JSON paths are those of RFC 9535 without filters, slices and descendants: $.prefixes[*]['ipv4','ipv6'], where the
 * leading `$` may be left out ("prefixes[*].cidr"). What it selects must be text, or an array, which stands for its
 * elements; absent members select nothing. false with a sentence in why. */
IPT_MUST_USE bool ipt_feed_path_check(ipt_span path, char *why, size_t cap);

/* ---- the content ---- */

typedef struct ipt_feed {
    ipt_prefix_set set; /* owned: ipt_feed_done() */
    ipt_feed_version version;
} ipt_feed;

typedef enum ipt_feed_result {
    IPT_FEED_REFUSED = 0, /* *why says why */
    IPT_FEED_OK,
    IPT_FEED_NO_MEMORY, /* of the machine; a body that is too dense for its bound is refused */
} ipt_feed_result;

/* bodies[i] answers parts[i]. Everything must parse, also what the selection leaves aside; unknown members and services
 * of the feed are passed over. An empty result, a wrong family and a service that the feed does not have are refused.
 * Memory in use is at most some 12 bytes a byte of the largest body, for 16 MB of the densest JSON; real feeds take 3.
 */
IPT_MUST_USE ipt_feed_result ipt_feed_parse(const ipt_feed_part *parts, const ipt_span *bodies, size_t count,
                                            const ipt_feed_selection *selection, ipt_feed *out, ipt_update_text *why);
void ipt_feed_done(ipt_feed *feed); /* frees; = {0} again */

/* What a list's contents depend on, as one line of text: provider or url, services, format, path, column. Last good
 * contents belong to a list as long as this is the same. provider NONE: url, format and the rest. */
void ipt_feed_describe(ipt_buf *out, ipt_provider provider, const char *url, ipt_feed_format format,
                       const ipt_feed_selection *selection);

#endif
