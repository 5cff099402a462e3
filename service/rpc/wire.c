/* The protobuf encoding as a cursor, and the judgement of a whole message before anything is allocated for it. Groups
 * are refused: nothing that we serve ever had them. */
#include "rpc_priv.h"

/* At most ten bytes, and the tenth carries one bit. */
static bool next_varint(ipt_span *rest, uint64_t *out)
{
    uint64_t value = 0;
    if (rest->n != 0 && (uint8_t)*rest->p < 0x80) { /* nearly all are this short */
        *out = (uint8_t)*rest->p++;
        rest->n--;
        return true;
    }
    for (size_t i = 0; i < rest->n && i < 10; i++) {
        uint8_t byte = (uint8_t)rest->p[i];
        if (i == 9 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            rest->p += i + 1;
            rest->n -= i + 1;
            *out = value;
            return true;
        }
    }
    return false;
}

static bool next_fixed(ipt_span *rest, size_t size, uint64_t *out)
{
    if (rest->n < size)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(uint8_t)rest->p[i] << (8 * i);
    rest->p += size;
    rest->n -= size;
    *out = value;
    return true;
}

static bool next_value(ipt_span *rest, rpc_field *field)
{
    uint64_t size;
    switch (field->type) {
    case RPC_WIRE_VARINT:
        return next_varint(rest, &field->value);
    case RPC_WIRE_64:
        return next_fixed(rest, 8, &field->value);
    case RPC_WIRE_32:
        return next_fixed(rest, 4, &field->value);
    case RPC_WIRE_BYTES:
        if (!next_varint(rest, &size) || size > rest->n)
            return false;
        field->bytes = (ipt_span){rest->p, (size_t)size};
        rest->p += size;
        rest->n -= (size_t)size;
        return true;
    default:
        return false;
    }
}

rpc_step rpc_wire_next(ipt_span *rest, rpc_field *out)
{
    if (rest->n == 0)
        return RPC_STEP_END;
    uint64_t key;
    rpc_field field = {.number = 0};
    if (!next_varint(rest, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return RPC_STEP_BAD;
    field.number = (uint32_t)(key >> 3);
    field.type = (unsigned)(key & 7);
    if (!next_value(rest, &field))
        return RPC_STEP_BAD;
    *out = field;
    return RPC_STEP_FIELD;
}

static unsigned wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return RPC_WIRE_BYTES;
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return RPC_WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return RPC_WIRE_64;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return RPC_WIRE_VARINT;
    }
    return RPC_WIRE_VARINT;
}

static rpc_scan scan(ipt_span bytes, const ProtobufCMessageDescriptor *descriptor, unsigned depth, size_t *left);

static rpc_scan scan_field(const rpc_field *field, const ProtobufCFieldDescriptor *known, unsigned depth, size_t *left)
{
    if (field->type != wire_type(known->type))
        return RPC_SCAN_MALFORMED;
    if (known->type == PROTOBUF_C_TYPE_MESSAGE)
        return scan(field->bytes, known->descriptor, depth + 1, left);
    if (known->type == PROTOBUF_C_TYPE_STRING && !ipt_span_is_printable(field->bytes)) {
        bool has_nul = field->bytes.n != 0 && memchr(field->bytes.p, '\0', field->bytes.n) != NULL;
        return has_nul || !ipt_span_is_utf8(field->bytes) ? RPC_SCAN_TEXT : RPC_SCAN_OK;
    }
    return RPC_SCAN_OK;
}

/* Recursion ends at RPC_DEPTH_MAX. */
static rpc_scan scan(ipt_span bytes, const ProtobufCMessageDescriptor *descriptor, unsigned depth, size_t *left)
{
    rpc_field field;
    rpc_step step;
    if (depth > RPC_DEPTH_MAX)
        return RPC_SCAN_TOO_DEEP;
    while ((step = rpc_wire_next(&bytes, &field)) == RPC_STEP_FIELD) {
        if ((*left)-- == 0)
            return RPC_SCAN_TOO_MANY;
        const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(descriptor, field.number);
        rpc_scan result = known == NULL ? RPC_SCAN_OK : scan_field(&field, known, depth, left);
        if (result != RPC_SCAN_OK)
            return result;
    }
    return step == RPC_STEP_END ? RPC_SCAN_OK : RPC_SCAN_MALFORMED;
}

rpc_scan rpc_wire_scan(ipt_span bytes, const ProtobufCMessageDescriptor *descriptor)
{
    size_t left = RPC_FIELDS_MAX;
    return scan(bytes, descriptor, 1, &left);
}
