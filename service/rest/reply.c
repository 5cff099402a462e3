/* Answers: buffers, headers that every answer has, problems. */
#include "rest_priv.h"

#include <stdio.h>
#include <stdlib.h>

rest_work *rest_work_take(rest_loop *loop)
{
    rest_work *work = loop->works;
    if (work == NULL)
        return calloc(1, sizeof(*work));
    loop->works = work->next;
    loop->work_count--;
    work->next = NULL;
    return work;
}

static void keep_or_free(ipt_buf *buf)
{
    if (buf->cap > REST_KEEP_BYTES)
        ipt_buf_done(buf);
    else
        ipt_buf_reset(buf);
}

void rest_work_give(rest_loop *loop, rest_work *work)
{
    if (work == NULL)
        return;
    if (loop->work_count >= REST_KEEP_WORKS) {
        ipt_buf_done(&work->body);
        ipt_buf_done(&work->out);
        free(work);
        return;
    }
    keep_or_free(&work->body);
    keep_or_free(&work->out);
    work->next = loop->works;
    loop->works = work;
    loop->work_count++;
}

void rest_answer(rest_conn *conn, unsigned status, const char *content_type)
{
    conn->request.answered = true;
    conn->request.status = status;
    conn->request.content_type = content_type;
}

void rest_answer_json(rest_conn *conn)
{
    ipt_buf_addc(&conn->request.work->out, '\n');
    rest_answer(conn, MHD_HTTP_OK, "application/json");
}

static const char *retry_after(ipt_problem_code code)
{
    return code == IPT_PROBLEM_OVERLOADED || code == IPT_PROBLEM_DRAINING || code == IPT_PROBLEM_BUSY ? "1" : NULL;
}

void rest_answer_problem(rest_conn *conn, const ipt_problem *problem, ipt_span request_id)
{
    rest_request *request = &conn->request;
    ipt_buf_reset(&request->work->out);
    ipt_problem_write_json(&request->work->out, problem, request_id);
    ipt_buf_addc(&request->work->out, '\n');
    request->result = ipt_result_of(problem->code);
    if (retry_after(problem->code) != NULL) {
        request->extra_name = MHD_HTTP_HEADER_RETRY_AFTER;
        request->extra_value = retry_after(problem->code);
    }
    rest_answer(conn, problem->status, "application/problem+json");
}

void rest_refuse(rest_conn *conn, ipt_problem_code code, const char *pointer, const char *format, ...)
{
    char detail[sizeof(((ipt_problem *)0)->detail)];
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    ipt_problem problem;
    ipt_problem_set(&problem, code, pointer, "%s", detail);
    rest_answer_problem(conn, &problem, (ipt_span){NULL, 0});
}

static struct MHD_Response *make_response(rest_conn *conn)
{
    rest_request *request = &conn->request;
    if (request->streamed)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, REST_STREAM_BLOCK, rest_stream_read, conn, NULL);
    ipt_buf *out = &request->work->out;
    if (request->served != NULL && request->status == MHD_HTTP_OK)
        return MHD_create_response_from_buffer(request->served->text.n, request->served->text.p,
                                               MHD_RESPMEM_PERSISTENT);
    if (out->failed) {
        static char sorry[] = "{\"type\":\"urn:iptrust:problem:internal\",\"status\":500,\"code\":\"internal\"}\n";
        request->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        request->content_type = "application/problem+json";
        request->result = ipt_result_of(IPT_PROBLEM_INTERNAL);
        return MHD_create_response_from_buffer(sizeof(sorry) - 1, sorry, MHD_RESPMEM_PERSISTENT);
    }
    /* The buffer lives until the request is completed, longer than the response. */
    return MHD_create_response_from_buffer(out->n, out->p, MHD_RESPMEM_PERSISTENT);
}

static bool add_headers(const rest_conn *conn, struct MHD_Response *response)
{
    const rest_request *request = &conn->request;
    bool ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES;
    if (ok && request->content_type != NULL)
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->content_type) == MHD_YES;
    for (size_t i = 0; ok && i < request->header_count; i++)
        ok = MHD_add_response_header(response, request->headers[i].name, request->headers[i].value) == MHD_YES;
    if (ok && request->served != NULL)
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, request->served->etag) == MHD_YES;
    if (ok && request->served != NULL && request->waits)
        ok = MHD_add_response_header(response, "Preference-Applied", "wait") == MHD_YES;
    if (ok && request->extra_name != NULL)
        ok = MHD_add_response_header(response, request->extra_name, request->extra_value) == MHD_YES;
    if (ok && (request->close || (conn->face == FACE_HTTP && ipt_engine_is_draining(conn->loop->rest->engine))))
        ok = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    return ok;
}

enum MHD_Result rest_reply(rest_conn *conn)
{
    struct MHD_Response *response = make_response(conn);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    rest_conn_phase(conn, PHASE_SENDING);
    if (add_headers(conn, response))
        result = MHD_queue_response(conn->request.mhd, conn->request.status, response);
    conn->request.queued = result == MHD_YES;
    MHD_destroy_response(response);
    return result;
}
