/* A call's headers: who is asked, until when, and whether it is gRPC at all (gRPC over HTTP/2, Requests). What HTTP/2
 * itself demands of a header block the library has checked. */
#include "h2_priv.h"

void h2_request_header(h2_stream *stream, ipt_span name, ipt_span value)
{
    const h2_service *service = stream->conn->loop->transport->service;
    int64_t timeout;
    switch (name.n) {
    case 5:
        if (ipt_span_equal(name, IPT_SPAN(":path")))
            stream->method = service->find(value);
        break;
    case 7:
        if (ipt_span_equal(name, IPT_SPAN(":method")))
            stream->is_post = ipt_span_equal(value, IPT_SPAN("POST"));
        break;
    case 12:
        if (ipt_span_equal(name, IPT_SPAN("content-type")))
            stream->is_grpc = h2_content_type_ok(value);
        else if (ipt_span_equal(name, IPT_SPAN("grpc-timeout"))) {
            if (h2_timeout_read(value, &timeout))
                stream->deadline = stream->conn->loop->now + timeout;
            else
                stream->bad_timeout = true;
        }
        break;
    case 13:
        if (ipt_span_equal(name, IPT_SPAN("grpc-encoding")))
            stream->is_packed = !ipt_span_equal(value, IPT_SPAN("identity"));
        break;
    default:
        break;
    }
    if (service->header != NULL)
        service->header(stream, name, value);
}

void h2_request_begin(h2_stream *stream)
{
    enum { BAD_METHOD = 405, BAD_TYPE = 415 };
    stream->in_headers = false;
    stream->ask_by = stream->conn->loop->now + h2_ms(H2_MESSAGE_MS);
    if (stream->header_bytes > H2_HEADERS_MAX)
        h2_reply_refuse(stream, IPT_PROBLEM_TOO_LARGE, "the metadata has more than 16384 bytes");
    else if (!stream->is_post)
        h2_reply_http(stream, BAD_METHOD);
    else if (!stream->is_grpc)
        h2_reply_http(stream, BAD_TYPE);
    else if (stream->method == NULL)
        h2_reply_refuse(stream, IPT_PROBLEM_METHOD_NOT_ALLOWED, "there is no method of this name");
    else if (stream->bad_timeout)
        h2_reply_refuse(stream, IPT_PROBLEM_BAD_REQUEST, "grpc-timeout is not a number and a unit");
    else if (stream->is_packed) /* a small message may stand for a large one */
        h2_reply_refuse(stream, IPT_PROBLEM_METHOD_NOT_ALLOWED, "compressed messages are not taken");
    else if (stream->conn->refused)
        h2_reply_refuse(stream, IPT_PROBLEM_CALLER_NOT_ALLOWED, "the certificate has no name of client_sans");
    else if (stream->method->kind == IPT_METHOD_STREAM)
        stream->ask_by = INT64_MAX; /* it may wait with its messages, and its deadline and the connection's age go on */
}
