/* The document of a central place below what is configured here. */
#ifndef IPTRUST_CONFIG_DOCUMENT_H
#define IPTRUST_CONFIG_DOCUMENT_H

#include "yaml_node.h"

/* Complains of every key but lists and policies, and of lists from files. */
void ipt_document_check(const ipt_node *document, ipt_diag *diag);

/* Gives root the lists and policies of the document that it does not have: ours win. Both are mappings; the document
 * ends empty. */
void ipt_document_merge(ipt_node *root, ipt_node *document);

#endif
