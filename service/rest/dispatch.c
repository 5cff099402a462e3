/* The way of a request: headers judged, route found, body collected, call made, answer queued. */
#include "rest_priv.h"

#include <stdlib.h>
#include <strings.h>

const rest_route rest_routes[] = {
    {FACE_HTTP, "/v1/resolve", TAIL_NONE, METHOD_GET | METHOD_POST, IPT_OP_RESOLVE, REST_MESSAGE_MAX,
     rest_call_resolve},
    {FACE_HTTP, "/v1/resolve/batch", TAIL_NONE, METHOD_POST, IPT_OP_BATCH, REST_BATCH_MAX, rest_call_batch},
    {FACE_HTTP, "/", TAIL_NONE, METHOD_GET, IPT_OP_ADDRESS, 0, rest_call_root},
    {FACE_HTTP, "/ip", TAIL_NONE, METHOD_GET, IPT_OP_ADDRESS, 0, rest_call_address},
    {FACE_HTTP, "/v1/ip/", TAIL_SEGMENT, METHOD_GET, IPT_OP_LOOKUP, 0, rest_call_lookup},
    {FACE_HTTP, "/v1/central", TAIL_NONE, METHOD_GET, IPT_OP_CENTRAL, 0, rest_call_central},
    {FACE_HTTP, "/v1/version", TAIL_NONE, METHOD_GET, IPT_OP_VERSION, 0, rest_call_version},
    {FACE_HTTP, "/v1/auth/nginx", TAIL_NONE, METHOD_GET | METHOD_POST, IPT_OP_AUTH_NGINX, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/nginx/", TAIL_SEGMENT, METHOD_GET | METHOD_POST, IPT_OP_AUTH_NGINX, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/haproxy", TAIL_NONE, METHOD_GET | METHOD_POST, IPT_OP_AUTH_HAPROXY, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/haproxy/", TAIL_SEGMENT, METHOD_GET | METHOD_POST, IPT_OP_AUTH_HAPROXY, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/traefik", TAIL_NONE, METHOD_GET | METHOD_POST, IPT_OP_AUTH_TRAEFIK, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/traefik/", TAIL_SEGMENT, METHOD_GET | METHOD_POST, IPT_OP_AUTH_TRAEFIK, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/caddy", TAIL_NONE, METHOD_GET | METHOD_POST, IPT_OP_AUTH_CADDY, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/caddy/", TAIL_SEGMENT, METHOD_GET | METHOD_POST, IPT_OP_AUTH_CADDY, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/envoy", TAIL_NONE, METHOD_ANY, IPT_OP_AUTH_ENVOY, 0, rest_call_auth},
    {FACE_HTTP, "/v1/auth/envoy/", TAIL_PATH, METHOD_ANY, IPT_OP_AUTH_ENVOY, 0, rest_call_auth},
    {FACE_HEALTH, "/livez", TAIL_NONE, METHOD_GET, IPT_OP_HEALTH, 0, rest_call_livez},
    {FACE_HEALTH, "/readyz", TAIL_NONE, METHOD_GET, IPT_OP_HEALTH, 0, rest_call_readyz},
    {FACE_HEALTH, "/metrics", TAIL_NONE, METHOD_GET, IPT_OP_METRICS, 0, rest_call_metrics},
    {FACE_ADMIN, "/v1/lists", TAIL_NONE, METHOD_GET, IPT_OP_ADMIN, 0, rest_call_lists},
    {FACE_ADMIN, "/v1/lists/", TAIL_SEGMENT, METHOD_GET, IPT_OP_ADMIN, 0, rest_call_list},
    {FACE_ADMIN, "/v1/lists/", TAIL_PATH, METHOD_POST, IPT_OP_ADMIN, 4096, rest_call_list_action},
    {FACE_ADMIN, "/v1/policies", TAIL_NONE, METHOD_GET, IPT_OP_ADMIN, 0, rest_call_policies},
    {FACE_ADMIN, "/v1/central", TAIL_NONE, METHOD_GET, IPT_OP_ADMIN, 0, rest_call_central_state},
    {FACE_ADMIN, "/v1/config", TAIL_NONE, METHOD_GET, IPT_OP_ADMIN, 0, rest_call_config},
    {FACE_ADMIN, "/v1/reload", TAIL_NONE, METHOD_POST, IPT_OP_ADMIN, 0, rest_call_reload},
};
const size_t rest_route_count = IPT_COUNT(rest_routes);

const rest_route *rest_route_find(rest_face face, const char *path, const char **tail)
{
    for (size_t i = 0; i < rest_route_count; i++) {
        const rest_route *route = &rest_routes[i];
        size_t n = strlen(route->path);
        if (route->face != face || strncmp(path, route->path, n) != 0)
            continue;
        /* One segment is one: /v1/lists/x/refresh is another call, not the list "x/refresh". */
        bool ends = path[n] == '\0', more = !ends && path[n] != '/';
        if (route->tail == TAIL_NONE ? ends : more && (route->tail == TAIL_PATH || strchr(path + n, '/') == NULL)) {
            *tail = path + n;
            return route;
        }
    }
    return NULL;
}

bool rest_media_is(ipt_span content_type, const char *wanted)
{
    size_t n = 0;
    while (n < content_type.n && content_type.p[n] != ';')
        n++;
    return ipt_span_equal_nocase(ipt_span_trim((ipt_span){content_type.p, n}), ipt_span_from(wanted));
}

/* `curl -d` says that it sends a form; who types the first request by hand is not sent away for that. */
static bool media_is_json(ipt_span type)
{
    return type.n == 0 || rest_media_is(type, "application/json") ||
           rest_media_is(type, "application/x-www-form-urlencoded");
}

bool rest_is_ndjson(const rest_conn *conn)
{
    return rest_media_is(conn->request.facts.content_type, "application/x-ndjson");
}

static bool parse_length(ipt_span text, uint64_t *out)
{
    uint64_t n = 0;
    text = ipt_span_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        if (__builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n))
            return false;
    }
    *out = n;
    return true;
}

static void refuse_method(rest_conn *conn, unsigned allowed)
{
    rest_request *request = &conn->request;
    rest_refuse(conn, IPT_PROBLEM_METHOD_NOT_ALLOWED, "", "this address does not take the method");
    request->extra_name = MHD_HTTP_HEADER_ALLOW;
    request->extra_value = allowed == METHOD_GET ? "GET, HEAD" : allowed == METHOD_POST ? "POST" : "GET, HEAD, POST";
}

/* 404, 405, 415, 403: what the first line and the headers already decide. */
static void judge(rest_conn *conn, const char *url, const char *method)
{
    rest_request *request = &conn->request;
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    request->post = strcmp(method, "POST") == 0;
    request->route = rest_route_find(conn->face, url, &request->tail);
    if (request->route == NULL) {
        rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "there is nothing at this address");
        return;
    }
    request->operation = request->route->operation;
    if (conn->face == FACE_ADMIN && !rest_admin_may(conn)) {
        rest_refuse(conn, IPT_PROBLEM_CALLER_NOT_ALLOWED, "", "the admin interface on TCP wants its bearer token");
        request->extra_name = MHD_HTTP_HEADER_WWW_AUTHENTICATE;
        request->extra_value = "Bearer";
        return;
    }
    unsigned methods = request->route->methods;
    if ((methods & METHOD_ANY) == 0 && !(get && (methods & METHOD_GET) != 0) &&
        !(request->post && (methods & METHOD_POST) != 0)) {
        refuse_method(conn, methods);
        return;
    }
    if (!request->post || request->route->body_max == 0)
        return;
    request->body_mode = BODY_COLLECT;
    request->body_max = request->route->body_max;
    if (request->operation == IPT_OP_BATCH && rest_is_ndjson(conn)) {
        request->operation = IPT_OP_NDJSON;
        request->body_max = REST_NDJSON_MAX;
    } else if (!media_is_json(request->facts.content_type))
        rest_refuse(conn, IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "", "the body must be application/json");
    if (request->facts.content_encoding.n != 0)
        rest_refuse(conn, IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "", "the body must not be compressed");
}

static void refuse_large(rest_conn *conn)
{
    rest_refuse(conn, IPT_PROBLEM_TOO_LARGE, "", "the body is larger than %zu bytes", conn->request.body_max);
}

/* 431 as the library itself answers when the block is larger still (RFC 6585, 5); the code's own 413 is of bodies. */
void rest_refuse_headers(rest_conn *conn)
{
    ipt_problem problem;
    ipt_problem_set(&problem, IPT_PROBLEM_TOO_LARGE, "", "the headers are larger than %d bytes, or too many",
                    REST_HEADER_MAX);
    problem.status = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
    rest_answer_problem(conn, &problem, (ipt_span){NULL, 0});
}

/* What is to become of a body of this length; true: the answer goes out now and the connection ends with it. */
static bool plan_body(rest_conn *conn)
{
    rest_request *request = &conn->request;
    uint64_t length = 0;
    bool has_body = request->facts.transfers != 0 || request->facts.lengths != 0;
    bool readable = request->facts.lengths == 0 || parse_length(request->facts.content_length, &length);
    if (!request->answered && request->body_mode == BODY_COLLECT && (!readable || length > request->body_max))
        refuse_large(conn);
    if (request->body_mode == BODY_NONE || request->answered)
        request->body_mode = BODY_DISCARD;
    /* A client that still sends may not see an answer given too early, so that what comes is read and thrown away, up
     * to a measure. One that waits for 100 Continue has sent nothing. */
    return request->answered && has_body && (request->facts.expects || !readable || length > REST_DISCARD_MAX);
}

static enum MHD_Result reply_and_close(rest_conn *conn)
{
    conn->request.close = true;
    return rest_reply(conn);
}

/* RFC 9112, 3.2.2: a server takes `GET http://host/ip` too. */
static const char *path_of(const char *url)
{
    size_t scheme = strncasecmp(url, "http://", 7) == 0 ? 7 : strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0)
        return url;
    const char *path = strchr(url + scheme, '/');
    return path == NULL ? "/" : path;
}

static enum MHD_Result begin(rest_conn *conn, struct MHD_Connection *mhd, const char *url, const char *method,
                             const char *version)
{
    rest_request *request = &conn->request;
    uint64_t begun = conn->since;
    bool known = conn->phase == PHASE_FRESH || conn->phase == PHASE_HEADERS;
    rest_conn_phase(conn, PHASE_BODY);
    if (known)
        conn->since = begun;
    request->mhd = mhd;
    request->begin_ns = ipt_clock_ns();
    request->work = rest_work_take(conn->loop);
    if (request->work == NULL)
        return MHD_NO;
    if (!rest_has_room(conn, REST_ANSWER_ROOM))
        return rest_refuse_without_room(conn);
    request->facts = rest_facts_read(mhd, request->target_end, method, version);
    if (request->facts.bad != NULL) {
        rest_refuse(conn, IPT_PROBLEM_BAD_REQUEST, "", "%s", request->facts.bad);
        return reply_and_close(conn);
    }
    if (request->facts.bytes + strlen(url) > REST_HEADER_MAX) {
        rest_refuse_headers(conn);
        return reply_and_close(conn);
    }
    judge(conn, path_of(url), method);
    return plan_body(conn) ? reply_and_close(conn) : MHD_YES;
}

static void call(rest_conn *conn)
{
    conn->request.route->call(conn);
}

/* Memory for bodies is one budget for all callers together. */
static bool reserve(rest_conn *conn, size_t more)
{
    rest_request *request = &conn->request;
    ipt_rest *rest = conn->loop->rest;
    uint64_t all = atomic_fetch_add_explicit(&rest->bodies, more, memory_order_relaxed) + more;
    request->body_counted += more;
    if (all > REST_BODIES_MAX || !ipt_buf_reserve(&request->work->body, more)) {
        rest_refuse(conn, IPT_PROBLEM_OVERLOADED, "", "too many large requests at the same time");
        return false;
    }
    return true;
}

static enum MHD_Result collect(rest_conn *conn, const char *upload, size_t n)
{
    rest_request *request = &conn->request;
    request->received += n;
    if (request->body_mode == BODY_DISCARD)
        return request->received > REST_DISCARD_MAX ? MHD_NO : MHD_YES;
    uint64_t length = 0;
    bool has_length = request->facts.lengths != 0 && parse_length(request->facts.content_length, &length);
    if (has_length && n == length && request->operation == IPT_OP_RESOLVE) {
        /* The whole body lies in the library's buffer: no copy. */
        request->body = (ipt_span){upload, n};
        call(conn);
        request->body = (ipt_span){NULL, 0};
        return MHD_YES;
    }
    if (request->received > request->body_max)
        refuse_large(conn);
    else if (reserve(conn, n)) {
        ipt_buf_add(&request->work->body, (ipt_span){upload, n});
        return MHD_YES;
    }
    request->body_mode = BODY_DISCARD;
    return MHD_YES;
}

static enum MHD_Result finish(rest_conn *conn)
{
    rest_request *request = &conn->request;
    if (conn->phase == PHASE_WAITING) /* was suspended and is back with its answer */
        return rest_reply(conn);
    if (!request->answered) {
        request->body = ipt_buf_span(&request->work->body);
        call(conn);
    }
    /* A suspended request belongs to the other thread now: not even `answered` may be looked at. */
    return conn->phase == PHASE_WAITING ? MHD_YES : rest_reply(conn);
}

enum MHD_Result rest_on_request(void *context, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_size, void **request_context)
{
    (void)context;
    rest_conn *conn = *request_context;
    if (conn == NULL) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        if (info == NULL || info->socket_context == NULL)
            return MHD_NO;
        conn = info->socket_context;
        if (conn->tls.required && !conn->tls.verified)
            return MHD_NO; /* never met: the handshake fails first */
        *request_context = conn;
        return begin(conn, mhd, url, method, version);
    }
    if (*upload_size != 0) {
        size_t n = *upload_size;
        *upload_size = 0;
        return conn->request.answered && conn->request.body_mode == BODY_COLLECT ? MHD_YES : collect(conn, upload, n);
    }
    return finish(conn);
}
