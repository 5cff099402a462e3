/* Sets of prefixes: their order, the space of their union, what one has beyond another, their digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "sets.h"

static void sets_are_sorted_without_doubles(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"1.1.1.1", "1.1.1.1/32 "},
        {"2001:db8::/32 10.0.0.0/8", "10.0.0.0/8 2001:db8::/32 "},
        {"10.0.0.0/24 10.0.0.0/8 10.0.0.0/24 9.0.0.0/8", "9.0.0.0/8 10.0.0.0/8 10.0.0.0/24 "},
        {"::ffff:1.2.3.4 1.2.3.4/32", "1.2.3.4/32 "},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix_set set = set_of(rows[i][0]);
        char text[256] = "";
        for (size_t j = 0; j < set.count; j++) {
            ipt_prefix_format(set.items[j], text + strlen(text));
            strcat(text, " ");
        }
        assert_string_equal(text, rows[i][1]);
        ipt_prefix_set_done(&set);
        assert_null(set.items);
    }
}

static void space_is_that_of_the_union(void **state)
{
    static const struct {
        const char *set;
        uint64_t v4, v6;
    } rows[] = {
        {"", 0, 0},
        {"1.1.1.1", 1, 0},
        {"10.0.0.0/8", 1 << 24, 0},
        {"10.0.0.0/8 10.1.0.0/16 10.0.0.0/9", 1 << 24, 0}, /* nested */
        {"10.0.0.0/25 10.0.0.128/25", 256, 0},             /* adjacent */
        {"10.0.0.0/24 10.0.2.0/24", 512, 0},
        {"0.0.0.0/0", UINT64_C(1) << 32, 0},
        {"255.255.255.255 0.0.0.0", 2, 0},
        {"2600::/64", 0, 1},
        {"2600::1", 0, 1},                    /* a /64 is what a customer has */
        {"2600::1 2600::2 2600::/127", 0, 1}, /* the same /64 */
        {"2600::1 2600:0:0:1::1", 0, 2},
        {"2600::/63 2600::1", 0, 2},
        {"2600::/32", 0, UINT64_C(1) << 32},
        {"8000::/1", 0, UINT64_C(1) << 63},
        {"::/0", 0, UINT64_MAX}, /* saturates */
        {"::/1 8000::/1", 0, UINT64_MAX},
        {"1.0.0.0/8 2600::/48 2.0.0.0/8", 2 << 24, 65536},
        {"ffff:ffff:ffff:ffff::/64 ffff:ffff:ffff:fffe::/64", 0, 2},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix_set set = set_of(rows[i].set);
        ipt_space space = ipt_prefix_set_space(set);
        assert_int_equal(space.v4, rows[i].v4);
        assert_int_equal(space.v6, rows[i].v6);
        ipt_prefix_set_done(&set);
    }
}

static void what_another_set_covers_does_not_count(void **state)
{
    static const struct {
        const char *set, *other;
        uint64_t v4, v6;
    } rows[] = {
        {"", "10.0.0.0/8", 0, 0},
        {"10.0.0.0/24", "", 256, 0},
        {"10.0.0.0/24", "10.0.0.0/24", 0, 0},
        {"10.0.0.0/24", "10.0.0.0/8", 0, 0},
        {"10.0.0.0/24", "10.0.0.0/25 10.0.0.128/25", 0, 0}, /* split, the same */
        {"10.0.0.0/24", "10.0.0.64/26", 192, 0},            /* a hole */
        {"10.0.0.0/24", "10.0.0.1 10.0.0.3 10.0.0.255 10.0.0.0", 252, 0},
        {"10.0.0.0/24 10.0.2.0/24", "10.0.1.0/24 10.0.0.0/23", 256, 0},
        {"10.0.0.0/8", "9.0.0.0/8 11.0.0.0/8", 1 << 24, 0},
        {"0.0.0.0/0", "255.255.255.255", UINT32_MAX, 0},
        {"10.0.0.0/24", "2600::/32", 256, 0},
        {"2600::/32 10.0.0.0/24", "10.0.0.0/24", 0, UINT64_C(1) << 32},
        {"2600::/62", "2600::1", 0, 3},
        {"2600::1", "2600::2", 0, 0}, /* within a /64 nothing changes hands */
        {"::/0", "8000::/1", 0, UINT64_C(1) << 63},
        {"::/0", "ffff:ffff:ffff:ffff::", 0, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix_set set = set_of(rows[i].set), other = set_of(rows[i].other);
        ipt_space space = ipt_prefix_set_space_without(set, other);
        assert_int_equal(space.v4, rows[i].v4);
        assert_int_equal(space.v6, rows[i].v6);
        ipt_prefix_set_done(&set);
        ipt_prefix_set_done(&other);
    }
}

static void a_prefix_is_covered_to_its_last_address(void **state)
{
    static const struct {
        const char *set, *prefix;
        bool covers, overlaps;
    } rows[] = {
        {"", "10.0.0.0/8", false, false},
        {"10.0.0.0/8", "10.1.0.0/16", true, true},
        {"10.1.0.0/16", "10.0.0.0/8", false, true},
        {"10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8", true, true},
        {"10.0.0.0/9 10.128.0.0/10 10.192.0.0/11", "10.0.0.0/8", false, true},
        {"10.0.0.0/24 10.0.0.7", "10.0.0.0/25", true, true},
        {"10.0.1.0/24", "10.0.0.0/24", false, false},
        {"2600::1", "2600::/64", false, true}, /* here every address counts */
        {"2600::/64", "2600::1", true, true},
        {"2600::/65 2600:0:0:0:8000::/65", "2600::/64", true, true},
        {"::/0", "ffff::/16", true, true},
        {"8000::/1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true, true},
        {"::/1 8000::/1", "::/0", true, true},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix_set set = set_of(rows[i].set), prefix = set_of(rows[i].prefix);
        assert_int_equal(ipt_prefix_set_covers(set, prefix.items[0]), rows[i].covers);
        assert_int_equal(ipt_prefix_set_overlaps(set, prefix.items[0]), rows[i].overlaps);
        ipt_prefix_set_done(&set);
        ipt_prefix_set_done(&prefix);
    }
}

static void beyond_another_set_are_the_prefixes_that_it_does_not_cover(void **state)
{
    ipt_prefix_set set = set_of("10.0.0.0/24 10.0.1.0/24 11.0.0.0/8 2600::/32"),
                   other = set_of("10.0.0.0/23 11.0.0.0/9");
    ipt_prefix prefix;
    char text[IPT_PREFIX_TEXT];
    size_t at = 0;
    (void)state;
    assert_true(ipt_prefix_set_next_beyond(set, other, &at, &prefix));
    ipt_prefix_format(prefix, text);
    assert_string_equal(text, "11.0.0.0/8");
    assert_true(ipt_prefix_set_next_beyond(set, other, &at, &prefix));
    ipt_prefix_format(prefix, text);
    assert_string_equal(text, "2600::/32");
    assert_false(ipt_prefix_set_next_beyond(set, other, &at, &prefix));
    ipt_prefix_set_done(&set);
    ipt_prefix_set_done(&other);
}

static void the_digest_is_that_of_the_text(void **state)
{
    /* printf '10.0.0.0/8\n2001:db8::/32\n' | sha256sum */
    static const char expected[] = "sha256:dd3b6a74f444a73621f3f19674e0c3083f9b202efc2923f82c82b3dfe1dcabac";
    ipt_prefix_set set = set_of("2001:db8::/32 10.0.0.0/8 10.0.0.0/8"), none = {0};
    char text[IPT_DIGEST_TEXT];
    (void)state;
    ipt_digest_format(ipt_prefix_set_digest(set), text);
    assert_string_equal(text, expected);
    ipt_digest_format(ipt_prefix_set_digest(none), text);
    assert_string_equal(text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ipt_prefix_set_done(&set);
}

static void a_digest_reads_as_it_is_written_and_no_other_way(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", true},
        {"sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false},
        {"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85", false},
        {"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555", false},
        {"sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false},
        {"sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        ipt_digest digest;
        char again[IPT_DIGEST_TEXT];
        assert_int_equal(ipt_digest_parse(text, &digest), rows[i].good);
        if (rows[i].good) {
            ipt_digest_format(digest, again);
            assert_string_equal(again, rows[i].text);
        }
        free((void *)(uintptr_t)text.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_sorted_without_doubles),
        cmocka_unit_test(space_is_that_of_the_union),
        cmocka_unit_test(what_another_set_covers_does_not_count),
        cmocka_unit_test(a_prefix_is_covered_to_its_last_address),
        cmocka_unit_test(beyond_another_set_are_the_prefixes_that_it_does_not_cover),
        cmocka_unit_test(the_digest_is_that_of_the_text),
        cmocka_unit_test(a_digest_reads_as_it_is_written_and_no_other_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
