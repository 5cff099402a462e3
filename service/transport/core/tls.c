/* TLS on the listener. The library does the handshakes and therefore listens itself; which certificate it shows it asks
 * for at every handshake, and whom a caller's certificate names it tells with every call. */
#include "core_priv.h"

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>

/* Called for every handshake, one at a time. */
static grpc_ssl_certificate_config_reload_status certificate(void *context, grpc_ssl_server_certificate_config **config)
{
    core_tls *tls = context;
    const ipt_tls_pem *pem = ipt_tls_files_acquire(tls->files);
    grpc_ssl_certificate_config_reload_status status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    if (pem->number != tls->shown) {
        const grpc_ssl_pem_key_cert_pair pair = {.private_key = pem->key.p, .cert_chain = pem->cert.p};
        /* 1.51 as Debian builds it aborts without roots. Where nobody is asked for a certificate they are not used. */
        const char *roots = pem->client_ca.n == 0 ? pem->cert.p : pem->client_ca.p;
        *config = grpc_ssl_server_certificate_config_create(roots, &pair, 1);
        tls->shown = pem->number;
        status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
    }
    ipt_tls_pem_release(pem);
    return status;
}

static ipt_err copy_sans(core_tls *tls, const ipt_listener_spec *spec)
{
    size_t n = spec->tls_client_sans_count;
    if (n == 0)
        return IPT_OK;
    tls->sans = calloc(n, sizeof(*tls->sans));
    for (size_t i = 0; tls->sans != NULL && i < n; i++) {
        tls->sans[i] = strdup(spec->tls_client_sans[i]);
        if (tls->sans[i] == NULL)
            return IPT_ENOMEM;
        tls->san_count++;
    }
    return tls->sans == NULL ? IPT_ENOMEM : IPT_OK;
}

static void told(void *context, size_t which, ipt_tls_look look, const ipt_tls_fault *fault)
{
    const ipt_transport *transport = context;
    (void)which;
    ipt_log_line line;
    ipt_log_begin(&line, transport->log, look == IPT_TLS_TAKEN ? IPT_LOG_INFO : IPT_LOG_ERROR,
                  look == IPT_TLS_TAKEN ? "certificate renewed" : "certificate not renewed, the one in force stays");
    ipt_log_str(&line, "listener", IPT_SPAN("grpc"));
    if (look != IPT_TLS_TAKEN)
        ipt_log_str(&line, "reason", ipt_span_from(fault->text));
    ipt_log_end(&line);
}

ipt_err core_tls_open(ipt_transport *transport, const ipt_listener_spec *spec, char *why, size_t cap)
{
    core_tls *tls = &transport->tls;
    ipt_tls_fault fault;
    ipt_err err = ipt_tls_files_open(spec, &fault, &tls->files);
    if (err == IPT_OK)
        err = copy_sans(tls, spec);
    if (err == IPT_OK)
        err = ipt_tls_watch_start(&tls->files, 1, told, transport, &tls->watch);
    if (err != IPT_OK)
        snprintf(why, cap, "%s", err == IPT_ECONFIG ? fault.text : ipt_err_name(err));
    tls->asks = spec->tls_client_ca != NULL;
    return err;
}

bool core_tls_listen(ipt_transport *transport, const ipt_listener_spec *spec, char *why, size_t cap)
{
    core_tls *tls = &transport->tls;
    char host[IPT_ADDR_TEXT], address[IPT_ADDR_TEXT + 16];
    if (spec->kind == IPT_LISTEN_UNIX) {
        snprintf(why, cap, "TLS is not offered on a Unix socket, whose mode says who may connect");
        return false;
    }
    grpc_ssl_server_credentials_options *options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        tls->asks ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                  : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
        certificate, tls);
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_with_options(options);
    (void)ipt_addr_format(spec->host, host);
    bool is_v4 = ipt_addr_is_v4(spec->host);
    snprintf(address, sizeof(address), is_v4 ? "%s:%u" : "[%s]:%u", host, (unsigned)spec->port);
    int port = credentials == NULL ? 0 : grpc_server_add_http2_port(transport->server, address, credentials);
    if (credentials != NULL)
        grpc_server_credentials_release(credentials);
    if (port == 0) {
        snprintf(why, cap, "cannot listen: another program listens there, or the certificate was refused");
        return false;
    }
    snprintf(transport->door.listener.text, sizeof(transport->door.listener.text), is_v4 ? "%s:%d" : "[%s]:%d", host,
             port);
    return true;
}

void core_tls_close(core_tls *tls)
{
    ipt_tls_watch_stop(tls->watch);
    ipt_tls_files_close(tls->files);
    for (size_t i = 0; i < tls->san_count; i++)
        free(tls->sans[i]);
    free(tls->sans);
}

/* "ipv4:192.0.2.1:4711", "ipv6:[2001:db8::1]:4711"; brackets may come as %5B and %5D, and a zone as %25. */
bool core_tls_peer_addr(ipt_span peer, ipt_addr *out)
{
    char text[IPT_ADDR_TEXT + 16];
    size_t n = 0;
    if (peer.n < 6 || memcmp(peer.p, "ipv", 3) != 0 || peer.p[4] != ':')
        return false;
    for (size_t i = 5; i < peer.n; i++) {
        char c = peer.p[i];
        if (c == '%' && peer.n - i > 2) {
            if (peer.p[i + 1] != '5' || (peer.p[i + 2] | 0x20) < 'b')
                return false; /* a zone; link-local callers are nobody in particular */
            c = (peer.p[i + 2] | 0x20) == 'b' ? '[' : ']';
            i += 2;
        }
        if (n + 1 == sizeof(text))
            return false;
        text[n++] = c;
    }
    ipt_endpoint endpoint;
    if (!ipt_endpoint_parse((ipt_span){text, n}, &endpoint))
        return false;
    *out = endpoint.addr;
    return true;
}

enum { NAMES_MAX = 64 };

static size_t add_names(const grpc_auth_context *context, const char *property, ipt_san_kind kind, ipt_san *names,
                        size_t count)
{
    grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(context, property);
    for (const grpc_auth_property *p; count < NAMES_MAX && (p = grpc_auth_property_iterator_next(&it)) != NULL; count++)
        names[count] = (ipt_san){kind, {p->value, p->value_length}};
    return count;
}

/* The library has verified the certificate against client_ca; who may call beyond that is client_sans. */
static bool is_admitted(const core_tls *tls, grpc_call *call)
{
    ipt_san names[NAMES_MAX];
    size_t count = 0;
    grpc_auth_context *context = grpc_call_auth_context(call);
    bool verified = context != NULL && grpc_auth_context_peer_is_authenticated(context) != 0;
    if (verified && tls->san_count != 0) {
        count = add_names(context, GRPC_PEER_DNS_PROPERTY_NAME, IPT_SAN_DNS, names, count);
        count = add_names(context, GRPC_PEER_URI_PROPERTY_NAME, IPT_SAN_URI, names, count);
        count = add_names(context, GRPC_PEER_EMAIL_PROPERTY_NAME, IPT_SAN_EMAIL, names, count);
        count = add_names(context, GRPC_PEER_IP_PROPERTY_NAME, IPT_SAN_IP, names, count);
        verified = ipt_san_is_allowed(names, count, (const char *const *)tls->sans, tls->san_count);
    }
    if (context != NULL)
        grpc_auth_context_release(context);
    return verified;
}

bool core_tls_caller(const core_tls *tls, grpc_call *call, ipt_rpc_caller *out)
{
    char *peer = grpc_call_get_peer(call);
    ipt_addr addr;
    ipt_rpc_caller caller = {.verified = tls->asks};
    if (peer != NULL && core_tls_peer_addr(ipt_span_from(peer), &addr))
        caller.addr = addr;
    gpr_free(peer);
    *out = caller;
    return !tls->asks || is_admitted(tls, call);
}
