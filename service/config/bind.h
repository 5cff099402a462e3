/* From a checked tree to an ipt_config: what the binder's parts share. Parts report into diag and go on, so that one
 * run names every mistake; memory that is not there is remembered and ends the whole at the end. */
#ifndef IPTRUST_CONFIG_BIND_H
#define IPTRUST_CONFIG_BIND_H

#include "iptrust/config/config.h"
#include "schema_priv.h"
#include "yaml_node.h"

typedef struct ipt_list_index { /* by rising name, for look-ups */
    const char *name;
    uint16_t index;
} ipt_list_index;

typedef struct ipt_bind {
    ipt_arena *arena; /* of the configuration */
    ipt_diag *diag;
    const char *base_dir; /* absolute */
    char *const *environment;
    bool whole_files; /* of ipt_config_options */
    const ipt_node *root;
    ipt_config *config;
    ipt_list_spec *lists; /* config->lists while they are built */
    const ipt_node **list_nodes;
    bool *list_used;    /* somebody names it */
    bool *list_trusted; /* some policy trusts it */
    ipt_list_index *index;
    ipt_policy_spec *policies;
    bool no_memory;
} ipt_bind;

/* ---- build.c: values out of the tree; path is a row of the schema, its last word the key in mapping ---- */

void *ipt_bind_alloc(ipt_bind *b, size_t count, size_t size); /* cleared; NULL without memory, noted */
const char *ipt_bind_text(ipt_bind *b, ipt_span text);        /* a copy, NUL-terminated */
const char *ipt_bind_lower(ipt_bind *b, ipt_span text);
ipt_node *ipt_bind_node(const ipt_node *mapping, const char *path); /* NULL when absent or bad */
bool ipt_bind_has(const ipt_node *mapping, const char *path);       /* stated, right or wrong */
bool ipt_bind_bool(const ipt_node *mapping, const char *path);
uint64_t ipt_bind_integer(const ipt_node *mapping, const char *path);
int64_t ipt_bind_duration_ms(const ipt_node *mapping, const char *path);
size_t ipt_bind_word(const ipt_node *mapping, const char *path); /* index among the words of the row */
const char *ipt_bind_string(ipt_bind *b, const ipt_node *mapping, const char *path); /* NULL when absent */
const char *ipt_bind_path(ipt_bind *b, const ipt_node *mapping, const char *path);   /* absolute; NULL when absent */
const char *ipt_bind_join(ipt_bind *b, ipt_span path);                               /* absolute */
const char *const *ipt_bind_strings(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count);
const char *const *ipt_bind_paths(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count); /* absolute */
const ipt_prefix *ipt_bind_prefixes(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count);
ipt_span ipt_bind_fallback(const char *path); /* the default as text */

/* ---- the parts ---- */

void ipt_bind_server(ipt_bind *b);
void ipt_bind_lists(ipt_bind *b);
bool ipt_bind_is_url(ipt_span url); /* one that may be asked: NUL-terminated */
void ipt_bind_vouches(ipt_bind *b, ipt_list_spec *list, const ipt_node *node);
void ipt_bind_proof(ipt_bind *b, ipt_list_spec *list, const ipt_node *node);
/* The one line of a secret file, or a complaint at node; out NULL: only check. */
void ipt_bind_secret(ipt_bind *b, const char *path, const ipt_node *node, ipt_span *out);
void ipt_bind_contents(ipt_bind *b, ipt_list_spec *list, const ipt_node *node);
void ipt_bind_policies(ipt_bind *b);
void ipt_bind_read(ipt_bind *b, ipt_policy_spec *policy, const ipt_node *node);
void ipt_bind_central(ipt_bind *b);
void ipt_bind_environment(ipt_bind *b);
void ipt_warn_all(ipt_bind *b);

/* The list that node names: its index, marked used; IPT_LIST_NONE after a complaint. */
uint16_t ipt_bind_list_ref(ipt_bind *b, const ipt_node *node);
/* Indexes of the lists that a sequence of names mentions. */
const uint16_t *ipt_bind_list_refs(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count);

#endif
