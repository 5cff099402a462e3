/* What the header lines of an auth call are: evidence that the client's request brought along, the proxy's word on who
 * its peer is, or the proxy's own. No libmicrohttpd here. */
#include "rest_priv.h"

/* Of the hop between proxy and us (RFC 9110, 7.6.1), or written by the proxy for this call. */
static bool is_of_the_call(ipt_span name)
{
    static const ipt_span names[] = {
        {"host", 4},
        {"content-length", 14},
        {"transfer-encoding", 17},
        {"connection", 10},
        {"keep-alive", 10},
        {"expect", 6},
        {"te", 2},
        {"trailer", 7},
        {"upgrade", 7},
        {"http2-settings", 14},
        {"proxy-connection", 16},
    };
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        if (names[i].n == name.n && ipt_span_equal_lower(names[i], name))
            return true;
    }
    return ipt_callout_is_ours(name);
}

/* The name of the peer's line in any spelling: X_Iptrust.Peer. */
static bool reads_as_peer(ipt_span name)
{
    static const ipt_span peer = {"x-iptrust-peer", 14};
    if (name.n != peer.n)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = ipt_lower(name.p[i]);
        if ((c == '_' || c == '.' ? '-' : c) != peer.p[i])
            return false;
    }
    return true;
}

/* nginx says "unix:" of a caller on a Unix socket. */
static ipt_span peer_of(ipt_span value)
{
    return ipt_span_equal(value, IPT_SPAN("unix:")) ? IPT_SPAN("unix") : value;
}

/* One line of the right name is the proxy's. Of two nobody knows which: nobody says who the peer is. */
static void read_named_peer(const ipt_header *lines, size_t count, rest_auth *out)
{
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        if (ipt_span_equal_lower(IPT_SPAN("x-iptrust-peer"), lines[i].name)) {
            named++;
            out->peer = peer_of(lines[i].value);
        } else if (reads_as_peer(lines[i].name))
            out->forged = true;
    }
    if (named == 1)
        return;
    out->forged = out->forged || named > 1;
    out->peer = (ipt_span){NULL, 0};
}

/* The proxy wrote the last entry; what stands before it came with the request. */
static void take_last_entry(ipt_header *evidence, size_t *count, size_t at, rest_auth *out)
{
    ipt_span value = evidence[at].value;
    size_t comma = value.n;
    while (comma > 0 && value.p[comma - 1] != ',')
        comma--;
    out->peer = ipt_span_trim((ipt_span){value.p + comma, value.n - comma});
    if (comma > 0) {
        evidence[at].value = ipt_span_trim((ipt_span){value.p, comma - 1});
        return;
    }
    for (size_t i = at + 1; i < *count; i++)
        evidence[i - 1] = evidence[i];
    --*count;
}

static void read_forwarded_peer(const ipt_header *lines, size_t count, rest_auth *out)
{
    for (size_t i = 0; i < count; i++)
        out->forged = out->forged || reads_as_peer(lines[i].name);
    for (size_t i = out->evidence_count; i-- > 0;) {
        if (!ipt_span_equal_lower(IPT_SPAN("x-forwarded-for"), out->evidence[i].name))
            continue;
        take_last_entry(out->evidence, &out->evidence_count, i, out);
        return;
    }
}

void rest_auth_read(rest_peer_source source, const ipt_header *lines, size_t count, ipt_header *evidence,
                    rest_auth *out)
{
    *out = (rest_auth){.evidence = evidence};
    for (size_t i = 0; i < count; i++) {
        if (ipt_span_equal_lower(IPT_SPAN("x-iptrust-token"), lines[i].name)) {
            out->tokens++;
            out->token = lines[i].value;
        } else if (!is_of_the_call(lines[i].name))
            evidence[out->evidence_count++] = lines[i];
    }
    if (source == PEER_NAMED)
        read_named_peer(lines, count, out);
    else
        read_forwarded_peer(lines, count, out);
}
