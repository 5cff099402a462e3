/* The pieces of JSON that every writer needs: strings, numbers, addresses. */
#include "json_put_priv.h"

static const char hex[] = "0123456789abcdef";

char *lay_many_digits(char *to, uint64_t number)
{
    char digits[NUMBER_MAX];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return lay(to, (ipt_span){digits + at, sizeof(digits) - at});
}

void put_number(ipt_buf *out, uint64_t number)
{
    if (has_room(out, NUMBER_MAX))
        lay_end(out, lay_number(out->p + out->n, number));
}

void put_address(ipt_buf *out, ipt_addr addr)
{
    if (has_room(out, ADDRESS_MAX))
        lay_end(out, lay_address(out->p + out->n, addr));
}

void put_prefix(ipt_buf *out, ipt_prefix prefix)
{
    if (has_room(out, PREFIX_MAX))
        lay_end(out, lay_prefix(out->p + out->n, prefix));
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

/* Whether eight characters are printable ASCII that JSON takes as it is: nearly all there is. */
static bool are_plain(uint64_t x)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t quote = x ^ each * '"', slash = x ^ each * '\\';
    uint64_t odd = ((x - each * 0x20) & ~x) | (x + each) | x; /* below 0x20, above 0x7e */
    odd |= ((quote - each) & ~quote) | ((slash - each) & ~slash);
    return (odd & each * 0x80) == 0;
}

/* Copies a text of eight bytes or more that is plain throughout; false, and what is laid is void, when it is not. */
static bool lay_plain(char *to, ipt_span text)
{
    uint64_t eight;
    for (size_t i = 0; i + sizeof(eight) < text.n; i += sizeof(eight)) {
        memcpy(&eight, text.p + i, sizeof(eight));
        if (!are_plain(eight))
            return false;
        memcpy(to + i, &eight, sizeof(eight));
    }
    memcpy(&eight, text.p + text.n - sizeof(eight), sizeof(eight)); /* the rest, with some bytes once more */
    memcpy(to + text.n - sizeof(eight), &eight, sizeof(eight));
    return are_plain(eight);
}

char *lay_text(char *to, ipt_span text)
{
    *to++ = '"';
    size_t i = 0;
    if (text.n >= sizeof(uint64_t) && lay_plain(to, text)) {
        to += text.n;
        i = text.n;
    }
    for (; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') {
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
    return to;
}

void ipt_json_write_text(ipt_buf *out, ipt_span text, size_t max)
{
    ipt_span shown = text_cut(text, max);
    if (shown.n > (SIZE_MAX - 2) / TEXT_WIDEST || !has_room(out, text_room(shown))) {
        out->failed = true;
        return;
    }
    lay_end(out, lay_text(out->p + out->n, shown));
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
