/* The geo object as a message: every field at its place, presence where zero and false are answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <iptrust/v1/iptrust.pb-c.h>

#include "put_priv.h"

static ipt_geo *open_one(void)
{
    const char *path = "/nowhere/City.mmdb";
    ipt_geo *geo = NULL;
    assert_int_equal(ipt_geo_open(&path, 1, NULL, &geo), IPT_OK);
    return geo;
}

static void fill(ipt_geo_facts *facts)
{
    static const char *const words[] = {"a0", "b1", "c2", "d3", "e4", "f5", "g6"};
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++) {
        facts->present |= UINT64_C(1) << i;
        ipt_geo_value *value = &facts->values[i];
        switch (ipt_geo_field_type((ipt_geo_field)i)) {
        case IPT_GEO_TEXT:
            value->text = ipt_span_from(words[i % IPT_COUNT(words)]);
            break;
        case IPT_GEO_UINT:
            value->uint = 1000 + i;
            break;
        case IPT_GEO_NUMBER:
            value->number = 0;
            break;
        case IPT_GEO_FLAG:
            value->flag = false;
            break;
        }
    }
}

/* By the descriptor: what the message holds for a field's name. */
static void expect_field(const Iptrust__V1__Geo *geo, ipt_geo_field field, const ipt_geo_value *value)
{
    const ProtobufCFieldDescriptor *d =
        protobuf_c_message_descriptor_get_field_by_name(geo->base.descriptor, ipt_geo_field_name(field));
    assert_non_null(d);
    const char *at = (const char *)geo + d->offset;
    const uint32_t *which = (const void *)((const char *)geo + d->quantifier_offset);
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT: {
        const char *text;
        memcpy(&text, at, sizeof(text));
        assert_true(ipt_span_equal(ipt_span_from(text), value->text));
        break;
    }
    case IPT_GEO_UINT:
        assert_memory_equal(at, &value->uint, sizeof(value->uint));
        break;
    case IPT_GEO_NUMBER:
        assert_int_equal(*which, d->id);
        assert_memory_equal(at, &value->number, sizeof(value->number));
        break;
    case IPT_GEO_FLAG:
        assert_int_equal(*which, d->id);
        break;
    }
}

static void every_field_arrives(void **state)
{
    static uint8_t bytes[8192];
    ipt_arena *arena = NULL;
    ipt_geo_facts facts = {.addr = ipt_addr_from_v4(0x08080808), .embedded = true, .not_covered = 1};
    ipt_geo *geo = open_one();
    (void)state;
    assert_int_equal(ipt_arena_new(4096, 0, &arena), IPT_OK);
    rpc_maker maker = {arena, false};
    fill(&facts);
    Iptrust__V1__Geo *made = rpc_put_geo(&maker, geo, &facts, IPT_SPAN("se"), IPT_SPAN("cf-ipcountry"));
    assert_non_null(made);
    assert_false(maker.failed);
    size_t n = iptrust__v1__geo__get_packed_size(made);
    assert_true(n <= sizeof(bytes));
    assert_int_equal(iptrust__v1__geo__pack(made, bytes), n);
    Iptrust__V1__Geo *read = iptrust__v1__geo__unpack(NULL, n, bytes);
    assert_non_null(read);
    for (unsigned i = 0; i < IPT_GEO_FIELDS; i++)
        expect_field(read, (ipt_geo_field)i, &facts.values[i]);
    assert_string_equal(read->header_country_code, "SE");
    assert_string_equal(read->address, "8.8.8.8");
    assert_true(read->embedded);
    assert_int_equal(read->n_not_covered, 1);
    assert_string_equal(read->not_covered[0], "City");
    assert_int_equal(read->n_sources, IPT_GEO_FIELDS + 1);
    iptrust__v1__geo__free_unpacked(read, NULL);
    ipt_arena_free(arena);
    ipt_geo_unref(geo);
}

static void what_nobody_said_is_absent(void **state)
{
    ipt_arena *arena = NULL;
    const ipt_geo_facts facts = {.addr = {0, 1}};
    const ipt_span none = {NULL, 0};
    (void)state;
    assert_int_equal(ipt_arena_new(4096, 0, &arena), IPT_OK);
    rpc_maker maker = {arena, false};
    Iptrust__V1__Geo *made = rpc_put_geo(&maker, NULL, &facts, none, none);
    assert_non_null(made);
    assert_int_equal(made->n_sources + made->n_not_covered, 0);
    assert_string_equal(made->country_code, "");
    assert_int_equal(made->is_eu_value_case, 0);
    assert_int_equal(made->latitude_value_case, 0);
    assert_string_equal(made->address, "::1");
    ipt_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(what_nobody_said_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
