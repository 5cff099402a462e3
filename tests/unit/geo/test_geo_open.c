/* Which files are taken: sound ones of every record size, and none that a look-up could be led astray by. What becomes
 * of a set when its files change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <maxminddb.h>

#include "failalloc.h"
#include "iptrust/geo/geo.h"
#include "maker.h"

static char directory[64];
static maker made;

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
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
    static const char *const names[] = {"a.mmdb", "b.mmdb", "c.mmdb"};
    for (size_t i = 0; i < IPT_COUNT(names); i++)
        (void)unlink(path_of(names[i]));
    return rmdir(directory);
}

static void make_country(maker *m, unsigned ip_version, unsigned record_size, const char *code)
{
    maker_init(m, ip_version, record_size, "Test-Country");
    maker_add(m, "8.8.8.0/24", maker_texts(m, (const char *const[]){"country_code", code, NULL}));
}

static ipt_geo *open_one(const ipt_geo *previous)
{
    const char *path = path_of("a.mmdb");
    ipt_geo *geo = NULL;
    assert_int_equal(ipt_geo_open(&path, 1, previous, &geo), IPT_OK);
    return geo;
}

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    assert_true(ipt_addr_parse(ipt_span_from(text), &addr, NULL));
    return addr;
}

static void expect_country(const ipt_geo *geo, const char *addr, const char *code)
{
    ipt_geo_facts facts;
    ipt_geo_lookup(geo, address(addr), IPT_GEO_ALL, &facts);
    ipt_span found = ipt_geo_has(&facts, IPT_GEO_COUNTRY_CODE) ? facts.values[IPT_GEO_COUNTRY_CODE].text : IPT_SPAN("");
    if (!ipt_span_equal(found, ipt_span_from(code)))
        fail_msg("%s is in \"%.*s\", not in \"%s\"", addr, (int)found.n, found.p, code);
}

static void every_record_size_and_family_is_read(void **state)
{
    (void)state;
    for (unsigned ip_version = 4; ip_version <= 6; ip_version += 2) {
        for (unsigned record_size = 24; record_size <= 32; record_size += 4) {
            make_country(&made, ip_version, record_size, "US");
            maker_write(&made, path_of("a.mmdb"));
            ipt_geo *geo = open_one(NULL);
            ipt_geo_file file = ipt_geo_file_at(geo, 0);
            assert_true(file.loaded);
            assert_int_equal(file.refusal, IPT_GEO_TAKEN);
            assert_string_equal(file.name, "a");
            assert_string_equal(file.type, "Test-Country");
            assert_int_equal(file.built, 1700000000);
            assert_int_equal(file.bytes, made.file_n);
            assert_int_equal(file.fields, IPT_GEO_BIT(IPT_GEO_COUNTRY_CODE));
            assert_int_equal(file.ipv4_only, ip_version == 4);
            expect_country(geo, "8.8.8.8", "US");
            expect_country(geo, "8.8.9.8", "");
            assert_int_equal(strlen(ipt_geo_revision(geo)), 8);
            ipt_geo_unref(geo);
        }
    }
}

/* ---- damage ---- */

static void cut_short(maker *m)
{
    m->file_n -= 40;
}

static void cut_to_the_tree(maker *m)
{
    m->file_n = 30;
}

static void nothing_left(maker *m)
{
    m->file_n = 0;
}

static void replace(maker *m, const char *key, unsigned skip, uint8_t byte)
{
    uint8_t *at = memmem(m->file, m->file_n, key, strlen(key));
    assert_non_null(at);
    at[strlen(key) + skip] = byte;
}

static void another_major_version(maker *m)
{
    replace(m, "binary_format_major_version", 2, 3);
}

static void a_record_size_of_twenty(maker *m)
{
    replace(m, "record_size", 2, 20);
}

static void an_ip_version_of_five(maker *m)
{
    replace(m, "ip_version", 2, 5);
}

static void more_nodes_than_bytes(maker *m)
{
    replace(m, "node_count", 3, 0xff);
}

static void fewer_nodes(maker *m)
{
    replace(m, "node_count", 4, 7);
}

static void built_at_the_end_of_time(maker *m)
{
    for (unsigned i = 2; i < 10; i++)
        replace(m, "build_epoch", i, 0xff);
}

static void a_language_that_is_a_number(maker *m)
{
    replace(m, "languages\x01\x04", 0, 0xa2);
}

static void a_key_that_is_a_number(maker *m)
{
    uint8_t *at = memmem(m->file, m->file_n,
                         "\x4c"
                         "country_code",
                         13);
    assert_non_null(at);
    *at = 0xa1;
}

static void a_text_into_the_metadata(maker *m)
{
    uint8_t *at = memmem(m->file, m->file_n, "\x42US", 3);
    assert_non_null(at);
    *at = 0x5c;
}

static void damages_of_the_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*damage)(maker *m);
        ipt_geo_refusal refusal;
    } damages[] = {
        {"cut short", cut_short, IPT_GEO_BAD_METADATA},
        {"cut to the tree", cut_to_the_tree, IPT_GEO_NO_METADATA},
        {"empty", nothing_left, IPT_GEO_NO_METADATA},
        {"another major version", another_major_version, IPT_GEO_BAD_METADATA},
        {"a record size of 20", a_record_size_of_twenty, IPT_GEO_BAD_METADATA},
        {"an IP version of 5", an_ip_version_of_five, IPT_GEO_BAD_METADATA},
        {"more nodes than bytes", more_nodes_than_bytes, IPT_GEO_BAD_METADATA},
        {"fewer nodes than there are", fewer_nodes, IPT_GEO_BAD_DATA},
        {"built at the end of time", built_at_the_end_of_time, IPT_GEO_BAD_METADATA},
        {"a language that is a number", a_language_that_is_a_number, IPT_GEO_BAD_METADATA},
        {"a key that is a number", a_key_that_is_a_number, IPT_GEO_BAD_DATA},
        {"a text that reaches into the metadata", a_text_into_the_metadata, IPT_GEO_BAD_DATA},
    };
    for (size_t i = 0; i < IPT_COUNT(damages); i++) {
        make_country(&made, 4, 24, "US");
        maker_build(&made);
        damages[i].damage(&made);
        maker_write_bytes(made.file, made.file_n, path_of("a.mmdb"));
        ipt_geo *geo = open_one(NULL);
        ipt_geo_file file = ipt_geo_file_at(geo, 0);
        if (file.refusal != damages[i].refusal || file.loaded)
            fail_msg("%s: %s", damages[i].what, ipt_geo_refusal_text(file.refusal));
        assert_null(ipt_geo_revision(geo));
        expect_country(geo, "8.8.8.8", "");
        ipt_geo_unref(geo);
    }
}

/* ---- trees and records ---- */

static uint32_t last_node(maker *m)
{
    return m->node_count - 1;
}

static void a_circle(maker *m)
{
    m->nodes[last_node(m)][1] = 1;
}

static void a_node_that_is_its_own_child(maker *m)
{
    m->nodes[last_node(m)][1] = last_node(m);
}

static void a_way_longer_than_the_address(maker *m)
{
    maker_add(m, "1.2.3.4/32", 0);
    /* the last bit of 1.2.3.4 leads on into a node */
    m->nodes[last_node(m)][0] = m->node_count;
    m->nodes[m->node_count++][0] = MAKER_LEAF;
}

/* The part of 0.0.0.0/32 below its fifth bit is walked first, and is 27 bits high where 8 are left. */
static void a_shared_part_that_is_too_high(maker *m)
{
    uint32_t end = last_node(m);
    maker_add(m, "0.0.0.0/32", 0);
    m->nodes[end][1] = end + 1;
}

static void a_record_in_the_separator(maker *m)
{
    m->nodes[last_node(m)][1] = MAKER_RAW + m->node_count + 15;
}

static void a_record_behind_the_data(maker *m)
{
    m->nodes[last_node(m)][1] = MAKER_RAW + m->node_count + 16 + m->data_n;
}

static void the_largest_record(maker *m)
{
    m->nodes[last_node(m)][1] = MAKER_RAW + 0xffffff;
}

static void a_pointer_circle(maker *m)
{
    uint32_t at = maker_map(m, 1);
    (void)maker_text(m, "a");
    (void)maker_pointer(m, at);
    maker_add(m, "9.0.0.0/8", at);
}

static void maps_in_maps(maker *m)
{
    uint32_t at = maker_map(m, 1);
    for (unsigned i = 0; i < 60; i++) {
        (void)maker_text(m, "a");
        (void)maker_map(m, 1);
    }
    (void)maker_text(m, "a");
    (void)maker_text(m, "b");
    maker_add(m, "9.0.0.0/8", at);
}

/* Each of 14 maps points twice at the one before: 2^14 values for who does not remember where it was, past any budget.
 */
static void a_fan_of_pointers(maker *m)
{
    uint32_t at = maker_text(m, "x");
    for (unsigned i = 0; i < 14; i++) {
        uint32_t map = maker_map(m, 2);
        (void)maker_text(m, "a");
        (void)maker_pointer(m, at);
        (void)maker_text(m, "b");
        (void)maker_pointer(m, at);
        at = map;
    }
    maker_add(m, "9.0.0.0/8", at);
}

static void a_record_that_begins_inside_another(maker *m)
{
    maker_add(m, "9.0.0.0/8", 1); /* the text of the key: no map, and no harm */
}

static void no_field_of_ours(maker *m)
{
    maker_init(m, 4, 24, "Other");
    maker_add(m, "8.8.8.0/24", maker_texts(m, (const char *const[]){"ip", "8.8.8.0", NULL}));
}

static void trees_and_records_are_walked_whole(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*make)(maker *m);
        ipt_geo_refusal refusal;
    } rows[] = {
        {"a circle of nodes", a_circle, IPT_GEO_BAD_TREE},
        {"a node that is its own child", a_node_that_is_its_own_child, IPT_GEO_BAD_TREE},
        {"a way longer than the address", a_way_longer_than_the_address, IPT_GEO_BAD_TREE},
        {"a shared part that is too high", a_shared_part_that_is_too_high, IPT_GEO_BAD_TREE},
        {"a record in the separator", a_record_in_the_separator, IPT_GEO_BAD_TREE},
        {"a record behind the data", a_record_behind_the_data, IPT_GEO_BAD_TREE},
        {"the largest record", the_largest_record, IPT_GEO_BAD_TREE},
        {"a circle of pointers", a_pointer_circle, IPT_GEO_BAD_DATA},
        {"60 maps in one another", maps_in_maps, IPT_GEO_BAD_DATA},
        {"a fan of pointers", a_fan_of_pointers, IPT_GEO_TAKEN},
        {"a record inside another", a_record_that_begins_inside_another, IPT_GEO_TAKEN},
        {"no field of ours", no_field_of_ours, IPT_GEO_NO_FIELDS},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        make_country(&made, 4, 24, "US");
        rows[i].make(&made);
        maker_write(&made, path_of("a.mmdb"));
        ipt_geo *geo = open_one(NULL);
        if (ipt_geo_file_at(geo, 0).refusal != rows[i].refusal)
            fail_msg("%s: %s", rows[i].what, ipt_geo_refusal_text(ipt_geo_file_at(geo, 0).refusal));
        expect_country(geo, "8.8.8.8", rows[i].refusal == IPT_GEO_TAKEN ? "US" : "");
        ipt_geo_unref(geo);
    }
}

/* ---- sets ---- */

static void a_file_that_is_no_plain_file_is_unreadable(void **state)
{
    (void)state;
    const char *paths[] = {directory, "/dev/null", "/nowhere/x.mmdb"};
    ipt_geo *geo = NULL;
    assert_int_equal(ipt_geo_open(paths, IPT_COUNT(paths), NULL, &geo), IPT_OK);
    for (size_t i = 0; i < IPT_COUNT(paths); i++)
        assert_int_equal(ipt_geo_file_at(geo, i).refusal, IPT_GEO_UNREADABLE);
    assert_string_equal(ipt_geo_file_at(geo, 2).name, "x");
    assert_int_equal(ipt_geo_fields(geo), 0);
    ipt_geo_unref(geo);
}

static void a_file_larger_than_the_limit_is_not_copied(void **state)
{
    (void)state;
    maker_write_bytes("x", 1, path_of("a.mmdb"));
    assert_int_equal(truncate(path_of("a.mmdb"), (off_t)IPT_GEO_BYTES_MAX + 1), 0);
    ipt_geo *geo = open_one(NULL);
    assert_int_equal(ipt_geo_file_at(geo, 0).refusal, IPT_GEO_TOO_LARGE);
    ipt_geo_unref(geo);
}

static void a_changed_file_is_noticed_and_a_bad_one_leaves_the_copy(void **state)
{
    (void)state;
    make_country(&made, 6, 28, "US");
    maker_write(&made, path_of("a.mmdb"));
    ipt_geo *first = open_one(NULL);
    assert_false(ipt_geo_is_outdated(first));
    make_country(&made, 6, 28, "DE");
    maker_write(&made, path_of("a.mmdb"));
    assert_true(ipt_geo_is_outdated(first));
    expect_country(first, "8.8.8.8", "US");

    ipt_geo *second = open_one(first);
    assert_false(ipt_geo_is_outdated(second));
    expect_country(second, "8.8.8.8", "DE");
    assert_string_not_equal(ipt_geo_revision(first), ipt_geo_revision(second));
    ipt_geo_unref(first);

    maker_write_bytes(made.file, made.file_n / 2, path_of("a.mmdb"));
    ipt_geo *third = open_one(second);
    ipt_geo_unref(second);
    assert_true(ipt_geo_file_at(third, 0).loaded);
    assert_int_equal(ipt_geo_file_at(third, 0).refusal, IPT_GEO_NO_METADATA);
    assert_false(ipt_geo_is_outdated(third)); /* it has been judged: not again until it changes */
    expect_country(third, "8.8.8.8", "DE");

    (void)unlink(path_of("a.mmdb"));
    assert_true(ipt_geo_is_outdated(third));
    ipt_geo *fourth = open_one(third);
    ipt_geo_unref(third);
    assert_int_equal(ipt_geo_file_at(fourth, 0).refusal, IPT_GEO_UNREADABLE);
    expect_country(fourth, "8.8.8.8", "DE");
    assert_false(ipt_geo_is_outdated(fourth));
    ipt_geo_unref(fourth);
}

static void truncating_and_overwriting_change_nothing_that_is_served(void **state)
{
    (void)state;
    make_country(&made, 6, 32, "US");
    maker_write(&made, path_of("a.mmdb"));
    ipt_geo *geo = open_one(NULL);
    assert_int_equal(truncate(path_of("a.mmdb"), 0), 0);
    expect_country(geo, "8.8.8.8", "US");
    assert_int_equal(truncate(path_of("a.mmdb"), (off_t)made.file_n), 0);
    expect_country(geo, "8.8.8.8", "US");
    ipt_geo *held = ipt_geo_ref(geo);
    ipt_geo_unref(geo);
    expect_country(held, "8.8.8.8", "US");
    ipt_geo_unref(held);
}

static void unchanged_files_are_shared(void **state)
{
    (void)state;
    make_country(&made, 6, 24, "US");
    maker_write(&made, path_of("a.mmdb"));
    ipt_geo *first = open_one(NULL);
    failalloc_at(0);
    ipt_geo *second = open_one(first);
    assert_true(failalloc_count() <= 3); /* the set, its path and its name: nothing was read */
    assert_string_equal(ipt_geo_revision(first), ipt_geo_revision(second));
    ipt_geo_unref(first);
    expect_country(second, "8.8.8.8", "US");
    ipt_geo_unref(second);
}

static void no_memory_is_a_fault_or_a_refusal_and_never_a_half_set(void **state)
{
    (void)state;
    make_country(&made, 6, 24, "US");
    maker_write(&made, path_of("a.mmdb"));
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        const char *path = path_of("a.mmdb");
        ipt_geo *geo = NULL;
        failalloc_at(n);
        ipt_err err = ipt_geo_open(&path, 1, NULL, &geo);
        bool failed = failalloc_happened();
        failalloc_at(0);
        if (err == IPT_OK) {
            assert_int_equal(ipt_geo_file_at(geo, 0).refusal, failed ? IPT_GEO_NO_COPY : IPT_GEO_TAKEN);
            expect_country(geo, "8.8.8.8", failed ? "" : "US");
        } else {
            assert_int_equal(err, IPT_ENOMEM);
            assert_null(geo);
        }
        ipt_geo_unref(geo);
        if (!failed)
            break;
        failures++;
    }
    assert_true(failures >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_size_and_family_is_read),
        cmocka_unit_test(damages_of_the_bytes_are_refused),
        cmocka_unit_test(trees_and_records_are_walked_whole),
        cmocka_unit_test(a_file_that_is_no_plain_file_is_unreadable),
        cmocka_unit_test(a_file_larger_than_the_limit_is_not_copied),
        cmocka_unit_test(a_changed_file_is_noticed_and_a_bad_one_leaves_the_copy),
        cmocka_unit_test(truncating_and_overwriting_change_nothing_that_is_served),
        cmocka_unit_test(unchanged_files_are_shared),
        cmocka_unit_test(no_memory_is_a_fault_or_a_refusal_and_never_a_half_set),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
