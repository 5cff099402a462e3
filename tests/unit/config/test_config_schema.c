/* The table of keys against itself and against the page that users read. */
#include "setup.h"

#include <stdio.h>

#include "check.h"
#include "file.h"
#include "schema_priv.h"

static void every_key_stands_below_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < ipt_schema_count; i++) {
        char parent[128];
        const char *path = ipt_schema[i].path;
        const char *dot = strrchr(path, '.');
        assert_ptr_equal(ipt_schema_find(path), &ipt_schema[i]); /* which is to say: once */
        if (dot == NULL)
            continue;
        snprintf(parent, sizeof(parent), "%.*s", (int)(dot - path), path);
        size_t n = strlen(parent);
        if (n > 2 && strcmp(parent + n - 2, ".*") == 0)
            parent[n - 2] = '\0';
        assert_non_null(ipt_schema_find(parent));
    }
}

static void every_default_fits_its_own_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ipt_schema_count; i++) {
        const ipt_key *key = &ipt_schema[i];
        bool scalar = key->type >= IPT_KEY_BOOL && key->type <= IPT_KEY_HEADER;
        if (!scalar || key->fallback == NULL)
            continue;
        char expected[320];
        ipt_span text = ipt_span_from(key->fallback);
        if (text.p[0] == '"')
            text = (ipt_span){text.p + 1, text.n - 2};
        if (!ipt_check_text(key, text, expected, sizeof(expected)))
            fail_msg("%s: %s", key->path, expected);
    }
}

static void every_range_can_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ipt_schema_count; i++) {
        const ipt_key *key = &ipt_schema[i];
        const char *to = key->range == NULL ? NULL : strstr(key->range, " to ");
        bool number = key->type == IPT_KEY_INTEGER || key->type == IPT_KEY_DURATION || key->type == IPT_KEY_BYTES;
        char expected[320];
        if (key->type == IPT_KEY_ENUM)
            assert_non_null(key->range);
        if (!number)
            continue;
        assert_non_null(to);
        ipt_span least = {key->range, (size_t)(to - key->range)}, most = ipt_span_from(to + 4);
        assert_true(ipt_check_text(key, least, expected, sizeof(expected)));
        assert_true(ipt_check_text(key, most, expected, sizeof(expected)));
    }
}

static void the_page_of_the_documentation_has_this_very_table(void **state)
{
    ipt_auto(ipt_buf) page = {0};
    ipt_auto(ipt_buf) table = {0};
    (void)state;
    assert_int_equal(ipt_file_read(IPTRUST_CONFIGURATION_MD, 1 << 20, &page), IPT_FILE_OK);
    ipt_schema_print_markdown(&table);
    assert_false(table.failed);
    assert_non_null(memmem(page.p, page.n, table.p, table.n));
}

/* The first block of YAML on the page is what people copy: it must load as it stands, without a warning. */
static void the_example_of_the_documentation_loads(void **state)
{
    ipt_auto(ipt_buf) page = {0};
    char yaml[4096];
    outcome out;
    const ipt_span fence = IPT_SPAN("```yaml\n"), end = IPT_SPAN("```\n");
    assert_int_equal(ipt_file_read(IPTRUST_CONFIGURATION_MD, 1 << 20, &page), IPT_FILE_OK);
    const char *from = memmem(page.p, page.n, fence.p, fence.n);
    assert_non_null(from);
    from += fence.n;
    const char *to = memmem(from, page.n - (size_t)(from - page.p), end.p, end.n);
    assert_non_null(to);
    snprintf(yaml, sizeof(yaml), "%.*s", (int)(to - from), from);
    setup_write(*state, "secrets/origin", "token\n");
    outcome_parse(yaml, *state, &out);
    assert_string_equal(out.text, "");
    assert_int_equal(out.err, IPT_OK);
    assert_int_equal(out.config->list_count, 4);
    outcome_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_stands_below_another),
        cmocka_unit_test(every_default_fits_its_own_row),
        cmocka_unit_test(every_range_can_be_read),
        cmocka_unit_test(the_page_of_the_documentation_has_this_very_table),
        cmocka_unit_test(the_example_of_the_documentation_loads),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
