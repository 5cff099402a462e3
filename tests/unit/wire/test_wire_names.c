/* Header names as numbers: what is known, what is added, what only looks like a known name. */
#include "iptrust/wire/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"

static ipt_name find(const ipt_names *names, const char *text)
{
    const ipt_span copy = exact(text);
    const ipt_name name = ipt_names_find(names, copy);
    free((void *)(uintptr_t)copy.p);
    return name;
}

static bool is_alias(const ipt_names *names, const char *text)
{
    const ipt_span copy = exact(text);
    const bool alias = ipt_names_is_alias(names, copy);
    free((void *)(uintptr_t)copy.p);
    return alias;
}

static ipt_name add(ipt_names *names, const char *text)
{
    const ipt_span copy = exact(text);
    ipt_name name = IPT_NAME_NONE;
    assert_int_equal(ipt_names_add(names, copy, &name), IPT_OK);
    free((void *)(uintptr_t)copy.p); /* the table has its own */
    return name;
}

static void a_name_is_found_in_any_case_and_in_no_other_spelling(void **state)
{
    static const struct {
        const char *text;
        ipt_name name;
    } rows[] = {
        {"x-forwarded-for", IPT_NAME_XFF},
        {"X-Forwarded-For", IPT_NAME_XFF},
        {"X-FORWARDED-FOR", IPT_NAME_XFF},
        {"Forwarded", IPT_NAME_FORWARDED},
        {"CF-Connecting-IP", IPT_NAME_CF_CONNECTING_IP},
        {"CF-Connecting-IPv6", IPT_NAME_CF_CONNECTING_IPV6},
        {"X-Real-IP", IPT_NAME_X_REAL_IP},
        {"True-Client-IP", IPT_NAME_TRUE_CLIENT_IP},
        {"Fastly-Client-IP", IPT_NAME_FASTLY_CLIENT_IP},
        {"Fly-Client-IP", IPT_NAME_FLY_CLIENT_IP},
        {"X-Azure-SocketIP", IPT_NAME_X_AZURE_SOCKETIP},
        {"X-Client-IP", IPT_NAME_X_CLIENT_IP},
        {"X-Cluster-Client-IP", IPT_NAME_X_CLUSTER_CLIENT_IP},
        {"X-Envoy-External-Address", IPT_NAME_X_ENVOY_EXTERNAL_ADDRESS},
        {"CloudFront-Viewer-Address", IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS},
        {"X-Forwarded-Proto", IPT_NAME_X_FORWARDED_PROTO},
        {"X-Forwarded-Host", IPT_NAME_X_FORWARDED_HOST},
        {"X-Forwarded-Port", IPT_NAME_X_FORWARDED_PORT},
        {"X-Forwarded-Prefix", IPT_NAME_X_FORWARDED_PREFIX},
        {"Front-End-Https", IPT_NAME_FRONT_END_HTTPS},
        {"CF-Visitor", IPT_NAME_CF_VISITOR},
        {"CF-IPCountry", IPT_NAME_CF_IPCOUNTRY},
        {"CloudFront-Viewer-Country", IPT_NAME_CLOUDFRONT_VIEWER_COUNTRY},
        {"Via", IPT_NAME_VIA},
        {"X-Original-Forwarded-For", IPT_NAME_X_ORIGINAL_FORWARDED_FOR},
        {"Connection", IPT_NAME_CONNECTION},
        {"Host", IPT_NAME_HOST},
        {"CF-Worker", IPT_NAME_CF_WORKER},
        {"X-Azure-FDID", IPT_NAME_X_AZURE_FDID},
        {"proxy_protocol", IPT_NAME_PROXY_PROTOCOL},
        {"", IPT_NAME_NONE},
        {"x", IPT_NAME_NONE},
        {"user-agent", IPT_NAME_NONE},
        {"x-forwarded-fo", IPT_NAME_NONE},
        {"x-forwarded-forr", IPT_NAME_NONE},
        {"x-forwarded-fox", IPT_NAME_NONE},
        {"x_forwarded_for", IPT_NAME_NONE},
        {"x.real.ip", IPT_NAME_NONE},
        {"x-real-ip ", IPT_NAME_NONE},
        {" x-real-ip", IPT_NAME_NONE},
        {"x-rea\x0c-ip", IPT_NAME_NONE}, /* control characters that differ from a letter by high bits alone */
        {"\x16ia", IPT_NAME_NONE},
        {"proxy-protocol", IPT_NAME_NONE},
    };
    (void)state;
    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    assert_int_equal(ipt_names_count(names), IPT_NAME_FIXED);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (find(names, rows[i].text) != rows[i].name || ipt_name_fixed(ipt_span_from(rows[i].text)) != rows[i].name)
            fail_msg("row %zu: \"%s\"", i, rows[i].text);
    }
    for (ipt_name name = 1; name < IPT_NAME_FIXED; name++) {
        const ipt_span text = ipt_names_text(names, name);
        assert_true(text.n != 0);
        assert_int_equal(ipt_names_find(names, text), name);
        for (size_t i = 0; i < text.n; i++)
            assert_int_equal(text.p[i], ipt_lower(text.p[i]));
    }
}

static void the_kinds_of_names_do_not_overlap(void **state)
{
    (void)state;
    for (ipt_name name = 0; name <= IPT_NAME_FIXED; name++) {
        const bool is_address = name >= IPT_NAME_XFF && name <= IPT_NAME_CLOUDFRONT_VIEWER_ADDRESS;
        const bool is_context = name >= IPT_NAME_X_FORWARDED_PROTO && name <= IPT_NAME_X_ORIGINAL_FORWARDED_FOR;
        assert_int_equal(ipt_name_is_address(name), is_address);
        assert_int_equal(ipt_name_is_context(name), is_context);
        assert_int_equal(ipt_name_is_list(name), name == IPT_NAME_XFF || name == IPT_NAME_FORWARDED);
    }
}

static void an_added_name_gets_one_number(void **state)
{
    (void)state;
    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    assert_int_equal(add(names, "X-Forwarded-FOR"), IPT_NAME_XFF);
    const ipt_name mine = add(names, "X-My-Address");
    assert_int_equal(mine, IPT_NAME_FIXED);
    assert_int_equal(add(names, "x-my-address"), mine);
    assert_int_equal(find(names, "X-MY-ADDRESS"), mine);
    assert_true(ipt_span_equal(ipt_names_text(names, mine), IPT_SPAN("x-my-address")));
    assert_int_equal(ipt_names_count(names), IPT_NAME_FIXED + 1);
    assert_int_equal(ipt_name_fixed(IPT_SPAN("x-my-address")), IPT_NAME_NONE);

    char longest[300];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const ipt_name very_long = add(names, longest);
    assert_int_equal(find(names, longest), very_long);
    longest[100] = 'y';
    assert_int_equal(find(names, longest), IPT_NAME_NONE);
}

static void an_attribute_is_its_exact_name(void **state)
{
    (void)state;
    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    const ipt_name lower = add(names, "attribute:arg_realip");
    const ipt_name upper = add(names, "attribute:arg_RealIP");
    assert_int_not_equal(lower, upper);
    assert_int_equal(find(names, "attribute:arg_realip"), lower);
    assert_int_equal(find(names, "attribute:arg_RealIP"), upper);
    assert_int_equal(find(names, "attribute:ARG_REALIP"), IPT_NAME_NONE);
    assert_int_equal(find(names, "Attribute:arg_realip"), IPT_NAME_NONE);
    assert_int_equal(find(names, "arg_realip"), IPT_NAME_NONE);
    assert_true(ipt_span_equal(ipt_names_text(names, upper), IPT_SPAN("attribute:arg_RealIP")));
    assert_false(is_alias(names, "attribute:arg.realip"));
}

static void numbers_end_at_the_limit(void **state)
{
    (void)state;
    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    char text[32];
    for (unsigned i = IPT_NAME_FIXED; i < IPT_NAMES_MAX; i++) {
        snprintf(text, sizeof(text), "X-Number-%u", i);
        assert_int_equal(add(names, text), i);
    }
    ipt_name untouched = 77;
    assert_int_equal(ipt_names_add(names, IPT_SPAN("x-one-more"), &untouched), IPT_ELIMIT);
    assert_int_equal(untouched, 77);
    assert_int_equal(ipt_names_count(names), IPT_NAMES_MAX);
    for (unsigned i = IPT_NAME_FIXED; i < IPT_NAMES_MAX; i++) {
        snprintf(text, sizeof(text), "x-nUMBER-%u", i);
        assert_int_equal(find(names, text), i);
    }
    assert_int_equal(add(names, "via"), IPT_NAME_VIA); /* a known name needs no number */
    assert_int_equal(find(names, "x-one-more"), IPT_NAME_NONE);
}

/* D04, D05 of the attack catalogue: CGI and WSGI stacks read these as the real header. */
static void an_alias_is_a_known_address_header_with_other_separators(void **state)
{
    static const struct {
        const char *text;
        bool alias;
    } rows[] = {
        {"X_Forwarded_For", true},
        {"X-Forwarded_For", true},
        {"x_forwarded-for", true},
        {"X.Real.IP", true},
        {"x.real_ip", true},
        {"CloudFront_Viewer_Address", true},
        {"x_my_address", true},
        {"X-Forwarded-For", false},
        {"Forwarded", false},
        {"user-agent", false},
        {"user_agent", false},
        {"X_Forwarded_Proto", false}, /* context, never identity */
        {"x_azure_fdid", false},
        {"proxy_protocol", false},
        {"X_Forwarded_Fo", false},
        {"X_Forwarded_Forr", false},
        {"X_Forwarded_For_", false},
        {"_", false},
        {"", false},
        {"x_given_name", false}, /* the policy itself spells it so */
        {"X_Given_Name", false},
        {"x.given.name", true},
        {"x-given-name", false}, /* no `_` or `.`: an ordinary header that nobody knows */
    };
    (void)state;
    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    (void)add(names, "X-My-Address");
    (void)add(names, "x_given_name");
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        if (is_alias(names, rows[i].text) != rows[i].alias)
            fail_msg("row %zu: \"%s\"", i, rows[i].text);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_names *names = NULL;
        failalloc_at(n);
        const ipt_err err = ipt_names_new(&names);
        const bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        assert_int_equal(names == NULL, failed);
        ipt_names_free(names);
        if (!failed) {
            assert_true(n > 2);
            break;
        }
    }

    ipt_auto(ipt_names) *names = NULL;
    assert_int_equal(ipt_names_new(&names), IPT_OK);
    char text[400];
    memset(text, 'x', sizeof(text));
    unsigned failures = 0;
    for (unsigned i = 0; i < 20; i++) {
        const ipt_span name = {text, sizeof(text) - i};
        ipt_name out = 77;
        failalloc_at(1);
        const ipt_err err = ipt_names_add(names, name, &out);
        const bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        if (!failed)
            continue;
        failures++;
        assert_int_equal(out, 77);
        assert_int_equal(ipt_names_find(names, name), IPT_NAME_NONE);
        assert_int_equal(ipt_names_add(names, name, &out), IPT_OK);
        assert_int_equal(ipt_names_find(names, name), out);
    }
    assert_true(failures > 0);
    ipt_names_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_in_any_case_and_in_no_other_spelling),
        cmocka_unit_test(the_kinds_of_names_do_not_overlap),
        cmocka_unit_test(an_added_name_gets_one_number),
        cmocka_unit_test(an_attribute_is_its_exact_name),
        cmocka_unit_test(numbers_end_at_the_limit),
        cmocka_unit_test(an_alias_is_a_known_address_header_with_other_separators),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
