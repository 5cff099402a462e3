/* The transport on libnghttp2: its start and its end. */
#include "h2_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *ipt_transport_name(char out[64])
{
    snprintf(out, 64, "nghttp2 %s", nghttp2_version(0)->version_str);
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

static void told(void *context, size_t which, ipt_tls_look look, const ipt_tls_fault *fault)
{
    ipt_transport *transport = context;
    char why[240];
    const char *reason = look == IPT_TLS_TAKEN ? why : fault->text;
    /* Two libraries judge it: GnuTLS the files, OpenSSL what it serves them with. */
    bool taken = look == IPT_TLS_TAKEN && h2_secure_renew(&transport->secure, why, sizeof(why));
    (void)which;
    ipt_log_line line;
    ipt_log_begin(&line, transport->log, taken ? IPT_LOG_INFO : IPT_LOG_ERROR,
                  taken ? "certificate renewed" : "certificate not renewed, the one in force stays");
    ipt_log_str(&line, "listener", IPT_SPAN("grpc"));
    if (!taken)
        ipt_log_str(&line, "reason", ipt_span_from(reason));
    ipt_log_end(&line);
}

static bool open_secure(ipt_transport *transport, const ipt_listener_spec *spec, char *why, size_t cap)
{
    if (spec->tls_cert == NULL)
        return true;
    if (spec->kind == IPT_LISTEN_UNIX) {
        snprintf(why, cap, "TLS is not offered on a Unix socket, whose mode says who may connect");
        return false;
    }
    if (!h2_secure_open(&transport->secure, spec, why, cap))
        return false;
    if (ipt_tls_watch_start(&transport->secure.files, 1, told, transport, &transport->watch) == IPT_OK)
        return true;
    snprintf(why, cap, "no memory for the watch over the certificate");
    return false;
}

static ipt_err listen_on(ipt_transport *transport, const ipt_inherited *inherited, const ipt_listener_spec *spec)
{
    char why[400] = "";
    if (open_secure(transport, spec, why, sizeof(why)) &&
        ipt_inherited_open(inherited, "grpc", spec, &transport->listener, why, sizeof(why)))
        return IPT_OK;
    log_listener(transport, IPT_LOG_ERROR, "cannot listen", spec->kind == IPT_LISTEN_UNIX ? spec->path : spec->text,
                 why);
    return IPT_EIO;
}

static ipt_err open_loops(ipt_transport *transport, unsigned threads, unsigned first_shard)
{
    transport->loops = calloc(threads, sizeof(*transport->loops));
    if (transport->loops == NULL)
        return IPT_ENOMEM;
    transport->loop_count = threads;
    for (unsigned i = 0; i < threads; i++)
        transport->loops[i].epoll = transport->loops[i].reserve = transport->loops[i].post[0] =
            transport->loops[i].post[1] = -1;
    for (unsigned i = 0; i < threads; i++) {
        ipt_err err = h2_loop_open(&transport->loops[i], transport, i, first_shard + i);
        if (err != IPT_OK)
            return err;
    }
    return IPT_OK;
}

static void read_limits(ipt_transport *transport, const ipt_config *config)
{
    transport->limit_streams = config->limit_streams;
    transport->age_ns = h2_ms(config->limit_connection_age_ms);
    transport->keepalive_ns = h2_ms(config->limit_keepalive_ms);
    transport->grace_ns = h2_ms(config->drain_timeout_ms);
}

ipt_err h2_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config, const ipt_inherited *inherited,
                          unsigned threads, unsigned first_shard, const h2_service *service, ipt_transport **out)
{
    ipt_auto(ipt_transport) *transport = calloc(1, sizeof(*transport));
    if (transport == NULL)
        return IPT_ENOMEM;
    transport->engine = engine;
    transport->rpc = rpc;
    transport->log = ipt_engine_log(engine);
    transport->service = service;
    transport->listener.fd = -1;
    read_limits(transport, config);
    ipt_err err = ipt_gate_init(&transport->gate, config->limit_connections, config->limit_per_address);
    if (err == IPT_OK)
        err = h2_session_setup(transport);
    if (err == IPT_OK)
        err = listen_on(transport, inherited, &config->grpc);
    if (err == IPT_OK)
        err = open_loops(transport, threads == 0 ? 1 : threads, first_shard);
    if (err != IPT_OK)
        return err;
    log_listener(transport, IPT_LOG_INFO, "listening", transport->listener.text,
                 transport->listener.inherited ? "handed over" : NULL);
    *out = transport;
    transport = NULL;
    return IPT_OK;
}

ipt_err ipt_transport_open(ipt_engine *engine, ipt_rpc *rpc, const ipt_config *config, const ipt_inherited *inherited,
                           unsigned threads, unsigned first_shard, ipt_transport **out)
{
    static const h2_service methods = {.find = ipt_method_find};
    *out = NULL;
    if (config->grpc.kind == IPT_LISTEN_OFF)
        return IPT_OK;
    return h2_transport_open(engine, rpc, config, inherited, threads, first_shard, &methods, out);
}

ipt_err ipt_transport_start(ipt_transport *transport)
{
    ipt_err err = IPT_OK;
    if (transport == NULL)
        return IPT_OK;
    transport->running = true;
    for (unsigned i = 0; i < transport->loop_count && err == IPT_OK; i++)
        err = h2_loop_start(&transport->loops[i]);
    return err;
}

const char *ipt_transport_address(const ipt_transport *transport)
{
    return transport == NULL ? NULL : transport->listener.text;
}

static bool is_accepting(const ipt_transport *transport)
{
    bool accepting = false;
    for (unsigned i = 0; i < transport->loop_count; i++)
        accepting = accepting || (transport->loops[i].started && !transport->loops[i].closing);
    return accepting;
}

void ipt_transport_close_listener(ipt_transport *transport)
{
    enum { LOOK_US = 5000, LOOKS = 100 };
    if (transport == NULL || !transport->running || atomic_load(&transport->closing))
        return;
    /* Who stands in the queue is let in, and told to go in the proper way. */
    ipt_listener_no_more(&transport->listener);
    for (unsigned look = 0; look < LOOKS && ipt_listener_is_waited(&transport->listener); look++)
        (void)usleep(LOOK_US);
    atomic_store_explicit(&transport->closing, true, memory_order_release);
    ipt_listener_shut(&transport->listener);
    for (unsigned i = 0; i < transport->loop_count; i++)
        h2_loop_wake(&transport->loops[i]);
    /* A socket that was handed over is not shut, so a loop that has not heard yet would still accept, after the caller
     * has counted that there is nobody left. */
    for (unsigned look = 0; look < LOOKS && is_accepting(transport); look++)
        (void)usleep(LOOK_US);
}

size_t ipt_transport_connections(ipt_transport *transport)
{
    size_t n = 0;
    for (unsigned i = 0; transport != NULL && i < transport->loop_count; i++)
        n += atomic_load_explicit(&transport->loops[i].conn_count, memory_order_relaxed);
    return n;
}

void ipt_transport_close(ipt_transport *transport)
{
    if (transport == NULL)
        return;
    ipt_transport_close_listener(transport);
    atomic_store_explicit(&transport->stop, true, memory_order_release);
    for (unsigned i = 0; i < transport->loop_count; i++)
        h2_loop_stop(&transport->loops[i]);
    for (unsigned i = 0; i < transport->loop_count; i++)
        h2_loop_done(&transport->loops[i]);
    ipt_listener_close(&transport->listener);
    ipt_tls_watch_stop(transport->watch);
    h2_secure_done(&transport->secure);
    ipt_gate_done(&transport->gate);
    nghttp2_session_callbacks_del(transport->callbacks);
    nghttp2_option_del(transport->option);
    free(transport->loops);
    free(transport);
}
