/* HTTP/2 of one connection: bytes in, bytes out, and what the library tells in between. The limits that it lacks are
 * counted here. */
#include "h2_priv.h"

#include <stdlib.h>

/* ---- memory of the library, so that tests can make it fail ---- */

static void *take_memory(size_t n, void *user)
{
    (void)user;
    return malloc(n);
}

static void *take_zeroed(size_t count, size_t n, void *user)
{
    (void)user;
    return calloc(count, n);
}

static void *take_again(void *p, size_t n, void *user)
{
    (void)user;
    return realloc(p, n);
}

static void give_back(void *p, void *user)
{
    (void)user;
    free(p);
}

static h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return id == 0 ? NULL : nghttp2_session_get_stream_user_data(session, id);
}

void h2_session_enough(h2_conn *conn)
{
    if (nghttp2_session_terminate_session(conn->session, NGHTTP2_ENHANCE_YOUR_CALM) != 0)
        conn->failed = true;
}

/* ---- what comes ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_conn *conn = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    h2_stream *stream = h2_stream_new(conn, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (nghttp2_session_set_stream_user_data(session, stream->id, stream) == 0)
        return 0;
    h2_stream_free(stream);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static ipt_span text_of(nghttp2_rcbuf *buf)
{
    nghttp2_vec vec = nghttp2_rcbuf_get_buf(buf);
    return (ipt_span){(const char *)vec.base, vec.len};
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                     uint8_t flags, void *user)
{
    enum { OVERHEAD = 32 }; /* RFC 9113, 6.5.2 */
    h2_conn *conn = user;
    h2_stream *stream = stream_of(session, frame->hd.stream_id);
    (void)flags;
    if (stream == NULL)
        return 0;
    ipt_span n = text_of(name), v = text_of(value);
    stream->header_bytes += (uint32_t)(n.n + v.n + OVERHEAD);
    if (stream->header_bytes > H2_HEADERS_BOMB)
        h2_session_enough(conn);
    else if (stream->in_headers && stream->header_bytes <= H2_HEADERS_MAX)
        h2_request_header(stream, n, v);
    return 0;
}

static void on_ping(h2_conn *conn, const nghttp2_frame *frame)
{
    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        return;
    conn->ping_by = INT64_MAX;
    h2_drain_step(conn);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_conn *conn = user;
    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        conn->greeted = true;
        conn->hello_by = INT64_MAX;
        return 0;
    case NGHTTP2_PING:
        on_ping(conn, frame);
        return 0;
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
        break;
    default:
        return 0;
    }
    h2_stream *stream = stream_of(session, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    if (stream->in_headers && frame->hd.type == NGHTTP2_HEADERS)
        h2_request_begin(stream);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        h2_stream_said_all(stream);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
    h2_stream *stream = stream_of(session, id);
    (void)flags;
    (void)user;
    if (stream == NULL)
        return nghttp2_session_consume(session, id, n) == NGHTTP2_ERR_NOMEM ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    h2_stream_feed(stream, (ipt_span){(const char *)bytes, n});
    return 0;
}

/* ---- what goes ---- */

/* Our side of the call is over; a caller who still sends is told to stop (RFC 9113, 8.1). */
static void after_end(nghttp2_session *session, int32_t id)
{
    h2_stream *stream = stream_of(session, id);
    if (stream != NULL && !stream->said_all)
        h2_reply_reset(stream, NGHTTP2_NO_ERROR);
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_conn *conn = user;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        h2_flood_answered(&conn->flood);
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            after_end(session, frame->hd.stream_id);
        break;
    case NGHTTP2_RST_STREAM:
        if (!h2_flood_ok(&conn->flood, H2_EVENT_RESET_OUT, conn->loop->now))
            h2_session_enough(conn);
        break;
    default:
        break;
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    h2_stream *stream = stream_of(session, id);
    (void)error;
    (void)user;
    if (stream == NULL)
        return 0;
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    h2_stream_free(stream);
    return 0;
}

/* ---- its life ---- */

ipt_err h2_session_setup(ipt_transport *transport)
{
    enum { SETTINGS_MAX = 16, ACKS_MAX = 256, RESETS = 10000, RESETS_A_SECOND = 1000 };
    if (nghttp2_session_callbacks_new(&transport->callbacks) != 0 || nghttp2_option_new(&transport->option) != 0)
        return IPT_ENOMEM;
    nghttp2_session_callbacks *callbacks = transport->callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option *option = transport->option;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_settings(option, SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    /* Its default of 33 a second is what one honest proxy with impatient clients makes. */
    nghttp2_option_set_stream_reset_rate_limit(option, RESETS, RESETS_A_SECOND);
    return IPT_OK;
}

bool h2_session_new(h2_conn *conn)
{
    h2_place_init(&conn->place);
    static nghttp2_mem memory = {NULL, take_memory, give_back, take_zeroed, take_again};
    const ipt_transport *transport = conn->loop->transport;
    if (nghttp2_session_server_new3(&conn->session, transport->callbacks, conn, transport->option, &memory) != 0)
        return false;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, transport->limit_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADERS_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings, IPT_COUNT(settings)) == 0 &&
           nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0, H2_CONN_WINDOW) == 0;
}

bool h2_session_feed(h2_conn *conn, const uint8_t *bytes, size_t n)
{
    conn->last_in = conn->loop->now;
    if (!h2_place_walk(conn, bytes, n)) {
        h2_session_enough(conn);
        return false;
    }
    if (nghttp2_session_mem_recv(conn->session, bytes, n) >= 0)
        return true;
    if (nghttp2_session_terminate_session(conn->session, NGHTTP2_PROTOCOL_ERROR) != 0)
        conn->failed = true;
    return false;
}

bool h2_session_take(h2_conn *conn)
{
    h2_loop *loop = conn->loop;
    while (loop->out_n < H2_OUT_FULL) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(conn->session, &bytes);
        if (n == 0)
            return true;
        if (n < 0 || (size_t)n > H2_OUT - loop->out_n)
            return false;
        memcpy(loop->out + loop->out_n, bytes, (size_t)n);
        loop->out_n += (size_t)n;
    }
    return true;
}

bool h2_session_is_over(const h2_conn *conn)
{
    return nghttp2_session_want_read(conn->session) == 0 && nghttp2_session_want_write(conn->session) == 0;
}

void h2_session_retime(h2_conn *conn)
{
    for (h2_stream *stream = conn->streams; stream != NULL && stream->touched; stream = stream->next) {
        stream->touched = false;
        h2_stream_retime(stream);
    }
}
