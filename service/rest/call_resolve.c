/* POST /v1/resolve and its batch forms. */
#include "rest_priv.h"

#include <stdio.h>

#include "iptrust/explain/explain.h"

/* The engine points into one request, which lies somewhere in a batch. */
static void prefix_pointer(ipt_problem *problem, const char *pointer)
{
    char inner[sizeof(problem->pointer)];
    memcpy(inner, problem->pointer, sizeof(inner));
    if (inner[0] != '\0')
        snprintf(problem->pointer, sizeof(problem->pointer), "%s%.60s", pointer, inner);
}

/* Where a request stands: text, or an element of a batch. */
typedef struct question {
    ipt_span text;
    const ipt_batch *batch; /* NULL: text */
    size_t at;
    const char *pointer; /* of it in the body */
} question;

static bool read_asked(const question *asked, ipt_arena *arena, ipt_call *call, ipt_problem *problem)
{
    ipt_arena_reset(arena);
    return asked->batch != NULL ? ipt_batch_read(asked->batch, asked->at, asked->pointer, arena, call, problem)
                                : ipt_json_read_request(asked->text, asked->pointer, arena, call, problem);
}

/* Reads and decides; the decision is in the loop's. False: problem. */
static bool decide(rest_conn *conn, const ipt_generation *generation, const question *asked, ipt_call *call,
                   ipt_problem *problem)
{
    rest_loop *loop = conn->loop;
    *call = (ipt_call){.request_id = {NULL, 0}};
    if (!read_asked(asked, loop->arena, call, problem))
        return false;
    call->request.caller = rest_caller(conn, generation);
    if (ipt_engine_decide(loop->rest->engine, generation, &loop->seat, call, IPT_API_REST, IPT_DETAIL_FULL,
                          loop->decision, problem))
        return true;
    prefix_pointer(problem, asked->pointer);
    return false;
}

/* JSON unless the caller names another form: people ask for the picture (iptrust explain --server). */
static void write_preferred(rest_conn *conn, const ipt_call *call)
{
    const ipt_explain_style style = {.colour = false, .unicode = false};
    ipt_buf *out = &conn->request.work->out;
    switch (rest_preferred_form(conn->request.facts.accept, FORM_JSON)) {
    case FORM_JSON:
        ipt_json_write_decision(out, conn->loop->decision, call);
        rest_answer_json(conn);
        break;
    case FORM_PLAIN:
        ipt_explain_text(out, conn->loop->decision, style);
        rest_answer(conn, MHD_HTTP_OK, "text/plain; charset=utf-8");
        break;
    case FORM_HTML:
        rest_write_page(conn, conn->loop->decision);
        break;
    }
}

void rest_call_resolve(rest_conn *conn)
{
    rest_loop *loop = conn->loop;
    if (!conn->request.post) {
        rest_call_self(conn);
        return;
    }
    ipt_call call;
    ipt_problem problem;
    const ipt_generation *generation = ipt_engine_acquire(loop->rest->engine);
    if (decide(conn, generation, &(question){.text = conn->request.body, .pointer = ""}, &call, &problem))
        write_preferred(conn, &call);
    else
        rest_answer_problem(conn, &problem, call.request_id);
    ipt_engine_release(loop->rest->engine, generation);
}

/* As {"decision":{}} or {"problem":{}}. */
static void decide_item(rest_conn *conn, const ipt_generation *generation, const question *asked)
{
    ipt_call call;
    ipt_problem problem;
    ipt_buf *out = &conn->request.work->out;
    if (decide(conn, generation, asked, &call, &problem)) {
        ipt_buf_adds(out, "{\"decision\":");
        ipt_json_write_decision(out, conn->loop->decision, &call);
    } else {
        ipt_buf_adds(out, "{\"problem\":");
        ipt_problem_write_json(out, &problem, call.request_id);
    }
    ipt_buf_addc(out, '}');
}

void rest_decide_line(rest_conn *conn, const ipt_generation *generation, ipt_span line)
{
    decide_item(conn, generation, &(question){.text = line, .pointer = ""});
}

void rest_call_batch(rest_conn *conn)
{
    rest_request *request = &conn->request;
    rest_loop *loop = conn->loop;
    if (request->operation == IPT_OP_NDJSON) {
        request->streamed = true;
        rest_answer(conn, MHD_HTTP_OK, "application/x-ndjson");
        return;
    }
    ipt_batch batch;
    ipt_problem problem;
    ipt_arena_reset(loop->batch_arena);
    if (!ipt_json_read_batch(request->body, REST_BATCH_COUNT_MAX, loop->batch_arena, &batch, &problem)) {
        rest_answer_problem(conn, &problem, (ipt_span){NULL, 0});
        return;
    }
    ipt_buf *out = &request->work->out;
    const ipt_generation *generation = ipt_engine_acquire(loop->rest->engine);
    ipt_buf_adds(out, "{\"results\":[");
    for (size_t i = 0; i < batch.count; i++) {
        char pointer[32];
        snprintf(pointer, sizeof(pointer), "/requests/%zu", i);
        if (i != 0)
            ipt_buf_addc(out, ',');
        decide_item(conn, generation, &(question){.batch = &batch, .at = i, .pointer = pointer});
    }
    ipt_buf_adds(out, "]}");
    ipt_engine_release(loop->rest->engine, generation);
    rest_answer_json(conn);
}
