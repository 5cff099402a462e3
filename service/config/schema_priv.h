/* Look-ups in the schema table, for the walker and the binder. */
#ifndef IPTRUST_CONFIG_SCHEMA_PRIV_H
#define IPTRUST_CONFIG_SCHEMA_PRIV_H

#include "iptrust/config/schema.h"

const ipt_key *ipt_schema_find(const char *path); /* NULL when there is none */

/* Whether key stands right below parent ("" is the top); *name is its last word. */
bool ipt_schema_is_child(const ipt_key *key, const char *parent, ipt_span *name);

/* The words of "a | b | c", one a call. */
bool ipt_words_next(ipt_span *words, ipt_span *out);

#endif
