/* Looks at every header line once, when the headers have arrived and nothing of the body has been read. What two HTTP
 * readers could understand differently ends the connection: libmicrohttpd 0.9.75 serves the rest of such a request as a
 * second one (measured).
 *
 * It also hides some of it: a NUL cuts a value, a bare LF ends a line, a folded line becomes part of a name, and a line
 * that begins with a colon ends the header block, so that what follows it is taken for another request. But it hands
 * out names and values where they arrived, in one buffer, with NUL in place of what ended them. So a well-formed block
 * has no gap: from the end of a value to the next name are exactly two bytes, CR LF, and from the last one to the end
 * of the block four. Later versions refuse these requests themselves and place the strings otherwise, so only 0.9.75 is
 * held to it. */
#include "rest_priv.h"

#include <string.h>

/* Without an early end, so that the compiler looks at many bytes at once: a value without any is the rule. */
static bool has_control(ipt_span value)
{
    unsigned char found = 0;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        found |= (c < 0x20) & (c != '\t');
        found |= c == 0x7f;
    }
    return found != 0;
}

static bool all_digits(ipt_span value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
    }
    return value.n != 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is(ipt_span name, const char *wanted)
{
    return ipt_span_equal_nocase(name, ipt_span_from(wanted));
}

/* By length first: most headers are none of ours. */
static void note(rest_facts *facts, ipt_span name, ipt_span value)
{
    switch (name.n) {
    case 4:
        facts->hosts += is(name, "host");
        break;
    case 6:
        if (is(name, "accept"))
            facts->accept = value;
        else if (is(name, "expect"))
            facts->expects = true;
        break;
    case 12:
        if (is(name, "content-type"))
            facts->content_type = value;
        break;
    case 13:
        if (is(name, "authorization"))
            facts->authorization = value;
        break;
    case 14:
        if (is(name, "content-length")) {
            facts->lengths++;
            facts->content_length = value;
        }
        break;
    case 16:
        if (is(name, "content-encoding"))
            facts->content_encoding = value;
        break;
    case 17:
        if (is(name, "transfer-encoding")) {
            facts->transfers++;
            facts->transfer_encoding = value;
        }
        break;
    default:
        break;
    }
}

static const char broken_line[] =
    "a header line is folded, holds a NUL, begins with a colon or does not end with CR LF";

static enum MHD_Result look(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value,
                            size_t value_size)
{
    (void)kind;
    rest_facts *facts = context;
    ipt_span name = {key, key_size}, text = {value, value == NULL ? 0 : value_size};
    if (facts->end != NULL && (value == NULL || key != facts->end + 2)) {
        facts->bad = broken_line;
        return MHD_NO;
    }
    if (facts->end != NULL)
        facts->end = value + value_size;
    facts->count++;
    facts->bytes += name.n + text.n + 4; /* ": " and CRLF */
    if (!ipt_span_is_token(name)) {
        facts->bad = "a header name holds a character that HTTP does not allow there";
        return MHD_NO;
    }
    if (has_control(text)) {
        facts->bad = "a header value holds a control character";
        return MHD_NO;
    }
    note(facts, name, text);
    return MHD_YES;
}

/* %00 stays as it is written: everybody after us reads text up to its NUL, so that what follows would be lost and
 * another address or policy asked for. Broken escapes stay too. */
size_t rest_unescape(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    char *out = text;
    for (const char *in = text; *in != '\0';) {
        int high = in[0] == '%' ? hex_digit(in[1]) : -1;
        int low = high < 0 ? -1 : hex_digit(in[2]);
        bool decodes = low >= 0 && high + low != 0;
        *out++ = decodes ? (char)(high << 4 | low) : *in;
        in += decodes ? 3 : 1;
    }
    *out = '\0';
    return (size_t)(out - text);
}

static bool strings_stay_in_place(void)
{
    return strcmp(MHD_get_version(), "0.9.75") == 0;
}

/* Whether the block ends where its last line does: method is its first byte. */
static bool ends_well(struct MHD_Connection *mhd, const char *method, const rest_facts *facts)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info != NULL && method + info->header_size == facts->end + 4;
}

/* Before anything of it is decoded. */
void *rest_on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    (void)context;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    rest_conn *conn = info == NULL ? NULL : info->socket_context;
    if (conn != NULL)
        conn->request.target_end = target + strlen(target);
    return NULL; /* becomes the request's context: none yet */
}

rest_facts rest_facts_read(struct MHD_Connection *mhd, const char *target_end, const char *method, const char *version)
{
    rest_facts facts = {.end = strings_stay_in_place() ? version + strlen(version) : NULL};
    if (facts.end != NULL && target_end + 1 != version) {
        facts.bad = "the request target holds a NUL";
        return facts;
    }
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, look, &facts);
    if (facts.bad == NULL && facts.end != NULL && !ends_well(mhd, method, &facts))
        facts.bad = broken_line;
    if (facts.bad != NULL)
        return facts;
    /* RFC 9112, 6.3: any of these may be an attempt to hide a second request in the first. */
    if (facts.lengths > 1)
        facts.bad = "several Content-Length headers";
    else if (facts.lengths != 0 && facts.transfers != 0)
        facts.bad = "Content-Length together with Transfer-Encoding";
    else if (facts.transfers > 1 || (facts.transfers != 0 && !is(ipt_span_trim(facts.transfer_encoding), "chunked")))
        facts.bad = "a Transfer-Encoding other than chunked";
    else if (facts.lengths != 0 && !all_digits(ipt_span_trim(facts.content_length)))
        facts.bad = "a Content-Length that is no number";
    else if (facts.hosts > 1) /* RFC 9112, 3.2 */
        facts.bad = "several Host headers";
    return facts;
}
