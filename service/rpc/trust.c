/* iptrust.v1.TrustService. */
#include <iptrust/v1/iptrust.pb-c.h>

#include <stdio.h>

#include "put_priv.h"

/* Reads, decides and writes one request. NULL with a problem; INTERNAL stands for missing memory, too. */
static Iptrust__V1__Decision *answer(ipt_rpc_call *call, const Iptrust__V1__Request *request, const char *prefix,
                                     ipt_problem *problem)
{
    ipt_rpc_seat *seat = call->seat;
    rpc_maker maker = {seat->answer, false};
    ipt_call question;
    if (!rpc_read_question(request, prefix, seat->answer, &question, problem))
        return NULL;
    const ipt_policy *policy = rpc_find_policy(call, question.policy, IPT_SELECT_GRPC, problem);
    if (policy == NULL || !rpc_decide(call, IPT_API_GRPC, policy, &question, problem))
        return NULL;
    Iptrust__V1__Decision *decision = rpc_put_decision(&maker, &seat->decision, &question);
    if (decision == NULL)
        ipt_problem_set(problem, IPT_PROBLEM_INTERNAL, "", "no memory for the answer");
    return decision;
}

static Iptrust__V1__Problem *put_problem(rpc_maker *maker, const ipt_problem *problem, const char *request_id)
{
    Iptrust__V1__Problem *to = rpc_make(maker, &iptrust__v1__problem__descriptor);
    void **errors =
        problem->pointer[0] == '\0' ? NULL : rpc_make_list(maker, 1, &iptrust__v1__problem_error__descriptor);
    const char *name = ipt_problem_name(problem->code);
    char type[80];
    if (to == NULL)
        return NULL;
    snprintf(type, sizeof(type), "urn:iptrust:problem:%s", name);
    to->type = rpc_copy(maker, ipt_span_from(type));
    to->title = rpc_borrow(ipt_problem_title(problem->code));
    to->status = ipt_problem_status(problem->code);
    to->detail = rpc_copy(maker, ipt_span_from(problem->detail));
    to->code = rpc_borrow(name);
    if (request_id != NULL)
        to->request_id = rpc_text(maker, ipt_span_from(request_id), IPT_TEXT_MAX);
    if (errors != NULL) {
        Iptrust__V1__ProblemError *error = errors[0];
        error->pointer = rpc_copy(maker, ipt_span_from(problem->pointer));
        error->detail = to->detail;
        to->errors = (Iptrust__V1__ProblemError **)errors;
        to->n_errors = 1;
    }
    return maker->failed ? NULL : to;
}

/* One of several: a problem is an answer. NULL without memory. */
static Iptrust__V1__Result *result_of(ipt_rpc_call *call, const Iptrust__V1__Request *request, const char *prefix)
{
    rpc_maker maker = {call->seat->answer, false};
    ipt_problem problem;
    Iptrust__V1__Result *result = rpc_make(&maker, &iptrust__v1__result__descriptor);
    if (result == NULL)
        return NULL;
    result->decision = answer(call, request, prefix, &problem);
    if (result->decision != NULL) {
        result->result_case = IPTRUST__V1__RESULT__RESULT_DECISION;
        return result;
    }
    bool has_id =
        request != NULL && request->request_id_choice_case == IPTRUST__V1__REQUEST__REQUEST_ID_CHOICE_REQUEST_ID;
    result->result_case = IPTRUST__V1__RESULT__RESULT_PROBLEM;
    result->problem = put_problem(&maker, &problem, has_id ? request->request_id : NULL);
    return result->problem == NULL ? NULL : result;
}

bool rpc_resolve_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &iptrust__v1__resolve_request__descriptor);
}

bool rpc_resolve_handle(ipt_rpc_call *call)
{
    const Iptrust__V1__ResolveRequest *request = call->request;
    rpc_maker maker = {call->seat->answer, false};
    Iptrust__V1__ResolveResponse *response = rpc_make(&maker, &iptrust__v1__resolve_response__descriptor);
    ipt_problem problem;
    if (response == NULL)
        return rpc_no_memory(call);
    response->decision = answer(call, request->request, "", &problem);
    call->answer = response;
    return response->decision != NULL || rpc_refuse_problem(call, &problem, "request");
}

bool rpc_stream_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &iptrust__v1__resolve_stream_request__descriptor);
}

bool rpc_stream_handle(ipt_rpc_call *call)
{
    const Iptrust__V1__ResolveStreamRequest *request = call->request;
    rpc_maker maker = {call->seat->answer, false};
    Iptrust__V1__ResolveStreamResponse *response = rpc_make(&maker, &iptrust__v1__resolve_stream_response__descriptor);
    if (response == NULL)
        return rpc_no_memory(call);
    response->result = result_of(call, request->request, "");
    call->answer = response;
    return response->result != NULL || rpc_no_memory(call);
}

bool rpc_batch_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &iptrust__v1__resolve_batch_request__descriptor);
}

bool rpc_batch_handle(ipt_rpc_call *call)
{
    const Iptrust__V1__ResolveBatchRequest *request = call->request;
    if (request->n_requests > RPC_BATCH_MAX)
        return rpc_refuse(call, IPT_PROBLEM_TOO_LARGE, "/requests", "a batch has at most %d requests", RPC_BATCH_MAX);
    return true;
}

/* Each result is packed before the next one is decided, as a response that holds it alone: messages of one type behind
 * each other are one message with all their repeated fields, and the memory is that of one result. */
bool rpc_batch_encode(ipt_rpc_call *call, ipt_buf *out)
{
    const Iptrust__V1__ResolveBatchRequest *request = call->request;
    for (size_t i = 0; i < request->n_requests; i++) {
        char prefix[32];
        snprintf(prefix, sizeof(prefix), "/requests/%zu", i);
        ipt_arena_reset(call->seat->answer);
        Iptrust__V1__Result *result = result_of(call, request->requests[i], prefix);
        Iptrust__V1__ResolveBatchResponse response = IPTRUST__V1__RESOLVE_BATCH_RESPONSE__INIT;
        response.n_results = 1;
        response.results = &result;
        if (result == NULL || !rpc_pack(&response.base, out))
            return rpc_no_memory(call);
    }
    return true;
}

bool rpc_lookup_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &iptrust__v1__lookup_address_request__descriptor);
}

static void put_members(rpc_maker *maker, Iptrust__V1__LookupAddressResponse *to, const ipt_view *view, ipt_addr addr)
{
    const ipt_members *members = ipt_lpm_find(view->lpm, addr);
    void **lists = rpc_make_list(maker, members->count, &iptrust__v1__address_list__descriptor);
    if (lists == NULL)
        return;
    for (uint32_t i = 0; i < members->count; i++) {
        const ipt_member *member = &members->items[i];
        Iptrust__V1__AddressList *list = lists[i];
        list->list = rpc_borrow(view->lists[member->tag & ~IPT_EGRESS_TAG].spec->name);
        list->prefix = rpc_prefix(maker, ipt_prefix_of(addr, member->len));
        list->egress = (member->tag & IPT_EGRESS_TAG) != 0;
    }
    to->n_lists = members->count;
    to->lists = (Iptrust__V1__AddressList **)lists;
}

static void put_place(rpc_maker *maker, Iptrust__V1__LookupAddressResponse *to, const ipt_view *view, ipt_addr addr)
{
    ipt_geo_facts facts;
    const ipt_span none = {NULL, 0};
    ipt_view_place(view, addr, IPT_GEO_ALL, &facts);
    if (ipt_geo_fields(view->geo) != 0)
        to->geo = rpc_put_geo(maker, view->geo, &facts, none, none);
    const char *reason = ipt_view_no_place(view, &facts);
    if (reason != NULL)
        to->geo_reason = rpc_borrow(reason);
    const char *texts[IPT_GEO_FILES_MAX];
    size_t count = ipt_geo_attributions(view->geo, &facts, texts);
    char **attributions = rpc_make_array(maker, count, sizeof(*attributions));
    for (size_t i = 0; attributions != NULL && i < count; i++)
        attributions[i] = rpc_borrow(texts[i]);
    to->attributions = attributions;
    to->n_attributions = attributions == NULL ? 0 : count;
}

bool rpc_lookup_handle(ipt_rpc_call *call)
{
    static const char *const embeddings[] = {[IPT_EMBEDS_NONE] = "",
                                             [IPT_EMBEDS_NAT64] = "nat64",
                                             [IPT_EMBEDS_6TO4] = "6to4",
                                             [IPT_EMBEDS_TEREDO] = "teredo",
                                             [IPT_EMBEDS_ISATAP] = "isatap"};
    const Iptrust__V1__LookupAddressRequest *request = call->request;
    const ipt_view *view = call->generation->view;
    rpc_maker maker = {call->seat->answer, false};
    Iptrust__V1__LookupAddressResponse *response = rpc_make(&maker, &iptrust__v1__lookup_address_response__descriptor);
    ipt_addr addr, embedded;
    if (!ipt_addr_parse(ipt_span_from(request->address), &addr, NULL))
        return rpc_refuse(call, IPT_PROBLEM_BAD_REQUEST, "/address", "must be an address");
    if (response == NULL)
        return rpc_no_memory(call);
    ipt_embedding embedding = ipt_addr_embedded(addr, view->nat64, view->nat64_count, &embedded);
    response->address = rpc_address(&maker, addr);
    response->class_ = rpc_borrow(ipt_class_name(ipt_addr_class(addr)));
    response->embedding = rpc_borrow(embeddings[embedding]);
    if (embedding != IPT_EMBEDS_NONE)
        response->embedded_ipv4 = rpc_address(&maker, embedded);
    put_members(&maker, response, view, addr);
    put_place(&maker, response, view, addr);
    call->answer = response;
    return maker.failed ? rpc_no_memory(call) : true;
}

bool rpc_status_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &iptrust__v1__get_status_request__descriptor);
}

static const char *list_state(const ipt_view *view, size_t i)
{
    static const char *const states[] = {[IPT_FRESH] = "fresh", [IPT_STALE] = "stale", [IPT_EXPIRED] = "expired"};
    return view->lists[i].spec->failed ? "failed" : states[view->freshness[i]];
}

/* What the admin listener tells: names of lists and policies are nobody else's business. */
static void put_inside(rpc_maker *maker, Iptrust__V1__GetStatusResponse *to, const ipt_view *view)
{
    void **lists = rpc_make_list(maker, view->list_count, &iptrust__v1__list_status__descriptor);
    void **policies = rpc_make_list(maker, view->policy_count, &iptrust__v1__policy_status__descriptor);
    if (lists == NULL || policies == NULL)
        return;
    for (size_t i = 0; i < view->list_count; i++) {
        Iptrust__V1__ListStatus *list = lists[i];
        list->name = rpc_borrow(view->lists[i].spec->name);
        list->state = rpc_borrow(list_state(view, i));
        list->revision = rpc_borrow(view->lists[i].revision);
        list->fetched_at = rpc_borrow(view->lists[i].fetched_at);
        list->bundled = view->lists[i].spec->bundled;
    }
    for (size_t i = 0; i < view->policy_count; i++) {
        Iptrust__V1__PolicyStatus *policy = policies[i];
        policy->name = rpc_borrow(view->policies[i].spec->name);
        policy->mode = rpc_borrow(ipt_mode_name(view->policies[i].spec->mode));
    }
    to->n_lists = view->list_count;
    to->lists = (Iptrust__V1__ListStatus **)lists;
    to->n_policies = view->policy_count;
    to->policies = (Iptrust__V1__PolicyStatus **)policies;
}

bool rpc_status_handle(ipt_rpc_call *call)
{
    const ipt_view *view = call->generation->view;
    rpc_maker maker = {call->seat->answer, false};
    Iptrust__V1__GetStatusResponse *response = rpc_make(&maker, &iptrust__v1__get_status_response__descriptor);
    Iptrust__V1__Revision *revision = rpc_make(&maker, &iptrust__v1__revision__descriptor);
    if (response == NULL || revision == NULL)
        return rpc_no_memory(call);
    revision->policies = rpc_borrow(view->policies_revision);
    revision->lists = rpc_borrow(view->lists_revision);
    if (ipt_geo_revision(view->geo) != NULL)
        revision->geo = rpc_borrow(ipt_geo_revision(view->geo));
    response->version = rpc_borrow(IPTRUST_VERSION);
    response->revision = revision;
    response->ready = ipt_engine_is_ready(call->seat->rpc->engine);
    if (rpc_caller(call) == IPT_CALLER_TRUSTED)
        put_inside(&maker, response, view);
    call->answer = response;
    return maker.failed ? rpc_no_memory(call) : true;
}
