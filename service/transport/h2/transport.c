/* The transport on libnghttp2: its start and its end. */
#include "iptrust/transport/transport.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>

const char *ipt_transport_name(char out[64])
{
    snprintf(out, 64, "nghttp2 %s", nghttp2_version(0)->version_str);
    return out;
}

ipt_err ipt_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config, const ipt_inherited *inherited,
                           unsigned threads, unsigned first_shard, ipt_transport **out)
{
    (void)engine, (void)rpc, (void)inherited, (void)threads, (void)first_shard;
    *out = NULL;
    return config->grpc.kind == IPT_LISTEN_OFF ? IPT_OK : IPT_EIO; /* it cannot serve yet */
}

ipt_err ipt_transport_start(ipt_transport *transport)
{
    (void)transport;
    return IPT_OK;
}

const char *ipt_transport_address(const ipt_transport *transport)
{
    (void)transport;
    return NULL;
}

void ipt_transport_close_listener(ipt_transport *transport)
{
    (void)transport;
}

size_t ipt_transport_connections(ipt_transport *transport)
{
    (void)transport;
    return 0;
}

void ipt_transport_close(ipt_transport *transport)
{
    (void)transport;
}
