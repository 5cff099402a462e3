/* The small parts of the transport on nghttp2: gRPC's texts, framing in any split, timers, counts of floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "flood.h"
#include "frame.h"
#include "text.h"
#include "timers.h"

static void release(ipt_span span)
{
    free((char *)(uintptr_t)span.p);
}

static void deadlines_are_digits_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: none */
    } rows[] = {
        {"1n", 1},
        {"20u", 20000},
        {"250m", 250000000},
        {"5S", 5000000000},
        {"2M", 120000000000},
        {"1H", 3600000000000},
        {"0S", 0},
        {"00000001S", 1000000000},
        {"99999999n", 99999999},
        {"99999999H", INT64_MAX / 4}, /* beyond what counts */
        {"999999999n", -1},           /* nine digits */
        {"S", -1},
        {"1", -1},
        {"", -1},
        {"1s", -1},
        {"1h", -1},
        {"-1S", -1},
        {"+1S", -1},
        {" 1S", -1},
        {"1S ", -1},
        {"1.5S", -1},
        {"1SS", -1},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        int64_t ns = -1;
        assert_int_equal(h2_timeout_read(text, &ns), rows[i].ns >= 0);
        assert_int_equal(ns, rows[i].ns);
        release(text);
    }
}

static void messages_are_percent_encoded(void **state)
{
    static const struct {
        const char *text, *encoded;
        size_t cap;
    } rows[] = {
        {"missing_peer: there is none", "missing_peer: there is none", 64},
        {"100%", "100%25", 64},
        {"\t\n\r", "%09%0A%0D", 64},
        {"\xc3\xa9\x7f", "%C3%A9%7F", 64},
        {"", "", 64},
        {"abc", "ab", 2},
        {"a%", "a", 3}, /* never half an escape */
        {"a%", "a%25", 4},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char *out = malloc(rows[i].cap);
        size_t n = h2_message_encode(out, rows[i].cap, rows[i].text);
        assert_int_equal(n, strlen(rows[i].encoded));
        assert_memory_equal(out, rows[i].encoded, n);
        free(out);
    }
}

static void binary_values_are_base64_without_padding(void **state)
{
    static const struct {
        const char *bytes, *text; /* RFC 4648, 10 */
    } rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfb", "//77"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span bytes = exact(rows[i].bytes);
        char out[16];
        size_t n = h2_binary_encode(out, sizeof(out), (const uint8_t *)bytes.p, bytes.n);
        assert_int_equal(n, strlen(rows[i].text));
        assert_memory_equal(out, rows[i].text, n);
        if (n != 0)
            assert_int_equal(h2_binary_encode(out, n - 1, (const uint8_t *)bytes.p, bytes.n), 0);
        release(bytes);
    }
}

static void grpc_is_known_by_its_content_type(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"application/grpc", true},          {"application/grpc+proto", true},
        {"Application/GRPC", true},          {"application/grpc; charset=utf-8", true},
        {"application/grpc+proto ;x", true}, {"application/grpc+json", false},
        {"application/grpc-web", false},     {"application/grpcx", false},
        {"application/json", false},         {"", false},
        {"application/grp", false},          {"application/grpc+protobuf", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        assert_int_equal(h2_content_type_ok(text), rows[i].ok);
        release(text);
    }
}

/* ---- framing ---- */

static const char stream[] = "\0\0\0\0\3abc\0\0\0\0\0\1\0\0\0\1z\0\0\0\0\5hello\0\0\0";
enum { STREAM = sizeof(stream) - 1 };

static void frames_are_the_same_in_every_split(void **state)
{
    static const struct {
        const char *text;
        bool compressed;
    } want[] = {{"abc", false}, {"", false}, {"z", true}, {"hello", false}};
    (void)state;
    for (size_t piece = 1; piece <= STREAM; piece++) {
        h2_frame_reader reader = {.have = 0};
        size_t count = 0;
        for (size_t at = 0; at < STREAM; at += piece) {
            ipt_span input = exact_n(stream + at, STREAM - at < piece ? STREAM - at : piece), left = input;
            h2_frame frame;
            while (h2_frame_next(&reader, &left, 100, &frame) == H2_FRAME_WHOLE) {
                assert_true(count < IPT_COUNT(want));
                assert_true(ipt_span_equal(frame.bytes, ipt_span_from(want[count].text)));
                assert_int_equal(frame.compressed, want[count].compressed);
                count++;
            }
            assert_int_equal(left.n, 0);
            release(input);
        }
        assert_int_equal(count, IPT_COUNT(want));
        assert_false(h2_frame_is_between(&reader)); /* three bytes of a prefix */
        h2_frame_reader_done(&reader);
    }
}

static void a_whole_frame_is_not_copied_and_a_large_one_takes_no_memory(void **state)
{
    (void)state;
    ipt_span input = exact_n("\0\0\0\0\2hi\0\0\1\0\0", 12), left = input;
    h2_frame_reader reader = {.have = 0};
    h2_frame frame;
    failalloc_at(0);
    assert_int_equal(h2_frame_next(&reader, &left, 65535, &frame), H2_FRAME_WHOLE);
    assert_ptr_equal(frame.bytes.p, input.p + 5);
    assert_int_equal(h2_frame_next(&reader, &left, 65535, &frame), H2_FRAME_TOO_LARGE);
    assert_int_equal(failalloc_count(), 0);
    release(input);
    h2_frame_reader_done(&reader);
}

static void a_flag_that_there_is_not_and_no_memory_are_told(void **state)
{
    (void)state;
    h2_frame_reader reader = {.have = 0};
    h2_frame frame;
    ipt_span input = exact_n("\2\0\0\0\1x", 6), left = input;
    assert_int_equal(h2_frame_next(&reader, &left, 10, &frame), H2_FRAME_BAD);
    h2_frame_reader_reset(&reader);
    release(input);
    input = left = exact_n("\0\0\0\0\2x", 6);
    failalloc_at(1);
    assert_int_equal(h2_frame_next(&reader, &left, 10, &frame), H2_FRAME_NO_MEMORY);
    failalloc_at(0);
    release(input);
    h2_frame_reader_done(&reader);
}

static void a_prefix_is_read_as_it_was_written(void **state)
{
    static const size_t rows[] = {0, 1, 255, 256, 65536, 0x01020304};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        uint8_t bytes[H2_PREFIX];
        h2_frame_reader reader = {.have = 0};
        h2_frame frame;
        h2_frame_prefix(bytes, rows[i]);
        ipt_span left = {(const char *)bytes, sizeof(bytes)};
        h2_frame_result result = h2_frame_next(&reader, &left, SIZE_MAX, &frame);
        assert_int_equal(result, rows[i] == 0 ? H2_FRAME_WHOLE : H2_FRAME_MORE);
        assert_int_equal(reader.need, rows[i]);
        h2_frame_reader_done(&reader);
    }
}

/* ---- timers ---- */

static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void timers_come_in_the_order_of_time_whatever_was_moved_or_cancelled(void **state)
{
    enum { COUNT = 200, ROUNDS = 50 };
    static h2_timer timers[COUNT];
    uint32_t seed = 7;
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        h2_timers heap = {NULL};
        int64_t last = -1;
        size_t set = 0, came = 0;
        memset(timers, 0, sizeof(timers));
        for (unsigned step = 0; step < COUNT * 5; step++) {
            h2_timer *timer = &timers[random_next(&seed) % COUNT];
            if (random_next(&seed) % 3 == 0)
                h2_timer_cancel(&heap, timer);
            else
                h2_timer_set(&heap, timer, random_next(&seed) % 1000);
            if (random_next(&seed) % 16 == 0)
                (void)h2_timers_due(&heap, 100);
        }
        for (unsigned i = 0; i < COUNT; i++)
            set += timers[i].set;
        assert_null(h2_timers_due(&heap, -1));
        for (h2_timer *due; (due = h2_timers_due(&heap, 1000)) != NULL; came++) {
            assert_true(due->at >= last);
            assert_false(due->set);
            last = due->at;
        }
        assert_int_equal(came, set);
        assert_int_equal(h2_timers_next(&heap), INT64_MAX);
    }
}

/* ---- floods ---- */

static unsigned passes(h2_flood *flood, h2_event event, int64_t now)
{
    unsigned n = 0;
    while (n < 1000000 && h2_flood_ok(flood, event, now))
        n++;
    return n;
}

static void a_bucket_holds_a_burst_and_leaks_at_its_rate(void **state)
{
    static const struct {
        h2_event event;
        unsigned burst, second;
    } rows[] = {
        {H2_EVENT_RESET_IN, 10000, 1000}, {H2_EVENT_RESET_OUT, 10000, 1000}, {H2_EVENT_PING, 100, 10},
        {H2_EVENT_SETTINGS, 32, 1},       {H2_EVENT_EMPTY_DATA, 1000, 100},  {H2_EVENT_CONTROL, 1000, 1000},
    };
    const int64_t second = 1000000000;
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        h2_flood flood = {.seen = {0}};
        int64_t now = 5 * second;
        assert_int_equal(passes(&flood, rows[i].event, now), rows[i].burst);
        assert_int_equal(passes(&flood, rows[i].event, now += second), rows[i].second);
        assert_int_equal(passes(&flood, rows[i].event, now), 0);
        assert_int_equal(passes(&flood, rows[i].event, now += 100000 * second), rows[i].burst);
        assert_int_equal(passes(&flood, rows[i].event, INT64_MAX), rows[i].burst);
    }
}

static void an_honest_proxy_with_impatient_clients_passes(void **state)
{
    h2_flood flood = {.seen = {0}};
    (void)state;
    for (int64_t i = 0; i < 10000; i++) /* at once */
        assert_true(h2_flood_ok(&flood, H2_EVENT_RESET_IN, 0));
    for (int64_t i = 1; i < 50000; i++) /* then a thousand a second, in uneven steps */
        assert_true(h2_flood_ok(&flood, H2_EVENT_RESET_IN, i * 1000000 + 999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_are_digits_and_a_unit),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(binary_values_are_base64_without_padding),
        cmocka_unit_test(grpc_is_known_by_its_content_type),
        cmocka_unit_test(frames_are_the_same_in_every_split),
        cmocka_unit_test(a_whole_frame_is_not_copied_and_a_large_one_takes_no_memory),
        cmocka_unit_test(a_flag_that_there_is_not_and_no_memory_are_told),
        cmocka_unit_test(a_prefix_is_read_as_it_was_written),
        cmocka_unit_test(timers_come_in_the_order_of_time_whatever_was_moved_or_cancelled),
        cmocka_unit_test(a_bucket_holds_a_burst_and_leaks_at_its_rate),
        cmocka_unit_test(an_honest_proxy_with_impatient_clients_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
