/* How gRPC C core names callers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core_priv.h"
#include "exact.h"

static void callers_are_named_by_the_library(void **state)
{
    static const struct {
        const char *peer, *addr; /* NULL: nobody in particular */
    } rows[] = {
        {"ipv4:192.0.2.1:4711", "192.0.2.1"},
        {"ipv6:[2001:db8::1]:4711", "2001:db8::1"},
        {"ipv6:%5B2001:db8::1%5D:4711", "2001:db8::1"},
        {"ipv6:%5b::1%5d:1", "::1"},
        {"ipv6:[::ffff:192.0.2.1]:1", "192.0.2.1"},
        {"ipv6:%5Bfe80::1%252%5D:4711", NULL}, /* a zone */
        {"ipv4:", NULL},
        {"ipv4:192.0.2.1:4711%5", NULL},
        {"ipv4:192.0.2.256:4711", NULL},
        {"unix:", NULL},
        {"fd:12", NULL},
        {"", NULL},
        {"ipv6:[2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]:4711", NULL}, /* too long */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span peer = exact(rows[i].peer);
        ipt_addr got = {0, 0}, want = {0, 0};
        assert_int_equal(core_tls_peer_addr(peer, &got), rows[i].addr != NULL);
        if (rows[i].addr != NULL)
            assert_true(ipt_addr_parse(ipt_span_from(rows[i].addr), &want, NULL));
        assert_true(ipt_addr_equal(got, want));
        free((char *)(uintptr_t)peer.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_are_named_by_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
