/* Every allocation of ours fails once: each run ends in IPT_ENOMEM, without a leak, until one succeeds. */
#include "setup.h"

#include <stdlib.h>

#include "exact.h"
#include "failalloc.h"

static const char rich[] = "http: {listen: \"[::1]:0\"}\nadmin: {listen: 127.0.0.1:9000, token_file: secrets/ok}\n"
                           "grpc: {tls: {cert: secrets/ok, key: secrets/ok, client_ca: office.txt, client_sans: "
                           "[d]}}\nauth: {token_file: secrets/ok}\n"
                           "callers: [192.0.2.1, \"2001:db8::/32\"]\nstate_dir: state\nready: {require_fresh: [lb]}\n"
                           "decision_log: {}\nnat64: [\"64:ff9b:1::/96\"]\ngeo: {files: [a.mmdb]}\n"
                           "lists:\n"
                           "  lb: {prefixes: [192.0.2.0/24], vouches: {X-Real-IP: replace, x-forwarded-for: append, "
                           "\"attribute:a\": replace}}\n"
                           "  cf: {provider: cloudflare, proof: {header: X-Token, secret_file: secrets/crlf}}\n"
                           "  aws: {provider: aws, services: [CLOUDFRONT_ORIGIN_FACING], proof: {principals: [p, q]}}\n"
                           "  office: {file: office.txt}\n"
                           "  table: {file: table.json, format: json}\n"
                           "  far: {url: \"https://lists.example/x\", format: json, path: a, column: b}\n"
                           "policies:\n"
                           "  default:\n"
                           "    trust: [lb, cf]\n"
                           "    read: [x-forwarded-for, {header: X-Odd, from: lb}, {attribute: arg, from: cf}]\n"
                           "    chains: [[cf, lb]]\n"
                           "    deny: {lists: [office, table]}\n"
                           "    allow: {lists: [far, aws]}\n"
                           "    rewrite: [X-Real-IP]\n"
                           "  counted: {trust: [lb], walk: {hops: 1}}\n";

static char *const environment[] = {(char[]){"IPTRUST_HTTP_LISTEN=127.0.0.1:1"}, (char[]){"IPTRUST_STATE_DIR=/s"},
                                    NULL};

static ipt_err try_parse(const char *dir, ipt_span yaml, size_t *errors)
{
    ipt_diag diag;
    ipt_config *config = NULL;
    ipt_err err = ipt_diag_init(&diag);
    if (err != IPT_OK)
        return err;
    const ipt_config_options options = {.base_dir = dir, .environment = environment};
    err = ipt_config_parse(yaml, "c.yaml", &options, &diag, &config);
    *errors = diag.errors;
    if (err != IPT_OK)
        assert_null(config);
    ipt_config_free(config);
    ipt_diag_done(&diag);
    return err;
}

static size_t sweep(const char *dir, const char *text, ipt_err end)
{
    ipt_span yaml = exact(text);
    for (size_t n = 1;; n++) {
        size_t errors = 0;
        failalloc_at(n);
        ipt_err err = try_parse(dir, yaml, &errors);
        bool happened = failalloc_happened();
        failalloc_at(0);
        if (!happened) {
            assert_int_equal(err, end);
            free((void *)(uintptr_t)yaml.p);
            return n;
        }
        assert_int_equal(err, IPT_ENOMEM);
    }
}

static void each_allocation_of_a_rich_configuration_may_fail(void **state)
{
    assert_true(sweep(*state, rich, IPT_OK) > 15);
}

static void each_allocation_of_a_bad_configuration_may_fail(void **state)
{
    assert_true(sweep(*state, "lists: {l: {prefixes: [10.0.0.1/8], x: 1}, m: {file: bad.txt}}\n", IPT_ECONFIG) > 5);
}

/* One block of an arena serves many values, so that the sweep above passes most places by: a first list of growing
 * length moves the border between two blocks through all that follows it. */
static void blocks_may_end_anywhere(void **state)
{
    enum { PAD_MAX = 16384, STEP = 509 };
    const char *split = strstr(rich, "  lb: ");
    const size_t front = (size_t)(split - rich);
    const size_t unpadded = sweep(*state, rich, IPT_OK);
    size_t most = 0;
    char *text = malloc(PAD_MAX + sizeof(rich) + 64);
    assert_non_null(text);
    for (size_t pad = 1; pad < PAD_MAX; pad += STEP) {
        memcpy(text, rich, front);
        strcpy(text + front, "  pad: {url: \"https://");
        size_t n = strlen(text);
        memset(text + n, 'x', pad);
        strcpy(text + n + pad, "\"}\n");
        strcat(text + n + pad, split);
        size_t allocations = sweep(*state, text, IPT_OK);
        most = allocations > most ? allocations : most;
    }
    free(text);
    assert_true(most > unpadded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_a_rich_configuration_may_fail),
        cmocka_unit_test(each_allocation_of_a_bad_configuration_may_fail),
        cmocka_unit_test(blocks_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, setup_files, teardown_files);
}
