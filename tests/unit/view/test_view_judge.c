/* What a policy makes of an address, of a list's word, and of a name. */
#include <stdio.h>
#include <stdlib.h>

#include "setup.h"

static const char lists[] =
    "lists:\n"
    "  wide: {prefixes: [10.0.0.0/8, 10.0.0.0/16], internal: true}\n"
    "  narrow: {prefixes: [10.0.12.0/24, 10.0.12.1, \"fd00:12::/64\"], internal: true}\n"
    "  cf: {provider: cloudflare, prefixes: [172.64.0.0/13, \"2a06:98c0::/29\"]}\n"
    "  mine: {prefixes: [\"2a06:98c0:3600::/40\", 11.0.0.0/24], egress: [11.0.0.7]}\n"
    "  stranger: {prefixes: [10.0.12.0/28, 9.0.0.0/16], egress: [10.0.12.9]}\n"
    "  sock: {unix: true}\n"
    "policies:\n"
    "  first: {trust: [wide, narrow, cf, mine]}\n"
    "  second: {trust: [mine, narrow, wide, sock]}\n"
    "  third: {trust: [stranger, narrow]}\n"
    "  nobody: {trust: []}\n"
    "  from: {trust: [narrow, mine], read: [x-forwarded-for, {header: x-real-ip, from: narrow}, "
    "{header: x-real-ip, from: mine}, {attribute: ip, from: mine}]}\n"
    "  stated: {trust: [mine]}\n";

static void an_address_is_labelled_by_rank_and_measured_by_that_lists_longest_prefix(void **state)
{
    static const struct {
        const char *policy, *addr, *list; /* NULL: none; "egress" */
        unsigned len;
        bool several;
    } rows[] = {
        {"first", "10.0.12.1", "wide", 16, true},
        {"second", "10.0.12.1", "narrow", 32, true},
        {"first", "10.0.12.2", "wide", 16, true},
        {"second", "10.0.12.2", "narrow", 24, true},
        {"first", "10.9.0.1", "wide", 8, false},
        {"first", "fd00:12::1", "narrow", 64, false},
        {"first", "9.0.0.1", NULL, 0, false},     /* held by a list that is not trusted */
        {"first", "10.0.12.9", "wide", 16, true}, /* so is its egress */
        {"third", "10.0.12.9", "egress", 0, false},
        {"third", "10.0.12.1", "stranger", 28, true},
        {"third", "10.0.12.77", "narrow", 24, false},
        {"first", "172.64.0.1", "cf", 13, false},
        {"second", "172.64.0.1", NULL, 0, false},
        /* the egress of any trusted list beats every list, its own and one named before it */
        {"first", "2a06:98c0:3600::1", "egress", 0, false},
        {"second", "2a06:98c0:3600::1", "mine", 40, false}, /* cf is not trusted here */
        {"first", "11.0.0.7", "egress", 0, false},
        {"first", "11.0.0.8", "mine", 24, false},
        {"nobody", "10.0.12.1", NULL, 0, false},
        {"second", "0.0.0.0", NULL, 0, false},
        {"second", "::", NULL, 0, false},
    };
    ipt_view *view = setup_view(lists, SETUP_NOW);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_addr addr = setup_addr(rows[i].addr);
        ipt_judgement j = ipt_policy_judge(view, ipt_view_find_policy(view, ipt_span_from(rows[i].policy)), addr);
        bool egress = rows[i].list != NULL && strcmp(rows[i].list, "egress") == 0;
        uint16_t list = rows[i].list == NULL || egress ? IPT_LIST_NONE : setup_list(view, rows[i].list);
        unsigned len = list == IPT_LIST_NONE ? 0 : ipt_prefix_bits(ipt_prefix_of(addr, j.prefix_len));
        if (j.egress != egress || j.list != list || len != rows[i].len || j.several != rows[i].several)
            fail_msg("row %zu: list %u, length %u, egress %d, several %d", i, j.list, len, j.egress, j.several);
    }
    ipt_view_free(view);
}

static void a_list_vouches_for_what_it_states_and_for_what_a_policy_binds_to_it(void **state)
{
    static const struct {
        const char *policy, *list, *header;
        ipt_vouch how;
    } rows[] = {
        {"first", "narrow", "x-forwarded-for", IPT_VOUCH_APPEND},
        {"first", "narrow", "forwarded", IPT_VOUCH_NONE},
        {"first", "narrow", "x-real-ip", IPT_VOUCH_NONE},
        {"from", "narrow", "x-real-ip", IPT_VOUCH_REPLACE},
        {"from", "mine", "x-real-ip", IPT_VOUCH_REPLACE},
        {"from", "wide", "x-real-ip", IPT_VOUCH_NONE},
        {"from", "mine", "attribute:ip", IPT_VOUCH_REPLACE},
        {"from", "narrow", "attribute:ip", IPT_VOUCH_NONE},
        {"first", "cf", "cf-connecting-ip", IPT_VOUCH_REPLACE},
        {"first", "cf", "x-forwarded-for", IPT_VOUCH_APPEND},
        {"first", "cf", "proxy_protocol", IPT_VOUCH_NONE},
        {"second", "sock", "x-forwarded-for", IPT_VOUCH_APPEND},
    };
    ipt_view *view = setup_view(lists, SETUP_NOW);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_name name = ipt_names_find(view->names, ipt_span_from(rows[i].header));
        assert_int_not_equal(name, IPT_NAME_NONE);
        ipt_vouch how = ipt_policy_vouch(view, ipt_view_find_policy(view, ipt_span_from(rows[i].policy)),
                                         setup_list(view, rows[i].list), name);
        if (how != rows[i].how)
            fail_msg("row %zu: %s", i, ipt_vouch_name(how));
    }
    ipt_view_free(view);
}

static void reads_know_their_provider_and_whether_they_came_before(void **state)
{
    ipt_view *view = setup_view(lists, SETUP_NOW);
    const ipt_policy *from = ipt_view_find_policy(view, IPT_SPAN("from"));
    (void)state;
    assert_int_equal(from->spec->read_count, 4);
    assert_false(from->read[1].repeated);
    assert_true(from->read[2].repeated);
    assert_int_equal(from->read[1].provider, IPT_PROVIDER_NONE);
    assert_false(from->reads_cf_ip);
    assert_true(view->lists[setup_list(view, "cf")].shared);
    assert_false(view->lists[setup_list(view, "mine")].shared);
    assert_false(view->lists[setup_list(view, "sock")].empty);
    ipt_view_free(view);
}

static void a_policy_is_found_by_its_exact_name_among_many(void **state)
{
    static const char *const absent[] = {"",  "P0000", "p",  "p00000", "p0000 ", "p5000",
                                         "a", "z",     "p-", "p_",     "P-X",    "p0000\n"};
    char *yaml = malloc(1U << 18);
    assert_non_null(yaml);
    size_t n = (size_t)sprintf(yaml, "policies:\n  p-x: {trust: []}\n  p_x: {trust: []}\n");
    (void)state;
    for (int i = 4095 - 2; i >= 0; i--)
        n += (size_t)sprintf(yaml + n, "  p%04d: {trust: []}\n", i);
    ipt_view *view = setup_view(yaml, SETUP_NOW);
    for (int i = 0; i < 4095 - 1; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "p%04d", i);
        const ipt_policy *policy = ipt_view_find_policy(view, ipt_span_from(name));
        assert_non_null(policy);
        assert_string_equal(policy->spec->name, name);
    }
    assert_non_null(ipt_view_find_policy(view, IPT_SPAN("p-x")));
    assert_non_null(ipt_view_find_policy(view, IPT_SPAN("p_x")));
    for (size_t i = 0; i < IPT_COUNT(absent); i++)
        assert_null(ipt_view_find_policy(view, ipt_span_from(absent[i])));
    assert_null(ipt_view_find_policy(view, (ipt_span){NULL, 0}));
    assert_null(ipt_view_find_list(view, IPT_SPAN("p0000")));
    ipt_view_free(view);
    free(yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_labelled_by_rank_and_measured_by_that_lists_longest_prefix),
        cmocka_unit_test(a_list_vouches_for_what_it_states_and_for_what_a_policy_binds_to_it),
        cmocka_unit_test(reads_know_their_provider_and_whether_they_came_before),
        cmocka_unit_test(a_policy_is_found_by_its_exact_name_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
