/* A central document below what is configured here: what it may hold, who wins, and where complaints point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/config/config.h"
#include "iptrust/config/diag_print.h"

#define LOCAL                                                                 \
    "lists: {ours: {prefixes: [192.0.2.1]}, both: {prefixes: [192.0.2.2]}}\n" \
    "policies: {default: {trust: [ours, both]}}\n"

typedef struct loaded {
    ipt_err err;
    ipt_config *config;
    ipt_buf text;
    size_t watched;
} loaded;

static loaded load(const char *local, const char *document)
{
    loaded out = {0};
    ipt_diag diag;
    ipt_span text = exact(document);
    const ipt_config_options options = {.document = text};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    diag.watched = IPT_CONFIG_DOCUMENT;
    out.err = ipt_config_parse(ipt_span_from(local), "local.yaml", &options, &diag, &out.config);
    ipt_diag_print(&diag, &out.text);
    ipt_buf_addc(&out.text, '\0');
    out.watched = diag.watched_items;
    ipt_diag_done(&diag);
    free((void *)(uintptr_t)text.p);
    return out;
}

static void loaded_done(loaded *l)
{
    if (l->err == IPT_OK)
        ipt_config_free(l->config);
    ipt_buf_done(&l->text);
}

/* The first prefix of a list, as text; empty when there is no such list. */
static void first_prefix(const ipt_config *config, const char *name, char text[IPT_PREFIX_TEXT])
{
    text[0] = '\0';
    for (size_t i = 0; i < config->list_count; i++)
        if (strcmp(config->lists[i].name, name) == 0 && config->lists[i].prefix_count > 0)
            (void)ipt_prefix_format(config->lists[i].prefixes[0], text);
}

static void what_is_configured_here_wins(void **state)
{
    loaded l = load(LOCAL, "lists: {both: {prefixes: [198.51.100.1]}, theirs: {prefixes: [198.51.100.2]}}\n"
                           "policies: {default: {trust: []}, edge: {trust: [theirs, both]}}\n");
    char text[IPT_PREFIX_TEXT];
    (void)state;
    assert_string_equal(l.text.p, "");
    assert_int_equal(l.err, IPT_OK);
    assert_int_equal(l.config->list_count, 3);
    assert_int_equal(l.config->policy_count, 2);
    first_prefix(l.config, "both", text);
    assert_string_equal(text, "192.0.2.2/32");
    assert_int_equal(ipt_config_find_policy(l.config, IPT_SPAN("default"))->trust_count, 2);
    assert_int_equal(ipt_config_find_policy(l.config, IPT_SPAN("edge"))->trust_count, 2);
    loaded_done(&l);
}

static void documents_and_what_is_said_of_them(void **state)
{
    static const struct {
        const char *document, *text;
        ipt_err err;
        size_t watched;
    } rows[] = {
        {"policies: {p: {trust: [ours]}}\n", "", IPT_OK, 0},
        {"http: {listen: 0.0.0.0:80}\nlists: {}\n",
         "central document:1:1: error: a central document holds lists and policies only, not \"http\"\n", IPT_ECONFIG,
         1},
        {"central: {unsigned: true}\n",
         "central document:1:1: error: a central document holds lists and policies only, not \"central\"\n",
         IPT_ECONFIG, 1},
        {"lists: {a: {file: /etc/passwd}}\n",
         "central document:1:13: error: a central document names no files of ours\n", IPT_ECONFIG, 1},
        {"{}\n", "central document:1:1: error: it holds neither lists nor policies\n", IPT_ECONFIG, 1},
        {"lists: [a]\n", "central document:1:8: error: expected a mapping\n", IPT_ECONFIG, 1},
        {"- a\n", "central document:1:1: error: expected a mapping of lists and policies, found a sequence\n",
         IPT_ECONFIG, 1},
        {"policies: {p: {trust: [missing]}}\n", "central document:1:24: error: there is no list \"missing\"\n",
         IPT_ECONFIG, 1},
        {"lists: {a: {prefixes: [0.0.0.0/0], broad: accepted}}\npolicies: {p: {trust: [a]}}\n",
         "central document:1:24: warning: 0.0.0.0/0 holds every address\n", IPT_OK, 1},
        {"lists: {a: {prefixes: [10.0.0.0/8]}}\npolicies: {p: {trust: [a]}}\n",
         "central document:1:24: warning: 10.0.0.0/8 is broad for a trusted list: name your proxies, or say broad: "
         "accepted\n",
         IPT_OK, 1},
        {"policies: {p: {trust: [ours], walk: {hops: 2}}}\n",
         "central document:1:38: warning: a hop count is right only while every request passes exactly 2 proxies\n",
         IPT_OK, 1},
        {"lists: {a: {prefixes: [192.0.2.9]}}\n", "central document:1:9: warning: list \"a\" is named nowhere\n",
         IPT_OK, 1},
        {"lists: {a: {prefixes: []}}\npolicies: {p: {trust: [a]}}\n",
         "central document:1:23: warning: list \"a\" is empty\n"
         "central document:2:24: warning: list \"a\" is empty: nobody is trusted through it\n",
         IPT_OK, 2},
        /* what is fetched comes later, and is no warning, which would refuse the document */
        {"lists: {a: {url: \"https://lists.example/a.txt\"}, b: {provider: imperva, exclusive: true}}\n"
         "policies: {p: {trust: [a, b]}}\n",
         "", IPT_OK, 0},
        {"lists: &a {}\n", NULL, IPT_ECONFIG, 1},
        {"lists: {a: {prefixes: [1]}\n", NULL, IPT_ECONFIG, 1},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        loaded l = load(LOCAL, rows[i].document);
        if (rows[i].text != NULL)
            assert_string_equal(l.text.p, rows[i].text);
        assert_int_equal(l.err, rows[i].err);
        assert_int_equal(l.watched, rows[i].watched);
        loaded_done(&l);
    }
}

static void warnings_of_a_document_are_counted_behind_hundreds_of_ours(void **state)
{
    ipt_auto(ipt_buf) local = {0};
    (void)state;
    ipt_buf_adds(&local, "policies: {default: {}}\nlists:\n");
    for (unsigned i = 0; i < 300; i++)
        ipt_buf_addf(&local, "  l%u: {prefixes: [192.0.2.1]}\n", i);
    ipt_buf_addc(&local, '\0');
    assert_false(local.failed);
    loaded l = load(local.p, "lists: {a: {prefixes: [0.0.0.0/0]}}\npolicies: {p: {trust: [a]}}\n");
    assert_int_equal(l.err, IPT_OK);
    assert_int_equal(l.watched, 1);
    loaded_done(&l);
}

static void without_memory_there_is_no_configuration(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_diag diag;
        ipt_config *config = NULL;
        const ipt_config_options options = {.document = IPT_SPAN("lists: {a: {prefixes: [192.0.2.9]}}\n"
                                                                 "policies: {p: {trust: [a]}}\n")};
        assert_int_equal(ipt_diag_init(&diag), IPT_OK);
        failalloc_at(n);
        ipt_err err = ipt_config_parse(IPT_SPAN(LOCAL), "local.yaml", &options, &diag, &config);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_true(err == IPT_OK || failed);
        if (err == IPT_OK)
            ipt_config_free(config);
        ipt_diag_done(&diag);
        if (!failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_configured_here_wins),
        cmocka_unit_test(documents_and_what_is_said_of_them),
        cmocka_unit_test(warnings_of_a_document_are_counted_behind_hundreds_of_ours),
        cmocka_unit_test(without_memory_there_is_no_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
