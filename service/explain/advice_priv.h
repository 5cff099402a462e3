/* A change of the configuration, written as YAML: only what changes when there is a file, the whole when the embedded
 * default is in use, because a file takes its place altogether. */
#ifndef IPTRUST_EXPLAIN_ADVICE_PRIV_H
#define IPTRUST_EXPLAIN_ADVICE_PRIV_H

#include "explain_priv.h"

typedef struct ipt_edit {
    uint16_t list;  /* gets extra, IPT_LIST_NONE for none */
    ipt_span extra; /* "exclusive: true" */
    const char *name;
    ipt_span body;   /* a new list, which the policy is to trust: "{prefixes: [...]}" */
    uint16_t trust;  /* a list of the view that the policy is to trust, or IPT_LIST_NONE */
    ipt_span read;   /* a header that the policy is to read */
    ipt_span policy; /* "clients: any" */
} ipt_edit;

#define IPT_EDIT_NONE ((ipt_edit){.list = IPT_LIST_NONE, .trust = IPT_LIST_NONE})

void ipt_edit_write(ipt_buf *out, const ipt_decision *d, const ipt_edit *edit);
/* "vouches: {...}": what the list says already and header besides, because a stated `vouches` replaces the default
 * whole. */
void ipt_edit_vouches(ipt_buf *out, const ipt_list_spec *spec, ipt_span header);
/* "chains: [[outer, inner]]", those of the policy first. */
void ipt_edit_chains(ipt_buf *out, const ipt_decision *d, const char *outer, const char *inner);
void ipt_edit_header(ipt_buf *out, ipt_span header); /* lower case; quoted when it is more than a plain YAML word */

/* base, base2, base3 ...: the first that no list of the view has. */
void ipt_advice_free_name(const ipt_view *view, const char *base, char *out, size_t cap);
/* Another policy that trusts the list; NULL when there is none. */
const char *ipt_advice_other_policy(const ipt_decision *d, uint16_t list);

#endif
