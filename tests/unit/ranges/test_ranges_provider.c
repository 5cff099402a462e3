/* What is known of each publisher without being told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "iptrust/ranges/provider.h"

static void every_provider_is_found_by_its_name(void **state)
{
    static const char *const names[] = {
        [IPT_PROVIDER_CLOUDFLARE] = "cloudflare",
        [IPT_PROVIDER_AWS] = "aws",
        [IPT_PROVIDER_FASTLY] = "fastly",
        [IPT_PROVIDER_GOOGLE_LB] = "google-lb",
        [IPT_PROVIDER_GOOGLE] = "google",
        [IPT_PROVIDER_AZURE] = "azure",
        [IPT_PROVIDER_BUNNY] = "bunny",
        [IPT_PROVIDER_IMPERVA] = "imperva",
        [IPT_PROVIDER_CDN77] = "cdn77",
        [IPT_PROVIDER_ORACLE] = "oracle",
        [IPT_PROVIDER_DIGITALOCEAN] = "digitalocean",
        [IPT_PROVIDER_GITHUB] = "github",
    };
    (void)state;
    assert_int_equal(IPT_COUNT(names), IPT_PROVIDER_COUNT);
    for (int p = IPT_PROVIDER_NONE + 1; p < IPT_PROVIDER_COUNT; p++) {
        assert_string_equal(ipt_provider_name((ipt_provider)p), names[p]);
        assert_int_equal(ipt_provider_find(ipt_span_from(names[p])), p);
    }
    assert_null(ipt_provider_name(IPT_PROVIDER_NONE));
    assert_int_equal(ipt_provider_find(IPT_SPAN("Cloudflare")), IPT_PROVIDER_NONE);
    assert_int_equal(ipt_provider_find(IPT_SPAN("cloud")), IPT_PROVIDER_NONE);
    assert_int_equal(ipt_provider_find((ipt_span){0}), IPT_PROVIDER_NONE);
}

static void defaults_follow_the_table_of_the_decision(void **state)
{
    static const struct {
        ipt_provider provider;
        const char *services[2];
        size_t count;
        ipt_list_kind kind;
        ipt_vouch xff;
        ipt_name second; /* replaced, besides X-Forwarded-For */
        uint8_t adds;
        const char *egress;
    } rows[] = {
        {IPT_PROVIDER_NONE, {0}, 0, IPT_KIND_OWN, IPT_VOUCH_APPEND, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_CLOUDFLARE,
         {0},
         0,
         IPT_KIND_PROXY,
         IPT_VOUCH_APPEND,
         IPT_NAME_CF_CONNECTING_IP,
         1,
         "2a06:98c0:3600::/48"},
        {IPT_PROVIDER_AWS, {"CLOUDFRONT"}, 1, IPT_KIND_PROXY, IPT_VOUCH_APPEND, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AWS, {"CLOUDFRONT_ORIGIN_FACING"}, 1, IPT_KIND_PROXY, IPT_VOUCH_APPEND, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AWS,
         {"CLOUDFRONT", "CLOUDFRONT_ORIGIN_FACING"},
         2,
         IPT_KIND_PROXY,
         IPT_VOUCH_APPEND,
         IPT_NAME_NONE,
         1,
         NULL},
        {IPT_PROVIDER_AWS,
         {"CLOUDFRONT", "GLOBALACCELERATOR"},
         2,
         IPT_KIND_PROXY,
         IPT_VOUCH_NONE,
         IPT_NAME_NONE,
         1,
         NULL},
        {IPT_PROVIDER_AWS, {"CLOUDFRONT", "EC2"}, 2, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AWS, {"cloudfront"}, 1, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AWS, {0}, 0, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AZURE,
         {"AzureFrontDoor.Backend"},
         1,
         IPT_KIND_PROXY,
         IPT_VOUCH_APPEND,
         IPT_NAME_X_AZURE_SOCKETIP,
         1,
         NULL},
        {IPT_PROVIDER_AZURE, {"AzureFrontDoor.Frontend"}, 1, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_AZURE, {"CLOUDFRONT"}, 1, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_GOOGLE_LB, {0}, 0, IPT_KIND_PROXY, IPT_VOUCH_APPEND, IPT_NAME_NONE, 2, NULL},
        {IPT_PROVIDER_FASTLY, {0}, 0, IPT_KIND_PROXY, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_BUNNY, {0}, 0, IPT_KIND_PROXY, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_IMPERVA, {0}, 0, IPT_KIND_PROXY, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_CDN77, {0}, 0, IPT_KIND_PROXY, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_GOOGLE, {0}, 0, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_ORACLE, {0}, 0, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_DIGITALOCEAN, {0}, 0, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
        {IPT_PROVIDER_GITHUB, {"actions"}, 1, IPT_KIND_TENANTS, IPT_VOUCH_NONE, IPT_NAME_NONE, 1, NULL},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_provider_defaults d = ipt_provider_defaults_for(rows[i].provider, rows[i].services, rows[i].count);
        assert_int_equal(d.kind, rows[i].kind);
        assert_int_equal(d.vouches[0].how, rows[i].xff);
        assert_int_equal(d.vouches[0].header, rows[i].xff == IPT_VOUCH_NONE ? IPT_NAME_NONE : IPT_NAME_XFF);
        assert_int_equal(d.vouches[1].header, rows[i].second);
        assert_int_equal(d.vouches[1].how, rows[i].second == IPT_NAME_NONE ? IPT_VOUCH_NONE : IPT_VOUCH_REPLACE);
        assert_int_equal(d.adds, rows[i].adds);
        assert_int_equal(d.egress == NULL, rows[i].egress == NULL);
        if (d.egress != NULL)
            assert_string_equal(d.egress, rows[i].egress);
    }
}

static void a_header_belongs_to_one_provider_at_most(void **state)
{
    (void)state;
    for (ipt_name name = IPT_NAME_NONE; name < IPT_NAME_FIXED; name++) {
        ipt_provider expected = IPT_PROVIDER_NONE;
        if (name == IPT_NAME_CF_CONNECTING_IP || name == IPT_NAME_CF_CONNECTING_IPV6)
            expected = IPT_PROVIDER_CLOUDFLARE;
        else if (name == IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS)
            expected = IPT_PROVIDER_AWS;
        else if (name == IPT_NAME_X_AZURE_SOCKETIP)
            expected = IPT_PROVIDER_AZURE;
        else if (name == IPT_NAME_FASTLY_CLIENT_IP)
            expected = IPT_PROVIDER_FASTLY;
        assert_int_equal(ipt_provider_of_header(name), expected);
    }
}

static void headers_that_clients_set_are_known(void **state)
{
    (void)state;
    assert_true(ipt_header_is_client_settable(IPT_NAME_TRUE_CLIENT_IP));
    assert_true(ipt_header_is_client_settable(IPT_NAME_FASTLY_CLIENT_IP));
    assert_true(ipt_header_is_client_settable(IPT_NAME_X_CLIENT_IP));
    assert_true(ipt_header_is_client_settable(IPT_NAME_X_CLUSTER_CLIENT_IP));
    assert_false(ipt_header_is_client_settable(IPT_NAME_CF_CONNECTING_IP));
    assert_false(ipt_header_is_client_settable(IPT_NAME_XFF));
    assert_false(ipt_header_is_client_settable(IPT_NAME_NONE));
}

static void only_three_feeds_have_services(void **state)
{
    (void)state;
    for (int p = IPT_PROVIDER_NONE; p < IPT_PROVIDER_COUNT; p++) {
        bool expected = p == IPT_PROVIDER_AWS || p == IPT_PROVIDER_AZURE || p == IPT_PROVIDER_GITHUB;
        assert_int_equal(ipt_provider_takes_services((ipt_provider)p), expected);
    }
}

static void words_have_names(void **state)
{
    (void)state;
    assert_string_equal(ipt_list_kind_name(IPT_KIND_TENANTS), "tenants");
    assert_string_equal(ipt_list_kind_name(IPT_KIND_CRAWLERS), "crawlers");
    assert_string_equal(ipt_list_kind_name(IPT_KIND_PROXY), "proxy");
    assert_string_equal(ipt_list_kind_name(IPT_KIND_OWN), "own");
    assert_string_equal(ipt_vouch_name(IPT_VOUCH_NONE), "none");
    assert_string_equal(ipt_vouch_name(IPT_VOUCH_APPEND), "append");
    assert_string_equal(ipt_vouch_name(IPT_VOUCH_REPLACE), "replace");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_provider_is_found_by_its_name),
        cmocka_unit_test(defaults_follow_the_table_of_the_decision),
        cmocka_unit_test(a_header_belongs_to_one_provider_at_most),
        cmocka_unit_test(headers_that_clients_set_are_known),
        cmocka_unit_test(only_three_feeds_have_services),
        cmocka_unit_test(words_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
