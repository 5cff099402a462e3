/* Probes and metrics. */
#include "iptrust/engine/lists.h"
#include "rest_priv.h"

#include <inttypes.h>
#include <stdio.h>

static void answer_text(rest_conn *conn, bool good)
{
    rest_answer(conn, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8");
}

void rest_call_livez(rest_conn *conn)
{
    const ipt_engine *engine = conn->loop->rest->engine;
    ipt_buf *out = &conn->request.work->out;
    const ipt_beat *stuck = ipt_engine_next_stuck(engine, NULL);
    bool good = stuck == NULL;
    for (; stuck != NULL; stuck = ipt_engine_next_stuck(engine, stuck))
        ipt_buf_addf(out, "[-]%s has not turned for %d s\n", stuck->name, IPT_BEAT_STUCK_MS / 1000);
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

static const char *list_state(const ipt_view *view, size_t i, ipt_list_trouble trouble)
{
    static const char *const states[] = {"ok", "stale", "expired"};
    const ipt_list_spec *spec = view->lists[i].spec;
    if (spec->failed)
        return "has no contents";
    if (view->freshness[i] != IPT_FRESH)
        return states[view->freshness[i]];
    switch (trouble) {
    case IPT_LIST_IS_HELD:
        return "ok, an update waits to be accepted";
    case IPT_LIST_IS_REFUSED:
        return "ok, the last update was refused";
    case IPT_LIST_IS_FAILING:
        return "ok, the last fetch failed";
    case IPT_LIST_FINE:
        break;
    }
    return spec->bundled ? "ok (built-in snapshot)" : "ok";
}

static bool lists_ready(rest_conn *conn, const ipt_view *view, bool verbose)
{
    bool good = true;
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_view_list *list = &view->lists[i];
        bool fresh = view->freshness[i] == IPT_FRESH && !list->spec->failed;
        bool needed = ipt_engine_list_holds_up(view, i);
        ipt_list_trouble trouble = ipt_engine_list_trouble(conn->loop->rest->engine, list->spec->name);
        const char *mark = needed ? "[-]" : fresh && trouble != IPT_LIST_IS_HELD ? "[+]" : "[!]";
        good = good && !needed;
        say(conn, verbose, mark, "list", list->spec->name, list_state(view, i, trouble));
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

/* A database that is missing or old never makes us unready: decisions do without. */
static void say_geo(rest_conn *conn, const ipt_geo *geo, bool verbose)
{
    if (ipt_geo_count(geo) == 0)
        say(conn, verbose, "[+]", "geo", "", "no database configured");
    for (size_t i = 0; i < ipt_geo_count(geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(geo, i);
        char built[IPT_CLOCK_TEXT] = "", state[256];
        bool good = file.refusal == IPT_GEO_TAKEN;
        if (file.loaded)
            ipt_clock_format(file.built, built);
        int n = snprintf(state, sizeof(state), "%s%s", good ? "" : "what lies at its path ",
                         ipt_geo_refusal_text(file.refusal));
        if (file.loaded && n > 0)
            (void)snprintf(state + n, sizeof(state) - (size_t)n, "%s built %s, %zu bytes in memory",
                           good ? "," : "; in force is the copy", built, file.bytes);
        say(conn, verbose, good ? "[+]" : "[!]", "geo", file.name, state);
    }
}

/* Never a reason to be unready: what was good stays good, and who must not go on without it says require_fresh. */
static void say_central(rest_conn *conn, bool verbose)
{
    ipt_central_state central = ipt_engine_central(conn->loop->rest->engine);
    char state[512];
    if (!central.configured || !verbose)
        return;
    bool expired = central.in_force && central.has_expires && central.expires < ipt_clock_wall();
    bool wrong = central.event == IPT_CENTRAL_REFUSED || central.event == IPT_CENTRAL_FAILED;
    if (!central.in_force)
        (void)snprintf(state, sizeof(state), "there is none yet%s%s", central.why[0] == '\0' ? "" : ": ", central.why);
    else
        (void)snprintf(state, sizeof(state), "serial %" PRIu64 "%s%s%s%s", central.serial,
                       expired ? " has expired and stays" : "", wrong ? ", the last one was not taken" : "",
                       central.why[0] == '\0' ? "" : ": ", central.why);
    say(conn, verbose, central.in_force && !expired && !wrong ? "[+]" : "[!]", "central", "", state);
}

void rest_call_readyz(rest_conn *conn)
{
    ipt_rest *rest = conn->loop->rest;
    bool verbose =
        MHD_lookup_connection_value_n(conn->request.mhd, MHD_GET_ARGUMENT_KIND, "verbose", 7, NULL, NULL) == MHD_YES;
    bool draining = ipt_engine_is_draining(rest->engine), died = ipt_engine_has_dead_listener(rest->engine);
    const ipt_generation *generation = ipt_engine_acquire(rest->engine);
    bool good = !draining && !died;
    say_reload(conn, verbose);
    say_central(conn, verbose);
    good = lists_ready(conn, generation->view, verbose) && good;
    say_geo(conn, generation->view->geo, verbose);
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
