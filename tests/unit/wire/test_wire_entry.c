/* What one element of a list header, or the value of a single-address header, says. */
#include "iptrust/wire/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"

typedef struct row {
    const char *text;
    ipt_entry_kind kind;
    const char *address; /* for ADDRESS: as iptrustd prints it */
    int port;            /* 0: none */
    bool mapped;
} row;

static void check(const row *r, size_t i, ipt_entry (*parse)(ipt_span))
{
    const ipt_span text = exact(r->text);
    const ipt_entry entry = parse(text);
    char address[IPT_ADDR_TEXT] = "";
    if (entry.kind == IPT_ENTRY_ADDRESS)
        ipt_addr_format(entry.node.addr, address);
    const int port = entry.kind == IPT_ENTRY_ADDRESS && entry.node.has_port ? entry.node.port : 0;
    const bool mapped = entry.kind == IPT_ENTRY_ADDRESS && entry.node.mapped;
    if (entry.kind != r->kind || strcmp(address, r->address == NULL ? "" : r->address) != 0 || port != r->port ||
        mapped != r->mapped || entry.text.p != text.p || entry.text.n != text.n || entry.text_quoted)
        fail_msg("row %zu: \"%s\" is kind %d, \"%s\" port %d", i, r->text, (int)entry.kind, address, port);
    free((void *)(uintptr_t)text.p);
}

static void an_entry_is_an_address_or_says_why_not(void **state)
{
    static const row rows[] = {
        {"192.0.2.1", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, false},
        {"192.0.2.1:51234", IPT_ENTRY_ADDRESS, "192.0.2.1", 51234, false},
        {"2001:db8::7", IPT_ENTRY_ADDRESS, "2001:db8::7", 0, false},
        {"2001:DB8:0::7", IPT_ENTRY_ADDRESS, "2001:db8::7", 0, false},
        {"[2001:db8::7]", IPT_ENTRY_ADDRESS, "2001:db8::7", 0, false},
        {"[2001:db8::7]:443", IPT_ENTRY_ADDRESS, "2001:db8::7", 443, false},
        {"::ffff:192.0.2.1", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, true},
        {"[::ffff:c000:201]:9", IPT_ENTRY_ADDRESS, "192.0.2.1", 9, true},
        {"unknown", IPT_ENTRY_OBFUSCATED, NULL, 0, false}, /* B06 */
        {"UnKnOwN", IPT_ENTRY_OBFUSCATED, NULL, 0, false},
        {"_hidden", IPT_ENTRY_OBFUSCATED, NULL, 0, false}, /* B06 */
        {"_", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"__", IPT_ENTRY_OBFUSCATED, NULL, 0, false},
        {"_A.z-0_9", IPT_ENTRY_OBFUSCATED, NULL, 0, false},
        {"_a b", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"_a:1", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* the node-port is Forwarded's alone */
        {"_\xc3\xa4", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"unknown:80", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"unknow", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"unknowns", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"\"unknown\"", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"-", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* B06 */
        {"", IPT_ENTRY_EMPTY, NULL, 0, false},      /* B07 */
        {" ", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* trimming is the caller's */
        {"garbage", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"203.0.113.010", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* three answers among peers */
        {"3405803783", IPT_ENTRY_MALFORMED, NULL, 0, false},    /* httpd reads an address */
        {"0xcb007107", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"203.0.113", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:0", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:65536", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"[192.0.2.1]", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"fe80::1%eth0", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1\x01", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1\xe9", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"\xd9\xa1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, false},       /* an Arabic digit */
        {"192.0.2.1, 192.0.2.2", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* D03: one header, one value */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        check(&rows[i], i, ipt_entry_parse);
}

static void nul_never_ends_an_entry(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"192.0.2.1\0", 10}, {"192.0.2.1\0junk", 14}, {"unknown\0", 8}, {"_a\0", 3}, {"\0", 1}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span text = exact_n(rows[i].bytes, rows[i].n);
        assert_int_equal(ipt_entry_parse(text).kind, IPT_ENTRY_MALFORMED);
        free((void *)(uintptr_t)text.p);
    }
    assert_int_equal(ipt_entry_parse((ipt_span){0}).kind, IPT_ENTRY_EMPTY);
    assert_int_equal(ipt_entry_parse_viewer((ipt_span){0}).kind, IPT_ENTRY_EMPTY);
}

/* CloudFront writes IPv6 without brackets, so that the last colon is the port's and a port is always there. */
static void a_viewer_address_ends_in_its_port(void **state)
{
    static const row rows[] = {
        {"192.0.2.1:443", IPT_ENTRY_ADDRESS, "192.0.2.1", 443, false},
        {"2001:db8::7:443", IPT_ENTRY_ADDRESS, "2001:db8::7", 443, false},
        {"2001:db8:0:0:0:0:0:7:8080", IPT_ENTRY_ADDRESS, "2001:db8::7", 8080, false},
        {"::ffff:192.0.2.1:1", IPT_ENTRY_ADDRESS, "192.0.2.1", 1, true},
        {"::1:65535", IPT_ENTRY_ADDRESS, "::1", 65535, false},
        {":::1", IPT_ENTRY_ADDRESS, "::", 1, false},
        {"192.0.2.1", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:0", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:0443", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:65536", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"[2001:db8::7]:443", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"2001:db8::", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"2001:db8:0:0:0:0:0:7", IPT_ENTRY_MALFORMED, NULL, 0, false}, /* seven groups and a port */
        {":443", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {":", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"", IPT_ENTRY_EMPTY, NULL, 0, false},
        {"unknown", IPT_ENTRY_OBFUSCATED, NULL, 0, false},
        {"_x", IPT_ENTRY_OBFUSCATED, NULL, 0, false},
        {"garbage", IPT_ENTRY_MALFORMED, NULL, 0, false},
        {"192.0.2.1:443, 192.0.2.2:443", IPT_ENTRY_MALFORMED, NULL, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        check(&rows[i], i, ipt_entry_parse_viewer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_an_address_or_says_why_not),
        cmocka_unit_test(nul_never_ends_an_entry),
        cmocka_unit_test(a_viewer_address_ends_in_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
