/* Facts found by known paths, whatever the vendor: one row a schema, then what absence means and who wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <maxminddb.h>

#include "iptrust/geo/geo.h"
#include "maker.h"

static char directory[64];
static maker made;

static char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_geo_XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    static const char *const names[] = {"a.mmdb", "b.mmdb"};
    for (size_t i = 0; i < IPT_COUNT(names); i++)
        (void)unlink(path_of(names[i]));
    return rmdir(directory);
}

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    assert_true(ipt_addr_parse(ipt_span_from(text), &addr, NULL));
    return addr;
}

static void print_value(char *out, size_t cap, ipt_geo_field field, const ipt_geo_value *value)
{
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT:
        snprintf(out, cap, "%.*s", (int)value->text.n, value->text.p);
        break;
    case IPT_GEO_UINT:
        snprintf(out, cap, "%u", value->uint);
        break;
    case IPT_GEO_NUMBER:
        snprintf(out, cap, "%.10g", value->number);
        break;
    case IPT_GEO_FLAG:
        snprintf(out, cap, "%s", value->flag ? "true" : "false");
        break;
    }
}

/* "country_code=US asn=1": all facts in their order. */
static const char *told(const ipt_geo *geo, const char *addr, uint64_t wanted, ipt_geo_facts *facts)
{
    static char text[2048];
    size_t n = 0;
    ipt_geo_lookup(geo, address(addr), wanted, facts);
    text[0] = '\0';
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        char value[300];
        if (!ipt_geo_has(facts, (ipt_geo_field)i))
            continue;
        print_value(value, sizeof(value), (ipt_geo_field)i, &facts->values[i]);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%s", n == 0 ? "" : " ",
                              ipt_geo_field_name((ipt_geo_field)i), value);
    }
    return text;
}

static void put_text(maker *m, const char *key, const char *text)
{
    (void)maker_text(m, key);
    (void)maker_text(m, text);
}

static void put_names(maker *m, const char *english)
{
    (void)maker_text(m, "names");
    (void)maker_texts(m, (const char *const[]){"de", "anders", "en", english, NULL});
}

static void put_flag(maker *m, const char *key, bool flag)
{
    (void)maker_text(m, key);
    (void)maker_flag(m, flag);
}

static void put_number(maker *m, const char *key, unsigned type, uint64_t number)
{
    (void)maker_text(m, key);
    (void)maker_uint(m, type, number);
}

static uint32_t maxmind_city(maker *m)
{
    uint32_t at = maker_map(m, 8);
    (void)maker_text(m, "city"), (void)maker_map(m, 1), put_names(m, "London");
    (void)maker_text(m, "continent"), (void)maker_map(m, 2), put_text(m, "code", "EU"), put_names(m, "Europe");
    (void)maker_text(m, "country"), (void)maker_map(m, 3), put_flag(m, "is_in_european_union", false);
    put_text(m, "iso_code", "GB"), put_names(m, "United Kingdom");
    (void)maker_text(m, "location"), (void)maker_map(m, 5), put_number(m, "accuracy_radius", MMDB_DATA_TYPE_UINT16, 10);
    (void)maker_text(m, "latitude"), (void)maker_double(m, 51.5142), (void)maker_text(m, "longitude");
    (void)maker_double(m, -0.0931), put_number(m, "metro_code", MMDB_DATA_TYPE_UINT16, 7);
    put_text(m, "time_zone", "Europe/London");
    (void)maker_text(m, "postal"), (void)maker_map(m, 1), put_text(m, "code", "OX1");
    (void)maker_text(m, "registered_country"), (void)maker_map(m, 1), put_text(m, "iso_code", "US");
    (void)maker_text(m, "represented_country"), (void)maker_map(m, 2), put_text(m, "iso_code", "FR");
    put_text(m, "type", "military");
    (void)maker_text(m, "subdivisions"), (void)maker_array(m, 2), (void)maker_map(m, 2);
    put_text(m, "iso_code", "ENG"), put_names(m, "England"), (void)maker_map(m, 1), put_text(m, "iso_code", "XXX");
    return at;
}

static uint32_t maxmind_traits(maker *m)
{
    uint32_t at = maker_map(m, 1);
    (void)maker_text(m, "traits"), (void)maker_map(m, 9);
    put_number(m, "autonomous_system_number", MMDB_DATA_TYPE_UINT32, 29518);
    put_text(m, "autonomous_system_organization", "Bredband2 AB"), put_text(m, "connection_type", "Corporate");
    put_text(m, "domain", "bredband2.com"), put_text(m, "isp", "Bredband"), put_text(m, "organization", "Bevtec");
    put_text(m, "user_type", "government"), put_flag(m, "is_anycast", true), put_flag(m, "is_tor_exit_node", false);
    return at;
}

static uint32_t maxmind_anonymous_plus(maker *m)
{
    uint32_t at = maker_map(m, 8);
    put_number(m, "anonymizer_confidence", MMDB_DATA_TYPE_UINT16, 30), put_flag(m, "is_anonymous", true);
    put_flag(m, "is_anonymous_vpn", true), put_flag(m, "is_hosting_provider", true);
    put_flag(m, "is_public_proxy", false), put_flag(m, "is_residential_proxy", true);
    put_text(m, "network_last_seen", "2025-04-14"), put_text(m, "provider_name", "foo");
    return at;
}

static uint32_t maxmind_asn(maker *m)
{
    uint32_t at = maker_map(m, 2);
    put_number(m, "autonomous_system_number", MMDB_DATA_TYPE_UINT32, 1221);
    put_text(m, "autonomous_system_organization", "Telstra Pty Ltd");
    return at;
}

static uint32_t ipinfo_lite(maker *m)
{
    return maker_texts(m, (const char *const[]){"as_domain", "google.com", "as_name", "Google LLC", "asn", "AS15169",
                                                "continent", "North America", "continent_code", "NA", "country",
                                                "United States", "country_code", "US", NULL});
}

static uint32_t ipinfo_country_asn(maker *m)
{
    return maker_texts(m, (const char *const[]){"asn", "AS15169", "continent", "NA", "continent_name", "North America",
                                                "country", "US", "country_name", "United States", NULL});
}

static uint32_t flat_city(maker *m)
{
    uint32_t at = maker_map(m, 8);
    put_text(m, "city", "Mountain View"), put_text(m, "country_code", "US");
    (void)maker_text(m, "latitude"), (void)maker_float(m, 37.386F), (void)maker_text(m, "longitude");
    (void)maker_float(m, -122.0838F), put_text(m, "postcode", "94035"), put_text(m, "state1", "California");
    put_text(m, "state2", ""), put_text(m, "timezone", "America/Los_Angeles");
    return at;
}

static uint32_t flat_asn(maker *m)
{
    uint32_t at = maker_map(m, 2);
    put_number(m, "autonomous_system_number", MMDB_DATA_TYPE_UINT64, 4200000000);
    put_text(m, "autonomous_system_organization", "");
    return at;
}

static uint32_t shared_by_pointer(maker *m)
{
    uint32_t country = maker_map(m, 1);
    (void)maker_text(m, "iso_code");
    uint32_t code = maker_text(m, "SE"), key = maker_text(m, "country");
    uint32_t at = maker_map(m, 2);
    (void)maker_pointer(m, key), (void)maker_pointer(m, country), (void)maker_text(m, "country_code");
    (void)maker_pointer(m, code);
    return at;
}

static void every_schema_is_found_by_its_paths(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t (*make)(maker *m);
        const char *facts;
    } rows[] = {
        {"MaxMind City", maxmind_city,
         "continent_code=EU continent_name=Europe country_code=GB country_name=United Kingdom is_eu=false "
         "registered_country_code=US represented_country_code=FR represented_country_type=military region_code=ENG "
         "region_name=England city=London postal_code=OX1 latitude=51.5142 longitude=-0.0931 accuracy_radius=10 "
         "time_zone=Europe/London metro_code=7"},
        {"MaxMind Enterprise", maxmind_traits,
         "asn=29518 as_name=Bredband2 AB isp=Bredband organization=Bevtec domain=bredband2.com user_type=government "
         "connection_type=Corporate is_tor_exit_node=false is_anycast=true"},
        {"MaxMind Anonymous Plus", maxmind_anonymous_plus,
         "is_anonymous=true is_anonymous_vpn=true is_hosting_provider=true is_public_proxy=false "
         "is_residential_proxy=true anonymizer_confidence=30 anonymizer_provider=foo anonymizer_last_seen=2025-04-14"},
        {"MaxMind ASN", maxmind_asn, "asn=1221 as_name=Telstra Pty Ltd"},
        {"IPinfo Lite", ipinfo_lite,
         "continent_code=NA continent_name=North America country_code=US country_name=United States asn=15169 "
         "as_name=Google LLC as_domain=google.com"},
        {"IPinfo, older", ipinfo_country_asn,
         "continent_code=NA continent_name=North America country_code=US country_name=United States asn=15169"},
        {"ip-location-db city", flat_city,
         "country_code=US region_name=California city=Mountain View postal_code=94035 latitude=37.386 "
         "longitude=-122.0838 time_zone=America/Los_Angeles"},
        {"ip-location-db asn, an empty text is absent", flat_asn, "asn=4200000000"},
        {"pointers", shared_by_pointer, "country_code=SE"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        maker_init(&made, 6, 28, "whatever");
        maker_add(&made, "8.8.8.0/24", rows[i].make(&made));
        const char *path = path_of("a.mmdb");
        maker_write(&made, path);
        ipt_geo *geo = NULL;
        ipt_geo_facts facts;
        assert_int_equal(ipt_geo_open(&path, 1, NULL, &geo), IPT_OK);
        const char *facts_told = told(geo, "8.8.8.8", IPT_GEO_ALL, &facts);
        if (strcmp(facts_told, rows[i].facts) != 0)
            fail_msg("%s:\n%s\nnot\n%s", rows[i].what, facts_told, rows[i].facts);
        assert_int_equal(facts.present & ~ipt_geo_fields(geo), 0);
        assert_string_equal(told(geo, "9.9.9.9", IPT_GEO_ALL, &facts), "");
        ipt_geo_unref(geo);
    }
}

static uint32_t odd_values(maker *m)
{
    uint32_t at = maker_map(m, 6);
    put_text(m, "country_code", "us"), put_text(m, "asn", "AS99999999999"), put_text(m, "city", "a\x1b[2Jb");
    (void)maker_text(m, "latitude"), (void)maker_double(m, 1e300), (void)maker_text(m, "longitude");
    (void)maker_double(m, -200.5), put_text(m, "isp", "good");
    return at;
}

static void values_out_of_range_are_absent(void **state)
{
    (void)state;
    maker_init(&made, 6, 24, "odd");
    maker_add(&made, "8.8.8.0/24", odd_values(&made));
    const char *path = path_of("a.mmdb");
    maker_write(&made, path);
    ipt_geo *geo = NULL;
    ipt_geo_facts facts;
    assert_int_equal(ipt_geo_open(&path, 1, NULL, &geo), IPT_OK);
    assert_string_equal(told(geo, "8.8.8.8", IPT_GEO_ALL, &facts), "isp=good");
    ipt_geo_unref(geo);
}

static void make_pair(const char *const *first, unsigned first_version, const char *const *second)
{
    maker_init(&made, first_version, 24, "first");
    maker_add(&made, "8.8.8.0/24", maker_texts(&made, first));
    maker_write(&made, path_of("a.mmdb"));
    maker_init(&made, 6, 24, "DBIP-second");
    uint32_t at = maker_texts(&made, second);
    maker_add(&made, "8.8.0.0/16", at);
    maker_add(&made, "2001:db8::/32", at);
    maker_write(&made, path_of("b.mmdb"));
}

static void the_first_file_with_a_value_wins(void **state)
{
    (void)state;
    make_pair((const char *const[]){"country_code", "US", "city", "", NULL}, 6,
              (const char *const[]){"country_code", "CA", "city", "Ottawa", NULL});
    const char *paths[] = {path_of("a.mmdb"), path_of("b.mmdb")};
    ipt_geo *geo = NULL;
    ipt_geo_facts facts;
    assert_int_equal(ipt_geo_open(paths, 2, NULL, &geo), IPT_OK);
    assert_string_equal(told(geo, "8.8.8.8", IPT_GEO_ALL, &facts), "country_code=US city=Ottawa");
    assert_int_equal(facts.values[IPT_GEO_COUNTRY_CODE].file, 0);
    assert_int_equal(facts.values[IPT_GEO_CITY].file, 1);
    assert_string_equal(told(geo, "8.8.9.8", IPT_GEO_ALL, &facts), "country_code=CA city=Ottawa");
    assert_string_equal(told(geo, "8.8.9.8", IPT_GEO_BIT(IPT_GEO_CITY), &facts), "city=Ottawa");
    assert_string_equal(ipt_geo_file_at(geo, 1).attribution, "IP Geolocation by DB-IP, https://db-ip.com");
    assert_null(ipt_geo_file_at(geo, 0).attribution);
    ipt_geo_unref(geo);
}

static void ipv6_asked_of_an_ipv4_file_is_not_covered(void **state)
{
    (void)state;
    make_pair((const char *const[]){"country_code", "US", NULL}, 4, (const char *const[]){"isp", "x", NULL});
    const char *paths[] = {path_of("a.mmdb"), path_of("b.mmdb")};
    const uint64_t country = IPT_GEO_BIT(IPT_GEO_COUNTRY_CODE), isp = IPT_GEO_BIT(IPT_GEO_ISP);
    ipt_geo *geo = NULL;
    ipt_geo_facts facts;
    assert_int_equal(ipt_geo_open(paths, 2, NULL, &geo), IPT_OK);
    assert_string_equal(told(geo, "2001:db8::1", IPT_GEO_ALL, &facts), "isp=x");
    assert_int_equal(facts.not_covered, 1);
    assert_false(ipt_geo_covers(geo, &facts, country));
    assert_true(ipt_geo_covers(geo, &facts, isp));
    assert_true(ipt_geo_covers(geo, &facts, country | isp));
    assert_string_equal(told(geo, "8.8.8.8", IPT_GEO_ALL, &facts), "country_code=US isp=x");
    assert_int_equal(facts.not_covered, 0);
    assert_true(ipt_geo_covers(geo, &facts, country));
    assert_string_equal(told(geo, "::ffff:8.8.8.8", IPT_GEO_ALL, &facts), "country_code=US isp=x");
    ipt_geo_unref(geo);
}

static void nothing_is_known_without_a_set(void **state)
{
    (void)state;
    ipt_geo_facts facts = {.present = 7, .not_covered = 3, .embedded = true};
    ipt_geo_lookup(NULL, address("8.8.8.8"), IPT_GEO_ALL, &facts);
    assert_int_equal(facts.present | facts.not_covered, 0);
    assert_false(facts.embedded);
    assert_int_equal(ipt_geo_count(NULL), 0);
    assert_int_equal(ipt_geo_fields(NULL), 0);
    assert_null(ipt_geo_revision(NULL));
    assert_null(ipt_geo_ref(NULL));
    assert_false(ipt_geo_is_outdated(NULL));
    assert_false(ipt_geo_covers(NULL, &facts, IPT_GEO_ALL));
    ipt_geo_unref(NULL);
}

static void licences_ask_to_be_named_once(void **state)
{
    (void)state;
    static const char db_ip[] = "IP Geolocation by DB-IP, https://db-ip.com";
    static const char ipinfo[] = "IP address data powered by IPinfo, https://ipinfo.io";
    static const char geolite[] =
        "This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com";
    static const struct {
        const char *first, *second, *address;
        size_t count;
        const char *texts[2];
    } rows[] = {
        {"DBIP-City-Lite", "GeoLite2-ASN", "8.8.8.8", 2, {db_ip, geolite}},
        {"GeoLite2-City", "GeoLite2-ASN", "8.8.8.8", 1, {geolite}},
        {"ipinfo generic_lite.mmdb", "GeoIP2-ISP", "8.8.8.8", 1, {ipinfo}},
        {"DBIP-City-Lite",
         "ipinfo generic_lite.mmdb",
         "8.8.9.9",
         1,
         {ipinfo}}, /* the second file alone says something */
        {"DBIP-City-Lite", "GeoLite2-ASN", "9.9.9.9", 0, {NULL}},
        {"country ipvAll", "MyDBIP-x", "8.8.8.8", 0, {NULL}},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const char *paths[] = {path_of("a.mmdb"), path_of("b.mmdb")}, *told[IPT_GEO_FILES_MAX];
        ipt_geo *geo = NULL;
        ipt_geo_facts facts;
        maker_init(&made, 6, 24, rows[i].first);
        maker_add(&made, "8.8.8.0/24", maker_texts(&made, (const char *const[]){"country_code", "US", NULL}));
        maker_write(&made, paths[0]);
        maker_init(&made, 6, 24, rows[i].second);
        maker_add(&made, "8.8.0.0/16", maker_texts(&made, (const char *const[]){"isp", "x", NULL}));
        maker_write(&made, paths[1]);
        assert_int_equal(ipt_geo_open(paths, 2, NULL, &geo), IPT_OK);
        ipt_geo_lookup(geo, address(rows[i].address), IPT_GEO_ALL, &facts);
        assert_int_equal(ipt_geo_attributions(geo, &facts, told), rows[i].count);
        for (size_t k = 0; k < rows[i].count; k++)
            assert_string_equal(told[k], rows[i].texts[k]);
        ipt_geo_unref(geo);
    }
    const ipt_geo_facts nothing = {0};
    const char *told[IPT_GEO_FILES_MAX];
    assert_int_equal(ipt_geo_attributions(NULL, &nothing, told), 0);
}

static void every_field_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        assert_true(strlen(ipt_geo_field_name((ipt_geo_field)i)) > 2);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(ipt_geo_field_name((ipt_geo_field)i), ipt_geo_field_name((ipt_geo_field)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_is_found_by_its_paths),
        cmocka_unit_test(values_out_of_range_are_absent),
        cmocka_unit_test(the_first_file_with_a_value_wins),
        cmocka_unit_test(ipv6_asked_of_an_ipv4_file_is_not_covered),
        cmocka_unit_test(nothing_is_known_without_a_set),
        cmocka_unit_test(licences_ask_to_be_named_once),
        cmocka_unit_test(every_field_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
