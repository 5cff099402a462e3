/* The server: its limits, its start and its end. */
#include "core_priv.h"

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *ipt_transport_name(char out[64])
{
    snprintf(out, 64, "gRPC C core %s", grpc_version_string());
    return out;
}

static void log_listener(const ipt_transport *transport, ipt_log_level level, const char *msg, const char *address,
                         const char *why)
{
    ipt_log_line line;
    ipt_log_begin(&line, transport->log, level, msg);
    ipt_log_str(&line, "listener", IPT_SPAN("grpc"));
    ipt_log_str(&line, "address", ipt_span_from(address));
    if (why != NULL)
        ipt_log_str(&line, "reason", ipt_span_from(why));
    ipt_log_end(&line);
}

/* The library would write to stderr on its own, in its own form and from any thread; what matters of it we see. */
static void say_nothing(gpr_log_func_args *args)
{
    (void)args;
}

static grpc_arg number(const char *key, int64_t value)
{
    int fits = value > INT32_MAX ? INT32_MAX : (int)value;
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = fits};
}

static grpc_server *server_new(const ipt_config *config)
{
    grpc_arg args[] = {
        number(GRPC_ARG_MAX_CONCURRENT_STREAMS, config->limit_streams),
        number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, IPT_RPC_RECEIVE_MAX),
        number(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        number(GRPC_ARG_MAX_METADATA_SIZE, CORE_METADATA_MAX),
        number(GRPC_ARG_KEEPALIVE_TIME_MS, config->limit_keepalive_ms),
        number(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, CORE_PING_TIMEOUT_MS),
        number(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        number(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, CORE_PING_INTERVAL_MS),
        /* Nobody calls: the connection goes, also one on which nothing was ever asked. */
        number(GRPC_ARG_MAX_CONNECTION_IDLE_MS, config->limit_connection_age_ms),
        number(GRPC_ARG_MAX_CONNECTION_AGE_MS, config->limit_connection_age_ms), /* the library adds the jitter */
        number(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, config->drain_timeout_ms),
        /* A small message may stand for a large one, which the library would unpack before it counts. */
        number(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
        number(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        number(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
        /* A timer a call would be set and cancelled for nothing: we look at the deadline before we begin, and an answer
         * takes microseconds. Whoever waits on ends the call by himself. */
        number(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0),
        number(GRPC_ARG_ALLOW_REUSEPORT, 0), /* two daemons on one port would share callers unnoticed */
        number(GRPC_ARG_ENABLE_CHANNELZ, 0),
        number(GRPC_ARG_HTTP2_BDP_PROBE, 0),
    };
    const grpc_channel_args all = {IPT_COUNT(args), args};
    return grpc_server_create(&all, NULL);
}

static ipt_err register_methods(ipt_transport *transport)
{
    size_t count;
    const ipt_method *methods = ipt_methods(&count);
    if (count > CORE_METHODS_MAX)
        return IPT_ELIMIT;
    for (size_t i = 0; i < count; i++) {
        grpc_server_register_method_payload_handling payload =
            methods[i].kind == IPT_METHOD_STREAM ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER;
        transport->registered[i] = grpc_server_register_method(transport->server, methods[i].path, NULL, payload, 0);
        if (transport->registered[i] == NULL)
            return IPT_ENOMEM;
    }
    return IPT_OK;
}

static ipt_err open_queues(ipt_transport *transport, unsigned threads, unsigned first_shard)
{
    transport->queues = calloc(threads, sizeof(*transport->queues));
    if (transport->queues == NULL)
        return IPT_ENOMEM;
    transport->queue_count = threads;
    for (unsigned i = 0; i < threads; i++) {
        ipt_err err = core_queue_open(&transport->queues[i], transport, i, first_shard + i);
        if (err != IPT_OK)
            return err;
        grpc_server_register_completion_queue(transport->server, transport->queues[i].cq, NULL);
    }
    return IPT_OK;
}

static bool listen_on(ipt_transport *transport, const ipt_listener_spec *spec, const ipt_inherited *inherited)
{
    char why[400] = "TLS and a socket that was handed over do not go together here: the library listens itself";
    bool done = false;
    if (spec->tls_cert == NULL)
        done = ipt_inherited_open(inherited, "grpc", spec, &transport->door.listener, why, sizeof(why));
    else if (ipt_inherited_find(inherited, "grpc") < 0)
        done = core_tls_open(transport, spec, why, sizeof(why)) == IPT_OK &&
               core_tls_listen(transport, spec, why, sizeof(why));
    if (!done)
        log_listener(transport, IPT_LOG_ERROR, "cannot listen", spec->kind == IPT_LISTEN_UNIX ? spec->path : spec->text,
                     why);
    return done;
}

ipt_err ipt_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config, const ipt_inherited *inherited,
                           unsigned threads, unsigned first_shard, ipt_transport **out)
{
    *out = NULL;
    if (config->grpc.kind == IPT_LISTEN_OFF && ipt_inherited_find(inherited, "grpc") < 0)
        return IPT_OK;
    grpc_init();
    gpr_set_log_function(say_nothing);
    ipt_auto(ipt_transport) *transport = calloc(1, sizeof(*transport));
    if (transport == NULL) {
        grpc_shutdown();
        return IPT_ENOMEM;
    }
    transport->engine = engine;
    transport->rpc = rpc;
    transport->log = ipt_engine_log(engine);
    transport->door.epoll = transport->door.wake = transport->door.reserve = transport->door.listener.fd = -1;
    transport->server = server_new(config);
    if (!listen_on(transport, &config->grpc, inherited))
        return IPT_EIO;
    ipt_err err = register_methods(transport);
    if (err == IPT_OK)
        err = open_queues(transport, threads == 0 ? 1 : threads, first_shard);
    if (err == IPT_OK)
        err = core_door_open(transport, config);
    if (err != IPT_OK)
        return err;
    log_listener(transport, IPT_LOG_INFO, "listening", transport->door.listener.text,
                 transport->door.listener.inherited ? "handed over" : NULL);
    *out = transport;
    transport = NULL;
    return IPT_OK;
}

ipt_err ipt_transport_start(ipt_transport *transport)
{
    ipt_err err = IPT_OK;
    if (transport == NULL)
        return IPT_OK;
    grpc_server_start(transport->server);
    transport->running = true;
    for (unsigned i = 0; i < transport->queue_count && err == IPT_OK; i++)
        err = core_queue_start(&transport->queues[i]);
    return err == IPT_OK ? core_door_start(transport) : err;
}

const char *ipt_transport_address(const ipt_transport *transport)
{
    return transport == NULL ? NULL : transport->door.listener.text;
}

void ipt_transport_close_listener(ipt_transport *transport)
{
    if (transport == NULL || !transport->running || atomic_load(&transport->closing))
        return;
    core_door_shut(transport);
    atomic_store_explicit(&transport->closing, true, memory_order_release);
    grpc_server_shutdown_and_notify(transport->server, transport->queues[0].cq, &transport->end_tag);
}

size_t ipt_transport_connections(ipt_transport *transport)
{
    if (transport == NULL || atomic_load(&transport->ended))
        return 0;
    size_t n = atomic_load_explicit(&transport->door.connections, memory_order_relaxed);
    /* Connections with TLS are the library's own, and it counts none; that it has not ended is all there is to know. */
    return n == 0 && transport->tls.files != NULL && atomic_load(&transport->closing) ? 1 : n;
}

/* The server ends when every call has; cancelled ones do at once. */
static void end_server(ipt_transport *transport)
{
    enum { LOOK_US = 2000, LOOKS = 1000 };
    ipt_transport_close_listener(transport);
    if (!transport->running)
        return;
    grpc_server_cancel_all_calls(transport->server);
    for (unsigned look = 0; look < LOOKS && !atomic_load(&transport->ended); look++)
        (void)usleep(LOOK_US);
}

void ipt_transport_close(ipt_transport *transport)
{
    if (transport == NULL)
        return;
    end_server(transport);
    core_door_close(transport);
    if (transport->server != NULL && (!transport->running || atomic_load(&transport->ended)))
        grpc_server_destroy(transport->server);
    for (unsigned i = 0; i < transport->queue_count; i++)
        core_queue_close(&transport->queues[i]);
    core_door_free(&transport->door);
    core_tls_close(&transport->tls);
    free(transport->queues);
    free(transport);
    grpc_shutdown();
}
