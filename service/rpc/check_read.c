/* envoy.service.auth.v3.CheckRequest as a question, read straight from its bytes: what is not asked for (bodies,
 * certificates, metadata) is stepped over undecoded, and a value keeps every byte that the client wrote, NUL included.
 *
 * Nothing that the client wrote is an error here. Past HEADERS_ALL lines, those that no decision could read are left
 * out; past HEADERS_KEPT of the others, the last ones stay, because they were written nearest to us. */
#include "rpc_priv.h"

#include "iptrust/callout/callout.h"

enum { HEADERS_USUAL = 64, HEADERS_ALL = 1024, HEADERS_KEPT = 4096 };

enum { /* field numbers, reference/ext-authz-wire.md */
       CHECK_ATTRIBUTES = 1,
       ATTRIBUTES_SOURCE = 1,
       ATTRIBUTES_REQUEST = 4,
       ATTRIBUTES_EXTENSIONS = 10,
       PEER_ADDRESS = 1,
       PEER_PRINCIPAL = 4,
       ADDRESS_SOCKET = 1,
       ADDRESS_PIPE = 2,
       ADDRESS_INTERNAL = 3,
       SOCKET_ADDRESS = 2,
       SOCKET_PORT = 3,
       SOCKET_NAMED_PORT = 4,
       REQUEST_HTTP = 2,
       HTTP_HEADERS = 3,
       HTTP_HEADER_MAP = 13,
       MAP_HEADERS = 1,
       HEADER_KEY = 1,
       HEADER_VALUE = 2,
       HEADER_RAW = 3,
};

typedef enum pass { PASS_COUNT = 0, PASS_COUNT_READ, PASS_STORE } pass;

typedef struct reading {
    const ipt_names *names;
    pass pass;
    bool only_read;     /* lines that no decision reads are left out */
    bool use_map;       /* STORE: header_map is the form to store */
    size_t mapped;      /* lines in header_map */
    size_t merged;      /* lines in headers */
    size_t skip;        /* STORE: lines to pass over first */
    ipt_header *stored; /* COUNT: the first HEADERS_USUAL lines of either form, which mostly are all */
    size_t count;
    uint32_t address_kind; /* ADDRESS_*; 0: none */
    ipt_span address;
    uint64_t port;
    ipt_span principal, policy;
} reading;

static bool is_read(const reading *r, ipt_span name)
{
    return ipt_names_find(r->names, name) != IPT_NAME_NONE || ipt_names_is_alias(r->names, name) ||
           ipt_callout_is_ours(name);
}

static void take_header(reading *r, bool in_map, ipt_span key, ipt_span value)
{
    if (key.n == 0 || key.p[0] == ':' || (r->only_read && !is_read(r, key)))
        return; /* a pseudo-header of HTTP/2 is none */
    if (r->pass != PASS_STORE) {
        size_t before = r->mapped + r->merged;
        *(in_map ? &r->mapped : &r->merged) += 1;
        if (before < HEADERS_USUAL && r->pass == PASS_COUNT)
            r->stored[before] = (ipt_header){key, ipt_span_trim(value)};
        return;
    }
    if (in_map != r->use_map)
        return;
    if (r->skip != 0) {
        r->skip--;
        return;
    }
    r->stored[r->count++] = (ipt_header){key, ipt_span_trim(value)};
}

/* A message visited field by field; false: the bytes are no message. Fields of an unexpected type are unknown ones. */
typedef bool visit(reading *r, const rpc_field *field);

static bool walk(reading *r, ipt_span message, visit *each)
{
    rpc_field field;
    rpc_step step;
    while ((step = rpc_wire_next(&message, &field)) == RPC_STEP_FIELD) {
        if (!each(r, &field))
            return false;
    }
    return step == RPC_STEP_END;
}

static bool is_bytes(const rpc_field *field, uint32_t number)
{
    return field->number == number && field->type == RPC_WIRE_BYTES;
}

/* HeaderValue, and the entry of a map<string, string>, which has the same first two fields. raw: NULL in a map. */
static bool read_pair(ipt_span message, ipt_span *key, ipt_span *value, ipt_span *raw)
{
    rpc_field field;
    rpc_step step;
    *key = *value = (ipt_span){NULL, 0};
    while ((step = rpc_wire_next(&message, &field)) == RPC_STEP_FIELD) {
        if (is_bytes(&field, HEADER_KEY))
            *key = field.bytes;
        else if (is_bytes(&field, HEADER_VALUE))
            *value = field.bytes;
        else if (raw != NULL && is_bytes(&field, HEADER_RAW))
            *raw = field.bytes;
    }
    return step == RPC_STEP_END;
}

static bool visit_map(reading *r, const rpc_field *field)
{
    ipt_span key, value, raw = {NULL, 0};
    if (!is_bytes(field, MAP_HEADERS))
        return true;
    if (!read_pair(field->bytes, &key, &value, &raw))
        return false;
    take_header(r, true, key, raw.n != 0 ? raw : value);
    return true;
}

static bool visit_http(reading *r, const rpc_field *field)
{
    ipt_span key, value;
    if (is_bytes(field, HTTP_HEADER_MAP))
        return walk(r, field->bytes, visit_map);
    if (!is_bytes(field, HTTP_HEADERS))
        return true;
    if (!read_pair(field->bytes, &key, &value, NULL))
        return false;
    take_header(r, false, key, value);
    return true;
}

static bool visit_request(reading *r, const rpc_field *field)
{
    return !is_bytes(field, REQUEST_HTTP) || walk(r, field->bytes, visit_http);
}

static bool visit_socket(reading *r, const rpc_field *field)
{
    if (is_bytes(field, SOCKET_ADDRESS))
        r->address = field->bytes;
    else if (field->number == SOCKET_PORT && field->type == RPC_WIRE_VARINT)
        r->port = field->value & UINT32_MAX; /* a uint32 keeps the low bits (protobuf encoding) */
    else if (is_bytes(field, SOCKET_NAMED_PORT))
        r->port = 0;
    return true;
}

/* A oneof: the last one counts, and one of the same kind goes on where it was. */
static bool visit_address(reading *r, const rpc_field *field)
{
    if (field->type != RPC_WIRE_BYTES || field->number < ADDRESS_SOCKET || field->number > ADDRESS_INTERNAL)
        return true;
    if (r->address_kind != field->number) {
        r->address = (ipt_span){NULL, 0};
        r->port = 0;
    }
    r->address_kind = field->number;
    return field->number != ADDRESS_SOCKET || walk(r, field->bytes, visit_socket);
}

static bool visit_source(reading *r, const rpc_field *field)
{
    if (is_bytes(field, PEER_PRINCIPAL))
        r->principal = field->bytes;
    return !is_bytes(field, PEER_ADDRESS) || walk(r, field->bytes, visit_address);
}

static bool visit_attributes(reading *r, const rpc_field *field)
{
    ipt_span key, value;
    if (is_bytes(field, ATTRIBUTES_SOURCE))
        return walk(r, field->bytes, visit_source);
    if (is_bytes(field, ATTRIBUTES_REQUEST))
        return walk(r, field->bytes, visit_request);
    if (!is_bytes(field, ATTRIBUTES_EXTENSIONS))
        return true;
    if (!read_pair(field->bytes, &key, &value, NULL))
        return false;
    if (ipt_span_equal(key, IPT_SPAN("iptrust.policy")))
        r->policy = value;
    return true;
}

static bool visit_check(reading *r, const rpc_field *field)
{
    return !is_bytes(field, CHECK_ATTRIBUTES) || walk(r, field->bytes, visit_attributes);
}

enum { ADDRESS_MAX = 64, PEER_MAX = ADDRESS_MAX + sizeof("[]:65535") };

static bool has_char(ipt_span text, char c)
{
    return text.n != 0 && memchr(text.p, c, text.n) != NULL;
}

/* An address and its port by hand: one of the two is in every call, and printf was a fortieth of it. */
static ipt_span join_port(ipt_span address, unsigned port, char text[PEER_MAX])
{
    const bool v6 = has_char(address, ':');
    char digits[sizeof("65535") - 1], *to = text;
    size_t at = sizeof(digits);
    if (v6)
        *to++ = '[';
    if (address.n != 0)
        memcpy(to, address.p, address.n);
    to += address.n;
    if (v6)
        *to++ = ']';
    *to++ = ':';
    for (; port != 0; port /= 10)
        digits[--at] = (char)('0' + port % 10);
    memcpy(to, digits + at, sizeof(digits) - at);
    to += sizeof(digits) - at;
    return (ipt_span){text, (size_t)(to - text)};
}

/* The address as `peer` carries it. One that is too long to be an address goes as it is: the decision shows it. */
static ipt_span peer_of(const reading *r, char text[PEER_MAX])
{
    if (r->address_kind == ADDRESS_PIPE)
        return IPT_SPAN("unix");
    if (r->address_kind == ADDRESS_INTERNAL)
        return IPT_SPAN("envoy_internal_address"); /* no address: nobody is known */
    if (r->port == 0 || r->port > UINT16_MAX || r->address.n > ADDRESS_MAX)
        return r->address.p == NULL ? IPT_SPAN("") : r->address;
    if (has_char(r->address, '\0')) /* no address, and not to be cut off into one */
        return r->address;
    return join_port(r->address, (unsigned)r->port, text);
}

static bool store_headers(reading *r, ipt_span bytes, ipt_arena *arena)
{
    r->use_map = r->mapped != 0;
    size_t count = r->use_map ? r->mapped : r->merged;
    if (count <= HEADERS_USUAL && count == r->mapped + r->merged) {
        r->count = count;
        return true;
    }
    if (count > HEADERS_ALL) {
        r->only_read = true;
        r->pass = PASS_COUNT_READ;
        r->mapped = r->merged = 0;
        (void)walk(r, bytes, visit_check);
        count = r->use_map ? r->mapped : r->merged;
    }
    if (count > HEADERS_KEPT) {
        r->skip = count - HEADERS_KEPT;
        count = HEADERS_KEPT;
    }
    r->stored = ipt_arena_alloc(arena, count * sizeof(*r->stored));
    if (r->stored == NULL)
        return false;
    r->pass = PASS_STORE;
    (void)walk(r, bytes, visit_check);
    return true;
}

bool rpc_check_decode(ipt_rpc_call *call, ipt_span bytes)
{
    ipt_arena *arena = call->seat->request;
    reading r = {.names = call->generation->view->names,
                 .stored = ipt_arena_alloc(arena, HEADERS_USUAL * sizeof(ipt_header))};
    if (r.stored == NULL)
        return rpc_no_memory(call);
    if (!walk(&r, bytes, visit_check))
        return rpc_refuse(call, IPT_PROBLEM_BAD_REQUEST, "", "the bytes are no CheckRequest");
    rpc_check *check = ipt_arena_calloc(arena, 1, sizeof(*check));
    char *peer = ipt_arena_alloc(arena, PEER_MAX);
    if (check == NULL || peer == NULL || !store_headers(&r, bytes, arena))
        return rpc_no_memory(call);
    check->request.peer = peer_of(&r, peer);
    check->request.headers = r.stored;
    check->request.header_count = r.count;
    check->request.headers_merged = !r.use_map && r.merged != 0;
    check->request.principal = r.principal;
    if (r.policy.n != 0)
        check->policy = r.policy;
    call->request = check;
    return true;
}
