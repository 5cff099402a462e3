/* The IPv4 address in a transition address: RFC 6052's own examples and the rules around them. */
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

static size_t prefixes(const char *texts, ipt_prefix *out)
{
    size_t n = 0;
    char copy[200];
    assert_true(strlen(texts) < sizeof(copy));
    strcpy(copy, texts);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        assert_int_equal(ipt_prefix_parse(ipt_span_from(word), &out[n++]), IPT_PREFIX_OK);
    return n;
}

static void each_scheme_gives_its_address(void **state)
{
    (void)state;
    static const struct {
        const char *addr, *nat64;
        ipt_embedding kind;
        const char *v4; /* NULL: untouched */
    } rows[] = {
        /* RFC 6052, 2.4, with 192.0.2.33 */
        {"2001:db8:c000:221::", "2001:db8::/32", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:1c0:2:21::", "2001:db8:100::/40", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:c000:2:2100::", "2001:db8:122::/48", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:3c0:0:221::", "2001:db8:122:300::/56", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:344:c0:2:2100::", "2001:db8:122:344::/64", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:344::192.0.2.33", "2001:db8:122:344::/96", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"64:ff9b::192.0.2.33", "", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"64:ff9b::255.254.253.252", "", IPT_EMBEDS_NAT64, "255.254.253.252"},
        /* every bit has its place, and what follows the address does not matter */
        {"2001:db8:fffe:fdfc::", "2001:db8::/32", IPT_EMBEDS_NAT64, "255.254.253.252"},
        {"2001:db8:1ff:fefd:fc:ffff:ffff:ffff", "2001:db8:100::/40", IPT_EMBEDS_NAT64, "255.254.253.252"},
        {"2001:db8:122:fffe:fd:fcff:ffff:ffff", "2001:db8:122::/48", IPT_EMBEDS_NAT64, "255.254.253.252"},
        {"2001:db8:122:3ff:fe:fdfc:ffff:ffff", "2001:db8:122:300::/56", IPT_EMBEDS_NAT64, "255.254.253.252"},
        {"2001:db8:122:344:ff:fefd:fcff:ffff", "2001:db8:122:344::/64", IPT_EMBEDS_NAT64, "255.254.253.252"},
        /* the octet at bits 64 to 71 must be zero */
        {"2001:db8:c000:221:100::", "2001:db8::/32", IPT_EMBEDS_NONE, NULL},
        {"2001:db8:122:c000:8002:2100::", "2001:db8:122::/48", IPT_EMBEDS_NONE, NULL},
        {"2001:db8:122:344:ffc0:2:2100::", "2001:db8:122:344::/64", IPT_EMBEDS_NONE, NULL},
        {"2001:db8:c000:221:200:5efe:c000:201", "2001:db8::/32", IPT_EMBEDS_NONE, NULL}, /* nor is it ISATAP's */
        /* the longest prefix counts, in any order */
        {"2001:db8:122:344::192.0.2.33", "2001:db8::/32 2001:db8:122:344::/96 2001:db8:122::/48", IPT_EMBEDS_NAT64,
         "192.0.2.33"},
        {"2001:db8:122:c000:2:2100::", "2001:db8:122::/48 2001:db8::/32", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:c000:2:2100::", "2001:db8::/32 2001:db8:122::/48", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:c000:2:2100::", "2001:db8::/32", IPT_EMBEDS_NAT64, "1.34.192.0"},
        {"64:ff9b::192.0.2.33", "64:ff9b::/32", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"2001:db8:122:344::192.0.2.33", "2001:db9::/32", IPT_EMBEDS_NONE, NULL},
        {"2001:db8:122:344::192.0.2.33", "2001:db8:122:344::/72", IPT_EMBEDS_NONE, NULL}, /* no length of RFC 6052 */
        /* 64:ff9b:1::/48 says nothing by itself */
        {"64:ff9b:1::192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"64:ff9b:1:1:0:5efe:192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"64:ff9b:1::192.0.2.33", "64:ff9b:1::/96", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"64:ff9b:1:c000:2:2100::", "64:ff9b:1::/48", IPT_EMBEDS_NAT64, "192.0.2.33"},
        {"64:ff9b::1:192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        /* RFC 3056, RFC 4380, RFC 5214 */
        {"2002:c000:221::1", "", IPT_EMBEDS_6TO4, "192.0.2.33"},
        {"2002:fffe:fdfc:ffff::", "", IPT_EMBEDS_6TO4, "255.254.253.252"},
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", "", IPT_EMBEDS_TEREDO, "192.0.2.45"},
        {"2001:0:c000:221::", "", IPT_EMBEDS_TEREDO, "255.255.255.255"},
        {"2001:1::1", "", IPT_EMBEDS_NONE, NULL},
        {"2001:db8::5efe:192.0.2.33", "", IPT_EMBEDS_ISATAP, "192.0.2.33"},
        {"fe80::200:5efe:192.0.2.33", "", IPT_EMBEDS_ISATAP, "192.0.2.33"},
        {"2001:db8::100:5efe:192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"2001:db8::5eff:192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"2002:c000:221::5efe:8.8.8.8", "", IPT_EMBEDS_6TO4, "192.0.2.33"},
        {"2002:c000:221::192.0.2.44", "2002:c000:221::/96", IPT_EMBEDS_NAT64, "192.0.2.44"}, /* what was configured */
        {"2606:4700::1111", "", IPT_EMBEDS_NONE, NULL},
        {"192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"::192.0.2.33", "", IPT_EMBEDS_NONE, NULL},
        {"::", "", IPT_EMBEDS_NONE, NULL},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix nat64[4];
        size_t count = prefixes(rows[i].nat64, nat64);
        ipt_addr v4 = {5, 6};
        ipt_embedding kind = ipt_addr_embedded(address(rows[i].addr), count == 0 ? NULL : nat64, count, &v4);
        if (kind != rows[i].kind)
            fail_msg("%s with \"%s\" gives %d", rows[i].addr, rows[i].nat64, (int)kind);
        if (rows[i].v4 == NULL) {
            assert_true(v4.hi == 5 && v4.lo == 6);
            continue;
        }
        char text[IPT_ADDR_TEXT];
        (void)ipt_addr_format(v4, text);
        if (strcmp(text, rows[i].v4) != 0)
            fail_msg("%s with \"%s\" embeds %s", rows[i].addr, rows[i].nat64, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_scheme_gives_its_address)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
