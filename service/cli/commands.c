/* The table of commands, their help, and the way to one of them. */
#include "cli_priv.h"

#include <locale.h>
#include <stdio.h>

static const char *const resolve_examples[] = {
    "iptrust resolve --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'",
    "iptrust resolve --peer 172.68.1.2 --policy cloudflare -H 'CF-Connecting-IP: 8.8.8.8' -o json",
    "curl -sv http://127.0.0.1/ 2>&1 | iptrust resolve --peer 10.0.12.1 --config iptrust.yaml -",
    "echo '{\"peer\":\"8.8.8.8\"}' | iptrust resolve -o json -",
    "iptrust resolve --server http://127.0.0.1:8080 -o json - < requests.ndjson",
    NULL,
};
static const char *const explain_examples[] = {
    "iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'",
    "iptrust explain --peer 10.0.12.1 -H 'X-Forwarded-For: 1.1.1.1, 8.8.8.8' --config iptrust.yaml",
    "iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8' -o html > why.html",
    NULL,
};
static const char *const ip_examples[] = {
    "iptrust ip 172.68.1.2 2001:db8::1",
    "cut -d' ' -f1 access.log | sort -u | iptrust ip -o json -",
    NULL,
};
static const char *const lists_examples[] = {
    "iptrust lists",
    "iptrust lists cloudflare --format nginx > /etc/nginx/cloudflare.conf",
    "iptrust lists --server unix:/run/iptrustd/admin.sock",
    "iptrust lists accept cloudflare --server unix:/run/iptrustd/admin.sock",
    NULL,
};
static const char *const check_examples[] = {
    "iptrust check-config iptrust.yaml",
    "iptrust check-config -o json /etc/iptrustd",
    NULL,
};
static const char *const health_examples[] = {
    "iptrust health",
    "iptrust health --server http://127.0.0.1:8081",
    NULL,
};

static const char *const bundle_examples[] = {
    "iptrust bundle keygen --key central.key",
    "iptrust bundle sign --key central.key --serial 42 lists.yaml > central.bundle",
    "iptrust bundle verify --public-key MCowBQYDK2VwAyEA... central.bundle",
    "iptrust bundle show central.bundle",
    NULL,
};

const ipt_command ipt_commands[] = {
    {"resolve", "[-]", "who is the client of a request",
     "Prints the client, the confidence and the reasons; with -o json the whole decision, the same bytes as\n"
     "POST /v1/resolve. With `-` it reads standard input: a block of headers (a dump of `curl -v` will do; --peer is\n"
     "then still needed), one request as JSON, or one JSON request a line, which gives one answer a line.",
     resolve_examples, IPT_CMD_RESOLVE, ipt_run_resolve},
    {"explain", "[-]", "why, as a picture, and what to change",
     "Draws the chain from the service outwards with the verdict at each hop, shows what was ignored and why, and\n"
     "what to write into the configuration when a balancer is missing. Reads what `resolve` reads.",
     explain_examples, IPT_CMD_EXPLAIN, ipt_run_explain},
    {"ip", "ADDR... | -", "what is known of an address: class, lists, prefixes",
     "Takes any number of addresses; `-` reads more from standard input, separated by white space.", ip_examples,
     IPT_CMD_IP, ipt_run_ip},
    {"lists", "[NAME...] | accept NAME", "the lists: source, size, age, who trusts them",
     "With names, the contents of these lists; --format writes them for another program. `accept` shows the update\n"
     "of a list that a daemon holds and takes it; --print writes the lines that take it by configuration.",
     lists_examples, IPT_CMD_LISTS, ipt_run_lists},
    {"check-config", "[FILE|DIR]", "is the configuration right",
     "Prints every error and warning with its file, line and column. Ends with 0, also with warnings, or 2.",
     check_examples, IPT_CMD_CHECK, ipt_run_check},
    {"health", "", "is a daemon ready",
     "Asks /readyz of the health listener (default http://127.0.0.1:8081). Ends with 0 when it is ready, else 1.",
     health_examples, IPT_CMD_HEALTH, ipt_run_health},
    {"bundle", "keygen | sign [FILE] | verify [FILE] | show [FILE]", "central documents: sign, verify, show",
     "A bundle is what `central` fetches: lists and policies with a serial that only rises, signed with Ed25519.\n"
     "Without FILE it reads standard input. keygen writes a key and prints what goes into `public_keys`.",
     bundle_examples, IPT_CMD_BUNDLE, ipt_run_bundle},
};
const size_t ipt_command_count = IPT_COUNT(ipt_commands);

const ipt_command *ipt_command_find(const char *name)
{
    for (size_t i = 0; i < ipt_command_count; i++)
        if (strcmp(ipt_commands[i].name, name) == 0)
            return &ipt_commands[i];
    return NULL;
}

static void print_help(void)
{
    puts("iptrust: who is the real client behind proxies, and why\n\nusage: iptrust COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < ipt_command_count; i++)
        printf("  %-14s %s\n", ipt_commands[i].name, ipt_commands[i].summary);
    puts("\nThe answer is computed here, from --config or the built-in configuration, or by a daemon with --server.\n"
         "Ends with 0: answered, 1: cannot be answered, 2: wrong usage or configuration.\n"
         "`iptrust COMMAND --help` tells more. To begin with:\n\n"
         "  iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'");
}

static void print_command_help(const ipt_command *command)
{
    printf("usage: iptrust %s [OPTIONS]%s%s\n\n%s\n\n", command->name, command->args[0] == '\0' ? "" : " ",
           command->args, command->details);
    ipt_options_help(command);
    puts("\nexamples:");
    for (const char *const *example = command->examples; *example != NULL; example++)
        printf("  %s\n", *example);
}

static ipt_exit run(const ipt_command *command, int argc, char **argv)
{
    ipt_options options = {0};
    ipt_exit result = IPT_EXIT_USAGE;

    if (ipt_options_read(command, argc, argv, &options)) {
        if (options.help) {
            print_command_help(command);
            result = IPT_EXIT_ANSWERED;
        } else {
            result = command->run(&options);
        }
    }
    ipt_options_done(&options);
    return result;
}

ipt_exit ipt_main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, "");
    const char *name = argc > 1 ? argv[1] : "";
    const ipt_command *command = ipt_command_find(name);
    ipt_exit result = IPT_EXIT_ANSWERED;

    if (command != NULL) {
        result = run(command, argc - 1, argv + 1);
    } else if (strcmp(name, "--version") == 0) {
        puts("iptrust " IPTRUST_VERSION);
    } else if (strcmp(name, "help") == 0 && argc > 2 && ipt_command_find(argv[2]) != NULL) {
        print_command_help(ipt_command_find(argv[2]));
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
    } else {
        if (name[0] == '\0')
            ipt_complain(
                "which command? resolve, explain, ip, lists, check-config, health or bundle; see `iptrust --help`");
        else
            ipt_complain("there is no command `%s`; see `iptrust --help`", name);
        return IPT_EXIT_USAGE;
    }
    if (fflush(stdout) != 0 && result == IPT_EXIT_ANSWERED) {
        ipt_complain("cannot write the answer");
        return IPT_EXIT_UNANSWERED;
    }
    return result;
}
