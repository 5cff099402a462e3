/* CheckResponse: headers for the upstream, headers to take away, dynamic metadata; or a denial for the client. What of
 * it Envoy honours is in reference/ext-authz-wire.md: plain key and value, never empty, never raw_value. */
#include <envoy/service/auth/v3/external_auth.pb-c.h>

#include "iptrust/callout/callout.h"
#include "rpc_priv.h"

enum { GRPC_PERMISSION_DENIED = 7, DENIAL_HEADERS = 2 };

typedef struct answer {
    rpc_maker maker;
    uint32_t asn; /* valid when there is a fact of it */
    ipt_callout callout;
    Envoy__Config__Core__V3__HeaderValueOption **set;
    size_t set_count;
    char **removed;
    size_t removed_count;
} answer;

/* Room for what the answer can hold. */
static bool prepare(answer *a)
{
    const ipt_callout *c = &a->callout;
    a->set = rpc_make_array(&a->maker, IPT_CALLOUT_FACTS + c->rewrite_count + DENIAL_HEADERS, sizeof(*a->set));
    a->removed = rpc_make_array(&a->maker, IPT_CALLOUT_FACTS + c->removed_count, sizeof(*a->removed));
    return !a->maker.failed;
}

static void set_header(answer *a, const char *name, const char *value)
{
    Envoy__Config__Core__V3__HeaderValueOption *option =
        rpc_make(&a->maker, &envoy__config__core__v3__header_value_option__descriptor);
    Envoy__Config__Core__V3__HeaderValue *header =
        rpc_make(&a->maker, &envoy__config__core__v3__header_value__descriptor);
    if (option == NULL || header == NULL)
        return;
    header->key = rpc_borrow(name);
    header->value = rpc_borrow(value);
    option->header = header;
    a->set[a->set_count++] = option;
}

static void remove_header(answer *a, const char *name)
{
    a->removed[a->removed_count++] = rpc_borrow(name);
}

static void put_headers(answer *a)
{
    const ipt_callout *c = &a->callout;
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        if (c->facts[i].text != NULL)
            set_header(a, c->facts[i].header, c->facts[i].text);
        else /* the filter may hide from us that the client sent it */
            remove_header(a, c->facts[i].header);
    }
    for (size_t i = 0; i < c->rewrite_count; i++)
        set_header(a, c->rewrites[i].name, c->rewrites[i].value);
    for (size_t i = 0; i < c->removed_count; i++)
        remove_header(a, c->removed[i]);
}

/* Text as it is, but for the number of the autonomous system. */
static void put_value(const answer *a, Google__Protobuf__Value *value, const ipt_callout_fact *fact)
{
    if (strcmp(fact->key, "asn") == 0) {
        value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        value->number_value = a->asn;
        return;
    }
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    value->string_value = rpc_borrow(fact->text);
}

static Google__Protobuf__Struct *metadata(answer *a)
{
    Google__Protobuf__Struct *to = rpc_make(&a->maker, &google__protobuf__struct__descriptor);
    void **entries = rpc_make_list(&a->maker, IPT_CALLOUT_FACTS, &google__protobuf__struct__fields_entry__descriptor);
    void **values = rpc_make_list(&a->maker, IPT_CALLOUT_FACTS, &google__protobuf__value__descriptor);
    if (to == NULL || entries == NULL || values == NULL)
        return NULL;
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        const ipt_callout_fact *fact = &a->callout.facts[i];
        if (fact->text == NULL)
            continue;
        Google__Protobuf__Struct__FieldsEntry *entry = entries[to->n_fields];
        Google__Protobuf__Value *value = values[to->n_fields++];
        put_value(a, value, fact);
        entry->key = rpc_borrow(fact->key);
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
    put_headers(a);
    ok->n_headers = a->set_count;
    ok->headers = a->set;
    ok->n_headers_to_remove = a->removed_count;
    ok->headers_to_remove = a->removed;
    to->http_response_case = ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_OK_RESPONSE;
    to->ok_response = ok;
}

static void deny(answer *a, Envoy__Service__Auth__V3__CheckResponse *to)
{
    Envoy__Service__Auth__V3__DeniedHttpResponse *denied =
        rpc_make(&a->maker, &envoy__service__auth__v3__denied_http_response__descriptor);
    Envoy__Type__V3__HttpStatus *status = rpc_make(&a->maker, &envoy__type__v3__http_status__descriptor);
    if (denied == NULL || status == NULL)
        return;
    set_header(a, "content-type", "application/problem+json");
    set_header(a, "cache-control", "no-store");
    status->code = ENVOY__TYPE__V3__STATUS_CODE__Forbidden;
    denied->status = status;
    denied->n_headers = a->set_count;
    denied->headers = a->set;
    denied->body = rpc_borrow(ipt_callout_denial());
    to->status->code = GRPC_PERMISSION_DENIED;
    to->http_response_case = ENVOY__SERVICE__AUTH__V3__CHECK_RESPONSE__HTTP_RESPONSE_DENIED_RESPONSE;
    to->denied_response = denied;
}

bool rpc_check_answer(ipt_rpc_call *call, const rpc_check *check, bool denied)
{
    const ipt_request *request = &check->request;
    const ipt_geo_facts *geo = &call->seat->decision.geo;
    bool has_asn = call->seat->decision.has_geo && ipt_geo_has(geo, IPT_GEO_ASN);
    answer a = {.maker = {call->seat->answer, false}, .asn = has_asn ? geo->values[IPT_GEO_ASN].uint : 0};
    Envoy__Service__Auth__V3__CheckResponse *to =
        rpc_make(&a.maker, &envoy__service__auth__v3__check_response__descriptor);
    Google__Rpc__Status *status = rpc_make(&a.maker, &google__rpc__status__descriptor);
    if (to == NULL || status == NULL ||
        ipt_callout_build(&call->seat->decision, request->headers, request->header_count, a.maker.arena, &a.callout) !=
            IPT_OK ||
        !prepare(&a))
        return rpc_no_memory(call);
    to->status = status;
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
