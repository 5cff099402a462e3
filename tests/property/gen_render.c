/* From the form of a request to its bytes. Spelling 0 is the canonical one. */
#include "gen.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static char *put(gen_rendered *out, const char *text, size_t n)
{
    assert(out->used + n <= GEN_TEXT);
    char *at = out->text + out->used;
    memcpy(at, text, n);
    out->used += n;
    return at;
}

IPT_PRINTF(2, 3) static void putf(gen_rendered *out, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof(text));
    (void)put(out, text, (size_t)n);
}

static unsigned group(ipt_addr a, unsigned i)
{
    uint64_t half = i < 4 ? a.hi : a.lo;
    return (unsigned)(half >> (48 - 16 * (i % 4))) & 0xffffU;
}

/* IPv6 text of any address, an IPv4 one in its mapped form. */
static void v6_text(ipt_addr addr, uint32_t spelling, char out[48])
{
    uint32_t v4 = ipt_addr_v4(addr);
    if (spelling % 3 == 1) {
        (void)snprintf(out, 48, "%x:%x:%x:%x:%x:%x:%x:%x", group(addr, 0), group(addr, 1), group(addr, 2),
                       group(addr, 3), group(addr, 4), group(addr, 5), group(addr, 6), group(addr, 7));
    } else if (spelling % 3 == 2) {
        (void)snprintf(out, 48, "%04X:%04X:%04X:%04X:%04X:%04X:%04X:%04X", group(addr, 0), group(addr, 1),
                       group(addr, 2), group(addr, 3), group(addr, 4), group(addr, 5), group(addr, 6), group(addr, 7));
    } else if (ipt_addr_is_v4(addr)) {
        (void)snprintf(out, 48, "::ffff:%u.%u.%u.%u", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
    } else {
        char text[IPT_ADDR_TEXT];
        (void)ipt_addr_format(addr, text);
        (void)snprintf(out, 48, "%s", text);
    }
}

static unsigned port_of(uint32_t spelling)
{
    return 1 + (spelling >> 12) % 65535;
}

/* X-Forwarded-For, single-address headers and `peer`. */
static void put_address(gen_rendered *out, const gen_entry *entry)
{
    char v6[48];
    char plain[IPT_ADDR_TEXT];
    uint32_t s = entry->spelling;
    bool v4 = ipt_addr_is_v4(entry->addr);
    v6_text(entry->addr, s >> 4, v6);
    (void)ipt_addr_format(entry->addr, plain);
    switch (s == 0 ? 0 : s % 5) {
    case 0:
        putf(out, "%s", plain);
        break;
    case 1:
        putf(out, v4 ? "%s:%u" : "[%s]:%u", plain, port_of(s));
        break;
    case 2:
        putf(out, "%s", v6);
        break;
    case 3:
        putf(out, "[%s]", v6);
        break;
    default:
        putf(out, "[%s]:%u", v6, port_of(s));
        break;
    }
}

static void put_viewer(gen_rendered *out, const gen_entry *entry)
{
    char v6[48];
    char plain[IPT_ADDR_TEXT];
    v6_text(entry->addr, entry->spelling >> 4, v6);
    (void)ipt_addr_format(entry->addr, plain);
    putf(out, "%s:%u", entry->spelling == 0 || entry->spelling % 2 == 0 ? plain : v6, port_of(entry->spelling));
}

static void put_element(gen_rendered *out, const gen_entry *entry)
{
    static const char *const names[] = {"for", "FOR", "For"};
    char v6[48];
    char plain[IPT_ADDR_TEXT];
    uint32_t s = entry->spelling;
    bool v4 = ipt_addr_is_v4(entry->addr);
    v6_text(entry->addr, s >> 4, v6);
    (void)ipt_addr_format(entry->addr, plain);
    putf(out, "%s=", names[(s >> 8) % 3]);
    switch (s == 0 ? 0 : s % 5) {
    case 0:
        putf(out, v4 ? "%s" : "\"[%s]\"", plain);
        break;
    case 1:
        putf(out, v4 ? "\"%s:%u\"" : "\"[%s]:%u\"", plain, port_of(s));
        break;
    case 2:
        putf(out, v4 ? "\"%s\"" : "\"[%s]\"", plain);
        break;
    case 3:
        putf(out, "\"[%s]\"", v6);
        break;
    default:
        putf(out, "\"[%s]:_p\"", v6);
        break;
    }
    if (entry->secret)
        putf(out, s % 2 == 0 ? ";secret=s3cret-origin" : ";proto=https;Secret=\"s3cret-origin\"");
}

static void put_entry(gen_rendered *out, gen_kind kind, const gen_entry *entry)
{
    if (!entry->has_addr)
        (void)put(out, entry->raw, strlen(entry->raw));
    else if (kind == GEN_FORWARDED)
        put_element(out, entry);
    else if (kind == GEN_VIEWER)
        put_viewer(out, entry);
    else
        put_address(out, entry);
}

static ipt_span put_name(gen_rendered *out, const gen_line *line)
{
    size_t n = strlen(line->name);
    char *at = put(out, line->name, n);
    for (size_t i = 0; line->kind != GEN_ATTRIBUTE && i < n; i++)
        if ((line->name_case >> (i % 32) & 1) != 0 && at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] | 0x20);
    return (ipt_span){at, n};
}

static ipt_span put_value(gen_rendered *out, const gen_line *line)
{
    size_t begin = out->used;
    for (uint32_t k = 0; k < line->count; k++) {
        if (k > 0)
            (void)put(out, ",  ", line->entries[k].spelling % 3 == 0 ? 2 : 1);
        put_entry(out, line->kind, &line->entries[k]);
    }
    return ipt_span_trim((ipt_span){out->text + begin, out->used - begin});
}

static void put16(gen_rendered *out, unsigned n)
{
    char bytes[2] = {(char)(n >> 8), (char)(n & 255)};
    (void)put(out, bytes, 2);
}

static void put_addr_bytes(gen_rendered *out, ipt_addr addr, bool v4)
{
    for (unsigned i = v4 ? 6 : 0; i < 8; i++)
        put16(out, group(addr, i));
}

static void put_proxy_v1(gen_rendered *out, const gen_request *form)
{
    char source[IPT_ADDR_TEXT];
    (void)ipt_addr_format(form->proxy_source, source);
    if (form->proxy == GEN_PROXY_UNKNOWN)
        putf(out, "PROXY UNKNOWN\r\n");
    else if (ipt_addr_is_v4(form->proxy_source))
        putf(out, "PROXY TCP4 %s 10.0.12.1 4711 443\r\n", source);
    else
        putf(out, "PROXY TCP6 %s fd00:12::1 4711 443\r\n", source);
}

static void put_proxy_v2(gen_rendered *out, const gen_request *form)
{
    static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
    const ipt_addr to = {0, UINT64_C(0xffff0a000c01)};
    bool v4 = ipt_addr_is_v4(form->proxy_source);
    bool local = form->proxy == GEN_PROXY_LOCAL;
    bool bare = local || form->proxy == GEN_PROXY_UNKNOWN;
    char head[2] = {local ? 0x20 : 0x21, 0};
    head[1] = bare ? 0 : v4 ? 0x11 : 0x21;
    (void)put(out, signature, sizeof(signature));
    (void)put(out, head, 2);
    put16(out, bare ? 0 : v4 ? 12 : 36);
    if (bare)
        return;
    put_addr_bytes(out, form->proxy_source, v4);
    put_addr_bytes(out, to, v4);
    put16(out, 4711);
    put16(out, 443);
}

static void render_proxy(const gen_request *form, gen_rendered *out)
{
    size_t begin = out->used;
    out->request.has_proxy_protocol = form->proxy != GEN_PROXY_NONE;
    if (form->proxy == GEN_PROXY_BAD)
        putf(out, "PROXY TCP4 8.8.8.8");
    else if (form->proxy != GEN_PROXY_NONE && form->proxy_v1 && form->proxy != GEN_PROXY_LOCAL)
        put_proxy_v1(out, form);
    else if (form->proxy != GEN_PROXY_NONE)
        put_proxy_v2(out, form);
    out->request.proxy_protocol = (ipt_span){out->text + begin, out->used - begin};
}

void gen_render(const gen_request *form, gen_rendered *out)
{
    out->used = 0;
    out->request = (ipt_request){
        .headers = out->headers,
        .attributes = out->attributes,
        .caller = form->caller,
        .headers_merged = form->headers_merged,
        .http_parser_lax = form->http_parser_lax,
        .principal = ipt_span_from(form->principal),
    };
    size_t begin = out->used;
    if (form->peer_kind == GEN_PEER_ADDR)
        put_address(out, &form->peer);
    else
        putf(out, "%s", form->peer_kind == GEN_PEER_UNIX ? "unix" : form->peer.raw);
    out->request.peer = (ipt_span){out->text + begin, out->used - begin};
    for (uint32_t i = 0; i < form->line_count; i++) {
        const gen_line *line = &form->lines[i];
        ipt_header header = {put_name(out, line), {NULL, 0}};
        header.value = put_value(out, line);
        if (line->kind == GEN_ATTRIBUTE)
            out->attributes[out->request.attribute_count++] = header;
        else
            out->headers[out->request.header_count++] = header;
    }
    render_proxy(form, out);
}
