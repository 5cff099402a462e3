/* A batch as its requests: what is wrong with one stays with it. */
#include "iptrust/json/split.h"
#include "json_read_priv.h"

bool ipt_json_read_batch(ipt_span text, size_t max, ipt_arena *arena, ipt_batch *out, ipt_problem *problem)
{
    ipt_json_parts parts;
    ipt_json_flaw flaw;
    switch (ipt_json_split(text, IPT_SPAN("requests"), max, arena, &parts, &flaw)) {
    case IPT_SPLIT_OK:
        *out = (ipt_batch){parts.items, parts.count};
        return true;
    case IPT_SPLIT_FLAW:
        return ipt_problem_set_flaw(problem, &flaw);
    case IPT_SPLIT_MISSING:
        ipt_problem_set(problem, IPT_PROBLEM_BAD_REQUEST, "", "the key \"requests\" is required");
        return false;
    case IPT_SPLIT_OTHER_KEY:
        ipt_problem_set(problem, IPT_PROBLEM_UNKNOWN_KEY, "", "a batch has the key \"requests\" alone");
        return false;
    case IPT_SPLIT_TWICE:
        ipt_problem_set(problem, IPT_PROBLEM_DUPLICATE_KEY, "/requests", "the key stands twice in its object");
        return false;
    case IPT_SPLIT_NO_ARRAY:
        ipt_problem_set(problem, IPT_PROBLEM_BAD_REQUEST, "/requests", "must be an array");
        return false;
    case IPT_SPLIT_TOO_MANY:
        ipt_problem_set(problem, IPT_PROBLEM_TOO_LARGE, "/requests", "more than %zu requests", max);
        return false;
    }
    return false;
}
