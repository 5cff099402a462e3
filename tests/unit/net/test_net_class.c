/* The class table, row by row, with the addresses on both sides of both ends of every row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "iptrust/net/prefix.h"

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(text), &addr, NULL))
        fail_msg("\"%s\" is no address", text);
    return addr;
}

static ipt_prefix prefix(const char *text)
{
    ipt_prefix p;
    if (ipt_prefix_parse(ipt_span_from(text), &p) != IPT_PREFIX_OK)
        fail_msg("\"%s\" is no prefix", text);
    return p;
}

/* decision.md, section 2, in its order: the test's own reading of it, looked through from the top. */
static const struct {
    const char *prefix;
    ipt_class class;
} table[] = {
    {"0.0.0.0/32", IPT_CLASS_UNSPECIFIED},
    {"::/128", IPT_CLASS_UNSPECIFIED},
    {"255.255.255.255/32", IPT_CLASS_BROADCAST},
    {"127.0.0.0/8", IPT_CLASS_LOOPBACK},
    {"::1/128", IPT_CLASS_LOOPBACK},
    {"10.0.0.0/8", IPT_CLASS_PRIVATE},
    {"172.16.0.0/12", IPT_CLASS_PRIVATE},
    {"192.168.0.0/16", IPT_CLASS_PRIVATE},
    {"100.64.0.0/10", IPT_CLASS_CGNAT},
    {"169.254.0.0/16", IPT_CLASS_LINK_LOCAL},
    {"fe80::/10", IPT_CLASS_LINK_LOCAL},
    {"fc00::/7", IPT_CLASS_UNIQUE_LOCAL},
    {"224.0.0.0/4", IPT_CLASS_MULTICAST},
    {"ff00::/8", IPT_CLASS_MULTICAST},
    {"192.0.2.0/24", IPT_CLASS_DOCUMENTATION},
    {"198.51.100.0/24", IPT_CLASS_DOCUMENTATION},
    {"203.0.113.0/24", IPT_CLASS_DOCUMENTATION},
    {"2001:db8::/32", IPT_CLASS_DOCUMENTATION},
    {"3fff::/20", IPT_CLASS_DOCUMENTATION},
    {"198.18.0.0/15", IPT_CLASS_BENCHMARKING},
    {"2001:2::/48", IPT_CLASS_BENCHMARKING},
    {"64:ff9b::/96", IPT_CLASS_TRANSITION},
    {"64:ff9b:1::/48", IPT_CLASS_TRANSITION},
    {"2002::/16", IPT_CLASS_TRANSITION},
    {"2001::/32", IPT_CLASS_TRANSITION},
    {"0.0.0.0/8", IPT_CLASS_RESERVED},
    {"192.0.0.0/24", IPT_CLASS_RESERVED},
    {"240.0.0.0/4", IPT_CLASS_RESERVED},
    {"100::/64", IPT_CLASS_RESERVED},
    {"2001::/23", IPT_CLASS_RESERVED},
    {"5f00::/16", IPT_CLASS_RESERVED},
    {"0.0.0.0/0", IPT_CLASS_GLOBAL},
    {"2000::/3", IPT_CLASS_GLOBAL},
    {"::/0", IPT_CLASS_RESERVED}, /* everything else outside 2000::/3 */
};

static ipt_class expected_class(ipt_addr addr)
{
    for (size_t i = 0; i < IPT_COUNT(table); i++) {
        if (ipt_prefix_holds(prefix(table[i].prefix), addr))
            return table[i].class;
    }
    fail_msg("no row");
    return IPT_CLASS_GLOBAL;
}

static void expect(ipt_addr addr)
{
    char text[IPT_ADDR_TEXT];
    (void)ipt_addr_format(addr, text);
    ipt_class got = ipt_addr_class(addr), want = expected_class(addr);
    if (got != want)
        fail_msg("%s is %s, not %s", text, ipt_class_name(got), ipt_class_name(want));
}

static ipt_addr plus(ipt_addr a, uint64_t more)
{
    uint64_t lo = a.lo + more;
    return (ipt_addr){a.hi + (lo < a.lo), lo};
}

static ipt_addr minus_one(ipt_addr a)
{
    return (ipt_addr){a.hi - (a.lo == 0), a.lo - 1};
}

static void every_row_holds_from_its_first_to_its_last_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(table); i++) {
        ipt_prefix p = prefix(table[i].prefix);
        ipt_addr first = p.addr, last = p.addr;
        last.hi |= p.len >= 64 ? 0 : UINT64_MAX >> p.len;
        last.lo |= p.len <= 64 ? UINT64_MAX : p.len == 128 ? 0 : UINT64_MAX >> (p.len - 64);
        expect(first);
        expect(last);
        expect(minus_one(first));
        expect(plus(last, 1));
        expect(plus(first, 1));
        expect(minus_one(last));
    }
}

static void named_addresses_have_their_class(void **state)
{
    (void)state;
    static const struct {
        const char *addr, *class;
    } rows[] = {
        {"0.0.0.0", "unspecified"},
        {"::", "unspecified"},
        {"0.0.0.1", "reserved"},
        {"1.0.0.0", "global"},
        {"8.8.8.8", "global"},
        {"9.255.255.255", "global"},
        {"10.0.0.0", "private"},
        {"10.255.255.255", "private"},
        {"11.0.0.0", "global"},
        {"100.63.255.255", "global"},
        {"100.64.0.0", "cgnat"},
        {"100.127.255.255", "cgnat"},
        {"100.128.0.0", "global"},
        {"126.255.255.255", "global"},
        {"127.0.0.1", "loopback"},
        {"128.0.0.0", "global"},
        {"169.253.255.255", "global"},
        {"169.254.169.254", "link_local"},
        {"169.255.0.0", "global"},
        {"172.15.255.255", "global"},
        {"172.16.0.0", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.0", "global"},
        {"192.0.0.0", "reserved"},
        {"192.0.1.0", "global"},
        {"192.0.2.0", "documentation"},
        {"192.0.3.0", "global"},
        {"192.88.99.1", "global"},
        {"192.168.0.0", "private"},
        {"192.169.0.0", "global"},
        {"198.17.255.255", "global"},
        {"198.18.0.0", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.20.0.0", "global"},
        {"198.51.100.255", "documentation"},
        {"203.0.113.0", "documentation"},
        {"203.0.114.0", "global"},
        {"223.255.255.255", "global"},
        {"224.0.0.0", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.0", "reserved"},
        {"255.255.255.254", "reserved"},
        {"255.255.255.255", "broadcast"},
        {"::1", "loopback"},
        {"::2", "reserved"},
        {"::8.8.8.8", "reserved"},
        {"::ffff:10.1.2.3", "private"},
        {"64:ff9b::8.8.8.8", "transition"},
        {"64:ff9b::1:0:0", "reserved"},
        {"64:ff9b:1::", "transition"},
        {"64:ff9b:2::", "reserved"},
        {"100::", "reserved"},
        {"1fff:ffff::", "reserved"},
        {"2000::", "global"},
        {"2001::", "transition"},
        {"2001:1::", "reserved"},
        {"2001:2::", "benchmarking"},
        {"2001:2:1::", "reserved"},
        {"2001:1ff:ffff::", "reserved"},
        {"2001:200::", "global"},
        {"2001:db8::", "documentation"},
        {"2001:db9::", "global"},
        {"2002::", "transition"},
        {"2003::", "global"},
        {"2606:4700:4700::1111", "global"},
        {"3ffe:ffff::", "global"},
        {"3fff::", "documentation"},
        {"3fff:fff:ffff::", "documentation"},
        {"3fff:1000::", "global"},
        {"3fff:ffff::", "global"},
        {"4000::", "reserved"},
        {"5f00::1", "reserved"},
        {"fbff::", "reserved"},
        {"fc00::", "unique_local"},
        {"fdff:ffff::", "unique_local"},
        {"fe00::", "reserved"},
        {"fe80::1", "link_local"},
        {"febf::", "link_local"},
        {"fec0::", "reserved"},
        {"ff02::1", "multicast"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *got = ipt_class_name(ipt_addr_class(address(rows[i].addr)));
        if (strcmp(got, rows[i].class) != 0)
            fail_msg("%s is %s, not %s", rows[i].addr, got, rows[i].class);
    }
}

static void zero_is_the_class_that_is_never_global(void **state)
{
    (void)state;
    ipt_class zero = {0};
    assert_string_equal(ipt_class_name(zero), "unspecified");
    assert_int_equal(ipt_addr_class((ipt_addr){0}), zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_holds_from_its_first_to_its_last_address),
        cmocka_unit_test(named_addresses_have_their_class),
        cmocka_unit_test(zero_is_the_class_that_is_never_global),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
