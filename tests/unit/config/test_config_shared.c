/* The 2,000 configurations of the shared conformance cases, when IPTRUST_SHARED_DATA names their folder: each must
 * load. */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>

/* The value of the first key, which is "config": from its brace to the one that closes it. */
static ipt_span config_of(const char *line, size_t n)
{
    size_t depth = 0, start = 0;
    bool quoted = false;
    const char front[] = "{\"config\": ";
    if (n < sizeof(front) || memcmp(line, front, sizeof(front) - 1) != 0)
        return (ipt_span){0};
    for (size_t i = start = sizeof(front) - 1; i < n; i++) {
        if (quoted && line[i] == '\\')
            i++;
        else if (line[i] == '"')
            quoted = !quoted;
        else if (!quoted && line[i] == '{')
            depth++;
        else if (!quoted && line[i] == '}' && --depth == 0)
            return (ipt_span){line + start, i + 1 - start};
    }
    return (ipt_span){0};
}

static void check_one(const char *dir, ipt_span yaml, size_t number)
{
    ipt_diag diag;
    ipt_config *config = NULL;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    const ipt_config_options options = {.base_dir = dir};
    ipt_err err = ipt_config_parse(yaml, "case", &options, &diag, &config);
    for (const ipt_diag_item *item = diag.first; err != IPT_OK && item != NULL; item = item->next)
        print_error("case %zu: %s\n", number, item->text);
    assert_int_equal(err, IPT_OK);
    ipt_config_free(config);
    ipt_diag_done(&diag);
}

static void every_configuration_of_the_generated_cases_loads(void **state)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/cases/generated.jsonl", IPTRUST_SHARED_DATA);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("not run: no shared cases beside the checkout\n");
        skip();
    }
    setup_write(*state, "secrets/origin", "s3cret-origin\n");
    setup_write(*state, "secrets/fwd", "s3cret-fwd\r\n");
    char *line = NULL;
    size_t cap = 0, count = 0;
    for (ssize_t n; (n = getline(&line, &cap, file)) > 0; count++) {
        ipt_span yaml = config_of(line, (size_t)n);
        assert_true(yaml.n != 0);
        check_one(*state, yaml, count);
    }
    free(line);
    fclose(file);
    assert_int_equal(count, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_configuration_of_the_generated_cases_loads),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
