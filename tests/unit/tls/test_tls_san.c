/* Names of certificates: how an entry is read, which names are the same, who the principal is. */
#include "certs.h"
#include "exact.h"

static void an_entry_names_one_kind(void **state)
{
    static const struct {
        const char *entry;
        ipt_san_kind kind;
    } rows[] = {
        {"proxy.example.org", IPT_SAN_DNS},
        {"proxy", IPT_SAN_DNS},
        {"spiffe://example.org/ns/edge", IPT_SAN_URI},
        {"https://a@b/", IPT_SAN_URI},
        {"urn:uuid:1", IPT_SAN_URI},
        {"mailto:ops@example.org", IPT_SAN_URI},
        {"ops@example.org", IPT_SAN_EMAIL},
        {"192.0.2.1", IPT_SAN_IP},
        {"2001:db8::1", IPT_SAN_IP},
        {"::1", IPT_SAN_IP},
        {"192.0.2.256", IPT_SAN_DNS},
        {":x", IPT_SAN_DNS},
        {"1a:b", IPT_SAN_DNS},
        {"", IPT_SAN_NONE},
        {"*.example.org", IPT_SAN_NONE},
        {"spiffe://example.org/*", IPT_SAN_NONE},
        {"*", IPT_SAN_NONE},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span entry = exact(rows[i].entry);
        ipt_san san = ipt_san_read(entry);
        if (san.kind != rows[i].kind)
            print_error("for %s\n", rows[i].entry);
        assert_int_equal(san.kind, rows[i].kind);
        assert_int_equal(san.text.n, san.kind == IPT_SAN_NONE ? 0 : entry.n);
        free((void *)(uintptr_t)entry.p);
    }
}

typedef struct name_row {
    ipt_san_kind kind;
    ipt_span text; /* may hold a NUL */
    const char *allowed;
    bool same;
} name_row;

static void names_match_whole_and_in_their_kind(void **state)
{
    static const name_row rows[] = {
        {IPT_SAN_DNS, {"proxy.example.org", 17}, "proxy.example.org", true},
        {IPT_SAN_DNS, {"PROXY.example.ORG", 17}, "proxy.example.org", true},
        {IPT_SAN_DNS, {"proxy.example.org.", 18}, "proxy.example.org", false},
        {IPT_SAN_DNS, {"proxy.example.or", 16}, "proxy.example.org", false},
        {IPT_SAN_DNS, {"*.example.org", 13}, "proxy.example.org", false},
        {IPT_SAN_DNS, {"*.example.org", 13}, "*.example.org", false},
        {IPT_SAN_DNS, {"good.example\0.evil", 18}, "good.example", false},
        {IPT_SAN_DNS, {"good.example\0", 13}, "good.example", false},
        {IPT_SAN_DNS, {"192.0.2.1", 9}, "192.0.2.1", false},
        {IPT_SAN_DNS, {"spiffe://a/b", 12}, "spiffe://a/b", false},
        {IPT_SAN_URI, {"spiffe://a/b", 12}, "spiffe://a/b", true},
        {IPT_SAN_URI, {"spiffe://a/B", 12}, "spiffe://a/b", false},
        {IPT_SAN_URI, {"spiffe://a/b/c", 14}, "spiffe://a/b", false},
        {IPT_SAN_URI, {"spiffe://a/b\0", 13}, "spiffe://a/b", false},
        {IPT_SAN_URI, {"spiffe://a/b", 12}, "spiffe://a/*", false},
        {IPT_SAN_URI, {"proxy.example.org", 17}, "proxy.example.org", false},
        {IPT_SAN_IP, {"192.0.2.1", 9}, "192.0.2.1", true},
        {IPT_SAN_IP, {"2001:DB8:0::1", 13}, "2001:db8::1", true},
        {IPT_SAN_IP, {"192.0.2.10", 10}, "192.0.2.1", false},
        {IPT_SAN_IP, {"", 0}, "192.0.2.1", false},
        {IPT_SAN_EMAIL, {"ops@EXAMPLE.org", 15}, "ops@example.org", true},
        {IPT_SAN_EMAIL, {"Ops@example.org", 15}, "ops@example.org", false},
        {IPT_SAN_EMAIL, {"ops@example.org", 15}, "ops@example.net", false},
        {IPT_SAN_EMAIL, {"ops", 3}, "ops@example.org", false},
        {IPT_SAN_EMAIL, {"\"a@b\"@c.example", 15}, "\"a@b\"@C.example", true},
        {IPT_SAN_EMAIL, {"\"a@B\"@c.example", 15}, "\"a@b\"@c.example", false},
        {IPT_SAN_NONE, {"proxy", 5}, "proxy", false},
        {IPT_SAN_NONE, {"", 0}, "", false},
        {IPT_SAN_DNS, {"", 0}, "", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact_n(rows[i].text.p, rows[i].text.n);
        const ipt_san names[] = {{IPT_SAN_DNS, IPT_SPAN("other.example")}, {rows[i].kind, text}};
        bool same = ipt_san_is_allowed(names, 2, &rows[i].allowed, 1);
        if (same != rows[i].same)
            print_error("row %zu: %s\n", i, rows[i].allowed);
        assert_int_equal(same, rows[i].same);
        free((void *)(uintptr_t)text.p);
    }
}

static void one_name_of_several_is_enough_and_none_is_not(void **state)
{
    static const char *const allowed[] = {"a.example", "spiffe://a/b"};
    const ipt_san names[] = {{IPT_SAN_DNS, IPT_SPAN("x.example")}, {IPT_SAN_URI, IPT_SPAN("spiffe://a/b")}};
    (void)state;
    assert_true(ipt_san_is_allowed(names, 2, allowed, 2));
    assert_false(ipt_san_is_allowed(names, 1, allowed, 2));
    assert_false(ipt_san_is_allowed(names, 0, allowed, 2));
    assert_false(ipt_san_is_allowed(names, 2, allowed, 0));
    assert_false(ipt_san_is_allowed(NULL, 0, NULL, 0));
}

static void the_principal_is_the_first_uri_before_all_else(void **state)
{
    const ipt_san names[] = {
        {IPT_SAN_IP, IPT_SPAN("192.0.2.1")},
        {IPT_SAN_EMAIL, IPT_SPAN("ops@a.example")},
        {IPT_SAN_DNS, IPT_SPAN("a.example")},
        {IPT_SAN_DNS, IPT_SPAN("b.example")},
        {IPT_SAN_URI, IPT_SPAN("")},
        {IPT_SAN_URI, IPT_SPAN("spiffe://a/b")},
        {IPT_SAN_URI, IPT_SPAN("spiffe://c/d")},
    };
    static const struct {
        size_t from, count;
        const char *principal;
    } rows[] = {
        {0, 7, "spiffe://a/b"},
        {0, 4, "a.example"},
        {0, 2, "ops@a.example"},
        {0, 1, "192.0.2.1"},
        {3, 2, "b.example"},
        {4, 1, ""},
        {0, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span principal = ipt_san_principal(names + rows[i].from, rows[i].count);
        assert_true(ipt_span_equal(principal, ipt_span_from(rows[i].principal)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_names_one_kind),
        cmocka_unit_test(names_match_whole_and_in_their_kind),
        cmocka_unit_test(one_name_of_several_is_enough_and_none_is_not),
        cmocka_unit_test(the_principal_is_the_first_uri_before_all_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
