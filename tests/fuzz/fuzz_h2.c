/* A whole connection of the gRPC transport on nghttp2. The first byte says whether the client's preface and SETTINGS go
 * first and how long the pieces are; the rest is what the client sends, frames or not, cut into those pieces, with time
 * going on between them. Whatever comes: what we send are frames that a client may get, whose header blocks decode;
 * what we hold stays within the budget; and when the connection is gone nothing of it is left. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "h2_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_headers(nghttp2_hd_inflater *inflater, const uint8_t *block, size_t n)
{
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block, n, 1);
        must(used >= 0);
        block += used;
        n -= (size_t)used;
        must((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 || nv.namelen != 0);
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0)
            break;
        must(n != 0 || (flags & NGHTTP2_HD_INFLATE_EMIT) != 0);
    }
    must(n == 0 && nghttp2_hd_inflate_end_headers(inflater) == 0);
}

/* The loop's out holds whole frames. */
static void check_output(h2_conn *conn, nghttp2_hd_inflater *inflater)
{
    h2_loop *loop = conn->loop;
    for (bool more = true; more;) {
        loop->out_n = 0;
        if (!h2_session_take(conn))
            conn->failed = true;
        more = loop->out_n != 0 && !conn->failed;
        for (size_t at = 0; at < loop->out_n;) {
            enum { HEAD = 9, FRAME_MAX = 16384 };
            const uint8_t *frame = loop->out + at;
            must(loop->out_n - at >= HEAD);
            size_t n = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
            must(n <= FRAME_MAX && n <= loop->out_n - at - HEAD && frame[3] <= NGHTTP2_WINDOW_UPDATE &&
                 frame[3] != NGHTTP2_PRIORITY && frame[3] != NGHTTP2_PUSH_PROMISE);
            if (frame[3] == NGHTTP2_HEADERS) {
                must((frame[4] & NGHTTP2_FLAG_END_HEADERS) != 0);
                check_headers(inflater, frame + HEAD, n);
            }
            at += HEAD + n;
        }
    }
    h2_session_retime(conn);
}

static void check_bounds(const h2_conn *conn)
{
    size_t held = 0;
    uint32_t count = 0;
    for (const h2_stream *stream = conn->streams; stream != NULL; stream = stream->next) {
        held += stream->held;
        count++;
        must(stream->inbox.n <= H2_STREAM_WINDOW && stream->out_at <= stream->out.n);
    }
    must(held == conn->held && held <= H2_CONN_HELD_MAX + (IPT_RPC_RECEIVE_MAX << 1));
    must(count == conn->stream_count && count <= conn->loop->transport->limit_streams);
}

static bool step(h2_conn *conn, nghttp2_hd_inflater *inflater, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n == 0 ? 1 : n);
    must(copy != NULL);
    if (n != 0)
        memcpy(copy, bytes, n);
    bool goes_on = h2_session_feed(conn, copy, n);
    free(copy);
    check_output(conn, inflater);
    check_bounds(conn);
    return goes_on && !conn->failed;
}

static bool pass_time(h2_conn *conn, nghttp2_hd_inflater *inflater, int64_t ms)
{
    h2_loop *loop = conn->loop;
    loop->now += h2_ms(ms);
    for (h2_timer *due; (due = h2_timers_due(&loop->timers, loop->now)) != NULL;) {
        if (((h2_alarm *)due)->of_stream)
            h2_stream_alarm((h2_stream *)due);
    }
    h2_watch_look(loop);
    bool goes_on = h2_conn_in_time(conn);
    if (goes_on)
        check_output(conn, inflater);
    return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t greeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static h2_bench bench;
    nghttp2_hd_inflater *inflater;
    if (bench.loop == NULL)
        h2_bench_open(&bench);
    if (size == 0)
        return 0;
    size_t piece = 1U << (data[0] & 15);
    bool greets = (data[0] & 0x80) == 0, waits = (data[0] & 0x40) != 0;
    h2_conn *conn = h2_conn_new(bench.loop, -1, true, (ipt_addr){0, 0});
    must(conn != NULL && nghttp2_hd_inflate_new(&inflater) == 0);
    bool goes_on = !greets || step(conn, inflater, greeting, sizeof(greeting) - 1);
    for (size_t at = 1; at < size && goes_on; at += piece) {
        goes_on = step(conn, inflater, data + at, size - at < piece ? size - at : piece);
        if (waits)
            goes_on = goes_on && pass_time(conn, inflater, 700);
    }
    if (goes_on) {
        h2_drain_begin(conn);
        (void)pass_time(conn, inflater, H2_NOTICE_MS);
    }
    h2_conn_free(conn);
    nghttp2_hd_inflate_del(inflater);
    must(bench.loop->conns == NULL && bench.loop->watches == NULL && h2_timers_next(&bench.loop->timers) == INT64_MAX &&
         atomic_load(&bench.transport->held) == 0);
    return 0;
}
