/* What a PROXY header said, as a message: the fields that json_proxy.c writes, under the same names. */
#include <iptrust/v1/iptrust.pb-c.h>

#include <inttypes.h>
#include <stdio.h>

#include "rpc_priv.h"

static const char *const families[] = {
    [IPT_PROXY_UNSPEC] = "unspec", [IPT_PROXY_INET] = "inet", [IPT_PROXY_INET6] = "inet6", [IPT_PROXY_UNIX] = "unix"};
static const char *const transports[] = {
    [IPT_PROXY_NO_TRANSPORT] = "", [IPT_PROXY_STREAM] = "stream", [IPT_PROXY_DGRAM] = "dgram"};

static char *text_of(rpc_maker *maker, ipt_span text)
{
    return rpc_text(maker, text, SIZE_MAX);
}

static void put_paths(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, const ipt_proxy *proxy)
{
    if (proxy->source_path.p != NULL) {
        to->source_value_case = IPTRUST__V1__PROXY_PROTOCOL__SOURCE_VALUE_SOURCE;
        to->source = text_of(maker, proxy->source_path);
    }
    if (proxy->destination_path.p != NULL) {
        to->destination_value_case = IPTRUST__V1__PROXY_PROTOCOL__DESTINATION_VALUE_DESTINATION;
        to->destination = text_of(maker, proxy->destination_path);
    }
}

static void put_endpoints(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, const ipt_proxy *proxy)
{
    /* LOCAL: the addresses are ignored (section 2.2), so nobody shall read them here. */
    if (proxy->command == IPT_PROXY_CMD_LOCAL)
        return;
    if (proxy->family == IPT_PROXY_UNIX)
        put_paths(maker, to, proxy);
    if (proxy->family != IPT_PROXY_INET && proxy->family != IPT_PROXY_INET6)
        return;
    to->source_value_case = IPTRUST__V1__PROXY_PROTOCOL__SOURCE_VALUE_SOURCE;
    to->source = rpc_address(maker, proxy->source);
    to->source_port_value_case = IPTRUST__V1__PROXY_PROTOCOL__SOURCE_PORT_VALUE_SOURCE_PORT;
    to->source_port = proxy->source_port;
    to->destination_value_case = IPTRUST__V1__PROXY_PROTOCOL__DESTINATION_VALUE_DESTINATION;
    to->destination = rpc_address(maker, proxy->destination);
    to->destination_port_value_case = IPTRUST__V1__PROXY_PROTOCOL__DESTINATION_PORT_VALUE_DESTINATION_PORT;
    to->destination_port = proxy->destination_port;
}

static void put_ssl(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, const ipt_proxy_ssl *ssl)
{
    Iptrust__V1__ProxySsl *out = ssl->present ? rpc_make(maker, &iptrust__v1__proxy_ssl__descriptor) : NULL;
    if (out == NULL)
        return;
    out->ssl = (ssl->client & 1) != 0;
    out->certificate_in_connection = (ssl->client & 2) != 0;
    out->certificate_in_session = (ssl->client & 4) != 0;
    out->verify = ssl->verify;
    if (ssl->version.p != NULL) {
        out->version_value_case = IPTRUST__V1__PROXY_SSL__VERSION_VALUE_VERSION;
        out->version = text_of(maker, ssl->version);
    }
    if (ssl->cn.p != NULL) {
        out->cn_value_case = IPTRUST__V1__PROXY_SSL__CN_VALUE_CN;
        out->cn = text_of(maker, ssl->cn);
    }
    if (ssl->cipher.p != NULL) {
        out->cipher_value_case = IPTRUST__V1__PROXY_SSL__CIPHER_VALUE_CIPHER;
        out->cipher = text_of(maker, ssl->cipher);
    }
    if (ssl->sig_alg.p != NULL) {
        out->sig_alg_value_case = IPTRUST__V1__PROXY_SSL__SIG_ALG_VALUE_SIG_ALG;
        out->sig_alg = text_of(maker, ssl->sig_alg);
    }
    if (ssl->key_alg.p != NULL) {
        out->key_alg_value_case = IPTRUST__V1__PROXY_SSL__KEY_ALG_VALUE_KEY_ALG;
        out->key_alg = text_of(maker, ssl->key_alg);
    }
    to->ssl = out;
}

static void put_texts(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, const ipt_proxy *proxy)
{
    if (proxy->alpn.p != NULL) {
        to->alpn_value_case = IPTRUST__V1__PROXY_PROTOCOL__ALPN_VALUE_ALPN;
        to->alpn = text_of(maker, proxy->alpn);
    }
    if (proxy->authority.p != NULL) {
        to->authority_value_case = IPTRUST__V1__PROXY_PROTOCOL__AUTHORITY_VALUE_AUTHORITY;
        to->authority = text_of(maker, proxy->authority);
    }
    if (proxy->unique_id.p != NULL) {
        to->unique_id_value_case = IPTRUST__V1__PROXY_PROTOCOL__UNIQUE_ID_VALUE_UNIQUE_ID;
        to->unique_id = rpc_hex(maker, proxy->unique_id);
    }
    if (proxy->netns.p != NULL) {
        to->netns_value_case = IPTRUST__V1__PROXY_PROTOCOL__NETNS_VALUE_NETNS;
        to->netns = text_of(maker, proxy->netns);
    }
    if (proxy->aws_vpce_id.p != NULL) {
        to->aws_vpc_endpoint_id_value_case = IPTRUST__V1__PROXY_PROTOCOL__AWS_VPC_ENDPOINT_ID_VALUE_AWS_VPC_ENDPOINT_ID;
        to->aws_vpc_endpoint_id = text_of(maker, proxy->aws_vpce_id);
    }
}

static void put_numbers(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, const ipt_proxy *proxy)
{
    if (proxy->has_crc32c) {
        to->crc32c_value_case = IPTRUST__V1__PROXY_PROTOCOL__CRC32C_VALUE_CRC32C;
        to->crc32c = proxy->crc32c;
    }
    if (proxy->has_gcp_psc) {
        char text[24];
        int n = snprintf(text, sizeof(text), "%" PRIu64, proxy->gcp_psc_id);
        to->gcp_psc_connection_id_value_case =
            IPTRUST__V1__PROXY_PROTOCOL__GCP_PSC_CONNECTION_ID_VALUE_GCP_PSC_CONNECTION_ID;
        to->gcp_psc_connection_id = rpc_copy(maker, (ipt_span){text, n < 0 ? 0 : (size_t)n});
    }
    if (proxy->has_azure_link) {
        to->azure_link_id_value_case = IPTRUST__V1__PROXY_PROTOCOL__AZURE_LINK_ID_VALUE_AZURE_LINK_ID;
        to->azure_link_id = proxy->azure_link_id;
    }
}

static void put_unknown(rpc_maker *maker, Iptrust__V1__ProxyProtocol *to, ipt_span tlvs)
{
    ipt_proxy_tlv tlv;
    size_t count = 0;
    for (ipt_span rest = tlvs; ipt_proxy_tlv_next(&rest, &tlv);)
        count += !ipt_proxy_tlv_is_read(&tlv);
    void **list = count == 0 ? NULL : rpc_make_list(maker, count, &iptrust__v1__proxy_tlv__descriptor);
    if (list == NULL)
        return;
    for (ipt_span rest = tlvs; ipt_proxy_tlv_next(&rest, &tlv);) {
        if (ipt_proxy_tlv_is_read(&tlv))
            continue;
        Iptrust__V1__ProxyTlv *out = list[to->n_tlvs++];
        out->type = tlv.type;
        out->value = rpc_hex(maker, tlv.value);
    }
    to->tlvs = (Iptrust__V1__ProxyTlv **)list;
}

Iptrust__V1__ProxyProtocol *rpc_put_proxy(rpc_maker *maker, const ipt_proxy *proxy)
{
    Iptrust__V1__ProxyProtocol *to = rpc_make(maker, &iptrust__v1__proxy_protocol__descriptor);
    if (to == NULL)
        return NULL;
    to->version = proxy->version;
    to->command = rpc_borrow(proxy->command == IPT_PROXY_CMD_LOCAL ? "local" : "proxy");
    to->family = rpc_borrow(families[proxy->family]);
    to->transport = rpc_borrow(transports[proxy->transport]);
    put_endpoints(maker, to, proxy);
    put_texts(maker, to, proxy);
    put_numbers(maker, to, proxy);
    put_ssl(maker, to, &proxy->ssl);
    put_unknown(maker, to, proxy->tlvs);
    return to;
}
