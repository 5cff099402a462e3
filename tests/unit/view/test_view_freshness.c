/* How old is too old, and when somebody should look again. */
#include "setup.h"

#define T 1000000

static void a_list_is_fresh_up_to_its_age_and_not_a_second_longer(void **state)
{
    static const struct {
        int64_t fetched_at, soft_age, hard_age, now;
        ipt_freshness expected;
    } rows[] = {
        {T, 100, 300, T, IPT_FRESH},
        {T, 100, 300, T + 100, IPT_FRESH}, /* exactly the soft age */
        {T, 100, 300, T + 101, IPT_STALE},
        {T, 100, 300, T + 300, IPT_STALE}, /* exactly the hard age */
        {T, 100, 300, T + 301, IPT_EXPIRED},
        {T, 100, IPT_AGE_NONE, INT64_MAX, IPT_STALE},
        {T, IPT_AGE_NONE, 300, T + 300, IPT_FRESH},
        {T, IPT_AGE_NONE, 300, T + 301, IPT_EXPIRED},
        {T, IPT_AGE_NONE, IPT_AGE_NONE, INT64_MAX, IPT_FRESH},
        {T, 300, 100, T + 101, IPT_EXPIRED},             /* never stale */
        {IPT_TIME_NONE, 100, 300, INT64_MAX, IPT_FRESH}, /* without a time nothing ages */
        {T + 5000, 100, 300, T, IPT_FRESH},              /* fetched in the future: a clock that was wrong */
        {INT64_MAX, 100, 300, INT64_MIN, IPT_FRESH},
        {IPT_TIME_NONE + 1, 100, 300, INT64_MAX, IPT_EXPIRED}, /* the difference does not fit int64_t */
        {-5, 0, IPT_AGE_NONE, -5, IPT_FRESH},
        {-5, 0, IPT_AGE_NONE, -4, IPT_STALE},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_list_spec spec = {
            .fetched_at = rows[i].fetched_at, .soft_age = rows[i].soft_age, .hard_age = rows[i].hard_age};
        if (ipt_freshness_at(&spec, rows[i].now) != rows[i].expected)
            fail_msg("row %zu", i);
    }
}

static void the_next_change_is_the_first_second_at_which_freshness_differs(void **state)
{
    static const struct {
        int64_t fetched_at, soft_age, hard_age, now, expected;
    } rows[] = {
        {T, 100, 300, T, T + 101},
        {T, 100, 300, T + 100, T + 101},
        {T, 100, 300, T + 101, T + 301},
        {T, 100, 300, T + 300, T + 301},
        {T, 100, 300, T + 301, IPT_AGE_NONE},
        {T, 100, IPT_AGE_NONE, T + 101, IPT_AGE_NONE},
        {T, IPT_AGE_NONE, 300, T, T + 301},
        {T, 300, 100, T, T + 101},
        {T, 300, 100, T + 101, IPT_AGE_NONE}, /* expired already: becoming stale changes nothing */
        {T, 300, 300, T, T + 301},
        {IPT_TIME_NONE, 100, 300, T, IPT_AGE_NONE},
        {T + 5000, 100, 300, T, T + 5101},
        {INT64_MAX - 50, 100, 300, T, IPT_AGE_NONE}, /* beyond what a time can say */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_list_spec spec = {
            .fetched_at = rows[i].fetched_at, .soft_age = rows[i].soft_age, .hard_age = rows[i].hard_age};
        const ipt_view_list list = {.spec = &spec};
        const ipt_view view = {.lists = &list, .list_count = 1, .now = rows[i].now};
        int64_t next = ipt_view_next_change(&view);
        if (next != rows[i].expected)
            fail_msg("row %zu: %lld", i, (long long)next);
        if (next == IPT_AGE_NONE)
            continue;
        assert_int_equal(ipt_freshness_at(&spec, next - 1), ipt_freshness_at(&spec, view.now));
        assert_int_not_equal(ipt_freshness_at(&spec, next), ipt_freshness_at(&spec, view.now));
    }
}

static const char two_lists[] = "lists:\n"
                                "  a: {provider: cloudflare, prefixes: [173.245.48.0/20], fetched_at: "
                                "2026-11-22T12:00:00Z, soft_age: 1h, hard_age: 1d}\n"
                                "  b: {provider: fastly, prefixes: [151.101.0.0/16], fetched_at: "
                                "2026-11-22T11:30:00Z, soft_age: 1h}\n"
                                "  c: {prefixes: [10.0.0.0/24]}\n"
                                "policies:\n  default: {trust: [a, b, c]}\n";

static void a_view_steps_from_change_to_change_until_none_is_left(void **state)
{
    static const int64_t changes[] = {SETUP_NOW + 1801, SETUP_NOW + 3601, SETUP_NOW + 86401};
    ipt_view *view = setup_view(two_lists, SETUP_NOW);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(changes); i++) {
        ipt_view *next = NULL;
        assert_int_equal(ipt_view_next_change(view), changes[i]);
        assert_int_equal(ipt_view_refresh(view, changes[i], &next), IPT_OK);
        ipt_view_free(view);
        view = next;
    }
    assert_int_equal(ipt_view_next_change(view), IPT_AGE_NONE);
    assert_int_equal(view->freshness[setup_list(view, "a")], IPT_EXPIRED);
    assert_int_equal(view->freshness[setup_list(view, "b")], IPT_STALE);
    assert_int_equal(view->freshness[setup_list(view, "c")], IPT_FRESH);
    ipt_view_free(view);
}

static void a_refreshed_view_shares_the_contents_and_outlives_the_first_or_not(void **state)
{
    (void)state;
    for (int newer_first = 0; newer_first < 2; newer_first++) {
        ipt_view *old = setup_view(two_lists, SETUP_NOW), *new = NULL;
        assert_int_equal(ipt_view_refresh(old, SETUP_NOW + 7200, &new), IPT_OK);
        assert_ptr_equal(old->lists, new->lists);
        assert_ptr_equal(old->policies, new->policies);
        assert_ptr_equal(old->lpm, new->lpm);
        assert_ptr_equal(old->names, new->names);
        assert_ptr_equal(old->config, new->config);
        assert_string_equal(old->lists_revision, new->lists_revision);
        assert_string_equal(old->policies_revision, new->policies_revision);
        assert_int_equal(old->freshness[0], IPT_FRESH);
        assert_int_equal(new->freshness[0], IPT_STALE);
        assert_int_equal(new->now, SETUP_NOW + 7200);
        ipt_view *kept = newer_first ? old : new;
        ipt_view_free(newer_first ? new : old);
        assert_string_equal(kept->lists[0].spec->name, "a"); /* read under AddressSanitizer */
        assert_int_equal(ipt_policy_judge(kept, kept->policies, setup_addr("173.245.48.1")).list, 0);
        ipt_view_free(kept);
    }
    ipt_view_free(NULL);
}

static void times_are_told_as_rfc_3339_or_not_at_all(void **state)
{
    ipt_view *view = setup_view(two_lists, SETUP_NOW);
    (void)state;
    assert_string_equal(view->lists[0].fetched_at, "2026-11-22T12:00:00Z");
    assert_string_equal(view->lists[2].fetched_at, "");
    ipt_view_free(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_fresh_up_to_its_age_and_not_a_second_longer),
        cmocka_unit_test(the_next_change_is_the_first_second_at_which_freshness_differs),
        cmocka_unit_test(a_view_steps_from_change_to_change_until_none_is_left),
        cmocka_unit_test(a_refreshed_view_shares_the_contents_and_outlives_the_first_or_not),
        cmocka_unit_test(times_are_told_as_rfc_3339_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
