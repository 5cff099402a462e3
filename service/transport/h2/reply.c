/* Answers: headers, messages and the status behind them, or a status alone (trailers-only). */
#include "h2_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* A header of ours; name and value are literals or live until it is submitted. */
static nghttp2_nv header(const char *name, const char *value, size_t n)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), n, NGHTTP2_NV_FLAG_NONE};
}

/* One whose name and value are literals: the library need not copy them. */
static nghttp2_nv literal(const char *name, const char *value)
{
    nghttp2_nv nv = header(name, value, strlen(value));
    nv.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    return nv;
}

enum { STATUS_HEADERS = 4 };

/* What a status becomes in headers; the texts live in it. */
typedef struct status_text {
    char code[12], message[3 * sizeof(((ipt_status *)0)->message)], details[H2_BINARY_MAX];
    nghttp2_nv headers[STATUS_HEADERS + H2_METADATA_MAX];
    size_t count;
} status_text;

static void write_status(const ipt_status *status, status_text *to)
{
    int n = snprintf(to->code, sizeof(to->code), "%d", (int)status->code);
    to->headers[to->count++] = header("grpc-status", to->code, (size_t)n);
    size_t length = h2_message_encode(to->message, sizeof(to->message), status->message);
    if (length != 0)
        to->headers[to->count++] = header("grpc-message", to->message, length);
    length = h2_binary_encode(to->details, sizeof(to->details), status->details, status->details_n);
    if (length != 0)
        to->headers[to->count++] = header("grpc-status-details-bin", to->details, length);
    if (status->code == IPT_GRPC_UNIMPLEMENTED) /* what would have been understood, when compression was refused */
        to->headers[to->count++] = header("grpc-accept-encoding", "identity", strlen("identity"));
}

/* Whatever the library refuses of an answer is a lack of memory, or the stream has ended meanwhile. */
static void submitted(h2_stream *stream, int result)
{
    if (result != 0 && result != NGHTTP2_ERR_STREAM_CLOSED && result != NGHTTP2_ERR_STREAM_CLOSING)
        h2_reply_reset(stream, NGHTTP2_INTERNAL_ERROR);
}

void h2_reply_reset(h2_stream *stream, uint32_t error)
{
    stream->ended = true;
    if (nghttp2_submit_rst_stream(stream->conn->session, NGHTTP2_FLAG_NONE, stream->id, error) != 0)
        stream->conn->failed = true;
}

static size_t add_metadata(h2_stream *stream, bool is_behind, nghttp2_nv *to)
{
    const h2_service *service = stream->conn->loop->transport->service;
    return service->metadata == NULL ? 0 : service->metadata(stream, is_behind, to);
}

static int submit_trailers(h2_stream *stream)
{
    if (stream->end == NULL) {
        nghttp2_nv ok[1 + H2_METADATA_MAX] = {literal("grpc-status", "0")};
        size_t count = 1 + add_metadata(stream, true, ok + 1);
        return nghttp2_submit_trailer(stream->conn->session, stream->id, ok, count);
    }
    status_text text = {.count = 0};
    write_status(stream->end, &text);
    text.count += add_metadata(stream, true, text.headers + text.count);
    return nghttp2_submit_trailer(stream->conn->session, stream->id, text.headers, text.count);
}

ssize_t h2_reply_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                      nghttp2_data_source *source, void *user)
{
    h2_stream *stream = source->ptr;
    (void)session;
    (void)id;
    (void)user;
    size_t left = stream->out.n - stream->out_at, take = left < n ? left : n;
    if (take != 0)
        memcpy(to, stream->out.p + stream->out_at, take);
    stream->out_at += take;
    stream->taken += take;
    if (take == left) {
        ipt_buf_reset(&stream->out);
        stream->out_at = 0;
        if (stream->ended) {
            *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (submit_trailers(stream) != 0)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        } else if (take == 0) {
            stream->deferred = true;
            return NGHTTP2_ERR_DEFERRED;
        }
    }
    h2_stream_goes_on(stream);
    return (ssize_t)take;
}

/* Says the headers, behind which come messages. */
static void begin(h2_stream *stream)
{
    enum { FIRST = 2 };
    nghttp2_nv headers[FIRST + H2_METADATA_MAX] = {literal(":status", "200"),
                                                   literal("content-type", "application/grpc")};
    size_t count = FIRST + add_metadata(stream, false, headers + FIRST);
    const nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = h2_reply_read};
    stream->answered = true;
    submitted(stream, nghttp2_submit_response(stream->conn->session, stream->id, headers, count, &provider));
}

static void resume(h2_stream *stream)
{
    if (!stream->deferred)
        return;
    stream->deferred = false;
    if (nghttp2_session_resume_data(stream->conn->session, stream->id) == NGHTTP2_ERR_NOMEM)
        stream->conn->failed = true;
}

void h2_reply_message(h2_stream *stream)
{
    h2_stream_touch(stream);
    if (!stream->answered)
        begin(stream);
    else
        resume(stream);
}

static void reply_status_alone(h2_stream *stream, const ipt_status *status)
{
    enum { FIRST = 2 };
    nghttp2_nv headers[FIRST + STATUS_HEADERS + H2_METADATA_MAX] = {literal(":status", "200"),
                                                                    literal("content-type", "application/grpc")};
    status_text text = {.count = 0};
    write_status(status, &text);
    text.count += add_metadata(stream, true, text.headers + text.count);
    memcpy(headers + FIRST, text.headers, text.count * sizeof(*headers));
    stream->answered = true;
    submitted(stream, nghttp2_submit_response(stream->conn->session, stream->id, headers, FIRST + text.count, NULL));
}

void h2_reply_end(h2_stream *stream, const ipt_status *status)
{
    static const ipt_status ok = {.code = IPT_GRPC_OK};
    if (stream->ended)
        return;
    stream->ended = true;
    h2_stream_touch(stream);
    if (!stream->answered) {
        reply_status_alone(stream, status == NULL ? &ok : status);
        return;
    }
    if (status != NULL && status->code != IPT_GRPC_OK) {
        stream->end = malloc(sizeof(*stream->end));
        if (stream->end == NULL) {
            h2_reply_reset(stream, NGHTTP2_INTERNAL_ERROR);
            return;
        }
        *stream->end = *status;
    }
    resume(stream);
}

void h2_reply_refuse(h2_stream *stream, ipt_problem_code code, const char *detail)
{
    h2_loop *loop = stream->conn->loop;
    if (stream->ended)
        return;
    loop->call.seat = loop->seat;
    ipt_method_refuse(stream->method, &loop->call, code, detail);
    h2_reply_end(stream, &loop->call.status);
}

void h2_reply_http(h2_stream *stream, unsigned status)
{
    char text[12];
    h2_loop *loop = stream->conn->loop;
    loop->call.seat = loop->seat;
    ipt_method_refuse(NULL, &loop->call, IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE, "this is no gRPC");
    int n = snprintf(text, sizeof(text), "%u", status);
    const nghttp2_nv headers[] = {header(":status", text, (size_t)n)};
    stream->answered = stream->ended = true;
    h2_stream_touch(stream);
    submitted(stream, nghttp2_submit_response(stream->conn->session, stream->id, headers, IPT_COUNT(headers), NULL));
}
