/* The PROXY protocol's binary header (doc/proxy-protocol.txt, 2.2): fixed part, address block, TLVs. Peers notice few
 * of its faults; each one that is passed over here would be another way to say who the client is. */
#include "proxy_priv.h"

#define HEADER_BYTES  16 /* signature, version and command, family and transport, length */
#define UNIX_PATH     108
#define UNIQUE_ID_MAX 128
#define SSL_FIXED     5 /* client, verify */

enum {
    TLV_ALPN = 0x01,
    TLV_AUTHORITY = 0x02,
    TLV_CRC32C = 0x03,
    TLV_NOOP = 0x04,
    TLV_UNIQUE_ID = 0x05,
    TLV_SSL = 0x20,
    TLV_NETNS = 0x30,
    TLV_GCP = 0xe0,
    TLV_AWS = 0xea,
    TLV_AZURE = 0xee,

    SSL_VERSION = 0x21,
    SSL_CN = 0x22,
    SSL_CIPHER = 0x23,
    SSL_SIG_ALG = 0x24,
    SSL_KEY_ALG = 0x25,

    AWS_VPCE_ID = 0x01,
    AZURE_LINK_ID = 0x01,
};

static uint8_t byte_at(ipt_span s, size_t i)
{
    return (uint8_t)s.p[i];
}

static uint16_t be16_at(ipt_span s, size_t i)
{
    return (uint16_t)(byte_at(s, i) << 8 | byte_at(s, i + 1));
}

static uint32_t be32_at(ipt_span s, size_t i)
{
    return (uint32_t)be16_at(s, i) << 16 | be16_at(s, i + 2);
}

static uint32_t le32_at(ipt_span s, size_t i)
{
    return __builtin_bswap32(be32_at(s, i));
}

static ipt_span skip(ipt_span s, size_t n)
{
    return (ipt_span){s.p + n, s.n - n};
}

bool ipt_proxy_tlv_next(ipt_span *rest, ipt_proxy_tlv *out)
{
    if (rest->n < 3)
        return false;
    const size_t n = be16_at(*rest, 1);
    if (rest->n - 3 < n)
        return false;
    out->type = byte_at(*rest, 0);
    out->value = (ipt_span){rest->p + 3, n};
    *rest = skip(*rest, 3 + n);
    return true;
}

/* Of a TLV that comes twice the first is kept; the protocol does not say. */
static void keep_first(ipt_span *kept, ipt_span value)
{
    if (kept->p == NULL)
        *kept = value;
}

static void keep_ssl_part(ipt_proxy_ssl *ssl, ipt_proxy_tlv tlv)
{
    switch (tlv.type) {
    case SSL_VERSION:
        keep_first(&ssl->version, tlv.value);
        break;
    case SSL_CN:
        keep_first(&ssl->cn, tlv.value);
        break;
    case SSL_CIPHER:
        keep_first(&ssl->cipher, tlv.value);
        break;
    case SSL_SIG_ALG:
        keep_first(&ssl->sig_alg, tlv.value);
        break;
    case SSL_KEY_ALG:
        keep_first(&ssl->key_alg, tlv.value);
        break;
    default:
        break;
    }
}

static ipt_proxy_result read_ssl(ipt_span value, ipt_proxy_ssl *out)
{
    if (value.n < SSL_FIXED)
        return IPT_PROXY_SSL;
    ipt_proxy_ssl ssl = {.present = true, .client = byte_at(value, 0), .verify = be32_at(value, 1)};
    ipt_span rest = skip(value, SSL_FIXED);
    for (ipt_proxy_tlv tlv; ipt_proxy_tlv_next(&rest, &tlv);)
        keep_ssl_part(&ssl, tlv);
    if (rest.n != 0)
        return IPT_PROXY_SSL;
    if (!out->present)
        *out = ssl;
    return IPT_PROXY_OK;
}

/* Two checksums can be made to hold each other, and which bytes each should cover is nowhere said: a second is refused.
 */
static ipt_proxy_result read_crc32c(ipt_span header, ipt_span value, ipt_proxy *proxy)
{
    if (value.n != 4 || proxy->has_crc32c)
        return IPT_PROXY_CRC32C;
    proxy->has_crc32c = true;
    proxy->crc32c = be32_at(value, 0);
    return ipt_crc32c(header, (size_t)(value.p - header.p)) == proxy->crc32c ? IPT_PROXY_OK : IPT_PROXY_CRC32C;
}

static ipt_proxy_result read_gcp(ipt_span value, ipt_proxy *proxy)
{
    if (value.n != 8)
        return IPT_PROXY_GCP;
    if (!proxy->has_gcp_psc)
        proxy->gcp_psc_id = (uint64_t)be32_at(value, 0) << 32 | be32_at(value, 4);
    proxy->has_gcp_psc = true;
    return IPT_PROXY_OK;
}

static ipt_proxy_result read_azure(ipt_span value, ipt_proxy *proxy)
{
    if (value.n == 0 || byte_at(value, 0) != AZURE_LINK_ID)
        return IPT_PROXY_OK; /* some other vendor's, or a sub-type to come */
    if (value.n != 1 + 4)
        return IPT_PROXY_AZURE;
    if (!proxy->has_azure_link)
        proxy->azure_link_id = le32_at(value, 1);
    proxy->has_azure_link = true;
    return IPT_PROXY_OK;
}

static ipt_proxy_result read_tlv(ipt_span header, ipt_proxy_tlv tlv, ipt_proxy *proxy)
{
    switch (tlv.type) {
    case TLV_ALPN:
        keep_first(&proxy->alpn, tlv.value);
        return IPT_PROXY_OK;
    case TLV_AUTHORITY:
        keep_first(&proxy->authority, tlv.value);
        return IPT_PROXY_OK;
    case TLV_CRC32C:
        return read_crc32c(header, tlv.value, proxy);
    case TLV_UNIQUE_ID:
        keep_first(&proxy->unique_id, tlv.value);
        return tlv.value.n <= UNIQUE_ID_MAX ? IPT_PROXY_OK : IPT_PROXY_UNIQUE_ID;
    case TLV_SSL:
        return read_ssl(tlv.value, &proxy->ssl);
    case TLV_NETNS:
        keep_first(&proxy->netns, tlv.value);
        return IPT_PROXY_OK;
    case TLV_GCP:
        return read_gcp(tlv.value, proxy);
    case TLV_AWS:
        if (tlv.value.n != 0 && byte_at(tlv.value, 0) == AWS_VPCE_ID)
            keep_first(&proxy->aws_vpce_id, skip(tlv.value, 1));
        return IPT_PROXY_OK;
    case TLV_AZURE:
        return read_azure(tlv.value, proxy);
    default:
        return IPT_PROXY_OK;
    }
}

bool ipt_proxy_tlv_is_read(const ipt_proxy_tlv *tlv)
{
    switch (tlv->type) {
    case TLV_ALPN:
    case TLV_AUTHORITY:
    case TLV_CRC32C:
    case TLV_NOOP:
    case TLV_UNIQUE_ID:
    case TLV_SSL:
    case TLV_NETNS:
    case TLV_GCP:
        return true;
    case TLV_AWS:
        return tlv->value.n != 0 && byte_at(tlv->value, 0) == AWS_VPCE_ID;
    case TLV_AZURE:
        return tlv->value.n != 0 && byte_at(tlv->value, 0) == AZURE_LINK_ID;
    default:
        return false;
    }
}

static ipt_proxy_result read_tlvs(ipt_span header, ipt_proxy *proxy)
{
    ipt_span rest = proxy->tlvs;
    for (ipt_proxy_tlv tlv; ipt_proxy_tlv_next(&rest, &tlv);) {
        const ipt_proxy_result result = read_tlv(header, tlv, proxy);
        if (result != IPT_PROXY_OK)
            return result;
    }
    return rest.n == 0 ? IPT_PROXY_OK : IPT_PROXY_TLV_OVERRUN;
}

/* What the byte of family and transport means, and how many bytes its addresses take. */
typedef struct block {
    ipt_proxy_family family;
    ipt_proxy_transport transport;
    size_t bytes;
} block;

static bool find_block(uint8_t byte, block *out)
{
    static const size_t bytes[] = {
        [IPT_PROXY_UNSPEC] = 0,
        [IPT_PROXY_INET] = 2 * (4 + 2),
        [IPT_PROXY_INET6] = 2 * (16 + 2),
        [IPT_PROXY_UNIX] = 2 * UNIX_PATH,
    };
    const unsigned family = byte >> 4, transport = byte & 0xf;
    if (family > IPT_PROXY_UNIX || transport > IPT_PROXY_DGRAM)
        return false;
    if ((family == IPT_PROXY_UNSPEC) != (transport == IPT_PROXY_NO_TRANSPORT))
        return false; /* half specified: the protocol lists neither */
    *out = (block){(ipt_proxy_family)family, (ipt_proxy_transport)transport, bytes[family]};
    return true;
}

static ipt_span path_at(ipt_span addresses, size_t i)
{
    const char *path = addresses.p + i;
    return (ipt_span){path, strnlen(path, UNIX_PATH)};
}

static ipt_addr addr16_at(ipt_span s, size_t i)
{
    uint8_t bytes[16];
    memcpy(bytes, s.p + i, sizeof(bytes));
    return ipt_addr_from_bytes16(bytes);
}

static void read_addresses(const block *b, ipt_span addresses, ipt_proxy *proxy)
{
    proxy->family = b->family;
    proxy->transport = b->transport;
    switch (b->family) {
    case IPT_PROXY_UNSPEC:
        break;
    case IPT_PROXY_INET:
        proxy->source = ipt_addr_from_v4(be32_at(addresses, 0));
        proxy->destination = ipt_addr_from_v4(be32_at(addresses, 4));
        proxy->source_port = be16_at(addresses, 8);
        proxy->destination_port = be16_at(addresses, 10);
        break;
    case IPT_PROXY_INET6:
        proxy->source = addr16_at(addresses, 0);
        proxy->destination = addr16_at(addresses, 16);
        proxy->source_port = be16_at(addresses, 32);
        proxy->destination_port = be16_at(addresses, 34);
        break;
    case IPT_PROXY_UNIX:
        proxy->source_path = path_at(addresses, 0);
        proxy->destination_path = path_at(addresses, UNIX_PATH);
        break;
    }
}

/* Version and command are judged as soon as their byte is there: a sender of rubbish is told so, not "too short". */
static ipt_proxy_result read_header(ipt_span bytes, ipt_proxy_command *command)
{
    const size_t at = IPT_PROXY_V2_SIGNATURE.n;
    if (bytes.n <= at)
        return IPT_PROXY_LENGTH;
    if (byte_at(bytes, at) >> 4 != 2)
        return IPT_PROXY_VERSION;
    if ((byte_at(bytes, at) & 0xf) > IPT_PROXY_CMD_PROXY)
        return IPT_PROXY_COMMAND;
    if (bytes.n < HEADER_BYTES || bytes.n - HEADER_BYTES < be16_at(bytes, HEADER_BYTES - 2))
        return IPT_PROXY_LENGTH;
    if (bytes.n - HEADER_BYTES > be16_at(bytes, HEADER_BYTES - 2))
        return IPT_PROXY_TRAILING;
    *command = (ipt_proxy_command)(byte_at(bytes, at) & 0xf);
    return IPT_PROXY_OK;
}

ipt_proxy_result ipt_proxy_v2_parse(ipt_span bytes, ipt_proxy *out)
{
    ipt_proxy proxy = {.version = 2};
    ipt_proxy_result result = read_header(bytes, &proxy.command);
    if (result != IPT_PROXY_OK)
        return result;

    const ipt_span rest = skip(bytes, HEADER_BYTES);
    block b = {0};
    const bool is_listed = find_block(byte_at(bytes, HEADER_BYTES - 3), &b);
    const bool is_complete = is_listed && rest.n >= b.bytes;
    if (proxy.command == IPT_PROXY_CMD_PROXY) {
        if (!is_complete)
            return is_listed ? IPT_PROXY_LENGTH : IPT_PROXY_FAMILY;
        read_addresses(&b, rest, &proxy);
    }
    /* LOCAL: whatever stands there is skipped, and where the block's end is unknown there is nothing to check. */
    if (is_complete) {
        proxy.tlvs = skip(rest, b.bytes);
        result = read_tlvs(bytes, &proxy);
        if (result != IPT_PROXY_OK)
            return result;
    }
    *out = proxy;
    return IPT_PROXY_OK;
}
