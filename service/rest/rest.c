/* The face as a whole: listeners bound, loops opened, started and ended in order. */
#include "rest_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

unsigned ipt_rest_shards(unsigned loops)
{
    return loops + 1;
}

static ipt_err count_init(ipt_rest *rest)
{
    static const char *const reasons[] = {"reason"}, *const refusals[] = {"limit", "address_limit", "ok"};
    ipt_metrics *m = ipt_engine_metrics(rest->engine);
    for (unsigned i = 0; i < IPT_COUNT(rest->refusals); i++)
        rest->refusals[i] = ipt_metrics_value(m, refusals[i]);
    return ipt_metrics_counter(m, "iptrust_connections_refused",
                               "Connections closed at once, by the limit that they met.", reasons, 1, &rest->refused);
}

static void log_listener(ipt_rest *rest, ipt_log_level level, const char *msg, rest_face face, const char *address,
                         const char *why)
{
    ipt_log_line line;
    ipt_log_begin(&line, rest->log, level, msg);
    ipt_log_str(&line, "listener", ipt_span_from(rest_face_name(face)));
    if (address != NULL)
        ipt_log_str(&line, "address", ipt_span_from(address));
    if (why != NULL)
        ipt_log_str(&line, "reason", ipt_span_from(why));
    ipt_log_end(&line);
}

/* Whatever the configuration says of the address, what was handed over may be TCP. */
static bool is_guarded(const ipt_rest *rest, const rest_listener *listener, char *why, size_t cap)
{
    if (listener->face != FACE_ADMIN || listener->socket.is_unix || rest->token.n != 0)
        return true;
    snprintf(why, cap,
             "admin on TCP wants admin.listen on TCP with a token_file, for a socket that is handed over, too");
    return false;
}

/* optional: a listener that nobody asked for may be missing, with a warning. */
static bool add_listener(ipt_rest *rest, const ipt_listener_spec *spec, const ipt_inherited *inherited, rest_face face,
                         bool optional)
{
    char why[320];
    if (spec->kind == IPT_LISTEN_OFF && ipt_inherited_find(inherited, rest_face_name(face)) < 0)
        return true;
    rest_listener *listener = &rest->listeners[rest->listener_count];
    listener->face = face;
    listener->socket.fd = -1;
    if (rest_tls_open(spec, listener, why, sizeof(why)) &&
        ipt_inherited_open(inherited, rest_face_name(face), spec, &listener->socket, why, sizeof(why)) &&
        is_guarded(rest, listener, why, sizeof(why))) {
        rest->listener_count++;
        log_listener(rest, IPT_LOG_INFO, "listening", face, listener->socket.text,
                     listener->socket.inherited ? "handed over" : NULL);
        return true;
    }
    ipt_listener_close(&listener->socket);
    ipt_tls_files_close(listener->tls);
    listener->tls = NULL;
    log_listener(rest, optional ? IPT_LOG_WARNING : IPT_LOG_ERROR, optional ? "listener is off" : "cannot listen", face,
                 spec->kind == IPT_LISTEN_UNIX ? spec->path : spec->text, why);
    return optional;
}

static bool add_admin(ipt_rest *rest, const ipt_config *config, const ipt_inherited *inherited)
{
    char path[IPT_LISTENER_PATH_MAX];
    if (config->admin.stated || ipt_inherited_find(inherited, "admin") >= 0) {
        if (config->admin.kind == IPT_LISTEN_TCP && !rest_token_read(config->admin.token_file, &rest->token)) {
            log_listener(rest, IPT_LOG_ERROR, "cannot listen", FACE_ADMIN, config->admin.text,
                         "on TCP admin wants a token_file that is not empty");
            return false;
        }
        return add_listener(rest, &config->admin, inherited, FACE_ADMIN, false);
    }
    if (config->admin.kind == IPT_LISTEN_OFF)
        return true;
    ipt_listener_spec spec = rest_admin_default(config, path);
    if (spec.kind == IPT_LISTEN_OFF)
        log_listener(rest, IPT_LOG_WARNING, "listener is off", FACE_ADMIN, NULL,
                     "no directory for its socket: state admin.listen, or set XDG_RUNTIME_DIR");
    return add_listener(rest, &spec, NULL, FACE_ADMIN, true);
}

static bool take_auth_token(ipt_rest *rest, const ipt_config *config)
{
    if (config->auth_token_file == NULL || rest_token_read(config->auth_token_file, &rest->auth_token))
        return true;
    log_listener(rest, IPT_LOG_ERROR, "cannot listen", FACE_HTTP, config->http.text,
                 "auth.token_file cannot be read or is empty");
    return false;
}

static ipt_err open_loops(ipt_rest *rest, unsigned loops)
{
    rest->loops = calloc(loops + 1, sizeof(*rest->loops));
    if (rest->loops == NULL)
        return IPT_ENOMEM;
    rest->loop_count = loops + 1;
    for (unsigned i = 0; i < rest->loop_count; i++) {
        rest_loop *loop = &rest->loops[i];
        loop->rest = rest;
        loop->number = i;
        loop->decides = i < loops;
        loop->seat = (ipt_seat){.shard = i, .random = (ipt_clock_ns() << 8 | i) | 1};
        ipt_err err = rest_loop_open(loop);
        if (err != IPT_OK)
            return err;
    }
    return IPT_OK;
}

/* What is read again beside the configuration itself. */
static void on_reload(void *context, const ipt_config *config, ipt_diag *diag)
{
    ipt_rest *rest = context;
    rest_token_renew(rest, config, diag);
    if (rest->watch != NULL)
        ipt_tls_watch_now(rest->watch);
}

static bool add_listeners(ipt_rest *rest, const ipt_config *config, const ipt_inherited *inherited)
{
    return add_listener(rest, &config->http, inherited, FACE_HTTP, false) &&
           add_listener(rest, &config->health, inherited, FACE_HEALTH, false) && add_admin(rest, config, inherited);
}

ipt_err ipt_rest_open(ipt_engine *engine, const ipt_config *config, const ipt_inherited *inherited, unsigned loops,
                      ipt_rest **out)
{
    ipt_auto(ipt_rest) *rest = calloc(1, sizeof(*rest));
    if (rest == NULL)
        return IPT_ENOMEM;
    rest->engine = engine;
    rest->log = ipt_engine_log(engine);
    rest->keepalive_ms = config->limit_keepalive_ms;
    rest->may_wait = config->signing_key_file != NULL;
    (void)pthread_mutex_init(&rest->token_lock, NULL);
    ipt_engine_on_reload(engine, on_reload, rest);
    ipt_err err = count_init(rest);
    if (err == IPT_OK)
        err = ipt_gate_init(&rest->gate, config->limit_connections, config->limit_per_address);
    if (err == IPT_OK && !take_auth_token(rest, config))
        err = IPT_EIO;
    if (err == IPT_OK && !add_listeners(rest, config, inherited))
        err = IPT_EIO;
    if (err == IPT_OK)
        err = open_loops(rest, loops == 0 ? 1 : loops);
    if (err != IPT_OK)
        return err;
    *out = rest;
    rest = NULL;
    return IPT_OK;
}

ipt_err ipt_rest_start(ipt_rest *rest)
{
    for (unsigned i = 0; i < rest->loop_count; i++) {
        ipt_err err = rest_loop_start(&rest->loops[i]);
        if (err != IPT_OK)
            return err;
    }
    return rest_tls_watch(rest);
}

static void set_state(ipt_rest *rest, rest_state state)
{
    atomic_store(&rest->state, (int)state);
    for (unsigned i = 0; i < rest->loop_count; i++)
        rest_loop_wake(&rest->loops[i]);
}

static bool is_listening(const ipt_rest *rest)
{
    bool listening = false;
    for (unsigned i = 0; i < rest->loop_count; i++)
        listening = listening || (rest->loops[i].decides && rest->loops[i].started && rest->loops[i].listening);
    return listening;
}

void ipt_rest_close_listeners(ipt_rest *rest)
{
    enum { LET_IN_US = 50000, LOOK_US = 5000, LOOKS = 100 }; /* for the loops to take in who stands at the door */
    for (size_t i = 0; i < rest->listener_count; i++) {
        if (rest->listeners[i].face == FACE_HTTP)
            ipt_listener_no_more(&rest->listeners[i].socket);
    }
    set_state(rest, REST_CLOSING);
    (void)usleep(LET_IN_US);
    for (size_t i = 0; i < rest->listener_count; i++) {
        if (rest->listeners[i].face != FACE_HTTP)
            continue;
        for (unsigned look = 0; look < LOOKS && ipt_listener_is_waited(&rest->listeners[i].socket); look++)
            (void)usleep(LOOK_US);
        ipt_listener_shut(&rest->listeners[i].socket);
    }
    set_state(rest, REST_CLOSED);
    /* A socket that was handed over is not shut, so a loop that has not heard yet would still accept, after the caller
     * has counted that there is nobody left. */
    for (unsigned look = 0; look < LOOKS && is_listening(rest); look++)
        (void)usleep(LOOK_US);
}

const char *ipt_rest_http_address(const ipt_rest *rest)
{
    for (size_t i = 0; i < rest->listener_count; i++) {
        if (rest->listeners[i].face == FACE_HTTP)
            return rest->listeners[i].socket.text;
    }
    return NULL;
}

size_t ipt_rest_connections(ipt_rest *rest)
{
    size_t n = 0;
    for (unsigned i = 0; i < rest->loop_count; i++) {
        if (rest->loops[i].decides)
            n += atomic_load_explicit(&rest->loops[i].connections, memory_order_relaxed);
    }
    return n;
}

void ipt_rest_close(ipt_rest *rest)
{
    if (rest == NULL)
        return;
    ipt_engine_stop(rest->engine); /* nobody may resume a connection that is gone */
    ipt_engine_on_reload(rest->engine, NULL, NULL);
    ipt_tls_watch_stop(rest->watch);
    if (rest->loops != NULL)
        set_state(rest, REST_STOPPED);
    for (unsigned i = 0; i < rest->loop_count; i++)
        rest_loop_close(&rest->loops[i]);
    for (size_t i = 0; i < rest->listener_count; i++) {
        ipt_listener_close(&rest->listeners[i].socket);
        ipt_tls_files_close(rest->listeners[i].tls);
    }
    free(rest->loops);
    ipt_gate_done(&rest->gate);
    rest_token_forget(&rest->token);
    rest_token_forget(&rest->auth_token);
    (void)pthread_mutex_destroy(&rest->token_lock);
    free(rest);
}
