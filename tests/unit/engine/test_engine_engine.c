/* The use case: policies found and refused, counts, reloads that fail and leave the old view, every allocation failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/engine/engine.h"

static const char good[] = "lists:\n"
                           "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
                           "callers: [192.0.2.0/24]\n"
                           "policies:\n"
                           "  default: {trust: [lb], clients: any}\n"
                           "  closed: {trust: [lb], selectable_by: [grpc]}\n";
static const char other[] = "lists:\n"
                            "  lb: {prefixes: [10.0.13.0/24], internal: true}\n"
                            "policies:\n"
                            "  default: {trust: [lb], clients: any}\n";
static const char bad[] = "lists:\n"
                          "  lb: {prefixes: [10.0.12.1/24]}\n";

static const char fetched[] = "lists:\n"
                              "  cf: {provider: cloudflare}\n"
                              "  own: {url: \"https://lists.example/own.txt\"}\n"
                              "policies:\n"
                              "  default: {trust: [cf, own]}\n";

static char path[] = "/tmp/ipt-engine-XXXXXX";

static void write_config(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static ipt_err open_engine(ipt_engine **out)
{
    ipt_diag diag;
    const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1};
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK)
        return err;
    err = ipt_engine_open(&options, &diag, out);
    ipt_diag_done(&diag);
    return err;
}

static ipt_engine *engine_new(void)
{
    ipt_engine *engine;
    write_config(good);
    assert_int_equal(open_engine(&engine), IPT_OK);
    return engine;
}

static void policies_are_found_or_refused(void **state)
{
    static const struct {
        const char *policy;
        bool ok;
        ipt_problem_code code;
        const char *pointer;
    } rows[] = {
        {NULL, true, IPT_PROBLEM_INTERNAL, ""},
        {"default", true, IPT_PROBLEM_INTERNAL, ""},
        {"closed", false, IPT_PROBLEM_POLICY_NOT_SELECTABLE, "/policy"},
        {"nope", false, IPT_PROBLEM_UNKNOWN_POLICY, "/policy"},
        {"", false, IPT_PROBLEM_UNKNOWN_POLICY, "/policy"},
    };
    ipt_engine *engine = engine_new();
    ipt_decision *decision = malloc(sizeof(*decision));
    ipt_seat seat = {.shard = 0, .random = 1};
    (void)state;
    assert_non_null(decision);
    const ipt_generation *g = ipt_engine_acquire(engine);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_call call = {.request = {.peer = IPT_SPAN("10.0.12.1"), .caller = IPT_CALLER_TRUSTED},
                         .policy = ipt_span_from(rows[i].policy)};
        ipt_problem problem;
        bool ok = ipt_engine_decide(engine, g, &seat, &call, IPT_API_REST, IPT_DETAIL_FULL, decision, &problem);
        assert_int_equal(ok, rows[i].ok);
        if (!ok) {
            assert_int_equal(problem.code, rows[i].code);
            assert_string_equal(problem.pointer, rows[i].pointer);
        }
    }
    ipt_engine_release(engine, g);
    ipt_buf text = {0};
    ipt_metrics_write(ipt_engine_metrics(engine), IPT_EXPO_TEXT, &text);
    ipt_buf_addc(&text, '\0');
    assert_non_null(strstr(text.p, "iptrust_unknown_policy_total 2\n"));
    assert_non_null(strstr(text.p, "iptrust_decisions_total{policy=\"default\",source=\"peer\",level=\"low\"} 2\n"));
    assert_non_null(strstr(text.p, "iptrust_config_reload_total{result=\"success\"} 1\n"));
    ipt_buf_done(&text);
    free(decision);
    ipt_engine_close(engine);
}

static void callers_are_named_or_unknown(void **state)
{
    static const struct {
        const char *address;
        ipt_caller caller;
    } rows[] = {
        {"127.0.0.1", IPT_CALLER_TRUSTED}, {"127.0.0.2", IPT_CALLER_UNKNOWN}, {"::1", IPT_CALLER_TRUSTED},
        {"::2", IPT_CALLER_UNKNOWN},       {"192.0.2.9", IPT_CALLER_TRUSTED}, {"192.0.3.9", IPT_CALLER_UNKNOWN},
        {"::", IPT_CALLER_UNKNOWN},
    };
    ipt_engine *engine = engine_new();
    (void)state;
    const ipt_generation *g = ipt_engine_acquire(engine);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_addr addr;
        assert_true(ipt_addr_parse(ipt_span_from(rows[i].address), &addr, NULL));
        assert_int_equal(ipt_engine_caller(g, false, addr), rows[i].caller);
    }
    assert_int_equal(ipt_engine_caller(g, true, (ipt_addr){0, 0}), IPT_CALLER_TRUSTED);
    ipt_engine_release(engine, g);
    ipt_engine_close(engine);
}

typedef struct outcome {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool done, ok;
    size_t errors;
    char lists[9], first_text[120];
} outcome;

static void note(void *context, const ipt_reload_result *result)
{
    outcome *o = context;
    (void)pthread_mutex_lock(&o->lock);
    o->done = true;
    o->ok = result->ok;
    o->errors = result->diag->errors;
    memcpy(o->lists, result->lists_revision, sizeof(o->lists));
    if (result->diag->first != NULL)
        snprintf(o->first_text, sizeof(o->first_text), "%s", result->diag->first->text);
    (void)pthread_cond_signal(&o->came);
    (void)pthread_mutex_unlock(&o->lock);
}

static outcome reload(ipt_engine *engine)
{
    outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    while (!ipt_engine_reload_wait(engine, note, &o))
        (void)usleep(1000); /* the one before is just ending */
    (void)pthread_mutex_lock(&o.lock);
    while (!o.done)
        (void)pthread_cond_wait(&o.came, &o.lock);
    (void)pthread_mutex_unlock(&o.lock);
    return o;
}

static void a_failed_reload_keeps_the_old_view(void **state)
{
    ipt_engine *engine = engine_new();
    char text[512];
    int64_t when;
    (void)state;
    assert_int_equal(ipt_engine_start(engine), IPT_OK);
    assert_true(ipt_engine_last_reload(engine, &when, text, sizeof(text)));
    outcome first = reload(engine);
    assert_true(first.ok);

    write_config(bad);
    outcome second = reload(engine);
    assert_false(second.ok);
    assert_int_equal(second.errors, 1);
    assert_string_equal(second.lists, first.lists);
    assert_false(ipt_engine_last_reload(engine, &when, text, sizeof(text)));
    assert_non_null(strstr(text, ":2:"));

    write_config(other);
    outcome third = reload(engine);
    assert_true(third.ok);
    assert_string_not_equal(third.lists, first.lists);
    ipt_engine_close(engine);
}

static void what_only_a_start_can_change_is_warned_about(void **state)
{
    static const char policy[] = "policies: {default: {trust: []}}\n";
    static const struct {
        const char *change, *warning;
    } rows[] = {
        {"log: {level: error}\n", ""},
        {"http: {listen: 127.0.0.1:8090}\n", "http is changed and takes effect at the next start"},
        {"health: {listen: 127.0.0.1:8091}\n", "health is changed and takes effect at the next start"},
        {"admin: {listen: \"unix:/run/x.sock\"}\n", "admin is changed and takes effect at the next start"},
        {"admin: {mode: \"0660\"}\n", "admin is changed and takes effect at the next start"},
        {"drain: {delay: 1s}\n", "drain is changed and takes effect at the next start"},
        {"limits: {per_address: 3}\n", "limits is changed and takes effect at the next start"},
        {"log: {format: json}\n", "log.format is changed and takes effect at the next start"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_engine *engine;
        char text[256];
        write_config(policy);
        assert_int_equal(open_engine(&engine), IPT_OK);
        assert_int_equal(ipt_engine_start(engine), IPT_OK);
        snprintf(text, sizeof(text), "%s%s", rows[i].change, policy);
        write_config(text);
        outcome changed = reload(engine), again = reload(engine);
        assert_true(changed.ok);
        assert_string_equal(changed.first_text, rows[i].warning);
        assert_string_equal(again.first_text, "");
        ipt_engine_close(engine);
    }
}

static void what_a_reload_takes_away_is_logged_by_name(void **state)
{
    static const char lists[] = "lists: {a: {prefixes: [192.0.2.0/24]}}\n";
    static const struct {
        const char *before, *after, *wanted; /* policies; the log line's end, NULL: nothing */
    } rows[] = {
        {"default: {deny: {confidence_below: low, lists: [a]}}", "default: {deny: {lists: [a]}}",
         "\"rule removed\",\"policy\":\"default\",\"rule\":\"deny.confidence_below\""},
        {"default: {deny: {confidence_below: low, lists: [a]}}", "default: {deny: {confidence_below: low}}",
         "\"rule removed\",\"policy\":\"default\",\"rule\":\"deny.lists\""},
        {"default: {allow: {lists: [a]}}", "default: {}", "\"rule removed\",\"policy\":\"default\",\"rule\":\"allow\""},
        {"default: {}, extra: {trust: [a]}", "default: {trust: [a]}", "\"policy removed\",\"policy\":\"extra\""},
        {"default: {deny: {lists: [a]}}", "default: {deny: {lists: [a]}, allow: {lists: [a]}}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        int pipes[2];
        ipt_log *log;
        ipt_engine *engine;
        ipt_diag diag;
        char text[4096] = {0};
        assert_int_equal(pipe(pipes), 0);
        assert_int_equal(ipt_log_new(pipes[1], IPT_LOG_JSON, IPT_LOG_INFO, &log), IPT_OK);
        snprintf(text, sizeof(text), "%spolicies: {%s}\n", lists, rows[i].before);
        write_config(text);
        const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1, .log = log};
        assert_int_equal(ipt_diag_init(&diag), IPT_OK);
        assert_int_equal(ipt_engine_open(&options, &diag, &engine), IPT_OK);
        ipt_diag_done(&diag);
        assert_int_equal(ipt_engine_start(engine), IPT_OK);
        snprintf(text, sizeof(text), "%spolicies: {%s}\n", lists, rows[i].after);
        write_config(text);
        assert_true(reload(engine).ok);
        ipt_engine_close(engine);
        ipt_log_free(log);
        close(pipes[1]);
        memset(text, 0, sizeof(text));
        assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
        assert_non_null(strstr(text, "configuration reloaded"));
        if (rows[i].wanted == NULL)
            assert_null(strstr(text, "removed"));
        else
            assert_non_null(strstr(text, rows[i].wanted));
        close(pipes[0]);
    }
}

static void a_bad_configuration_does_not_start(void **state)
{
    ipt_engine *engine = NULL;
    (void)state;
    write_config(bad);
    assert_int_equal(open_engine(&engine), IPT_ECONFIG);
    assert_null(engine);
}

static void start_survives_failing_allocations(const char *config)
{
    write_config(config);
    for (size_t n = 1;; n++) {
        ipt_engine *engine = NULL;
        failalloc_at(n);
        ipt_err err = open_engine(&engine);
        bool happened = failalloc_happened();
        failalloc_at(0);
        if (err == IPT_OK)
            ipt_engine_close(engine);
        else
            assert_null(engine);
        if (!happened) {
            assert_int_equal(err, IPT_OK);
            return;
        }
    }
}

static void start_survives_any_failing_allocation(void **state)
{
    (void)state;
    start_survives_failing_allocations(good);
    start_survives_failing_allocations(fetched);
}

static void what_is_printed_can_be_read_again(void **state)
{
    ipt_engine *engine = engine_new();
    ipt_buf text = {0};
    ipt_diag diag;
    ipt_config *config = NULL;
    (void)state;
    const ipt_generation *g = ipt_engine_acquire(engine);
    ipt_engine_write_config(&text, g->view->config);
    ipt_engine_release(engine, g);
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err = ipt_config_parse(ipt_buf_span(&text), "printed", NULL, &diag, &config);
    if (err != IPT_OK)
        fail_msg("%s\n%.*s", diag.first == NULL ? "?" : diag.first->text, (int)text.n, text.p);
    assert_int_equal(config->policy_count, 2);
    assert_int_equal(config->caller_count, 1);
    ipt_config_free(config);
    ipt_diag_done(&diag);
    ipt_buf_done(&text);
    ipt_engine_close(engine);
}

static int remove_config(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_are_found_or_refused),
        cmocka_unit_test(callers_are_named_or_unknown),
        cmocka_unit_test(what_only_a_start_can_change_is_warned_about),
        cmocka_unit_test(what_a_reload_takes_away_is_logged_by_name),
        cmocka_unit_test(a_failed_reload_keeps_the_old_view),
        cmocka_unit_test(a_bad_configuration_does_not_start),
        cmocka_unit_test(start_survives_any_failing_allocation),
        cmocka_unit_test(what_is_printed_can_be_read_again),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    return cmocka_run_group_tests(tests, NULL, remove_config);
}
