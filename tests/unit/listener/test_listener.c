/* Listening sockets: the real port, the mode of a Unix socket, what stands in the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "iptrust/listener/listener.h"

static void port_zero_becomes_a_real_one(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(hosts); i++) {
        ipt_listener_spec spec = {.kind = IPT_LISTEN_TCP};
        ipt_listener listener = {.fd = -1};
        char why[200];
        assert_true(ipt_addr_parse(ipt_span_from(hosts[i]), &spec.host, NULL));
        if (!ipt_listener_open(&spec, &listener, why, sizeof(why))) {
            assert_int_equal(i, 1); /* a machine without IPv6 */
            continue;
        }
        const char *port = strrchr(listener.text, ':');
        assert_non_null(port);
        assert_true(strtoul(port + 1, NULL, 10) > 0);
        spec.port = (uint16_t)strtoul(port + 1, NULL, 10);
        ipt_listener second = {.fd = -1};
        assert_false(ipt_listener_open(&spec, &second, why, sizeof(why)));
        assert_int_equal(second.fd, -1);
        assert_non_null(strstr(why, "another program listens there"));
        ipt_listener_close(&listener);
        assert_int_equal(listener.fd, -1);
    }
}

static void unix_sockets_have_their_mode_and_go_away(void **state)
{
    char directory[] = "/tmp/ipt-listen-XXXXXX", path[64], why[200];
    ipt_listener_spec spec = {.kind = IPT_LISTEN_UNIX, .mode = 0620, .path = path};
    ipt_listener listener, second = {.fd = -1};
    struct stat st;
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/s", directory);
    assert_true(ipt_listener_open(&spec, &listener, why, sizeof(why)));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0620);
    assert_false(ipt_listener_open(&spec, &second, why, sizeof(why)));
    close(listener.fd); /* dies without tidying up */
    assert_true(ipt_listener_open(&spec, &listener, why, sizeof(why)));
    assert_int_equal(unlink(path), 0);
    assert_true(ipt_listener_open(&spec, &second, why, sizeof(why)));
    ipt_listener_close(&listener);
    assert_int_equal(stat(path, &st), 0); /* a successor's socket is not ours to remove */
    ipt_listener_close(&second);
    assert_int_not_equal(stat(path, &st), 0);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_false(ipt_listener_open(&spec, &second, why, sizeof(why)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_zero_becomes_a_real_one),
        cmocka_unit_test(unix_sockets_have_their_mode_and_go_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
