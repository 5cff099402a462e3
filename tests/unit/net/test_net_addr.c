/* Text to address and back, endpoints and ports; inet_pton as an independent reader. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "iptrust/net/addr.h"

static bool parse(const char *text, ipt_addr *out, bool *mapped)
{
    ipt_span copy = exact(text);
    bool ok = ipt_addr_parse(copy, out, mapped);
    free((void *)(uintptr_t)copy.p);
    return ok;
}

static void good_text_is_read_and_printed_in_its_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t hi, lo;
        const char *canonical;
        bool mapped;
    } rows[] = {
        {"192.0.2.1", 0, 0xffffc0000201, "192.0.2.1", false},
        {"0.0.0.0", 0, 0xffff00000000, "0.0.0.0", false},
        {"255.255.255.255", 0, 0xffffffffffff, "255.255.255.255", false},
        {"1.2.3.4", 0, 0xffff01020304, "1.2.3.4", false},
        {"100.99.10.9", 0, 0xffff64630a09, "100.99.10.9", false},
        {"::", 0, 0, "::", false},
        {"::1", 0, 1, "::1", false},
        {"1::", 0x0001000000000000, 0, "1::", false},
        {"2001:db8::1", 0x20010db800000000, 1, "2001:db8::1", false},
        {"2001:0DB8:0:0:0:0:0:1", 0x20010db800000000, 1, "2001:db8::1", false},
        {"2001:db8:0:1:1:1:1:1", 0x20010db800000001, 0x0001000100010001, "2001:db8:0:1:1:1:1:1", false},
        {"2001:0:0:1:0:0:0:1", 0x2001000000000001, 1, "2001:0:0:1::1", false}, /* the longest run */
        {"2001:db8:0:0:1:0:0:1", 0x20010db800000000, 0x0001000000000001, "2001:db8::1:0:0:1", false}, /* the first */
        {"1:2:3:4:5:6:7::", 0x0001000200030004, 0x0005000600070000, "1:2:3:4:5:6:7:0", false},
        {"::2:3:4:5:6:7:8", 0x0000000200030004, 0x0005000600070008, "0:2:3:4:5:6:7:8", false},
        {"1::3:4:5:6:7:8", 0x0001000000030004, 0x0005000600070008, "1:0:3:4:5:6:7:8", false},
        {"0:0:1::", 0x0000000000010000, 0, "0:0:1::", false},
        {"::1:0:0", 0, 0x0000000100000000, "::1:0:0", false},
        {"fe80::ABCD:ef01", 0xfe80000000000000, 0xabcdef01, "fe80::abcd:ef01", false},
        {"::ffff:192.0.2.1", 0, 0xffffc0000201, "192.0.2.1", true},
        {"::ffff:c000:201", 0, 0xffffc0000201, "192.0.2.1", true},
        {"0:0:0:0:0:FFFF:192.0.2.1", 0, 0xffffc0000201, "192.0.2.1", true},
        {"::192.0.2.1", 0, 0xc0000201, "::c000:201", false}, /* compatible is not mapped */
        {"64:ff9b::192.0.2.1", 0x0064ff9b00000000, 0xc0000201, "64:ff9b::c000:201", false},
        {"1:2:3:4:5:6:192.0.2.1", 0x0001000200030004, 0x00050006c0000201, "1:2:3:4:5:6:c000:201", false},
        {"1:2:3:4:5::192.0.2.1", 0x0001000200030004, 0x00050000c0000201, "1:2:3:4:5:0:c000:201", false},
        {"::fffe:1.2.3.4", 0, 0xfffe01020304, "::fffe:102:304", false},
        {"1111:2222:3333:4444:5555:6666:7777:8888", 0x1111222233334444, 0x5555666677778888,
         "1111:2222:3333:4444:5555:6666:7777:8888", false},
        {"1111:2222:3333:4444:5555:6666:123.123.123.123", 0x1111222233334444, 0x555566667b7b7b7b,
         "1111:2222:3333:4444:5555:6666:7b7b:7b7b", false},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_addr addr = {1, 1}, again;
        bool mapped = !rows[i].mapped;
        char text[IPT_ADDR_TEXT];
        if (!parse(rows[i].text, &addr, &mapped) || addr.hi != rows[i].hi || addr.lo != rows[i].lo)
            fail_msg("%s is read as %016lx %016lx", rows[i].text, (unsigned long)addr.hi, (unsigned long)addr.lo);
        assert_int_equal(mapped, rows[i].mapped);
        assert_int_equal(ipt_addr_format(addr, text), strlen(rows[i].canonical));
        assert_string_equal(text, rows[i].canonical);
        assert_true(parse(text, &again, NULL));
        assert_true(ipt_addr_equal(addr, again));
    }
}

static void bad_text_is_refused_and_leaves_out_untouched(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ".",
        ":",
        ":::",
        "1",
        "1.2",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4.",
        ".1.2.3.4",
        "1..2.3",
        "1.2..4",
        "1...2",
        "....",
        "......",
        ".......",
        "1.2.3.",
        "a.b.c.d",
        "01.2.3.4",
        "1.02.3.4",
        "1.2.003.4",
        "1.2.3.00",
        "1.2.3.04",
        "00.0.0.0",
        "0.0.0.000", /* octal to some */
        "256.0.0.0",
        "0.256.0.0",
        "0.0.300.0",
        "0.0.0.999",
        "1000.0.0.1",
        "1.1.1.1000",
        "0x1.2.3.4",
        "0xc0000201",
        "3221225985",
        "127.1",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\n",
        "1.2.3.-4",
        "+1.2.3.4",
        "1.2.3.4/32",
        "1.2.3.4:80",
        "1.2.3.4%eth0",
        "1,2,3,4",
        "1.2.3:4",
        "12345678",
        "1.2.3.4a",
        "1.2.3.a",
        "1.2.3.:",
        "1.2.3./",
        "\xef\xbc\x91.2.3.4", /* a full-width digit */
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8:",
        ":1:2:3:4:5:6:7:8",
        "1:",
        ":1",
        "1:2:3:4:5:6:7:",
        ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::8",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::",
        "1::2:3:4:5:6:7:8", /* :: for no group */
        "1::2::3",
        "::1::",
        ":::1",
        "1:::2",
        "1:::",
        "::::",
        "2001:db8:::1",
        "12345::",
        "::12345",
        "00001::",
        "g::",
        "::g",
        "1:2:3:4:5:6:7:g",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.256",
        "::01.2.3.4",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "::1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:1.2.3.4",
        "1:2:3:4:5:6::1.2.3.4",
        "::ffff:1.2.3.4.",
        "::ffff:.1.2.3.4",
        "::ffff:1.2.3.0x4",
        "::ffff:1.2.3.4 ",
        "::ffff:12345.2.3.4",
        "::ffff:a.2.3.4",
        "fe80::1%eth0",
        "fe80::1%",
        "%",
        "[::1]",
        "::1]",
        "[::1",
        "::1/128",
        "::1 ",
        " ::1",
        "::\t1",
        "1 ::",
        "1:2:3:4:5:6:7:8::9",
        "1111:2222:3333:4444:5555:6666:7777:88888",
        "1111:2222:3333:4444:5555:6666:123.123.123.1234",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
        "localhost",
        "unknown",
        "_hidden",
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_addr addr = {7, 9};
        bool mapped = true;
        if (parse(rows[i], &addr, &mapped))
            fail_msg("\"%s\" was accepted", rows[i]);
        assert_true(addr.hi == 7 && addr.lo == 9 && mapped);
    }
    ipt_addr addr;
    assert_false(ipt_addr_parse((ipt_span){0}, &addr, NULL));
    assert_false(ipt_addr_parse((ipt_span){"1.2.3.4", 8}, &addr, NULL)); /* with its NUL */
    assert_false(ipt_addr_parse((ipt_span){"1.2\0003.4", 7}, &addr, NULL));
    assert_false(ipt_addr_parse((ipt_span){"::1", 4}, &addr, NULL));
}

static void every_byte_in_every_place_of_a_quad_is_judged(void **state)
{
    (void)state;
    static const char *const texts[] = {"1.2.3.4", "12.3.45.6", "123.45.6.78", "192.168.100.200", "::ffff:10.20.30.4"};
    for (size_t t = 0; t < IPT_COUNT(texts); t++) {
        for (size_t at = 0; at < strlen(texts[t]); at++) {
            for (int c = 1; c < 256; c++) {
                char text[32], reference[16];
                strcpy(text, texts[t]);
                text[at] = (char)c;
                ipt_addr addr;
                int family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
                if (parse(text, &addr, NULL) != (inet_pton(family, text, reference) == 1))
                    fail_msg("\"%s\"", text);
            }
        }
    }
}

static uint64_t seed = 88172645463325252U;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) % below);
}

/* glibc, too, wants `::` to stand for at least one group and octets without leading zeros: the readers agree. */
static void agree_with_inet_pton(const char *text)
{
    ipt_addr ours = {0, 0}, theirs = {0, 0};
    uint8_t bytes[16] = {0};
    bool known = false;
    if (strchr(text, ':') == NULL) {
        known = inet_pton(AF_INET, text, bytes) == 1;
        theirs = ipt_addr_from_bytes4(bytes);
    } else {
        known = inet_pton(AF_INET6, text, bytes) == 1;
        theirs = ipt_addr_from_bytes16(bytes);
    }
    bool ok = parse(text, &ours, NULL);
    if (ok != known || (ok && !ipt_addr_equal(ours, theirs)))
        fail_msg("\"%s\": we say %d, inet_pton %d", text, ok, known);
}

static ipt_addr random_addr(void)
{
    uint64_t half[2] = {0, 0};
    if (draw(3) == 0)
        return ipt_addr_from_v4(draw(UINT32_MAX));
    for (unsigned i = 0; i < 8; i++)
        half[i / 4] = half[i / 4] << 16 | (draw(2) == 0 ? 0 : draw(1U << (4 * (1 + draw(4)))));
    return (ipt_addr){half[0], half[1]};
}

static void random_text_is_read_as_inet_pton_reads_it(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789abcdefABCDEF:::....g%/ ";
    for (int round = 0; round < 60000; round++) {
        char text[80];
        size_t n = ipt_addr_format(random_addr(), text);
        for (uint32_t change = draw(4); change-- > 0 && n > 0;) {
            size_t at = draw((uint32_t)n);
            switch (draw(3)) {
            case 0:
                text[at] = alphabet[draw(sizeof(alphabet) - 1)];
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at);
                n--;
                break;
            default:
                memmove(text + at + 1, text + at, n - at + 1);
                text[at] = alphabet[draw(sizeof(alphabet) - 1)];
                n++;
                break;
            }
        }
        agree_with_inet_pton(text);
    }
}

static void every_octet_is_printed_in_decimal(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        char text[IPT_ADDR_TEXT], expected[32];
        int n = snprintf(expected, sizeof(expected), "%u.%u.%u.%u", v, 255 - v, v / 2, v);
        assert_int_equal(ipt_addr_format(ipt_addr_from_v4(v << 24 | (255 - v) << 16 | v / 2 << 8 | v), text), n);
        assert_string_equal(text, expected);
    }
}

static void formatting_is_undone_by_parsing(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        ipt_addr addr = random_addr(), again;
        char text[IPT_ADDR_TEXT], reference[INET6_ADDRSTRLEN];
        size_t n = ipt_addr_format(addr, text);
        assert_int_equal(n, strlen(text));
        assert_true(parse(text, &again, NULL));
        assert_true(ipt_addr_equal(addr, again));
        /* glibc prints mapped and compatible addresses with a dotted quad; elsewhere it follows RFC 5952. */
        if (addr.hi == 0 && addr.lo >> 48 == 0)
            continue;
        uint8_t bytes[16];
        for (unsigned i = 0; i < 8; i++) {
            bytes[i] = (uint8_t)(addr.hi >> (56 - 8 * i));
            bytes[i + 8] = (uint8_t)(addr.lo >> (56 - 8 * i));
        }
        assert_true(ipt_addr_equal(ipt_addr_from_bytes16(bytes), addr));
        assert_non_null(inet_ntop(AF_INET6, bytes, reference, sizeof(reference)));
        assert_string_equal(text, reference);
    }
}

static void endpoints_carry_a_port_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *text, *addr;
        int port; /* -1 for none */
        bool mapped;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", -1, false},
        {"192.0.2.1:1", "192.0.2.1", 1, false},
        {"192.0.2.1:65535", "192.0.2.1", 65535, false},
        {"255.255.255.255:65535", "255.255.255.255", 65535, false},
        {"2001:db8::1", "2001:db8::1", -1, false},
        {"2001:db8::1:80", "2001:db8::1:80", -1, false}, /* without brackets it is no port */
        {"[2001:db8::1]", "2001:db8::1", -1, false},
        {"[2001:db8::1]:443", "2001:db8::1", 443, false},
        {"[::]", "::", -1, false},
        {"[::ffff:192.0.2.1]:80", "192.0.2.1", 80, true},
        {"::ffff:192.0.2.1", "192.0.2.1", -1, true},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span copy = exact(rows[i].text);
        ipt_endpoint got = {.port = 9};
        char text[IPT_ADDR_TEXT];
        if (!ipt_endpoint_parse(copy, &got))
            fail_msg("\"%s\" was refused", rows[i].text);
        (void)ipt_addr_format(got.addr, text);
        assert_string_equal(text, rows[i].addr);
        assert_int_equal(got.has_port, rows[i].port >= 0);
        if (got.has_port)
            assert_int_equal(got.port, rows[i].port);
        assert_int_equal(got.mapped, rows[i].mapped);
        free((void *)(uintptr_t)copy.p);
    }
}

static void anything_odd_makes_the_whole_endpoint_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "[",
        "]",
        "[]",
        ":",
        ":80",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:080",
        "192.0.2.1:65536",
        "192.0.2.1:99999",
        "192.0.2.1:100000",
        "192.0.2.1:80a",
        "192.0.2.1:+80",
        "192.0.2.1: 80",
        "192.0.2.1:80 ",
        "192.0.2.1::80",
        "192.0.2.1:80:80",
        "192.0.2.1:_port",
        "192.0.2.01:80",
        "192.0.2:80",
        "0192.000.02.0001:80",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        "[2001:db8::1",
        "2001:db8::1]",
        "[2001:db8::1]80",
        "[2001:db8::1]:",
        "[2001:db8::1]:0",
        "[2001:db8::1]:01",
        "[2001:db8::1]:65536",
        "[2001:db8::1]]",
        "[[2001:db8::1]]",
        "[2001:db8::1]:80]",
        "[fe80::1%eth0]",
        "fe80::1%eth0",
        "[fe80::1%25eth0]:80",
        "[ ::1]",
        "[::1 ]",
        "[::1] ",
        " [::1]",
        "unknown",
        "_hidden",
        "unix",
        "example.org",
        "example.org:80",
        "1:2:3:4:5:6:7:8:80",
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span copy = exact(rows[i]);
        ipt_endpoint got = {.port = 9, .addr = {3, 4}};
        if (ipt_endpoint_parse(copy, &got))
            fail_msg("\"%s\" was accepted", rows[i]);
        assert_true(got.port == 9 && got.addr.hi == 3 && got.addr.lo == 4);
        free((void *)(uintptr_t)copy.p);
    }
}

static void ports_are_short_decimal_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned min;
        int port; /* -1 when refused */
    } rows[] = {
        {"0", 0, 0},      {"0", 1, -1},  {"1", 1, 1},        {"65535", 1, 65535},  {"65536", 1, -1},
        {"99999", 0, -1}, {"00", 0, -1}, {"01", 0, -1},      {"", 0, -1},          {"123456", 0, -1},
        {"-1", 0, -1},    {"8x", 0, -1}, {"1023", 1024, -1}, {"1024", 1024, 1024}, {" 1", 0, -1},
        {"/", 0, -1},     {":", 0, -1},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span copy = exact(rows[i].text);
        uint16_t port = 4242;
        if (ipt_port_parse(copy, rows[i].min, &port) != (rows[i].port >= 0))
            fail_msg("\"%s\"", rows[i].text);
        assert_int_equal(port, rows[i].port < 0 ? 4242 : rows[i].port);
        free((void *)(uintptr_t)copy.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text_is_read_and_printed_in_its_canonical_form),
        cmocka_unit_test(bad_text_is_refused_and_leaves_out_untouched),
        cmocka_unit_test(every_byte_in_every_place_of_a_quad_is_judged),
        cmocka_unit_test(random_text_is_read_as_inet_pton_reads_it),
        cmocka_unit_test(every_octet_is_printed_in_decimal),
        cmocka_unit_test(formatting_is_undone_by_parsing),
        cmocka_unit_test(endpoints_carry_a_port_or_none),
        cmocka_unit_test(anything_odd_makes_the_whole_endpoint_malformed),
        cmocka_unit_test(ports_are_short_decimal_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
