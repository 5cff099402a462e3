/* Lines that never block: order, loss, many writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/engine/clock.h"
#include "iptrust/engine/ring.h"

static void lines_come_out_whole_and_in_order(void **state)
{
    int pipes[2];
    ipt_ring *ring;
    char text[64] = {0};
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(ipt_ring_new(8, pipes[1], &ring), IPT_OK);
    assert_true(ipt_ring_put(ring, IPT_SPAN("one\n")));
    assert_true(ipt_ring_put(ring, IPT_SPAN("two\n")));
    ipt_ring_free(ring);
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t more; (more = read(pipes[0], text + n, sizeof(text) - n)) > 0;)
        n += (size_t)more;
    assert_string_equal(text, "one\ntwo\n");
    close(pipes[0]);
}

static void a_line_too_long_is_dropped(void **state)
{
    ipt_ring *ring;
    static const char big[IPT_RING_LINE_MAX + 1];
    (void)state;
    assert_int_equal(ipt_ring_new(8, STDOUT_FILENO, &ring), IPT_OK);
    assert_false(ipt_ring_put(ring, (ipt_span){big, sizeof(big)}));
    assert_int_equal(ipt_ring_dropped(ring), 1);
    ipt_ring_free(ring);
}

static void nobody_waits_for_a_reader_who_does_not_read(void **state)
{
    int pipes[2];
    ipt_ring *ring;
    static const char line[1000];
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(ipt_ring_new(16, pipes[1], &ring), IPT_OK);
    uint64_t begin = ipt_clock_ms();
    unsigned lost = 0;
    for (unsigned i = 0; i < 20000; i++)
        lost += !ipt_ring_put(ring, (ipt_span){line, sizeof(line)});
    assert_true(ipt_clock_ms() - begin < 3000);
    assert_true(lost > 0);
    assert_int_equal(ipt_ring_dropped(ring), lost);
    begin = ipt_clock_ms();
    ipt_ring_free(ring);
    assert_true(ipt_clock_ms() - begin < 3000);
    close(pipes[0]);
    close(pipes[1]);
}

/* The drainer already waits for room when the end comes, with more lines behind the one that it holds. */
static void a_full_pipe_does_not_hold_up_the_end(void **state)
{
    enum { SLOTS = 64 };
    int pipes[2];
    ipt_ring *ring;
    static const char line[1000];
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(fcntl(pipes[1], F_SETFL, O_NONBLOCK), 0);
    while (write(pipes[1], line, sizeof(line)) > 0) {
    }
    assert_int_equal(ipt_ring_new(SLOTS, pipes[1], &ring), IPT_OK);
    for (unsigned i = 0; i < SLOTS; i++)
        assert_true(ipt_ring_put(ring, (ipt_span){line, sizeof(line)}));
    (void)usleep(50000); /* for the drainer to begin its wait */
    (void)alarm(10);     /* a hang is a failure too */
    uint64_t begin = ipt_clock_ms();
    ipt_ring_free(ring);
    assert_true(ipt_clock_ms() - begin < 3000);
    (void)alarm(0);
    close(pipes[0]);
    close(pipes[1]);
}

enum { WRITERS = 4, LINES = 3000 };

static void *write_lines(void *context)
{
    ipt_ring *ring = context;
    for (unsigned i = 0; i < LINES;) {
        if (ipt_ring_put(ring, IPT_SPAN("0123456789abcdef0123456789abcdef\n")))
            i++;
    }
    return NULL;
}

static void *read_all(void *context)
{
    int fd = *(int *)context;
    size_t *lines = calloc(1, sizeof(*lines));
    char text[4096];
    for (ssize_t n; (n = read(fd, text, sizeof(text))) > 0;) {
        for (ssize_t i = 0; i < n; i++)
            *lines += text[i] == '\n';
    }
    return lines;
}

static void many_writers_lose_nothing_that_was_taken(void **state)
{
    int pipes[2];
    ipt_ring *ring;
    pthread_t writers[WRITERS], reader;
    void *lines;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(ipt_ring_new(64, pipes[1], &ring), IPT_OK);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &pipes[0]), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, write_lines, ring), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    ipt_ring_free(ring);
    close(pipes[1]);
    assert_int_equal(pthread_join(reader, &lines), 0);
    assert_int_equal(*(size_t *)lines, WRITERS * LINES);
    free(lines);
    close(pipes[0]);
}

static void construction_survives_any_failing_allocation(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_ring *ring = NULL;
        failalloc_at(n);
        ipt_err err = ipt_ring_new(8, STDOUT_FILENO, &ring);
        bool happened = failalloc_happened();
        failalloc_at(0);
        if (!happened) {
            assert_int_equal(err, IPT_OK);
            ipt_ring_free(ring);
            return;
        }
        assert_int_equal(err, IPT_ENOMEM);
        assert_null(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_out_whole_and_in_order),
        cmocka_unit_test(a_line_too_long_is_dropped),
        cmocka_unit_test(nobody_waits_for_a_reader_who_does_not_read),
        cmocka_unit_test(a_full_pipe_does_not_hold_up_the_end),
        cmocka_unit_test(many_writers_lose_nothing_that_was_taken),
        cmocka_unit_test(construction_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
