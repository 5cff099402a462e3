/* Options of all commands in one table: what getopt_long reads and what --help prints. */
#include "cli_priv.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OPT_CONFIG = 256,
    OPT_SERVER,
    OPT_TOKEN,
    OPT_PEER,
    OPT_ATTRIBUTE,
    OPT_PROXY,
    OPT_PRINCIPAL,
    OPT_POLICY,
    OPT_ID,
    OPT_FORMAT,
    OPT_COLOUR,
    OPT_UNICODE,
    OPT_ROLLBACK,
    OPT_PRINT,
    OPT_KEY,
    OPT_PUBLIC_KEY,
    OPT_SERIAL,
    OPT_EXPIRES,
    OPT_UNSIGNED
};

#define REQUEST (IPT_CMD_RESOLVE | IPT_CMD_EXPLAIN)
#define ANSWER  (REQUEST | IPT_CMD_IP | IPT_CMD_LISTS)
#define ALL     (ANSWER | IPT_CMD_CHECK | IPT_CMD_HEALTH | IPT_CMD_BUNDLE)

static const struct row {
    const char *name;
    int value; /* a letter, or above 255 without one */
    const char *argument;
    unsigned commands;
    const char *meaning;
} rows[] = {
    {"peer", OPT_PEER, "ADDR", REQUEST, "address that opened the connection, with or without a port, or `unix`"},
    {"header", 'H', "'NAME: VALUE'", REQUEST, "a header of the request; repeat it, the order is kept"},
    {"attribute", OPT_ATTRIBUTE, "NAME=VALUE", REQUEST, "a query argument or form field that a policy reads"},
    {"proxy-protocol", OPT_PROXY, "BYTES", REQUEST,
     "PROXY header before the request: base64, @FILE with the bytes, or a version 1 line"},
    {"principal", OPT_PRINCIPAL, "ID", REQUEST, "of the peer's verified certificate"},
    {"policy", OPT_POLICY, "NAME", REQUEST, "the policy to judge by (default: default)"},
    {"request-id", OPT_ID, "TEXT", REQUEST, "comes back in the answer"},
    {"format", OPT_FORMAT, "FORMAT", IPT_CMD_LISTS, "of one list: text, json, nginx, apache, haproxy or envoy"},
    {"config", OPT_CONFIG, "FILE|DIR", ANSWER | IPT_CMD_CHECK, "configuration (default: the one built into iptrustd)"},
    {"server", OPT_SERVER, "URL", ANSWER | IPT_CMD_HEALTH,
     "ask a daemon instead: http://HOST:PORT or unix:/PATH (lists: its admin listener)"},
    {"token-file", OPT_TOKEN, "FILE", IPT_CMD_LISTS, "bearer token of an admin listener on TCP"},
    {"rollback", OPT_ROLLBACK, NULL, IPT_CMD_LISTS, "accept: also contents that are older than the active ones"},
    {"print", OPT_PRINT, NULL, IPT_CMD_LISTS, "accept: print the lines for a configuration instead of accepting"},
    {"key", OPT_KEY, "FILE", IPT_CMD_BUNDLE, "keygen, sign: the Ed25519 key, PEM (as `openssl genpkey` writes it)"},
    {"serial", OPT_SERIAL, "N", IPT_CMD_BUNDLE, "sign: number of the document, above that of the one before"},
    {"expires", OPT_EXPIRES, "TIME", IPT_CMD_BUNDLE, "sign: not taken after it, such as 2026-12-31T00:00:00Z"},
    {"unsigned", OPT_UNSIGNED, NULL, IPT_CMD_BUNDLE, "sign: a bundle without signature"},
    {"public-key", OPT_PUBLIC_KEY, "KEY", IPT_CMD_BUNDLE, "verify: as keygen prints it"},
    {"output", 'o', "text|json", ANSWER | IPT_CMD_CHECK, "what to print (explain: html too)"},
    {"color", OPT_COLOUR, "WHEN", REQUEST, "always, never or auto: on a terminal, unless NO_COLOR is set"},
    {"unicode", OPT_UNICODE, "WHEN", IPT_CMD_EXPLAIN, "lines and dots: always, never or auto"},
    {"help", 'h', NULL, ALL, "this text"},
};

/* `health` calls its listener by its own name as well. */
static const struct option health_alias = {"health", required_argument, NULL, OPT_SERVER};

void ipt_options_help(const ipt_command *command)
{
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char left[64], letter[6] = "    ";
        if ((rows[i].commands & command->bit) == 0)
            continue;
        if (rows[i].value < 256)
            (void)snprintf(letter, sizeof(letter), "-%c, ", rows[i].value);
        (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows[i].name, rows[i].argument == NULL ? "" : " ",
                       rows[i].argument == NULL ? "" : rows[i].argument);
        printf("  %-32s %s\n", left, rows[i].meaning);
    }
}

static bool read_word(const char *option, const char *text, const char *const *words, size_t count, unsigned *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = (unsigned)i;
            return true;
        }
    ipt_complain("--%s takes one of %s, %s%s%s, not `%s`", option, words[0], words[1], count > 2 ? ", " : "",
                 count > 2 ? words[2] : "", text);
    return false;
}

static bool read_when(const char *option, const char *text, ipt_when *out)
{
    static const char *const words[] = {"auto", "always", "never"};
    unsigned which = 0;
    if (!read_word(option, text, words, 3, &which))
        return false;
    *out = (ipt_when)which;
    return true;
}

static bool read_output(const ipt_command *command, const char *text, ipt_output *out)
{
    static const char *const words[] = {"text", "json", "html"};
    unsigned which = 0;
    if (!read_word("output", text, words, command->bit == IPT_CMD_EXPLAIN ? 3 : 2, &which))
        return false;
    *out = (ipt_output)which;
    return true;
}

static bool take(const ipt_command *command, int option, ipt_options *out)
{
    switch (option) {
    case 'H':
        out->headers[out->header_count++] = optarg;
        return true;
    case OPT_ATTRIBUTE:
        out->attributes[out->attribute_count++] = optarg;
        return true;
    case 'o':
        return read_output(command, optarg, &out->output);
    case OPT_COLOUR:
        return read_when("color", optarg, &out->colour);
    case OPT_UNICODE:
        return read_when("unicode", optarg, &out->unicode);
    case 'h':
        out->help = true;
        return true;
    case OPT_ROLLBACK:
        out->rollback = true;
        return true;
    case OPT_PRINT:
        out->print = true;
        return true;
    case OPT_UNSIGNED:
        out->is_unsigned = true;
        return true;
    default:
        break;
    }
    const struct {
        int option;
        const char **to;
    } texts[] = {
        {OPT_CONFIG, &out->config},   {OPT_SERVER, &out->server},         {OPT_TOKEN, &out->token_file},
        {OPT_PEER, &out->peer},       {OPT_PROXY, &out->proxy_protocol},  {OPT_PRINCIPAL, &out->principal},
        {OPT_POLICY, &out->policy},   {OPT_ID, &out->request_id},         {OPT_FORMAT, &out->format},
        {OPT_KEY, &out->key},         {OPT_PUBLIC_KEY, &out->public_key}, {OPT_SERIAL, &out->serial},
        {OPT_EXPIRES, &out->expires},
    };
    for (size_t i = 0; i < IPT_COUNT(texts); i++)
        if (texts[i].option == option) {
            if (*texts[i].to != NULL) {
                ipt_complain("an option is given twice, the second time with `%s`", optarg);
                return false;
            }
            *texts[i].to = optarg;
            return true;
        }
    return false;
}

static void complain_of(const ipt_command *command, int result, char **argv)
{
    const char *what = optind > 0 ? argv[optind - 1] : "";
    if (result == ':')
        ipt_complain("%s needs a value; see `iptrust %s --help`", what, command->name);
    else
        ipt_complain("%s does not know %s; see `iptrust %s --help`", command->name, what, command->name);
}

bool ipt_options_read(const ipt_command *command, int argc, char **argv, ipt_options *out)
{
    struct option longs[IPT_COUNT(rows) + 2] = {0};
    char shorts[2 + 2 * IPT_COUNT(rows) + 1] = ":"; /* a missing value is told apart from an unknown option */
    size_t count = 0, n = 1;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if ((rows[i].commands & command->bit) == 0)
            continue;
        longs[count++] = (struct option){rows[i].name, rows[i].argument == NULL ? no_argument : required_argument, NULL,
                                         rows[i].value};
        if (rows[i].value < 256)
            shorts[n++] = (char)rows[i].value;
        if (rows[i].value < 256 && rows[i].argument != NULL)
            shorts[n++] = ':';
    }
    if (command->bit == IPT_CMD_HEALTH)
        longs[count++] = health_alias;

    out->headers = calloc((size_t)argc + 1, sizeof(*out->headers));
    out->attributes = calloc((size_t)argc + 1, sizeof(*out->attributes));
    if (out->headers == NULL || out->attributes == NULL) {
        ipt_complain("no memory");
        return false;
    }
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (option == '?' || option == ':') {
            complain_of(command, option, argv);
            return false;
        }
        if (!take(command, option, out))
            return false;
    }
    out->args = argv + optind;
    out->arg_count = (size_t)(argc - optind);
    return true;
}

void ipt_options_done(ipt_options *options)
{
    free(options->headers);
    free(options->attributes);
    *options = (ipt_options){0};
}

bool ipt_options_have_request(const ipt_options *o)
{
    return o->peer != NULL || o->header_count != 0 || o->attribute_count != 0 || o->proxy_protocol != NULL ||
           o->principal != NULL || o->policy != NULL || o->request_id != NULL;
}

bool ipt_options_want_input(const ipt_options *options)
{
    for (size_t i = 0; i < options->arg_count; i++)
        if (strcmp(options->args[i], "-") == 0)
            return true;
    return false;
}
