/* The geo object as JSON, against whole texts: every field, null when nobody said, and who said the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <maxminddb.h>

#include "failalloc.h"
#include "json_put_priv.h"
#include "maker.h"

static ipt_geo *geo;

static int open_geo(void **state)
{
    static maker m;
    char directory[] = "/tmp/test_geo_XXXXXX", path[64], other[64];
    const char *paths[] = {path, other};
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/City.mmdb", directory);
    snprintf(other, sizeof(other), "%s/AS \"4\".mmdb", directory);
    maker_init(&m, 6, 28, "city");
    uint32_t at = maker_map(&m, 5);
    (void)maker_text(&m, "city"), (void)maker_text(&m, "S\xc3\xa3o \"P\"\\");
    (void)maker_text(&m, "country_code"), (void)maker_text(&m, "BR");
    (void)maker_text(&m, "latitude"), (void)maker_double(&m, -23.5505);
    (void)maker_text(&m, "longitude"), (void)maker_double(&m, -0.000001);
    (void)maker_text(&m, "is_anonymous"), (void)maker_flag(&m, false);
    maker_add(&m, "8.8.8.0/24", at);
    uint32_t south = maker_map(&m, 2);
    (void)maker_text(&m, "latitude"), (void)maker_double(&m, -90);
    (void)maker_text(&m, "longitude"), (void)maker_double(&m, 0);
    maker_add(&m, "9.9.9.0/24", south);
    maker_write(&m, path);
    maker_init(&m, 4, 24, "asn");
    at = maker_map(&m, 1);
    (void)maker_text(&m, "asn"), (void)maker_uint(&m, MMDB_DATA_TYPE_UINT32, UINT32_MAX);
    maker_add(&m, "8.8.8.0/24", at);
    maker_write(&m, other);
    bool good = ipt_geo_open(paths, 2, NULL, &geo) == IPT_OK && ipt_geo_file_at(geo, 1).loaded;
    (void)unlink(path), (void)unlink(other), (void)rmdir(directory);
    return good ? 0 : -1;
}

static int close_geo(void **state)
{
    (void)state;
    ipt_geo_unref(geo);
    return 0;
}

static const struct {
    const char *addr, *told, *told_by, *text;
} rows[] = {
    {"8.8.8.8", NULL, NULL,
     "{\"continent_code\":null,\"continent_name\":null,\"country_code\":\"BR\",\"country_name\":null,\"is_eu\":null,"
     "\"registered_country_code\":null,\"represented_country_code\":null,\"represented_country_type\":null,"
     "\"region_code\":null,\"region_name\":null,\"city\":\"S\xc3\xa3o \\\"P\\\"\\\\\",\"postal_code\":null,"
     "\"latitude\":-23.5505,\"longitude\":-0.000001,\"accuracy_radius\":null,\"time_zone\":null,\"metro_code\":null,"
     "\"asn\":4294967295,\"as_name\":null,\"as_domain\":null,\"isp\":null,\"organization\":null,\"domain\":null,"
     "\"user_type\":null,\"connection_type\":null,\"is_anonymous\":false,\"is_anonymous_vpn\":null,"
     "\"is_hosting_provider\":null,\"is_public_proxy\":null,\"is_residential_proxy\":null,\"is_tor_exit_node\":null,"
     "\"anonymizer_confidence\":null,\"anonymizer_provider\":null,\"anonymizer_last_seen\":null,\"is_anycast\":null,"
     "\"header_country_code\":null,\"address\":\"8.8.8.8\",\"embedded\":false,\"not_covered\":[],\"sources\":{"
     "\"country_code\":\"City\",\"city\":\"City\",\"latitude\":\"City\",\"longitude\":\"City\",\"asn\":\"AS__4_\","
     "\"is_anonymous\":\"City\"}}"},
    {"2001:db8::1", "se", "cf-ipcountry",
     "{\"continent_code\":null,\"continent_name\":null,\"country_code\":null,\"country_name\":null,\"is_eu\":null,"
     "\"registered_country_code\":null,\"represented_country_code\":null,\"represented_country_type\":null,"
     "\"region_code\":null,\"region_name\":null,\"city\":null,\"postal_code\":null,"
     "\"latitude\":null,\"longitude\":null,\"accuracy_radius\":null,\"time_zone\":null,\"metro_code\":null,"
     "\"asn\":null,\"as_name\":null,\"as_domain\":null,\"isp\":null,\"organization\":null,\"domain\":null,"
     "\"user_type\":null,\"connection_type\":null,\"is_anonymous\":null,\"is_anonymous_vpn\":null,"
     "\"is_hosting_provider\":null,\"is_public_proxy\":null,\"is_residential_proxy\":null,\"is_tor_exit_node\":null,"
     "\"anonymizer_confidence\":null,\"anonymizer_provider\":null,\"anonymizer_last_seen\":null,\"is_anycast\":null,"
     "\"header_country_code\":\"SE\",\"address\":\"2001:db8::1\",\"embedded\":false,\"not_covered\":[\"AS__4_\"],"
     "\"sources\":{\"header_country_code\":\"cf-ipcountry\"}}"},
};

static void write_row(ipt_buf *out, size_t i)
{
    ipt_geo_facts facts;
    ipt_addr addr;
    assert_true(ipt_addr_parse(ipt_span_from(rows[i].addr), &addr, NULL));
    ipt_geo_lookup(geo, addr, IPT_GEO_ALL, &facts);
    ipt_json_write_geo(out, geo, &facts, ipt_span_from(rows[i].told), rows[i].told_by);
}

static void every_field_is_there_and_says_who_said_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_buf out = {0};
        write_row(&out, i);
        ipt_buf_addc(&out, '\0');
        assert_string_equal(out.p, rows[i].text);
        ipt_buf_done(&out);
    }
}

static void degrees_have_no_zeros_behind(void **state)
{
    (void)state;
    ipt_geo_facts facts;
    ipt_addr addr;
    ipt_buf out = {0};
    assert_true(ipt_addr_parse(IPT_SPAN("9.9.9.9"), &addr, NULL));
    ipt_geo_lookup(geo, addr, IPT_GEO_ALL, &facts);
    ipt_json_write_geo(&out, geo, &facts, (ipt_span){NULL, 0}, NULL);
    ipt_buf_addc(&out, '\0');
    assert_non_null(strstr(out.p, "\"latitude\":-90,\"longitude\":0,"));
    ipt_buf_done(&out);
}

static void without_memory_the_buffer_says_so(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        ipt_buf out = {0};
        failalloc_at(n);
        write_row(&out, 0);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(out.failed, failed);
        ipt_buf_done(&out);
        if (!failed)
            break;
        failures++;
    }
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_there_and_says_who_said_it),
        cmocka_unit_test(degrees_have_no_zeros_behind),
        cmocka_unit_test(without_memory_the_buffer_says_so),
    };
    return cmocka_run_group_tests(tests, open_geo, close_geo);
}
