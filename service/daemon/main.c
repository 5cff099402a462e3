/* iptrustd: start, signals, drain, end. */
#include "daemon_priv.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "iptrust/config/diag_print.h"
#include "iptrust/engine/central.h"
#include "iptrust/engine/health.h"
#include "iptrust/tls/tls.h"

enum { EXIT_WRONG = 2, POLL_MS = 20 };

static void print_diag(const ipt_diag *diag)
{
    ipt_buf text = {0};
    ipt_diag_print(diag, &text);
    if (text.n != 0)
        (void)fwrite(text.p, 1, text.n, stderr);
    ipt_buf_done(&text);
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (unsigned)n;
}

/* --check-config and --print-config. */
static int look_at_config(const daemon_options *options, char *const *environment)
{
    ipt_diag diag;
    ipt_auto(ipt_config) *config = NULL;
    const ipt_config_options how = {.environment = environment};
    if (ipt_diag_init(&diag) != IPT_OK)
        return EXIT_FAILURE;
    ipt_err err = ipt_config_load(options->config_path, &how, &diag, &config);
    ipt_geo *geo = NULL;
    if (err == IPT_OK)
        err = ipt_engine_open_geo(config, NULL, &diag, &geo);
    ipt_geo_unref(geo);
    if (err == IPT_OK)
        err = ipt_engine_check_central(config, &diag);
    if (err == IPT_OK)
        err = ipt_tls_check(config, (int64_t)time(NULL), &diag);
    daemon_blame_flags(options, &diag);
    print_diag(&diag);
    if (err == IPT_OK && options->task == DAEMON_PRINT) {
        ipt_buf text = {0};
        ipt_engine_write_config(&text, config);
        (void)fwrite(text.p, 1, text.n, stdout);
        ipt_buf_done(&text);
    } else if (err == IPT_OK)
        printf("configuration is good: %zu lists, %zu policies, %zu warnings\n", config->list_count,
               config->policy_count, diag.warnings);
    else if (err != IPT_ECONFIG)
        fprintf(stderr, "iptrustd: %s: %s\n", ipt_err_name(err), strerror(errno));
    ipt_diag_done(&diag);
    return err == IPT_OK ? EXIT_SUCCESS : EXIT_WRONG;
}

static void secure_process(void)
{
#ifndef __SANITIZE_ADDRESS__ /* its leak check looks at our own memory through ptrace */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    /* Freed memory of a reload or a burst goes back to the system instead of staying with each thread. */
    (void)mallopt(M_ARENA_MAX, 8);
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

static sigset_t block_signals(void)
{
    sigset_t set;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL); /* threads inherit it */
    return set;
}

/* A signal that arrives within ms, or 0. */
static int wait_signal(const sigset_t *set, int64_t ms)
{
    struct timespec wait = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    int got = sigtimedwait(set, NULL, &wait);
    return got < 0 ? 0 : got;
}

typedef struct program {
    ipt_log *log;
    ipt_engine *engine;
    ipt_rest *rest;
    ipt_rpc *rpc;
    ipt_transport *transport; /* NULL: grpc is off */
    daemon_manager manager;
    sigset_t signals;
    int64_t drain_delay_ms, drain_timeout_ms;
} program;

/* Returns when the daemon is to end. */
static void serve(program *d)
{
    for (;;) {
        int got = wait_signal(&d->signals, daemon_manager_turn(&d->manager));
        if (got == SIGHUP)
            daemon_manager_reload(&d->manager);
        else if (got != 0)
            return;
    }
}

/* True when another SIGTERM asks to end at once. */
static bool wait_out(program *d, int64_t ms, bool until_empty)
{
    uint64_t end = ipt_clock_ms() + (uint64_t)ms;
    while (ipt_clock_ms() < end &&
           !(until_empty && ipt_rest_connections(d->rest) == 0 && ipt_transport_connections(d->transport) == 0)) {
        int got = wait_signal(&d->signals, POLL_MS);
        (void)daemon_manager_turn(&d->manager); /* the watchdog wants to hear of us to the end */
        if (got == SIGTERM || got == SIGINT)
            return true;
    }
    return false;
}

/* Balancers see 503 on health first and stop sending; only then the door closes. */
static void drain(program *d)
{
    ipt_log_note(d->log, IPT_LOG_INFO, "draining", NULL, NULL);
    ipt_engine_drain(d->engine);
    daemon_manager_stopping(&d->manager);
    bool at_once = wait_out(d, d->drain_delay_ms, false);
    if (!at_once) {
        ipt_rest_close_listeners(d->rest);
        ipt_transport_close_listener(d->transport);
        at_once = wait_out(d, d->drain_timeout_ms, true);
    }
    ipt_log_line line;
    ipt_log_begin(&line, d->log, IPT_LOG_INFO, "ending");
    ipt_log_num(&line, "connections",
                (int64_t)(ipt_rest_connections(d->rest) + ipt_transport_connections(d->transport)));
    if (at_once)
        ipt_log_str(&line, "reason", IPT_SPAN("asked twice"));
    ipt_log_end(&line);
}

static void log_warnings(ipt_log *log, const ipt_diag *diag)
{
    for (const ipt_diag_item *item = diag->first; item != NULL; item = item->next) {
        char text[IPT_LOG_TEXT_MAX];
        snprintf(text, sizeof(text), "%s:%u:%u", item->place.file == NULL ? "-" : item->place.file, item->place.line,
                 item->place.column);
        ipt_log_line line;
        ipt_log_begin(&line, log, IPT_LOG_WARNING, item->text);
        ipt_log_str(&line, "place", ipt_span_from(text));
        ipt_log_end(&line);
    }
}

static ipt_err open_engine(program *d, const daemon_options *options, char *const *environment, unsigned loops,
                           ipt_diag *diag)
{
    const ipt_engine_options how = {.config_path = options->config_path,
                                    .config = {.environment = environment},
                                    .shards = ipt_rest_shards(loops) + loops,
                                    .decision_fd = STDOUT_FILENO,
                                    .log = d->log,
                                    .refresh = daemon_refreshes()};
    return ipt_engine_open(&how, diag, &d->engine);
}

/* What only a TLS library can tell of the configuration. */
static ipt_err check_tls(program *d, ipt_diag *diag)
{
    const ipt_generation *generation = ipt_engine_acquire(d->engine);
    ipt_err err = ipt_tls_check(generation->view->config, (int64_t)time(NULL), diag);
    ipt_engine_release(d->engine, generation);
    return err;
}

static bool take_inherited(ipt_log *log, ipt_inherited *out)
{
    char why[160];
    if (ipt_inherited_read(out, why, sizeof(why)))
        return true;
    ipt_log_note(log, IPT_LOG_ERROR, "cannot take the sockets that were handed over", "reason", why);
    return false;
}

/* The configuration is borrowed from the first view, which cannot go before the reloading thread starts. */
static ipt_err open_faces(program *d, const daemon_options *options, unsigned loops, const ipt_diag *diag)
{
    const ipt_generation *generation = ipt_engine_acquire(d->engine);
    const ipt_view *view = generation->view;
    const ipt_config *config = view->config;
    ipt_engine_release(d->engine, generation);
    ipt_log_set_format(d->log, config->log_format);
    ipt_log_set_level(d->log, config->log_level);
    daemon_announce(d->log, view, options->config_path);
    log_warnings(d->log, diag);
    d->drain_delay_ms = config->drain_delay_ms;
    d->drain_timeout_ms = config->drain_timeout_ms;
    daemon_manager_init(&d->manager, d->engine);
    if (!daemon_raise_descriptors(d->log, config->limit_connections))
        return IPT_ELIMIT;
    ipt_inherited inherited;
    if (!take_inherited(d->log, &inherited))
        return IPT_EIO;
    ipt_err err = ipt_rest_open(d->engine, config, &inherited, loops, &d->rest);
    if (err == IPT_OK)
        err = ipt_rpc_new(d->engine, &d->rpc);
    if (err == IPT_OK)
        err = ipt_transport_open(d->engine, d->rpc, config, &inherited, loops, ipt_rest_shards(loops), &d->transport);
    /* What answers comes last: it asks the engine's threads for things. */
    if (err == IPT_OK)
        err = ipt_engine_start(d->engine);
    if (err == IPT_OK)
        err = ipt_rest_start(d->rest);
    if (err == IPT_OK)
        err = ipt_transport_start(d->transport);
    return err;
}

static void announce_ready(program *d, uint64_t begun_ms)
{
    ipt_log_line line;
    ipt_log_begin(&line, d->log, IPT_LOG_INFO, "ready");
    ipt_log_num(&line, "after_ms", (int64_t)(ipt_clock_ms() - begun_ms));
    ipt_log_end(&line);
    daemon_hint(d->log, ipt_rest_http_address(d->rest));
    daemon_manager_ready(&d->manager);
}

static int run(const daemon_options *options, char *const *environment)
{
    uint64_t begun = ipt_clock_ms();
    unsigned loops = cores();
    ipt_diag diag;
    program d = {.signals = block_signals()};
    secure_process();
    if (ipt_diag_init(&diag) != IPT_OK || ipt_log_new(STDERR_FILENO, IPT_LOG_AUTO, IPT_LOG_INFO, &d.log) != IPT_OK)
        return EXIT_FAILURE;
    ipt_err err = open_engine(&d, options, environment, loops, &diag);
    if (err == IPT_OK)
        err = check_tls(&d, &diag);
    daemon_blame_flags(options, &diag);
    if (err == IPT_ECONFIG)
        print_diag(&diag);
    if (err == IPT_OK)
        err = open_faces(&d, options, loops, &diag);
    ipt_diag_done(&diag);
    if (err == IPT_OK) {
        announce_ready(&d, begun);
        serve(&d);
        drain(&d);
    } else if (err != IPT_ECONFIG)
        ipt_log_note(d.log, IPT_LOG_ERROR, "cannot start", "fault", ipt_err_name(err));
    ipt_transport_close(d.transport);
    ipt_rest_close(d.rest);
    ipt_rpc_free(d.rpc);
    ipt_engine_close(d.engine);
    ipt_log_free(d.log);
    return err == IPT_OK ? EXIT_SUCCESS : err == IPT_ECONFIG ? EXIT_WRONG : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const daemon_options options = daemon_options_parse(argc, argv);
    char **environment = daemon_environment(&options, environ);
    int code = EXIT_FAILURE;
    switch (options.task) {
    case DAEMON_RUN:
        code = environment == NULL ? EXIT_FAILURE : run(&options, environment);
        break;
    case DAEMON_CHECK:
    case DAEMON_PRINT:
        code = environment == NULL ? EXIT_FAILURE : look_at_config(&options, environment);
        break;
    case DAEMON_VERSION:
        printf("iptrustd %s (%s)\n", IPTRUST_VERSION, ipt_transport_name((char[64]){0}));
        code = EXIT_SUCCESS;
        break;
    case DAEMON_HELP:
        fputs(daemon_help(), stdout);
        code = EXIT_SUCCESS;
        break;
    case DAEMON_USAGE:
        fprintf(stderr, "iptrustd: %s\n", options.complaint);
        code = EXIT_WRONG;
        break;
    }
    free(environment);
    return code;
}
