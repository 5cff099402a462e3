/* /v1/auth/{nginx,haproxy,traefik,caddy,envoy}[/{policy}]: a proxy asks about the request that it holds, in the dialect
 * of its own authorization subrequest (interfaces.md, REST). */
#include "rest_priv.h"

static const struct {
    rest_peer_source source;
    bool told_removals; /* it takes away what x-envoy-auth-headers-to-remove names */
} dialects[] = {
    [IPT_OP_AUTH_NGINX - IPT_OP_AUTH_NGINX] = {PEER_NAMED, false},
    [IPT_OP_AUTH_HAPROXY - IPT_OP_AUTH_NGINX] = {PEER_NAMED, false},
    [IPT_OP_AUTH_TRAEFIK - IPT_OP_AUTH_NGINX] = {PEER_FORWARDED, false},
    [IPT_OP_AUTH_CADDY - IPT_OP_AUTH_NGINX] = {PEER_FORWARDED, false},
    [IPT_OP_AUTH_ENVOY - IPT_OP_AUTH_NGINX] = {PEER_FORWARDED, true},
};

static bool knows_the_token(rest_conn *conn, const rest_auth *auth)
{
    ipt_rest *rest = conn->loop->rest;
    (void)pthread_mutex_lock(&rest->token_lock);
    bool knows = auth->tokens == 1 && rest->auth_token.n != 0 &&
                 ipt_span_equal_secret(auth->token, ipt_buf_span(&rest->auth_token));
    (void)pthread_mutex_unlock(&rest->token_lock);
    return knows;
}

/* Envoy appends the path of the client's request to its own prefix: what follows the policy is the client's. */
static ipt_span policy_of(const rest_request *request)
{
    const char *end = strchrnul(request->tail, '/');
    return (ipt_span){*request->tail == '\0' ? NULL : request->tail, (size_t)(end - request->tail)};
}

/* Whether this caller may say who somebody else is; else it has been answered. */
static bool may_ask(rest_conn *conn, const ipt_generation *generation, rest_peer_source source, const rest_auth *auth,
                    ipt_caller *caller)
{
    if (source == PEER_NAMED && !conn->is_unix && !knows_the_token(conn, auth)) {
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is nothing at this address");
        return false;
    }
    *caller = rest_caller(conn, generation);
    if (*caller != IPT_CALLER_UNKNOWN)
        return true;
    rest_refuse(conn, IPT_PROBLEM_CALLER_NOT_ALLOWED, "", "the address of this proxy is not in callers");
    return false;
}

static const char *join(const char *const *names, size_t count, ipt_arena *arena)
{
    size_t n = 0, room = 1;
    for (size_t i = 0; i < count; i++)
        room += strlen(names[i]) + 2;
    char *text = ipt_arena_alloc(arena, room);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        memcpy(text + n, names[i], length);
        memcpy(text + n + length, ", ", 2);
        n += length + 2;
    }
    text[n == 0 ? 0 : n - 2] = '\0';
    return text;
}

/* "-" rather than nothing: a proxy that copies a header which is not there leaves the client's own in place. */
static bool put_headers(rest_conn *conn, const ipt_callout *callout, bool denied, bool told_removals)
{
    ipt_arena *arena = conn->loop->arena;
    rest_request *request = &conn->request;
    ipt_callout_header *to = ipt_arena_calloc(arena, IPT_CALLOUT_FACTS + callout->rewrite_count + 1, sizeof(*to));
    const char *removed = "";
    if (told_removals && !denied && callout->removed_count != 0)
        removed = join(callout->removed, callout->removed_count, arena);
    if (to == NULL || removed == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        const ipt_callout_fact *fact = &callout->facts[i];
        to[n++] = (ipt_callout_header){fact->header, fact->text == NULL ? "-" : fact->text};
    }
    for (size_t i = 0; i < callout->rewrite_count && !denied; i++)
        to[n++] = callout->rewrites[i];
    if (*removed != '\0')
        to[n++] = (ipt_callout_header){"x-envoy-auth-headers-to-remove", removed};
    request->headers = to;
    request->header_count = n;
    return true;
}

/* A head that the library has no room for would end the connection without a word, which a proxy that fails open takes
 * for a service that is down: whoever sends enough lines would not be asked about. */
static bool has_room(const rest_conn *conn)
{
    size_t n = REST_ANSWER_ROOM;
    for (size_t i = 0; i < conn->request.header_count; i++)
        n += strlen(conn->request.headers[i].name) + strlen(conn->request.headers[i].value) + 4; /* ": " and CRLF */
    return rest_has_room(conn, n);
}

static void answer(rest_conn *conn, const ipt_header *lines, size_t count, bool told_removals)
{
    const ipt_decision *decision = conn->loop->decision;
    bool denied = decision->ruling.action == IPT_ACTION_DENY;
    ipt_callout callout;
    if (ipt_callout_build(decision, lines, count, conn->loop->arena, &callout) != IPT_OK ||
        !put_headers(conn, &callout, denied, told_removals)) {
        rest_refuse(conn, IPT_PROBLEM_INTERNAL, "", "no memory");
        return;
    }
    if (!has_room(conn)) {
        conn->request.header_count = 0;
        rest_refuse_headers(conn);
        return;
    }
    if (!denied) {
        rest_answer(conn, MHD_HTTP_OK, NULL);
        return;
    }
    ipt_buf_adds(&conn->request.work->out, ipt_callout_denial());
    ipt_buf_addc(&conn->request.work->out, '\n');
    rest_answer(conn, MHD_HTTP_FORBIDDEN, "application/problem+json");
}

static void decide(rest_conn *conn, const ipt_generation *generation, const rest_auth *auth, ipt_caller caller,
                   const ipt_header *lines, size_t count, bool told_removals)
{
    rest_loop *loop = conn->loop;
    ipt_problem problem;
    const ipt_call call = {.request = {.peer = auth->peer,
                                       .headers = auth->evidence,
                                       .header_count = auth->evidence_count,
                                       .caller = caller,
                                       .http_parser_lax = true,
                                       .peer_header_forged = auth->forged},
                           .policy = policy_of(&conn->request)};
    if (auth->peer.n == 0)
        rest_refuse(conn, IPT_PROBLEM_PEER_UNKNOWN, "", "no header names the peer of the proxy, or two do");
    else if (ipt_engine_decide(loop->rest->engine, generation, &loop->seat, &call, IPT_API_AUTH, IPT_DETAIL_FULL,
                               loop->decision, &problem))
        answer(conn, lines, count, told_removals);
    else {
        problem.pointer[0] = '\0'; /* there is no body to point into */
        rest_answer_problem(conn, &problem, (ipt_span){NULL, 0});
    }
}

void rest_call_auth(rest_conn *conn)
{
    rest_loop *loop = conn->loop;
    size_t dialect = (size_t)(conn->request.operation - IPT_OP_AUTH_NGINX), count = 0;
    rest_peer_source source = dialects[dialect].source;
    rest_auth auth;
    ipt_caller caller;
    const ipt_header *lines = rest_own_lines(conn, &count);
    ipt_header *evidence = ipt_arena_calloc(loop->arena, count, sizeof(*evidence));
    if (lines == NULL || evidence == NULL) {
        rest_refuse(conn, IPT_PROBLEM_INTERNAL, "", "no memory");
        return;
    }
    rest_auth_read(source, lines, count, evidence, &auth);
    const ipt_generation *generation = ipt_engine_acquire(loop->rest->engine);
    if (may_ask(conn, generation, source, &auth, &caller))
        decide(conn, generation, &auth, caller, lines, count, dialects[dialect].told_removals);
    ipt_engine_release(loop->rest->engine, generation);
}
