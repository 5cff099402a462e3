/* envoy.service.auth.v3.Authorization/Check: policy, decision, and an answer that is never empty. */
#include "rpc_priv.h"

/* The policy that the caller's configuration names, when it may be chosen here, else the default one. A name that is
 * not there is an error of that configuration, and never answered under another policy's rules. */
static const ipt_policy *choose(ipt_rpc_call *call, rpc_check *check, ipt_problem *problem)
{
    const ipt_policy *policy = rpc_find_policy(call, check->policy, 0, problem);
    if (policy == NULL || check->policy.p == NULL || (policy->spec->selectable_by & IPT_SELECT_EXT_AUTHZ) != 0)
        return policy;
    check->request.policy_not_selectable = true;
    return rpc_find_policy(call, (ipt_span){NULL, 0}, 0, problem);
}

bool rpc_check_handle(ipt_rpc_call *call)
{
    rpc_check *check = call->request;
    ipt_problem problem;
    const ipt_policy *policy = choose(call, check, &problem);
    if (policy == NULL)
        return rpc_refuse_problem(call, &problem, "");
    ipt_call question = {.request = check->request};
    if (!rpc_decide(call, IPT_API_EXT_AUTHZ, policy, &question, &problem))
        return rpc_refuse_problem(call, &problem, "");
    bool denied = call->seat->decision.ruling.action == IPT_ACTION_DENY ||
                  (check->request.policy_not_selectable && policy->spec->mode == IPT_MODE_ENFORCE);
    return rpc_check_answer(call, check, denied);
}
