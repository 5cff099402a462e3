/* A call's messages: each is answered as soon as it is whole, in the loop's memory. What a caller makes us hold beyond
 * a little is counted, and who goes on when it is too much is refused. */
#include "h2_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- storage ---- */

static void link_first(h2_stream *stream)
{
    h2_conn *conn = stream->conn;
    stream->prev = NULL;
    stream->next = conn->streams;
    if (stream->next != NULL)
        stream->next->prev = stream;
    conn->streams = stream;
}

static void unlink_stream(h2_stream *stream)
{
    if (stream->prev != NULL)
        stream->prev->next = stream->next;
    else
        stream->conn->streams = stream->next;
    if (stream->next != NULL)
        stream->next->prev = stream->prev;
}

h2_stream *h2_stream_new(h2_conn *conn, int32_t id)
{
    h2_loop *loop = conn->loop;
    h2_stream *stream = loop->spare;
    if (stream != NULL) {
        loop->spare = stream->next;
        loop->spare_count--;
    } else {
        stream = calloc(1, sizeof(*stream));
        if (stream == NULL)
            return NULL;
    }
    *stream = (h2_stream){.alarm.of_stream = true,
                          .conn = conn,
                          .id = id,
                          .deadline = INT64_MAX,
                          .ask_by = INT64_MAX,
                          .take_by = INT64_MAX,
                          .in_headers = true,
                          .touched = true,
                          .reader.body = stream->reader.body, /* with the room that they have */
                          .out = stream->out};
    h2_frame_reader_reset(&stream->reader);
    ipt_buf_reset(&stream->out);
    link_first(stream);
    conn->stream_count++;
    return stream;
}

static void keep_little(ipt_buf *buf)
{
    if (buf->cap > H2_KEEP_BYTES)
        ipt_buf_done(buf);
}

static void unwatch(h2_stream *stream)
{
    if (stream->watch == NULL)
        return;
    if (stream->watch_prev != NULL)
        stream->watch_prev->watch_next = stream->watch_next;
    else
        stream->conn->loop->watches = stream->watch_next;
    if (stream->watch_next != NULL)
        stream->watch_next->watch_prev = stream->watch_prev;
    free(stream->watch);
    stream->watch = NULL;
}

static void count_held(h2_stream *stream, size_t now)
{
    h2_conn *conn = stream->conn;
    if (now == stream->held)
        return;
    conn->held += now - stream->held;
    atomic_fetch_add_explicit(&conn->loop->transport->held, now - stream->held, memory_order_relaxed);
    stream->held = now;
}

static void free_stream(h2_stream *stream)
{
    h2_frame_reader_done(&stream->reader);
    ipt_buf_done(&stream->out);
    free(stream);
}

void h2_stream_free(h2_stream *stream)
{
    h2_loop *loop = stream->conn->loop;
    if (stream->own != NULL)
        loop->transport->service->over(stream);
    h2_timer_cancel(&loop->timers, &stream->alarm.timer);
    unwatch(stream);
    unlink_stream(stream);
    stream->conn->stream_count--;
    count_held(stream, 0);
    ipt_buf_done(&stream->inbox);
    free(stream->end);
    keep_little(&stream->reader.body);
    keep_little(&stream->out);
    if (loop->spare_count == H2_SPARE_MAX) {
        free_stream(stream);
        return;
    }
    stream->next = loop->spare;
    loop->spare = stream;
    loop->spare_count++;
}

void h2_spares_free(h2_loop *loop)
{
    while (loop->spare != NULL) {
        h2_stream *next = loop->spare->next;
        free_stream(loop->spare);
        loop->spare = next;
    }
    loop->spare_count = 0;
}

/* ---- what is held ---- */

static void recount(h2_stream *stream)
{
    size_t all = stream->reader.body.cap + stream->inbox.cap + stream->out.cap;
    count_held(stream, all > H2_HELD_FREE ? all : 0);
}

/* False: it is too much, and the call is refused. */
static bool is_within_budget(h2_stream *stream)
{
    const h2_conn *conn = stream->conn;
    if (conn->held <= H2_CONN_HELD_MAX &&
        (conn->held == 0 ||
         atomic_load_explicit(&conn->loop->transport->held, memory_order_relaxed) <= H2_ALL_HELD_MAX))
        return true;
    h2_frame_reader_done(&stream->reader);
    ipt_buf_done(&stream->inbox);
    recount(stream);
    h2_reply_refuse(stream, IPT_PROBLEM_TOO_LARGE, "too many bytes of messages are under way");
    return false;
}

/* Bytes that were used make room for others. */
static void consume(const h2_stream *stream, size_t n)
{
    if (n != 0 && nghttp2_session_consume(stream->conn->session, stream->id, n) == NGHTTP2_ERR_NOMEM)
        stream->conn->failed = true;
}

/* ---- messages ---- */

static bool is_in_time(h2_stream *stream)
{
    if (stream->deadline > (int64_t)ipt_clock_ns())
        return true;
    h2_reply_refuse(stream, IPT_PROBLEM_DEADLINE_EXCEEDED, "it passed before the call was looked at");
    return false;
}

/* Runs the method; its answer is framed in out. */
static bool run(h2_stream *stream, ipt_rpc_call *call, ipt_span bytes)
{
    static const char room[H2_PREFIX] = {0};
    size_t at = stream->out.n;
    call->seat = stream->conn->loop->seat;
    call->caller = stream->conn->caller;
    ipt_buf_add(&stream->out, (ipt_span){room, sizeof(room)});
    if (!ipt_method_run(stream->method, call, bytes, &stream->out)) {
        stream->out.n = at;
        stream->out.failed = false;
        h2_reply_end(stream, &call->status);
        return false;
    }
    h2_frame_prefix((uint8_t *)stream->out.p + at, stream->out.n - at - H2_PREFIX);
    stream->queued += stream->out.n - at;
    return true;
}

static void begin_watch(h2_stream *stream, ipt_span bytes)
{
    h2_loop *loop = stream->conn->loop;
    ipt_rpc_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        h2_reply_refuse(stream, IPT_PROBLEM_INTERNAL, "out of memory");
        return;
    }
    if (!run(stream, call, bytes)) {
        free(call);
        return;
    }
    stream->ask_by = INT64_MAX;
    stream->watch = call;
    stream->watch_prev = NULL;
    stream->watch_next = loop->watches;
    if (loop->watches != NULL)
        loop->watches->watch_prev = stream;
    loop->watches = stream;
    h2_reply_message(stream);
}

static void answer(h2_stream *stream, const h2_frame *frame)
{
    ipt_rpc_call *call = &stream->conn->loop->call;
    if (stream->deadline != INT64_MAX && !is_in_time(stream))
        return;
    if (!is_within_budget(stream))
        return;
    if (frame->compressed) {
        h2_reply_refuse(stream, IPT_PROBLEM_METHOD_NOT_ALLOWED, "compressed messages are not taken");
        return;
    }
    const h2_service *service = stream->conn->loop->transport->service;
    if (service->message != NULL) {
        service->message(stream, frame->bytes);
        return;
    }
    if (stream->method->kind == IPT_METHOD_WATCH) {
        if (stream->watch == NULL)
            begin_watch(stream, frame->bytes);
        return;
    }
    if (!run(stream, call, frame->bytes))
        return;
    bool is_last = stream->method->kind == IPT_METHOD_UNARY;
    stream->ended = is_last; /* OK, known before the library reads */
    h2_reply_message(stream);
}

/* What may be in one message: more would be refused when it is whole, too, but held until then. */
static size_t message_max(const h2_stream *stream)
{
    ipt_engine *engine = stream->conn->loop->transport->engine;
    if (!stream->method->own_limit)
        return IPT_RPC_RECEIVE_MAX;
    const ipt_generation *generation = ipt_engine_acquire(engine);
    uint64_t max = generation->view->config->limit_message;
    ipt_engine_release(engine, generation);
    return max > IPT_RPC_RECEIVE_MAX ? IPT_RPC_RECEIVE_MAX : (size_t)max;
}

static void refuse_frame(h2_stream *stream, h2_frame_result result)
{
    char text[64];
    if (result == H2_FRAME_TOO_LARGE) {
        snprintf(text, sizeof(text), "the message has more than %zu bytes", message_max(stream));
        h2_reply_refuse(stream, IPT_PROBLEM_TOO_LARGE, text);
    } else if (result == H2_FRAME_NO_MEMORY)
        h2_reply_refuse(stream, IPT_PROBLEM_INTERNAL, "out of memory");
    else
        h2_reply_refuse(stream, IPT_PROBLEM_BAD_REQUEST, "a message begins with a flag that there is not");
}

static bool is_backed_up(const h2_stream *stream)
{
    return stream->out.n - stream->out_at > H2_BACKLOG_MAX;
}

/* Answers what is whole in input, which it shortens; stops when too many answers wait. */
static void look(h2_stream *stream, ipt_span *input)
{
    while (!stream->ended && !is_backed_up(stream)) {
        h2_frame frame;
        h2_frame_result result = h2_frame_next(&stream->reader, input, message_max(stream), &frame);
        if (result == H2_FRAME_MORE)
            break;
        if (result == H2_FRAME_WHOLE)
            answer(stream, &frame);
        else
            refuse_frame(stream, result);
    }
    bool is_waiting = stream->ended || h2_frame_is_between(&stream->reader);
    if (stream->method != NULL && stream->method->kind == IPT_METHOD_STREAM) {
        if (is_waiting)
            stream->ask_by = INT64_MAX;
        else if (stream->ask_by == INT64_MAX)
            stream->ask_by = stream->conn->loop->now + h2_ms(H2_MESSAGE_MS);
    }
    if (is_waiting && stream->reader.body.cap > H2_HELD_FREE)
        ipt_buf_done(&stream->reader.body);
}

void h2_stream_feed(h2_stream *stream, ipt_span bytes)
{
    size_t all = bytes.n;
    if (stream->ended) {
        consume(stream, all);
        return;
    }
    h2_stream_touch(stream);
    if (stream->inbox.n == 0)
        look(stream, &bytes);
    if (stream->ended)
        bytes.n = 0;
    consume(stream, all - bytes.n);
    ipt_buf_add(&stream->inbox, bytes); /* at most a window, which stays shut as long */
    if (stream->inbox.failed)
        h2_reply_reset(stream, NGHTTP2_INTERNAL_ERROR);
    recount(stream);
    if (stream->held != 0)
        (void)is_within_budget(stream);
}

/* The caller's side is over and everything was looked at. */
static void end_when_done(h2_stream *stream)
{
    if (!stream->said_all || stream->ended || stream->inbox.n != 0)
        return;
    const h2_service *service = stream->conn->loop->transport->service;
    if (!h2_frame_is_between(&stream->reader))
        h2_reply_refuse(stream, IPT_PROBLEM_BAD_REQUEST, "the message is cut off");
    else if (service->said_all != NULL)
        service->said_all(stream);
    else if (stream->method->kind == IPT_METHOD_STREAM)
        h2_reply_end(stream, NULL);
    else if (stream->watch == NULL)
        h2_reply_refuse(stream, IPT_PROBLEM_BAD_REQUEST, "there is no message in the call");
}

void h2_stream_said_all(h2_stream *stream)
{
    stream->said_all = true;
    end_when_done(stream);
}

void h2_stream_goes_on(h2_stream *stream)
{
    size_t before = stream->inbox.n;
    if (stream->out.n == 0 && stream->out.cap > H2_HELD_FREE && !stream->ended)
        ipt_buf_done(&stream->out);
    if (before != 0 && !is_backed_up(stream)) {
        ipt_span left = ipt_buf_span(&stream->inbox);
        look(stream, &left);
        if (stream->ended)
            left.n = 0;
        consume(stream, before - left.n);
        if (left.n != 0 && left.n != before)
            memmove(stream->inbox.p, left.p, left.n);
        stream->inbox.n = left.n;
        if (left.n == 0)
            ipt_buf_done(&stream->inbox);
        end_when_done(stream);
    }
    recount(stream);
    h2_stream_touch(stream);
}

/* ---- watches ---- */

static void look_watch(h2_stream *stream, bool closing)
{
    static const ipt_status draining = {.code = IPT_GRPC_UNAVAILABLE, .message = "draining: this daemon ends"};
    static const char room[H2_PREFIX] = {0};
    ipt_buf_add(&stream->out, (ipt_span){room, sizeof(room)});
    if (!stream->out.failed && ipt_method_watch(stream->watch, &stream->out) && !stream->out.failed) {
        h2_frame_prefix((uint8_t *)stream->out.p, stream->out.n - H2_PREFIX);
        stream->queued += stream->out.n;
        h2_reply_message(stream);
        return;
    }
    ipt_buf_reset(&stream->out);
    if (closing)
        h2_reply_end(stream, &draining);
}

void h2_watch_look(h2_loop *loop)
{
    bool any = false;
    for (h2_stream *stream = loop->watches, *next; stream != NULL; stream = next) {
        next = stream->watch_next;
        if (stream->ended || stream->out.n != 0) /* not yet taken */
            continue;
        look_watch(stream, loop->closing);
        stream->conn->dirty = any = true;
    }
    for (h2_conn *conn = loop->conns, *next; any && conn != NULL; conn = next) {
        next = conn->next;
        if (conn->dirty)
            h2_conn_settle(conn);
    }
}

/* ---- time ---- */

void h2_stream_touch(h2_stream *stream)
{
    if (stream->touched)
        return;
    stream->touched = true;
    if (stream->conn->streams == stream)
        return;
    unlink_stream(stream);
    link_first(stream);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void h2_stream_retime(h2_stream *stream)
{
    h2_loop *loop = stream->conn->loop;
    bool waits = stream->ended || stream->taken < stream->queued;
    if (!waits)
        stream->take_by = INT64_MAX;
    else if (stream->take_by == INT64_MAX || stream->taken >= stream->take_mark) {
        stream->take_mark = stream->queued;
        if (stream->take_by == INT64_MAX || stream->taken < stream->queued)
            stream->take_by = loop->now + h2_ms(H2_MESSAGE_MS);
    }
    if (stream->in_headers) /* how long that may take the connection knows */
        return;
    int64_t at = stream->ended ? stream->take_by : least(least(stream->deadline, stream->ask_by), stream->take_by);
    if (at == INT64_MAX)
        h2_timer_cancel(&loop->timers, &stream->alarm.timer);
    else
        h2_timer_set(&loop->timers, &stream->alarm.timer, at);
}

void h2_stream_alarm(h2_stream *stream)
{
    int64_t now = stream->conn->loop->now;
    if (stream->take_by <= now && (stream->ended || stream->taken < stream->take_mark)) {
        h2_reply_reset(stream, NGHTTP2_CANCEL);
        stream->take_by = INT64_MAX; /* the reset has to go out, too */
    } else if (!stream->ended && stream->deadline <= now)
        h2_reply_refuse(stream, IPT_PROBLEM_DEADLINE_EXCEEDED, "it passed before the call was over");
    else if (!stream->ended && stream->ask_by <= now)
        h2_reply_refuse(stream, IPT_PROBLEM_DEADLINE_EXCEEDED, "the message did not come in time");
    h2_stream_retime(stream);
}
