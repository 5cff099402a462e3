/* Sockets that are handed over: by name, checked, and still their owner's when we have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "iptrust/listener/inherited.h"

static int tcp_socket(int type, bool listens)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    assert_true(!listens || listen(fd, 8) == 0);
    return fd;
}

static void names_become_listeners(void **state)
{
    static const struct {
        const char *names;
        unsigned count;
        bool good;
        int http, grpc, health, admin;
        const char *why;
    } rows[] = {
        {NULL, 0, true, -1, -1, -1, -1, NULL},
        {"http", 1, true, 3, -1, -1, -1, NULL},
        {"grpc:http", 2, true, 4, 3, -1, -1, NULL},
        {"http:grpc:health:admin", 4, true, 3, 4, 5, 6, NULL},
        {"http:grpc:spare", 2, true, 3, 4, -1, -1, NULL}, /* a name without a descriptor is nobody's */
        {"http:http", 2, false, 0, 0, 0, 0, "two sockets are named http"},
        {"iptrustd.socket", 1, false, 0, 0, 0, 0, "no listener is named \"iptrustd.socket\""},
        {"HTTP", 1, false, 0, 0, 0, 0, "no listener is named"},
        {"http", 2, false, 0, 0, 0, 0, "no listener is named \"\""},
        {"http::grpc", 3, false, 0, 0, 0, 0, "no listener is named \"\""},
        {NULL, 1, false, 0, 0, 0, 0, "no listener is named \"\""},
        {"unknown", 1, false, 0, 0, 0, 0, "FileDescriptorName="},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_inherited got = {.count = 77};
        char why[160] = "";
        bool good = ipt_inherited_take(3, rows[i].count, rows[i].names, &got, why, sizeof(why));
        assert_int_equal(good, rows[i].good);
        if (!good) {
            assert_non_null(strstr(why, rows[i].why));
            assert_int_equal(got.count, 77);
            continue;
        }
        assert_int_equal(ipt_inherited_find(&got, "http"), rows[i].http);
        assert_int_equal(ipt_inherited_find(&got, "grpc"), rows[i].grpc);
        assert_int_equal(ipt_inherited_find(&got, "health"), rows[i].health);
        assert_int_equal(ipt_inherited_find(&got, "admin"), rows[i].admin);
    }
    assert_int_equal(ipt_inherited_find(NULL, "http"), -1);
}

static void variables_count_for_the_process_that_they_name(void **state)
{
    char own[24], why[160];
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    const struct {
        const char *pid, *fds, *names;
        bool good;
        size_t count;
    } rows[] = {
        {NULL, NULL, NULL, true, 0},
        {own, NULL, NULL, true, 0},
        {NULL, "1", "http", true, 0},
        {own, "2", "http:admin", true, 2},
        {own, "0", "", true, 0},
        {"1", "2", "http:admin", true, 0},
        {own, "two", "http", false, 0},
        {own, "-1", "http", false, 0},
        {own, "1x", "http", false, 0},
        {"", "1", "http", false, 0},
        {own, "99999999", "http", false, 0},
        {own, " 1", "http", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *const names[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};
        const char *const values[] = {rows[i].pid, rows[i].fds, rows[i].names};
        ipt_inherited got = {.count = 77};
        for (size_t k = 0; k < IPT_COUNT(names); k++)
            assert_int_equal(values[k] == NULL ? unsetenv(names[k]) : setenv(names[k], values[k], 1), 0);
        assert_int_equal(ipt_inherited_read(&got, why, sizeof(why)), rows[i].good);
        assert_int_equal(got.count, rows[i].good ? rows[i].count : 77);
    }
}

static void only_listening_stream_sockets_are_taken(void **state)
{
    int pair[2], pipes[2];
    char why[200] = "";
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(pipes), 0);
    const struct {
        int fd;
        const char *why;
    } rows[] = {
        {tcp_socket(SOCK_STREAM, false), "does not listen"},
        {tcp_socket(SOCK_DGRAM, false), "no stream socket"},
        {pair[0], "does not listen"},
        {pair[1], "does not listen"},
        {pipes[0], "no socket"},
        {pipes[1], "no socket"},
        {-1, "no socket"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_listener listener = {.fd = -7};
        assert_false(ipt_listener_adopt(rows[i].fd, &listener, why, sizeof(why)));
        assert_non_null(strstr(why, rows[i].why));
        assert_int_equal(listener.fd, -7);
        if (rows[i].fd >= 0)
            close(rows[i].fd);
    }
}

/* A caller who comes after everything that the way out does to a socket is in the queue of who has it next. */
static void an_inherited_socket_outlives_its_listener(void **state)
{
    ipt_listener listener = {.fd = -1};
    ipt_listener_spec spec = {.kind = IPT_LISTEN_TCP};
    char why[200];
    int mine = tcp_socket(SOCK_STREAM, true), handed = dup(mine);
    ipt_inherited inherited = {.count = 1, .items = {{"http", handed}}};
    (void)state;
    assert_true(ipt_inherited_open(&inherited, "http", &spec, &listener, why, sizeof(why)));
    assert_int_equal(listener.fd, handed);
    assert_true(listener.inherited);
    assert_true(fcntl(handed, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(handed, F_GETFD) & FD_CLOEXEC);
    struct sockaddr_in to;
    socklen_t n = sizeof(to);
    char text[40];
    assert_int_equal(getsockname(mine, (struct sockaddr *)&to, &n), 0);
    snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)ntohs(to.sin_port));
    assert_string_equal(listener.text, text);

    ipt_listener_no_more(&listener);
    assert_false(ipt_listener_is_waited(&listener));
    ipt_listener_shut(&listener);
    ipt_listener_close(&listener);
    assert_int_equal(listener.fd, -1);
    int caller = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(caller, (const struct sockaddr *)&to, sizeof(to)), 0);
    int served = accept(mine, NULL, NULL);
    assert_true(served >= 0);
    close(served);
    close(caller);
    close(mine);
}

static void a_listener_that_is_off_takes_nothing(void **state)
{
    ipt_listener listener = {.fd = -1};
    ipt_listener_spec spec = {.kind = IPT_LISTEN_OFF};
    int fd = tcp_socket(SOCK_STREAM, true);
    ipt_inherited inherited = {.count = 1, .items = {{"grpc", fd}}};
    char why[200] = "";
    (void)state;
    assert_false(ipt_inherited_open(&inherited, "grpc", &spec, &listener, why, sizeof(why)));
    assert_non_null(strstr(why, "has it off"));
    close(fd);
    spec.kind = IPT_LISTEN_TCP;
    assert_true(ipt_addr_parse(IPT_SPAN("127.0.0.1"), &spec.host, NULL));
    assert_true(ipt_inherited_open(&inherited, "http", &spec, &listener, why, sizeof(why)));
    assert_false(listener.inherited);
    ipt_listener_close(&listener);
}

static void unix_sockets_are_named_and_left_in_their_place(void **state)
{
    char directory[] = "/tmp/ipt-handed-XXXXXX", text[160], why[200];
    (void)state;
    assert_non_null(mkdtemp(directory));
    for (int abstract = 0; abstract < 2; abstract++) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        size_t at = abstract ? 1 : 0;
        ipt_listener listener;
        snprintf(un.sun_path + at, sizeof(un.sun_path) - at, "%s/s", directory);
        snprintf(text, sizeof(text), "unix:%s%s/s", abstract ? "@" : "", directory);
        socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + at + strlen(directory) + 2);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&un, n), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_true(ipt_listener_adopt(fd, &listener, why, sizeof(why)));
        assert_true(listener.is_unix);
        assert_string_equal(listener.text, text);
        ipt_listener_close(&listener);
        assert_int_equal(abstract ? 0 : unlink(un.sun_path), 0); /* still there: it was not ours */
    }
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_listeners),
        cmocka_unit_test(variables_count_for_the_process_that_they_name),
        cmocka_unit_test(only_listening_stream_sockets_are_taken),
        cmocka_unit_test(an_inherited_socket_outlives_its_listener),
        cmocka_unit_test(a_listener_that_is_off_takes_nothing),
        cmocka_unit_test(unix_sockets_are_named_and_left_in_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
