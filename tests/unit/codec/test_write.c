/* Decisions as JSON, against whole texts: keys, their order, what is null and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/codec/json.h"

/* A view as far as a writer looks at it. */
typedef struct sample {
    ipt_names *names;
    ipt_list_spec specs[2];
    ipt_view_list lists[2];
    ipt_policy_spec policy_spec;
    ipt_policy policy;
    ipt_view view;
    ipt_request request;
    ipt_call call;
    ipt_decision decision;
} sample;

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(text), &addr, NULL))
        abort();
    return addr;
}

static ipt_prefix prefix(const char *text)
{
    ipt_prefix out;
    if (ipt_prefix_parse(ipt_span_from(text), &out) != IPT_PREFIX_OK)
        abort();
    return out;
}

static ipt_span span(const char *text)
{
    return ipt_span_from(text);
}

/* The decision of interfaces.md's sample. */
static int set_up(void **state)
{
    sample *s = calloc(1, sizeof(*s));
    if (s == NULL || ipt_names_new(&s->names) != IPT_OK)
        return -1;
    s->specs[0].name = "cloudflare";
    s->specs[1].name = "sockets";
    s->lists[0] = (ipt_view_list){.spec = &s->specs[0], .fetched_at = "2026-11-22T10:00:00Z", .revision = "9c1f"};
    s->lists[1] = (ipt_view_list){.spec = &s->specs[1]};
    s->policy_spec.name = "default";
    s->policy.spec = &s->policy_spec;
    s->view = (ipt_view){.names = s->names,
                         .lists = s->lists,
                         .list_count = 2,
                         .policies_revision = "3f2a9c41",
                         .lists_revision = "d0e77b02"};
    s->call = (ipt_call){.want_geo = true, .want_chain = true};

    ipt_decision *d = &s->decision;
    *d = (ipt_decision){.view = &s->view, .policy = &s->policy, .request = &s->request};
    d->has_client = d->complete = d->has_client_port = d->has_keys = d->has_peer_key = true;
    d->client = address("8.8.8.8");
    d->client_port = 4711;
    d->source = IPT_ORIGIN_HEADER;
    d->source_header = IPT_NAME_XFF;
    d->client_class = IPT_CLASS_GLOBAL;
    d->reasons = UINT64_C(1) << IPT_REASON_WALK_FIRST_UNTRUSTED | UINT64_C(1) << IPT_REASON_UNVOUCHED_ENTRIES;
    d->unvouched_count = 1;
    d->level = IPT_LEVEL_HIGH;
    d->rate_limit = prefix("8.8.8.8/32");
    d->network = prefix("8.8.8.0/24");
    d->peer_key = prefix("172.68.1.2/32");
    d->context = (ipt_context){.proto = span("https"),
                               .host = span("example.org"),
                               .port = span("443"),
                               .vouched = {IPT_NAME_X_FORWARDED_PROTO},
                               .vouched_count = 1};
    d->chain[0] = (ipt_hop){.addr = address("172.68.1.2"),
                            .port = 443,
                            .has_addr = true,
                            .has_port = true,
                            .list = 0,
                            .prefix_len = 96 + 13,
                            .verdict = IPT_VERDICT_TRUSTED};
    d->chain[1] = (ipt_hop){.addr = address("8.8.8.8"),
                            .port = 4711,
                            .has_addr = true,
                            .has_port = true,
                            .list = IPT_LIST_NONE,
                            .origin = IPT_ORIGIN_HEADER,
                            .header = IPT_NAME_XFF,
                            .index = 1,
                            .verdict = IPT_VERDICT_CLIENT};
    d->chain[2] = (ipt_hop){.has_text = true,
                            .text = span("unknown"),
                            .list = IPT_LIST_NONE,
                            .origin = IPT_ORIGIN_HEADER,
                            .header = IPT_NAME_XFF,
                            .verdict = IPT_VERDICT_UNVOUCHED};
    d->chain_count = 3;
    d->findings[0] = (ipt_finding){IPT_FINDING_NON_ADDRESS_TOKEN, span("X-Forwarded-For")};
    d->finding_count = 1;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    sample *s = *state;
    ipt_names_free(s->names);
    free(s);
    return 0;
}

/* The decision as a C string; the caller frees it. */
static char *written(const sample *s)
{
    ipt_buf out = {0};
    ipt_json_write_decision(&out, &s->decision, &s->call);
    assert_false(out.failed);
    ipt_buf_addc(&out, '\0');
    return out.p;
}

static void holds(const sample *s, const char *part)
{
    char *json = written(s);
    if (strstr(json, part) == NULL)
        fail_msg("%s\nis not in\n%s", part, json);
    free(json);
}

static void the_sample_of_the_contract_comes_out_whole(void **state)
{
    ipt_buf expected = {0};
    ipt_buf_adds(&expected,
                 "{\"client_ip\":\"8.8.8.8\",\"client_port\":4711,\"complete\":true,\"source\":\"x-forwarded-for\","
                 "\"client\":{\"class\":\"global\",\"embedded_ipv4\":null,\"lists\":[]},"
                 "\"confidence\":{\"level\":\"high\",\"score\":80,\"reasons\":["
                 "{\"code\":\"walk_first_untrusted\",\"cap\":\"high\"},"
                 "{\"code\":\"unvouched_entries\",\"count\":1}]},"
                 "\"verdict\":{\"action\":\"allow\",\"rule\":null},\"chain\":["
                 "{\"hop\":0,\"address\":\"172.68.1.2\",\"port\":443,\"origin\":\"peer\",\"verdict\":\"trusted\","
                 "\"list\":\"cloudflare\",\"prefix\":\"172.64.0.0/13\",\"list_revision\":\"9c1f\","
                 "\"fetched_at\":\"2026-11-22T10:00:00Z\"},"
                 "{\"hop\":1,\"address\":\"8.8.8.8\",\"port\":4711,\"origin\":\"x-forwarded-for\",\"line\":0,"
                 "\"index\":1,\"verdict\":\"client\"},"
                 "{\"hop\":2,\"text\":\"unknown\",\"origin\":\"x-forwarded-for\",\"line\":0,\"index\":0,"
                 "\"verdict\":\"unvouched\"}],"
                 "\"findings\":[{\"code\":\"non_address_token\",\"header\":\"x-forwarded-for\",\"detail\":");
    ipt_json_write_string(&expected, span(ipt_finding_meaning(IPT_FINDING_NON_ADDRESS_TOKEN)));
    ipt_buf_adds(&expected,
                 "}],\"forwarded\":{\"proto\":\"https\",\"host\":\"example.org\",\"port\":443,\"prefix\":null,"
                 "\"via\":[],\"vouched\":[\"x-forwarded-proto\"]},\"proxy_protocol\":null,\"geo\":null,"
                 "\"keys\":{\"rate_limit\":\"8.8.8.8/32\",\"network\":\"8.8.8.0/24\",\"anonymized\":\"8.8.8.0\","
                 "\"peer\":\"172.68.1.2/32\"},\"policy\":\"default\","
                 "\"revision\":{\"policies\":\"3f2a9c41\",\"lists\":\"d0e77b02\",\"geo\":null},"
                 "\"request_id\":null}");
    ipt_buf_addc(&expected, '\0');
    char *json = written(*state);
    assert_string_equal(json, expected.p);
    free(json);
    ipt_buf_done(&expected);
}

static void every_key_is_there_when_nothing_is_known(void **state)
{
    sample *s = *state;
    s->decision = (ipt_decision){.view = &s->view, .policy = &s->policy, .request = &s->request};
    s->decision.reasons = UINT64_C(1) << IPT_REASON_NO_ADDRESS;
    char *json = written(s);
    assert_string_equal(
        json,
        "{\"client_ip\":null,\"client_port\":null,\"complete\":false,\"source\":null,\"client\":null,"
        "\"confidence\":{\"level\":\"none\",\"score\":0,\"reasons\":[{\"code\":\"no_address\",\"cap\":\"none\"}]},"
        "\"verdict\":{\"action\":\"allow\",\"rule\":null},\"chain\":[],\"findings\":[],"
        "\"forwarded\":{\"proto\":null,\"host\":null,\"port\":null,\"prefix\":null,\"via\":[],\"vouched\":[]},"
        "\"proxy_protocol\":null,\"geo\":null,"
        "\"keys\":{\"rate_limit\":null,\"network\":null,\"anonymized\":null,\"peer\":null},\"policy\":\"default\","
        "\"revision\":{\"policies\":\"3f2a9c41\",\"lists\":\"d0e77b02\",\"geo\":null},\"request_id\":null}");
    free(json);
}

/* Facts without a client that must not leak out. */
static void without_a_client_its_fields_are_null_whatever_they_hold(void **state)
{
    sample *s = *state;
    s->decision.has_client = false;
    holds(s,
          "{\"client_ip\":null,\"client_port\":null,\"complete\":true,\"source\":null,\"client\":null,\"confidence\"");
}

static void the_source_names_where_the_client_was_read(void **state)
{
    sample *s = *state;
    s->decision.source = IPT_ORIGIN_PEER;
    holds(s, "\"source\":\"peer\",");
    s->decision.source = IPT_ORIGIN_PROXY_PROTOCOL;
    holds(s, "\"source\":\"proxy_protocol\",");
    s->decision.source = IPT_ORIGIN_HEADER;
    assert_int_equal(ipt_names_add(s->names, span("attribute:Arg\"x"), &s->decision.source_header), IPT_OK);
    holds(s, "\"source\":\"attribute:Arg\\\"x\",");
    s->decision.has_client_port = false;
    holds(s, "\"client_port\":null,");
}

static void the_client_names_its_lists_and_what_it_embeds(void **state)
{
    sample *s = *state;
    ipt_decision *d = &s->decision;
    d->client = address("64:ff9b::808:808");
    d->client_class = IPT_CLASS_TRANSITION;
    d->embedding = IPT_EMBEDS_NAT64;
    d->embedded = address("8.8.8.8");
    d->client_lists[0] = 1;
    d->client_lists[1] = 0;
    d->client_list_count = 2;
    holds(s, "{\"client_ip\":\"64:ff9b::808:808\",");
    holds(s,
          "\"client\":{\"class\":\"transition\",\"embedded_ipv4\":\"8.8.8.8\",\"lists\":[\"sockets\",\"cloudflare\"]}");
}

static void reasons_stand_in_their_order_with_caps_where_they_cap(void **state)
{
    sample *s = *state;
    s->decision.reasons = UINT64_C(1) << IPT_REASON_HEADERS_MERGED | UINT64_C(1) << IPT_REASON_UNVOUCHED_ENTRIES |
                          UINT64_C(1) << IPT_REASON_LIST_STALE | UINT64_C(1) << IPT_REASON_PROOF_VERIFIED |
                          UINT64_C(1) << IPT_REASON_ALL_HOPS_TRUSTED;
    s->decision.unvouched_count = 5000;
    s->decision.level = IPT_LEVEL_MEDIUM;
    holds(s, "\"confidence\":{\"level\":\"medium\",\"score\":55,\"reasons\":[{\"code\":\"all_hops_trusted\",\"cap\":"
             "\"medium\"},"
             "{\"code\":\"proof_verified\"},{\"code\":\"list_stale\",\"cap\":\"medium\"},"
             "{\"code\":\"unvouched_entries\",\"count\":5000},{\"code\":\"headers_merged\"}]}");
}

static void the_verdict_names_its_rule(void **state)
{
    sample *s = *state;
    s->decision.ruling = (ipt_ruling){IPT_ACTION_DENY, IPT_RULE_DENY_LISTS, true};
    ipt_buf expected = {0};
    ipt_buf_adds(&expected, "\"verdict\":{\"action\":\"deny\",\"rule\":");
    ipt_json_write_string(&expected, span(ipt_ruling_name(s->decision.ruling)));
    ipt_buf_adds(&expected, "},");
    ipt_buf_addc(&expected, '\0');
    assert_non_null(strstr(expected.p, "unknown:"));
    holds(s, expected.p);
    ipt_buf_done(&expected);
}

static void hops_hold_only_the_keys_that_apply(void **state)
{
    sample *s = *state;
    ipt_decision *d = &s->decision;
    static char longer[400];
    memset(longer, 'x', sizeof(longer) - 1);
    char capped[IPT_TEXT_MAX + 1];
    memcpy(capped, longer, IPT_TEXT_MAX);
    capped[IPT_TEXT_MAX] = '\0';

    const ipt_hop from_header = {.list = IPT_LIST_NONE,
                                 .origin = IPT_ORIGIN_HEADER,
                                 .header = IPT_NAME_FORWARDED,
                                 .line = 2,
                                 .index = 17,
                                 .has_text = true,
                                 .verdict = IPT_VERDICT_MALFORMED};
    const struct {
        ipt_hop hop;
        const char *json;
    } rows[] = {
        {{.list = 1, .has_text = true, .text = span("unix"), .verdict = IPT_VERDICT_TRUSTED},
         "{\"hop\":0,\"text\":\"unix\",\"origin\":\"peer\",\"verdict\":\"trusted\",\"list\":\"sockets\"}"},
        {{.list = IPT_LIST_NONE,
          .origin = IPT_ORIGIN_PROXY_PROTOCOL,
          .has_addr = true,
          .has_port = true,
          .port = 0,
          .addr = address("2001:db8::1"),
          .verdict = IPT_VERDICT_COUNTED},
         "{\"hop\":0,\"address\":\"2001:db8::1\",\"port\":0,\"origin\":\"proxy_protocol\",\"verdict\":\"counted\"}"},
        {{.list = 0,
          .origin = IPT_ORIGIN_HEADER,
          .header = IPT_NAME_XFF,
          .line = 1,
          .has_addr = true,
          .addr = address("173.245.48.7"),
          .has_text = true,
          .text = span("::ffff:173.245.48.7"),
          .prefix_len = 116,
          .verdict = IPT_VERDICT_TRUSTED},
         "{\"hop\":0,\"address\":\"173.245.48.7\",\"text\":\"::ffff:173.245.48.7\",\"origin\":\"x-forwarded-for\","
         "\"line\":1,\"index\":0,\"verdict\":\"trusted\",\"list\":\"cloudflare\",\"prefix\":\"173.245.48.0/20\","
         "\"list_revision\":\"9c1f\",\"fetched_at\":\"2026-11-22T10:00:00Z\"}"},
        {{.list = IPT_LIST_NONE, .verdict = IPT_VERDICT_NOT_EXAMINED, .count = 4936},
         "{\"verdict\":\"not_examined\",\"count\":4936}"},
    };
    d->chain_count = 1;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char part[600];
        snprintf(part, sizeof(part), "\"chain\":[%s],\"findings\"", rows[i].json);
        d->chain[0] = rows[i].hop;
        holds(s, part);
    }

    const struct {
        ipt_span text;
        bool quoted;
        const char *shown;
    } texts[] = {
        {span(""), false, ""},
        {span("[1.2.3.4]\xe9"), false, "[1.2.3.4]\\\\xe9"},
        {span("a\\\"b"), false, "a\\\\\\\\\\\"b"},
        {span("a\\\"b\\\\c"), true, "a\\\"b\\\\\\\\c"}, /* of a quoted-string what it stands for */
        {span(""), true, ""},
        {span(longer), false, capped},
        {span(longer), true, capped},
    };
    for (size_t i = 0; i < IPT_COUNT(texts); i++) {
        char part[600];
        snprintf(
            part, sizeof(part),
            "{\"hop\":0,\"text\":\"%s\",\"origin\":\"forwarded\",\"line\":2,\"index\":17,\"verdict\":\"malformed\"}",
            texts[i].shown);
        d->chain[0] = from_header;
        d->chain[0].text = texts[i].text;
        d->chain[0].text_quoted = texts[i].quoted;
        holds(s, part);
    }
}

/* Each byte of the shown text escaped: the cap is on what is shown. */
static void a_quoted_text_of_escapes_is_capped_after_unescaping(void **state)
{
    sample *s = *state;
    char text[1200], shown[IPT_TEXT_MAX + 1], part[400];
    for (size_t i = 0; i < sizeof(text); i += 2) {
        text[i] = '\\';
        text[i + 1] = 'y';
    }
    memset(shown, 'y', IPT_TEXT_MAX);
    shown[IPT_TEXT_MAX] = '\0';
    s->decision.chain[2].text = exact_n(text, sizeof(text));
    s->decision.chain[2].text_quoted = true;
    snprintf(part, sizeof(part), "\"text\":\"%s\",", shown);
    holds(s, part);
    free((void *)(uintptr_t)s->decision.chain[2].text.p);
}

static void the_chain_is_empty_when_it_is_not_wanted(void **state)
{
    sample *s = *state;
    s->call.want_chain = false;
    holds(s, ",\"chain\":[],\"findings\":[{");
}

static void findings_show_headers_in_lower_case_but_attributes_as_they_are(void **state)
{
    static const char *const rows[][2] = {
        {"X_Forwarded_For", "x_forwarded_for"}, {"peer", "peer"},        {"proxy_protocol", "proxy_protocol"},
        {"attribute:Arg_X", "attribute:Arg_X"}, {"X-\xe9", "x-\\\\xe9"},
    };
    sample *s = *state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char part[200];
        s->decision.findings[0] = (ipt_finding){IPT_FINDING_ALIAS_HEADER, span(rows[i][0])};
        snprintf(part, sizeof(part), "\"findings\":[{\"code\":\"alias_header\",\"header\":\"%s\",\"detail\":\"",
                 rows[i][1]);
        holds(s, part);
    }
}

static void context_is_shown_as_sent_and_a_port_only_when_it_is_one(void **state)
{
    static const ipt_header headers[] = {
        {{"Via", 3}, {"1.1 a", 5}},
        {{"Host", 4}, {"x", 1}},
        {{"vIA", 3}, {"1.1 \"b\"", 7}},
        {{"via", 3}, {"", 0}},
    };
    static const char *const ports[][2] = {{"8443", "8443"}, {"0", "null"}, {"65536", "null"}, {"443, 80", "null"},
                                           {"0443", "null"}, {"", "null"},  {"1", "1"},        {"65535", "65535"}};
    sample *s = *state;
    s->request.headers = headers;
    s->request.header_count = IPT_COUNT(headers);
    s->decision.context = (ipt_context){.proto = span("h\\ttp\xe9"),
                                        .host = span(""),
                                        .prefix = span("/a"),
                                        .via_count = 3,
                                        .vouched = {IPT_NAME_VIA, IPT_NAME_X_FORWARDED_HOST},
                                        .vouched_count = 2};
    holds(s, "\"forwarded\":{\"proto\":\"h\\\\\\\\ttp\\\\xe9\",\"host\":\"\",\"port\":null,\"prefix\":\"/a\","
             "\"via\":[\"1.1 a\",\"1.1 \\\"b\\\"\",\"\"],\"vouched\":[\"via\",\"x-forwarded-host\"]}");
    for (size_t i = 0; i < IPT_COUNT(ports); i++) {
        char part[64];
        s->decision.context.port = span(ports[i][0]);
        snprintf(part, sizeof(part), "\"port\":%s,\"prefix\"", ports[i][1]);
        holds(s, part);
    }
}

static void keys_are_null_without_a_complete_client(void **state)
{
    sample *s = *state;
    s->decision.has_keys = false;
    holds(s, "\"keys\":{\"rate_limit\":null,\"network\":null,\"anonymized\":null,\"peer\":\"172.68.1.2/32\"}");
    s->decision.has_keys = true;
    s->decision.has_peer_key = false;
    s->decision.rate_limit = prefix("2001:db8:1:2::/64");
    s->decision.network = prefix("2001:db8:1::/48");
    holds(s, "\"keys\":{\"rate_limit\":\"2001:db8:1:2::/64\",\"network\":\"2001:db8:1::/"
             "48\",\"anonymized\":\"2001:db8:1::\","
             "\"peer\":null}");
}

static void the_request_id_is_repeated(void **state)
{
    sample *s = *state;
    s->call.request_id = span("a\"b c");
    holds(s, ",\"request_id\":\"a\\\"b c\"}");
}

static void a_buffer_without_memory_says_so(void **state)
{
    sample *s = *state;
    size_t failures = 0;
    for (size_t i = 3; i < 40; i++)
        s->decision.chain[i] = s->decision.chain[0];
    s->decision.chain_count = 40;
    for (size_t n = 1;; n++) {
        ipt_buf out = {0};
        failalloc_at(n);
        ipt_json_write_decision(&out, &s->decision, &s->call);
        bool happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(out.failed, happened);
        ipt_buf_done(&out);
        if (!happened)
            break;
        failures++;
    }
    assert_true(failures >= 2);
}

static void a_used_buffer_is_appended_to_without_the_heap(void **state)
{
    sample *s = *state;
    ipt_buf out = {0};
    ipt_json_write_decision(&out, &s->decision, &s->call);
    size_t n = out.n;
    ipt_buf_reset(&out);
    failalloc_at(1);
    ipt_json_write_decision(&out, &s->decision, &s->call);
    assert_false(failalloc_happened());
    failalloc_at(0);
    assert_int_equal(out.n, n);
    ipt_buf_done(&out);
}

static void an_address_names_its_class_lists_and_embedded_address(void **state)
{
    sample *s = *state;
    ipt_lpm_entry entries[] = {
        {prefix("8.8.0.0/16"), 0},
        {prefix("8.8.8.0/24"), 1},
        {prefix("8.8.8.8/32"), 0 | IPT_EGRESS_TAG},
        {prefix("64:ff9b::/96"), 1},
    };
    ipt_lpm *lpm;
    assert_int_equal(ipt_lpm_build(entries, IPT_COUNT(entries), &lpm), IPT_OK);
    s->view.lpm = lpm;
    static const char *const rows[][2] = {
        {"8.8.8.8",
         "{\"address\":\"8.8.8.8\",\"class\":\"global\",\"embedded_ipv4\":null,\"embedding\":null,\"lists\":["
         "{\"list\":\"cloudflare\",\"prefix\":\"8.8.0.0/16\",\"egress\":false},"
         "{\"list\":\"sockets\",\"prefix\":\"8.8.8.0/24\",\"egress\":false},"
         "{\"list\":\"cloudflare\",\"prefix\":\"8.8.8.8/32\",\"egress\":true}],\"geo\":null,"
         "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
        {"64:ff9b::a00:1", "{\"address\":\"64:ff9b::a00:1\",\"class\":\"transition\",\"embedded_ipv4\":\"10.0.0.1\","
                           "\"embedding\":\"nat64\",\"lists\":[{\"list\":\"sockets\",\"prefix\":\"64:ff9b::/96\","
                           "\"egress\":false}],\"geo\":null,"
                           "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
        {"2002:808:808::", "{\"address\":\"2002:808:808::\",\"class\":\"transition\",\"embedded_ipv4\":\"8.8.8.8\","
                           "\"embedding\":\"6to4\",\"lists\":[],\"geo\":null,"
                           "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
        {"2001:0:4136:e378:8000:63bf:f7f7:f7f7",
         "{\"address\":\"2001:0:4136:e378:8000:63bf:f7f7:f7f7\",\"class\":\"transition\",\"embedded_ipv4\":\"8.8.8.8\","
         "\"embedding\":\"teredo\",\"lists\":[],\"geo\":null,"
         "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
        {"2a00:1450:4001:0:200:5efe:808:808",
         "{\"address\":\"2a00:1450:4001:0:200:5efe:808:808\",\"class\":\"global\",\"embedded_ipv4\":\"8.8.8.8\","
         "\"embedding\":\"isatap\",\"lists\":[],\"geo\":null,"
         "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
        {"10.0.0.1", "{\"address\":\"10.0.0.1\",\"class\":\"private\",\"embedded_ipv4\":null,\"embedding\":null,"
                     "\"lists\":[],\"geo\":null,"
                     "\"geo_reason\":\"no_database\",\"attributions\":[]}"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_buf out = {0};
        ipt_json_write_address(&out, &s->view, address(rows[i][0]));
        ipt_buf_addc(&out, '\0');
        assert_string_equal(out.p, rows[i][1]);
        ipt_buf_done(&out);
    }
    ipt_lpm_free(lpm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_sample_of_the_contract_comes_out_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_key_is_there_when_nothing_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_client_its_fields_are_null_whatever_they_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_source_names_where_the_client_was_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_client_names_its_lists_and_what_it_embeds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reasons_stand_in_their_order_with_caps_where_they_cap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_verdict_names_its_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hops_hold_only_the_keys_that_apply, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quoted_text_of_escapes_is_capped_after_unescaping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_chain_is_empty_when_it_is_not_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(findings_show_headers_in_lower_case_but_attributes_as_they_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(context_is_shown_as_sent_and_a_port_only_when_it_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_are_null_without_a_complete_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_request_id_is_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_buffer_without_memory_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_used_buffer_is_appended_to_without_the_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_names_its_class_lists_and_embedded_address, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
