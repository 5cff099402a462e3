/* iptrust.v1.Request as a question to the decision: the rules of JSON (json_read.c), for a message. */
#include <iptrust/v1/iptrust.pb-c.h>

#include <stdio.h>

#include "rpc_priv.h"

typedef struct reader {
    const char *prefix; /* of pointers */
    ipt_arena *arena;
    ipt_problem *problem;
} reader;

/* False, with a problem at `what`; index SIZE_MAX: no array. */
IPT_PRINTF(6, 7)
static bool fail(const reader *r, ipt_problem_code code, const char *what, size_t index, const char *part,
                 const char *format, ...)
{
    char pointer[sizeof(r->problem->pointer)], detail[sizeof(r->problem->detail)];
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    if (index == SIZE_MAX)
        snprintf(pointer, sizeof(pointer), "%s/%s", r->prefix, what);
    else
        snprintf(pointer, sizeof(pointer), "%s/%s/%zu/%s", r->prefix, what, index, part);
    ipt_problem_set(r->problem, code, pointer, "%s", detail);
    return false;
}

static bool read_field(const reader *r, const char *what, size_t index, const char *name, ProtobufCBinaryData bytes,
                       ipt_header *out)
{
    ipt_span value = {(const char *)bytes.data, bytes.len};
    out->name = ipt_span_from(name);
    if (out->name.n == 0)
        return fail(r, IPT_PROBLEM_BAD_HEADER, what, index, "name", "a name must not be empty");
    if (!ipt_header_is_carried(out->name))
        return fail(r, IPT_PROBLEM_BAD_HEADER, what, index, "name", "a name must not contain NUL, CR or LF");
    if (!ipt_header_is_carried(value))
        return fail(r, IPT_PROBLEM_BAD_HEADER, what, index, "value", "a value must not contain NUL, CR or LF");
    out->value = ipt_span_trim(value); /* RFC 9110, 5.5 */
    return true;
}

static ipt_header *room_for(const reader *r, const char *what, size_t count)
{
    ipt_header *fields = ipt_arena_alloc(r->arena, count * sizeof(*fields));
    if (fields == NULL)
        (void)fail(r, IPT_PROBLEM_INTERNAL, what, SIZE_MAX, "", "no memory to read the request");
    return fields;
}

static bool read_headers(const reader *r, const Iptrust__V1__Request *from, ipt_request *to)
{
    ipt_header *headers = room_for(r, "headers", from->n_headers);
    if (headers == NULL)
        return false;
    for (size_t i = 0; i < from->n_headers; i++) {
        if (!read_field(r, "headers", i, from->headers[i]->name, from->headers[i]->value, &headers[i]))
            return false;
    }
    to->headers = headers;
    to->header_count = from->n_headers;
    to->headers_merged = from->headers_merged;
    return true;
}

static bool read_attributes(const reader *r, const Iptrust__V1__Request *from, ipt_request *to)
{
    enum { ATTRIBUTES_MAX = 256 }; /* compared with each other below */
    if (from->n_attributes > ATTRIBUTES_MAX)
        return fail(r, IPT_PROBLEM_TOO_LARGE, "attributes", SIZE_MAX, "", "more than %d attributes", ATTRIBUTES_MAX);
    ipt_header *attributes = room_for(r, "attributes", from->n_attributes);
    if (attributes == NULL)
        return false;
    for (size_t i = 0; i < from->n_attributes; i++) {
        if (!read_field(r, "attributes", i, from->attributes[i]->name, from->attributes[i]->value, &attributes[i]))
            return false;
        for (size_t k = 0; k < i; k++) {
            if (ipt_span_equal(attributes[k].name, attributes[i].name))
                return fail(r, IPT_PROBLEM_DUPLICATE_KEY, "attributes", i, "name",
                            "an attribute of this name is there");
        }
    }
    to->attributes = attributes;
    to->attribute_count = from->n_attributes;
    return true;
}

static bool read_request_id(const reader *r, const Iptrust__V1__Request *from, ipt_call *to)
{
    if (from->request_id_choice_case != IPTRUST__V1__REQUEST__REQUEST_ID_CHOICE_REQUEST_ID)
        return true;
    ipt_span id = ipt_span_from(from->request_id);
    bool printable = id.n <= RPC_REQUEST_ID_MAX;
    for (size_t i = 0; i < id.n && printable; i++)
        printable = id.p[i] >= 0x20 && id.p[i] <= 0x7e;
    if (!printable)
        return fail(r, IPT_PROBLEM_BAD_REQUEST, "request_id", SIZE_MAX, "",
                    "must be at most %d printable ASCII characters", RPC_REQUEST_ID_MAX);
    to->request_id = id;
    return true;
}

static void read_options(const Iptrust__V1__Options *from, ipt_call *to)
{
    to->want_geo = to->want_chain = true;
    if (from != NULL && from->geo_choice_case == IPTRUST__V1__OPTIONS__GEO_CHOICE_GEO)
        to->want_geo = from->geo;
    if (from != NULL && from->chain_choice_case == IPTRUST__V1__OPTIONS__CHAIN_CHOICE_CHAIN)
        to->want_chain = from->chain;
    to->request.geo_unwanted = !to->want_geo;
}

static ipt_span bytes_span(ProtobufCBinaryData bytes)
{
    return (ipt_span){(const char *)bytes.data, bytes.len};
}

bool rpc_read_question(const Iptrust__V1__Request *request, const char *prefix, ipt_arena *arena, ipt_call *out,
                       ipt_problem *problem)
{
    const reader r = {prefix, arena, problem};
    ipt_call call = {.request_id = {NULL, 0}};
    if (request == NULL || request->peer_choice_case != IPTRUST__V1__REQUEST__PEER_CHOICE_PEER)
        return fail(&r, IPT_PROBLEM_MISSING_PEER, "peer", SIZE_MAX, "", "the peer must be an address or \"unix\"");
    call.request.peer = ipt_span_from(request->peer);
    call.request.principal = ipt_span_from(request->principal);
    if (request->proxy_protocol_choice_case == IPTRUST__V1__REQUEST__PROXY_PROTOCOL_CHOICE_PROXY_PROTOCOL) {
        call.request.has_proxy_protocol = true;
        call.request.proxy_protocol = bytes_span(request->proxy_protocol);
    }
    if (request->policy_choice_case == IPTRUST__V1__REQUEST__POLICY_CHOICE_POLICY)
        call.policy = ipt_span_from(request->policy);
    read_options(request->options, &call);
    if (!read_headers(&r, request, &call.request) || !read_attributes(&r, request, &call.request) ||
        !read_request_id(&r, request, &call))
        return false;
    *out = call;
    return true;
}
