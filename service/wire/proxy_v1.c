/* The PROXY protocol's text line (doc/proxy-protocol.txt, 2.1). Peers read it loosely, each in another way: leading
 * zeros, several spaces, IPv6 under TCP4, inet_aton forms. The specification asks for canonical text, and so do we. */
#include "proxy_priv.h"

#define LINE_MAX_BYTES 107 /* with its CRLF; the specification's 108 counts a NUL */

enum { PROTOCOL, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, FIELDS };

static bool split_fields(ipt_span line, ipt_span fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        const char *space = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
        const bool is_last = i == FIELDS - 1;
        if (is_last != (space == NULL))
            return false;
        const size_t n = is_last ? line.n : (size_t)(space - line.p);
        if (n == 0)
            return false;
        fields[i] = (ipt_span){line.p, n};
        line = is_last ? (ipt_span){0} : (ipt_span){space + 1, line.n - n - 1};
    }
    return true;
}

/* An IPv4 address in its mapped form is IPv6 text. */
static bool parse_address(ipt_span text, ipt_proxy_family family, ipt_addr *out)
{
    const bool is_v6_text = memchr(text.p, ':', text.n) != NULL;
    return is_v6_text == (family == IPT_PROXY_INET6) && ipt_addr_parse(text, out, NULL);
}

static ipt_proxy_result parse_known(ipt_span line, ipt_proxy *proxy)
{
    ipt_span fields[FIELDS];
    if (!split_fields(line, fields))
        return IPT_PROXY_V1_FIELDS;

    if (ipt_span_equal(fields[PROTOCOL], IPT_SPAN("TCP4")))
        proxy->family = IPT_PROXY_INET;
    else if (ipt_span_equal(fields[PROTOCOL], IPT_SPAN("TCP6")))
        proxy->family = IPT_PROXY_INET6;
    else
        return IPT_PROXY_V1_FIELDS;
    proxy->transport = IPT_PROXY_STREAM;

    if (!parse_address(fields[SOURCE], proxy->family, &proxy->source) ||
        !parse_address(fields[DESTINATION], proxy->family, &proxy->destination))
        return IPT_PROXY_V1_ADDRESS;
    if (!ipt_port_parse(fields[SOURCE_PORT], 0, &proxy->source_port) ||
        !ipt_port_parse(fields[DESTINATION_PORT], 0, &proxy->destination_port))
        return IPT_PROXY_V1_PORT;
    return IPT_PROXY_OK;
}

/* "UNKNOWN" may stand alone; what follows it up to the CRLF the receiver must ignore. */
static bool is_unknown(ipt_span line)
{
    const ipt_span word = IPT_SPAN("UNKNOWN");
    return line.n >= word.n && memcmp(line.p, word.p, word.n) == 0 && (line.n == word.n || line.p[word.n] == ' ');
}

ipt_proxy_result ipt_proxy_v1_parse(ipt_span bytes, ipt_proxy *out)
{
    const size_t start = IPT_PROXY_V1_START.n;
    const char *crlf = memmem(bytes.p, bytes.n < LINE_MAX_BYTES ? bytes.n : LINE_MAX_BYTES, "\r\n", 2);
    if (crlf == NULL)
        return IPT_PROXY_V1_LINE;
    const size_t n = (size_t)(crlf - bytes.p);
    if (n + 2 != bytes.n)
        return IPT_PROXY_TRAILING;

    const ipt_span line = {bytes.p + start, n - start};
    ipt_proxy proxy = {.version = 1, .command = IPT_PROXY_CMD_PROXY};
    if (!is_unknown(line)) {
        const ipt_proxy_result result = parse_known(line, &proxy);
        if (result != IPT_PROXY_OK)
            return result;
    }
    *out = proxy;
    return IPT_PROXY_OK;
}
