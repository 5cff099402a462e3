/* Messages of protobuf-c as bytes, in one pass. The library's own way is a pass to learn the sizes and another to
 * write, which was a fifth of the instructions of a call; here a length is put in front when it is known. */
#include "rpc_priv.h"

enum { VARINT_MAX = 10, SHORT = 0x80 }; /* a length below SHORT takes one byte */

/* How a field's value is written. The answers have no others (rpc_packs, and a test that goes through them all). */
typedef enum kind {
    KIND_NONE = 0,
    KIND_STRING,
    KIND_BYTES,
    KIND_MESSAGE,
    KIND_DOUBLE,
    KIND_BOOL,
    KIND_INT,
    KIND_UINT
} kind;

static const uint8_t kinds[] = {
    [PROTOBUF_C_TYPE_STRING] = KIND_STRING,   [PROTOBUF_C_TYPE_BYTES] = KIND_BYTES,
    [PROTOBUF_C_TYPE_MESSAGE] = KIND_MESSAGE, [PROTOBUF_C_TYPE_DOUBLE] = KIND_DOUBLE,
    [PROTOBUF_C_TYPE_BOOL] = KIND_BOOL,       [PROTOBUF_C_TYPE_INT32] = KIND_INT,
    [PROTOBUF_C_TYPE_ENUM] = KIND_INT,        [PROTOBUF_C_TYPE_UINT32] = KIND_UINT,
};

static size_t put_varint(char *to, uint64_t value)
{
    size_t n = 0;
    for (; value >= SHORT; value >>= 7)
        to[n++] = (char)(uint8_t)(value | SHORT);
    to[n++] = (char)(uint8_t)value;
    return n;
}

static void add_number(ipt_buf *out, uint32_t key, uint64_t value)
{
    if (!ipt_buf_reserve(out, VARINT_MAX + VARINT_MAX))
        return;
    out->n += put_varint(out->p + out->n, key);
    out->n += put_varint(out->p + out->n, value);
}

static void add_bytes(ipt_buf *out, uint32_t key, const void *bytes, size_t n)
{
    if (!ipt_buf_reserve(out, VARINT_MAX + VARINT_MAX + n))
        return;
    out->n += put_varint(out->p + out->n, key);
    out->n += put_varint(out->p + out->n, n);
    if (n != 0)
        memcpy(out->p + out->n, bytes, n);
    out->n += n;
}

size_t rpc_open(ipt_buf *out, uint32_t field)
{
    if (!ipt_buf_reserve(out, VARINT_MAX + VARINT_MAX))
        return 0;
    out->n += put_varint(out->p + out->n, field << 3 | RPC_WIRE_BYTES);
    return out->n++; /* one byte for the length: most are short */
}

void rpc_close(ipt_buf *out, size_t at)
{
    char length[VARINT_MAX];
    if (out->failed)
        return;
    size_t n = out->n - at - 1, bytes = put_varint(length, n);
    if (bytes > 1) {
        if (!ipt_buf_reserve(out, bytes))
            return;
        memmove(out->p + at + bytes, out->p + at + 1, n);
        out->n += bytes - 1;
    }
    memcpy(out->p + at, length, bytes);
}

static void add_double(ipt_buf *out, uint32_t key, const void *member)
{
    uint64_t bits;
    memcpy(&bits, member, sizeof(bits));
    if (!ipt_buf_reserve(out, VARINT_MAX + sizeof(bits)))
        return;
    out->n += put_varint(out->p + out->n, key);
    for (unsigned i = 0; i < sizeof(bits); i++) /* little endian, whatever the machine is */
        out->p[out->n++] = (char)(uint8_t)(bits >> (8 * i));
}

static void add_text(ipt_buf *out, uint32_t key, const char *text)
{
    add_bytes(out, key, text, text == NULL ? 0 : strlen(text));
}

void rpc_add_number(ipt_buf *out, uint32_t field, uint64_t value)
{
    add_number(out, field << 3 | RPC_WIRE_VARINT, value);
}

void rpc_add_double(ipt_buf *out, uint32_t field, double value)
{
    add_double(out, field << 3 | RPC_WIRE_64, &value);
}

void rpc_add_text(ipt_buf *out, uint32_t field, const char *text)
{
    add_bytes(out, field << 3 | RPC_WIRE_BYTES, text, strlen(text));
}

static void add_value(ipt_buf *out, const ProtobufCFieldDescriptor *field, const void *member)
{
    const uint32_t key = field->id << 3;
    const ProtobufCBinaryData *bytes = member;
    const ProtobufCMessage *message;
    size_t at;
    switch ((kind)kinds[field->type]) {
    case KIND_STRING:
        add_text(out, key | RPC_WIRE_BYTES, *(const char *const *)member);
        return;
    case KIND_BYTES:
        add_bytes(out, key | RPC_WIRE_BYTES, bytes->data, bytes->len);
        return;
    case KIND_MESSAGE:
        message = *(const ProtobufCMessage *const *)member;
        if (message == NULL)
            return;
        at = rpc_open(out, field->id);
        if (rpc_pack(message, out))
            rpc_close(out, at);
        return;
    case KIND_DOUBLE:
        add_double(out, key | RPC_WIRE_64, member);
        return;
    case KIND_BOOL:
        add_number(out, key | RPC_WIRE_VARINT, *(const protobuf_c_boolean *)member != 0);
        return;
    case KIND_INT: /* a negative one takes ten bytes, as if it had 64 bits */
        add_number(out, key | RPC_WIRE_VARINT, (uint64_t)(int64_t) * (const int32_t *)member);
        return;
    case KIND_UINT:
        add_number(out, key | RPC_WIRE_VARINT, *(const uint32_t *)member);
        return;
    case KIND_NONE:
        out->failed = true;
        return;
    }
}

/* What an absent field reads as. Most fields of an answer are, so this is asked before anything else. */
static bool is_absent(kind of, const void *member)
{
    uint64_t bits;
    const char *text;
    switch (of) {
    case KIND_STRING:
        text = *(const char *const *)member;
        return text == NULL || *text == '\0';
    case KIND_BYTES:
        return ((const ProtobufCBinaryData *)member)->len == 0;
    case KIND_MESSAGE:
        return *(const void *const *)member == NULL;
    case KIND_DOUBLE:
        memcpy(&bits, member, sizeof(bits));
        return bits == 0;
    case KIND_BOOL:
        return *(const protobuf_c_boolean *)member == 0;
    case KIND_INT:
    case KIND_UINT:
        return *(const uint32_t *)member == 0;
    case KIND_NONE:
        break;
    }
    return false;
}

bool rpc_packs(const ProtobufCFieldDescriptor *field)
{
    kind of = field->type < IPT_COUNT(kinds) ? (kind)kinds[field->type] : KIND_NONE;
    /* Repeated numbers would be packed, which is a form of its own. */
    return of != KIND_NONE && (of < KIND_DOUBLE || field->label == PROTOBUF_C_LABEL_NONE);
}

static size_t size_of(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
}

bool rpc_pack(const ProtobufCMessage *message, ipt_buf *out)
{
    const char *base = (const char *)message;
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const ProtobufCFieldDescriptor *end = descriptor->fields + descriptor->n_fields;
    for (const ProtobufCFieldDescriptor *field = descriptor->fields; field < end; field++) {
        const void *member = base + field->offset, *quantifier = base + field->quantifier_offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            const char *values = *(const char *const *)member;
            for (size_t left = *(const size_t *)quantifier; left != 0; left--, values += size_of(field->type))
                add_value(out, field, values);
        } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 ? *(const uint32_t *)quantifier == field->id
                                                                     : !is_absent((kind)kinds[field->type], member))
            add_value(out, field, member);
    }
    return !out->failed;
}
