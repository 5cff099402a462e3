/* Judging central documents without any network: which is taken and why another is not, serials over restarts, what is
 * served, and every allocation failing on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine_priv.h"
#include "failalloc.h"

#define TRUST(number) \
    "lists: {theirs: {prefixes: [192.0.2." #number "]}}\npolicies: {default: {trust: [theirs], clients: any}}\n"

static char dir[] = "/tmp/ipt-central-XXXXXX";
static ipt_signing_key keys[2];

static const char *path_of(const char *name, char out[80])
{
    (void)snprintf(out, 80, "%s/%s", dir, name);
    return out;
}

static void write_file(const char *name, ipt_span text)
{
    char path[80];
    FILE *file = fopen(path_of(name, path), "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.n, file), text.n);
    assert_int_equal(fclose(file), 0);
}

/* The configuration of this machine; `more` ends the mapping `central`. */
static void write_config(const char *more, const char *below)
{
    char key[IPT_PUBLIC_KEY_TEXT];
    ipt_auto(ipt_buf) text = {0};
    ipt_public_key_format(&keys[0].public_key, key);
    ipt_buf_addf(&text, "state_dir: state\ncentral: {url: \"https://c.example/d\", %s%s%s}\n%s",
                 strstr(more, "unsigned") == NULL ? "public_keys: [" : "", strstr(more, "unsigned") == NULL ? key : "",
                 more, below);
    write_file("c.yaml", ipt_buf_span(&text));
}

static ipt_err open_engine(ipt_engine **out)
{
    char path[80];
    ipt_diag diag;
    const ipt_engine_options options = {.config_path = path_of("c.yaml", path), .shards = 1, .decision_fd = -1};
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK)
        return err;
    err = ipt_engine_open(&options, &diag, out);
    if (*out != NULL && err == IPT_OK)
        (*out)->config_path = strdup(options.config_path);
    ipt_diag_done(&diag);
    return err;
}

static ipt_engine *engine_new(void)
{
    ipt_engine *engine = NULL;
    assert_int_equal(open_engine(&engine), IPT_OK);
    assert_non_null(engine->config_path);
    return engine;
}

static void engine_free(ipt_engine *engine)
{
    free((void *)(uintptr_t)engine->config_path);
    ipt_engine_close(engine);
}

static void clear_state(void)
{
    char path[200];
    static const char *const names[] = {"state/lists/_central", "state/lists/_served"};
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
}

static ipt_buf bundle_of(uint64_t serial, int64_t expires, const ipt_signing_key *key, const char *document)
{
    ipt_buf out = {0};
    const ipt_bundle bundle = {
        .serial = serial, .has_expires = expires != 0, .expires = expires, .document = ipt_span_from(document)};
    ipt_bundle_write(&out, &bundle, key);
    return out;
}

/* Takes bytes over. */
static ipt_central_event offer(ipt_engine *engine, ipt_buf bytes)
{
    engine->central.candidate = bytes;
    engine->central.asked = true;
    engine->central.judged = false;
    engine_central_judge(engine);
    assert_true(engine->central.judged);
    return engine->central.verdict;
}

static size_t lists_of(ipt_engine *engine)
{
    const ipt_generation *generation = ipt_engine_acquire(engine);
    size_t count = generation->view->list_count;
    ipt_engine_release(engine, generation);
    return count;
}

static void documents_are_taken_or_refused(void **state)
{
    static const struct {
        uint64_t serial;
        int64_t expires;
        int key; /* -1: unsigned */
        const char *document;
        ipt_central_event event;
        const char *why;
    } rows[] = {
        {5, 0, 0, TRUST(1), IPT_CENTRAL_UPDATED, ""},
        {5, 0, 0, TRUST(1), IPT_CENTRAL_UNCHANGED, ""},
        {5, 0, 0, TRUST(2), IPT_CENTRAL_REFUSED, "its serial 5 is not above 5, which was taken before"},
        {4, 0, 0, TRUST(2), IPT_CENTRAL_REFUSED, "its serial 4 is not above 5, which was taken before"},
        {2, 0, 0, TRUST(2), IPT_CENTRAL_REFUSED, "its serial is below min_serial"},
        {6, 1, 0, TRUST(2), IPT_CENTRAL_REFUSED, "it has expired"},
        {6, 0, -1, TRUST(2), IPT_CENTRAL_REFUSED, "it is not signed"},
        {6, 0, 1, TRUST(2), IPT_CENTRAL_REFUSED, "none of public_keys has signed it, or it was changed since"},
        {6, 0, 0, " \n", IPT_CENTRAL_REFUSED, "there is no document below its head"},
        {6, 0, 0, "a: 1\n", IPT_CENTRAL_REFUSED,
         "central document:1:1: a central document holds lists and policies only, not \"a\""},
        {6, 0, 0, "lists: {x: {prefixes: [192.0.2.1]}}\n", IPT_CENTRAL_REFUSED,
         "central document:1:9: list \"x\" is named nowhere"},
        {6, 0, 0, "policies: {default: {deny: {countries: [DE]}, mode: enforce}}\n", IPT_CENTRAL_REFUSED,
         "central document:1:29: countries needs a geo file that can answer, and there is none"},
        {6, 4000000000, 0, TRUST(2), IPT_CENTRAL_UPDATED, ""},
        {UINT64_MAX, 0, 0, TRUST(3), IPT_CENTRAL_UPDATED, ""},
    };
    (void)state;
    clear_state();
    write_config("], min_serial: 3", "");
    ipt_engine *engine = engine_new();
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_signing_key *key = rows[i].key < 0 ? NULL : &keys[rows[i].key];
        assert_int_equal(offer(engine, bundle_of(rows[i].serial, rows[i].expires, key, rows[i].document)),
                         rows[i].event);
        assert_string_equal(engine->central.verdict_why, rows[i].why);
        assert_int_equal(lists_of(engine), 1);
    }
    engine_free(engine);
}

static void what_is_dangerous_or_unsigned_is_taken_when_asked_for(void **state)
{
    static const char wide[] = "lists: {a: {prefixes: [0.0.0.0/0]}}\npolicies: {default: {trust: [a]}}\n";
    (void)state;
    clear_state();
    write_config("unsigned: true, allow_dangerous: true", "");
    ipt_engine *engine = engine_new();
    assert_int_equal(offer(engine, bundle_of(1, 0, NULL, wide)), IPT_CENTRAL_UPDATED);
    assert_int_equal(offer(engine, bundle_of(2, 0, &keys[1], TRUST(1))), IPT_CENTRAL_UPDATED);
    engine_free(engine);
}

static ipt_engine *restart(ipt_engine *engine)
{
    engine_central_remember(engine);
    engine_free(engine);
    return engine_new();
}

static void the_last_good_one_and_its_serial_come_back(void **state)
{
    (void)state;
    clear_state();
    write_config("]", "");
    ipt_engine *engine = engine_new();
    assert_false(ipt_engine_central(engine).in_force);
    assert_int_equal(offer(engine, bundle_of(7, 0, &keys[0], TRUST(1))), IPT_CENTRAL_UPDATED);
    engine = restart(engine);
    assert_true(ipt_engine_central(engine).in_force);
    assert_int_equal(ipt_engine_central(engine).serial, 7);
    assert_int_equal(lists_of(engine), 1);
    assert_int_equal(offer(engine, bundle_of(7, 0, &keys[0], TRUST(1))), IPT_CENTRAL_UNCHANGED);
    assert_int_equal(offer(engine, bundle_of(6, 0, &keys[0], TRUST(2))), IPT_CENTRAL_REFUSED);
    /* Revoked: it is gone, and its serial still stands. */
    write_config("], min_serial: 8", "");
    engine = restart(engine);
    assert_false(ipt_engine_central(engine).in_force);
    assert_int_equal(lists_of(engine), 0);
    write_config("]", "");
    engine = restart(engine);
    assert_true(ipt_engine_central(engine).in_force);
    /* The configuration of the machine has changed so that it does not go with it: a start does without. */
    char names[3000] = "lists:\n";
    (void)snprintf(names + strlen(names), sizeof(names) - strlen(names),
                   "  theirs: {provider: aws, services: [EC2]}\n");
    write_config("]", names);
    engine = restart(engine);
    assert_false(ipt_engine_central(engine).in_force);
    write_config("]", "");
    engine = restart(engine);
    assert_true(ipt_engine_central(engine).in_force);
    engine_free(engine);
}

static void a_reload_that_does_not_go_with_the_document_fails(void **state)
{
    ipt_diag diag;
    (void)state;
    clear_state();
    write_config("]", "");
    ipt_engine *engine = engine_new();
    assert_int_equal(offer(engine, bundle_of(7, 0, &keys[0], TRUST(1))), IPT_CENTRAL_UPDATED);
    write_config("]", "lists: {theirs: {provider: aws, services: [EC2]}}\n");
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    assert_int_equal(engine_load(engine, &diag), IPT_ECONFIG);
    assert_int_equal(diag.errors, 1);
    assert_true(ipt_engine_central(engine).in_force);
    ipt_diag_done(&diag);
    /* Our own file is broken: that is not the fault of a document. */
    write_file("c.yaml", IPT_SPAN("lists: [\n"));
    assert_int_equal(offer(engine, bundle_of(8, 0, &keys[0], TRUST(2))), IPT_CENTRAL_FAILED);
    write_config("]", "");
    assert_int_equal(offer(engine, bundle_of(8, 0, &keys[0], TRUST(2))), IPT_CENTRAL_UPDATED);
    engine_free(engine);
}

static void what_is_served_is_taken_elsewhere(void **state)
{
    ipt_auto(ipt_buf) pem = {0};
    ipt_bundle bundle;
    const char *why;
    (void)state;
    clear_state();
    ipt_signing_key_format(&pem, &keys[0]);
    write_file("key", ipt_buf_span(&pem));
    write_config("]",
                 "serve_central: {signing_key_file: key}\n"
                 "lists:\n  a: {prefixes: [192.0.2.0/24, \"2001:db8::/32\"], adds: 2}\n  b: {provider: cloudflare}\n"
                 "  c: {unix: true}\n  d: {prefixes: [198.51.100.1]}\n"
                 "policies:\n  default: {trust: [a, b, c], deny: {lists: [d]}, mode: shadow}\n"
                 "  hops: {trust: [a], keys: {ipv6_rate_limit: 56}, unknown: allow, clients: any}\n");
    ipt_engine *engine = engine_new();
    const ipt_served *served = ipt_engine_served(engine);
    assert_non_null(served);
    assert_int_equal(ipt_bundle_parse(ipt_buf_span(&served->text), &bundle, &why), IPT_BUNDLE_OK);
    assert_true(ipt_bundle_verify(&bundle, &keys[0].public_key, 1));
    uint64_t serial = bundle.serial;
    ipt_buf text = {0};
    ipt_buf_add(&text, ipt_buf_span(&served->text));
    ipt_served_release(served);
    engine_free(engine);

    engine = engine_new(); /* the same contents have the same serial */
    served = ipt_engine_served(engine);
    assert_int_equal(served->serial, serial);
    ipt_served_release(served);
    engine_free(engine);

    write_config("]", "");
    engine = engine_new();
    assert_int_equal(offer(engine, text), IPT_CENTRAL_UPDATED);
    assert_int_equal(lists_of(engine), 4);
    engine_free(engine);
}

static void without_memory_the_last_good_one_stays(void **state)
{
    (void)state;
    clear_state();
    write_config("]", "serve_central: {signing_key_file: key}\nlists: {own: {prefixes: [192.0.2.9]}}\n"
                      "policies: {own: {trust: [own]}}\n");
    ipt_engine *engine = engine_new();
    assert_int_equal(offer(engine, bundle_of(1, 0, &keys[0], TRUST(1))), IPT_CENTRAL_UPDATED);
    for (size_t n = 1;; n++) {
        ipt_buf bytes = bundle_of(1 + n, 0, &keys[0], TRUST(2));
        assert_false(bytes.failed);
        failalloc_at(n);
        ipt_central_event event = offer(engine, bytes);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(lists_of(engine), 2);
        assert_true(event == IPT_CENTRAL_UPDATED || (failed && event == IPT_CENTRAL_FAILED));
        if (!failed)
            break;
    }
    for (size_t n = 1;; n++) { /* the record */
        failalloc_at(n);
        engine_central_remember(engine);
        bool failed = failalloc_happened();
        failalloc_at(0);
        if (!failed)
            break;
    }
    engine_free(engine);
    engine = NULL;
    for (size_t n = 1;; n++) { /* a start with both */
        failalloc_at(n);
        ipt_err err = open_engine(&engine);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_true(err == IPT_OK || (failed && err == IPT_ENOMEM));
        if (err == IPT_OK)
            engine_free(engine);
        engine = NULL;
        if (!failed)
            break;
    }
}

static int set_up(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[32];
        memset(seed, i + 1, sizeof(seed));
        ipt_signing_key_from_seed(seed, &keys[i]);
    }
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char path[80];
    static const char *const names[] = {"state/lists/.lock", "c.yaml", "key"};
    (void)state;
    clear_state();
    for (size_t i = 0; i < IPT_COUNT(names); i++)
        (void)unlink(path_of(names[i], path));
    (void)rmdir(path_of("state/lists", path));
    (void)rmdir(path_of("state", path));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_taken_or_refused),
        cmocka_unit_test(what_is_dangerous_or_unsigned_is_taken_when_asked_for),
        cmocka_unit_test(the_last_good_one_and_its_serial_come_back),
        cmocka_unit_test(a_reload_that_does_not_go_with_the_document_fails),
        cmocka_unit_test(what_is_served_is_taken_elsewhere),
        cmocka_unit_test(without_memory_the_last_good_one_stays),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
