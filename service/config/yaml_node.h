/* YAML as a small tree with places: the only face that libyaml has in this module. */
#ifndef IPTRUST_CONFIG_YAML_NODE_H
#define IPTRUST_CONFIG_YAML_NODE_H

#include "iptrust/base/diag.h"

typedef enum ipt_node_kind { IPT_NODE_SCALAR = 0, IPT_NODE_SEQUENCE, IPT_NODE_MAPPING } ipt_node_kind;

typedef struct ipt_node ipt_node;
struct ipt_node {
    ipt_node_kind kind;
    bool plain;    /* a scalar without quotes */
    bool bad;      /* a checker complained: nobody needs to read it */
    size_t count;  /* children */
    ipt_span text; /* of a scalar: UTF-8 without NUL */
    ipt_place place;
    ipt_node *key;                 /* of the value of a mapping: its key, a scalar */
    ipt_node *first, *last, *next; /* children in the order written; next sibling */
};

/* Parses one document into arena. Refused, each with its place: bad UTF-8 and NUL, several documents or none, anchors,
 * aliases, tags, more than 16 levels, keys that are no scalars, a key that is there twice. *out is NULL when refused.
 */
IPT_MUST_USE ipt_err ipt_node_parse(ipt_span yaml, const char *file, ipt_arena *arena, ipt_diag *diag, ipt_node **out);

/* The value of a key of a mapping, NULL when absent. */
ipt_node *ipt_node_get(const ipt_node *mapping, const char *key);

/* A plain nothing: `key:` with no value, `~` or `null`. */
bool ipt_node_is_null(const ipt_node *node);

void ipt_node_append(ipt_node *parent, ipt_node *child);

#endif
