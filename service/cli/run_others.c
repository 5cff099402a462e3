/* ip, lists, check-config, health. */
#include "cli_priv.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "iptrust/config/diag_print.h"
#include "iptrust/engine/central.h"
#include "iptrust/tls/tls.h"

/* A daemon when --server names one, else a view of our own. */
typedef struct source {
    ipt_local local;
    ipt_remote *remote;
} source;

static ipt_exit source_open(const ipt_options *options, source *out)
{
    if (options->server == NULL)
        return ipt_local_open(options->config, &out->local);
    if (options->config != NULL) {
        ipt_complain("--server and --config exclude each other: a daemon has its own configuration");
        return IPT_EXIT_USAGE;
    }
    return ipt_remote_open(options->server, options->token_file, &out->remote) ? IPT_EXIT_ANSWERED : IPT_EXIT_USAGE;
}

static void source_close(source *s)
{
    ipt_remote_close(s->remote);
    ipt_local_close(&s->local);
}

/* GET path; a refusal is said. */
static bool fetch(ipt_remote *remote, const char *path, ipt_buf *out)
{
    long status = 0;
    if (!ipt_remote_call(remote, path, NULL, NULL, out, &status))
        return false;
    if (status != 200)
        ipt_show_problem(ipt_buf_span(out), "");
    return status == 200;
}

/* ---- ip ---- */

static ipt_exit show_ip(const ipt_options *options, source *s, ipt_span text)
{
    ipt_auto(ipt_buf) out = {0};
    char address[IPT_ADDR_TEXT];
    ipt_addr addr;

    if (!ipt_addr_parse(text, &addr, NULL)) {
        ipt_complain("`%.*s` is no address", (int)(text.n > 80 ? 80 : text.n), text.p);
        return IPT_EXIT_UNANSWERED;
    }
    (void)ipt_addr_format(addr, address);
    if (s->remote == NULL) {
        ipt_json_write_address(&out, s->local.view, addr);
    } else {
        char path[IPT_ADDR_TEXT + 16];
        (void)snprintf(path, sizeof(path), "/v1/ip/%s", address);
        if (!fetch(s->remote, path, &out))
            return IPT_EXIT_UNANSWERED;
    }
    if (options->output == IPT_OUTPUT_TEXT)
        return !out.failed && ipt_show_address(ipt_buf_span(&out)) ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
    if (out.n == 0 || out.p[out.n - 1] != '\n')
        ipt_buf_addc(&out, '\n');
    return !out.failed && ipt_print(ipt_buf_span(&out)) ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static ipt_exit show_ips_of_input(const ipt_options *options, source *s)
{
    ipt_auto(ipt_buf) input = {0};
    ipt_exit result = IPT_EXIT_ANSWERED;

    if (!ipt_input_read(STDIN_FILENO, &input)) {
        ipt_complain("cannot read standard input: %s", strerror(errno));
        return IPT_EXIT_UNANSWERED;
    }
    for (size_t i = 0, n; i < input.n; i += n) {
        for (n = 0; i + n < input.n && !is_space(input.p[i + n]);)
            n++;
        if (n != 0 && show_ip(options, s, (ipt_span){input.p + i, n}) != IPT_EXIT_ANSWERED)
            result = IPT_EXIT_UNANSWERED;
        n += n == 0;
    }
    return result;
}

ipt_exit ipt_run_ip(const ipt_options *options)
{
    source s = {0};

    if (options->arg_count == 0) {
        ipt_complain("ip needs an address, or - for standard input, e.g. `iptrust ip 172.68.1.2`");
        return IPT_EXIT_USAGE;
    }
    ipt_exit result = source_open(options, &s);
    bool open = result == IPT_EXIT_ANSWERED;
    for (size_t i = 0; open && i < options->arg_count; i++) {
        bool input = strcmp(options->args[i], "-") == 0;
        ipt_exit one = input ? show_ips_of_input(options, &s) : show_ip(options, &s, ipt_span_from(options->args[i]));
        result = one == IPT_EXIT_ANSWERED ? result : one;
    }
    source_close(&s);
    return result;
}

/* ---- lists ---- */

static ipt_exit show_all_lists(const ipt_options *options, source *s)
{
    ipt_auto(ipt_buf) out = {0};

    if (s->remote == NULL)
        ipt_export_lists(&out, s->local.view, NULL);
    else if (!fetch(s->remote, "/v1/lists", &out))
        return IPT_EXIT_UNANSWERED;
    bool ok = !out.failed &&
              (options->output == IPT_OUTPUT_TEXT ? ipt_show_lists(ipt_buf_span(&out)) : ipt_print(ipt_buf_span(&out)));
    return ok ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

static ipt_exit show_list(source *s, const char *name, const char *format)
{
    ipt_auto(ipt_buf) out = {0};

    if (s->remote == NULL) {
        const ipt_view_list *list = ipt_view_find_list(s->local.view, ipt_span_from(name));
        if (list == NULL) {
            ipt_complain("there is no list `%s`; `iptrust lists` names them", name);
            return IPT_EXIT_UNANSWERED;
        }
        if (!ipt_export_list(&out, s->local.view, list, ipt_span_from(format), NULL))
            return IPT_EXIT_USAGE;
    } else {
        char path[200];
        (void)snprintf(path, sizeof(path), "/v1/lists/%s?format=%s", name, format);
        if (!fetch(s->remote, path, &out))
            return IPT_EXIT_UNANSWERED;
    }
    return !out.failed && ipt_print(ipt_buf_span(&out)) ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

/* [a-z0-9][a-z0-9_-]{0,62}: nothing else can be a list, and nothing else may reach a URL. */
static bool is_name(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return n >= 1 && n <= IPT_NAME_LENGTH_MAX && text[n] == '\0' && text[0] != '_' && text[0] != '-';
}

ipt_exit ipt_run_lists(const ipt_options *options)
{
    const char *format = options->format != NULL              ? options->format
                         : options->output == IPT_OUTPUT_JSON ? "json"
                                                              : "text";
    ipt_export_format known;
    source s = {0};

    if (!ipt_export_format_find(ipt_span_from(format), &known)) {
        ipt_complain("--format takes one of %s, not `%s`", ipt_export_format_names(), format);
        return IPT_EXIT_USAGE;
    }
    if (options->format != NULL && options->arg_count == 0) {
        ipt_complain("--format is of one list: name it, e.g. `iptrust lists cloudflare --format %s`", format);
        return IPT_EXIT_USAGE;
    }
    for (size_t i = 0; i < options->arg_count; i++)
        if (!is_name(options->args[i])) {
            ipt_complain("`%s` cannot be the name of a list", options->args[i]);
            return IPT_EXIT_USAGE;
        }
    bool accept = options->arg_count == 2 && strcmp(options->args[0], "accept") == 0;
    if (accept)
        return ipt_run_accept(options, options->args[1]);
    if (options->rollback || options->print) {
        ipt_complain("--rollback and --print are of `iptrust lists accept NAME`");
        return IPT_EXIT_USAGE;
    }
    ipt_exit result = source_open(options, &s);
    if (result == IPT_EXIT_ANSWERED && options->arg_count == 0)
        result = show_all_lists(options, &s);
    bool open = result == IPT_EXIT_ANSWERED;
    for (size_t i = 0; open && i < options->arg_count; i++) {
        ipt_exit one = show_list(&s, options->args[i], format);
        result = one == IPT_EXIT_ANSWERED ? result : one;
    }
    source_close(&s);
    return result;
}

/* ---- check-config ---- */

static void write_diagnostics(ipt_buf *out, const ipt_diag *diag, bool ok)
{
    bool first = true;

    ipt_buf_addf(out, "{\"ok\":%s,\"errors\":%zu,\"warnings\":%zu,\"diagnostics\":[", ok ? "true" : "false",
                 diag->errors, diag->warnings);
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next, first = false) {
        ipt_buf_addf(out, "%s{\"severity\":\"%s\",\"file\":", first ? "" : ",",
                     item->severity == IPT_ERROR ? "error" : "warning");
        if (item->place.file == NULL)
            ipt_buf_adds(out, "null");
        else
            ipt_json_write_string(out, ipt_span_from(item->place.file));
        ipt_buf_addf(out, ",\"line\":%u,\"column\":%u,\"text\":", item->place.line, item->place.column);
        ipt_json_write_string(out, ipt_span_from(item->text));
        ipt_buf_addc(out, '}');
    }
    ipt_buf_adds(out, "]}\n");
}

static bool show_check(const ipt_options *options, const char *path, ipt_err err, const ipt_diag *diag,
                       const ipt_view *view)
{
    ipt_auto(ipt_buf) out = {0};

    if (options->output == IPT_OUTPUT_JSON) {
        write_diagnostics(&out, diag, err == IPT_OK);
        return ipt_print(ipt_buf_span(&out));
    }
    ipt_diag_print(diag, &out);
    (void)fwrite(out.p == NULL ? "" : out.p, 1, out.n, stderr);
    if (view != NULL)
        printf("%s: ok, %zu lists, %zu policies, %zu warnings\n", path == NULL ? "built-in configuration" : path,
               view->list_count, view->policy_count, diag->warnings);
    else if (diag->errors == 0)
        ipt_complain("cannot read %s: %s", path == NULL ? "the configuration" : path,
                     err == IPT_EIO ? strerror(errno) : ipt_err_name(err));
    return true;
}

/* What the text of a configuration does not show and a start would refuse: keys and the files of TLS. */
static ipt_err check_files(const ipt_config *config, ipt_diag *diag)
{
    ipt_err err = ipt_engine_check_central(config, diag);
    return err == IPT_OK ? ipt_tls_check(config, (int64_t)time(NULL), diag) : err;
}

ipt_exit ipt_run_check(const ipt_options *options)
{
    const char *path = options->config != NULL ? options->config : options->arg_count > 0 ? options->args[0] : NULL;
    const ipt_config_options config_options = {.environment = environ};
    ipt_auto(ipt_config) *config = NULL;
    ipt_auto(ipt_view) *view = NULL;
    ipt_diag diag = {0};

    if (options->arg_count + (options->config != NULL) > 1) {
        ipt_complain("check-config takes one file or directory");
        return IPT_EXIT_USAGE;
    }
    ipt_err err = ipt_diag_init(&diag);
    if (err == IPT_OK)
        err = ipt_config_load(path, &config_options, &diag, &config);
    if (err == IPT_OK)
        err = check_files(config, &diag);
    if (err == IPT_OK)
        err = ipt_local_view(&config, &diag, &view);
    bool shown = show_check(options, path, err, &diag, view);
    ipt_diag_done(&diag);
    if (err != IPT_OK)
        return IPT_EXIT_USAGE;
    return shown ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

/* ---- health ---- */

ipt_exit ipt_run_health(const ipt_options *options)
{
    ipt_auto(ipt_remote) *remote = NULL;
    ipt_auto(ipt_buf) out = {0};
    long status = 0;

    if (options->arg_count != 0) {
        ipt_complain("health takes no argument; name the listener with --server URL");
        return IPT_EXIT_USAGE;
    }
    if (!ipt_remote_open(options->server == NULL ? "http://127.0.0.1:8081" : options->server, NULL, &remote))
        return IPT_EXIT_USAGE;
    if (!ipt_remote_call(remote, "/readyz?verbose", NULL, "text/plain", &out, &status))
        return IPT_EXIT_UNANSWERED;
    if (!ipt_print(ipt_buf_span(&out)))
        return IPT_EXIT_UNANSWERED;
    if (out.n != 0 && out.p[out.n - 1] != '\n')
        putchar('\n');
    return status == 200 ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}
