/* Scalars and suggestions. */
#include "setup.h"

#include <stdlib.h>

#include "exact.h"
#include "suggest.h"
#include "value.h"

static void drop(ipt_span s)
{
    free((void *)(uintptr_t)s.p);
}

static void durations_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ms;
    } rows[] = {
        {"0s", true, 0},       {"250ms", true, 250},
        {"5s", true, 5000},    {"15m", true, 900000},
        {"1h", true, 3600000}, {"7d", true, 604800000},
        {"5", false, 0},       {"", false, 0},
        {"s", false, 0},       {"-5s", false, 0},
        {"5 s", false, 0},     {"5S", false, 0},
        {"1w", false, 0},      {"1h30m", false, 0},
        {"1.5h", false, 0},    {"999999999999d", false, 0},
        {"0x5s", false, 0},    {"9999999999999999999999s", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        int64_t ms = 0;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_duration(text, &ms), rows[i].good);
        assert_true(ms == rows[i].ms);
        drop(text);
    }
}

static void bytes_are_counted_in_powers_of_two(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t bytes;
    } rows[] = {{"512", true, 512}, {"64KiB", true, 65536}, {"1MiB", true, 1048576}, {"2GiB", true, 2147483648},
                {"1KB", false, 0},  {"1kib", false, 0},     {"KiB", false, 0},       {"1 KiB", false, 0}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        uint64_t bytes = 0;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_bytes(text, &bytes), rows[i].good);
        assert_true(bytes == rows[i].bytes);
        drop(text);
    }
}

static void times_are_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t seconds;
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-11-22T10:00:00Z", true, 1795341600},
        {"2026-11-22t10:00:00z", true, 1795341600},
        {"2026-11-22 10:00:00Z", true, 1795341600},
        {"2026-11-22T10:00:00.123Z", true, 1795341600},
        {"2026-11-22T12:00:00+02:00", true, 1795341600},
        {"2026-11-22T05:30:00-04:30", true, 1795341600},
        {"2024-02-29T00:00:00Z", true, 1709164800},
        {"2000-03-01T00:00:00Z", true, 951868800},
        {"2100-03-01T00:00:00Z", true, 4107542400},
        {"2026-02-29T00:00:00Z", false, 0},
        {"2100-02-29T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-00-01T00:00:00Z", false, 0},
        {"2026-11-22", false, 0},
        {"2026-11-22T10:00:00", false, 0},
        {"2026-11-22T10:00Z", false, 0},
        {"2026-11-22T24:00:00Z", false, 0},
        {"2026-11-22T10:60:00Z", false, 0},
        {"2026-11-22T10:00:00.Z", false, 0},
        {"2026-11-22T10:00:00+2:00", false, 0},
        {"2026-11-22T10:00:00ZZ", false, 0},
        {"1969-12-31T23:59:59Z", false, 0},
        {"", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        int64_t seconds = 0;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_time(text, &seconds), rows[i].good);
        assert_true(seconds == rows[i].seconds);
        drop(text);
    }
}

static void numbers_are_plain_digits(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {{"0", true, 0},
                {"18446744073709551615", true, UINT64_MAX},
                {"18446744073709551616", false, 0},
                {"01", false, 0},
                {"", false, 0},
                {"+1", false, 0},
                {" 1", false, 0},
                {"1 ", false, 0},
                {"0x1", false, 0},
                {"1e3", false, 0}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        uint64_t value = 0;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_integer(text, &value), rows[i].good);
        assert_true(value == rows[i].value);
        drop(text);
    }
}

static void fractions_have_a_point_whatever_the_locale(void **state)
{
    static const struct {
        const char *text;
        bool good;
        double value;
    } rows[] = {{"0", true, 0},    {"1", true, 1},   {"0.5", true, 0.5}, {"0.125", true, 0.125}, {".5", false, 0},
                {"0,5", false, 0}, {"0.", false, 0}, {"1e-2", false, 0}, {"-0.5", false, 0},     {"nan", false, 0}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        double value = 0;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_fraction(text, &value), rows[i].good);
        assert_true(value >= rows[i].value && value <= rows[i].value); /* exact in binary */
        drop(text);
    }
}

static void names_keep_to_their_alphabet(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"a", true},
        {"0", true},
        {"a_b-c9", true},
        {"", false},
        {"A", false},
        {"-a", false},
        {"_a", false},
        {"a.b", false},
        {"a b", false},
        {"\xc3\xa4", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},   /* 63 */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false}, /* 64 */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_is_name(text), rows[i].good);
        drop(text);
    }
}

static void listeners_are_an_address_or_a_socket(void **state)
{
    static const struct {
        const char *text;
        ipt_listen_kind kind;
        uint16_t port;
    } rows[] = {
        {"127.0.0.1:8080", IPT_LISTEN_TCP, 8080},
        {"0.0.0.0:0", IPT_LISTEN_TCP, 0},
        {"[::]:65535", IPT_LISTEN_TCP, 65535},
        {"unix:/x", IPT_LISTEN_UNIX, 0},
        {"unix:/", IPT_LISTEN_OFF, 0},
        {"unix:", IPT_LISTEN_OFF, 0},
        {"unix:x", IPT_LISTEN_OFF, 0},
        {"[127.0.0.1]:1", IPT_LISTEN_OFF, 0},
        {"::1:80", IPT_LISTEN_OFF, 0},
        {"[]:80", IPT_LISTEN_OFF, 0},
        {"[::1]", IPT_LISTEN_OFF, 0},
        {":80", IPT_LISTEN_OFF, 0},
        {"127.0.0.1:", IPT_LISTEN_OFF, 0},
        {"127.0.0.1:080", IPT_LISTEN_OFF, 0},
        {"", IPT_LISTEN_OFF, 0},
        {"host:80", IPT_LISTEN_OFF, 0},
        {"unix:/"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         IPT_LISTEN_OFF, 0}, /* longer than sun_path */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_listener_spec spec = {0};
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_value_listen(text, &spec), rows[i].kind != IPT_LISTEN_OFF);
        assert_int_equal(spec.kind, rows[i].kind);
        assert_int_equal(spec.port, rows[i].port);
        drop(text);
    }
}

static void distances_count_typing_mistakes(void **state)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {{"", "", 0},           {"trust", "trust", 0}, {"TRUST", "trust", 0},
                {"trsut", "trust", 1}, {"rust", "trust", 1},  {"trusst", "trust", 1},
                {"tryst", "trust", 1}, {"", "abc", 3},        {"lists", "policies", 5},
                {"ca", "abc", 3}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_int_equal(ipt_edit_distance(ipt_span_from(rows[i].a), ipt_span_from(rows[i].b)), rows[i].distance);
}

static void only_near_words_are_suggested(void **state)
{
    static const char *const words[] = {"http", "health", "trust", "services", "warning"};
    static const struct {
        const char *found, *meant; /* "" for none */
    } rows[] = {{"htpp", "http"},
                {"helth", "health"},
                {"service", "services"},
                {"warn", "warning"},
                {"wa", ""},
                {"frobnicate", ""},
                {"x", ""},
                {"", ""}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_suggest suggest = {0};
        for (size_t j = 0; j < IPT_COUNT(words); j++)
            ipt_suggest_offer(&suggest, ipt_span_from(rows[i].found), ipt_span_from(words[j]));
        assert_true(ipt_span_equal(suggest.word, ipt_span_from(rows[i].meant)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_a_unit),
        cmocka_unit_test(bytes_are_counted_in_powers_of_two),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(numbers_are_plain_digits),
        cmocka_unit_test(fractions_have_a_point_whatever_the_locale),
        cmocka_unit_test(names_keep_to_their_alphabet),
        cmocka_unit_test(listeners_are_an_address_or_a_socket),
        cmocka_unit_test(distances_count_typing_mistakes),
        cmocka_unit_test(only_near_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
