/* From a question to a decision, through the engine: counted and logged as everywhere. */
#include "rpc_priv.h"

const ipt_policy *rpc_find_policy(const ipt_rpc_call *call, ipt_span name, unsigned bit, ipt_problem *problem)
{
    const ipt_rpc_seat *seat = call->seat;
    return ipt_engine_find_policy(seat->rpc->engine, call->generation, seat->seat.shard, name, bit, problem);
}

ipt_caller rpc_caller(const ipt_rpc_call *call)
{
    if (call->caller.verified)
        return IPT_CALLER_TRUSTED;
    return ipt_engine_caller(call->generation, call->caller.is_unix, call->caller.addr);
}

bool rpc_decide(ipt_rpc_call *call, ipt_api api, const ipt_policy *policy, ipt_call *question, ipt_problem *problem)
{
    ipt_rpc_seat *seat = call->seat;
    question->request.caller = rpc_caller(call);
    return ipt_engine_decide_by(seat->rpc->engine, call->generation, &seat->seat, policy, question, api,
                                IPT_DETAIL_FULL, &seat->decision, problem);
}
