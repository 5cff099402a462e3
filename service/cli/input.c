/* Requests as people have them: options, a block of headers, JSON. All become the JSON of POST /v1/resolve, so that one
 * reader judges them wherever the answer is computed. */
#include "cli_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPUT_MAX (64U << 20)

bool ipt_input_read(int fd, ipt_buf *out)
{
    for (;;) {
        if (!ipt_buf_reserve(out, 65536) || out->n > INPUT_MAX) {
            errno = ENOMEM;
            return false;
        }
        ssize_t n = read(fd, out->p + out->n, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        out->n += (size_t)n;
    }
}

/* ---- a block of headers ---- */

static bool next_line(ipt_span *rest, ipt_span *line)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p), step = n + (end != NULL);
    *line = (ipt_span){rest->p, n > 0 && rest->p[n - 1] == '\r' ? n - 1 : n};
    *rest = (ipt_span){rest->p + step, rest->n - step};
    return true;
}

static bool starts(ipt_span text, const char *with)
{
    size_t n = strlen(with);
    return text.n >= n && memcmp(text.p, with, n) == 0;
}

/* `curl -v` marks what it sent with "> "; "* " and "< " are its own words and the answer. */
static bool is_curl_dump(ipt_span text)
{
    ipt_span line;
    while (next_line(&text, &line))
        if (starts(line, "> ") && memchr(line.p, ' ', line.n) != NULL)
            return true;
    return false;
}

/* "GET /path HTTP/1.1": a token, and a last word that names the protocol. */
static bool is_request_line(ipt_span line)
{
    const char *first = memchr(line.p, ' ', line.n), *last = memrchr(line.p, ' ', line.n);
    return first != NULL && ipt_span_is_token((ipt_span){line.p, (size_t)(first - line.p)}) && last != first &&
           line.n - (size_t)(last - line.p) > 6 && memcmp(last + 1, "HTTP/", 5) == 0;
}

static bool add_header(ipt_header_block *block, ipt_span name, ipt_span value)
{
    if (block->count == block->cap) {
        size_t cap = block->cap == 0 ? 32 : 2 * block->cap;
        ipt_header *items = realloc(block->items, cap * sizeof(*items));
        if (items == NULL)
            return false;
        block->items = items;
        block->cap = cap;
    }
    block->items[block->count++] = (ipt_header){name, value};
    return true;
}

/* `Name: value`; a name with white space before the colon is refused, as RFC 9112, 5.1 has it. */
static bool split_header(ipt_span line, ipt_span *name, ipt_span *value)
{
    const char *colon = memchr(line.p, ':', line.n);
    if (colon == NULL)
        return false;
    *name = (ipt_span){line.p, (size_t)(colon - line.p)};
    *value = ipt_span_trim((ipt_span){colon + 1, line.n - name->n - 1});
    return ipt_span_is_token(*name);
}

static bool read_line(ipt_header_block *out, ipt_span line, size_t number, char why[static 160])
{
    ipt_span name, value;

    if (line.p[0] == ':') /* a pseudo-header of HTTP/2, such as :authority */
        return true;
    if (!split_header(line, &name, &value)) {
        (void)snprintf(why, 160, "line %zu is no header (`Name: value`)%s", number,
                       line.p[0] == ' ' || line.p[0] == '\t' ? "; folded lines are not taken" : "");
        return false;
    }
    if (add_header(out, name, value))
        return true;
    (void)snprintf(why, 160, "no memory");
    return false;
}

bool ipt_header_block_read(ipt_span text, ipt_header_block *out, char why[static 160])
{
    bool dump = is_curl_dump(text), begun = false;
    ipt_span line;

    for (size_t number = 1; next_line(&text, &line); number++) {
        if (dump) {
            if (line.n == 0 || line.p[0] != '>')
                continue;
            size_t skip = starts(line, "> ") ? 2 : 1;
            line = (ipt_span){line.p + skip, line.n - skip};
        }
        if (line.n == 0 && dump)
            continue;
        if (line.n == 0 && !begun) /* blank lines before a request are allowed (RFC 9112, 2.2) */
            continue;
        if (line.n == 0)
            break; /* the body follows */
        if (is_request_line(line)) {
            if (begun) {
                (void)snprintf(why, 160, "line %zu begins a second request; give one at a time", number);
                return false;
            }
            begun = true;
            continue;
        }
        begun = true;
        if (!read_line(out, line, number, why))
            return false;
    }
    return true;
}

void ipt_header_block_done(ipt_header_block *block)
{
    free(block->items);
    *block = (ipt_header_block){0};
}

/* ---- JSON ---- */

bool ipt_request_is_line(ipt_span line)
{
    size_t depth = 0;
    bool quoted = false;

    line = ipt_span_trim(line);
    if (line.n == 0 || line.p[0] != '{')
        return false;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1 == line.n;
        }
    }
    return false;
}

static void write_base64(ipt_buf *out, ipt_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    ipt_buf_addc(out, '"');
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t group = (uint32_t)(uint8_t)bytes.p[i] << 16;
        group |= left > 1 ? (uint32_t)(uint8_t)bytes.p[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(uint8_t)bytes.p[i + 2] : 0;
        ipt_buf_addc(out, digits[group >> 18]);
        ipt_buf_addc(out, digits[group >> 12 & 63]);
        ipt_buf_addc(out, left > 1 ? digits[group >> 6 & 63] : '=');
        ipt_buf_addc(out, left > 2 ? digits[group & 63] : '=');
    }
    ipt_buf_addc(out, '"');
}

static void write_header(ipt_buf *out, bool first, ipt_span name, ipt_span value)
{
    ipt_buf_adds(out, first ? "[" : ",[");
    ipt_json_write_string(out, name);
    ipt_buf_addc(out, ',');
    if (ipt_span_is_utf8(value)) {
        ipt_json_write_string(out, value);
    } else { /* bytes that JSON cannot carry */
        ipt_buf_adds(out, "{\"base64\":");
        write_base64(out, value);
        ipt_buf_addc(out, '}');
    }
    ipt_buf_addc(out, ']');
}

static bool write_headers(ipt_buf *out, const ipt_options *options, const ipt_header_block *block, char why[static 160])
{
    bool first = true;

    ipt_buf_adds(out, ",\"headers\":[");
    for (size_t i = 0; block != NULL && i < block->count; i++, first = false)
        write_header(out, first, block->items[i].name, block->items[i].value);
    for (size_t i = 0; i < options->header_count; i++, first = false) {
        ipt_span name, value;
        if (!split_header(ipt_span_from(options->headers[i]), &name, &value)) {
            (void)snprintf(why, 160, "-H takes 'Name: value', not '%.60s'", options->headers[i]);
            return false;
        }
        write_header(out, first, name, value);
    }
    ipt_buf_addc(out, ']');
    return true;
}

static bool write_proxy_protocol(ipt_buf *out, const char *given, char why[static 160])
{
    ipt_auto(ipt_buf) bytes = {0};

    ipt_buf_adds(out, ",\"proxy_protocol\":");
    if (strncmp(given, "PROXY ", 6) == 0) {
        ipt_buf_adds(&bytes, given);
        ipt_buf_adds(&bytes, "\r\n");
    } else if (given[0] == '@') {
        int fd = open(given + 1, O_RDONLY | O_CLOEXEC);
        bool ok = fd >= 0 && ipt_input_read(fd, &bytes);
        int error = errno;
        if (fd >= 0)
            (void)close(fd);
        if (!ok) {
            (void)snprintf(why, 160, "cannot read %.80s: %s", given + 1, strerror(error));
            return false;
        }
    } else {
        ipt_json_write_string(out, ipt_span_from(given));
        return true;
    }
    write_base64(out, ipt_buf_span(&bytes));
    return !bytes.failed;
}

static void write_text(ipt_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    ipt_buf_addf(out, ",\"%s\":", key);
    ipt_json_write_string(out, ipt_span_from(text));
}

static bool write_attributes(ipt_buf *out, const ipt_options *options, char why[static 160])
{
    ipt_buf_adds(out, options->attribute_count == 0 ? "" : ",\"attributes\":{");
    for (size_t i = 0; i < options->attribute_count; i++) {
        const char *given = options->attributes[i], *equals = strchr(given, '=');
        if (equals == NULL || equals == given) {
            (void)snprintf(why, 160, "--attribute takes NAME=VALUE, not '%.60s'", given);
            return false;
        }
        ipt_buf_adds(out, i == 0 ? "" : ",");
        ipt_json_write_string(out, (ipt_span){given, (size_t)(equals - given)});
        ipt_buf_addc(out, ':');
        ipt_json_write_string(out, ipt_span_from(equals + 1));
    }
    ipt_buf_adds(out, options->attribute_count == 0 ? "" : "}");
    return true;
}

bool ipt_request_write(ipt_buf *out, const ipt_options *options, const ipt_header_block *block, char why[static 160])
{
    if (options->peer == NULL) {
        (void)snprintf(why, 160, "--peer is missing: the address that opened the connection, e.g. --peer 127.0.0.1");
        return false;
    }
    ipt_buf_adds(out, "{\"peer\":");
    ipt_json_write_string(out, ipt_span_from(options->peer));
    if (!write_headers(out, options, block, why) || !write_attributes(out, options, why))
        return false;
    if (options->proxy_protocol != NULL && !write_proxy_protocol(out, options->proxy_protocol, why))
        return false;
    write_text(out, "principal", options->principal);
    write_text(out, "policy", options->policy);
    write_text(out, "request_id", options->request_id);
    ipt_buf_addc(out, '}');
    if (out->failed)
        (void)snprintf(why, 160, "no memory");
    return !out->failed;
}
