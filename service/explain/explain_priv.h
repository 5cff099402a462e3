/* What the text picture and the page share: the decision in words, as plain printable ASCII. */
#ifndef IPTRUST_EXPLAIN_PRIV_H
#define IPTRUST_EXPLAIN_PRIV_H

#include "iptrust/explain/explain.h"

/* Request text: printable ASCII as it is, a backslash doubled, everything else \xHH; at most max bytes of it. */
void ipt_explain_escape(ipt_buf *out, ipt_span text, size_t max);

/* The answer in one sentence: client, level, why. */
void ipt_explain_headline(ipt_buf *out, const ipt_decision *d);
/* "8.8.8.8:4711", "[2001:db8::1]:443", "unknown" as it was written; never empty. */
void ipt_explain_hop_name(ipt_buf *out, const ipt_hop *hop);
/* "peer", "x-forwarded-for, line 0, entry 1". */
void ipt_explain_hop_origin(ipt_buf *out, const ipt_decision *d, const ipt_hop *hop);
/* One word; the answer is CLIENT. */
const char *ipt_explain_hop_verdict(const ipt_decision *d, size_t hop);
/* Why it has its verdict; may be empty. */
void ipt_explain_hop_detail(ipt_buf *out, const ipt_decision *d, size_t hop);

/* How many items of the chain stand before the place where the walk stopped. */
size_t ipt_explain_stop(const ipt_decision *d);
void ipt_explain_stop_reason(ipt_buf *out, const ipt_decision *d);

ipt_reason ipt_explain_origin(const ipt_decision *d);
static inline bool ipt_explain_has(const ipt_decision *d, ipt_reason reason)
{
    return (d->reasons >> reason & 1) != 0;
}
bool ipt_explain_found(const ipt_decision *d, ipt_finding_code code);
/* The hop of the chain that spoke last of those we believe: the trusted one nearest to the answer, itself included when
 * it is trusted; NULL when none is. */
const ipt_hop *ipt_explain_last_trusted(const ipt_decision *d);
const ipt_view_list *ipt_explain_list(const ipt_decision *d, const ipt_hop *hop); /* NULL when no list labels it */

/* Headers of the request that nobody vouched for: in the order of the findings. The value is as sent. */
typedef struct ipt_explain_ignored {
    size_t finding, header; /* cursor */
    ipt_span name, value;
    ipt_finding_code code;
} ipt_explain_ignored;
IPT_MUST_USE bool ipt_explain_ignored_next(const ipt_decision *d, ipt_explain_ignored *cursor);

/* "prefix 10.0.0.0/8" and the like for a reason: count, lists concerned; may be empty. */
void ipt_explain_reason_subject(ipt_buf *out, const ipt_decision *d, ipt_reason reason);
void ipt_explain_keys(ipt_buf *out, const ipt_decision *d, unsigned key); /* 0 to 3; empty when null */
const char *ipt_explain_key_name(unsigned key);
#define IPT_EXPLAIN_KEYS 4

#define IPT_EXPLAIN_GEO 4
/* With d->has_geo: a line of 0 to 3, UTF-8 without control characters; empty when unknown. */
void ipt_explain_geo(ipt_buf *out, const ipt_decision *d, unsigned line);
const char *ipt_explain_geo_name(unsigned line);
/* Why nothing is told although databases are configured; NULL when something is, or nobody asked. */
const char *ipt_explain_geo_silence(const ipt_decision *d);

/* One thing that could be changed: words, and what there is to copy, as a rule YAML. */
typedef struct ipt_advice {
    ipt_buf words, yaml;
} ipt_advice;

#define IPT_ADVICE_MAX 8
typedef struct ipt_advices {
    ipt_advice items[IPT_ADVICE_MAX];
    size_t count;
} ipt_advices;
void ipt_advices_make(ipt_advices *out, const ipt_decision *d);
void ipt_advices_done(ipt_advices *advices);
static inline void ipt_advices_cleanup(ipt_advices *advices)
{
    ipt_advices_done(advices);
}

#endif
