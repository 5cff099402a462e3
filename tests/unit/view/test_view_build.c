/* Building and refreshing when memory ends, and the largest configuration that is admitted. */
#include <stdio.h>
#include <stdlib.h>

#include "failalloc.h"
#include "setup.h"

static const char rich[] = "nat64: [\"2001:db9::/96\", \"2001:db8::/96\"]\n"
                           "lists:\n"
                           "  a: {prefixes: [10.0.13.0/24, 10.0.12.0/24], internal: true, vouches: {x-odd: replace, "
                           "proxy_protocol: replace}}\n"
                           "  b: {provider: cloudflare, prefixes: [173.245.48.0/20], proof: {principals: [x, y]}}\n"
                           "policies:\n"
                           "  p: {trust: [a, b], read: [x-odd, {attribute: ip, from: b}], chains: [[b, a]]}\n";

static void a_build_without_memory_leaves_the_configuration_to_the_caller(void **state)
{
    ipt_config *config = setup_config(rich);
    ipt_view *view = NULL;
    size_t n = 1;
    (void)state;
    for (ipt_err err = IPT_ENOMEM; err != IPT_OK; n++) {
        failalloc_at(n);
        err = ipt_view_build_take(config, SETUP_NOW, &view);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        assert_true(failed == (view == NULL)); /* out is untouched */
        assert_string_equal(config->lists[0].name, "a");
    }
    assert_true(n > 10);

    /* what came out after all the failures is what comes out at once */
    ipt_view *other = setup_view(rich, SETUP_NOW);
    assert_string_equal(view->lists_revision, other->lists_revision);
    assert_string_equal(view->policies_revision, other->policies_revision);
    ipt_view_free(other);
    ipt_view_free(view);
}

static void a_refresh_without_memory_leaves_the_old_view_whole(void **state)
{
    ipt_view *view = setup_view(rich, SETUP_NOW), *next = NULL;
    size_t n = 1;
    (void)state;
    for (ipt_err err = IPT_ENOMEM; err != IPT_OK; n++) {
        failalloc_at(n);
        err = ipt_view_refresh(view, SETUP_NOW + 1, &next);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        assert_true(failed == (next == NULL));
        assert_int_equal(view->now, SETUP_NOW);
    }
    assert_true(n > 2);
    ipt_view_free(view);
    assert_string_equal(next->lists[0].spec->name, "a");
    ipt_view_free(next);
}

/* `count` lists that overlap, and one policy that trusts them all, the last first. */
static char *many_lists(size_t count)
{
    const size_t size = 256 + count * 96;
    char *yaml = malloc(size);
    assert_non_null(yaml);
    size_t n = (size_t)snprintf(yaml, size, "lists:\n");
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(yaml + n, size - n, "  l%zu: {prefixes: [11.%zu.%zu.0/24], egress: [12.%zu.%zu.1]}\n", i,
                              i / 256, i % 256, i / 256, i % 256);
    n += (size_t)snprintf(yaml + n, size - n, "policies:\n  default:\n    chains: [[l%zu, l0]]\n    trust: [",
                          count - 1);
    for (size_t i = count; i-- > 0;)
        n += (size_t)snprintf(yaml + n, size - n, "%sl%zu", i == count - 1 ? "" : ", ", i);
    n += (size_t)snprintf(yaml + n, size - n, "]\n");
    assert_true(n < size);
    return yaml;
}

static void as_many_lists_as_the_configuration_admits_keep_apart(void **state)
{
    char *yaml = many_lists(IPT_CONFIG_LISTS_MAX);
    ipt_view *view = setup_view(yaml, SETUP_NOW);
    (void)state;
    assert_int_equal(view->list_count, IPT_CONFIG_LISTS_MAX);
    for (size_t i = 0; i < view->list_count; i += 63) {
        uint32_t low = (uint32_t)(i / 256 << 16 | i % 256 << 8);
        ipt_judgement in = ipt_policy_judge(view, view->policies, ipt_addr_from_v4(0x0b000001U | low));
        ipt_judgement out = ipt_policy_judge(view, view->policies, ipt_addr_from_v4(0x0c000001U | low));
        assert_int_equal(in.list, i);
        assert_int_equal(in.prefix_len, 96 + 24);
        assert_false(in.egress || in.several);
        assert_true(out.egress);
        assert_int_equal(view->policies->rank[i], view->list_count - 1 - i);
    }
    ipt_view_free(view);
    free(yaml);
}

static void one_list_more_is_refused(void **state)
{
    char *yaml = many_lists(IPT_CONFIG_LISTS_MAX + 1);
    ipt_diag diag;
    ipt_config *config = NULL;
    (void)state;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    assert_int_equal(ipt_config_parse(ipt_span_from(yaml), "c.yaml", &(ipt_config_options){0}, &diag, &config),
                     IPT_ECONFIG);
    assert_null(config);
    ipt_diag_done(&diag);
    free(yaml);
}

/* More names than there are numbers for them: refused here too, should the configuration ever let them pass. */
static void names_without_a_number_left_are_a_limit_and_not_a_mistake(void **state)
{
    enum { VOUCHES = 16, LISTS = IPT_NAMES_MAX / VOUCHES + 1 };
    static char texts[LISTS * VOUCHES][16];
    static ipt_vouch_spec vouches[LISTS][VOUCHES];
    static ipt_list_spec specs[LISTS];
    ipt_config config = {.lists = specs, .list_count = LISTS};
    ipt_view *view = NULL;
    (void)state;
    for (size_t i = 0; i < LISTS; i++) {
        for (size_t k = 0; k < VOUCHES; k++) {
            char *text = texts[i * VOUCHES + k];
            (void)snprintf(text, sizeof(texts[0]), "x-%zu-%zu", i, k);
            vouches[i][k] = (ipt_vouch_spec){ipt_span_from(text), IPT_VOUCH_REPLACE};
        }
        specs[i] = (ipt_list_spec){.name = "l", .vouches = vouches[i], .vouch_count = VOUCHES};
    }
    assert_int_equal(ipt_view_build_take(&config, SETUP_NOW, &view), IPT_ELIMIT);
    assert_null(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_without_memory_leaves_the_configuration_to_the_caller),
        cmocka_unit_test(a_refresh_without_memory_leaves_the_old_view_whole),
        cmocka_unit_test(as_many_lists_as_the_configuration_admits_keep_apart),
        cmocka_unit_test(one_list_more_is_refused),
        cmocka_unit_test(names_without_a_number_left_are_a_limit_and_not_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
