/* What a policy makes of an address and of a list's word: read on the request path, so plain loops over few items. */
#include "view_priv.h"

ipt_judgement ipt_policy_judge_members(const ipt_policy *policy, const ipt_members *members)
{
    ipt_judgement out = {.list = IPT_LIST_NONE};
    uint16_t best = IPT_RANK_NONE;
    for (uint32_t i = 0; i < members->count; i++) {
        const ipt_member *member = &members->items[i];
        uint16_t list = (uint16_t)(member->tag & ~IPT_EGRESS_TAG);
        uint16_t rank = policy->rank[list];
        if (rank == IPT_RANK_NONE)
            continue;
        if (member->tag & IPT_EGRESS_TAG) /* tenants' machines: in no other list, whatever else holds them */
            return (ipt_judgement){.list = IPT_LIST_NONE, .egress = true};
        if (best != IPT_RANK_NONE)
            out.several = true;
        if (rank < best) {
            best = rank;
            out.list = list;
            out.prefix_len = member->len;
        }
    }
    return out;
}

ipt_vouch ipt_policy_vouch(const ipt_view *view, const ipt_policy *policy, uint16_t list, ipt_name header)
{
    const ipt_view_list *l = &view->lists[list];
    if (ipt_name_is_list(header)) /* `from:` does not bind list headers */
        return l->list_vouch[header - IPT_NAME_XFF];
    for (size_t i = 0; i < l->vouch_count; i++)
        if (l->vouches[i].header == header)
            return l->vouches[i].how;
    for (size_t i = 0; i < policy->spec->read_count; i++)
        if (policy->read[i].from == list && policy->read[i].name == header)
            return IPT_VOUCH_REPLACE;
    return IPT_VOUCH_NONE;
}
