/* TLS of the listeners: their files are watched, each connection gets the certificate in force when it begins, and what
 * was renewed or refused is said in the log. Connections that are open live on with what they began with. */
#include "rest_priv.h"

#include <stdio.h>

enum { TELL_REFUSAL_MS = 1000 }; /* strangers choose how often they are refused, not how much we log */

const char *rest_face_name(rest_face face)
{
    static const char *const names[] = {"http", "health", "admin"};
    return names[face];
}

bool rest_tls_open(const ipt_listener_spec *spec, rest_listener *listener, char *why, size_t cap)
{
    ipt_tls_fault fault = {.text = "no memory"};
    if (spec->tls_cert == NULL || ipt_tls_files_open(spec, &fault, &listener->tls) == IPT_OK)
        return true;
    snprintf(why, cap, "%s", fault.text);
    return false;
}

bool rest_has_tls(const ipt_rest *rest, bool decides, bool secure)
{
    for (size_t i = 0; i < rest->listener_count; i++) {
        const rest_listener *listener = &rest->listeners[i];
        if ((listener->face == FACE_HTTP) == decides && (listener->tls != NULL) == secure)
            return true;
    }
    return false;
}

/* which counts the listeners with TLS. */
static const rest_listener *find(const ipt_rest *rest, size_t which)
{
    for (size_t i = 0; i < rest->listener_count; i++) {
        if (rest->listeners[i].tls != NULL && which-- == 0)
            return &rest->listeners[i];
    }
    return NULL;
}

static void told(void *context, size_t which, ipt_tls_look look, const ipt_tls_fault *fault)
{
    ipt_rest *rest = context;
    const rest_listener *listener = find(rest, which);
    bool taken = look == IPT_TLS_TAKEN;
    if (listener == NULL)
        return;
    ipt_log_line line;
    ipt_log_begin(&line, rest->log, taken ? IPT_LOG_INFO : IPT_LOG_ERROR,
                  taken ? "certificate renewed" : "certificate not renewed, the one in force stays");
    ipt_log_str(&line, "listener", ipt_span_from(rest_face_name(listener->face)));
    if (!taken)
        ipt_log_str(&line, "reason", ipt_span_from(fault->text));
    ipt_log_end(&line);
}

ipt_err rest_tls_watch(ipt_rest *rest)
{
    ipt_tls_files *files[REST_LISTENERS_MAX];
    size_t count = 0;
    for (const rest_listener *listener; (listener = find(rest, count)) != NULL; count++)
        files[count] = listener->tls;
    return count == 0 ? IPT_OK : ipt_tls_watch_start(files, count, told, rest, &rest->watch);
}

bool rest_tls_begin(rest_conn *conn, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL && ipt_tls_session_begin(info->tls_session, conn->tls_files, &conn->tls);
}

void rest_tls_end(rest_conn *conn)
{
    rest_loop *loop = conn->loop;
    if (conn->tls.refusal[0] == '\0' || (loop->refusal_told != 0 && loop->now - loop->refusal_told < TELL_REFUSAL_MS))
        return;
    loop->refusal_told = loop->now;
    ipt_log_line line;
    ipt_log_begin(&line, loop->rest->log, IPT_LOG_WARNING, "client certificate refused");
    ipt_log_str(&line, "listener", ipt_span_from(rest_face_name(conn->face)));
    ipt_log_str(&line, "peer", (ipt_span){conn->peer, conn->peer_n});
    ipt_log_str(&line, "reason", ipt_span_from(conn->tls.refusal));
    ipt_log_end(&line);
}
