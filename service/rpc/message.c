/* Messages between bytes and an arena. */
#include "rpc_priv.h"

typedef struct pool {
    ipt_arena *arena;
    bool failed;
} pool;

static void *pool_alloc(void *data, size_t size)
{
    pool *from = data;
    void *p = ipt_arena_alloc(from->arena, size);
    from->failed = from->failed || p == NULL;
    return p;
}

/* All of it ends with the arena. */
static void pool_free(void *data, void *p)
{
    (void)data;
    (void)p;
}

static bool refuse_scan(ipt_rpc_call *call, rpc_scan result)
{
    switch (result) {
    case RPC_SCAN_OK:
        return true;
    case RPC_SCAN_TOO_DEEP:
        return rpc_refuse(call, IPT_PROBLEM_TOO_DEEP, "", "messages are nested more than %d deep", RPC_DEPTH_MAX);
    case RPC_SCAN_TOO_MANY:
        return rpc_refuse(call, IPT_PROBLEM_TOO_LARGE, "", "the message has more than %d fields", RPC_FIELDS_MAX);
    case RPC_SCAN_TEXT:
        return rpc_refuse(call, IPT_PROBLEM_BAD_ENCODING, "", "a string is not UTF-8, or holds NUL");
    case RPC_SCAN_MALFORMED:
        break;
    }
    return rpc_refuse(call, IPT_PROBLEM_BAD_REQUEST, "", "the bytes are no message of this method");
}

bool rpc_unpack(ipt_rpc_call *call, ipt_span bytes, const ProtobufCMessageDescriptor *descriptor)
{
    if (!refuse_scan(call, rpc_wire_scan(bytes, descriptor)))
        return false;
    pool from = {call->seat->request, false};
    ProtobufCAllocator allocator = {pool_alloc, pool_free, &from};
    call->request = protobuf_c_message_unpack(descriptor, &allocator, bytes.n, (const uint8_t *)bytes.p);
    if (call->request != NULL && !from.failed)
        return true;
    if (from.failed)
        return rpc_no_memory(call);
    return refuse_scan(call, RPC_SCAN_MALFORMED);
}

bool rpc_encode(ipt_rpc_call *call, ipt_buf *out)
{
    return rpc_pack(call->answer, out) || rpc_no_memory(call);
}

void *rpc_make(rpc_maker *maker, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = ipt_arena_alloc(maker->arena, descriptor->sizeof_message);
    if (message == NULL) {
        maker->failed = true;
        return NULL;
    }
    protobuf_c_message_init(descriptor, message);
    return message;
}

void *rpc_make_array(rpc_maker *maker, size_t count, size_t size)
{
    void *array = ipt_arena_calloc(maker->arena, count, size);
    maker->failed = maker->failed || array == NULL;
    return array;
}

void **rpc_make_list(rpc_maker *maker, size_t count, const ProtobufCMessageDescriptor *descriptor)
{
    void **list = rpc_make_array(maker, count, sizeof(*list));
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = rpc_make(maker, descriptor);
        if (list[i] == NULL)
            return NULL;
    }
    return list;
}

static char *room(rpc_maker *maker, size_t n)
{
    char *text = ipt_arena_alloc(maker->arena, n);
    maker->failed = maker->failed || text == NULL;
    return text;
}

char *rpc_copy(rpc_maker *maker, ipt_span text)
{
    char *copy = ipt_arena_strdup(maker->arena, text);
    maker->failed = maker->failed || copy == NULL;
    return copy;
}

char *rpc_text(rpc_maker *maker, ipt_span text, size_t max)
{
    char *escaped = ipt_arena_escape(maker->arena, (ipt_span){text.p, text.n < max ? text.n : max});
    maker->failed = maker->failed || escaped == NULL;
    return escaped;
}

char *rpc_hex(rpc_maker *maker, ipt_span bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = bytes.n > (SIZE_MAX - 1) / 2 ? NULL : room(maker, bytes.n * 2 + 1);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < bytes.n; i++) {
        out[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
    }
    out[2 * bytes.n] = '\0';
    return out;
}

char *rpc_address(rpc_maker *maker, ipt_addr addr)
{
    char *out = room(maker, IPT_ADDR_TEXT);
    if (out != NULL)
        (void)ipt_addr_format(addr, out);
    return out;
}

char *rpc_prefix(rpc_maker *maker, ipt_prefix prefix)
{
    char *out = room(maker, IPT_PREFIX_TEXT);
    if (out != NULL)
        (void)ipt_prefix_format(prefix, out);
    return out;
}
