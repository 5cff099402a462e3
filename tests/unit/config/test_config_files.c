/* Configurations from files, directories and the environment, and the one that is built in. */
#include "setup.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void in_dir(void **state, const char *name, char path[600])
{
    snprintf(path, 600, "%s/%s", (const char *)*state, name);
}

static void the_built_in_default_trusts_loopback_alone(void **state)
{
    outcome out;
    (void)state;
    outcome_load(NULL, NULL, NULL, &out);
    assert_int_equal(out.err, IPT_OK);
    assert_string_equal(out.text, "");
    const ipt_config *c = out.config;
    assert_null(c->file);
    assert_int_equal(ipt_addr_class(c->http.host), IPT_CLASS_LOOPBACK);
    assert_int_equal(ipt_addr_class(c->health.host), IPT_CLASS_LOOPBACK);
    assert_int_equal(c->list_count, 3);
    assert_int_equal(c->policy_count, 3);
    static const struct {
        const char *policy, *trust;
    } rows[] = {{"default", "loopback"}, {"cloudflare", "cloudflare loopback"}, {"cloudfront", "cloudfront loopback"}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char trust[128] = "";
        const ipt_policy_spec *p = ipt_config_find_policy(c, ipt_span_from(rows[i].policy));
        assert_non_null(p);
        for (size_t j = 0; j < p->trust_count; j++) {
            strcat(trust, j == 0 ? "" : " ");
            strcat(trust, c->lists[p->trust[j]].name);
        }
        assert_string_equal(trust, rows[i].trust);
    }
    const ipt_list_spec *loopback = &c->lists[0];
    assert_true(loopback->internal && loopback->broad_accepted);
    assert_int_equal(loopback->prefix_count, 2);
    outcome_done(&out);
}

static void a_file_is_read_relative_to_its_own_directory(void **state)
{
    char path[600];
    outcome out;
    in_dir(state, "one/main.yaml", path);
    setup_write(*state, "one/main.yaml",
                "lists: {office: {file: lists/o.txt}}\n"
                "policies: {default: {deny: {lists: [office]}}}\n");
    setup_write(*state, "one/lists/o.txt", "192.0.2.0/24\n");
    outcome_load(path, *state, NULL, &out);
    assert_string_equal(out.text, "");
    assert_int_equal(out.err, IPT_OK);
    assert_string_equal(out.config->file, path);
    assert_int_equal(out.config->lists[0].prefix_count, 1);
    in_dir(state, "one/lists/o.txt", path);
    assert_string_equal(out.config->lists[0].file, path);
    outcome_done(&out);
}

static void a_relative_path_still_gives_absolute_ones(void **state)
{
    char here[600], path[600];
    outcome out;
    assert_non_null(getcwd(here, sizeof(here)));
    in_dir(state, "rel", path);
    setup_write(*state, "rel/c.yaml",
                "lists: {office: {file: o.txt}}\npolicies: {default: {deny: {lists: [office]}}}\n");
    setup_write(*state, "rel/o.txt", "192.0.2.0/24\n");
    assert_int_equal(chdir(path), 0);
    outcome_load("c.yaml", NULL, NULL, &out);
    assert_int_equal(chdir(here), 0);
    assert_string_equal(out.text, "");
    in_dir(state, "rel/o.txt", path);
    assert_string_equal(out.config->lists[0].file, path);
    outcome_done(&out);
}

/* The first words of the row are the file; what a list has of it, or what is said. */
static void a_list_file_may_be_json_or_csv(void **state)
{
    static const struct {
        const char *text, *keys, *prefixes, *said;
    } rows[] = {
        {"[\"192.0.2.0/24\", \"2001:db8::/32\", \"192.0.2.0/24\"]\n", "format: json", "192.0.2.0/24 2001:db8::/32 ",
         ""},
        {"{\"a\": [{\"b\": \"192.0.2.1\"}, {\"b\": [\"10.0.0.0/8\"]}, {}], \"c\": 1}\n",
         "format: json, path: \"a[*].b\"", "10.0.0.0/8 192.0.2.1/32 ", ""},
        {"site,range\nhere,\"192.0.2.0/24\"\r\n# a comment\nthere,198.51.100.0/24\n", "format: csv, column: range",
         "192.0.2.0/24 198.51.100.0/24 ", ""},
        {"192.0.2.0/24,x\n", "format: csv", "192.0.2.0/24 ", ""},
        {"x,192.0.2.0/24\n", "format: csv, column: 2", "192.0.2.0/24 ", ""},
        {"{\"a\": []}\n", "format: json, path: a", "", "warning: list \"l\" is empty: the file lists no prefix\n"},
        {"# nobody\n", "format: csv", "", "warning: list \"l\" is empty: the file lists no prefix\n"},
        {"{\"a\": [\"10.0.0.1/8\"]}\n", "format: json, path: a", NULL,
         "error: file \"l.txt\": /a/0: 10.0.0.1/8 has host bits set, did you mean 10.0.0.0/8?\n"},
        {"{\"a\": [\"192.0.2.0/24\"", "format: json, path: a", NULL, "error: file \"l.txt\": "},
        {"{\"a\": 1, \"a\": 2}\n", "format: json, path: a", NULL, "error: file \"l.txt\": "},
        {"192.0.2.0/24\n", "format: json", NULL, "error: file \"l.txt\": "},
        {"a,b\n1,192.0.2.0/24\n", "format: csv, column: c", NULL,
         "error: file \"l.txt\": line 1: no column is named \"c\"\n"},
        {"192.0.2.0/24\n", "format: csv, column: 2", NULL, "error: file \"l.txt\": line 1: there is no column 2\n"},
        {"[]\n", "format: json, path: \"a[\"", NULL, "error: expected *, a number or a quoted name at \"\"\n"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char yaml[512], prefixes[512] = "";
        outcome out;
        setup_write(*state, "l.txt", rows[i].text);
        snprintf(yaml, sizeof(yaml), "lists: {l: {file: l.txt, %s}}\npolicies: {default: {deny: {lists: [l]}}}\n",
                 rows[i].keys);
        outcome_parse(yaml, *state, &out);
        const char *said = strstr(out.text, rows[i].said);
        if (said == NULL || (rows[i].said[0] == '\0' && out.text[0] != '\0'))
            fail_msg("%s: %s", rows[i].text, out.text);
        assert_int_equal(out.err, rows[i].prefixes == NULL ? IPT_ECONFIG : IPT_OK);
        for (size_t j = 0; rows[i].prefixes != NULL && j < out.config->lists[0].prefix_count; j++) {
            ipt_prefix_format(out.config->lists[0].prefixes[j], prefixes + strlen(prefixes));
            strcat(prefixes, " ");
        }
        assert_string_equal(prefixes, rows[i].prefixes == NULL ? "" : rows[i].prefixes);
        outcome_done(&out);
    }
}

/* As a ConfigMap is mounted: links through ..data, and hidden names that must not be read twice. */
static void a_directory_is_one_configuration(void **state)
{
    char dir[600], path[600];
    outcome out;
    in_dir(state, "k8s", dir);
    setup_write(*state, "k8s/..2026/a.yaml",
                "http: {listen: 127.0.0.1:1}\nlists: {lb: {prefixes: [192.0.2.1]}}\n"
                "policies: {default: {trust: [lb, cf]}}\n");
    setup_write(*state, "k8s/..2026/b.yml",
                "lists: {cf: {provider: cloudflare}}\npolicies: {other: {trust: [lb]}}\n"
                "log: {level: error}\n");
    in_dir(state, "k8s/..data", path);
    assert_int_equal(symlink("..2026", path), 0);
    in_dir(state, "k8s/a.yaml", path);
    assert_int_equal(symlink("..data/a.yaml", path), 0);
    in_dir(state, "k8s/b.yml", path);
    assert_int_equal(symlink("..data/b.yml", path), 0);
    setup_write(*state, "k8s/.hidden.yaml", "nonsense: true\n");
    setup_write(*state, "k8s/notes.txt", "nonsense: true\n");

    outcome_load(dir, *state, NULL, &out);
    assert_string_equal(out.text, "");
    assert_int_equal(out.err, IPT_OK);
    assert_int_equal(out.config->list_count, 2);
    assert_int_equal(out.config->policy_count, 2);
    assert_int_equal(out.config->log_level, IPT_LOG_ERROR);
    assert_string_equal(out.config->lists[1].name, "cf");
    outcome_done(&out);
}

static void what_two_files_both_say_is_refused(void **state)
{
    char dir[600];
    outcome out;
    in_dir(state, "twice", dir);
    setup_write(*state, "twice/a.yaml", "log: {}\nlists: {lb: {prefixes: [192.0.2.1]}}\n");
    setup_write(*state, "twice/b.yaml", "lists: {lb: {unix: true}}\nlog: {}\n");
    outcome_load(dir, *state, NULL, &out);
    assert_int_equal(out.err, IPT_ECONFIG);
    assert_string_equal(out.text, "DIR/twice/b.yaml:1:9: error: key \"lb\" is already in DIR/twice/a.yaml:2\n"
                                  "DIR/twice/b.yaml:2:1: error: key \"log\" is already in DIR/twice/a.yaml:1\n");
    outcome_done(&out);
}

static void what_cannot_be_read_is_said(void **state)
{
    static const struct {
        const char *path, *text;
    } rows[] = {
        {"missing.yaml", "DIR/missing.yaml: error: cannot be read: No such file or directory\n"},
        {"nothing", "DIR/nothing: error: has no file whose name ends in .yaml or .yml\n"},
        {"folder", "DIR/folder/x.yaml: error: is no regular file\n"},
        {"pipe.yaml", "DIR/pipe.yaml: error: is no regular file\n"},
    };
    char path[600];
    setup_write(*state, "nothing/readme.txt", "");
    setup_write(*state, "folder/y", "");
    in_dir(state, "folder/x.yaml", path);
    assert_int_equal(mkdir(path, 0700), 0);
    in_dir(state, "pipe.yaml", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        outcome out;
        in_dir(state, rows[i].path, path);
        outcome_load(path, *state, NULL, &out);
        assert_string_equal(out.text, rows[i].text);
        assert_int_equal(out.err, IPT_ECONFIG);
        outcome_done(&out);
    }
}

static void the_environment_overrides_the_file(void **state)
{
    char http[] = "IPTRUST_HTTP_LISTEN=127.0.0.2:1", health[] = "IPTRUST_HEALTH_LISTEN=unix:/tmp/h.sock",
         admin[] = "IPTRUST_ADMIN_LISTEN=unix:/tmp/a.sock", dir[] = "IPTRUST_STATE_DIR=/var/tmp/s",
         level[] = "IPTRUST_LOG_LEVEL=debug", format[] = "IPTRUST_LOG_FORMAT=json",
         empty[] = "IPTRUST_GRPC_LISTEN=", other[] = "IPTRUST_HTTP_LISTENER=x";
    char *const environment[] = {other, http, health, admin, dir, level, format, empty, NULL};
    outcome out;
    char path[600];
    in_dir(state, "env.yaml", path);
    setup_write(*state, "env.yaml",
                "http: {listen: \"unix:/tmp/x.sock\"}\nlog: {level: error}\npolicies: {default: {}}\n");
    outcome_load(path, *state, environment, &out);
    assert_string_equal(out.text, "");
    const ipt_config *c = out.config;
    assert_int_equal(c->http.kind, IPT_LISTEN_TCP);
    assert_int_equal(c->http.port, 1);
    assert_null(c->http.path);
    assert_true(c->http.stated && c->health.stated && c->admin.stated);
    assert_false(c->grpc.stated);
    assert_string_equal(c->health.path, "/tmp/h.sock");
    assert_string_equal(c->admin.path, "/tmp/a.sock");
    assert_string_equal(c->state_dir, "/var/tmp/s");
    assert_int_equal(c->log_level, IPT_LOG_DEBUG);
    assert_int_equal(c->log_format, IPT_LOG_JSON);
    outcome_done(&out);
}

static void a_bad_variable_is_named(void **state)
{
    static const struct {
        const char *variable, *text;
        ipt_err err;
    } rows[] = {
        {"IPTRUST_HTTP_LISTEN=localhost:80",
         "error: IPTRUST_HTTP_LISTEN: expected an address and a port, or unix:/path (did you mean 127.0.0.1:80?), "
         "found "
         "\"localhost:80\"\n",
         IPT_ECONFIG},
        {"IPTRUST_LOG_LEVEL=loud",
         "error: IPTRUST_LOG_LEVEL: expected one of error | warning | info | debug, found \"loud\"\n", IPT_ECONFIG},
        {"IPTRUST_LOG_FORMAT=xml", "error: IPTRUST_LOG_FORMAT: expected one of auto | json | text, found \"xml\"\n",
         IPT_ECONFIG},
        {"IPTRUST_GRPC_LISTEN=127.0.0.1:1", "", IPT_OK},
        {"IPTRUST_ADMIN_LISTEN=127.0.0.1:1", "error: admin on TCP needs token_file\n", IPT_ECONFIG},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char variable[128];
        outcome out;
        strcpy(variable, rows[i].variable);
        outcome_load(NULL, NULL, (char *const[]){variable, NULL}, &out);
        assert_string_equal(out.text, rows[i].text);
        assert_int_equal(out.err, rows[i].err);
        outcome_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_default_trusts_loopback_alone),
        cmocka_unit_test(a_file_is_read_relative_to_its_own_directory),
        cmocka_unit_test(a_relative_path_still_gives_absolute_ones),
        cmocka_unit_test(a_list_file_may_be_json_or_csv),
        cmocka_unit_test(a_directory_is_one_configuration),
        cmocka_unit_test(what_two_files_both_say_is_refused),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(the_environment_overrides_the_file),
        cmocka_unit_test(a_bad_variable_is_named),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
