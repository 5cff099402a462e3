/* Several files as one configuration. */
#ifndef IPTRUST_CONFIG_MERGE_H
#define IPTRUST_CONFIG_MERGE_H

#include "yaml_node.h"

/* Gives root what stands in other: each top-level key in one file only, names below lists and policies may be spread.
 * Both are mappings; other ends empty. */
void ipt_merge(ipt_node *root, ipt_node *other, ipt_diag *diag);

#endif
