/* Prefixes: what is accepted, what is told about the rest, masks and membership. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/net/prefix.h"

static ipt_prefix_result parse(const char *text, ipt_prefix *out)
{
    ipt_span copy = exact(text);
    ipt_prefix_result result = ipt_prefix_parse(copy, out);
    free((void *)(uintptr_t)copy.p);
    return result;
}

static void each_text_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ipt_prefix_result result;
        const char *formatted; /* NULL: out stays untouched */
        unsigned len;          /* over the 128 bits */
    } rows[] = {
        {"10.0.0.0/8", IPT_PREFIX_OK, "10.0.0.0/8", 104},
        {"0.0.0.0/0", IPT_PREFIX_OK, "0.0.0.0/0", 96},
        {"192.0.2.1/32", IPT_PREFIX_OK, "192.0.2.1/32", 128},
        {"128.0.0.0/1", IPT_PREFIX_OK, "128.0.0.0/1", 97},
        {"2001:db8::/32", IPT_PREFIX_OK, "2001:db8::/32", 32},
        {"::/0", IPT_PREFIX_OK, "::/0", 0},
        {"2001:DB8::1/128", IPT_PREFIX_OK, "2001:db8::1/128", 128},
        {"2001:db8:0:0:8000::/65", IPT_PREFIX_OK, "2001:db8:0:0:8000::/65", 65},
        {"::/96", IPT_PREFIX_OK, "::/96", 96},
        {"::ffff:10.0.0.0/104", IPT_PREFIX_OK, "10.0.0.0/8", 104}, /* mapped is IPv4 */
        {"::ffff:0:0/96", IPT_PREFIX_OK, "0.0.0.0/0", 96},
        {"::ffff:192.0.2.1/128", IPT_PREFIX_OK, "192.0.2.1/32", 128},
        {"192.0.2.1", IPT_PREFIX_BARE, "192.0.2.1/32", 128},
        {"2001:db8::1", IPT_PREFIX_BARE, "2001:db8::1/128", 128},
        {"::ffff:192.0.2.1", IPT_PREFIX_BARE, "192.0.2.1/32", 128},
        {"10.0.0.1/8", IPT_PREFIX_HOST_BITS, "10.0.0.0/8", 104},
        {"192.0.2.1/31", IPT_PREFIX_HOST_BITS, "192.0.2.0/31", 127},
        {"192.0.2.1/0", IPT_PREFIX_HOST_BITS, "0.0.0.0/0", 96},
        {"2001:db8::1/64", IPT_PREFIX_HOST_BITS, "2001:db8::/64", 64},
        {"2001:db8:0:1::/63", IPT_PREFIX_HOST_BITS, "2001:db8::/63", 63},
        {"::1/0", IPT_PREFIX_HOST_BITS, "::/0", 0},
        {"::ffff:10.0.0.1/104", IPT_PREFIX_HOST_BITS, "10.0.0.0/8", 104},
        {"::ffff:0:0/95", IPT_PREFIX_WIDE_MAPPED, NULL, 0},
        {"::ffff:10.0.0.0/8", IPT_PREFIX_WIDE_MAPPED, NULL, 0},
        {"::ffff:10.0.0.1/0", IPT_PREFIX_WIDE_MAPPED, NULL, 0},
        {"10.0.0.0/33", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/104", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/08", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/00", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/-1", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/+8", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/8 ", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/ 8", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/8/8", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/255.0.0.0", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"10.0.0.0/4294967304", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"2001:db8::/129", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"2001:db8::/0032", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"2001:db8::/ffff::", IPT_PREFIX_BAD_LENGTH, NULL, 0},
        {"", IPT_PREFIX_INVALID, NULL, 0},
        {"/", IPT_PREFIX_INVALID, NULL, 0},
        {"/8", IPT_PREFIX_INVALID, NULL, 0},
        {"10/8", IPT_PREFIX_INVALID, NULL, 0},
        {"10.0.0/24", IPT_PREFIX_INVALID, NULL, 0},
        {"010.0.0.0/8", IPT_PREFIX_INVALID, NULL, 0},
        {"10.0.0.0 /8", IPT_PREFIX_INVALID, NULL, 0},
        {" 10.0.0.0/8", IPT_PREFIX_INVALID, NULL, 0},
        {"[2001:db8::]/32", IPT_PREFIX_INVALID, NULL, 0},
        {"fe80::%eth0/64", IPT_PREFIX_INVALID, NULL, 0},
        {"1:2:3:4:5:6:7::8/128", IPT_PREFIX_INVALID, NULL, 0},
        {"example.org", IPT_PREFIX_INVALID, NULL, 0},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix p = {{3, 4}, 5};
        char text[IPT_PREFIX_TEXT];
        ipt_prefix_result result = parse(rows[i].text, &p);
        if (result != rows[i].result)
            fail_msg("\"%s\" gives %d, not %d", rows[i].text, (int)result, (int)rows[i].result);
        if (rows[i].formatted == NULL) {
            assert_true(p.addr.hi == 3 && p.addr.lo == 4 && p.len == 5);
            continue;
        }
        assert_int_equal(p.len, rows[i].len);
        assert_int_equal(ipt_prefix_format(p, text), strlen(rows[i].formatted));
        assert_string_equal(text, rows[i].formatted);
    }
    ipt_prefix p;
    assert_int_equal(ipt_prefix_parse((ipt_span){0}, &p), IPT_PREFIX_INVALID);
    assert_int_equal(ipt_prefix_parse((ipt_span){"10.0.0.0/8", 11}, &p), IPT_PREFIX_BAD_LENGTH);
}

static void masks_keep_exactly_the_first_bits(void **state)
{
    (void)state;
    ipt_addr ones = {UINT64_MAX, UINT64_MAX};
    for (unsigned len = 0; len <= 128; len++) {
        ipt_prefix p = ipt_prefix_of(ones, len);
        assert_int_equal(p.len, len);
        for (unsigned bit = 0; bit < 128; bit++) {
            uint64_t word = bit < 64 ? p.addr.hi : p.addr.lo;
            assert_int_equal(word >> (63 - bit % 64) & 1, bit < len);
        }
    }
    assert_int_equal(ipt_prefix_of(ones, 200).len, 128);
}

static void membership_keeps_the_families_apart(void **state)
{
    (void)state;
    static const struct {
        const char *prefix, *addr;
        bool holds;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"0.0.0.0/0", "::", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"192.0.2.1/32", "192.0.2.0", false},
        {"::/0", "::", true},
        {"::/0", "ffff::", true},
        {"::/0", "192.0.2.1", false},
        {"::/8", "192.0.2.1", false},
        {"::/64", "0.0.0.0", false},
        {"::fffe:0:0/95", "1.2.3.4", false},
        {"::fffe:0:0/95", "::fffe:1:1", true},
        {"2001:db8::/32", "2001:db8:ffff::", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"2001:db8::/65", "2001:db8::8000:0:0:0", false},
        {"2001:db8::/65", "2001:db8::7fff:0:0:0", true},
        {"2001:db8::1/128", "2001:db8::1", true},
        {"2001:db8::1/128", "2001:db8::", false},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix p;
        ipt_addr addr;
        assert_int_equal(parse(rows[i].prefix, &p), IPT_PREFIX_OK);
        assert_true(ipt_addr_parse(ipt_span_from(rows[i].addr), &addr, NULL));
        if (ipt_prefix_holds(p, addr) != rows[i].holds)
            fail_msg("%s, %s", rows[i].prefix, rows[i].addr);
    }
}

static void equality_is_of_address_and_length(void **state)
{
    (void)state;
    ipt_prefix a = {{1, 0}, 64}, b = {{1, 0}, 65}, c = {{2, 0}, 64};
    assert_true(ipt_prefix_equal(a, a));
    assert_false(ipt_prefix_equal(a, b));
    assert_false(ipt_prefix_equal(a, c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_its_outcome),
        cmocka_unit_test(masks_keep_exactly_the_first_bits),
        cmocka_unit_test(membership_keeps_the_families_apart),
        cmocka_unit_test(equality_is_of_address_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
