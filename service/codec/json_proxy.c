/* What a PROXY header said, as JSON: keys that apply, in the order of the specification. */
#include "json_put_priv.h"

static void put_text(ipt_buf *out, ipt_span key, ipt_span text)
{
    if (text.p == NULL)
        return;
    put(out, key);
    ipt_json_write_text(out, text, SIZE_MAX);
}

static void put_key_number(ipt_buf *out, ipt_span key, uint64_t number)
{
    put(out, key);
    put_number(out, number);
}

static const char *family_name(ipt_proxy_family family)
{
    switch (family) {
    case IPT_PROXY_UNSPEC:
        return "unspec";
    case IPT_PROXY_INET:
        return "inet";
    case IPT_PROXY_INET6:
        return "inet6";
    case IPT_PROXY_UNIX:
        return "unix";
    }
    return NULL;
}

static const char *transport_name(ipt_proxy_transport transport)
{
    switch (transport) {
    case IPT_PROXY_NO_TRANSPORT:
        return NULL;
    case IPT_PROXY_STREAM:
        return "stream";
    case IPT_PROXY_DGRAM:
        return "dgram";
    }
    return NULL;
}

static void write_endpoints(ipt_buf *out, const ipt_proxy *proxy)
{
    /* LOCAL: the addresses are ignored (section 2.2), so nobody shall read them here. */
    if (proxy->command == IPT_PROXY_CMD_LOCAL)
        return;
    if (proxy->family == IPT_PROXY_UNIX) {
        put_text(out, IPT_SPAN(",\"source\":"), proxy->source_path);
        put_text(out, IPT_SPAN(",\"destination\":"), proxy->destination_path);
        return;
    }
    if (proxy->family != IPT_PROXY_INET && proxy->family != IPT_PROXY_INET6)
        return;
    put(out, IPT_SPAN(",\"source\":"));
    put_address(out, proxy->source);
    put_key_number(out, IPT_SPAN(",\"source_port\":"), proxy->source_port);
    put(out, IPT_SPAN(",\"destination\":"));
    put_address(out, proxy->destination);
    put_key_number(out, IPT_SPAN(",\"destination_port\":"), proxy->destination_port);
}

static void write_ssl(ipt_buf *out, const ipt_proxy_ssl *ssl)
{
    if (!ssl->present)
        return;
    put(out, IPT_SPAN(",\"ssl\":{\"ssl\":"));
    put_bool(out, (ssl->client & 1) != 0);
    put(out, IPT_SPAN(",\"certificate_in_connection\":"));
    put_bool(out, (ssl->client & 2) != 0);
    put(out, IPT_SPAN(",\"certificate_in_session\":"));
    put_bool(out, (ssl->client & 4) != 0);
    put_key_number(out, IPT_SPAN(",\"verify\":"), ssl->verify);
    put_text(out, IPT_SPAN(",\"version\":"), ssl->version);
    put_text(out, IPT_SPAN(",\"cn\":"), ssl->cn);
    put_text(out, IPT_SPAN(",\"cipher\":"), ssl->cipher);
    put_text(out, IPT_SPAN(",\"sig_alg\":"), ssl->sig_alg);
    put_text(out, IPT_SPAN(",\"key_alg\":"), ssl->key_alg);
    put_char(out, '}');
}

static void write_unknown(ipt_buf *out, ipt_span tlvs)
{
    ipt_proxy_tlv tlv;
    bool any = false;
    while (ipt_proxy_tlv_next(&tlvs, &tlv)) {
        if (ipt_proxy_tlv_is_read(&tlv))
            continue;
        put(out, any ? IPT_SPAN(",{\"type\":") : IPT_SPAN(",\"tlvs\":[{\"type\":"));
        put_number(out, tlv.type);
        put(out, IPT_SPAN(",\"value\":"));
        put_hex(out, tlv.value);
        put_char(out, '}');
        any = true;
    }
    if (any)
        put_char(out, ']');
}

void ipt_json_write_proxy(ipt_buf *out, const ipt_proxy *proxy)
{
    put_key_number(out, IPT_SPAN("{\"version\":"), proxy->version);
    put_words_or_null(out, IPT_SPAN(",\"command\":"), proxy->command == IPT_PROXY_CMD_LOCAL ? "local" : "proxy");
    put_words_or_null(out, IPT_SPAN(",\"family\":"), family_name(proxy->family));
    put_words_or_null(out, IPT_SPAN(",\"transport\":"), transport_name(proxy->transport));
    write_endpoints(out, proxy);
    put_text(out, IPT_SPAN(",\"alpn\":"), proxy->alpn);
    put_text(out, IPT_SPAN(",\"authority\":"), proxy->authority);
    if (proxy->has_crc32c)
        put_key_number(out, IPT_SPAN(",\"crc32c\":"), proxy->crc32c);
    if (proxy->unique_id.p != NULL) {
        put(out, IPT_SPAN(",\"unique_id\":"));
        put_hex(out, proxy->unique_id);
    }
    write_ssl(out, &proxy->ssl);
    put_text(out, IPT_SPAN(",\"netns\":"), proxy->netns);
    if (proxy->has_gcp_psc) { /* 64 bits: more than a JSON number carries everywhere (RFC 8259, 6) */
        put(out, IPT_SPAN(",\"gcp_psc_connection_id\":\""));
        put_number(out, proxy->gcp_psc_id);
        put_char(out, '"');
    }
    put_text(out, IPT_SPAN(",\"aws_vpc_endpoint_id\":"), proxy->aws_vpce_id);
    if (proxy->has_azure_link)
        put_key_number(out, IPT_SPAN(",\"azure_link_id\":"), proxy->azure_link_id);
    write_unknown(out, proxy->tlvs);
    put_char(out, '}');
}
