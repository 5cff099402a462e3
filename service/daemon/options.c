/* The command line of iptrustd. */
#include "daemon_priv.h"

#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "iptrustd decides who the real client behind proxies is.\n"
    "\n"
    "usage: iptrustd [--config FILE|DIR] [--http ADDR] [--grpc ADDR] [--health ADDR] [--admin ADDR]\n"
    "       iptrustd [--config FILE|DIR] --check-config | --print-config\n"
    "       iptrustd --version | --help\n"
    "\n"
    "  --config FILE|DIR  YAML file, or a directory whose *.yaml files are read together; without it an embedded\n"
    "                     default that trusts loopback alone\n"
    "  --check-config     say what is wrong with the configuration; exit 0 when nothing is, else 2\n"
    "  --print-config     print the configuration in force, secrets left out\n"
    "  --http ADDR        decisions over HTTP (127.0.0.1:8080); ADDR is host:port or unix:/path, port 0 picks one\n"
    "  --grpc ADDR        decisions over gRPC and Envoy's ext_authz (127.0.0.1:9191)\n"
    "  --health ADDR      /livez, /readyz and /metrics (127.0.0.1:8081)\n"
    "  --admin ADDR       management (a Unix socket)\n"
    "\n"
    "Flags override IPTRUST_* variables, which override the file. SIGHUP reloads, SIGTERM drains and ends.\n";

const char *daemon_help(void)
{
    return help;
}

static const struct {
    const char *flag, *variable;
} overrides[DAEMON_OVERRIDES] = {{"--http", "IPTRUST_HTTP_LISTEN"},
                                 {"--grpc", "IPTRUST_GRPC_LISTEN"},
                                 {"--health", "IPTRUST_HEALTH_LISTEN"},
                                 {"--admin", "IPTRUST_ADMIN_LISTEN"}};

/* "--name value" and "--name=value". *value is NULL when it is missing. */
static bool takes(int argc, char *const *argv, int *at, const char *name, const char **value)
{
    size_t n = strlen(name);
    const char *arg = argv[*at];
    if (strncmp(arg, name, n) != 0 || (arg[n] != '\0' && arg[n] != '='))
        return false;
    if (arg[n] == '=')
        *value = arg + n + 1;
    else if (*at + 1 < argc)
        *value = argv[++*at];
    else
        *value = NULL;
    return true;
}

static bool set_value(daemon_options *options, int argc, char *const *argv, int *at)
{
    const char **place = NULL, *value = NULL, *name = argv[*at];
    if (takes(argc, argv, at, "--config", &value))
        place = &options->config_path;
    for (size_t i = 0; i < DAEMON_OVERRIDES && place == NULL; i++) {
        if (takes(argc, argv, at, overrides[i].flag, &value))
            place = &options->listen[i];
    }
    if (place == NULL)
        return false;
    if (value == NULL || value[0] == '\0') {
        options->task = DAEMON_USAGE;
        snprintf(options->complaint, sizeof(options->complaint), "%.60s wants a value", name);
    }
    *place = value;
    return true;
}

static bool set_task(daemon_options *options, const char *arg)
{
    static const struct {
        const char *flag;
        daemon_task task;
    } tasks[] = {{"--check-config", DAEMON_CHECK},
                 {"--print-config", DAEMON_PRINT},
                 {"--version", DAEMON_VERSION},
                 {"--help", DAEMON_HELP},
                 {"-h", DAEMON_HELP}};
    for (size_t i = 0; i < IPT_COUNT(tasks); i++) {
        if (strcmp(arg, tasks[i].flag) == 0) {
            options->task = tasks[i].task;
            return true;
        }
    }
    return false;
}

daemon_options daemon_options_parse(int argc, char *const *argv)
{
    daemon_options options = {.task = DAEMON_RUN};
    for (int i = 1; i < argc && options.task != DAEMON_USAGE; i++) {
        if (set_task(&options, argv[i]) || set_value(&options, argc, argv, &i))
            continue;
        options.task = DAEMON_USAGE;
        snprintf(options.complaint, sizeof(options.complaint), "%.60s is not known; --help shows what is", argv[i]);
    }
    return options;
}

char **daemon_environment(const daemon_options *options, char *const *environment)
{
    size_t count = 0, bytes = 0;
    while (environment[count] != NULL)
        count++;
    for (size_t i = 0; i < DAEMON_OVERRIDES; i++)
        bytes += options->listen[i] == NULL ? 0 : strlen(overrides[i].variable) + strlen(options->listen[i]) + 2;
    size_t pointers = (count + DAEMON_OVERRIDES + 1) * sizeof(char *);
    char **block = malloc(pointers + bytes);
    if (block == NULL)
        return NULL;
    char *text = (char *)block + pointers;
    size_t n = 0;
    for (size_t i = 0; i < DAEMON_OVERRIDES; i++) {
        if (options->listen[i] == NULL)
            continue;
        block[n++] = text;
        size_t room = (size_t)((char *)block + pointers + bytes - text);
        text += snprintf(text, room, "%s=%s", overrides[i].variable, options->listen[i]) + 1;
    }
    for (size_t i = 0; i < count; i++)
        block[n++] = environment[i];
    block[n] = NULL;
    return block;
}

void daemon_blame_flags(const daemon_options *options, ipt_diag *diag)
{
    for (ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        for (size_t i = 0; i < DAEMON_OVERRIDES && item->place.file == NULL; i++) {
            size_t n = strlen(overrides[i].variable);
            if (options->listen[i] == NULL || strncmp(item->text, overrides[i].variable, n) != 0 ||
                strncmp(item->text + n, ": ", 2) != 0)
                continue;
            item->place.file = overrides[i].flag;
            item->text += n + 2;
        }
    }
}
