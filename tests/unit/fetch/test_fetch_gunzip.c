/* gzip to its very end, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zlib.h>

#include "exact.h"
#include "failalloc.h"
#include "fetch_priv.h"

static void pack(ipt_span plain, ipt_buf *out)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, plain.n) + 64;
    assert_true(ipt_buf_reserve(out, room));
    z.next_in = (Bytef *)(uintptr_t)plain.p;
    z.avail_in = (uInt)plain.n;
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += room - z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static const char text[] = "192.0.2.0/24\n198.51.100.0/24\n203.0.113.0/24\n";

static fetch_gunzip_result unpack(ipt_span packed, size_t most, ipt_buf *out)
{
    ipt_span bytes = exact_n(packed.p, packed.n);
    fetch_gunzip_result result = fetch_gunzip(bytes, most, out);
    free((void *)(uintptr_t)bytes.p);
    return result;
}

static void every_cut_and_every_addition_is_seen(void **state)
{
    ipt_buf packed = {0};
    (void)state;
    pack(IPT_SPAN(text), &packed);
    for (size_t n = 0; n <= packed.n; n++) {
        ipt_buf out = {0};
        fetch_gunzip_result expected = n == packed.n ? FETCH_GUNZIP_OK : FETCH_GUNZIP_BROKEN;
        assert_int_equal(unpack((ipt_span){packed.p, n}, 1000, &out), expected);
        if (n == packed.n)
            assert_true(ipt_span_equal(ipt_buf_span(&out), IPT_SPAN(text)));
        ipt_buf_done(&out);
    }
    ipt_buf out = {0};
    ipt_buf_addc(&packed, 'x');
    assert_int_equal(unpack(ipt_buf_span(&packed), 1000, &out), FETCH_GUNZIP_BROKEN);
    ipt_buf_done(&out);
    ipt_buf_done(&packed);
}

static void members_may_follow_one_another(void **state)
{
    ipt_buf packed = {0}, out = {0};
    (void)state;
    pack(IPT_SPAN("192.0.2.0/24\n"), &packed);
    pack(IPT_SPAN("2001:db8::/32\n"), &packed);
    assert_int_equal(unpack(ipt_buf_span(&packed), 1000, &out), FETCH_GUNZIP_OK);
    assert_true(ipt_span_equal(ipt_buf_span(&out), IPT_SPAN("192.0.2.0/24\n2001:db8::/32\n")));
    ipt_buf_done(&out);
    ipt_buf_done(&packed);
}

static void a_bomb_stops_at_the_bound(void **state)
{
    size_t n = 4 << 20;
    char *zeros = test_calloc(n, 1);
    ipt_buf packed = {0}, out = {0};
    (void)state;
    pack((ipt_span){zeros, n}, &packed);
    assert_in_range(packed.n, 1, 10000);
    assert_int_equal(unpack(ipt_buf_span(&packed), n - 1, &out), FETCH_GUNZIP_TOO_LARGE);
    assert_in_range(out.n, n - 1, n + (128 << 10));
    ipt_buf_reset(&out);
    assert_int_equal(unpack(ipt_buf_span(&packed), n, &out), FETCH_GUNZIP_OK);
    ipt_buf_done(&out);
    ipt_buf_done(&packed);
    test_free(zeros);
}

static void without_memory_it_says_so(void **state)
{
    ipt_buf packed = {0};
    (void)state;
    pack(IPT_SPAN(text), &packed);
    for (size_t n = 1;; n++) {
        ipt_buf out = {0};
        failalloc_at(n);
        fetch_gunzip_result result = fetch_gunzip(ipt_buf_span(&packed), 1000, &out);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(result, failed ? FETCH_GUNZIP_NO_MEMORY : FETCH_GUNZIP_OK);
        ipt_buf_done(&out);
        if (!failed)
            break;
    }
    ipt_buf_done(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_and_every_addition_is_seen),
        cmocka_unit_test(members_may_follow_one_another),
        cmocka_unit_test(a_bomb_stops_at_the_bound),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
