/* A connection of the transport on nghttp2 without a network: calls, refusals, flow control, time, floods and ends, as
 * a client of the same library sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "failalloc.h"
#include "h2_client.h"

#define CHECK   "/envoy.service.auth.v3.Authorization/Check"
#define HEALTH  "/grpc.health.v1.Health/Check"
#define WATCH   "/grpc.health.v1.Health/Watch"
#define RESOLVE "/iptrust.v1.TrustService/Resolve"
#define STREAM  "/iptrust.v1.TrustService/ResolveStream"

static const ipt_span empty = {"\0\0\0\0\0", 5}; /* a message of no bytes */
static h2_bench bench;

static int set_up(void **state)
{
    (void)state;
    h2_bench_open(&bench);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    h2_bench_close(&bench);
    return 0;
}

static void open_client(h2_client *client)
{
    assert_true(h2_client_open(client, &bench, 0));
}

/* ---- calls ---- */

typedef struct call_row {
    const char *name, *path;
    ipt_span body;
    bool end;
    const char *header, *value;
    int grpc;
    unsigned messages;
} call_row;

static const call_row calls[] = {
    {"a call is answered", CHECK, {"\0\0\0\0\0", 5}, true, NULL, NULL, 0, 1},
    {"also before its caller has ended", CHECK, {"\0\0\0\0\0", 5}, false, NULL, NULL, 0, 1},
    {"a second message of one call is of no interest", HEALTH, {"\0\0\0\0\0\0\0\0\0\0", 10}, true, NULL, NULL, 0, 1},
    {"a stream of two messages", STREAM, {"\0\0\0\0\0\0\0\0\0\0", 10}, true, NULL, NULL, 0, 2},
    {"a stream of none", STREAM, {"", 0}, true, NULL, NULL, 0, 0},
    {"nobody serves it", "/a.b/C", {"\0\0\0\0\0", 5}, true, NULL, NULL, 12, 0},
    {"no message", CHECK, {"", 0}, true, NULL, NULL, 3, 0},
    {"no message to watch", WATCH, {"", 0}, true, NULL, NULL, 3, 0},
    {"half a prefix", CHECK, {"\0\0\0", 3}, true, NULL, NULL, 3, 0},
    {"half a message", CHECK, {"\0\0\0\0\5abc", 8}, true, NULL, NULL, 3, 0},
    {"a flag that there is not", CHECK, {"\7\0\0\0\0", 5}, true, NULL, NULL, 3, 0},
    {"a compressed message", CHECK, {"\1\0\0\0\0", 5}, true, NULL, NULL, 12, 0},
    {"a compressed call", CHECK, {"\0\0\0\0\0", 5}, true, "grpc-encoding", "gzip", 12, 0},
    {"a call that says it is not compressed", CHECK, {"\0\0\0\0\0", 5}, true, "grpc-encoding", "identity", 0, 1},
    {"a message beyond what anybody takes", CHECK, {"\0\1\0\0\1x", 6}, false, NULL, NULL, 8, 0},
    {"a message beyond limits.message", RESOLVE, {"\0\0\x10\0\1x", 6}, false, NULL, NULL, 8, 0},
    {"a message that is none", RESOLVE, {"\0\0\0\0\3\xff\xff\xff", 8}, true, NULL, NULL, 3, 0},
    {"a deadline that has passed", CHECK, {"\0\0\0\0\0", 5}, true, "grpc-timeout", "0n", 4, 0},
    {"a deadline that has not", CHECK, {"\0\0\0\0\0", 5}, true, "grpc-timeout", "10S", 0, 1},
    {"a deadline that is none", CHECK, {"\0\0\0\0\0", 5}, true, "grpc-timeout", "soon", 3, 0},
};

static void run_calls(size_t piece)
{
    h2_client client;
    open_client(&client);
    client.piece = piece;
    h2_seen *seen[IPT_COUNT(calls)];
    for (size_t i = 0; i < IPT_COUNT(calls); i++)
        seen[i] = h2_client_call(&client, calls[i].path, calls[i].body, calls[i].end, calls[i].header, calls[i].value);
    h2_client_run(&client);
    for (size_t i = 0; i < IPT_COUNT(calls); i++) {
        if (seen[i]->grpc != calls[i].grpc || seen[i]->messages != calls[i].messages)
            fail_msg("%s: status %d, %u messages", calls[i].name, seen[i]->grpc, seen[i]->messages);
        assert_int_equal(seen[i]->http, 200);
        assert_int_equal(seen[i]->reset, NGHTTP2_NO_ERROR);
        assert_int_equal(seen[i]->trailed, calls[i].messages != 0);
        assert_true(seen[i]->ended);
    }
    assert_int_equal(client.conn->stream_count, 0);
    assert_int_equal(client.conn->held, 0);
    h2_client_close(&client);
}

static void every_call_has_its_answer(void **state)
{
    (void)state;
    run_calls(0);
}

static void in_whatever_pieces_it_comes(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 12; piece++)
        run_calls(piece);
}

static void what_is_no_grpc_gets_an_answer_of_http(void **state)
{
    static const struct {
        const char *method, *type;
        int http;
    } rows[] = {
        {"GET", "application/grpc", 405}, {"POST", "application/json", 415}, {"POST", "application/grpc-web", 415}};
    (void)state;
    h2_client client;
    open_client(&client);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        h2_seen *seen;
        const char *const texts[][2] = {{":method", rows[i].method},
                                        {":scheme", "http"},
                                        {":path", CHECK},
                                        {":authority", "x"},
                                        {"content-type", rows[i].type}};
        nghttp2_nv headers[IPT_COUNT(texts)];
        for (size_t k = 0; k < IPT_COUNT(texts); k++)
            headers[k] = (nghttp2_nv){(uint8_t *)(uintptr_t)texts[k][0], (uint8_t *)(uintptr_t)texts[k][1],
                                      strlen(texts[k][0]), strlen(texts[k][1]), 0};
        h2_client_headers(&client, headers, IPT_COUNT(headers), &seen);
        h2_client_run(&client);
        assert_int_equal(seen->http, rows[i].http);
        assert_int_equal(seen->grpc, -1);
        assert_true(seen->ended);
    }
    h2_client_close(&client);
}

static void metadata_beyond_16_kib_is_refused(void **state)
{
    static char value[20001];
    h2_client client;
    (void)state;
    open_client(&client);
    memset(value, 'a', sizeof(value) - 1);
    h2_seen *seen = h2_client_call(&client, CHECK, empty, true, "x", value);
    h2_client_run(&client);
    assert_int_equal(seen->grpc, 8);
    seen = h2_client_call(&client, CHECK, empty, true, NULL, NULL);
    h2_client_run(&client);
    assert_int_equal(seen->grpc, 0);
    h2_client_close(&client);
}

/* One entry of the dynamic table (RFC 7541, 6.2.1), named again and again with one byte. */
static void a_bomb_of_headers_ends_the_connection(void **state)
{
    enum { VALUE = 3800, NAMED = 200, HEAD = 9, LITERAL = 6, BLOCK = 3 + LITERAL + VALUE + NAMED };
    static uint8_t frame[HEAD + BLOCK] = {0, BLOCK >> 8, BLOCK & 0xff, NGHTTP2_HEADERS, 4, 0, 0, 0, 1};
    static const uint8_t start[] = {
        0x83, 0x84, 0x86, 0x40, 1, 'x', 0x7f, (VALUE - 127) % 128 + 128, (VALUE - 127) / 128};
    h2_client client;
    (void)state;
    open_client(&client);
    h2_client_run(&client);
    memcpy(frame + HEAD, start, sizeof(start));
    memset(frame + HEAD + sizeof(start), 'a', VALUE);
    memset(frame + HEAD + sizeof(start) + VALUE, 0xbe, NAMED);
    h2_client_raw(&client, frame, sizeof(frame));
    h2_client_run(&client);
    assert_true(h2_session_is_over(client.conn));
    assert_int_equal(client.conn->stream_count, client.conn->streams == NULL ? 0 : 1);
    h2_client_close(&client);
}

static void a_steady_call_takes_no_memory_of_ours(void **state)
{
    size_t before = 0;
    (void)state;
    h2_client client;
    open_client(&client);
    for (unsigned i = 0; i < 20; i++) {
        h2_stream *spare = bench.loop->spare;
        h2_seen *seen = h2_client_call(&client, CHECK, empty, true, NULL, NULL);
        h2_client_run(&client);
        assert_int_equal(seen->grpc, 0);
        if (i > 0) {
            assert_ptr_equal(bench.loop->spare, spare);
            assert_int_equal(spare->out.cap, before);
        }
        before = bench.loop->spare->out.cap;
        assert_true(before != 0);
    }
    h2_client_close(&client);
}

/* ---- flow control ---- */

static void answers_wait_for_the_caller_s_window_and_so_do_its_messages(void **state)
{
    enum { MESSAGES = 8000 };
    static char body[MESSAGES * H2_PREFIX];
    h2_client client;
    (void)state;
    assert_true(h2_client_open(&client, &bench, 20));
    h2_seen *seen = h2_client_call(&client, STREAM, (ipt_span){body, sizeof(body)}, true, NULL, NULL);
    h2_client_run(&client);
    assert_int_equal(seen->grpc, 0);
    assert_int_equal(seen->messages, MESSAGES);
    h2_client_close(&client);
}

static void who_takes_nothing_is_held_to_a_backlog_and_to_a_time(void **state)
{
    enum { MESSAGES = 50000 };
    static char body[MESSAGES * H2_PREFIX];
    h2_client client;
    (void)state;
    assert_true(h2_client_open(&client, &bench, 1));
    h2_seen *seen = h2_client_call(&client, STREAM, (ipt_span){body, sizeof(body)}, true, NULL, NULL);
    client.deaf = true; /* no WINDOW_UPDATE of its own */
    h2_client_run(&client);
    h2_stream *stream = client.conn->streams;
    assert_non_null(stream);
    assert_true(stream->out.n <= H2_BACKLOG_MAX + 4096);
    assert_true(stream->inbox.n <= H2_STREAM_WINDOW);
    assert_true(client.conn->held != 0);
    h2_client_wait(&client, H2_MESSAGE_MS + 1);
    assert_true(seen->ended);
    assert_int_equal(seen->reset, NGHTTP2_CANCEL);
    assert_int_equal(client.conn->held, 0);
    h2_client_close(&client);
}

static void a_large_message_is_taken_to_the_limit(void **state)
{
    static char body[H2_PREFIX + (4 << 20)];
    (void)state;
    h2_client client;
    open_client(&client);
    h2_frame_prefix((uint8_t *)body, sizeof(body) - H2_PREFIX);
    memset(body + H2_PREFIX, 0xff, sizeof(body) - H2_PREFIX);
    h2_seen *seen = h2_client_call(&client, CHECK, (ipt_span){body, sizeof(body)}, true, NULL, NULL);
    h2_client_run(&client);
    assert_true(seen->ended);
    assert_true(seen->grpc == 0 || seen->grpc == 3 || seen->grpc == 13); /* what it says is not ours to judge here */
    assert_int_equal(client.conn->held, 0);
    h2_client_close(&client);
}

/* ---- time ---- */

static void what_does_not_come_in_time_is_given_up(void **state)
{
    static const struct {
        const char *name, *path, *timeout;
        ipt_span body;
        int64_t ms;
        int grpc; /* -1: it goes on */
    } rows[] = {
        {"a message that does not come", CHECK, NULL, {"", 0}, H2_MESSAGE_MS + 1, 4},
        {"half a message", CHECK, NULL, {"\0\0\0\0\5ab", 7}, H2_MESSAGE_MS + 1, 4},
        {"there is time left", CHECK, NULL, {"\0\0\0\0\5ab", 7}, H2_MESSAGE_MS - 10, -1},
        {"the caller's deadline comes first", CHECK, "1S", {"\0\0\0\0\5ab", 7}, 1001, 4},
        {"a stream may wait", STREAM, NULL, {"\0\0\0\0\0", 5}, H2_MESSAGE_MS * 2, -1},
        {"within a message it may not", STREAM, NULL, {"\0\0\0\0\0\0\0", 7}, H2_MESSAGE_MS + 1, 4},
        {"a stream has its deadline", STREAM, "2S", {"\0\0\0\0\0", 5}, 2001, 4},
        {"a watch has its deadline", WATCH, "2S", {"\0\0\0\0\0", 5}, 2001, 4},
        {"a watch may wait", WATCH, NULL, {"\0\0\0\0\0", 5}, H2_MESSAGE_MS * 2, -1},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        h2_client client;
        open_client(&client);
        h2_seen *seen = h2_client_call(&client, rows[i].path, rows[i].body, false,
                                       rows[i].timeout == NULL ? NULL : "grpc-timeout", rows[i].timeout);
        h2_client_run(&client);
        h2_client_wait(&client, rows[i].ms);
        if (seen->grpc != rows[i].grpc)
            fail_msg("%s: status %d", rows[i].name, seen->grpc);
        h2_client_close(&client);
    }
}

static void a_frame_that_trickles_ends_the_connection(void **state)
{
    static const char head[] = "\0\0\x40\1\4\0\0\0\1"; /* HEADERS of 64 bytes that do not come */
    (void)state;
    h2_client client;
    open_client(&client);
    h2_client_run(&client);
    h2_client_raw(&client, head, sizeof(head) - 1);
    for (unsigned i = 0; i < 6 && !client.over; i++) {
        assert_true(i == 5 || !h2_session_is_over(client.conn));
        h2_client_wait(&client, 2000);
        h2_client_raw(&client, "\0", 1);
    }
    assert_true(client.over);
    assert_true(h2_session_is_over(client.conn));
    h2_client_close(&client);
}

static void who_never_greets_is_sent_away(void **state)
{
    (void)state;
    h2_client client;
    open_client(&client);
    bench.loop->now += h2_ms(H2_HELLO_MS - 1);
    assert_true(h2_conn_in_time(client.conn));
    bench.loop->now += h2_ms(1);
    assert_false(h2_conn_in_time(client.conn));
    h2_client_close(&client);
}

static void silence_is_asked_about_and_no_answer_is_the_end(void **state)
{
    (void)state;
    h2_client client;
    open_client(&client);
    h2_client_run(&client);
    h2_client_wait(&client, 5 * 60 * 1000);
    assert_int_equal(client.pings, 1);
    assert_false(client.over);
    client.deaf = true;
    bench.loop->now += h2_ms(5 * 60 * 1000);
    assert_true(h2_conn_in_time(client.conn));
    bench.loop->now += h2_ms(H2_PING_TIMEOUT_MS);
    assert_false(h2_conn_in_time(client.conn));
    h2_client_close(&client);
}

/* ---- ends ---- */

static void the_way_out_has_two_steps_and_loses_no_call(void **state)
{
    (void)state;
    h2_client client;
    open_client(&client);
    h2_seen *held = h2_client_call(&client, STREAM, empty, false, NULL, NULL);
    h2_client_run(&client);
    h2_drain_begin(client.conn);
    h2_client_run(&client); /* the answer to the ping brings the second GOAWAY */
    assert_int_equal(client.goaways, 2);
    assert_int_equal(client.goaway_last, held->id);
    assert_int_equal(client.goaway_error, NGHTTP2_NO_ERROR);
    assert_false(held->ended);
    assert_false(h2_session_is_over(client.conn));
    (void)nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, held->id, NGHTTP2_CANCEL);
    h2_client_run(&client);
    assert_true(h2_session_is_over(client.conn));
    h2_client_close(&client);
}

static void a_connection_ends_at_its_age_and_streams_after_their_grace(void **state)
{
    (void)state;
    h2_client client;
    open_client(&client);
    (void)h2_client_call(&client, STREAM, empty, false, NULL, NULL);
    h2_client_run(&client);
    assert_true(client.conn->age_at - client.conn->born >= h2_ms(27 * 60 * 1000));
    assert_true(client.conn->age_at - client.conn->born <= h2_ms(33 * 60 * 1000));
    for (unsigned minute = 0; minute < 34 && client.goaways == 0; minute++)
        h2_client_wait(&client, 60 * 1000);
    assert_int_equal(client.goaways, 2);
    assert_false(client.over);
    h2_client_wait(&client, 26 * 1000);
    assert_true(client.over);
    h2_client_close(&client);
}

static void a_daemon_that_ends_tells_who_watches(void **state)
{
    (void)state;
    h2_client client;
    open_client(&client);
    h2_seen *seen = h2_client_call(&client, WATCH, empty, true, NULL, NULL);
    h2_client_run(&client);
    assert_int_equal(seen->messages, 1);
    h2_watch_look(bench.loop);
    h2_client_run(&client);
    assert_int_equal(seen->messages, 1); /* nothing is new */
    bench.loop->closing = true;
    h2_watch_look(bench.loop);
    h2_client_run(&client);
    bench.loop->closing = false;
    assert_int_equal(seen->grpc, 14);
    assert_null(bench.loop->watches);
    h2_client_close(&client);
}

/* ---- floods ---- */

static void floods_end_in_enhance_your_calm(void **state)
{
    static const struct {
        const char *name, *frame;
        size_t n;
        unsigned count; /* that are too many */
    } rows[] = {
        {"PING", "\0\0\x08\6\0\0\0\0\0abcdefgh", 17, 150},
        {"answers to no PING", "\0\0\x08\6\1\0\0\0\0abcdefgh", 17, 150},
        {"SETTINGS", "\0\0\0\4\0\0\0\0\0", 9, 60},
        {"PRIORITY", "\0\0\5\2\0\0\0\0\1\0\0\0\0\0", 14, 1100},
        {"frames of no known type", "\0\0\0\x77\0\0\0\0\0", 9, 1100},
        {"empty DATA", "\0\0\0\0\0\0\0\0\1", 9, 1100},
        {"padding", "\0\0\2\0\x08\0\0\0\1\1\0", 11, 1100},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        h2_client client;
        open_client(&client);
        (void)h2_client_call(&client, STREAM, empty, false, NULL, NULL);
        h2_client_run(&client);
        for (unsigned k = 0; k < rows[i].count && !client.over; k++)
            h2_client_raw(&client, rows[i].frame, rows[i].n);
        if (!client.over)
            fail_msg("%s are not counted", rows[i].name);
        h2_client_run(&client);
        assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
        h2_client_close(&client);
    }
}

/* gRPC's clients ask how long the way is whenever an answer comes. */
static void a_ping_for_every_answer_is_no_flood(void **state)
{
    static const char frames[] = "\0\0\x08\6\0\0\0\0\0abcdefgh\0\0\5\2\0\0\0\0\1\0\0\0\0\0";
    h2_client client;
    (void)state;
    open_client(&client);
    for (unsigned i = 0; i < 5000; i++) {
        client.count = 0;
        const h2_seen *seen = h2_client_call(&client, HEALTH, empty, true, NULL, NULL);
        h2_client_run(&client);
        assert_int_equal(seen->grpc, 0);
        h2_client_raw(&client, frames, sizeof(frames) - 1);
        h2_client_run(&client);
    }
    assert_false(client.over);
    assert_int_equal(client.goaways, 0);
    h2_client_close(&client);
}

static unsigned resets(bool ours)
{
    static const char window[] = "\0\0\4\x08\0\0\0\0\0\x7f\xff\xff\xff"; /* WINDOW_UPDATE that no window can take */
    unsigned n = 0;
    h2_client client;
    open_client(&client);
    h2_client_run(&client);
    for (; n < 20000 && client.goaways == 0; n++) {
        client.count = 0;
        h2_seen *seen = h2_client_call(&client, STREAM, (ipt_span){"", 0}, false, NULL, NULL);
        h2_client_run(&client);
        if (ours) {
            char frame[sizeof(window)];
            memcpy(frame, window, sizeof(window));
            for (unsigned k = 0; k < 4; k++)
                frame[5 + k] = (char)(seen->id >> (24 - 8 * k));
            h2_client_raw(&client, frame, sizeof(window) - 1);
        } else
            (void)nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, seen->id, NGHTTP2_CANCEL);
        h2_client_run(&client);
    }
    assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    h2_client_close(&client);
    return n;
}

static void ten_thousand_resets_pass_and_no_more(void **state)
{
    (void)state;
    for (unsigned ours = 0; ours < 2; ours++) {
        unsigned n = resets(ours != 0);
        assert_in_range(n, 10000, 10002);
    }
}

/* ---- memory ---- */

static bool talk(void)
{
    static const char *const paths[] = {CHECK, STREAM, WATCH, "/a.b/C"};
    h2_client client;
    bool whole = h2_client_open(&client, &bench, 0);
    if (whole) {
        client.piece = 50; /* messages in pieces, too */
        for (size_t i = 0; i < IPT_COUNT(paths); i++)
            (void)h2_client_call(&client, paths[i], empty, i % 2 == 0, NULL, NULL);
        h2_client_run(&client);
        h2_watch_look(bench.loop);
        h2_drain_begin(client.conn);
        h2_client_run(&client);
        for (unsigned i = 0; i < client.count; i++)
            whole = whole && client.seen[i].grpc == (i == 3 ? 12 : i == 0 ? 0 : -1);
        whole = whole && !client.over && client.goaways == 2;
    }
    h2_client_close(&client);
    h2_spares_free(bench.loop);
    return whole;
}

static void every_allocation_of_a_connection_may_fail(void **state)
{
    bool whole = false;
    unsigned n = 0, failed = 0;
    (void)state;
    while (!whole || failalloc_happened()) {
        failalloc_at(++n);
        whole = talk();
        failed += failalloc_happened();
        bool more = failalloc_happened();
        failalloc_at(0);
        assert_true(n < 2000);
        if (!more)
            break;
    }
    assert_true(whole);
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_has_its_answer),
        cmocka_unit_test(in_whatever_pieces_it_comes),
        cmocka_unit_test(what_is_no_grpc_gets_an_answer_of_http),
        cmocka_unit_test(metadata_beyond_16_kib_is_refused),
        cmocka_unit_test(a_bomb_of_headers_ends_the_connection),
        cmocka_unit_test(a_steady_call_takes_no_memory_of_ours),
        cmocka_unit_test(answers_wait_for_the_caller_s_window_and_so_do_its_messages),
        cmocka_unit_test(who_takes_nothing_is_held_to_a_backlog_and_to_a_time),
        cmocka_unit_test(a_large_message_is_taken_to_the_limit),
        cmocka_unit_test(what_does_not_come_in_time_is_given_up),
        cmocka_unit_test(a_frame_that_trickles_ends_the_connection),
        cmocka_unit_test(who_never_greets_is_sent_away),
        cmocka_unit_test(silence_is_asked_about_and_no_answer_is_the_end),
        cmocka_unit_test(the_way_out_has_two_steps_and_loses_no_call),
        cmocka_unit_test(a_connection_ends_at_its_age_and_streams_after_their_grace),
        cmocka_unit_test(a_daemon_that_ends_tells_who_watches),
        cmocka_unit_test(floods_end_in_enhance_your_calm),
        cmocka_unit_test(a_ping_for_every_answer_is_no_flood),
        cmocka_unit_test(ten_thousand_resets_pass_and_no_more),
        cmocka_unit_test(every_allocation_of_a_connection_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
