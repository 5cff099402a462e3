/* The command line of iptrustd, and flags that become variables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon_priv.h"
#include "failalloc.h"

static daemon_options parse(const char *a, const char *b, const char *c)
{
    static char name[] = "iptrustd";
    char *copies[] = {name, a == NULL ? NULL : strdup(a), b == NULL ? NULL : strdup(b), c == NULL ? NULL : strdup(c)};
    int count = 1;
    while (count < 4 && copies[count] != NULL)
        count++;
    daemon_options options = daemon_options_parse(count, copies);
    /* Values point into argv, so those that are looked at are copied back from the literals. */
    options.config_path = options.config_path == NULL ? NULL : "set";
    for (size_t i = 0; i < DAEMON_OVERRIDES; i++)
        options.listen[i] = options.listen[i] == NULL ? NULL : "set";
    for (int i = 1; i < count; i++)
        free(copies[i]);
    return options;
}

static void command_lines(void **state)
{
    static const struct {
        const char *a, *b, *c;
        daemon_task task;
        bool config, http;
    } rows[] = {
        {NULL, NULL, NULL, DAEMON_RUN, false, false},
        {"--config", "x", NULL, DAEMON_RUN, true, false},
        {"--config=x", "--check-config", NULL, DAEMON_CHECK, true, false},
        {"--print-config", "--http", "127.0.0.1:1", DAEMON_PRINT, false, true},
        {"--version", NULL, NULL, DAEMON_VERSION, false, false},
        {"--help", NULL, NULL, DAEMON_HELP, false, false},
        {"--config", NULL, NULL, DAEMON_USAGE, false, false},
        {"--config=", NULL, NULL, DAEMON_USAGE, true, false},
        {"--configs", "x", NULL, DAEMON_USAGE, false, false},
        {"x", NULL, NULL, DAEMON_USAGE, false, false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        daemon_options options = parse(rows[i].a, rows[i].b, rows[i].c);
        assert_int_equal(options.task, rows[i].task);
        assert_int_equal(options.config_path != NULL, rows[i].config);
        assert_int_equal(options.listen[0] != NULL, rows[i].http);
        assert_int_equal(options.complaint[0] != '\0', rows[i].task == DAEMON_USAGE);
    }
}

static void flags_stand_before_variables(void **state)
{
    char variable[] = "IPTRUST_HTTP_LISTEN=127.0.0.1:1";
    char *const before[] = {variable, NULL};
    daemon_options options = {.listen = {"127.0.0.1:2", NULL, NULL, "unix:/x"}};
    (void)state;
    char **environment = daemon_environment(&options, before);
    assert_non_null(environment);
    assert_string_equal(environment[0], "IPTRUST_HTTP_LISTEN=127.0.0.1:2");
    assert_string_equal(environment[1], "IPTRUST_ADMIN_LISTEN=unix:/x");
    assert_string_equal(environment[2], "IPTRUST_HTTP_LISTEN=127.0.0.1:1");
    assert_null(environment[3]);
    free(environment);
    failalloc_at(1);
    assert_null(daemon_environment(&options, before));
    failalloc_at(0);
}

static void whoever_asked_is_notified(void **state)
{
    char directory[] = "/tmp/ipt-notify-XXXXXX", text[32] = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    daemon_notify("READY=1"); /* nobody asked */
    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/n", directory);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    daemon_notify("READY=1");
    assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
    assert_string_equal(text, "READY=1");
    close(fd);
    unlink(address.sun_path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines),
        cmocka_unit_test(flags_stand_before_variables),
        cmocka_unit_test(whoever_asked_is_notified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
