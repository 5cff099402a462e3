/* Looks at every header line once, when the headers have arrived and nothing of the body has been read. What two HTTP
 * readers could understand differently ends the connection: libmicrohttpd 0.9.75 serves the rest of such a request as a
 * second one (measured). */
#include "rest_priv.h"

static bool has_control(ipt_span value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool all_digits(ipt_span value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
    }
    return value.n != 0;
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

static enum MHD_Result look(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value,
                            size_t value_size)
{
    (void)kind;
    rest_facts *facts = context;
    ipt_span name = {key, key_size}, text = {value, value == NULL ? 0 : value_size};
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

rest_facts rest_facts_read(struct MHD_Connection *mhd)
{
    rest_facts facts = {.bad = NULL};
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, look, &facts);
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
