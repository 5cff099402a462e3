/* Evidence stronger than an address: a secret in a header, in an RFC 7239 parameter, a Front Door id, a principal. */
#include "resolve_priv.h"

static bool is_one_of(ipt_span text, const ipt_proof *proof)
{
    bool found = false;
    for (size_t i = 0; i < proof->value_count; i++)
        found = ipt_span_equal_secret(text, proof->values[i]) || found;
    return found;
}

/* Exactly one line; a secret is compared in constant time. */
static bool header_is_right(const work *w, const ipt_proof *proof)
{
    ipt_span value;
    if (!w->headers_read || count_values(w, proof->header, &value) != 1)
        return false;
    value = ipt_span_trim(value);
    return proof->kind == IPT_PROOF_HEADER ? ipt_span_equal_secret(value, proof->secret) : is_one_of(value, proof);
}

static bool principal_is_right(const work *w, uint16_t hop, const ipt_proof *proof)
{
    return hop == 0 && w->request->caller == IPT_CALLER_TRUSTED && w->request->principal.n != 0 &&
           is_one_of(w->request->principal, proof);
}

/* The element that the hop appended stands next after it in the chain, or first among those not used. There is none
 * where the chain goes on by other evidence, or behind a hop that replaces the header: what was taken ahead of the walk
 * is nobody's word. */
static const item *element_after(const work *w, uint16_t hop)
{
    if (!w->headers_read || w->entries.name != IPT_NAME_FORWARDED)
        return NULL;
    if (hop + 1U < w->out->chain_count && w->out->chain[hop + 1U].origin == IPT_ORIGIN_PROXY_PROTOCOL)
        return NULL;
    if (w->placed != NO_HOP && hop + 1U >= w->placed)
        return NULL;
    uint16_t before = 0; /* entries in the chain up to and including hop */
    for (uint16_t i = 0; i <= hop; i++)
        before = (uint16_t)(before + (w->out->chain[i].origin == IPT_ORIGIN_HEADER));
    if (before >= w->entries.count || before > w->entries.used || (w->closed && before == w->entries.used))
        return NULL;
    return &w->entries.items[before];
}

static bool param_is_right(const ipt_proof *proof, const item *element)
{
    return element != NULL && ipt_forwarded_param_check(element->raw, proof->param, proof->secret) == IPT_PARAM_RIGHT;
}

bool carries_secret(const work *w, const ipt_view_list *list, const item *element)
{
    return list->proof.kind != IPT_PROOF_FORWARDED_PARAM || w->entries.name != IPT_NAME_FORWARDED ||
           param_is_right(&list->proof, element);
}

proof_result check_proof(const work *w, uint16_t hop)
{
    const ipt_proof *asked = &w->view->lists[w->out->chain[hop].list].proof;
    bool right = false;
    if (asked->kind == IPT_PROOF_NONE)
        return PROOF_NOT_ASKED;
    switch (asked->kind) {
    case IPT_PROOF_NONE:
        break;
    case IPT_PROOF_HEADER:
    case IPT_PROOF_FRONT_DOOR_ID:
        right = header_is_right(w, asked);
        break;
    case IPT_PROOF_FORWARDED_PARAM:
        right = param_is_right(asked, element_after(w, hop));
        break;
    case IPT_PROOF_PRINCIPALS:
        right = principal_is_right(w, hop, asked);
        break;
    }
    return right ? PROOF_RIGHT : PROOF_FAILED;
}
