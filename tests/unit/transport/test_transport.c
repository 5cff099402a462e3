/* The transport without callers, whichever library carries it: a start that fails at every allocation, and its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/transport/transport.h"

typedef struct bench {
    ipt_engine *engine;
    ipt_rpc *rpc;
} bench;

static void open_bench(bench *b)
{
    char path[] = "/tmp/ipt-transport-XXXXXX";
    static const char text[] = "grpc: {listen: 127.0.0.1:0}\npolicies: {default: {}}\n";
    ipt_diag diag;
    int fd = mkstemp(path);
    const ipt_engine_options options = {.config_path = path, .shards = 3, .decision_fd = -1};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    assert_int_equal(ipt_engine_open(&options, &diag, &b->engine), IPT_OK);
    ipt_diag_done(&diag);
    unlink(path);
    assert_int_equal(ipt_rpc_new(b->engine, &b->rpc), IPT_OK);
}

static void close_bench(bench *b)
{
    ipt_rpc_free(b->rpc);
    ipt_engine_close(b->engine);
}

static ipt_err open_transport(const bench *b, ipt_transport **out)
{
    const ipt_generation *generation = ipt_engine_acquire(b->engine);
    ipt_err err = ipt_transport_open(b->engine, b->rpc, generation->view->config, NULL, 2, 0, out);
    ipt_engine_release(b->engine, generation);
    return err;
}

static void every_allocation_of_the_start_may_fail(void **state)
{
    bench b;
    (void)state;
    open_bench(&b);
    ipt_err err = IPT_ENOMEM;
    unsigned n = 0;
    while (err != IPT_OK) {
        ipt_transport *transport = NULL;
        failalloc_at(++n);
        err = open_transport(&b, &transport);
        failalloc_at(0);
        assert_int_equal(transport != NULL, err == IPT_OK);
        assert_true(err == IPT_OK || err == IPT_ENOMEM);
        assert_true(n < 200);
        ipt_transport_close(transport);
    }
    assert_true(n > 5);
    close_bench(&b);
}

static void it_starts_serves_nobody_and_ends(void **state)
{
    bench b;
    ipt_transport *transport = NULL;
    (void)state;
    open_bench(&b);
    assert_int_equal(open_transport(&b, &transport), IPT_OK);
    assert_int_equal(ipt_transport_start(transport), IPT_OK);
    assert_non_null(strstr(ipt_transport_address(transport), "127.0.0.1:"));
    assert_int_equal(ipt_transport_connections(transport), 0);
    ipt_transport_close_listener(transport);
    ipt_transport_close_listener(transport); /* twice is fine */
    ipt_transport_close(transport);
    ipt_transport_close(NULL);
    assert_null(ipt_transport_address(NULL));
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_the_start_may_fail),
        cmocka_unit_test(it_starts_serves_nobody_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
