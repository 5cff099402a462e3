/* The decision for the very request that asks: its own headers and socket peer and nothing else. libmicrohttpd 0.9.75
 * hides folded lines, NUL and bare LF, so such a decision carries http_parser_lax. */
#include "rest_priv.h"

#include "iptrust/explain/explain.h"

typedef struct gathering {
    ipt_header *headers;
    size_t count, cap;
} gathering;

static enum MHD_Result gather(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
                              const char *value, size_t value_size)
{
    (void)kind;
    gathering *g = context;
    if (g->count == g->cap)
        return MHD_NO;
    g->headers[g->count++] = (ipt_header){.name = {key, key_size},
                                          .value = ipt_span_trim((ipt_span){value, value == NULL ? 0 : value_size})};
    return MHD_YES;
}

ipt_header *rest_own_lines(rest_conn *conn, size_t *count)
{
    rest_loop *loop = conn->loop;
    ipt_arena_reset(loop->arena);
    gathering g = {.cap = conn->request.facts.count};
    g.headers = ipt_arena_calloc(loop->arena, g.cap, sizeof(*g.headers));
    if (g.headers == NULL)
        return NULL;
    (void)MHD_get_connection_values_n(conn->request.mhd, MHD_HEADER_KIND, gather, &g);
    *count = g.count;
    return g.headers;
}

static bool own_request(rest_conn *conn, const ipt_generation *generation, ipt_call *out)
{
    size_t count;
    const ipt_header *lines = rest_own_lines(conn, &count);
    if (lines == NULL)
        return false;
    ipt_caller caller = rest_caller(conn, generation);
    *out = (ipt_call){.request = {.peer = {conn->peer, conn->peer_n},
                                  .headers = lines,
                                  .header_count = count,
                                  .caller = caller,
                                  .principal = conn->tls.principal,
                                  .http_parser_lax = true},
                      .want_geo = true,
                      .want_chain = true};
    const char *policy = MHD_lookup_connection_value(conn->request.mhd, MHD_GET_ARGUMENT_KIND, "policy");
    if (policy != NULL)
        out->policy = ipt_span_from(policy);
    return true;
}

typedef void write_answer(rest_conn *conn, const ipt_decision *decision, const ipt_call *call);

static void answer_own(rest_conn *conn, write_answer *write)
{
    rest_loop *loop = conn->loop;
    ipt_engine *engine = loop->rest->engine;
    ipt_call call;
    ipt_problem problem;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    if (!own_request(conn, generation, &call))
        rest_refuse(conn, IPT_PROBLEM_INTERNAL, "", "no memory");
    else if (ipt_engine_decide(engine, generation, &loop->seat, &call, IPT_API_REST, IPT_DETAIL_FULL, loop->decision,
                               &problem))
        write(conn, loop->decision, &call);
    else {
        problem.pointer[0] = '\0'; /* there is no body to point into */
        rest_answer_problem(conn, &problem, (ipt_span){NULL, 0});
    }
    ipt_engine_release(engine, generation);
}

static void write_json(rest_conn *conn, const ipt_decision *decision, const ipt_call *call)
{
    ipt_json_write_decision(&conn->request.work->out, decision, call);
    rest_answer_json(conn);
}

static void write_address(rest_conn *conn, const ipt_decision *decision, const ipt_call *call)
{
    (void)call;
    char text[IPT_ADDR_TEXT] = "-";
    if (decision->has_client)
        (void)ipt_addr_format(decision->client, text);
    ipt_buf_adds(&conn->request.work->out, text);
    ipt_buf_addc(&conn->request.work->out, '\n');
    rest_answer(conn, MHD_HTTP_OK, "text/plain; charset=utf-8");
}

void rest_write_page(rest_conn *conn, const ipt_decision *decision)
{
    ipt_explain_html(&conn->request.work->out, decision);
    conn->request.extra_name = MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY;
    conn->request.extra_value = ipt_explain_csp();
    rest_answer(conn, MHD_HTTP_OK, "text/html; charset=utf-8");
}

static void write_page(rest_conn *conn, const ipt_decision *decision, const ipt_call *call)
{
    (void)call;
    rest_write_page(conn, decision);
}

void rest_call_self(rest_conn *conn)
{
    conn->request.operation = IPT_OP_SELF;
    answer_own(conn, write_json);
}

void rest_call_address(rest_conn *conn)
{
    answer_own(conn, write_address);
}

/* Where a media type stands in an Accept header; SIZE_MAX when it does not. Browsers put text/html first, programs do
 * not name it, so that the order tells enough without weights. */
static size_t place_in(ipt_span accept, const char *type)
{
    const char *found = accept.n == 0 ? NULL : memmem(accept.p, accept.n, type, strlen(type));
    return found == NULL ? SIZE_MAX : (size_t)(found - accept.p);
}

rest_form rest_preferred_form(ipt_span accept, rest_form otherwise)
{
    size_t json = place_in(accept, "application/json"), plain = place_in(accept, "text/plain"),
           html = place_in(accept, "text/html");
    if (json == plain && plain == html) /* none of them is named */
        return otherwise;
    if (html < json && html < plain)
        return FORM_HTML;
    return json < plain ? FORM_JSON : FORM_PLAIN;
}

void rest_call_root(rest_conn *conn)
{
    switch (rest_preferred_form(conn->request.facts.accept, FORM_PLAIN)) {
    case FORM_PLAIN:
        answer_own(conn, write_address);
        break;
    case FORM_JSON:
        answer_own(conn, write_json);
        break;
    case FORM_HTML:
        answer_own(conn, write_page);
        break;
    }
}
