/* Revisions: the same for the same meaning, another for any other. */
#include <stdio.h>

#include "setup.h"

#define LISTS_A "  a: {prefixes: [10.0.12.0/24, \"fd00:12::/64\"], internal: true}\n"
#define LISTS_B \
    "  b: {provider: cloudflare, prefixes: [173.245.48.0/20, 172.64.0.0/13], fetched_at: 2026-11-22T12:00:00Z}\n"
#define POLICY_P \
    "  p: {trust: [a, b], read: [x-forwarded-for, cf-connecting-ip], deny: {confidence_below: medium, lists: [b]}}\n"
#define POLICY_Q "  q: {trust: [b]}\n"
#define BASE     "lists:\n" LISTS_A LISTS_B "policies:\n" POLICY_P POLICY_Q

typedef struct revisions {
    char lists[9], policies[9], a[17];
} revisions;

static revisions revise(const char *yaml)
{
    ipt_view *view = setup_view(yaml, SETUP_NOW);
    revisions out = {0};
    memcpy(out.lists, view->lists_revision, sizeof(out.lists));
    memcpy(out.policies, view->policies_revision, sizeof(out.policies));
    memcpy(out.a, ipt_view_find_list(view, IPT_SPAN("a"))->revision, sizeof(out.a));
    ipt_view_free(view);
    assert_int_equal(strlen(out.lists), 8);
    assert_int_equal(strspn(out.lists, "0123456789abcdef"), 8);
    assert_int_equal(strlen(out.policies), 8);
    assert_int_equal(strlen(out.a), 8);
    return out;
}

static void another_spelling_of_the_same_has_the_same_revisions(void **state)
{
    static const char *const rows[] = {
        BASE,
        "lists:\n" LISTS_B LISTS_A "policies:\n" POLICY_P POLICY_Q,
        "policies:\n" POLICY_Q POLICY_P "lists:\n" LISTS_A LISTS_B,
        "lists:\n  a: {internal: true, prefixes: [\"fd00:12:0::/64\", 10.0.12.0/24]}\n" LISTS_B
        "policies:\n" POLICY_P POLICY_Q,
        "lists:\n  a: {prefixes: [\"::ffff:10.0.12.0/120\", \"fd00:12::/64\"], internal: true}\n" LISTS_B
        "policies:\n" POLICY_P POLICY_Q,
        /* freshness is not content */
        "lists:\n" LISTS_A "  b: {provider: cloudflare, prefixes: [172.64.0.0/13, 173.245.48.0/20], fetched_at: "
        "2024-01-01T00:00:00Z}\npolicies:\n" POLICY_P POLICY_Q,
        "lists:\n" LISTS_A "  b: {provider: cloudflare, prefixes: [172.64.0.0/13, 173.245.48.0/20]}\n"
        "policies:\n" POLICY_P POLICY_Q,
        /* what the daemon listens on is neither a list nor a policy */
        "http: {listen: 127.0.0.1:9999}\n" BASE,
    };
    revisions base = revise(BASE);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        revisions other = revise(rows[i]);
        if (strcmp(base.lists, other.lists) != 0 || strcmp(base.policies, other.policies) != 0 ||
            strcmp(base.a, other.a) != 0)
            fail_msg("row %zu: %s %s %s instead of %s %s %s", i, other.lists, other.policies, other.a, base.lists,
                     base.policies, base.a);
    }
}

static void every_field_of_a_list_is_in_the_revision_of_the_lists(void **state)
{
    static const char *const rows[] = {
        "{prefixes: [10.0.12.0/24], internal: true}",
        "{prefixes: [10.0.12.0/25], internal: true}",
        "{prefixes: [10.0.12.0/24, 10.0.13.0/24], internal: true}",
        "{prefixes: [10.0.12.0/24], egress: [10.0.13.0/24], internal: true}",
        "{prefixes: [10.0.12.0/24, 10.0.13.0/24], egress: [10.0.14.0/24], internal: true}",
        "{prefixes: [10.0.12.0/24]}",
        "{prefixes: [10.0.12.0/24], internal: true, broad: accepted}",
        "{prefixes: [10.0.12.0/24], internal: true, vouches: {}}",
        "{prefixes: [10.0.12.0/24], internal: true, vouches: {forwarded: append}}",
        "{prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: replace}}",
        "{prefixes: [10.0.12.0/24], internal: true, soft_age: 8d}",
        "{prefixes: [10.0.12.0/24], internal: true, hard_age: 8d}",
        "{prefixes: [10.0.12.0/24], internal: true, adds: 2}",
        "{prefixes: [10.0.12.0/24], internal: true, proof: {principals: [x]}}",
        "{prefixes: [10.0.12.0/24], internal: true, proof: {principals: [y]}}",
        "{prefixes: [10.0.12.0/24], internal: true, proof: {principals: [x, y]}}",
        "{prefixes: [10.0.12.0/24], internal: true, proof: {front_door_id: [x]}}",
        "{provider: bunny, prefixes: [10.0.12.0/24]}",
        "{provider: fastly, prefixes: [10.0.12.0/24]}",
        "{provider: bunny, prefixes: [10.0.12.0/24], exclusive: true}",
        "{provider: aws, services: [CLOUDFRONT], prefixes: [10.0.12.0/24]}",
        "{provider: aws, services: [CLOUDFRONT_ORIGIN_FACING], prefixes: [10.0.12.0/24]}",
        "{unix: true}",
        "{unix: true, internal: true}",
        "{prefixes: []}",
        "{provider: bunny}", /* failed: nothing is built in */
        "{prefixes: [\"::a00:c00/120\"]}",
    };
    char seen[IPT_COUNT(rows)][9];
    char policies[9] = "";
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), "lists:\n  a: %s\npolicies:\n  default: {trust: []}\n", rows[i]);
        revisions r = revise(yaml);
        memcpy(seen[i], r.lists, sizeof(seen[i]));
        if (i == 0)
            memcpy(policies, r.policies, sizeof(policies));
        assert_string_equal(r.policies, policies); /* policies speak of lists by name */
        for (size_t k = 0; k < i; k++)
            if (strcmp(seen[i], seen[k]) == 0)
                fail_msg("rows %zu and %zu have the revision %s", k, i, seen[i]);
    }
}

static void the_name_of_a_list_is_in_both_revisions(void **state)
{
    revisions base = revise("lists:\n  a: {prefixes: []}\n  b: {prefixes: [1.1.1.1]}\npolicies:\n  p: {trust: [b]}\n");
    revisions other = revise("lists:\n  a: {prefixes: []}\n  c: {prefixes: [1.1.1.1]}\npolicies:\n  p: {trust: [c]}\n");
    (void)state;
    assert_string_not_equal(base.lists, other.lists);
    assert_string_not_equal(base.policies, other.policies);
}

static void every_field_of_a_policy_is_in_the_revision_of_the_policies(void **state)
{
    static const char *const rows[] = {
        "{trust: [a, b]}",
        "{trust: [b, a]}", /* order says who labels a hop */
        "{trust: [a]}",
        "{trust: []}",
        "{trust: anyone, walk: {hops: 1}}",
        "{trust: [a, b], walk: {hops: 1}}",
        "{trust: [a, b], walk: {hops: 2}}",
        "{trust: [a, b], walk: {hops: 2, peer_in_header: yes}}",
        "{trust: [a, b], read: [x-forwarded-for, cf-connecting-ip]}",
        "{trust: [a, b], read: [cf-connecting-ip, x-forwarded-for]}",
        "{trust: [a, b], read: [x-forwarded-for, {header: x-real-ip, from: a}]}",
        "{trust: [a, b], read: [x-forwarded-for, {header: x-real-ip, from: b}]}",
        "{trust: [a, b], read: [x-forwarded-for, {attribute: x-real-ip, from: b}]}",
        "{trust: [a, b], chains: [[a, b]]}",
        "{trust: [a, b], chains: [[b, a]]}",
        "{trust: [a, b], mode: enforce}",
        "{trust: [a, b], mode: shadow}",
        "{trust: [a, b], deny: {confidence_below: low}}",
        "{trust: [a, b], deny: {confidence_below: medium}}",
        "{trust: [a, b], deny: {lists: [a]}}",
        "{trust: [a, b], deny: {lists: [b]}}",
        "{trust: [a, b], allow: {lists: [a]}}",
        "{trust: [a, b], allow: {confidence_at_least: low}}",
        "{trust: [a, b], allow: {lists: []}}", /* stated: it names nobody */
        "{trust: [a, b], unknown: allow}",
        "{trust: [a, b], clients: any}",
        "{trust: [a, b], keys: {ipv6_rate_limit: 56}}",
        "{trust: [a, b], selectable_by: [rest]}",
        "{trust: [a, b], selectable_by: [rest, grpc, auth]}",
        "{trust: [a, b], rewrite: [x-real-ip]}",
        "{trust: [a, b], rewrite: [x-forwarded-for, x-real-ip]}",
    };
    char seen[IPT_COUNT(rows)][9];
    char lists[9] = "";
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), "lists:\n" LISTS_A LISTS_B "policies:\n  default: %s\n", rows[i]);
        revisions r = revise(yaml);
        memcpy(seen[i], r.policies, sizeof(seen[i]));
        if (i == 0)
            memcpy(lists, r.lists, sizeof(lists));
        assert_string_equal(r.lists, lists);
        for (size_t k = 0; k < i; k++)
            if (strcmp(seen[i], seen[k]) == 0)
                fail_msg("rows %zu and %zu have the revision %s", k, i, seen[i]);
    }
}

static void nat64_is_in_the_revision_of_the_policies_in_any_order(void **state)
{
    revisions none = revise(BASE);
    revisions one = revise("nat64: [\"2001:db8::/96\"]\n" BASE);
    revisions two = revise("nat64: [\"2001:db8::/96\", \"2001:db9::/96\"]\n" BASE);
    revisions turned = revise("nat64: [\"2001:db9::/96\", \"2001:db8::/96\"]\n" BASE);
    (void)state;
    assert_string_not_equal(none.policies, one.policies);
    assert_string_not_equal(one.policies, two.policies);
    assert_string_equal(two.policies, turned.policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_spelling_of_the_same_has_the_same_revisions),
        cmocka_unit_test(every_field_of_a_list_is_in_the_revision_of_the_lists),
        cmocka_unit_test(the_name_of_a_list_is_in_both_revisions),
        cmocka_unit_test(every_field_of_a_policy_is_in_the_revision_of_the_policies),
        cmocka_unit_test(nat64_is_in_the_revision_of_the_policies_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
