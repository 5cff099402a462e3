/* CheckResponse: headers for the upstream, headers to take away, dynamic metadata; or a denial for the client. What of
 * it Envoy honours is in reference/ext-authz-wire.md: plain key and value, never empty, never raw_value. */
#include <envoy/service/auth/v3/external_auth.pb-c.h>

#include <stdio.h>

#include "rpc_priv.h"

enum { CHAIN_MAX = 1024, GRPC_PERMISSION_DENIED = 7 };

/* What is told of a decision, each as a header and as metadata. */
enum { FACTS = 8 };
typedef struct fact {
    const char *header, *key;
    char *text; /* NULL: absent, and the header is taken away */
} fact;

typedef struct answer {
    ipt_rpc_call *call;
    const ipt_decision *decision;
    const ipt_request *request;
    rpc_maker maker;
    fact facts[FACTS];
    Envoy__Config__Core__V3__HeaderValueOption **set;
    size_t set_count;
    char **removed;
    size_t removed_count;
} answer;

static bool has_answer(const ipt_decision *d)
{
    return d->has_client && d->complete;
}

static bool is_in_chain(const ipt_hop *hop)
{
    return hop->verdict == IPT_VERDICT_TRUSTED || hop->verdict == IPT_VERDICT_OWN ||
           hop->verdict == IPT_VERDICT_COUNTED || hop->verdict == IPT_VERDICT_CLIENT;
}

/* The vouched hops and the client, from the peer outwards: "10.0.12.1;lb, 8.8.8.8". */
static char *chain_text(rpc_maker *maker, const ipt_decision *d)
{
    char text[CHAIN_MAX + sizeof(";truncated")];
    size_t n = 0;
    for (size_t i = 0; i < d->chain_count; i++) {
        const ipt_hop *hop = &d->chain[i];
        char address[IPT_ADDR_TEXT] = "unix", item[IPT_ADDR_TEXT + IPT_NAME_LENGTH_MAX + 4];
        if (!is_in_chain(hop))
            continue;
        if (hop->has_addr)
            (void)ipt_addr_format(hop->addr, address);
        bool listed = hop->list != IPT_LIST_NONE;
        int length = snprintf(item, sizeof(item), "%s%s%s%s", n == 0 ? "" : ", ", address, listed ? ";" : "",
                              listed ? d->view->lists[hop->list].spec->name : "");
        if (length < 0 || n + (size_t)length > CHAIN_MAX) {
            memcpy(text + n, ";truncated", 10);
            n += 10;
            break;
        }
        memcpy(text + n, item, (size_t)length);
        n += (size_t)length;
    }
    return n == 0 ? NULL : rpc_copy(maker, (ipt_span){text, n});
}

static char *source_text(rpc_maker *maker, const ipt_decision *d)
{
    if (!d->has_client)
        return NULL;
    switch (d->source) {
    case IPT_ORIGIN_PEER:
        return rpc_borrow("peer");
    case IPT_ORIGIN_PROXY_PROTOCOL:
        return rpc_borrow("proxy_protocol");
    case IPT_ORIGIN_HEADER:
        break;
    }
    return rpc_text(maker, ipt_names_text(d->view->names, d->source_header), SIZE_MAX);
}

static char *revision_text(rpc_maker *maker, const ipt_view *view)
{
    char text[sizeof(view->policies_revision) + sizeof(view->lists_revision)];
    int n = snprintf(text, sizeof(text), "%s-%s", view->policies_revision, view->lists_revision);
    return rpc_copy(maker, (ipt_span){text, n < 0 ? 0 : (size_t)n});
}

static void collect_facts(answer *a)
{
    const ipt_decision *d = a->decision;
    const fact facts[FACTS] = {
        {"x-iptrust-client-ip", "client_ip", d->has_client ? rpc_address(&a->maker, d->client) : NULL},
        {"x-iptrust-confidence", "confidence", rpc_borrow(ipt_level_name(d->level))},
        {"x-iptrust-source", "source", source_text(&a->maker, d)},
        {"x-iptrust-chain", "chain", chain_text(&a->maker, d)},
        {"x-iptrust-policy", "policy", rpc_borrow(d->policy->spec->name)},
        {"x-iptrust-revision", "revision", revision_text(&a->maker, d->view)},
        {"x-iptrust-country", "country", NULL}, /* no database is loaded yet */
        {"x-iptrust-asn", "asn", NULL},
    };
    memcpy(a->facts, facts, sizeof(facts));
}

/* Room for what the answer can hold. */
static bool prepare(answer *a)
{
    size_t rewrites = a->decision->policy->spec->rewrite_count;
    a->set = rpc_make_array(&a->maker, FACTS + rewrites, sizeof(*a->set));
    a->removed = rpc_make_array(&a->maker, FACTS + rewrites + a->request->header_count + 2, sizeof(*a->removed));
    return !a->maker.failed;
}

static void set_header(answer *a, const char *name, char *value)
{
    Envoy__Config__Core__V3__HeaderValueOption *option =
        rpc_make(&a->maker, &envoy__config__core__v3__header_value_option__descriptor);
    Envoy__Config__Core__V3__HeaderValue *header =
        rpc_make(&a->maker, &envoy__config__core__v3__header_value__descriptor);
    if (option == NULL || header == NULL)
        return;
    header->key = rpc_borrow(name);
    header->value = value;
    option->header = header;
    a->set[a->set_count++] = option;
}

static bool is_set(const answer *a, ipt_span name)
{
    for (size_t i = 0; i < a->set_count; i++) {
        if (ipt_span_equal_nocase(name, ipt_span_from(a->set[i]->header->key)))
            return true;
    }
    return false;
}

static void remove_header(answer *a, char *name)
{
    a->removed[a->removed_count++] = name;
}

static void put_facts(answer *a)
{
    for (size_t i = 0; i < FACTS; i++) {
        if (a->facts[i].text != NULL)
            set_header(a, a->facts[i].header, a->facts[i].text);
        else /* the filter may hide from us that the client sent it */
            remove_header(a, rpc_borrow(a->facts[i].header));
    }
}

/* `rewrite`: these headers say what we found or nothing, and no other header says anything else. */
static void put_rewrites(answer *a)
{
    const ipt_policy_spec *spec = a->decision->policy->spec;
    for (size_t i = 0; i < spec->rewrite_count; i++) {
        if (has_answer(a->decision))
            set_header(a, spec->rewrite[i], a->facts[0].text);
        else
            remove_header(a, rpc_borrow(spec->rewrite[i]));
    }
    if (spec->rewrite_count == 0)
        return;
    static const char *const others[] = {"forwarded", "true-client-ip"};
    for (size_t i = 0; i < IPT_COUNT(others); i++) {
        if (!is_set(a, ipt_span_from(others[i])))
            remove_header(a, rpc_borrow(others[i]));
    }
}

static bool is_fact(const answer *a, ipt_span name)
{
    for (size_t i = 0; i < FACTS; i++) {
        if (ipt_span_equal_nocase(name, ipt_span_from(a->facts[i].header)))
            return true;
    }
    return false;
}

/* Whatever the client wrote in our name, and under `rewrite` what an upstream could take for an address header. A name
 * that HTTP cannot carry is left out: it cannot arrive, and one that is not UTF-8 would void the whole answer. */
static void put_removals(answer *a)
{
    bool rewrites = a->decision->policy->spec->rewrite_count != 0;
    for (size_t i = 0; i < a->request->header_count; i++) {
        ipt_span name = a->request->headers[i].name;
        bool ours = rpc_is_ours(name) && !is_fact(a, name);
        bool alias = !ours && rewrites && ipt_names_is_alias(a->decision->view->names, name);
        if ((!ours && !alias) || !ipt_span_is_token(name) || is_set(a, name))
            continue;
        char *copy = rpc_copy(&a->maker, name);
        if (copy != NULL)
            remove_header(a, copy);
    }
}

static Google__Protobuf__Struct *metadata(answer *a)
{
    Google__Protobuf__Struct *to = rpc_make(&a->maker, &google__protobuf__struct__descriptor);
    void **entries = rpc_make_list(&a->maker, FACTS, &google__protobuf__struct__fields_entry__descriptor);
    void **values = rpc_make_list(&a->maker, FACTS, &google__protobuf__value__descriptor);
    if (to == NULL || entries == NULL || values == NULL)
        return NULL;
    for (size_t i = 0; i < FACTS; i++) {
        if (a->facts[i].text == NULL)
            continue;
        Google__Protobuf__Struct__FieldsEntry *entry = entries[to->n_fields];
        Google__Protobuf__Value *value = values[to->n_fields++];
        value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
        value->string_value = a->facts[i].text;
        entry->key = rpc_borrow(a->facts[i].key);
        entry->value = value;
    }
    to->fields = (Google__Protobuf__Struct__FieldsEntry **)entries;
    return to;
}

static void allow(answer *a, Envoy__Service__Auth__V3__CheckResponse *to)
{
    Envoy__Service__Auth__V3__OkHttpResponse *ok =
        rpc_make(&a->maker, &envoy__service__auth__v3__ok_http_response__descriptor);
    if (ok == NULL)
        return;
    put_facts(a);
    put_rewrites(a);
    put_removals(a);
    ok->n_headers = a->set_count;
    ok->headers = a->set;
    ok->n_headers_to_remove = a->removed_count;
    ok->headers_to_remove = a->removed;
    to->http_response_case = ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE;
    to->ok_response = ok;
}

/* The client reads this: it learns that it was denied, and nothing of the rules or of who we think it is. */
static void deny(answer *a, Envoy__Service__Auth__V3__CheckResponse *to)
{
    Envoy__Service__Auth__V3__DeniedHttpResponse *denied =
        rpc_make(&a->maker, &envoy__service__auth__v3__denied_http_response__descriptor);
    Envoy__Type__V3__HttpStatus *status = rpc_make(&a->maker, &envoy__type__v3__http_status__descriptor);
    if (denied == NULL || status == NULL)
        return;
    set_header(a, "content-type", rpc_borrow("application/problem+json"));
    set_header(a, "cache-control", rpc_borrow("no-store"));
    status->code = ENVOY__TYPE__V3__STATUS_CODE__Forbidden;
    denied->status = status;
    denied->n_headers = a->set_count;
    denied->headers = a->set;
    denied->body = rpc_borrow("{\"type\":\"urn:iptrust:problem:denied\",\"title\":\"The policy denies this request\","
                              "\"status\":403,\"code\":\"denied\"}");
    to->status->code = GRPC_PERMISSION_DENIED;
    to->http_response_case = ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_DENIED_RESPONSE;
    to->denied_response = denied;
}

bool rpc_check_answer(ipt_rpc_call *call, const rpc_check *check, bool denied)
{
    answer a = {.call = call,
                .decision = &call->seat->decision,
                .request = &check->request,
                .maker = {call->seat->answer, false}};
    Envoy__Service__Auth__V3__CheckResponse *to =
        rpc_make(&a.maker, &envoy__service__auth__v3__check_response__descriptor);
    Google__Rpc__Status *status = rpc_make(&a.maker, &google__rpc__status__descriptor);
    if (to == NULL || status == NULL || !prepare(&a))
        return rpc_no_memory(call);
    to->status = status;
    collect_facts(&a);
    if (denied)
        deny(&a, to);
    else
        allow(&a, to);
    to->dynamic_metadata = metadata(&a);
    if (a.maker.failed)
        return rpc_no_memory(call);
    call->answer = to;
    return true;
}
