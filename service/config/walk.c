/* The walk over a document: it knows shapes and the table, and nothing of what the keys mean. */
#include <stdio.h>

#include "check.h"
#include "suggest.h"
#include "value.h"
#include "iptrust/base/show.h"

enum { PATH_MAX_HERE = 128 };

typedef struct walker {
    ipt_diag *diag;
} walker;

static void walk_mapping(const walker *w, const char *path, ipt_node *node, bool silent);

static const ipt_key *find_child(const char *path, ipt_span name)
{
    for (size_t i = 0; i < ipt_schema_count; i++) {
        ipt_span word;
        if (ipt_schema_is_child(&ipt_schema[i], path, &word) && ipt_span_equal(word, name))
            return &ipt_schema[i];
    }
    return NULL;
}

static bool has_children(const char *path)
{
    ipt_span word;
    for (size_t i = 0; i < ipt_schema_count; i++) {
        if (ipt_schema_is_child(&ipt_schema[i], path, &word))
            return true;
    }
    return false;
}

static void complain_unknown(const walker *w, const char *path, ipt_node *node)
{
    ipt_suggest suggest = {0};
    ipt_shown shown;
    ipt_span found = node->key->text;
    for (size_t i = 0; i < ipt_schema_count; i++) {
        ipt_span word;
        if (ipt_schema_is_child(&ipt_schema[i], path, &word))
            ipt_suggest_offer(&suggest, found, word);
    }
    node->bad = true;
    if (suggest.word.n != 0)
        ipt_diag_add(w->diag, IPT_ERROR, node->key->place, "unknown key \"%s\", did you mean \"%.*s\"?",
                     ipt_show(found, &shown), (int)suggest.word.n, suggest.word.p);
    else
        ipt_diag_add(w->diag, IPT_ERROR, node->key->place, "unknown key \"%s\"", ipt_show(found, &shown));
}

static void walk_named(const walker *w, const ipt_key *key, ipt_node *node, bool silent)
{
    char path[PATH_MAX_HERE];
    snprintf(path, sizeof(path), "%s.*", key->path);
    for (ipt_node *child = node->first; child != NULL; child = child->next) {
        ipt_shown shown;
        if (!ipt_value_is_name(child->key->text)) {
            ipt_diag_add(w->diag, IPT_ERROR, child->key->place,
                         "\"%s\" is no name: up to 63 of a-z, 0-9, _ and -, the first a letter or digit",
                         ipt_show(child->key->text, &shown));
            child->bad = true;
        }
        if (child->kind == IPT_NODE_MAPPING)
            walk_mapping(w, path, child, silent);
        else
            ipt_complain_expected(w->diag, child, "a mapping");
    }
}

static void walk_value(const walker *w, const ipt_key *key, ipt_node *node, bool silent)
{
    bool announce = !key->in_effect && !silent;
    if (announce)
        ipt_diag_add(w->diag, IPT_WARNING, node->key->place, "%.*s is not yet in effect", (int)node->key->text.n,
                     node->key->text.p);
    silent = silent || announce;

    bool by_name = key->type == IPT_KEY_NAMED;
    if ((key->type == IPT_KEY_MAP || by_name) && node->kind != IPT_NODE_MAPPING)
        ipt_complain_expected(w->diag, node, "a mapping");
    else if (by_name)
        walk_named(w, key, node, silent);
    else if (node->kind == IPT_NODE_MAPPING && has_children(key->path))
        walk_mapping(w, key->path, node, silent);
    else
        ipt_check_value(key, node, w->diag);
}

static void walk_mapping(const walker *w, const char *path, ipt_node *node, bool silent)
{
    for (ipt_node *child = node->first; child != NULL; child = child->next) {
        const ipt_key *key = find_child(path, child->key->text);
        if (key == NULL)
            complain_unknown(w, path, child);
        else
            walk_value(w, key, child, silent);
    }
}

void ipt_walk(ipt_node *root, ipt_diag *diag)
{
    walker w = {diag};
    if (root->kind != IPT_NODE_MAPPING) {
        ipt_complain_expected(diag, root, "a mapping of keys such as http, lists, policies");
        return;
    }
    walk_mapping(&w, "", root, false);
}
