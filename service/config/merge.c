/* Several files as one configuration: nothing overrides, because the order of file names must never decide whom we
 * trust. */
#include "merge.h"
#include "iptrust/base/show.h"

static void complain_twin(ipt_diag *diag, const ipt_node *node, const ipt_node *first)
{
    ipt_shown shown;
    ipt_diag_add(diag, IPT_ERROR, node->key->place, "key \"%s\" is already in %s:%u", ipt_show(node->key->text, &shown),
                 first->key->place.file, first->key->place.line);
}

/* Moves the children of other that mapping does not have yet. */
static void merge_names(ipt_node *mapping, ipt_node *other, ipt_diag *diag)
{
    for (ipt_node *child = other->first, *next; child != NULL; child = next) {
        next = child->next;
        const ipt_node *first = ipt_node_get(mapping, child->key->text.p);
        if (first != NULL)
            complain_twin(diag, child, first);
        else
            ipt_node_append(mapping, child);
    }
    other->first = other->last = NULL;
    other->count = 0;
}

static bool may_be_spread(const ipt_node *node)
{
    return ipt_span_equal(node->key->text, IPT_SPAN("lists")) || ipt_span_equal(node->key->text, IPT_SPAN("policies"));
}

void ipt_merge(ipt_node *root, ipt_node *other, ipt_diag *diag)
{
    for (ipt_node *child = other->first, *next; child != NULL; child = next) {
        next = child->next;
        ipt_node *first = ipt_node_get(root, child->key->text.p);
        if (first == NULL)
            ipt_node_append(root, child);
        else if (may_be_spread(child) && child->kind == IPT_NODE_MAPPING && first->kind == IPT_NODE_MAPPING)
            merge_names(first, child, diag);
        else
            complain_twin(diag, child, first);
    }
    other->first = other->last = NULL;
    other->count = 0;
}
