/* Spans and characters: ASCII rules that must hold whatever the locale; how other people's text is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/base/show.h"
#include "iptrust/base/span.h"

static void drop(ipt_span copy)
{
    free((void *)(uintptr_t)copy.p);
}

static void comparing_ignores_ascii_case_alone(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
        int order;
    } rows[] = {
        {"", "", true, 0},       {"X-Real-IP", "x-real-ip", true, 0},  {"a", "b", false, -1}, {"B", "a", false, 1},
        {"ab", "a", false, 1},                                                                /* the shorter first */
        {"A", "ab", false, -1},  {"x_real_ip", "x-real-ip", false, 1}, {"@", "`", false, -1}, /* 0x40 and 0x60 differ by
                                                                                                 the case bit and are no
                                                                                                 letters */
        {"[", "{", false, -1},   {"\xc4", "\xe4", false, -1}, /* Latin-1 letters: no case here */
        {"\xff", "a", false, 1},                              /* bytes are compared unsigned */
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span a = exact(rows[i].a), b = exact(rows[i].b);
        assert_int_equal(ipt_span_equal_nocase(a, b), rows[i].equal);
        int order = ipt_span_compare_nocase(a, b), back = ipt_span_compare_nocase(b, a);
        assert_int_equal((order > 0) - (order < 0), rows[i].order);
        assert_int_equal((back > 0) - (back < 0), -rows[i].order);
        drop(a);
        drop(b);
    }
}

static void equality_is_of_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {{"", "", true},        {"ab", "ab", true},    {"ab", "aB", false}, {"ab", "abc", false},
                {"abc", "abd", false}, {"abc", "xbc", false}, {"ab", "", false}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span a = exact(rows[i].a), b = exact(rows[i].b);
        assert_int_equal(ipt_span_equal(a, b), rows[i].equal);
        assert_int_equal(ipt_span_equal_secret(a, b), rows[i].equal);
        drop(a);
        drop(b);
    }
    assert_true(ipt_span_equal((ipt_span){0}, IPT_SPAN("")));
    assert_true(ipt_span_equal_secret((ipt_span){0}, IPT_SPAN("")));
    assert_int_equal(ipt_span_from(NULL).n, 0);
}

static void trimming_takes_spaces_and_tabs_from_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text, *trimmed;
    } rows[] = {
        {"", ""},           {" ", ""},    {"\t \t", ""}, {"a", "a"}, {" a", "a"}, {"a\t", "a"}, {" \ta b\t ", "a b"},
        {"\ra\n", "\ra\n"}, {"\v", "\v"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text), trimmed = ipt_span_trim(text);
        assert_int_equal(trimmed.n, strlen(rows[i].trimmed));
        assert_memory_equal(trimmed.p, rows[i].trimmed, trimmed.n);
        drop(text);
    }
    assert_int_equal(ipt_span_trim((ipt_span){0}).n, 0);
}

static void utf8_is_well_formed_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"", true},
        {"abc", true},
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false}, /* a continuation without start */
        {"\xbf", false},
        {"\xc0\x80", false}, /* overlong NUL */
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xed\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xc2", false}, /* cut short */
        {"\xe1\x80", false},
        {"\xf1\x80\x80", false},
        {"\xc2\x41", false},
        {"\xe1\x80\x41", false},
        {"\xf1\x80\x80\x41", false},
        {"\xe1\x80\xc0", false},
        {"a\xc2\xa9z\xe2\x82\xac", true},
        {"a\xc2\xa9z\xe2\x82", false},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        if (ipt_span_is_utf8(text) != rows[i].good)
            fail_msg("row %zu", i);
        drop(text);
    }
    assert_true(ipt_span_is_utf8((ipt_span){"a\0b", 3}));
}

static void token_characters_are_those_of_the_rfc(void **state)
{
    (void)state;
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (int c = 0; c < 256; c++) {
        bool expected = c != 0 && strchr(allowed, c) != NULL;
        if (ipt_is_tchar((char)c) != expected)
            fail_msg("character %d", c);
    }
    assert_true(ipt_span_is_token(IPT_SPAN("X-Forwarded-For")));
    assert_false(ipt_span_is_token(IPT_SPAN("")));
    assert_false(ipt_span_is_token(IPT_SPAN("a b")));
    assert_false(ipt_span_is_token(IPT_SPAN("a:")));
    assert_false(ipt_span_is_token((ipt_span){"a\0", 2}));
}

static void every_fault_has_its_name(void **state)
{
    (void)state;
    static const struct {
        ipt_err err;
        const char *name;
    } rows[] = {{IPT_OK, "IPT_OK"},
                {IPT_ENOMEM, "IPT_ENOMEM"},
                {IPT_EIO, "IPT_EIO"},
                {IPT_ECONFIG, "IPT_ECONFIG"},
                {IPT_ELIMIT, "IPT_ELIMIT"}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(ipt_err_name(rows[i].err), rows[i].name);
}

static void shown_text_is_printable_and_short(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {{"plain \"text\"", "plain \"text\""},
                {"\x1b[31m", "\\x1b[31m"},
                {"\xc3\xa4\n", "\\xc3\\xa4\\x0a"},
                {"0123456789012345678901234567890123456789012345678901234567890",
                 "012345678901234567890123456789012345678901234567890123456789..."}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_shown shown;
        ipt_span text = exact(rows[i].text);
        assert_string_equal(ipt_show(text, &shown), rows[i].shown);
        drop(text);
    }
}

static void every_byte_at_every_place_is_seen(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                char text[40];
                memset(text, at % 2 == 0 ? '~' : ' ', sizeof(text));
                text[at] = (char)(unsigned char)c;
                bool printable = ipt_span_is_printable((ipt_span){text, n});
                assert_int_equal(printable, c >= ' ' && c <= '~');
            }
        }
        char *spaces = malloc(n + 1); /* nothing is read beyond its end */
        assert_non_null(spaces);
        memset(spaces, ' ', n + 1);
        assert_true(ipt_span_is_printable((ipt_span){spaces + 1, n}));
        free(spaces);
    }
    assert_true(ipt_span_is_printable((ipt_span){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_ignores_ascii_case_alone),
        cmocka_unit_test(equality_is_of_bytes),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_both_ends),
        cmocka_unit_test(utf8_is_well_formed_or_not),
        cmocka_unit_test(token_characters_are_those_of_the_rfc),
        cmocka_unit_test(every_fault_has_its_name),
        cmocka_unit_test(shown_text_is_printable_and_short),
        cmocka_unit_test(every_byte_at_every_place_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
