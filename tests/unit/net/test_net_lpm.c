/* The longest-prefix table against a reader that looks at every prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/net/lpm.h"

static uint64_t seed;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned n)
{
    return (unsigned)((draw() >> 33) % n);
}

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(text), &addr, NULL))
        fail_msg("\"%s\" is no address", text);
    return addr;
}

/* "10.0.0.0/8=3 ::/0=1": prefixes and their tags. */
static size_t read_entries(const char *text, ipt_lpm_entry *out)
{
    char copy[400], *rest = NULL;
    size_t n = 0;
    assert_true(strlen(text) < sizeof(copy));
    strcpy(copy, text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *sign = strchr(word, '=');
        assert_non_null(sign);
        out[n].tag = (uint16_t)strtoul(sign + 1, NULL, 10);
        assert_int_equal(ipt_prefix_parse((ipt_span){word, (size_t)(sign - word)}, &out[n].prefix), IPT_PREFIX_OK);
        n++;
    }
    return n;
}

/* "1/8 3/24": tags and lengths as people write them. */
static void print_members(const ipt_members *members, bool v4, char out[200])
{
    out[0] = '\0';
    for (uint32_t i = 0; i < members->count; i++) {
        char word[32];
        unsigned len = members->items[i].len;
        (void)snprintf(word, sizeof(word), "%s%u/%u", i == 0 ? "" : " ", members->items[i].tag, v4 ? len - 96 : len);
        strncat(out, word, 199 - strlen(out));
    }
}

static void an_address_is_in_the_lists_that_hold_it(void **state)
{
    (void)state;
    static const struct {
        const char *entries, *addr, *members;
    } rows[] = {
        {"", "192.0.2.1", ""},
        {"", "::", ""},
        {"0.0.0.0/0=1", "0.0.0.0", "1/0"},
        {"0.0.0.0/0=1", "255.255.255.255", "1/0"},
        {"0.0.0.0/0=1", "::1", ""},
        {"0.0.0.0/0=1", "::", ""},
        {"::/0=1", "::", "1/0"},
        {"::/0=1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1/0"},
        {"::/0=1", "0.0.0.0", ""},
        {"::/0=1", "255.255.255.255", ""},
        {"::/8=1", "192.0.2.1", ""},
        {"::/8=1", "::1", "1/8"},
        {"::/80=1", "192.0.2.1", ""},
        {"::/80=1", "::1", "1/80"},
        {"::fffe:0:0/95=1", "1.2.3.4", ""},
        {"::fffe:0:0/95=1", "::fffe:102:304", "1/95"},
        {"::/0=1 0.0.0.0/0=2", "8.8.8.8", "2/0"},
        {"::/0=1 0.0.0.0/0=2", "2001:db8::", "1/0"},
        {"::/0=1 ::/80=4 0.0.0.0/0=2 ::1:0:0:0/96=3", "8.8.8.8", "2/0"},
        {"::/0=1 ::/80=4 0.0.0.0/0=2 ::1:0:0:0/96=3", "::1:0:0:1", "1/0 3/96"},
        {"10.0.0.0/8=1", "10.255.255.255", "1/8"},
        {"10.0.0.0/8=1", "11.0.0.0", ""},
        {"10.0.0.0/8=1", "9.255.255.255", ""},
        {"10.0.0.0/8=1 10.1.0.0/16=1", "10.1.0.1", "1/16"},
        {"10.0.0.0/8=1 10.1.0.0/16=1", "10.2.0.1", "1/8"},
        {"10.0.0.0/8=2 10.1.0.0/16=1", "10.1.0.1", "1/16 2/8"},
        {"10.0.0.0/8=1 10.1.0.0/16=2 10.1.2.0/24=1", "10.1.2.3", "1/24 2/16"},
        {"10.0.0.0/8=1 10.0.0.0/8=1 10.0.0.0/8=1", "10.1.2.3", "1/8"},
        {"10.0.0.0/8=3 10.0.0.0/8=1 10.0.0.0/8=2 10.0.0.0/8=1", "10.1.2.3", "1/8 2/8 3/8"},
        {"10.0.0.0/8=65535 10.0.0.0/9=0", "10.1.2.3", "0/9 65535/8"},
        {"192.0.2.1/32=1", "192.0.2.1", "1/32"},
        {"192.0.2.1/32=1", "192.0.2.0", ""},
        {"192.0.2.1/32=1", "192.0.2.2", ""},
        {"255.255.255.255/32=1 0.0.0.0/32=2", "255.255.255.255", "1/32"},
        {"255.255.255.255/32=1 0.0.0.0/32=2", "0.0.0.0", "2/32"},
        {"255.255.255.255/32=1 0.0.0.0/32=2", "255.255.255.254", ""},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128=1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1/128"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128=1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", ""},
        {"::/128=1", "::", "1/128"},
        {"::/128=1", "::1", ""},
        {"2001:db8::/64=1 2001:db8::1/128=2", "2001:db8::1", "1/64 2/128"},
        {"2001:db8::/64=1 2001:db8::1/128=2", "2001:db8::2", "1/64"},
        {"2001:db8::/64=1 2001:db8::/65=2 2001:db8::/63=3", "2001:db8::7fff:0:0:0", "1/64 2/65 3/63"},
        {"2001:db8::/64=1 2001:db8::/65=2 2001:db8::/63=3", "2001:db8::8000:0:0:0", "1/64 3/63"},
        {"2001:db8::/64=1 2001:db8::/65=2 2001:db8::/63=3", "2001:db8:0:1::", "3/63"},
        {"2001:db8::1/128=1 2001:db8::2/128=2 2001:db8::3/128=3 2001:db8::4/128=4 2001:db8::5/128=5", "2001:db8::4",
         "4/128"},
        {"2001:db8::1/128=1 2001:db8::2/128=2 2001:db8::3/128=3 2001:db8::4/128=4 2001:db8::5/128=5", "2001:db8::6",
         ""},
        {"2001:db8::1/128=1 2001:db8:0:1::1/128=2 2001:db8:0:2::1/128=3", "2001:db8:0:1::1", "2/128"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_lpm) *lpm = NULL;
        ipt_lpm_entry entries[8];
        char got[200];
        assert_int_equal(ipt_lpm_build(entries, read_entries(rows[i].entries, entries), &lpm), IPT_OK);
        ipt_addr addr = address(rows[i].addr);
        ipt_lpm_prefetch(lpm, addr);
        print_members(ipt_lpm_find(lpm, addr), ipt_addr_is_v4(addr), got);
        if (strcmp(got, rows[i].members) != 0)
            fail_msg("%s in %s: \"%s\"", rows[i].addr, rows[i].entries, got);
    }
}

static void an_empty_table_needs_no_entries(void **state)
{
    (void)state;
    ipt_auto(ipt_lpm) *lpm = NULL;
    assert_int_equal(ipt_lpm_build(NULL, 0, &lpm), IPT_OK);
    const ipt_members *members = ipt_lpm_find(lpm, address("8.8.8.8"));
    assert_non_null(members);
    assert_int_equal(members->count, 0);
    assert_true(ipt_lpm_bytes(lpm) <= 600 * 1024);
    ipt_lpm_free(NULL);
}

/* The reference: for each tag the longest prefix that holds the address, one prefix after the other. */
static void check(const ipt_lpm *lpm, const ipt_lpm_entry *entries, size_t count, ipt_addr addr)
{
    int longest[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (size_t i = 0; i < count; i++) {
        const ipt_lpm_entry *e = &entries[i];
        if (e->prefix.len > longest[e->tag] && ipt_prefix_holds(e->prefix, addr))
            longest[e->tag] = e->prefix.len;
    }
    ipt_lpm_prefetch(lpm, addr);
    const ipt_members *members = ipt_lpm_find(lpm, addr);
    uint32_t at = 0;
    char text[IPT_ADDR_TEXT];
    (void)ipt_addr_format(addr, text);
    for (uint16_t tag = 0; tag < 8; tag++) {
        if (longest[tag] < 0)
            continue;
        if (at >= members->count || members->items[at].tag != tag || members->items[at].len != longest[tag])
            fail_msg("%s: tag %u /%d is missing or wrong", text, tag, longest[tag]);
        at++;
    }
    if (at != members->count)
        fail_msg("%s: %u members, not %u", text, members->count, at);
}

/* Random tables of several shapes: the bits that may differ from the base; few of them make prefixes nest and crowd. */
typedef struct shape {
    const char *base;
    unsigned len_min, len_max; /* over the 128 bits */
    unsigned spread_first, spread_last;
} shape;

static ipt_addr random_inside(const shape *s)
{
    ipt_addr addr = address(s->base);
    for (unsigned bit = s->spread_first; bit <= s->spread_last; bit++) {
        uint64_t mask = (draw() >> 40 & 1) << (63 - bit % 64);
        if (bit < 64)
            addr.hi ^= mask;
        else
            addr.lo ^= mask;
    }
    return addr;
}

static void check_around(const ipt_lpm *lpm, const ipt_lpm_entry *entries, size_t count, ipt_prefix p)
{
    ipt_addr first = p.addr, last = p.addr;
    last.hi |= p.len >= 64 ? 0 : UINT64_MAX >> p.len;
    last.lo |= p.len <= 64 ? UINT64_MAX : p.len == 128 ? 0 : UINT64_MAX >> (p.len - 64);
    check(lpm, entries, count, first);
    check(lpm, entries, count, last);
    check(lpm, entries, count, (ipt_addr){first.hi - (first.lo == 0), first.lo - 1});
    check(lpm, entries, count, (ipt_addr){last.hi + (last.lo == UINT64_MAX), last.lo + 1});
}

static void random_tables_answer_as_the_reference(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"0.0.0.0", 96, 128, 96, 127},     {"10.0.0.0", 104, 128, 104, 127},     {"192.0.2.0", 112, 128, 120, 127},
        {"10.20.0.0", 96, 128, 112, 127},  {"198.51.100.0", 121, 128, 116, 127}, {"::", 0, 128, 0, 127},
        {"2000::", 16, 64, 3, 63},         {"2001:db8::", 20, 48, 32, 47},       {"2001:db8::", 48, 128, 60, 70},
        {"2001:db8::", 64, 128, 120, 127}, {"2001:db8::", 60, 72, 56, 72},       {"2001:db8::ff:0:0", 90, 128, 88, 104},
        {"::", 90, 128, 80, 127},          {"2001:db8::1", 128, 128, 40, 70},
    };
    static const size_t sizes[] = {1, 2, 3, 5, 12, 40, 150, 400};
    enum { MOST = 400 };
    ipt_lpm_entry entries[MOST];
    seed = UINT64_C(88172645463325252);
    for (unsigned round = 0; round < 300; round++) {
        ipt_auto(ipt_lpm) *lpm = NULL;
        size_t count = sizes[below(IPT_COUNT(sizes))];
        const shape *used[3];
        for (size_t i = 0; i < IPT_COUNT(used); i++)
            used[i] = &shapes[below(IPT_COUNT(shapes))];
        for (size_t i = 0; i < count; i++) {
            const shape *s = used[below(IPT_COUNT(used))];
            unsigned len = s->len_min + below(s->len_max - s->len_min + 1);
            entries[i] = (ipt_lpm_entry){ipt_prefix_of(random_inside(s), len), (uint16_t)below(8)};
            if (i != 0 && below(8) == 0)
                entries[i].prefix = entries[below((unsigned)i)].prefix; /* the same prefix in two lists, or twice */
        }
        assert_int_equal(ipt_lpm_build(entries, count, &lpm), IPT_OK);
        for (size_t i = 0; i < count; i++)
            check_around(lpm, entries, count, entries[i].prefix);
        for (size_t i = 0; i < 100; i++)
            check(lpm, entries, count, random_inside(used[i % IPT_COUNT(used)]));
        for (size_t i = 0; i < 20; i++)
            check(lpm, entries, count, (ipt_addr){draw(), draw()});
    }
}

/* Every address of a crowded /16 and all its neighbours at once: nodes with a run for each byte value. */
static void a_crowded_network_answers_for_each_address(void **state)
{
    (void)state;
    enum { MOST = 700 };
    ipt_lpm_entry entries[MOST];
    ipt_auto(ipt_lpm) *lpm = NULL;
    size_t count = 0;
    for (unsigned i = 0; i < 256; i++) {
        entries[count++] =
            (ipt_lpm_entry){ipt_prefix_of(ipt_addr_from_v4(0xc0a80000U | i << 8), 120), (uint16_t)(i % 3)};
        entries[count++] =
            (ipt_lpm_entry){ipt_prefix_of(ipt_addr_from_v4(0xc0a80700U | i), 128), (uint16_t)(3 + i % 4)};
    }
    assert_int_equal(ipt_lpm_build(entries, count, &lpm), IPT_OK);
    for (uint32_t i = 0; i < 65536; i += 7)
        check(lpm, entries, count, ipt_addr_from_v4(0xc0a80000U + i));
    for (uint32_t i = 0; i < 256; i++)
        check(lpm, entries, count, ipt_addr_from_v4(0xc0a80700U + i));
}

static void a_chain_of_every_length_keeps_the_longest(void **state)
{
    (void)state;
    ipt_lpm_entry entries[129];
    ipt_auto(ipt_lpm) *lpm = NULL;
    ipt_addr ones = {UINT64_MAX, UINT64_MAX};
    for (unsigned len = 0; len <= 128; len++)
        entries[128 - len] = (ipt_lpm_entry){ipt_prefix_of(ones, len), (uint16_t)(len % 8)};
    assert_int_equal(ipt_lpm_build(entries, IPT_COUNT(entries), &lpm), IPT_OK);
    for (unsigned bit = 0; bit < 128; bit++) {
        ipt_addr addr = ones;
        if (bit < 64)
            addr.hi ^= UINT64_C(1) << (63 - bit);
        else
            addr.lo ^= UINT64_C(1) << (127 - bit);
        check(lpm, entries, IPT_COUNT(entries), addr);
    }
    check(lpm, entries, IPT_COUNT(entries), ones);
}

static void a_look_up_allocates_nothing(void **state)
{
    (void)state;
    ipt_auto(ipt_lpm) *lpm = NULL;
    ipt_lpm_entry entries[8];
    size_t count = read_entries("10.0.0.0/8=1 10.1.2.3/32=2 2001:db8::/32=1 2001:db8::1/128=3", entries);
    assert_int_equal(ipt_lpm_build(entries, count, &lpm), IPT_OK);
    failalloc_at(1);
    ipt_lpm_prefetch(lpm, address("10.1.2.3"));
    assert_int_equal(ipt_lpm_find(lpm, address("10.1.2.3"))->count, 2);
    assert_int_equal(ipt_lpm_find(lpm, address("2001:db8::1"))->count, 2);
    assert_false(failalloc_happened());
    failalloc_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_in_the_lists_that_hold_it),
        cmocka_unit_test(an_empty_table_needs_no_entries),
        cmocka_unit_test(random_tables_answer_as_the_reference),
        cmocka_unit_test(a_crowded_network_answers_for_each_address),
        cmocka_unit_test(a_chain_of_every_length_keeps_the_longest),
        cmocka_unit_test(a_look_up_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
