/* Checks of a document against the schema, before anything is built from it. */
#ifndef IPTRUST_CONFIG_CHECK_H
#define IPTRUST_CONFIG_CHECK_H

#include "schema_priv.h"
#include "yaml_node.h"

/* Walks the whole tree: unknown keys, wrong shapes, bad values. Nodes with errors are marked bad. */
void ipt_walk(ipt_node *root, ipt_diag *diag);

/* One value against its row; complains and marks it bad. */
void ipt_check_value(const ipt_key *key, ipt_node *node, ipt_diag *diag);
/* The same for text that comes from elsewhere (environment); false when bad, with what was expected in *expected. */
IPT_MUST_USE bool ipt_check_text(const ipt_key *key, ipt_span text, char *expected, size_t cap);

/* "expected EXPECTED, found ..." at node, which becomes bad. */
void ipt_complain_expected(ipt_diag *diag, ipt_node *node, const char *expected);

/* A scalar with something in it; complains if not. */
IPT_MUST_USE bool ipt_check_scalar(ipt_diag *diag, ipt_node *node, const char *expected);

#endif
