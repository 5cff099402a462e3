/* What databases add to a decision: facts of the client or of the address that it carries, rules on them, and a
 * provider that names another country. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <maxminddb.h>

#include "maker.h"
#include "rows.h"

#define LISTS                                                                                                    \
    "lists:\n  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: append, cf-ipcountry: " \
    "replace, "                                                                                                  \
    "cloudfront-viewer-country: replace}}\n"                                                                     \
    "  plain: {prefixes: [10.0.13.0/24], internal: true}\n"
#define POLICIES(keys)                                                                                              \
    LISTS "geo: {files: [/nowhere/never-opened-here]}\nnat64: [\"64:ff9b:1::/96\"]\npolicies:\n  default: {trust: " \
          "[lb, plain], " keys "}\n"
#define FROM(address) "10.0.12.1", "X-Forwarded-For: " address

static char directory[64];
static ipt_geo *geo; /* country for both families; asn and anonymity for IPv4 alone */

static uint32_t anonymous(maker *m, bool tor, bool hosting)
{
    uint32_t at = maker_map(m, 3);
    (void)maker_text(m, "is_tor_exit_node"), (void)maker_flag(m, tor);
    (void)maker_text(m, "is_hosting_provider"), (void)maker_flag(m, hosting);
    (void)maker_text(m, "asn"), (void)maker_text(m, tor ? "AS666" : "AS777");
    return at;
}

static int open_geo(void **state)
{
    static maker m;
    static char first[96], second[96];
    const char *paths[] = {first, second};
    strcpy(directory, "/tmp/test_geo_XXXXXX");
    if (rows_setup(state) != 0 || mkdtemp(directory) == NULL)
        return -1;
    snprintf(first, sizeof(first), "%s/country.mmdb", directory);
    snprintf(second, sizeof(second), "%s/network.mmdb", directory);
    maker_init(&m, 6, 28, "country");
    maker_add(&m, "8.8.8.0/24", maker_texts(&m, (const char *const[]){"country_code", "US", NULL}));
    maker_add(&m, "2001:db8::/32", maker_texts(&m, (const char *const[]){"country_code", "SE", NULL}));
    maker_add(&m, "1.1.1.0/24", maker_texts(&m, (const char *const[]){"country_code", "SE", NULL}));
    maker_write(&m, first);
    maker_init(&m, 4, 24, "network");
    maker_add(&m, "9.9.9.0/25", anonymous(&m, true, false));
    maker_add(&m, "9.9.9.128/25", anonymous(&m, false, true));
    maker_write(&m, second);
    bool good = ipt_geo_open(paths, 2, NULL, &geo) == IPT_OK && ipt_geo_file_at(geo, 0).loaded &&
                ipt_geo_file_at(geo, 1).loaded;
    (void)unlink(first), (void)unlink(second), (void)rmdir(directory);
    return good ? 0 : -1;
}

static int close_geo(void **state)
{
    ipt_geo_unref(geo);
    return rows_teardown(state);
}

/* "deny deny.countries | US 15169 8.8.8.8 embedded GB | geo_conflict:cf-ipcountry" */
static void format(const ipt_decision *d, char *out, size_t size)
{
    char addr[IPT_ADDR_TEXT];
    const char *rule = ipt_ruling_name(d->ruling);
    size_t n = (size_t)snprintf(out, size, "%s%s%s", d->ruling.action == IPT_ACTION_DENY ? "deny" : "allow",
                                rule == NULL ? "" : " ", rule == NULL ? "" : rule);
    if (!d->has_geo)
        return;
    ipt_span country =
        ipt_geo_has(&d->geo, IPT_GEO_COUNTRY_CODE) ? d->geo.values[IPT_GEO_COUNTRY_CODE].text : IPT_SPAN("-");
    (void)ipt_addr_format(d->geo.addr, addr);
    n += (size_t)snprintf(out + n, size - n, " | %.*s %u %s%s", (int)country.n, country.p,
                          ipt_geo_has(&d->geo, IPT_GEO_ASN) ? d->geo.values[IPT_GEO_ASN].uint : 0, addr,
                          d->geo.embedded ? " embedded" : "");
    if (d->told_header != IPT_NAME_NONE)
        n += (size_t)snprintf(out + n, size - n, " %.2s", d->told_country.p);
    for (size_t i = 0; i < d->finding_count; i++)
        if (d->findings[i].code == IPT_FINDING_GEO_CONFLICT)
            n += (size_t)snprintf(out + n, size - n, " | geo_conflict:%.*s", (int)d->findings[i].header.n,
                                  d->findings[i].header.p);
}

static void check(const char *yaml, const ipt_geo *set, const row *rows, size_t count)
{
    ipt_view *view = rows_view(yaml);
    ipt_decision *d = malloc(sizeof(*d));
    assert_non_null(d);
    ipt_view_set_geo(view, set);
    const ipt_policy *policy = ipt_view_find_policy(view, IPT_SPAN("default"));
    for (size_t i = 0; i < count; i++) {
        rows_request *request = rows_request_new(rows[i].peer, rows[i].request);
        char text[400], brief[400];
        memset(d, 0xa5, sizeof(*d));
        assert_int_equal(ipt_resolve(view, policy, rows_request_get(request), IPT_DETAIL_FULL, d, NULL),
                         IPT_REFUSAL_NONE);
        format(d, text, sizeof(text));
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("row %zu, %s:\n  %s\nnot\n  %s", i, rows[i].request, text, rows[i].expected);
        /* For the client alone, and for who does not want to read it, the rules say the same and nothing is told. */
        for (unsigned k = 0; k < 2; k++) {
            rows_request_get(request)->geo_unwanted = k == 1;
            memset(d, 0x5a, sizeof(*d));
            assert_int_equal(ipt_resolve(view, policy, rows_request_get(request),
                                         k == 1 ? IPT_DETAIL_FULL : IPT_DETAIL_CLIENT, d, NULL),
                             IPT_REFUSAL_NONE);
            assert_false(d->has_geo);
            format(d, brief, sizeof(brief));
            assert_int_equal(strncmp(brief, text, strlen(brief)), 0);
            assert_true(text[strlen(brief)] == '\0' || text[strlen(brief)] == ' ');
        }
        rows_request_free(request);
    }
    free(d);
    ipt_view_free(view);
}
#define CHECK(yaml, set, rows) check((yaml), (set), (rows), IPT_COUNT(rows))

static void the_client_is_looked_up_or_the_address_that_it_carries(void **state)
{
    static const row rows[] = {
        {FROM("8.8.8.8"), "allow | US 0 8.8.8.8"},
        {FROM("9.9.9.9"), "allow | - 666 9.9.9.9"},
        {FROM("7.7.7.7"), "allow | - 0 7.7.7.7"},
        {FROM("::ffff:8.8.8.8"), "allow | US 0 8.8.8.8"},
        {FROM("64:ff9b::808:808"), "allow | US 0 8.8.8.8 embedded"},
        {FROM("64:ff9b:1::808:808"), "allow | US 0 8.8.8.8 embedded"},
        {FROM("2002:808:808::"), "allow | US 0 8.8.8.8 embedded"},
        {FROM("2001:0:4136:e378:8000:63bf:f7f7:f7f7"), "allow | US 0 8.8.8.8 embedded"},
        {FROM("2001:db8::200:5efe:808:808"), "allow | SE 0 2001:db8::200:5efe:808:808"}, /* ISATAP stays itself */
        {"8.8.8.8", "", "allow | US 0 8.8.8.8"},
        {"nope", "", "allow"},
    };
    static const row without[] = {{FROM("8.8.8.8"), "allow"}};
    (void)state;
    CHECK(POLICIES("mode: annotate, deny: {countries: [US]}"), geo, rows);
    CHECK(POLICIES("mode: annotate"), NULL, without);
}

static void rules_deny_by_country_network_and_anonymity(void **state)
{
    static const row countries[] = {
        {FROM("8.8.8.8"), "deny deny.countries | US 0 8.8.8.8"},
        {FROM("64:ff9b::808:808"), "deny deny.countries | US 0 8.8.8.8 embedded"},
        {FROM("1.1.1.1"), "allow | SE 0 1.1.1.1"},
        {FROM("7.7.7.7"), "allow | - 0 7.7.7.7"}, /* the file covers it and knows no country: it is in none of these */
        {"10.0.12.1", "", "deny unknown:deny.countries | - 0 10.0.12.1"}, /* complete is false */
        {"nope", "", "deny unknown:deny.countries"},
    };
    static const row networks[] = {
        {FROM("9.9.9.9"), "deny deny.asns | - 666 9.9.9.9"},
        {FROM("9.9.9.200"), "allow | - 777 9.9.9.200"},
        {FROM("2001:db8::1"), "deny unknown:deny.asns | SE 0 2001:db8::1"}, /* only IPv4 is covered */
    };
    static const row anonymity[] = {
        {FROM("9.9.9.9"), "deny deny.anonymous | - 666 9.9.9.9"},
        {FROM("9.9.9.200"), "allow | - 777 9.9.9.200"}, /* a hosting provider alone hides nobody */
        {FROM("8.8.8.8"), "allow | US 0 8.8.8.8"},
        {FROM("2001:db8::1"), "deny unknown:deny.anonymous | SE 0 2001:db8::1"},
    };
    static const row lenient[] = {
        {FROM("2001:db8::1"), "allow | SE 0 2001:db8::1"},
        {FROM("9.9.9.9"), "deny deny.asns | - 666 9.9.9.9"},
        {"nope", "", "allow"},
    };
    static const row shadow[] = {{FROM("8.8.8.8"), "allow deny.countries | US 0 8.8.8.8"}};
    static const row order[] = {{FROM("9.9.9.9"), "deny deny.asns | - 666 9.9.9.9"}};
    (void)state;
    CHECK(POLICIES("mode: enforce, deny: {countries: [FR, US]}"), geo, countries);
    CHECK(POLICIES("mode: enforce, deny: {asns: [1, 666]}"), geo, networks);
    CHECK(POLICIES("mode: enforce, deny: {anonymous: true}"), geo, anonymity);
    CHECK(POLICIES("mode: enforce, deny: {asns: [666]}, unknown: allow"), geo, lenient);
    CHECK(POLICIES("mode: shadow, deny: {countries: [US]}"), geo, shadow);
    CHECK(POLICIES("mode: enforce, deny: {countries: [US], asns: [666], anonymous: true}"), geo, order);
}

static void rules_allow_who_matches_every_condition(void **state)
{
    static const row countries[] = {
        {FROM("8.8.8.8"), "allow | US 0 8.8.8.8"},
        {FROM("1.1.1.1"), "deny allow | SE 0 1.1.1.1"},
        {FROM("7.7.7.7"), "deny allow | - 0 7.7.7.7"},
        {"10.0.12.1", "", "deny unknown:allow | - 0 10.0.12.1"},
    };
    static const row both[] = {
        {FROM("8.8.8.8"), "deny allow | US 0 8.8.8.8"},
        {FROM("9.9.9.200"), "deny allow | - 777 9.9.9.200"},
    };
    static const row anonymous_only[] = {
        {FROM("9.9.9.9"), "allow | - 666 9.9.9.9"},
        {FROM("8.8.8.8"), "deny allow | US 0 8.8.8.8"},
    };
    (void)state;
    CHECK(POLICIES("mode: enforce, allow: {countries: [US]}"), geo, countries);
    CHECK(POLICIES("mode: enforce, allow: {countries: [US], asns: [777]}"), geo, both);
    CHECK(POLICIES("mode: enforce, allow: {anonymous: true}"), geo, anonymous_only);
}

static void a_rule_without_a_database_is_unknown(void **state)
{
    static const row denied[] = {{FROM("8.8.8.8"), "deny unknown:deny.countries"}};
    static const row allowed[] = {{FROM("8.8.8.8"), "allow"}};
    static const row nobody[] = {{FROM("8.8.8.8"), "deny unknown:allow"}};
    (void)state;
    CHECK(POLICIES("mode: enforce, deny: {countries: [SE]}"), NULL, denied);
    CHECK(POLICIES("mode: enforce, deny: {countries: [SE]}, unknown: allow"), NULL, allowed);
    CHECK(POLICIES("mode: enforce, allow: {asns: [1]}"), NULL, nobody);
}

static void a_vouched_country_is_told_and_compared(void **state)
{
    static const row rows[] = {
        {FROM("8.8.8.8\nCF-IPCountry: US"), "allow | US 0 8.8.8.8 US"},
        {FROM("8.8.8.8\nCF-IPCountry: us"), "allow | US 0 8.8.8.8 us"},
        {FROM("8.8.8.8\nCF-IPCountry: SE"), "allow | US 0 8.8.8.8 SE | geo_conflict:cf-ipcountry"},
        {FROM("8.8.8.8\nCF-IPCountry: XX"), "allow | US 0 8.8.8.8"},
        {FROM("8.8.8.8\nCF-IPCountry: T1"), "allow | US 0 8.8.8.8"},
        {FROM("8.8.8.8\nCF-IPCountry: SWE"), "allow | US 0 8.8.8.8"},
        {FROM("8.8.8.8\nCF-IPCountry: SE\nCF-IPCountry: US"), "allow | US 0 8.8.8.8"},
        {FROM("7.7.7.7\nCF-IPCountry: SE"), "allow | - 0 7.7.7.7 SE"}, /* nothing to compare with */
        {FROM("8.8.8.8\nCloudFront-Viewer-Country: DE"),
         "allow | US 0 8.8.8.8 DE | geo_conflict:cloudfront-viewer-country"},
        {FROM("8.8.8.8\nCloudFront-Viewer-Country: DE\nCF-IPCountry: US"),
         "allow | US 0 8.8.8.8 US | geo_conflict:cloudfront-viewer-country"},
        {"8.8.8.8", "CF-IPCountry: SE", "allow | US 0 8.8.8.8"},                             /* the client's own word */
        {"10.0.13.1", "X-Forwarded-For: 8.8.8.8\nCF-IPCountry: SE", "allow | US 0 8.8.8.8"}, /* nobody vouches */
    };
    (void)state;
    CHECK(POLICIES("mode: annotate"), geo, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_looked_up_or_the_address_that_it_carries),
        cmocka_unit_test(rules_deny_by_country_network_and_anonymity),
        cmocka_unit_test(rules_allow_who_matches_every_condition),
        cmocka_unit_test(a_rule_without_a_database_is_unknown),
        cmocka_unit_test(a_vouched_country_is_told_and_compared),
    };
    return cmocka_run_group_tests(tests, open_geo, close_geo);
}
