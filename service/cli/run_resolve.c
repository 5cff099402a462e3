/* resolve and explain: one request, or many from standard input. */
#include "cli_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct session {
    const ipt_options *options;
    ipt_form form;
    bool summary; /* resolve in text: the JSON answer becomes one line */
    ipt_explain_style style;
    ipt_local local;
    ipt_remote *remote; /* NULL: computed here */
} session;

static bool ask(const session *s, ipt_span request, ipt_buf *out, bool *answered)
{
    long status = 0;

    if (s->remote == NULL) {
        *answered = ipt_local_answer(&s->local, request, s->form, s->style, out);
        if (out->failed)
            ipt_complain("no memory");
        return !out->failed;
    }
    const char *accept = s->form == IPT_FORM_JSON   ? "application/json"
                         : s->form == IPT_FORM_TEXT ? "text/plain"
                                                    : "text/html";
    if (!ipt_remote_call(s->remote, "/v1/resolve", &request, accept, out, &status))
        return false;
    *answered = status == 200;
    if (*answered && s->form != IPT_FORM_JSON && out->n != 0 && out->p[0] == '{') {
        ipt_complain("%s answers in JSON alone; use `iptrust resolve --server`, or --config here", s->options->server);
        return false;
    }
    return true;
}

/* line: of standard input, 0 when there is one request alone. */
static ipt_exit answer(const session *s, ipt_span request, size_t line)
{
    ipt_auto(ipt_buf) out = {0};
    char where[40] = "";
    bool answered = false;

    if (line != 0)
        (void)snprintf(where, sizeof(where), "line %zu: ", line);
    if (!ask(s, request, &out, &answered))
        return IPT_EXIT_UNANSWERED;
    if (!answered)
        ipt_show_problem(ipt_buf_span(&out), where);
    if (!answered && s->options->output != IPT_OUTPUT_JSON)
        return IPT_EXIT_UNANSWERED;
    if (out.n != 0 && out.p[out.n - 1] != '\n')
        ipt_buf_addc(&out, '\n');
    /* In JSON a problem is printed in its place, so that answers and requests keep step. */
    bool shown =
        answered && s->summary ? ipt_show_decision(ipt_buf_span(&out), s->style.colour) : ipt_print(ipt_buf_span(&out));
    return answered && shown ? IPT_EXIT_ANSWERED : IPT_EXIT_UNANSWERED;
}

static ipt_exit answer_lines(const session *s, char **line, size_t *cap, ssize_t n, size_t number)
{
    ipt_exit result = IPT_EXIT_ANSWERED;

    for (; n >= 0; n = getline(line, cap, stdin), number++) {
        ipt_span text = ipt_span_trim((ipt_span){*line, n > 0 && (*line)[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n});
        if (text.n != 0 && text.p[text.n - 1] == '\r')
            text.n--;
        if (text.n != 0 && answer(s, text, number) != IPT_EXIT_ANSWERED)
            result = IPT_EXIT_UNANSWERED;
    }
    return result;
}

static ipt_exit answer_block(const session *s, ipt_span text)
{
    ipt_header_block block = {0};
    ipt_auto(ipt_buf) request = {0};
    char why[160] = "";
    ipt_exit result = IPT_EXIT_USAGE;

    if (ipt_header_block_read(text, &block, why) && ipt_request_write(&request, s->options, &block, why))
        result = answer(s, ipt_buf_span(&request), 0);
    else
        ipt_complain("%s", why);
    ipt_header_block_done(&block);
    return result;
}

/* Standard input: JSON when it begins with a brace, else headers. The first line tells whether every line is a request.
 */
static ipt_exit answer_input(const session *s)
{
    char *line = NULL;
    size_t cap = 0, number = 1;
    ipt_auto(ipt_buf) text = {0};
    ipt_exit result = IPT_EXIT_USAGE;
    ssize_t n = getline(&line, &cap, stdin);

    while (n >= 0 && ipt_span_trim((ipt_span){line, (size_t)n - (line[n - 1] == '\n')}).n == 0) {
        n = getline(&line, &cap, stdin);
        number++;
    }
    ipt_span first = n < 0 ? (ipt_span){0} : (ipt_span){line, (size_t)n - (line[n - 1] == '\n')};
    bool json = ipt_span_trim(first).n != 0 && ipt_span_trim(first).p[0] == '{';
    if (json && ipt_options_have_request(s->options)) {
        ipt_complain("a request in JSON says everything itself; leave out --peer, -H and the like");
    } else if (json && ipt_request_is_line(first)) {
        result = answer_lines(s, &line, &cap, n, number);
    } else if (n >= 0) {
        ipt_buf_add(&text, (ipt_span){line, (size_t)n});
        while ((n = getline(&line, &cap, stdin)) >= 0)
            ipt_buf_add(&text, (ipt_span){line, (size_t)n});
        if (text.failed)
            ipt_complain("no memory");
        else
            result = json ? answer(s, ipt_buf_span(&text), 0) : answer_block(s, ipt_buf_span(&text));
    } else if (ipt_options_have_request(s->options)) {
        result = answer_block(s, (ipt_span){0});
    } else {
        ipt_complain("standard input is empty");
    }
    free(line);
    return result;
}

static ipt_exit run_session(session *s)
{
    const ipt_options *options = s->options;
    ipt_exit result = IPT_EXIT_ANSWERED;

    if (options->arg_count > 1 || (options->arg_count == 1 && !ipt_options_want_input(options))) {
        ipt_complain("`%s` is not understood; headers are given with -H, standard input with -", options->args[0]);
        return IPT_EXIT_USAGE;
    }
    if (options->server != NULL && options->config != NULL) {
        ipt_complain("--server and --config exclude each other: a daemon has its own configuration");
        return IPT_EXIT_USAGE;
    }
    if (options->server != NULL)
        result = ipt_remote_open(options->server, options->token_file, &s->remote) ? IPT_EXIT_ANSWERED : IPT_EXIT_USAGE;
    else
        result = ipt_local_open(options->config, &s->local);
    if (result == IPT_EXIT_ANSWERED)
        result = ipt_options_want_input(options) ? answer_input(s) : answer_block(s, (ipt_span){0});
    ipt_remote_close(s->remote);
    ipt_local_close(&s->local);
    return result;
}

ipt_exit ipt_run_resolve(const ipt_options *options)
{
    session s = {.options = options, .style = ipt_terminal_style(options)};
    s.summary = options->output == IPT_OUTPUT_TEXT;
    return run_session(&s);
}

ipt_exit ipt_run_explain(const ipt_options *options)
{
    session s = {.options = options, .style = ipt_terminal_style(options)};
    s.form = options->output == IPT_OUTPUT_JSON   ? IPT_FORM_JSON
             : options->output == IPT_OUTPUT_HTML ? IPT_FORM_HTML
                                                  : IPT_FORM_TEXT;
    return run_session(&s);
}
