/* Tells the versions of the PROXY protocol apart, and what is said of a header that is refused. */
#include "iptrust/wire/proxy.h"

#include "proxy_priv.h"

static bool starts_with(ipt_span bytes, ipt_span start)
{
    return bytes.n >= start.n && memcmp(bytes.p, start.p, start.n) == 0;
}

ipt_proxy_result ipt_proxy_parse(ipt_span bytes, ipt_proxy *out)
{
    if (bytes.n == 0)
        return IPT_PROXY_EMPTY;
    if (starts_with(bytes, IPT_PROXY_V2_SIGNATURE))
        return ipt_proxy_v2_parse(bytes, out);
    if (starts_with(bytes, IPT_PROXY_V1_START))
        return ipt_proxy_v1_parse(bytes, out);
    return IPT_PROXY_SIGNATURE;
}

const char *ipt_proxy_result_text(ipt_proxy_result result)
{
    switch (result) {
    case IPT_PROXY_EMPTY:
        return "no bytes";
    case IPT_PROXY_OK:
        return "accepted";
    case IPT_PROXY_SIGNATURE:
        return "neither the signature of version 1 nor that of version 2";
    case IPT_PROXY_LENGTH:
        return "shorter than its length field says or its address family needs";
    case IPT_PROXY_VERSION:
        return "the version is not 2";
    case IPT_PROXY_COMMAND:
        return "the command is neither LOCAL nor PROXY";
    case IPT_PROXY_FAMILY:
        return "an address family and transport that the protocol does not define";
    case IPT_PROXY_TLV_OVERRUN:
        return "a TLV is longer than what is left";
    case IPT_PROXY_CRC32C:
        return "the CRC32C is wrong, repeated or not of 4 bytes";
    case IPT_PROXY_UNIQUE_ID:
        return "the UNIQUE_ID is longer than 128 bytes";
    case IPT_PROXY_SSL:
        return "the SSL TLV is shorter than 5 bytes or a TLV inside it is longer than what is left";
    case IPT_PROXY_GCP:
        return "the GCP PSC connection id is not of 8 bytes";
    case IPT_PROXY_AZURE:
        return "the Azure private endpoint link id is not of 4 bytes";
    case IPT_PROXY_TRAILING:
        return "bytes after the header";
    case IPT_PROXY_V1_LINE:
        return "no line end within 107 bytes";
    case IPT_PROXY_V1_FIELDS:
        return "not the fields of version 1 with one space between them";
    case IPT_PROXY_V1_ADDRESS:
        return "an address that is none of the named family";
    case IPT_PROXY_V1_PORT:
        return "a port that is no decimal number up to 65535 without leading zeros";
    }
    return "unknown";
}
