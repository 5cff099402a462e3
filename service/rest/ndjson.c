/* application/x-ndjson: one request and one result a line. Results are made as the client takes them, so that an answer
 * ten times the size of its question never lies in memory. */
#include "rest_priv.h"

/* The next line without its end; false after the last. */
static bool next_line(rest_request *request, ipt_span *out)
{
    while (request->stream_at < request->body.n) {
        const char *begin = request->body.p + request->stream_at;
        size_t left = request->body.n - request->stream_at;
        const char *end = memchr(begin, '\n', left);
        size_t n = end == NULL ? left : (size_t)(end - begin);
        request->stream_at += end == NULL ? n : n + 1;
        ipt_span line = ipt_span_trim((ipt_span){begin, n > 0 && begin[n - 1] == '\r' ? n - 1 : n});
        if (line.n == 0)
            continue; /* a blank line asks nothing */
        *out = line;
        return true;
    }
    return false;
}

static void write_line(rest_conn *conn, const ipt_generation *generation, ipt_span line)
{
    ipt_buf *out = &conn->request.work->out;
    if (line.n > REST_MESSAGE_MAX) {
        ipt_problem problem;
        ipt_problem_set(&problem, IPT_PROBLEM_TOO_LARGE, "", "the line is longer than %d bytes", REST_MESSAGE_MAX);
        ipt_buf_adds(out, "{\"problem\":");
        ipt_problem_write_json(out, &problem, (ipt_span){NULL, 0});
        ipt_buf_addc(out, '}');
    } else
        rest_decide_line(conn, generation, line);
    ipt_buf_addc(out, '\n');
}

static void refill(rest_conn *conn, size_t wanted)
{
    rest_request *request = &conn->request;
    ipt_engine *engine = conn->loop->rest->engine;
    ipt_span line;
    ipt_buf_reset(&request->work->out);
    request->stream_sent = 0;
    /* Held for this block alone: a client that reads slowly must not keep an old view alive. */
    const ipt_generation *generation = ipt_engine_acquire(engine);
    while (request->work->out.n < wanted && !request->work->out.failed && next_line(request, &line))
        write_line(conn, generation, line);
    ipt_engine_release(engine, generation);
}

ssize_t rest_stream_read(void *context, uint64_t position, char *out, size_t max)
{
    rest_conn *conn = context;
    rest_request *request = &conn->request;
    const ipt_buf *ready = &request->work->out;
    (void)position;
    if (request->stream_sent == ready->n)
        refill(conn, max);
    if (ready->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = ready->n - request->stream_sent;
    if (n == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n > max)
        n = max;
    memcpy(out, ready->p + request->stream_sent, n);
    request->stream_sent += n;
    rest_conn_phase(conn, PHASE_SENDING); /* something was taken: the stall begins anew */
    return (ssize_t)n;
}
