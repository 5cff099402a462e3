/* A second, slow reading of the parts of decision.md that the properties lean on: membership by linear search over the
 * configured prefixes, caps by a table of its own. Shares nothing with the code under test but the values. */
#ifndef PROPERTY_NAIVE_H
#define PROPERTY_NAIVE_H

#include "iptrust/resolve/resolve.h"

/* The longest prefix of one list that holds addr, over the 128 bits, or -1. */
int naive_list_holds(const ipt_list_spec *list, ipt_addr addr);
/* In the egress of a list of the policy's trust. */
bool naive_in_egress(const ipt_view *view, const ipt_policy *policy, ipt_addr addr);
/* Trusted as a hop: in a list of `trust` and in no egress. without: a list left out, or IPT_LIST_NONE. */
bool naive_trusted(const ipt_view *view, const ipt_policy *policy, ipt_addr addr, uint16_t without);
bool naive_unix_trusted(const ipt_view *view, const ipt_policy *policy);
/* The level that a set of reasons gives (I3); false when there is not exactly one origin. */
bool naive_level(uint64_t reasons, ipt_level *out);

#endif
