/* CheckResponse: headers for the upstream, headers to take away, dynamic metadata; or a denial for the client. Written
 * straight as bytes, fields in the order of their numbers: it is the same few shapes for every request. What of it
 * Envoy honours is in reference/ext-authz-wire.md: plain key and value, never empty, never raw_value. */
#include "iptrust/callout/callout.h"
#include "rpc_priv.h"

enum { /* field numbers of envoy/service/auth/v3, envoy/config/core/v3, google/rpc and google/protobuf in proto/ */
       RESPONSE_STATUS = 1,
       RESPONSE_DENIED = 2,
       RESPONSE_OK = 3,
       RESPONSE_METADATA = 4,
       STATUS_CODE = 1,
       OK_HEADERS = 2,
       OK_REMOVED = 5,
       DENIED_STATUS = 1,
       DENIED_HEADERS = 2,
       DENIED_BODY = 3,
       HTTP_STATUS_CODE = 1,
       OPTION_HEADER = 1,
       HEADER_KEY = 1,
       HEADER_VALUE = 2,
       STRUCT_FIELDS = 1,
       ENTRY_KEY = 1,
       ENTRY_VALUE = 2,
       VALUE_NUMBER = 2,
       VALUE_STRING = 3,
};

enum { GRPC_PERMISSION_DENIED = 7, HTTP_FORBIDDEN = 403 };

typedef struct answer {
    bool denied;
    uint32_t asn; /* valid when there is a fact of it */
    ipt_callout callout;
} answer;

bool rpc_check_answer(ipt_rpc_call *call, const rpc_check *check, bool denied)
{
    const ipt_decision *decision = &call->seat->decision;
    const ipt_request *request = &check->request;
    answer *a = ipt_arena_alloc(call->seat->answer, sizeof(*a));
    if (a == NULL ||
        ipt_callout_build(decision, request->headers, request->header_count, call->seat->answer, &a->callout) != IPT_OK)
        return rpc_no_memory(call);
    const bool has_asn = decision->has_geo && ipt_geo_has(&decision->geo, IPT_GEO_ASN);
    a->denied = denied;
    a->asn = has_asn ? decision->geo.values[IPT_GEO_ASN].uint : 0;
    call->answer = a;
    return true;
}

static void add_header(ipt_buf *out, uint32_t field, const char *name, const char *value)
{
    size_t option = rpc_open(out, field), header = rpc_open(out, OPTION_HEADER);
    rpc_add_text(out, HEADER_KEY, name);
    rpc_add_text(out, HEADER_VALUE, value);
    rpc_close(out, header);
    rpc_close(out, option);
}

static void add_ok(ipt_buf *out, const ipt_callout *c)
{
    size_t ok = rpc_open(out, RESPONSE_OK);
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++)
        if (c->facts[i].text != NULL)
            add_header(out, OK_HEADERS, c->facts[i].header, c->facts[i].text);
    for (size_t i = 0; i < c->rewrite_count; i++)
        add_header(out, OK_HEADERS, c->rewrites[i].name, c->rewrites[i].value);
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++)
        if (c->facts[i].text == NULL) /* the filter may hide from us that the client sent it */
            rpc_add_text(out, OK_REMOVED, c->facts[i].header);
    for (size_t i = 0; i < c->removed_count; i++)
        rpc_add_text(out, OK_REMOVED, c->removed[i]);
    rpc_close(out, ok);
}

static void add_denied(ipt_buf *out)
{
    size_t denied = rpc_open(out, RESPONSE_DENIED), status = rpc_open(out, DENIED_STATUS);
    rpc_add_number(out, HTTP_STATUS_CODE, HTTP_FORBIDDEN);
    rpc_close(out, status);
    add_header(out, DENIED_HEADERS, "content-type", "application/problem+json");
    add_header(out, DENIED_HEADERS, "cache-control", "no-store");
    rpc_add_text(out, DENIED_BODY, ipt_callout_denial());
    rpc_close(out, denied);
}

static void add_status(ipt_buf *out, bool denied)
{
    size_t status = rpc_open(out, RESPONSE_STATUS);
    if (denied)
        rpc_add_number(out, STATUS_CODE, GRPC_PERMISSION_DENIED);
    rpc_close(out, status);
}

/* Text as it is, but for the number of the autonomous system. */
static void add_metadata(ipt_buf *out, const answer *a)
{
    size_t metadata = rpc_open(out, RESPONSE_METADATA);
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        const ipt_callout_fact *fact = &a->callout.facts[i];
        if (fact->text == NULL)
            continue;
        size_t entry = rpc_open(out, STRUCT_FIELDS);
        rpc_add_text(out, ENTRY_KEY, fact->key);
        size_t value = rpc_open(out, ENTRY_VALUE);
        if (strcmp(fact->key, "asn") == 0)
            rpc_add_double(out, VALUE_NUMBER, a->asn);
        else
            rpc_add_text(out, VALUE_STRING, fact->text);
        rpc_close(out, value);
        rpc_close(out, entry);
    }
    rpc_close(out, metadata);
}

/* Never no bytes at all, which would mean OK to Envoy (reference/ext-authz-wire.md, fact 13): a status is always there.
 */
bool rpc_check_encode(ipt_rpc_call *call, ipt_buf *out)
{
    const answer *a = call->answer;
    add_status(out, a->denied);
    if (a->denied)
        add_denied(out);
    else
        add_ok(out, &a->callout);
    add_metadata(out, a);
    return !out->failed || rpc_no_memory(call);
}
