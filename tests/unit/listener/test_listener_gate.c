/* How many connections there may be, in all and of one address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/listener/gate.h"

static ipt_addr addr(const char *text)
{
    ipt_addr a = {0, 0};
    assert_true(ipt_addr_parse(ipt_span_from(text), &a, NULL));
    return a;
}

static void limits_hold_and_are_given_back(void **state)
{
    ipt_gate gate;
    (void)state;
    assert_int_equal(ipt_gate_init(&gate, 5, 2), IPT_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.1")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.1")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.1")), IPT_GATE_ADDRESS_FULL);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.2")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, false, (ipt_addr){0, 0}), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, false, (ipt_addr){0, 0}), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.3")), IPT_GATE_FULL);
    ipt_gate_leave(&gate, true, addr("192.0.2.1"));
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.1")), IPT_GATE_OK);
    ipt_gate_done(&gate);
}

static void a_host_is_a_slash_64(void **state)
{
    ipt_gate gate;
    (void)state;
    assert_int_equal(ipt_gate_init(&gate, 10, 1), IPT_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("2001:db8::1")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("2001:db8::2")), IPT_GATE_ADDRESS_FULL);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("2001:db8:0:1::2")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.1")), IPT_GATE_OK);
    assert_int_equal(ipt_gate_enter(&gate, true, addr("192.0.2.2")), IPT_GATE_OK);
    ipt_gate_done(&gate);
}

static void coming_and_going_loses_no_place(void **state)
{
    enum { LIMIT = 200 };
    ipt_gate gate;
    (void)state;
    assert_int_equal(ipt_gate_init(&gate, LIMIT, 3), IPT_OK);
    for (unsigned round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < LIMIT; i++)
            assert_int_equal(ipt_gate_enter(&gate, true, ipt_addr_from_v4(i * 7919 + round)), IPT_GATE_OK);
        assert_int_equal(ipt_gate_enter(&gate, true, ipt_addr_from_v4(1)), IPT_GATE_FULL);
        for (uint32_t i = LIMIT; i-- > 0;)
            ipt_gate_leave(&gate, true, ipt_addr_from_v4(i * 7919 + round));
    }
    assert_int_equal(gate.total, 0);
    ipt_gate_done(&gate);
}

static void construction_survives_any_failing_allocation(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_gate gate;
        failalloc_at(n);
        ipt_err err = ipt_gate_init(&gate, 5, 2);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, happened ? IPT_ENOMEM : IPT_OK);
        ipt_gate_done(&gate);
        if (!happened)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_and_are_given_back),
        cmocka_unit_test(a_host_is_a_slash_64),
        cmocka_unit_test(coming_and_going_loses_no_place),
        cmocka_unit_test(construction_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
