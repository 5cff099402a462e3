/* What applications are told of a decision, what is rewritten, and what of the client's own has to go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/callout/callout.h"
#include "iptrust/resolve/resolve.h"

#define NOW INT64_C(1795341600) /* 2026-11-22T10:00:00Z */

static const char config_text[] = "lists:\n"
                                  "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
                                  "  sock: {unix: true}\n"
                                  "policies:\n"
                                  "  default: {trust: [lb, sock], clients: any}\n"
                                  "  rewriting: {trust: [lb], rewrite: [x-forwarded-for, x-real-ip]}\n";

enum { LINES_MAX = 6 };

typedef struct scene {
    ipt_view *view;
    ipt_arena *arena;
    ipt_request request;
    ipt_header lines[LINES_MAX];
    ipt_decision decision;
} scene;

static void scene_open(scene *s)
{
    const ipt_config_options options = {0};
    ipt_config *config = NULL;
    ipt_diag diag;
    *s = (scene){.view = NULL};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err = ipt_config_parse(ipt_span_from(config_text), "iptrust.yaml", &options, &diag, &config);
    if (err != IPT_OK && diag.first != NULL)
        fail_msg("%s", diag.first->text);
    ipt_diag_done(&diag);
    assert_int_equal(err, IPT_OK);
    assert_int_equal(ipt_view_build_take(config, NOW, &s->view), IPT_OK);
    assert_int_equal(ipt_arena_new(256, 0, &s->arena), IPT_OK);
}

static void scene_close(scene *s)
{
    ipt_arena_free(s->arena);
    ipt_view_free(s->view);
}

static void decide(scene *s, const char *policy_name, const char *peer, const char *const lines[LINES_MAX][2])
{
    const ipt_policy *policy = ipt_view_find_policy(s->view, ipt_span_from(policy_name));
    assert_non_null(policy);
    size_t n = 0;
    for (; n < LINES_MAX && lines[n][0] != NULL; n++)
        s->lines[n] = (ipt_header){ipt_span_from(lines[n][0]), ipt_span_from(lines[n][1])};
    s->request = (ipt_request){
        .peer = ipt_span_from(peer), .headers = s->lines, .header_count = n, .caller = IPT_CALLER_TRUSTED};
    assert_int_equal(ipt_resolve(s->view, policy, &s->request, IPT_DETAIL_FULL, &s->decision, NULL), IPT_REFUSAL_NONE);
    ipt_arena_reset(s->arena);
}

static const char *fact_of(const ipt_callout *c, const char *header)
{
    for (size_t i = 0; i < IPT_CALLOUT_FACTS; i++) {
        if (strcmp(c->facts[i].header, header) == 0)
            return c->facts[i].text;
    }
    fail_msg("no fact %s", header);
    return NULL;
}

static void assert_same(const char *given, const char *wanted)
{
    if (wanted == NULL)
        assert_null(given);
    else {
        assert_non_null(given);
        assert_string_equal(given, wanted);
    }
}

static void facts_say_what_the_decision_says(void **state)
{
    static const struct {
        const char *policy, *peer, *lines[LINES_MAX][2];
        const char *client, *level, *source, *chain;
    } rows[] = {
        {"default", "8.8.4.4:1234", {{NULL}}, "8.8.4.4", "high", "peer", "8.8.4.4"},
        {"default",
         "10.0.12.1",
         {{"X-Forwarded-For", "1.1.1.1, 8.8.8.8"}},
         "8.8.8.8",
         "high",
         "x-forwarded-for",
         "10.0.12.1;lb, 8.8.8.8"},
        {"default",
         "unix",
         {{"X-Forwarded-For", "2001:DB8::0:1"}},
         "2001:db8::1",
         "high",
         "x-forwarded-for",
         "unix;sock, 2001:db8::1"},
        {"default", "10.0.12.1", {{"X-Forwarded-For", "unknown"}}, "10.0.12.1", "low", "peer", "10.0.12.1;lb"},
        {"default", "nobody", {{NULL}}, NULL, "none", NULL, NULL},
    };
    scene s;
    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_callout c;
        decide(&s, rows[i].policy, rows[i].peer, rows[i].lines);
        assert_int_equal(ipt_callout_build(&s.decision, s.lines, s.request.header_count, s.arena, &c), IPT_OK);
        assert_same(fact_of(&c, "x-iptrust-client-ip"), rows[i].client);
        assert_same(fact_of(&c, "x-iptrust-confidence"), rows[i].level);
        assert_same(fact_of(&c, "x-iptrust-source"), rows[i].source);
        assert_same(fact_of(&c, "x-iptrust-chain"), rows[i].chain);
        assert_same(fact_of(&c, "x-iptrust-policy"), rows[i].policy);
        assert_int_equal(strlen(fact_of(&c, "x-iptrust-revision")), 17);
        assert_int_equal(c.rewrite_count, 0);
        assert_int_equal(c.removed_count, 0);
    }
    scene_close(&s);
}

static void what_is_rewritten_says_the_client_or_goes(void **state)
{
    static const struct {
        const char *lines[LINES_MAX][2];
        const char *value;   /* of x-forwarded-for and x-real-ip; NULL: both go */
        const char *removed; /* in order */
    } rows[] = {
        {{{"X-Forwarded-For", "8.8.8.8"}}, "8.8.8.8", "forwarded true-client-ip "},
        {{{"X-Forwarded-For", "8.8.8.8"}, {"X_Real_IP", "6.6.6.6"}}, "8.8.8.8", "forwarded true-client-ip X_Real_IP "},
        {{{"X-Forwarded-For", "unknown"}}, NULL, "x-forwarded-for x-real-ip forwarded true-client-ip "},
    };
    scene s;
    (void)state;
    scene_open(&s);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_callout c;
        char removed[200] = "";
        decide(&s, "rewriting", "10.0.12.1", rows[i].lines);
        assert_int_equal(ipt_callout_build(&s.decision, s.lines, s.request.header_count, s.arena, &c), IPT_OK);
        assert_int_equal(c.rewrite_count, rows[i].value == NULL ? 0 : 2);
        for (size_t k = 0; k < c.rewrite_count; k++) {
            assert_string_equal(c.rewrites[k].name, k == 0 ? "x-forwarded-for" : "x-real-ip");
            assert_string_equal(c.rewrites[k].value, rows[i].value);
        }
        for (size_t k = 0; k < c.removed_count; k++)
            strcat(strcat(removed, c.removed[k]), " ");
        assert_string_equal(removed, rows[i].removed);
    }
    scene_close(&s);
}

static void only_names_that_read_as_ours_are_ours(void **state)
{
    static const struct {
        const char *name;
        bool ours;
    } rows[] = {
        {"x-iptrust-client-ip", true}, {"X-Iptrust-Client-Ip", true},
        {"X_IPTRUST_CLIENT_IP", true}, {"x.iptrust.asn", true},
        {"x-iptrust_asn", true},       {"x-iptrust-", true},
        {"x-iptrust", false},          {"x-iptrusty-asn", false},
        {"iptrust-asn", false},        {"", false},
        {"x iptrust-asn", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span name = exact(rows[i].name);
        assert_int_equal(ipt_callout_is_ours(name), rows[i].ours);
        free((char *)(uintptr_t)name.p);
    }
}

static void what_clients_write_in_our_name_goes(void **state)
{
    static const char *const lines[LINES_MAX][2] = {
        {"X-Iptrust-Client-Ip", "6.6.6.6"}, /* is set, and a proxy that removes last would take ours */
        {"X_Iptrust_Client_Ip", "6.6.6.6"}, {"x-iptrust-anything", "1"}, {"x-iptrust-\xe9", "1"},
        {"x-forwarded-for", "6.6.6.6"},
    };
    scene s;
    ipt_callout c;
    (void)state;
    scene_open(&s);
    decide(&s, "default", "8.8.4.4", lines);
    assert_int_equal(ipt_callout_build(&s.decision, s.lines, s.request.header_count, s.arena, &c), IPT_OK);
    assert_int_equal(c.removed_count, 2);
    assert_string_equal(c.removed[0], "X_Iptrust_Client_Ip");
    assert_string_equal(c.removed[1], "x-iptrust-anything");
    scene_close(&s);
}

static void without_memory_there_is_no_answer(void **state)
{
    static const char *const lines[LINES_MAX][2] = {{"X-Forwarded-For", "8.8.8.8"}, {"X_Iptrust_A", "1"}};
    scene s;
    (void)state;
    scene_open(&s);
    decide(&s, "rewriting", "10.0.12.1", lines);
    ipt_err err = IPT_ENOMEM;
    size_t refused = 0;
    for (size_t limit = 1; err != IPT_OK; limit += 8) { /* every piece is the one that does not fit */
        ipt_callout c;
        ipt_auto(ipt_arena) *arena = NULL;
        assert_int_equal(ipt_arena_new(8, limit, &arena), IPT_OK);
        err = ipt_callout_build(&s.decision, s.lines, s.request.header_count, arena, &c);
        refused += err == IPT_ENOMEM;
        assert_true(limit < 4096);
    }
    assert_true(refused > 8);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        ipt_callout c;
        ipt_auto(ipt_arena) *arena = NULL;
        assert_int_equal(ipt_arena_new(8, 0, &arena), IPT_OK);
        failalloc_at(n);
        err = ipt_callout_build(&s.decision, s.lines, s.request.header_count, arena, &c);
        failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err == IPT_OK, !failed);
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_say_what_the_decision_says),
        cmocka_unit_test(what_is_rewritten_says_the_client_or_goes),
        cmocka_unit_test(only_names_that_read_as_ours_are_ours),
        cmocka_unit_test(what_clients_write_in_our_name_goes),
        cmocka_unit_test(without_memory_there_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
