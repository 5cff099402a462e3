/* Server reflection over the descriptors embedded at build time: what is served here can be listed, described and
 * called by tools that have no proto file. v1 and v1alpha are the same bytes. Looked up by walking the set: tools ask
 * rarely. */
#include <grpc/reflection/v1/reflection.pb-c.h>

#include "rpc_priv.h"

extern const unsigned char ipt_descriptors[]; /* google.protobuf.FileDescriptorSet, every import included */
extern const size_t ipt_descriptors_size;

/* Field numbers of descriptor.proto. */
enum { SET_FILE = 1, NAME = 1, FILE_PACKAGE = 2, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { MESSAGE_FIELD = 2, MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, MESSAGE_ONEOF = 8, SERVICE_METHOD = 2 };
enum { SERVICES_MAX = 16 };

typedef enum scope { SCOPE_LEAF = 0, SCOPE_FILE, SCOPE_MESSAGE, SCOPE_SERVICE } scope;

static ipt_span descriptor_set(void)
{
    return (ipt_span){(const char *)ipt_descriptors, ipt_descriptors_size};
}

static bool next_of(ipt_span *rest, uint32_t number, ipt_span *out)
{
    rpc_field field;
    while (rpc_wire_next(rest, &field) == RPC_STEP_FIELD) {
        if (field.number == number && field.type == RPC_WIRE_BYTES) {
            *out = field.bytes;
            return true;
        }
    }
    return false;
}

static ipt_span only(ipt_span message, uint32_t number)
{
    ipt_span value = {NULL, 0};
    (void)next_of(&message, number, &value);
    return value;
}

/* Whether a field of a descriptor declares names, and what these may hold. */
static bool declares(scope in, uint32_t number, scope *out)
{
    static const struct {
        scope in;
        uint32_t number;
        scope out;
    } rows[] = {
        {SCOPE_FILE, FILE_MESSAGE, SCOPE_MESSAGE},      {SCOPE_FILE, FILE_ENUM, SCOPE_LEAF},
        {SCOPE_FILE, FILE_SERVICE, SCOPE_SERVICE},      {SCOPE_MESSAGE, MESSAGE_FIELD, SCOPE_LEAF},
        {SCOPE_MESSAGE, MESSAGE_NESTED, SCOPE_MESSAGE}, {SCOPE_MESSAGE, MESSAGE_ENUM, SCOPE_LEAF},
        {SCOPE_MESSAGE, MESSAGE_ONEOF, SCOPE_LEAF},     {SCOPE_SERVICE, SERVICE_METHOD, SCOPE_LEAF},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (rows[i].in == in && rows[i].number == number) {
            *out = rows[i].out;
            return true;
        }
    }
    return false;
}

/* "a.b.c" behind "a.b" is "c"; false when it is not behind it. */
static bool behind(ipt_span symbol, ipt_span prefix, ipt_span *out)
{
    if (symbol.n <= prefix.n || memcmp(symbol.p, prefix.p, prefix.n) != 0 || symbol.p[prefix.n] != '.')
        return false;
    *out = (ipt_span){symbol.p + prefix.n + 1, symbol.n - prefix.n - 1};
    return true;
}

/* As deep as our own descriptors are. */
static bool is_declared(ipt_span descriptor, scope in, ipt_span symbol)
{
    rpc_field field;
    while (rpc_wire_next(&descriptor, &field) == RPC_STEP_FIELD) {
        scope inner;
        ipt_span rest;
        if (field.type != RPC_WIRE_BYTES || !declares(in, field.number, &inner))
            continue;
        ipt_span name = only(field.bytes, NAME);
        if (ipt_span_equal(name, symbol))
            return true;
        if (inner != SCOPE_LEAF && behind(symbol, name, &rest) && is_declared(field.bytes, inner, rest))
            return true;
    }
    return false;
}

static bool find_symbol(ipt_span symbol, ipt_span *out)
{
    ipt_span rest = descriptor_set(), file, inside;
    while (next_of(&rest, SET_FILE, &file)) {
        if (behind(symbol, only(file, FILE_PACKAGE), &inside) && is_declared(file, SCOPE_FILE, inside)) {
            *out = file;
            return true;
        }
    }
    return false;
}

static bool find_file(ipt_span name, ipt_span *out)
{
    ipt_span rest = descriptor_set(), file;
    while (next_of(&rest, SET_FILE, &file)) {
        if (ipt_span_equal(only(file, NAME), name)) {
            *out = file;
            return true;
        }
    }
    return false;
}

static void put_error(rpc_maker *maker, Grpc__Reflection__V1__ServerReflectionResponse *to, ipt_grpc_code code,
                      const char *text)
{
    Grpc__Reflection__V1__ErrorResponse *error = rpc_make(maker, &grpc__reflection__v1__error_response__descriptor);
    if (error == NULL)
        return;
    error->error_code = (int32_t)code;
    error->error_message = rpc_borrow(text);
    to->message_response_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    to->error_response = error;
}

static void put_file(rpc_maker *maker, Grpc__Reflection__V1__ServerReflectionResponse *to, bool found, ipt_span file)
{
    if (!found) {
        put_error(maker, to, IPT_GRPC_NOT_FOUND, "not served here");
        return;
    }
    Grpc__Reflection__V1__FileDescriptorResponse *files =
        rpc_make(maker, &grpc__reflection__v1__file_descriptor_response__descriptor);
    ProtobufCBinaryData *bytes = rpc_make_array(maker, 1, sizeof(*bytes));
    if (files == NULL || bytes == NULL)
        return;
    *bytes = (ProtobufCBinaryData){file.n, (uint8_t *)rpc_borrow(file.p)};
    files->n_file_descriptor_proto = 1;
    files->file_descriptor_proto = bytes;
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    to->file_descriptor_response = files;
}

static void put_services(rpc_maker *maker, Grpc__Reflection__V1__ServerReflectionResponse *to)
{
    Grpc__Reflection__V1__ListServiceResponse *list =
        rpc_make(maker, &grpc__reflection__v1__list_service_response__descriptor);
    void **names = rpc_make_list(maker, SERVICES_MAX, &grpc__reflection__v1__service_response__descriptor);
    ipt_span set = descriptor_set(), file, service;
    if (list == NULL || names == NULL)
        return;
    while (next_of(&set, SET_FILE, &file)) {
        ipt_span package = only(file, FILE_PACKAGE), rest = file;
        while (next_of(&rest, FILE_SERVICE, &service) && list->n_service < SERVICES_MAX) {
            ipt_span name = only(service, NAME);
            char *full = rpc_make_array(maker, package.n + name.n + 2, 1);
            if (full == NULL)
                return;
            memcpy(full, package.p, package.n);
            full[package.n] = '.';
            memcpy(full + package.n + 1, name.p, name.n);
            ((Grpc__Reflection__V1__ServiceResponse *)names[list->n_service++])->name = full;
        }
    }
    list->service = (Grpc__Reflection__V1__ServiceResponse **)names;
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    to->list_services_response = list;
}

/* Nothing here is of proto2, so no message has extensions. */
static void put_extensions(rpc_maker *maker, Grpc__Reflection__V1__ServerReflectionResponse *to, char *type)
{
    ipt_span file;
    if (!find_symbol(ipt_span_from(type), &file)) {
        put_error(maker, to, IPT_GRPC_NOT_FOUND, "not served here");
        return;
    }
    Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
        rpc_make(maker, &grpc__reflection__v1__extension_number_response__descriptor);
    if (numbers == NULL)
        return;
    numbers->base_type_name = type;
    to->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    to->all_extension_numbers_response = numbers;
}

bool rpc_reflection_decode(ipt_rpc_call *call, ipt_span bytes)
{
    return rpc_unpack(call, bytes, &grpc__reflection__v1__server_reflection_request__descriptor);
}

bool rpc_reflection_handle(ipt_rpc_call *call)
{
    rpc_maker maker = {call->seat->answer, false};
    Grpc__Reflection__V1__ServerReflectionRequest *request = call->request;
    Grpc__Reflection__V1__ServerReflectionResponse *to =
        rpc_make(&maker, &grpc__reflection__v1__server_reflection_response__descriptor);
    if (to == NULL)
        return rpc_no_memory(call);
    ipt_span file = {NULL, 0};
    to->valid_host = request->host;
    to->original_request = request;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME: {
        bool found = find_file(ipt_span_from(request->file_by_filename), &file);
        put_file(&maker, to, found, file);
        break;
    }
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL: {
        bool found = find_symbol(ipt_span_from(request->file_containing_symbol), &file);
        put_file(&maker, to, found, file);
        break;
    }
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        put_file(&maker, to, false, file);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        put_extensions(&maker, to, request->all_extension_numbers_of_type);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        put_services(&maker, to);
        break;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    case _GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__CASE_IS_INT_SIZE:
        put_error(&maker, to, IPT_GRPC_INVALID_ARGUMENT, "the request asks for nothing known");
        break;
    }
    call->answer = to;
    return maker.failed ? rpc_no_memory(call) : true;
}
