/* The snapshots that are compiled in: sound in themselves, and equal to the feeds they were taken from where those
 * stand beside the checkout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "iptrust/ranges/provider.h"
#include "iptrust/ranges/text.h"

static const char *const origin_facing[] = {"CLOUDFRONT_ORIGIN_FACING", "CLOUDFRONT"};

static bool holds(ipt_snapshot snapshot, ipt_prefix prefix)
{
    for (size_t i = 0; i < snapshot.count; i++) {
        if (ipt_prefix_equal(snapshot.prefixes[i], prefix))
            return true;
    }
    return false;
}

static void snapshots_are_given_for_exactly_what_was_asked(void **state)
{
    static const struct {
        ipt_provider provider;
        size_t services, count;
        int64_t taken_at;
    } rows[] = {
        {IPT_PROVIDER_CLOUDFLARE, 0, 22, 1778051940},
        {IPT_PROVIDER_CLOUDFLARE, 1, 0, 0},
        {IPT_PROVIDER_AWS, 1, 49, 1787411825},
        {IPT_PROVIDER_AWS, 0, 0, 0},
        {IPT_PROVIDER_AWS, 2, 0, 0},
        {IPT_PROVIDER_FASTLY, 0, 0, 0},
        {IPT_PROVIDER_NONE, 0, 0, 0},
        {IPT_PROVIDER_AZURE, 1, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_snapshot s = ipt_provider_snapshot(rows[i].provider, origin_facing, rows[i].services);
        assert_int_equal(s.count, rows[i].count);
        assert_true(s.taken_at == rows[i].taken_at);
    }
    assert_string_equal(ipt_provider_snapshot(IPT_PROVIDER_AWS, origin_facing, 1).token, "1787411825");
    assert_null(ipt_provider_snapshot(IPT_PROVIDER_CLOUDFLARE, NULL, 0).token);
    assert_int_equal(ipt_provider_snapshot(IPT_PROVIDER_AWS, &origin_facing[1], 1).count, 0);
}

static void every_prefix_is_global_and_without_host_bits(void **state)
{
    const ipt_snapshot all[] = {ipt_provider_snapshot(IPT_PROVIDER_CLOUDFLARE, NULL, 0),
                                ipt_provider_snapshot(IPT_PROVIDER_AWS, origin_facing, 1)};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(all); i++) {
        for (size_t j = 0; j < all[i].count; j++) {
            ipt_prefix p = all[i].prefixes[j];
            assert_true(ipt_prefix_equal(p, ipt_prefix_of(p.addr, p.len)));
            assert_int_equal(ipt_addr_class(p.addr), IPT_CLASS_GLOBAL);
            assert_true(ipt_prefix_bits(p) >= 12);
        }
    }
}

/* The text between the quotes after key on this line, as a prefix. */
static bool prefix_after(const char *line, const char *key, ipt_prefix *out)
{
    const char *at = strstr(line, key);
    if (at == NULL)
        return false;
    at = strchr(at + strlen(key), '"') + 1;
    ipt_span text = {at, strcspn(at, "\"")};
    assert_int_equal(ipt_prefix_parse(text, out), IPT_PREFIX_OK);
    return true;
}

static FILE *open_shared(const char *name)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/ranges/%s", IPTRUST_SHARED_DATA, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("not compared: %s is not beside the checkout\n", name);
        skip();
    }
    return file;
}

static void the_snapshot_of_aws_is_its_feed(void **state)
{
    ipt_snapshot snapshot = ipt_provider_snapshot(IPT_PROVIDER_AWS, origin_facing, 1);
    FILE *file = open_shared("aws/ip-ranges.json");
    char line[256];
    ipt_prefix prefix = {0};
    size_t count = 0;
    (void)state;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strstr(line, "\"syncToken\"") != NULL)
            assert_non_null(strstr(line, snapshot.token));
        if (prefix_after(line, "\"ip_prefix\":", &prefix) || prefix_after(line, "\"ipv6_prefix\":", &prefix))
            continue;
        if (strstr(line, "\"service\": \"CLOUDFRONT_ORIGIN_FACING\"") == NULL)
            continue;
        assert_true(holds(snapshot, prefix));
        count++;
    }
    fclose(file);
    assert_int_equal(count, snapshot.count);
}

static size_t count_held(const char *name, ipt_snapshot snapshot)
{
    static char text[4096];
    FILE *file = open_shared(name);
    size_t n = fread(text, 1, sizeof(text), file), count = 0;
    fclose(file);
    ipt_ranges_text cursor = {.rest = {text, n}};
    ipt_prefix prefix;
    ipt_span found;
    while (ipt_ranges_text_next(&cursor, &prefix, NULL, &found) == IPT_RANGES_PREFIX)
        count += holds(snapshot, prefix);
    assert_int_equal(cursor.rest.n, 0);
    return count;
}

static void the_snapshot_of_cloudflare_is_its_feed(void **state)
{
    ipt_snapshot snapshot = ipt_provider_snapshot(IPT_PROVIDER_CLOUDFLARE, NULL, 0);
    (void)state;
    size_t held = count_held("cloudflare/ips-v4", snapshot) + count_held("cloudflare/ips-v6", snapshot);
    assert_int_equal(held, snapshot.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_are_given_for_exactly_what_was_asked),
        cmocka_unit_test(every_prefix_is_global_and_without_host_bits),
        cmocka_unit_test(the_snapshot_of_aws_is_its_feed),
        cmocka_unit_test(the_snapshot_of_cloudflare_is_its_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
