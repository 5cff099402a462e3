/* Lists in the words of other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/explain/export.h"
#include "situations.h"

static const situation lists = {
    "lists",
    "lists:\n"
    "  lb: {prefixes: [10.0.12.0/24, \"fd00:12::/64\"], internal: true}\n"
    "  cf: {provider: cloudflare, prefixes: [173.245.48.0/20], egress: [\"2a06:98c0:3600::/48\"], fetched_at: "
    "2026-11-22T07:00:00Z}\n"
    "  none: {prefixes: []}\n"
    "policies:\n  default: {trust: [lb, cf, none]}\n",
    NULL,
    "8.8.8.8",
    "",
    NULL};

static ipt_buf export(const scene *s, const char *list, const char *format)
{
    ipt_buf out = {0};
    const ipt_view_list *found = ipt_view_find_list(s->view, ipt_span_from(list));
    assert_non_null(found);
    assert_true(ipt_export_list(&out, s->view, found, ipt_span_from(format), NULL));
    assert_false(out.failed);
    ipt_buf_addc(&out, '\0');
    return out;
}

static void each_format_has_its_words(void **state)
{
    static const struct {
        const char *list, *format, *line;
    } rows[] = {
        {"lb", "text", "\n10.0.12.0/24\nfd00:12::/64\n"},
        {"lb", "nginx", "\nset_real_ip_from 10.0.12.0/24;\nset_real_ip_from fd00:12::/64;\n"},
        {"lb", "apache", "\nRemoteIPInternalProxy 10.0.12.0/24\n"},
        {"cf", "apache", "\nRemoteIPTrustedProxy 173.245.48.0/20\n"},
        {"lb", "haproxy", "\n10.0.12.0/24\nfd00:12::/64\n"},
        {"lb", "envoy", "\n      - {address_prefix: \"10.0.12.0\", prefix_len: 24}\n"},
        {"lb", "envoy", "\n      - {address_prefix: \"fd00:12::\", prefix_len: 64}\n"},
        {"none", "envoy", "\n      cidrs: []\n"},
        {"none", "nginx", "# the list is empty: nothing is trusted by it\n"},
        {"lb", "json", "\"prefixes\":[\"10.0.12.0/24\",\"fd00:12::/64\"]"},
        {"lb", "", "\"prefix_count\":{\"ipv4\":1,\"ipv6\":1}"},
        {"cf", "json", "\"egress\":[\"2a06:98c0:3600::/48\"]"},
        {"cf", "json", "\"fetched_at\":\"2026-11-22T07:00:00Z\",\"age\":10800,"},
        {"cf", "json", "\"trusted_by\":[\"default\"]"},
        {"cf", "text", "# as of 2026-11-22T07:00:00Z, fresh\n"},
    };
    scene s;
    (void)state;

    scene_open(&s, &lists);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_buf) out = export(&s, rows[i].list, rows[i].format);
        if (strstr(out.p, rows[i].line) == NULL)
            fail_msg("%s as %s lacks %s:\n%s", rows[i].list, rows[i].format, rows[i].line, out.p);
    }
    scene_close(&s);
}

static void egress_reaches_no_other_program(void **state)
{
    scene s;
    (void)state;

    scene_open(&s, &lists);
    for (unsigned i = IPT_EXPORT_TEXT; i < IPT_EXPORT_FORMATS; i++) {
        ipt_auto(ipt_buf) out = export(&s, "cf", ipt_export_format_name((ipt_export_format)i));
        assert_null(strstr(out.p, "2a06:98c0"));
        assert_non_null(strstr(out.p, "173.245.48.0"));
    }
    scene_close(&s);
}

static void an_unknown_format_writes_nothing(void **state)
{
    scene s;
    ipt_auto(ipt_buf) out = {0};
    (void)state;

    scene_open(&s, &lists);
    assert_false(ipt_export_list(&out, s.view, &s.view->lists[0], IPT_SPAN("NGINX"), NULL));
    assert_false(ipt_export_list(&out, s.view, &s.view->lists[0], IPT_SPAN("yaml"), NULL));
    assert_int_equal(out.n, 0);
    scene_close(&s);
}

static void all_lists_come_by_name(void **state)
{
    scene s;
    ipt_auto(ipt_buf) out = {0};
    (void)state;

    scene_open(&s, &lists);
    ipt_export_lists(&out, s.view, NULL);
    ipt_buf_addc(&out, '\0');
    const char *cf = strstr(out.p, "{\"name\":\"cf\""), *lb = strstr(out.p, "{\"name\":\"lb\""),
               *none = strstr(out.p, "{\"name\":\"none\"");
    assert_true(cf != NULL && lb != NULL && none != NULL && cf < lb && lb < none);
    assert_null(strstr(out.p, "\"prefixes\":["));
    scene_close(&s);
}

static void every_failing_allocation_is_told(void **state)
{
    scene s;
    (void)state;

    scene_open(&s, &lists);
    for (size_t n = 1;; n++) {
        ipt_auto(ipt_buf) out = {0};
        failalloc_at(n);
        ipt_export_lists(&out, s.view, NULL);
        (void)!ipt_export_list(&out, s.view, &s.view->lists[0], IPT_SPAN("envoy"), NULL);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(out.failed, happened);
        if (!happened)
            break;
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_has_its_words),        cmocka_unit_test(egress_reaches_no_other_program),
        cmocka_unit_test(an_unknown_format_writes_nothing), cmocka_unit_test(all_lists_come_by_name),
        cmocka_unit_test(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
