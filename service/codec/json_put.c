/* The pieces of JSON that every writer needs: strings, numbers, addresses. */
#include "json_put_priv.h"

static const char hex[] = "0123456789abcdef";

void put_number(ipt_buf *out, uint64_t number)
{
    if (number < 10) { /* hops, lines and indexes */
        put_char(out, (char)('0' + number));
        return;
    }
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(out, (ipt_span){digits + at, sizeof(digits) - at});
}

void put_address(ipt_buf *out, ipt_addr addr)
{
    if (!has_room(out, IPT_ADDR_TEXT + 2))
        return;
    out->p[out->n++] = '"';
    out->n += ipt_addr_format(addr, out->p + out->n);
    out->p[out->n++] = '"';
}

void put_prefix(ipt_buf *out, ipt_prefix prefix)
{
    if (!has_room(out, IPT_PREFIX_TEXT + 2))
        return;
    out->p[out->n++] = '"';
    out->n += ipt_prefix_format(prefix, out->p + out->n);
    out->p[out->n++] = '"';
}

void put_hex(ipt_buf *out, ipt_span bytes)
{
    put_char(out, '"');
    for (size_t i = 0; i < bytes.n; i++) {
        put_char(out, hex[(unsigned char)bytes.p[i] >> 4]);
        put_char(out, hex[(unsigned char)bytes.p[i] & 15]);
    }
    put_char(out, '"');
}

void put_lists(ipt_buf *out, const ipt_view *view, const uint16_t *lists, size_t count)
{
    put_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            put_char(out, ',');
        put_quoted(out, view->lists[lists[i]].spec->name);
    }
    put_char(out, ']');
}

void put_header_name(ipt_buf *out, const ipt_view *view, ipt_name name)
{
    ipt_json_write_text(out, ipt_names_text(view->names, name), SIZE_MAX);
}

const char *ipt_embedding_name(ipt_embedding embedding)
{
    switch (embedding) {
    case IPT_EMBEDS_NONE:
        return NULL;
    case IPT_EMBEDS_NAT64:
        return "nat64";
    case IPT_EMBEDS_6TO4:
        return "6to4";
    case IPT_EMBEDS_TEREDO:
        return "teredo";
    case IPT_EMBEDS_ISATAP:
        return "isatap";
    }
    return NULL;
}

/* \xHH of a byte, its backslash escaped for JSON. */
static char *escape_byte(char *to, unsigned char c)
{
    *to++ = '\\';
    *to++ = '\\';
    *to++ = 'x';
    *to++ = hex[c >> 4];
    *to++ = hex[c & 15];
    return to;
}

void ipt_json_write_text(ipt_buf *out, ipt_span text, size_t max)
{
    size_t n = text.n < max ? text.n : max, widest = 5;
    if (n > (SIZE_MAX - 2) / widest || !has_room(out, n * widest + 2)) {
        out->failed = true;
        return;
    }
    char *to = out->p + out->n;
    *to++ = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') { /* nearly all there is */
            *to++ = (char)c;
        } else if (c == '\\') { /* doubled as text, and each of the two doubled as JSON */
            memcpy(to, "\\\\\\\\", 4);
            to += 4;
        } else if (c == '"') {
            *to++ = '\\';
            *to++ = '"';
        } else {
            to = escape_byte(to, c);
        }
    }
    *to++ = '"';
    out->n = (size_t)(to - out->p);
}

/* A character that JSON has escaped: RFC 8259, 7. */
static char *escape_control(char *to, unsigned char c)
{
    static const char shorts[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *to++ = '\\';
    if (shorts[c] != '\0') {
        *to++ = shorts[c];
        return to;
    }
    memcpy(to, "u00", 3);
    to += 3;
    *to++ = hex[c >> 4];
    *to++ = hex[c & 15];
    return to;
}

/* Bytes of the UTF-8 sequence at the beginning of text, which is above ASCII; 0 when it is none. */
static size_t sequence(ipt_span text)
{
    for (size_t n = 2; n <= 4 && n <= text.n; n++) {
        if (ipt_span_is_utf8((ipt_span){text.p, n}))
            return n;
    }
    return 0;
}

void ipt_json_write_string(ipt_buf *out, ipt_span text)
{
    const size_t widest = 6;
    if (text.n > (SIZE_MAX - 2) / widest || !has_room(out, text.n * widest + 2)) {
        out->failed = true;
        return;
    }
    char *to = out->p + out->n;
    *to++ = '"';
    for (size_t i = 0; i < text.n;) {
        unsigned char c = (unsigned char)text.p[i];
        size_t n = c < 0x80 ? 1 : sequence((ipt_span){text.p + i, text.n - i});
        if (c < 0x20) {
            to = escape_control(to, c);
        } else if (n == 0) {
            to = escape_byte(to, c);
        } else {
            if (c == '"' || c == '\\')
                *to++ = '\\';
            memcpy(to, text.p + i, n);
            to += n;
        }
        i += n == 0 ? 1 : n;
    }
    *to++ = '"';
    out->n = (size_t)(to - out->p);
}
