/* What a proxy that asked us tells its application: which x-iptrust-* headers with which values, what `rewrite` sets
 * and what has to go. One implementation for ext_authz and for the HTTP dialects (interfaces.md, ext_authz). */
#ifndef IPTRUST_CALLOUT_CALLOUT_H
#define IPTRUST_CALLOUT_CALLOUT_H

#include "iptrust/base/arena.h"
#include "iptrust/resolve/decision.h"

enum { IPT_CALLOUT_FACTS = 8 };

/* What is told of a decision, as a header and as metadata. */
typedef struct ipt_callout_fact {
    const char *header, *key; /* "x-iptrust-client-ip", "client_ip" */
    const char *text;         /* printable ASCII, never empty; NULL: absent */
} ipt_callout_fact;

typedef struct ipt_callout_header {
    const char *name, *value;
} ipt_callout_header;

/* Borrows from the decision, its view and the arena. */
typedef struct ipt_callout {
    ipt_callout_fact facts[IPT_CALLOUT_FACTS];
    ipt_callout_header *rewrites; /* set to the client */
    size_t rewrite_count;
    const char **removed; /* lines to take away; never a fact's own header, spelt exactly so */
    size_t removed_count;
} ipt_callout;

/* lines: what the client sent, as far as it is known. IPT_ENOMEM alone; out is then void. */
IPT_MUST_USE ipt_err ipt_callout_build(const ipt_decision *decision, const ipt_header *lines, size_t line_count,
                                       ipt_arena *arena, ipt_callout *out);

/* Whether a name, `_` and `.` read as `-`, begins with x-iptrust-: ours to write and nobody else's. */
bool ipt_callout_is_ours(ipt_span name);

/* The body of a denial, application/problem+json. The client reads it: it learns that it was denied, and nothing of the
 * rules or of who we think it is. */
const char *ipt_callout_denial(void);

#endif
