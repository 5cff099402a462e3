/* Contents laid over a configuration: what is stated is other, the rest is shared, and whoever ends last frees it. */
#include <stdio.h>
#include <stdlib.h>

#include "failalloc.h"
#include "setup.h"

static const char yaml[] = "lists:\n"
                           "  a: {prefixes: [192.0.2.0/24]}\n"
                           "  b: {url: \"https://lists.example/b\"}\n"
                           "policies: {default: {trust: [a, b]}}\n";

static ipt_config *read_config(const char *dir)
{
    outcome out;
    outcome_parse(yaml, dir, &out);
    assert_int_equal(out.err, IPT_OK);
    ipt_config *config = ipt_config_share(out.config);
    outcome_done(&out);
    return config;
}

static ipt_prefix prefix_of(const char *text)
{
    ipt_prefix prefix;
    assert_int_equal(ipt_prefix_parse(ipt_span_from(text), &prefix), IPT_PREFIX_OK);
    return prefix;
}

static void what_is_stated_is_other_and_the_rest_as_before(void **state)
{
    ipt_config *root = read_config(*state), *first, *second;
    const ipt_prefix prefix = prefix_of("198.51.100.0/24");
    ipt_list_contents contents[2] = {{0}, {.stated = true, .prefixes = &prefix, .prefix_count = 1, .fetched_at = 77}};
    assert_true(root->lists[1].failed);
    assert_int_equal(ipt_config_with_contents(root, contents, &first), IPT_OK);
    assert_int_equal(root->lists[1].prefix_count, 0);
    assert_ptr_equal(first->lists[0].prefixes, root->lists[0].prefixes);
    assert_ptr_equal(first->policies, root->policies);
    assert_int_equal(first->lists[1].prefix_count, 1);
    assert_true(ipt_prefix_holds(first->lists[1].prefixes[0], prefix.addr));
    assert_int_equal(first->lists[1].fetched_at, 77);
    assert_false(first->lists[1].failed);

    contents[1] = (ipt_list_contents){0}; /* over what was laid: back to what was read */
    assert_int_equal(ipt_config_with_contents(first, contents, &second), IPT_OK);
    assert_int_equal(second->lists[1].prefix_count, 0);
    assert_true(second->lists[1].failed);
    ipt_config_free(second);
    ipt_config_free(first);
    ipt_config_free(root);
}

static void it_lives_as_long_as_its_last_holder(void **state)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < IPT_COUNT(orders); i++) {
        const ipt_list_contents contents[2] = {{0}};
        ipt_config *holders[3] = {read_config(*state)};
        assert_int_equal(ipt_config_with_contents(holders[0], contents, &holders[1]), IPT_OK);
        assert_int_equal(ipt_config_with_contents(holders[1], contents, &holders[2]), IPT_OK);
        for (size_t k = 0; k < 3; k++) {
            const ipt_config *last = holders[orders[i][2]];
            ipt_config_free(holders[orders[i][k]]);
            if (k < 2)
                assert_string_equal(last->lists[0].name, "a"); /* a sanitizer would see what is gone */
        }
    }
}

static void without_memory_nothing_is_held(void **state)
{
    ipt_config *root = read_config(*state);
    const ipt_prefix prefix = prefix_of("198.51.100.0/24");
    const ipt_list_contents contents[2] = {{0}, {.stated = true, .prefixes = &prefix, .prefix_count = 1}};
    for (size_t n = 1;; n++) {
        ipt_config *over = NULL;
        failalloc_at(n);
        ipt_err err = ipt_config_with_contents(root, contents, &over);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        ipt_config_free(over);
        if (!failed)
            break;
    }
    ipt_config_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stated_is_other_and_the_rest_as_before),
        cmocka_unit_test(it_lives_as_long_as_its_last_holder),
        cmocka_unit_test(without_memory_nothing_is_held),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
