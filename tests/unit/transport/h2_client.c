/* A client that keeps no secrets: it counts what it sees. */
#include "h2_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void h2_bench_open(h2_bench *bench)
{
    char path[] = "/tmp/ipt-h2-XXXXXX";
    static const char text[] = "grpc: {listen: 127.0.0.1:0}\nlimits: {keepalive: 5m, connection_age: 30m}\n"
                               "policies: {default: {}}\n";
    ipt_diag diag;
    int fd = mkstemp(path);
    const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1};
    bool good = fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && close(fd) == 0 &&
                ipt_diag_init(&diag) == IPT_OK && ipt_engine_open(&options, &diag, &bench->engine) == IPT_OK &&
                ipt_rpc_new(bench->engine, &bench->rpc) == IPT_OK;
    assert(good);
    ipt_diag_done(&diag);
    (void)unlink(path);
    const ipt_generation *generation = ipt_engine_acquire(bench->engine);
    static const h2_service methods = {.find = ipt_method_find};
    ipt_err err =
        h2_transport_open(bench->engine, bench->rpc, generation->view->config, NULL, 1, 0, &methods, &bench->transport);
    ipt_engine_release(bench->engine, generation);
    assert(err == IPT_OK);
    bench->loop = &bench->transport->loops[0];
    (void)err;
    (void)good;
}

void h2_bench_close(h2_bench *bench)
{
    ipt_transport_close(bench->transport);
    ipt_rpc_free(bench->rpc);
    ipt_engine_close(bench->engine);
}

h2_seen *h2_client_find(h2_client *client, int32_t id)
{
    for (unsigned i = 0; i < client->count; i++) {
        if (client->seen[i].id == id)
            return &client->seen[i];
    }
    return NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    h2_seen *seen = h2_client_find(user, frame->hd.stream_id);
    char text[16];
    (void)session, (void)flags;
    if (seen == NULL)
        return 0;
    snprintf(text, sizeof(text), "%.*s", (int)value_n, (const char *)value);
    if (ipt_span_equal((ipt_span){(const char *)name, name_n}, IPT_SPAN(":status")))
        seen->http = (int)strtol(text, NULL, 10);
    if (ipt_span_equal((ipt_span){(const char *)name, name_n}, IPT_SPAN("grpc-status"))) {
        seen->grpc = (int)strtol(text, NULL, 10);
        seen->trailed = frame->headers.cat == NGHTTP2_HCAT_HEADERS;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
    h2_seen *seen = h2_client_find(user, id);
    ipt_span left = {(const char *)bytes, n};
    h2_frame frame;
    (void)session, (void)flags;
    if (seen == NULL)
        return 0;
    seen->bytes += n;
    while (h2_frame_next(&seen->reader, &left, SIZE_MAX, &frame) == H2_FRAME_WHOLE)
        seen->messages++;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_client *client = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->goaways++;
        client->goaway_last = frame->goaway.last_stream_id;
        client->goaway_error = frame->goaway.error_code;
    }
    client->pings += frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    h2_seen *seen = h2_client_find(user, id);
    (void)session;
    if (seen == NULL)
        return 0;
    seen->ended = true;
    seen->reset = error;
    return 0;
}

bool h2_client_open(h2_client *client, h2_bench *bench, uint32_t window)
{
    nghttp2_session_callbacks *callbacks;
    *client = (h2_client){.count = 0};
    client->conn = h2_conn_new(bench->loop, -1, true, (ipt_addr){0, 0});
    if (client->conn == NULL)
        return false;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        abort();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0)
        abort();
    nghttp2_option_set_max_send_header_block_length(option, 1 << 20); /* bombs, too */
    if (nghttp2_session_client_new2(&client->session, callbacks, client, option) != 0)
        abort();
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window == 0 ? 65535 : window}};
    (void)nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings, 1);
    return true;
}

void h2_client_close(h2_client *client)
{
    for (unsigned i = 0; i < client->count; i++)
        h2_frame_reader_done(&client->seen[i].reader);
    if (client->conn != NULL)
        h2_conn_free(client->conn);
    nghttp2_session_del(client->session);
}

/* The body is kept until the stream has ended. */
typedef struct body {
    char *bytes;
    size_t n, at;
    bool end;
} body;

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    body *b = source->ptr;
    size_t take = b->n - b->at < n ? b->n - b->at : n;
    (void)session, (void)id, (void)user;
    if (take == 0 && b->n != 0 && b->at == b->n && !b->end)
        return NGHTTP2_ERR_DEFERRED;
    if (take != 0)
        memcpy(to, b->bytes + b->at, take);
    b->at += take;
    if (b->at == b->n && b->end)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return take == 0 && !b->end ? NGHTTP2_ERR_DEFERRED : (ssize_t)take;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

static body bodies[H2_CALLS_MAX]; /* of the client that is open */

static h2_seen *submit(h2_client *client, const nghttp2_nv *headers, size_t count, const nghttp2_data_provider *data)
{
    int32_t id = nghttp2_submit_request(client->session, NULL, headers, count, data, NULL);
    if (id < 0)
        abort();
    h2_seen *seen = &client->seen[client->count++];
    *seen = (h2_seen){.id = id, .http = -1, .grpc = -1};
    return seen;
}

h2_seen *h2_client_call(h2_client *client, const char *path, ipt_span bytes, bool end, const char *name,
                        const char *value)
{
    nghttp2_nv headers[8] = {nv(":method", "POST"), nv(":scheme", "http"), nv(":path", path),
                             nv(":authority", "x"), nv("te", "trailers"),  nv("content-type", "application/grpc")};
    size_t count = 6;
    if (name != NULL)
        headers[count++] = nv(name, value);
    body *b = &bodies[client->count];
    *b = (body){(char *)(uintptr_t)bytes.p, bytes.n, 0, end};
    const nghttp2_data_provider data = {.source.ptr = b, .read_callback = read_body};
    return submit(client, headers, count, &data);
}

void h2_client_headers(h2_client *client, const nghttp2_nv *headers, size_t count, h2_seen **out)
{
    *out = submit(client, headers, count, NULL);
}

void h2_client_raw(h2_client *client, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t piece = client->piece == 0 ? n : client->piece;
    for (size_t at = 0; at < n && !client->over; at += piece) {
        size_t take = n - at < piece ? n - at : piece;
        uint8_t *copy = malloc(take); /* so that a sanitizer sees one byte too far */
        if (copy == NULL)
            return;
        memcpy(copy, p + at, take);
        client->over = !h2_session_feed(client->conn, copy, take);
        free(copy);
    }
}

static bool hear(h2_client *client)
{
    h2_loop *loop = client->conn->loop;
    loop->out_n = 0;
    if (!h2_session_take(client->conn) || client->conn->failed)
        client->over = true;
    h2_session_retime(client->conn);
    if (loop->out_n != 0 && nghttp2_session_mem_recv(client->session, loop->out, loop->out_n) < 0)
        abort(); /* the answer breaks HTTP/2 */
    return loop->out_n != 0;
}

/* A deaf client opens no window and answers no PING. */
static bool is_kept_back(const h2_client *client, const uint8_t *frame)
{
    return client->deaf && (frame[3] == NGHTTP2_WINDOW_UPDATE || frame[3] == NGHTTP2_PING);
}

void h2_client_run(h2_client *client)
{
    bool more = true;
    while (more) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(client->session, &bytes);
        if (n > 0 && !is_kept_back(client, bytes))
            h2_client_raw(client, bytes, (size_t)n);
        more = hear(client) || n > 0;
        if (client->over) {
            (void)hear(client);
            return;
        }
    }
}

void h2_client_wait(h2_client *client, int64_t ms)
{
    h2_loop *loop = client->conn->loop;
    loop->now += h2_ms(ms);
    for (h2_timer *due; (due = h2_timers_due(&loop->timers, loop->now)) != NULL;) {
        h2_alarm *alarm = (h2_alarm *)due;
        if (alarm->of_stream)
            h2_stream_alarm((h2_stream *)alarm);
    }
    if (!h2_conn_in_time(client->conn))
        client->over = true;
    h2_client_run(client);
}
