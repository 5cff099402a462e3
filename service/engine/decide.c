/* One decision: policy, resolve, count, sample. */
#include "engine_priv.h"

static unsigned select_bit(ipt_api api)
{
    switch (api) {
    case IPT_API_REST:
        return IPT_SELECT_REST;
    case IPT_API_GRPC:
        return IPT_SELECT_GRPC;
    case IPT_API_EXT_AUTHZ:
        return IPT_SELECT_EXT_AUTHZ;
    case IPT_API_AUTH:
        return IPT_SELECT_AUTH;
    }
    return 0;
}

/* An unknown name is never answered by another policy: a decision under rules that nobody asked for is worse than none.
 */
const ipt_policy *ipt_engine_find_policy(ipt_engine *engine, const ipt_generation *generation, unsigned shard,
                                         ipt_span wanted, unsigned selectable_by, ipt_problem *problem)
{
    ipt_span name = wanted.p == NULL ? IPT_SPAN("default") : wanted;
    const ipt_policy *policy = ipt_view_find_policy(generation->view, name);
    if (policy == NULL) {
        engine_count_unknown_policy(engine, shard);
        ipt_problem_set(problem, IPT_PROBLEM_UNKNOWN_POLICY, wanted.p == NULL ? "" : "/policy",
                        "there is no policy \"%.*s\"", (int)(name.n < 64 ? name.n : 64), name.p);
        return NULL;
    }
    if (selectable_by != 0 && (policy->spec->selectable_by & selectable_by) == 0) {
        ipt_problem_set(problem, IPT_PROBLEM_POLICY_NOT_SELECTABLE, wanted.p == NULL ? "" : "/policy",
                        "policy \"%s\" does not name this interface in selectable_by", policy->spec->name);
        return NULL;
    }
    return policy;
}

bool ipt_engine_decide(ipt_engine *engine, const ipt_generation *generation, ipt_seat *seat, const ipt_call *call,
                       ipt_api api, ipt_detail detail, ipt_decision *out, ipt_problem *problem)
{
    const ipt_policy *policy =
        ipt_engine_find_policy(engine, generation, seat->shard, call->policy, select_bit(api), problem);
    return policy != NULL && ipt_engine_decide_by(engine, generation, seat, policy, call, api, detail, out, problem);
}

bool ipt_engine_decide_by(ipt_engine *engine, const ipt_generation *generation, ipt_seat *seat,
                          const ipt_policy *policy, const ipt_call *call, ipt_api api, ipt_detail detail,
                          ipt_decision *out, ipt_problem *problem)
{
    uint64_t begin = ipt_clock_ns();
    ipt_proxy_result why;
    if (ipt_resolve(generation->view, policy, &call->request, detail, out, &why) != IPT_REFUSAL_NONE) {
        ipt_problem_set(problem, IPT_PROBLEM_BAD_PROXY_PROTOCOL, "/proxy_protocol", "%s", ipt_proxy_result_text(why));
        return false;
    }
    engine_count_decision(engine, generation, seat->shard, out, ipt_clock_ns() - begin);
    engine_log_decision(engine, seat, call, api, out);
    return true;
}

ipt_caller ipt_engine_caller(const ipt_generation *generation, bool is_unix, ipt_addr peer)
{
    static const ipt_addr loopback6 = {0, 1};
    if (is_unix || ipt_addr_equal(peer, loopback6) || ipt_addr_equal(peer, ipt_addr_from_v4(0x7f000001)))
        return IPT_CALLER_TRUSTED;
    const ipt_config *config = generation->view->config;
    for (size_t i = 0; i < config->caller_count; i++) {
        if (ipt_prefix_holds(config->callers[i], peer))
            return IPT_CALLER_TRUSTED;
    }
    return IPT_CALLER_UNKNOWN;
}
