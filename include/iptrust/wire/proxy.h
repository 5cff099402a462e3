/* The PROXY protocol, versions 1 and 2, as HAProxy's specification has it (doc/proxy-protocol.txt) and decision.md
 * section 4 narrows it. One call reads the whole header; whatever the specification does not allow is refused. */
#ifndef IPTRUST_WIRE_PROXY_H
#define IPTRUST_WIRE_PROXY_H

#include "iptrust/net/addr.h"

typedef enum ipt_proxy_result {
    IPT_PROXY_EMPTY = 0, /* no bytes */
    IPT_PROXY_OK,
    IPT_PROXY_SIGNATURE,
    IPT_PROXY_LENGTH, /* shorter than it says, or than its family needs */
    IPT_PROXY_VERSION,
    IPT_PROXY_COMMAND,
    IPT_PROXY_FAMILY,
    IPT_PROXY_TLV_OVERRUN,
    IPT_PROXY_CRC32C, /* wrong, repeated or not of 4 bytes */
    IPT_PROXY_UNIQUE_ID,
    IPT_PROXY_SSL,
    IPT_PROXY_GCP,
    IPT_PROXY_AZURE,
    IPT_PROXY_TRAILING, /* bytes after the header */
    IPT_PROXY_V1_LINE,  /* no CRLF within 107 bytes */
    IPT_PROXY_V1_FIELDS,
    IPT_PROXY_V1_ADDRESS,
    IPT_PROXY_V1_PORT,
} ipt_proxy_result;

const char *ipt_proxy_result_text(ipt_proxy_result result); /* plain words for the refusal's detail */

typedef enum ipt_proxy_command { IPT_PROXY_CMD_LOCAL = 0, IPT_PROXY_CMD_PROXY } ipt_proxy_command;
typedef enum ipt_proxy_family {
    IPT_PROXY_UNSPEC = 0,
    IPT_PROXY_INET,
    IPT_PROXY_INET6,
    IPT_PROXY_UNIX
} ipt_proxy_family;
typedef enum ipt_proxy_transport { IPT_PROXY_NO_TRANSPORT = 0, IPT_PROXY_STREAM, IPT_PROXY_DGRAM } ipt_proxy_transport;

typedef struct ipt_proxy_ssl {
    bool present;
    uint8_t client; /* bit field: 1 SSL, 2 certificate in this connection, 4 in this session */
    uint32_t verify;
    ipt_span version, cn, cipher, sig_alg, key_alg; /* .p NULL when absent */
} ipt_proxy_ssl;

/* All spans borrow the input. */
typedef struct ipt_proxy {
    uint8_t version; /* 1 or 2 */
    ipt_proxy_command command;
    ipt_proxy_family family;
    ipt_proxy_transport transport;
    ipt_addr source, destination; /* INET and INET6 under PROXY */
    uint16_t source_port, destination_port;
    ipt_span source_path, destination_path;     /* UNIX: up to the first NUL of the 108 bytes */
    ipt_span alpn, authority, unique_id, netns; /* .p NULL when absent; the first of each when repeated */
    ipt_span aws_vpce_id;                       /* 0xEA, sub-type 1 */
    bool has_crc32c, has_gcp_psc, has_azure_link;
    uint32_t crc32c;
    uint64_t gcp_psc_id;    /* 0xE0, 8 bytes, network order */
    uint32_t azure_link_id; /* 0xEE, sub-type 1, 4 bytes, little endian */
    ipt_proxy_ssl ssl;
    ipt_span tlvs; /* the whole TLV block, for ipt_proxy_tlv_next */
} ipt_proxy;

/* out is written for OK alone. */
IPT_MUST_USE ipt_proxy_result ipt_proxy_parse(ipt_span bytes, ipt_proxy *out);

/* Steps over the TLVs of an accepted header, known and unknown. */
typedef struct ipt_proxy_tlv {
    uint8_t type;
    ipt_span value;
} ipt_proxy_tlv;
IPT_MUST_USE bool ipt_proxy_tlv_next(ipt_span *rest, ipt_proxy_tlv *out);
/* Its value is told by a field of ipt_proxy, or there is none to tell (NOOP); an AWS or Azure TLV of another sub-type
 * is not. */
bool ipt_proxy_tlv_is_read(const ipt_proxy_tlv *tlv);

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) over bytes, the four at crc_at taken as zero; crc_at beyond the end:
 * none. */
uint32_t ipt_crc32c(ipt_span bytes, size_t crc_at);

#endif
