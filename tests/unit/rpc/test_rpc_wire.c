/* The encoding field by field, and what is refused before it costs memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <google/protobuf/struct.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>
#include <iptrust/v1/iptrust.pb-c.h>

#include "exact.h"
#include "rpc_priv.h"

static void fields_are_stepped_over_one_by_one(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *steps; /* F field, $ end, X bad */
    } rows[] = {
        {"", 0, "$"},
        {"\x08\x01", 2, "F$"},
        {"\x08\x80\x01\x12\x01\x61", 6, "FF$"},
        {"\x09\1\2\3\4\5\6\7\10", 9, "F$"},
        {"\x0d\1\2\3\4", 5, "F$"},
        {"\x08", 1, "X"},                                              /* no value */
        {"\x12\x02\x61", 3, "X"},                                      /* shorter than it says */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "X"},     /* a length past any memory */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "F$"},    /* the largest value */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "X"},     /* a bit too many */
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "X"}, /* a byte too many */
        {"\x00\x01", 2, "X"},                                          /* field 0 */
        {"\x0b\x0c", 2, "X"},                                          /* a group */
        {"\x0d\1\2\3", 4, "X"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span bytes = exact_n(rows[i].bytes, rows[i].n), rest = bytes;
        for (const char *want = rows[i].steps; *want != '\0'; want++) {
            rpc_field field;
            rpc_step step = rpc_wire_next(&rest, &field);
            assert_int_equal(step, *want == 'F' ? RPC_STEP_FIELD : *want == '$' ? RPC_STEP_END : RPC_STEP_BAD);
        }
        free((char *)(uintptr_t)bytes.p);
    }
}

static void messages_are_judged_before_they_are_decoded(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        rpc_scan result;
    } rows[] = {
        {"\x0a\x01\x61", 3, RPC_SCAN_OK},
        {"\x0a\x00", 2, RPC_SCAN_OK},
        {"\x50\x01", 2, RPC_SCAN_OK},               /* unknown */
        {"\x08\x01", 2, RPC_SCAN_MALFORMED},        /* a string as a number */
        {"\x0a\x03\x61\x00\x62", 5, RPC_SCAN_TEXT}, /* C would read "a" */
        {"\x0a\x02\xc3\x28", 4, RPC_SCAN_TEXT},
        {"\x0a\x05\x61", 3, RPC_SCAN_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span bytes = exact_n(rows[i].bytes, rows[i].n);
        assert_int_equal(rpc_wire_scan(bytes, &grpc__health__v1__health_check_request__descriptor), rows[i].result);
        free((char *)(uintptr_t)bytes.p);
    }
}

static void many_fields_are_refused(void **state)
{
    size_t n = 2 * ((size_t)RPC_FIELDS_MAX + 1);
    char *bytes = malloc(n);
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i += 2) { /* empty requests of a batch */
        bytes[i] = 0x0a;
        bytes[i + 1] = 0;
    }
    const ProtobufCMessageDescriptor *batch = &iptrust__v1__resolve_batch_request__descriptor;
    assert_int_equal(rpc_wire_scan((ipt_span){bytes, n - 2}, batch), RPC_SCAN_OK);
    assert_int_equal(rpc_wire_scan((ipt_span){bytes, n}, batch), RPC_SCAN_TOO_MANY);
    free(bytes);
}

/* A list in a value in a list ...; built from the inside. */
static void deep_messages_are_refused(void **state)
{
    char bytes[256];
    size_t n = 0;
    (void)state;
    for (unsigned depth = 1; depth < 2 * RPC_DEPTH_MAX; depth++) {
        bool at_value = depth % 2 == 0; /* the outermost message so far */
        rpc_scan want = depth <= RPC_DEPTH_MAX ? RPC_SCAN_OK : RPC_SCAN_TOO_DEEP;
        assert_int_equal(rpc_wire_scan((ipt_span){bytes, n}, at_value ? &google__protobuf__value__descriptor
                                                                      : &google__protobuf__list_value__descriptor),
                         want);
        memmove(bytes + 2, bytes, n);
        bytes[0] = at_value ? 0x0a : 0x32; /* ListValue.values, Value.list_value */
        bytes[1] = (char)n;
        n += 2;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_stepped_over_one_by_one),
        cmocka_unit_test(messages_are_judged_before_they_are_decoded),
        cmocka_unit_test(many_fields_are_refused),
        cmocka_unit_test(deep_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
