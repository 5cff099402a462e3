/* Probes and metrics. */
#include "rest_priv.h"

#include <inttypes.h>

static void answer_text(rest_conn *conn, bool good)
{
    rest_answer(conn, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8");
}

void rest_call_livez(rest_conn *conn)
{
    const ipt_rest *rest = conn->loop->rest;
    ipt_buf *out = &conn->request.work->out;
    bool good = true;
    for (unsigned i = 0; i < rest->loop_count; i++) {
        if (!rest_loop_is_alive(&rest->loops[i])) {
            good = false;
            ipt_buf_addf(out, "[-]event loop %u has not turned for %d s\n", i, REST_STUCK_MS / 1000);
        }
    }
    if (good)
        ipt_buf_adds(out, "ok\n");
    answer_text(conn, good);
}

/* A line of ?verbose; marks as Kubernetes' own components use them, with [!] for what does not stop us. */
static void say(rest_conn *conn, bool verbose, const char *mark, const char *what, const char *name, const char *state)
{
    if (verbose)
        ipt_buf_addf(&conn->request.work->out, "%s%s%s%s %s\n", mark, what, name[0] == '\0' ? "" : " ", name, state);
}

static bool must_be_fresh(const ipt_config *config, const char *list)
{
    for (size_t i = 0; i < config->ready_require_fresh_count; i++) {
        if (strcmp(config->ready_require_fresh[i], list) == 0)
            return true;
    }
    return false;
}

static bool lists_ready(rest_conn *conn, const ipt_view *view, bool verbose)
{
    static const char *const states[] = {"ok", "stale", "expired"};
    bool good = true;
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_view_list *list = &view->lists[i];
        bool fresh = view->freshness[i] == IPT_FRESH && !list->spec->failed;
        bool needed = !fresh && must_be_fresh(view->config, list->spec->name);
        good = good && !needed;
        say(conn, verbose,
            fresh    ? "[+]"
            : needed ? "[-]"
                     : "[!]",
            "list", list->spec->name,
            list->spec->failed             ? "has no contents"
            : list->spec->bundled && fresh ? "ok (built-in snapshot)"
                                           : states[view->freshness[i]]);
    }
    return good;
}

static void say_reload(rest_conn *conn, bool verbose)
{
    char text[1024];
    int64_t when;
    bool ok = ipt_engine_last_reload(conn->loop->rest->engine, &when, text, sizeof(text));
    say(conn, verbose, ok ? "[+]" : "[!]", "configuration", "",
        ok ? "ok" : "the last reload failed, the one before it is in force");
    if (ok || !verbose)
        return;
    for (const char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        ipt_buf_addf(&conn->request.work->out, "   %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

void rest_call_readyz(rest_conn *conn)
{
    ipt_rest *rest = conn->loop->rest;
    bool verbose =
        MHD_lookup_connection_value_n(conn->request.mhd, MHD_GET_ARGUMENT_KIND, "verbose", 7, NULL, NULL) == MHD_YES;
    bool draining = rest_state_now(rest) >= REST_DRAINING, died = atomic_load(&rest->listener_died);
    const ipt_generation *generation = ipt_engine_acquire(rest->engine);
    bool good = !draining && !died;
    say_reload(conn, verbose);
    good = lists_ready(conn, generation->view, verbose) && good;
    ipt_engine_release(rest->engine, generation);
    say(conn, verbose, died ? "[-]" : "[+]", "listeners", "", died ? "one has died" : "ok");
    say(conn, verbose, draining ? "[-]" : "[+]", "shutdown", "", draining ? "draining" : "not asked for");
    if (verbose)
        ipt_buf_adds(&conn->request.work->out, good ? "readyz check passed\n" : "readyz check failed\n");
    else
        ipt_buf_adds(&conn->request.work->out, good ? "ok\n" : draining ? "draining\n" : "not ready\n");
    answer_text(conn, good);
}

void rest_call_metrics(rest_conn *conn)
{
    const char *accept = MHD_lookup_connection_value(conn->request.mhd, MHD_HEADER_KIND, "Accept");
    ipt_expo_format format = ipt_expo_negotiate(accept);
    ipt_metrics_write(ipt_engine_metrics(conn->loop->rest->engine), format, &conn->request.work->out);
    rest_answer(conn, MHD_HTTP_OK, ipt_expo_content_type(format));
}
