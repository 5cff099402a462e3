/* What a central document may say, and how it comes below what is configured here. */
#include "document.h"
#include "iptrust/base/show.h"

static bool may_hold(const ipt_node *node)
{
    return ipt_span_equal(node->key->text, IPT_SPAN("lists")) || ipt_span_equal(node->key->text, IPT_SPAN("policies"));
}

void ipt_document_check(const ipt_node *document, ipt_diag *diag)
{
    ipt_shown shown;
    for (const ipt_node *part = document->first; part != NULL; part = part->next) {
        if (!may_hold(part))
            ipt_diag_add(diag, IPT_ERROR, part->key->place,
                         "a central document holds lists and policies only, not \"%s\"",
                         ipt_show(part->key->text, &shown));
        else if (part->kind != IPT_NODE_MAPPING)
            ipt_diag_add(diag, IPT_ERROR, part->place, "expected a mapping");
    }
    const ipt_node *lists = ipt_node_get(document, "lists");
    for (const ipt_node *list = lists == NULL ? NULL : lists->first; list != NULL; list = list->next) {
        const ipt_node *file = list->kind == IPT_NODE_MAPPING ? ipt_node_get(list, "file") : NULL;
        if (file != NULL)
            ipt_diag_add(diag, IPT_ERROR, file->key->place, "a central document names no files of ours");
    }
    if (document->count == 0)
        ipt_diag_add(diag, IPT_ERROR, document->place, "it holds neither lists nor policies");
}

static void merge_part(ipt_node *ours, ipt_node *theirs)
{
    for (ipt_node *child = theirs->first, *next; child != NULL; child = next) {
        next = child->next;
        if (ipt_node_get(ours, child->key->text.p) == NULL)
            ipt_node_append(ours, child);
    }
    theirs->first = theirs->last = NULL;
    theirs->count = 0;
}

void ipt_document_merge(ipt_node *root, ipt_node *document)
{
    for (ipt_node *part = document->first, *next; part != NULL; part = next) {
        next = part->next;
        ipt_node *ours = ipt_node_get(root, part->key->text.p);
        if (ours == NULL)
            ipt_node_append(root, part);
        else if (ours->kind == IPT_NODE_MAPPING)
            merge_part(ours, part);
    }
    document->first = document->last = NULL;
    document->count = 0;
}
