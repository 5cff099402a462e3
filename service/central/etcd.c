/* etcd's JSON gateway: protobuf's JSON mapping, so that bytes are base64 and 64-bit numbers are strings. */
#include "iptrust/central/etcd.h"

#include "central_priv.h"
#include "iptrust/json/tape.h"

/* ---- questions ---- */

void ipt_etcd_write_range(ipt_buf *out, ipt_span key)
{
    ipt_buf_adds(out, "{\"key\":\"");
    central_base64_write(out, key);
    ipt_buf_adds(out, "\"}");
}

void ipt_etcd_write_watch(ipt_buf *out, ipt_span key, uint64_t revision)
{
    ipt_buf_adds(out, "{\"create_request\":{\"key\":\"");
    central_base64_write(out, key);
    ipt_buf_adds(out, "\",\"start_revision\":\"");
    ipt_buf_addu(out, revision + 1);
    ipt_buf_adds(out, "\"}}");
}

static void write_string(ipt_buf *out, ipt_span text)
{
    ipt_buf_addc(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\' || c < 0x20)
            ipt_buf_addf(out, "\\u%04x", c);
        else
            ipt_buf_addc(out, (char)c);
    }
    ipt_buf_addc(out, '"');
}

void ipt_etcd_write_login(ipt_buf *out, ipt_span user, ipt_span password)
{
    ipt_buf_adds(out, "{\"name\":");
    write_string(out, user);
    ipt_buf_adds(out, ",\"password\":");
    write_string(out, password);
    ipt_buf_addc(out, '}');
}

/* ---- answers ---- */

/* The place of a member's value; 0: there is none. */
static uint32_t member(const ipt_tape *tape, uint32_t object, const char *name)
{
    const ipt_tape_item *items = tape->items;
    if (items[object].kind != IPT_TAPE_OBJECT)
        return 0;
    for (uint32_t at = object + 1; at < items[object].end; at = items[at + 1].end)
        if (ipt_span_equal(ipt_tape_text(tape, at), ipt_span_from(name)))
            return at + 1;
    return 0;
}

static bool read_tape(ipt_span json, ipt_arena *arena, ipt_tape *tape, bool *no_memory)
{
    static const ipt_tape_options options = {.pointer_prefix = ""};
    ipt_json_flaw flaw;
    bool ok = ipt_tape_build(json, &options, arena, tape, &flaw);
    *no_memory = !ok && flaw.kind == IPT_JSON_NO_MEMORY;
    return ok;
}

static bool read_number(const ipt_tape *tape, uint32_t at, uint64_t *out)
{
    return at != 0 && tape->items[at].kind == IPT_TAPE_STRING && central_number(ipt_tape_text(tape, at), out);
}

static ipt_etcd_result read_value(const ipt_tape *tape, uint32_t kv, ipt_arena *arena, ipt_span *out)
{
    uint32_t value = member(tape, kv, "value");
    if (tape->items[kv].kind != IPT_TAPE_OBJECT || (value != 0 && tape->items[value].kind != IPT_TAPE_STRING))
        return IPT_ETCD_BROKEN;
    ipt_span text = value == 0 ? (ipt_span){NULL, 0} : ipt_tape_text(tape, value);
    uint8_t *bytes = ipt_arena_alloc(arena, text.n / 4 * 3 + 1);
    size_t n = 0;
    if (bytes == NULL)
        return IPT_ETCD_NO_MEMORY;
    if (text.n != 0 && !central_base64_read(text, bytes, &n))
        return IPT_ETCD_BROKEN;
    *out = (ipt_span){(const char *)bytes, n};
    return IPT_ETCD_VALUE;
}

ipt_etcd_result ipt_etcd_read_range(ipt_span json, ipt_arena *arena, uint64_t *revision, ipt_span *value)
{
    ipt_tape tape;
    bool no_memory;
    uint64_t number;
    if (!read_tape(json, arena, &tape, &no_memory))
        return no_memory ? IPT_ETCD_NO_MEMORY : IPT_ETCD_BROKEN;
    uint32_t header = member(&tape, 0, "header"), kvs = member(&tape, 0, "kvs");
    if (header == 0 || !read_number(&tape, member(&tape, header, "revision"), &number))
        return IPT_ETCD_BROKEN;
    ipt_etcd_result result = IPT_ETCD_ABSENT;
    if (kvs != 0 && tape.items[kvs].kind != IPT_TAPE_ARRAY)
        return IPT_ETCD_BROKEN;
    if (kvs != 0 && tape.items[kvs].n != 0)
        result = tape.items[kvs].n == 1 ? read_value(&tape, kvs + 1, arena, value) : IPT_ETCD_BROKEN;
    if (result == IPT_ETCD_VALUE || result == IPT_ETCD_ABSENT)
        *revision = number;
    return result;
}

bool ipt_etcd_read_token(ipt_span json, ipt_arena *arena, ipt_span *token)
{
    ipt_tape tape;
    bool no_memory;
    if (!read_tape(json, arena, &tape, &no_memory))
        return false;
    uint32_t at = member(&tape, 0, "token");
    if (at == 0 || tape.items[at].kind != IPT_TAPE_STRING || tape.items[at].n == 0)
        return false;
    *token = ipt_tape_text(&tape, at);
    return true;
}

/* The first line says that the watch was created, unless something is wrong; whatever follows it is news, and what it
 * says is asked for again by a range: so nothing of it is read. */
bool ipt_etcd_watch_speaks(ipt_span body)
{
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_tape tape;
    bool no_memory;
    const char *end = body.n == 0 ? NULL : memchr(body.p, '\n', body.n);
    if (end == NULL)
        return false;
    if (end + 1 != body.p + body.n)
        return true;
    if (ipt_arena_new(4096, 0, &arena) != IPT_OK ||
        !read_tape((ipt_span){body.p, (size_t)(end - body.p)}, arena, &tape, &no_memory))
        return true;
    uint32_t result = member(&tape, 0, "result");
    uint32_t created = result == 0 ? 0 : member(&tape, result, "created");
    bool begun = created != 0 && tape.items[created].kind == IPT_TAPE_TRUE;
    return !begun || member(&tape, result, "events") != 0 || member(&tape, result, "canceled") != 0;
}
