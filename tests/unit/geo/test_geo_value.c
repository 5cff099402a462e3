/* Values of a data section, byte by byte: what is read, and what is refused because it would lead outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "geo_priv.h"

typedef struct row {
    const char *what, *bytes;
    size_t n;
    bool ok;
    uint8_t type;
    uint32_t size, next;
} row;

#define B(literal) literal, sizeof(literal) - 1

static const row rows[] = {
    {"a short text", B("\x43yes"), true, MMDB_DATA_TYPE_UTF8_STRING, 3, 4},
    {"an empty text", B("\x40"), true, MMDB_DATA_TYPE_UTF8_STRING, 0, 1},
    {"a text that goes on outside", B("\x44yes"), false, 0, 0, 0},
    {"a text of 29 bytes",
     B("\x5d\x00"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
     true, MMDB_DATA_TYPE_UTF8_STRING, 29, 31},
    {"a size byte outside", B("\x5d"), false, 0, 0, 0},
    {"two size bytes, one outside", B("\x5e\x00"), false, 0, 0, 0},
    {"three size bytes, one outside", B("\x5f\x00\x00"), false, 0, 0, 0},
    {"the largest text there is", B("\x5f\xff\xff\xff"), false, 0, 0, 0},
    {"a double", B("\x68\x00\x00\x00\x00\x00\x00\x00\x00"), true, MMDB_DATA_TYPE_DOUBLE, 8, 9},
    {"a double of seven bytes", B("\x67\x00\x00\x00\x00\x00\x00\x00"), false, 0, 0, 0},
    {"a uint16", B("\xa2\x01\x02"), true, MMDB_DATA_TYPE_UINT16, 2, 3},
    {"a uint16 of three bytes", B("\xa3\x01\x02\x03"), false, 0, 0, 0},
    {"a uint32 of no bytes, which is 0", B("\xc0"), true, MMDB_DATA_TYPE_UINT32, 0, 1},
    {"a uint32 of five bytes", B("\xc5\x01\x02\x03\x04\x05"), false, 0, 0, 0},
    {"a uint64", B("\x01\x02\x07"), true, MMDB_DATA_TYPE_UINT64, 1, 3},
    {"a boolean", B("\x01\x07"), true, MMDB_DATA_TYPE_BOOLEAN, 1, 2},
    {"a boolean of two", B("\x02\x07"), false, 0, 0, 0},
    {"a float", B("\x04\x08\x00\x00\x00\x00"), true, MMDB_DATA_TYPE_FLOAT, 4, 6},
    {"a float of three bytes", B("\x03\x08\x00\x00\x00"), false, 0, 0, 0},
    {"a map",
     B("\xe1\x41"
       "a\x41"
       "b"),
     true, MMDB_DATA_TYPE_MAP, 1, 1},
    {"a map with more pairs than bytes",
     B("\xe3\x41"
       "a\x41"
       "b"),
     false, 0, 0, 0},
    {"an array", B("\x01\x04\x40"), true, MMDB_DATA_TYPE_ARRAY, 1, 2},
    {"an array with more items than bytes", B("\x02\x04\x40"), false, 0, 0, 0},
    {"the type byte outside", B("\x01"), false, 0, 0, 0},
    {"an extended type that is none", B("\x01\x00"), false, 0, 0, 0},
    {"a container, which is no value", B("\x00\x05"), false, 0, 0, 0},
    {"an end marker, which is no value", B("\x00\x06"), false, 0, 0, 0},
    {"a type beyond the last", B("\x00\x09"), false, 0, 0, 0},
    {"a pointer to the start", B("\x20\x00"), true, MMDB_DATA_TYPE_POINTER, 0, 2},
    {"a pointer behind the end", B("\x20\x02"), false, 0, 0, 0},
    {"a pointer with a byte outside", B("\x28\x00"), false, 0, 0, 0},
    {"a long pointer", B("\x38\x00\x00\x00\x01"), true, MMDB_DATA_TYPE_POINTER, 1, 5},
    {"the longest pointer", B("\x38\xff\xff\xff\xff"), false, 0, 0, 0},
    {"nothing", B(""), false, 0, 0, 0},
};

static void each_value_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span bytes = exact_n(rows[i].bytes, rows[i].n);
        geo_section section = {(const uint8_t *)bytes.p, (uint32_t)bytes.n};
        geo_value value = {0};
        bool ok = geo_value_read(&section, 0, &value);
        if (ok != rows[i].ok ||
            (ok && (value.type != rows[i].type || value.size != rows[i].size || value.next != rows[i].next)))
            fail_msg("%s: ok %d type %u size %u next %u", rows[i].what, ok, value.type, value.size, value.next);
        assert_false(geo_value_read(&section, section.n, &value));
        free((void *)(uintptr_t)bytes.p);
    }
}

static void a_pointer_must_not_lead_to_a_pointer(void **state)
{
    (void)state;
    static const char text[] = "\x20\x02\x20\x04\x41z";
    ipt_span bytes = exact_n(text, sizeof(text) - 1);
    geo_section section = {(const uint8_t *)bytes.p, (uint32_t)bytes.n};
    geo_value value;
    assert_false(geo_value_follow(&section, 0, &value));
    assert_true(geo_value_follow(&section, 2, &value));
    assert_int_equal(value.type, MMDB_DATA_TYPE_UTF8_STRING);
    free((void *)(uintptr_t)bytes.p);
}

static void skipping_passes_all_that_is_inside(void **state)
{
    (void)state;
    /* {"a": ["b", {"c": 1}], "d": pointer} "e" */
    static const char text[] = "\xe2\x41"
                               "a\x02\x04\x41"
                               "b\xe1\x41"
                               "c\xa1\x01\x41"
                               "d\x20\x00\x41"
                               "e";
    ipt_span bytes = exact_n(text, sizeof(text) - 1);
    geo_section section = {(const uint8_t *)bytes.p, (uint32_t)bytes.n};
    uint32_t next = 0;
    assert_true(geo_value_skip(&section, 0, &next));
    assert_int_equal(next, sizeof(text) - 1 - 2);
    section.n -= 3; /* the last value of the map is cut off */
    assert_false(geo_value_skip(&section, 0, &next));
    free((void *)(uintptr_t)bytes.p);
}

static void only_text_fit_to_be_shown_is_clean(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool clean;
    } texts[] = {
        {"Berlin", true},
        {"S\xc3\xa3o Paulo", true},
        {"\xe6\x9d\xb1\xe4\xba\xac", true},
        {"", false},
        {"a\nb", false},
        {"a\x1b[31mb", false},
        {"\x7f", false},
        {"\xc2\x9b", false},
        {"\xff", false},
        {"\xc0\xaf", false},
        {"\xed\xa0\x80", false},
        {"a\xe2\x82", false},
        {"\xc2\xa0x", true},
    };
    for (size_t i = 0; i < IPT_COUNT(texts); i++) {
        ipt_span text = exact(texts[i].text);
        if (geo_text_is_clean(text) != texts[i].clean)
            fail_msg("row %zu", i);
        free((void *)(uintptr_t)text.p);
    }
    char large[IPT_GEO_TEXT_MAX + 1];
    memset(large, 'x', sizeof(large));
    assert_true(geo_text_is_clean((ipt_span){large, IPT_GEO_TEXT_MAX}));
    assert_false(geo_text_is_clean((ipt_span){large, IPT_GEO_TEXT_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_is_read_or_refused),
        cmocka_unit_test(a_pointer_must_not_lead_to_a_pointer),
        cmocka_unit_test(skipping_passes_all_that_is_inside),
        cmocka_unit_test(only_text_fit_to_be_shown_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
