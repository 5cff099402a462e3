/* What a service manager hears: that we are ready, how we are, and nothing once a thread no longer turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon_priv.h"
#include "iptrust/engine/health.h"

typedef struct bench {
    char directory[32];
    struct sockaddr_un address;
    int fd; /* the manager's end */
    ipt_log *log;
    ipt_engine *engine;
    daemon_manager manager;
} bench;

static void open_bench(bench *b, const char *watchdog_usec)
{
    ipt_diag diag;
    *b = (bench){.directory = "/tmp/ipt-manager-XXXXXX", .address.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(b->directory));
    snprintf(b->address.sun_path, sizeof(b->address.sun_path), "%s/n", b->directory);
    b->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(b->fd, (const struct sockaddr *)&b->address, sizeof(b->address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", b->address.sun_path, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", watchdog_usec, 1), 0);
    assert_int_equal(ipt_log_new(STDERR_FILENO, IPT_LOG_JSON, IPT_LOG_ERROR, &b->log), IPT_OK);
    const ipt_engine_options options = {.shards = 1, .decision_fd = -1, .log = b->log};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    assert_int_equal(ipt_engine_open(&options, &diag, &b->engine), IPT_OK);
    ipt_diag_done(&diag);
    daemon_manager_init(&b->manager, b->engine);
}

static void close_bench(bench *b)
{
    ipt_engine_close(b->engine);
    ipt_log_free(b->log);
    close(b->fd);
    unlink(b->address.sun_path);
    rmdir(b->directory);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
}

/* The next message, "" when there is none. */
static const char *heard(bench *b)
{
    static char text[512];
    ssize_t n = recv(b->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static void a_thread_that_no_longer_turns_ends_the_signs_of_life(void **state)
{
    bench b;
    (void)state;
    open_bench(&b, "2000"); /* 1 ms */
    ipt_beat *beat = ipt_engine_add_beat(b.engine, "event loop 0");
    assert_non_null(beat);
    daemon_manager_ready(&b.manager);
    assert_non_null(strstr(heard(&b), "READY=1\nSTATUS="));
    assert_int_equal(daemon_manager_turn(&b.manager), 1);
    assert_string_equal(heard(&b), "WATCHDOG=1");

    ipt_beat_touch(beat, ipt_clock_ms() - IPT_BEAT_STUCK_MS - 1000);
    usleep(3000);
    (void)daemon_manager_turn(&b.manager);
    assert_string_equal(heard(&b), "");

    ipt_beat_touch(beat, ipt_clock_ms());
    usleep(3000);
    (void)daemon_manager_turn(&b.manager);
    assert_string_equal(heard(&b), "WATCHDOG=1");
    close_bench(&b);
}

static void the_status_is_told_when_it_changes(void **state)
{
    bench b;
    (void)state;
    open_bench(&b, "0");
    daemon_manager_ready(&b.manager);
    (void)heard(&b);
    assert_true(daemon_manager_turn(&b.manager) > 1); /* no watchdog: it comes for the status alone */
    assert_string_equal(heard(&b), "");
    ipt_engine_drain(b.engine);
    b.manager.look_at = 0;
    (void)daemon_manager_turn(&b.manager);
    assert_memory_equal(heard(&b), "STATUS=draining: ", strlen("STATUS=draining: "));
    daemon_manager_stopping(&b.manager);
    assert_memory_equal(heard(&b), "STOPPING=1\nSTATUS=draining: ", strlen("STOPPING=1\nSTATUS=draining: "));
    close_bench(&b);
}

static void without_a_manager_nothing_is_due(void **state)
{
    bench b;
    (void)state;
    open_bench(&b, "2000");
    unsetenv("NOTIFY_SOCKET");
    daemon_manager_init(&b.manager, b.engine);
    daemon_manager_ready(&b.manager);
    assert_true(daemon_manager_turn(&b.manager) > 60 * 1000);
    daemon_manager_stopping(&b.manager);
    assert_string_equal(heard(&b), "");
    close_bench(&b);
}

static void a_watchdog_is_ours_or_another_s(void **state)
{
    static const struct {
        const char *usec, *pid;
        int64_t every_ms;
    } rows[] = {
        {"30000000", NULL, 15000},
        {"30000000", "1", 0},
        {"0", NULL, 0},
        {"", NULL, 0},
        {"1", NULL, 1},
        {"nonsense", NULL, 0},
        {"18446744073709551615", NULL, 3600 * 1000},
    };
    bench b;
    char own[24];
    (void)state;
    open_bench(&b, "0");
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        assert_int_equal(setenv("WATCHDOG_USEC", rows[i].usec, 1), 0);
        assert_int_equal(rows[i].pid == NULL ? unsetenv("WATCHDOG_PID") : setenv("WATCHDOG_PID", rows[i].pid, 1), 0);
        daemon_manager_init(&b.manager, b.engine);
        assert_int_equal(b.manager.watchdog_ms, rows[i].every_ms);
    }
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    assert_int_equal(setenv("WATCHDOG_USEC", "2000000", 1), 0);
    assert_int_equal(setenv("WATCHDOG_PID", own, 1), 0);
    daemon_manager_init(&b.manager, b.engine);
    assert_int_equal(b.manager.watchdog_ms, 1000);
    unsetenv("WATCHDOG_PID");
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_no_longer_turns_ends_the_signs_of_life),
        cmocka_unit_test(the_status_is_told_when_it_changes),
        cmocka_unit_test(without_a_manager_nothing_is_due),
        cmocka_unit_test(a_watchdog_is_ours_or_another_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
