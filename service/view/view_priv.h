/* What a view shares with its refreshed copies. */
#ifndef IPTRUST_VIEW_PRIV_H
#define IPTRUST_VIEW_PRIV_H

#include <stdatomic.h>

#include "iptrust/view/view.h"

typedef struct ipt_view_core {
    atomic_uint refs;
    ipt_config *config;
    ipt_arena *arena; /* lists, policies */
    ipt_names *names;
    ipt_lpm *lpm;
    ipt_view_list *lists;
    ipt_policy *policies;
    char policies_revision[9], lists_revision[9];
} ipt_view_core;

IPT_MUST_USE ipt_err ipt_core_compile(ipt_view_core *core); /* names, lists, policies and the table, from config */
IPT_MUST_USE ipt_err ipt_core_revise(ipt_view_core *core);  /* revisions of the lists and of the whole */

uint64_t ipt_geo_rules(const ipt_policy_spec *spec); /* fields that its rules ask for */
ipt_freshness ipt_freshness_at(const ipt_list_spec *spec, int64_t now);

#endif
