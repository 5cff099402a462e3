/* The gRPC transport: carries the methods of rpc.h over HTTP/2. Which library does it is chosen when building; nothing
 * outside this module knows. */
#ifndef IPTRUST_TRANSPORT_TRANSPORT_H
#define IPTRUST_TRANSPORT_TRANSPORT_H

#include "iptrust/listener/inherited.h"
#include "iptrust/rpc/rpc.h"

typedef struct ipt_transport ipt_transport;

/* "nghttp2 1.52.0" or "gRPC C core 29.0.0": the library in use, as it is at run time; 29 is gRPC 1.51. */
const char *ipt_transport_name(char out[64]);

/* Binds `grpc` of config and says so in the log; config is not kept. threads: each with a seat of rpc, whose shards are
 * first_shard and up. rpc and engine are borrowed. inherited: may hold the socket, or be NULL. On failure the log says
 * which address and why; IPT_EIO. *out is NULL when grpc is off. */
IPT_MUST_USE ipt_err ipt_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config,
                                        const ipt_inherited *inherited, unsigned threads, unsigned first_shard,
                                        ipt_transport **out);
/* From here on calls are answered. */
IPT_MUST_USE ipt_err ipt_transport_start(ipt_transport *transport);
/* "127.0.0.1:9191" or "unix:/path", as bound; NULL when transport is NULL. */
const char *ipt_transport_address(const ipt_transport *transport);

/* The way out, after ipt_engine_drain; NULL does nothing. */
void ipt_transport_close_listener(ipt_transport *transport); /* no new connections or calls, GOAWAY; calls go on */
size_t ipt_transport_connections(ipt_transport *transport);  /* that there still are, or calls when it cannot tell */
/* Ends what is left, removes a Unix socket. */
void ipt_transport_close(ipt_transport *transport);
IPT_DEFINE_CLEANUP(ipt_transport, ipt_transport_close)

#endif
