/* Lists as text, line by line, and what is said about a line that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/ranges/text.h"

static void lists_are_walked_line_by_line(void **state)
{
    static const struct {
        const char *text, *steps; /* "line:column prefix;" or "line:column !found;" */
    } rows[] = {
        {"", ""},
        {"\n\r\n  \t\n# only comments\n", ""},
        {"192.0.2.0/24", "1:1 192.0.2.0/24;"},
        {"192.0.2.0/24\n", "1:1 192.0.2.0/24;"},
        {"192.0.2.1\n2001:db8::1\n", "1:1 192.0.2.1/32;2:1 2001:db8::1/128;"},
        {"192.0.2.0/24\r\n2001:db8::/32\r\n", "1:1 192.0.2.0/24;2:1 2001:db8::/32;"},
        {"\n  192.0.2.0/24 # the office\n#192.0.2.1\n\t2001:db8::/32#x\n", "2:3 192.0.2.0/24;4:2 2001:db8::/32;"},
        {"::ffff:192.0.2.0/120\n", "1:1 192.0.2.0/24;"},
        {"192.0.2.1/24\n198.51.100.0/24\n", "1:1 !192.0.2.1/24;2:1 198.51.100.0/24;"},
        {"192.0.2.0/24, 198.51.100.0/24\n", "1:1 !192.0.2.0/24, 198.51.100.0/24;"},
        {"192.0.2.0/24 198.51.100.0/24\n", "1:1 !192.0.2.0/24 198.51.100.0/24;"},
        {"\xef\xbb\xbf"
         "192.0.2.0/24\n",
         "1:1 !\xef\xbb\xbf"
         "192.0.2.0/24;"},
        {"192.0.2.0/24\r\r\n", "1:1 !192.0.2.0/24\r;"},
        {"192.0.2.1\r192.0.2.2\n", "1:1 !192.0.2.1\r192.0.2.2;"},
        {"<html>\n", "1:1 !<html>;"},
        {"; 192.0.2.1\n", "1:1 !; 192.0.2.1;"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char steps[512] = "";
        size_t n = 0;
        ipt_span text = exact(rows[i].text), found;
        ipt_ranges_text cursor = {.rest = text};
        ipt_prefix prefix;
        for (ipt_ranges_step step; (step = ipt_ranges_text_next(&cursor, &prefix, NULL, &found)) != IPT_RANGES_END;) {
            char formatted[IPT_PREFIX_TEXT] = "";
            if (step == IPT_RANGES_PREFIX)
                ipt_prefix_format(prefix, formatted);
            n += (size_t)snprintf(steps + n, sizeof(steps) - n, "%u:%u %s%.*s;", cursor.line, cursor.column,
                                  step == IPT_RANGES_BAD ? "!" : formatted, step == IPT_RANGES_BAD ? (int)found.n : 0,
                                  found.p);
        }
        assert_string_equal(steps, rows[i].steps);
        free((void *)(uintptr_t)text.p);
    }
}

static void a_bad_line_leaves_the_prefix_untouched(void **state)
{
    ipt_ranges_text cursor = {.rest = IPT_SPAN("192.0.2.1/24\n")};
    ipt_prefix prefix = {{1, 2}, 3};
    ipt_prefix_result reason = IPT_PREFIX_OK;
    ipt_span found;
    (void)state;
    assert_int_equal(ipt_ranges_text_next(&cursor, &prefix, &reason, &found), IPT_RANGES_BAD);
    assert_int_equal(reason, IPT_PREFIX_HOST_BITS);
    assert_int_equal(prefix.addr.hi, 1);
    assert_int_equal(prefix.len, 3);
}

static void complaints_say_what_was_meant(void **state)
{
    static const struct {
        const char *found, *complaint;
    } rows[] = {
        {"192.0.2.0/24", ""},
        {"192.0.2.1", ""},
        {"10.0.0.1/8", "10.0.0.1/8 has host bits set, did you mean 10.0.0.0/8?"},
        {"2001:DB8::1/32", "2001:DB8::1/32 has host bits set, did you mean 2001:db8::/32?"},
        {"::ffff:192.0.2.1/120", "::ffff:192.0.2.1/120 has host bits set, did you mean 192.0.2.0/24?"},
        {"10.0.0.0/33", "10.0.0.0/33 has a bad length, expected /0 to /32"},
        {"2001:db8::/129", "2001:db8::/129 has a bad length, expected /0 to /128"},
        {"10.0.0.0/08", "10.0.0.0/08 has a bad length, did you mean 10.0.0.0/8?"},
        {"2001:db8::/032", "2001:db8::/032 has a bad length, did you mean 2001:db8::/32?"},
        {"10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0 has a bad length, did you mean 10.0.0.0/8?"},
        {"10.0.0.1/255.255.255.255", "10.0.0.1/255.255.255.255 has a bad length, did you mean 10.0.0.1/32?"},
        {"0.0.0.0/0.0.0.0", "0.0.0.0/0.0.0.0 has a bad length, did you mean 0.0.0.0/0?"},
        {"10.0.0.0/255.0.255.0", "10.0.0.0/255.0.255.0 has a bad length, expected /0 to /32"},
        {"2001:db8::/255.0.0.0", "2001:db8::/255.0.0.0 has a bad length, expected /0 to /128"},
        {"10.0.0.0/", "10.0.0.0/ has a bad length, expected /0 to /32"},
        {"10.0.0.0/-8", "10.0.0.0/-8 has a bad length, expected /0 to /32"},
        {"10.0.0.0/4294967304", "10.0.0.0/4294967304 has a bad length, expected /0 to /32"},
        {"::ffff:0:0/95",
         "::ffff:0:0/95 is wider than the IPv4 addresses in it, expected an IPv4 prefix, or /96 to /128"},
        {"example.org", "\"example.org\" is no address or prefix"},
        {"\x1b[2J", "\"\\x1b[2J\" is no address or prefix"},
        {"", "expected an address or a prefix, found nothing"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char complaint[256];
        ipt_prefix prefix;
        ipt_span found = exact(rows[i].found);
        ipt_prefix_complain(found, ipt_prefix_parse(found, &prefix), complaint, sizeof(complaint));
        assert_string_equal(complaint, rows[i].complaint);
        free((void *)(uintptr_t)found.p);
    }
}

static void complaints_fit_their_buffer(void **state)
{
    char complaint[16] = "untouched";
    ipt_span found = exact("10.0.0.1/8");
    (void)state;
    ipt_prefix_complain(found, IPT_PREFIX_HOST_BITS, complaint, 0);
    assert_string_equal(complaint, "untouched");
    ipt_prefix_complain(found, IPT_PREFIX_HOST_BITS, complaint, sizeof(complaint));
    assert_string_equal(complaint, "10.0.0.1/8 has ");
    ipt_prefix_complain(found, IPT_PREFIX_HOST_BITS, complaint, 1);
    assert_string_equal(complaint, "");
    free((void *)(uintptr_t)found.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_walked_line_by_line),
        cmocka_unit_test(a_bad_line_leaves_the_prefix_untouched),
        cmocka_unit_test(complaints_say_what_was_meant),
        cmocka_unit_test(complaints_fit_their_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
