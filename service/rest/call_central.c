/* GET /v1/central: our lists and policies for others, who may wait for the next (RFC 7240, 4.3). On admin: what we have
 * from a central place ourselves. */
#include "iptrust/engine/central.h"
#include "rest_priv.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WAIT_MAX_S = 60, LOOK_MS = 250 };

static ipt_span header_of(rest_conn *conn, const char *name)
{
    return ipt_span_from(MHD_lookup_connection_value(conn->request.mhd, MHD_HEADER_KIND, name));
}

/* The next item of a list header, trimmed. */
static bool next_item(ipt_span *rest, ipt_span *item)
{
    if (rest->n == 0)
        return false;
    const char *comma = memchr(rest->p, ',', rest->n);
    size_t n = comma == NULL ? rest->n : (size_t)(comma - rest->p);
    *item = ipt_span_trim((ipt_span){rest->p, n});
    n += comma != NULL;
    *rest = (ipt_span){rest->p + n, rest->n - n};
    return true;
}

/* Seconds that the caller is ready to wait; 0: none. */
static unsigned preferred_wait(ipt_span prefer)
{
    ipt_span item;
    while (next_item(&prefer, &item)) {
        uint64_t seconds = 0;
        if (item.n < 6 || item.n > 10 || !ipt_span_equal_nocase((ipt_span){item.p, 5}, IPT_SPAN("wait=")))
            continue;
        for (size_t i = 5; i < item.n; i++) {
            if (item.p[i] < '0' || item.p[i] > '9')
                return 0;
            seconds = seconds * 10 + (uint64_t)(item.p[i] - '0');
        }
        return seconds > WAIT_MAX_S ? WAIT_MAX_S : (unsigned)seconds;
    }
    return 0;
}

/* RFC 9110, 13.1.2: compared weakly. */
static bool has_etag(ipt_span condition, const char *etag)
{
    ipt_span item;
    while (next_item(&condition, &item)) {
        if (item.n > 2 && memcmp(item.p, "W/", 2) == 0)
            item = (ipt_span){item.p + 2, item.n - 2};
        if (ipt_span_equal(item, IPT_SPAN("*")) || ipt_span_equal(item, ipt_span_from(etag)))
            return true;
    }
    return false;
}

static void answer(rest_conn *conn, bool changed)
{
    rest_answer(conn, changed ? MHD_HTTP_OK : MHD_HTTP_NOT_MODIFIED, changed ? "text/plain; charset=utf-8" : NULL);
}

static void refuse_off(rest_conn *conn)
{
    rest_refuse(conn, IPT_PROBLEM_NOT_FOUND, "", "serve_central is not configured");
}

void rest_call_central(rest_conn *conn)
{
    rest_request *request = &conn->request;
    rest_loop *loop = conn->loop;
    ipt_engine *engine = loop->rest->engine;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    bool trusted = rest_caller(conn, generation) == IPT_CALLER_TRUSTED;
    ipt_engine_release(engine, generation);
    if (!trusted) {
        rest_refuse(conn, IPT_PROBLEM_CALLER_NOT_ALLOWED, "", "the central document is for callers of class trusted");
        return;
    }
    request->served = ipt_engine_served(engine);
    if (request->served == NULL) {
        refuse_off(conn);
        return;
    }
    unsigned wait_s = loop->rest->may_wait ? preferred_wait(header_of(conn, "Prefer")) : 0;
    request->waits = wait_s != 0;
    bool changed = !has_etag(header_of(conn, "If-None-Match"), request->served->etag);
    if (changed || wait_s == 0 || ipt_engine_is_draining(engine)) {
        answer(conn, changed);
        return;
    }
    request->wait_until = ipt_clock_ms() + wait_s * UINT64_C(1000);
    rest_conn_phase(conn, PHASE_WAITING);
    loop->waiting++;
    MHD_suspend_connection(request->mhd);
}

static void end_wait(rest_conn *conn, bool changed)
{
    rest_request *request = &conn->request;
    if (changed) {
        ipt_served_release(request->served);
        request->served = ipt_engine_served(conn->loop->rest->engine);
    }
    if (request->served == NULL)
        refuse_off(conn);
    else
        answer(conn, changed);
    conn->loop->waiting--;
    MHD_resume_connection(request->mhd);
}

void rest_central_look(rest_loop *loop)
{
    ipt_engine *engine = loop->rest->engine;
    uint64_t number = loop->waiting == 0 ? 0 : ipt_engine_served_number(engine);
    if (loop->waiting == 0 || (number == loop->looked_number && loop->now - loop->looked < LOOK_MS))
        return;
    bool draining = ipt_engine_is_draining(engine);
    loop->looked = loop->now;
    loop->looked_number = number;
    for (rest_conn *conn = loop->first; conn != NULL; conn = conn->next) {
        const rest_request *request = &conn->request;
        if (conn->phase != PHASE_WAITING || request->wait_until == 0 || request->answered)
            continue;
        bool changed = number != request->served->number;
        if (changed || draining || loop->now >= request->wait_until)
            end_wait(conn, changed);
    }
}

void rest_write_central(ipt_buf *out, const ipt_central_state *state, bool whole)
{
    char text[IPT_CLOCK_TEXT];
    if (!state->configured) {
        ipt_buf_adds(out, "null");
        return;
    }
    ipt_buf_adds(out, "{\"serial\":");
    if (state->in_force)
        ipt_buf_addf(out, "\"%" PRIu64 "\"", state->serial); /* more than a double holds */
    else
        ipt_buf_adds(out, "null");
    ipt_buf_addf(out, ",\"last_result\":\"%s\"", ipt_central_event_name(state->event));
    if (whole) {
        ipt_clock_format(state->event_at, text);
        ipt_buf_addf(out, ",\"last_result_at\":\"%s\",\"detail\":", state->event == IPT_CENTRAL_NEVER ? "" : text);
        ipt_json_write_string(out, ipt_span_from(state->why));
        ipt_clock_format(state->taken, text);
        ipt_buf_addf(out, ",\"taken\":\"%s\"", state->in_force ? text : "");
        ipt_clock_format(state->expires, text);
        ipt_buf_addf(out, ",\"expires\":\"%s\"", state->in_force && state->has_expires ? text : "");
    }
    ipt_buf_addc(out, '}');
}

void rest_call_central_state(rest_conn *conn)
{
    ipt_central_state state = ipt_engine_central(conn->loop->rest->engine);
    rest_write_central(&conn->request.work->out, &state, true);
    rest_answer_json(conn);
}
