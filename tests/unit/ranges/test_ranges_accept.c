/* Acceptance: what is refused, what is held, what passes, at the edges of each rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "accept_priv.h"
#include "sets.h"

enum { NOW = 1800000000, DAY = 86400 };

typedef struct row {
    const char *active, *candidate;
    ipt_accept_outcome outcome;
    ipt_update_reason reason;
} row;

static ipt_accept_answer judge(const char *active, const char *candidate, const ipt_accept_limits *limits)
{
    ipt_feed old = {.set = set_of(active)}, new = {.set = set_of(candidate)};
    ipt_accept_question question = {
        .candidate = &new, .active = active[0] == '\0' ? NULL : &old, .limits = limits, .now = NOW};
    ipt_accept_answer answer = ipt_accept_judge(&question);
    ipt_feed_done(&old);
    ipt_feed_done(&new);
    return answer;
}

static void check_rows(const row *rows, size_t count, const ipt_accept_limits *limits)
{
    for (size_t i = 0; i < count; i++) {
        ipt_accept_answer answer = judge(rows[i].active, rows[i].candidate, limits);
        if (answer.outcome != rows[i].outcome || answer.why.reason != rows[i].reason)
            fail_msg("[%s] to [%s]: %s %s (%s)", rows[i].active, rows[i].candidate,
                     ipt_accept_outcome_name(answer.outcome), ipt_update_reason_name(answer.why.reason),
                     answer.why.text);
        assert_int_equal(answer.why.text[0] == '\0', answer.outcome >= IPT_ACCEPT_TAKE);
        assert_false(answer.by_hand);
    }
}

static void some_contents_are_refused_whatever_was_before(void **state)
{
    static const row rows[] = {
        {"", "8.8.8.0/24", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"", "", IPT_ACCEPT_REFUSE, IPT_UPDATE_EMPTY},
        {"8.8.8.0/24", "", IPT_ACCEPT_REFUSE, IPT_UPDATE_EMPTY},
        {"", "8.8.8.0/24 10.1.2.3", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "252.0.0.0/10", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "fc01:1::/32", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "2001:db8::1", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "192.0.0.0/9", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL}, /* holds some of it */
        {"", "0.0.0.0/0", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "::/0", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "2000::/3", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "8.0.0.0/7", IPT_ACCEPT_REFUSE, IPT_UPDATE_WIDE},
        {"", "8.0.0.0/8", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"", "2600::/19", IPT_ACCEPT_REFUSE, IPT_UPDATE_WIDE},
        {"", "2600::/20", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"", "2600::/20 2a00::", IPT_ACCEPT_REFUSE, IPT_UPDATE_LARGE},
        {"", "8.0.0.0/8 9.0.0.0/32", IPT_ACCEPT_REFUSE, IPT_UPDATE_LARGE},
        {"", "8.0.0.0/8 8.1.0.0/16", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* space, not entries */
    };
    (void)state;
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    check_rows(rows, IPT_COUNT(rows), &limits);
}

static void internal_lists_may_hold_private_space_and_nothing_else_special(void **state)
{
    static const row rows[] = {
        {"", "10.1.0.0/17 172.16.0.0/24 192.168.1.1 100.64.0.0/24 fd00:12::/64", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"", "172.0.0.0/12", IPT_ACCEPT_REFUSE, IPT_UPDATE_LARGE},
        {"", "172.0.0.0/10", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL}, /* more than the private part */
        {"", "127.0.0.1", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "169.254.1.1", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "fe80::1", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
        {"", "240.0.0.1", IPT_ACCEPT_REFUSE, IPT_UPDATE_SPECIAL},
    };
    (void)state;
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_NONE, IPT_KIND_OWN, true);
    check_rows(rows, IPT_COUNT(rows), &limits);
}

static void great_changes_of_large_families_are_held(void **state)
{
    static const row rows[] = {
        {"8.0.0.0/16", "8.0.0.0/16", IPT_ACCEPT_SAME, IPT_UPDATE_FINE},
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/17", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* the same space */
        /* lost: 25 % of 65,536 are 16,384 */
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/18", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/19 8.0.160.0/20", IPT_ACCEPT_HOLD, IPT_UPDATE_LOST},
        {"8.0.0.0/16", "9.0.0.0/16", IPT_ACCEPT_HOLD, IPT_UPDATE_LOST}, /* as large, elsewhere */
        {"8.0.0.0/17", "9.0.0.0/17", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* below the floor */
        {"8.0.0.0/17 8.0.128.0/18", "8.0.0.0/32", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        /* gained: 300 % */
        {"8.0.0.0/16", "8.0.0.0/14", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"8.0.0.0/16", "8.0.0.0/14 9.9.9.9", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
        /* 2^28 /64s are a /36 */
        {"2600::/36", "2600::/34", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"2600::/36", "2600::/34 2a00::1", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
        {"2600::/36", "2600::/37 2600:0:800::/38", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"2600::/36", "2600::/37", IPT_ACCEPT_HOLD, IPT_UPDATE_LOST},
        /* a family, of whatever size */
        {"8.8.8.8 2600::1", "8.8.8.8", IPT_ACCEPT_HOLD, IPT_UPDATE_GONE},
        {"8.8.8.8 2600::1", "2600::1", IPT_ACCEPT_HOLD, IPT_UPDATE_GONE},
    };
    (void)state;
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    check_rows(rows, IPT_COUNT(rows), &limits);
}

static void small_families_are_held_when_they_gain_many_times_their_size_and_more_than_a_few(void **state)
{
    static const row rows[] = {
        {"8.8.8.8", "8.8.8.0/24", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},         /* 255 more */
        {"8.8.8.8", "8.8.8.0/24 9.9.9.9", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* 256 more */
        {"8.8.8.8", "8.8.8.0/24 9.9.9.8/31", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
        {"8.8.8.0/24", "8.8.8.0/22 9.9.9.0/24", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* four times more */
        {"8.8.8.0/24", "8.8.8.0/22 9.9.9.0/24 9.9.8.0", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
        {"8.8.8.8", "8.8.8.8 2600::/56", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE}, /* a new family of 256 */
        {"8.8.8.8", "8.8.8.8 2600::/55", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
        {"8.8.8.8", "9.9.9.9", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
    };
    (void)state;
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    check_rows(rows, IPT_COUNT(rows), &limits);
}

static void limits_are_those_of_the_list(void **state)
{
    static const struct {
        ipt_provider provider;
        ipt_list_kind kind;
        unsigned bits;
    } rows[] = {
        {IPT_PROVIDER_CLOUDFLARE, IPT_KIND_PROXY, 22}, {IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, 24},
        {IPT_PROVIDER_AWS, IPT_KIND_PROXY, 24},        {IPT_PROVIDER_AWS, IPT_KIND_TENANTS, 28},
        {IPT_PROVIDER_NONE, IPT_KIND_OWN, 16},
    };
    static const row strict[] = {
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/18 8.0.192.0/19 8.0.224.0/20 8.0.240.0/21 8.0.248.0/22", IPT_ACCEPT_TAKE,
         IPT_UPDATE_FINE},
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/18 8.0.192.0/19 8.0.224.0/20", IPT_ACCEPT_HOLD, IPT_UPDATE_LOST},
        {"8.0.0.0/16", "8.0.0.0/15", IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {"8.0.0.0/16", "8.0.0.0/15 9.9.9.9", IPT_ACCEPT_HOLD, IPT_UPDATE_GAINED},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_accept_limits limits = ipt_accept_limits_for(rows[i].provider, rows[i].kind, false);
        assert_int_equal(limits.max_v4, UINT64_C(1) << rows[i].bits);
        assert_int_equal(limits.max_v6, UINT64_C(1) << 44);
        assert_int_equal(limits.lost, 25);
        assert_int_equal(limits.gained, 300);
    }
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    limits.lost = 5;
    limits.gained = 100;
    check_rows(strict, IPT_COUNT(strict), &limits);
}

static void small_steps_are_measured_against_a_week_ago_and_what_is_built_in(void **state)
{
    static const struct {
        ipt_space week, built_in;
        ipt_accept_outcome outcome;
    } rows[] = {
        {{1 << 17, 0}, {1 << 17, 0}, IPT_ACCEPT_TAKE},
        {{1 << 17, 0}, {(1 << 16) - 1, 0}, IPT_ACCEPT_TAKE}, /* small: 400 % */
        {{1 << 16, 0}, {1 << 17, 0}, IPT_ACCEPT_HOLD},
        {{1 << 17, 0}, {1 << 16, 0}, IPT_ACCEPT_HOLD},
        {{1 << 17, 0}, {0, 0}, IPT_ACCEPT_HOLD},
    };
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    ipt_feed old = {.set = set_of("8.0.0.0/15")}, new = {.set = set_of("8.0.0.0/14 9.9.0.0/17")};
    ipt_feed less = {.set = set_of("8.0.0.0/16 8.1.0.0/17")};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_accept_question question = {.candidate = &new,
                                        .active = &old,
                                        .week = &rows[i].week,
                                        .built_in = &rows[i].built_in,
                                        .limits = &limits,
                                        .now = NOW};
        assert_int_equal(ipt_accept_judge(&question).outcome, rows[i].outcome);
        question.candidate = &less; /* what gains nothing is not held for its size */
        assert_int_equal(ipt_accept_judge(&question).outcome, IPT_ACCEPT_TAKE);
    }
    ipt_feed_done(&old);
    ipt_feed_done(&new);
    ipt_feed_done(&less);
}

static void a_feed_may_not_go_back_nor_ahead(void **state)
{
    static const struct {
        ipt_feed_version active, candidate;
        ipt_accept_outcome outcome;
        ipt_update_reason reason;
    } rows[] = {
        {{"", 0, 0, 0, 0}, {"", 0, 0, 0, 0}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"7", 1, 0, 7, 0}, {"7", 1, 0, 7, 0}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"7", 1, 0, 7, 0}, {"8", 1, 0, 8, 0}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"7", 1, 0, 7, 0}, {"6", 1, 0, 6, 0}, IPT_ACCEPT_REFUSE, IPT_UPDATE_OLDER},
        {{"7", 1, 0, 7, 0}, {"", 0, 0, 0, 0}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"7", 1, 1, 7, 500}, {"8", 1, 1, 8, 400}, IPT_ACCEPT_REFUSE, IPT_UPDATE_OLDER}, /* the date goes back */
        {{"", 0, 1, 0, 500}, {"", 0, 1, 0, 500}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"", 0, 0, 0, 0}, {"x", 0, 1, 0, NOW + DAY}, IPT_ACCEPT_TAKE, IPT_UPDATE_FINE},
        {{"", 0, 0, 0, 0}, {"x", 0, 1, 0, NOW + DAY + 1}, IPT_ACCEPT_REFUSE, IPT_UPDATE_AHEAD},
        {{"", 0, 0, 0, 0}, {"x", 0, 1, 0, INT64_MAX}, IPT_ACCEPT_REFUSE, IPT_UPDATE_AHEAD},
    };
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_feed old = {set_of("8.8.8.8"), rows[i].active}, new = {set_of("9.9.9.9"), rows[i].candidate};
        ipt_accept_question question = {.candidate = &new, .active = &old, .limits = &limits, .now = NOW};
        ipt_accept_answer answer = ipt_accept_judge(&question);
        assert_int_equal(answer.outcome, rows[i].outcome);
        assert_int_equal(answer.why.reason, rows[i].reason);
        ipt_feed_done(&old);
        ipt_feed_done(&new);
    }
}

static void a_person_may_accept_what_is_held_and_with_rollback_what_is_older(void **state)
{
    static const struct {
        const char *candidate;
        uint64_t serial;
        bool other_digest, rollback;
        ipt_accept_outcome outcome;
        bool by_hand;
    } rows[] = {
        {"8.0.0.0/12", 2, false, false, IPT_ACCEPT_TAKE, true},
        {"8.0.0.0/12", 2, true, false, IPT_ACCEPT_HOLD, false}, /* something else was accepted */
        {"8.0.0.0/12", 2, true, true, IPT_ACCEPT_HOLD, false},
        {"8.0.0.0/12", 0, false, false, IPT_ACCEPT_REFUSE, false},
        {"8.0.0.0/12", 0, false, true, IPT_ACCEPT_TAKE, true},
        {"8.0.0.0/12", 0, true, true, IPT_ACCEPT_REFUSE, false},
        {"8.0.0.0/15", 2, false, false, IPT_ACCEPT_TAKE, false}, /* needed no word */
        {"8.0.0.0/7", 2, false, true, IPT_ACCEPT_REFUSE, false}, /* a refusal is no hold */
        {"10.0.0.0/16", 2, false, true, IPT_ACCEPT_REFUSE, false},
    };
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_feed old = {set_of("8.0.0.0/16"), {"1", true, false, 1, 0}};
        ipt_feed new = {set_of(rows[i].candidate), {"v", true, false, rows[i].serial, 0}};
        ipt_digest digest = ipt_prefix_set_digest(rows[i].other_digest ? old.set : new.set);
        ipt_accept_question question = {.candidate = &new,
                                        .active = &old,
                                        .limits = &limits,
                                        .now = NOW,
                                        .accepted = &digest,
                                        .rollback = rows[i].rollback};
        ipt_accept_answer answer = ipt_accept_judge(&question);
        assert_int_equal(answer.outcome, rows[i].outcome);
        assert_int_equal(answer.by_hand, rows[i].by_hand);
        assert_true(ipt_digest_equal(answer.digest, ipt_prefix_set_digest(new.set)));
        ipt_feed_done(&old);
        ipt_feed_done(&new);
    }
}

static void sentences_name_what_is_wrong(void **state)
{
    static const char *const rows[][3] = {
        {"", "252.0.0.0/10", "252.0.0.0/10 is special-purpose space, where no public proxy can be"},
        {"", "8.0.0.0/7", "8.0.0.0/7 is shorter than /8"},
        {"", "8.0.0.0/8 9.9.9.9", "16777217 IPv4 addresses, at most 16777216 are taken (max_addresses)"},
        {"8.8.8.8 2600::1", "8.8.8.8", "IPv6 is gone: the active list has 1 /64s"},
        {"8.0.0.0/16", "8.0.0.0/17", "IPv4 loses 50.0 % of its space, 32768 of 65536 addresses; 25 % are let pass"},
        {"8.0.0.0/16", "8.0.0.0/13", "IPv4 gains 458752 addresses where the active list has 65536; 300 % are let pass"},
        {"8.8.8.8", "8.8.8.8 2600::/48", "IPv6 is new with 65536 /64s: the active list has none"},
    };
    ipt_accept_limits limits = ipt_accept_limits_for(IPT_PROVIDER_FASTLY, IPT_KIND_PROXY, false);
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        assert_string_equal(judge(rows[i][0], rows[i][1], &limits).why.text, rows[i][2]);
}

static void the_difference_is_what_really_changes(void **state)
{
    static const struct {
        const char *active, *candidate, *text;
        size_t most;
    } rows[] = {
        {"8.0.0.0/16", "8.0.0.0/17 8.0.128.0/17", "", 9},
        {"8.0.0.0/16 9.9.9.9", "8.0.0.0/16 1.1.1.1 2600::/48", "- 9.9.9.9/32\n+ 1.1.1.1/32\n+ 2600::/48\n", 9},
        {"8.0.0.0/16", "1.1.1.1 1.1.1.3 1.1.1.5", "- 8.0.0.0/16\n+ 1.1.1.1/32\n+ ... and 2 more\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_prefix_set active = set_of(rows[i].active), candidate = set_of(rows[i].candidate);
        ipt_buf out = {0};
        ipt_accept_write_difference(&out, active, candidate, rows[i].most);
        ipt_buf_addc(&out, '\0');
        assert_false(out.failed);
        assert_string_equal(out.p, rows[i].text);
        ipt_buf_done(&out);
        ipt_prefix_set_done(&active);
        ipt_prefix_set_done(&candidate);
    }
}

static void the_past_knows_the_size_of_a_week_ago(void **state)
{
    ipt_accept_past past = {0};
    ipt_space space;
    (void)state;
    assert_false(ipt_accept_past_week_ago(&past, NOW, &space));
    for (int day = 0; day < 30; day++) {
        ipt_accept_past_add(&past, NOW + day * DAY, (ipt_space){(uint64_t)day + 1, 100});
        assert_true(past.count <= IPT_ACCEPT_PAST_MAX);
        assert_true(ipt_accept_past_week_ago(&past, NOW + day * DAY, &space));
        assert_int_equal(space.v4, day < 7 ? 1 : day - 6); /* the first, as long as nothing is a week old */
    }
    assert_true(ipt_accept_past_week_ago(&past, NOW + 300 * DAY, &space));
    assert_int_equal(space.v4, 30); /* nothing changed since */

    past.count = 0;
    ipt_accept_past_add(&past, NOW, (ipt_space){1, 1});
    ipt_accept_past_add(&past, NOW + DAY, (ipt_space){2, 2});
    assert_true(ipt_accept_past_week_ago(&past, NOW + 8 * DAY - 1, &space));
    assert_int_equal(space.v4, 1);
    assert_true(ipt_accept_past_week_ago(&past, NOW + 8 * DAY, &space));
    assert_int_equal(space.v4, 2);
}

static void of_one_day_the_smallest_size_counts(void **state)
{
    ipt_accept_past past = {0};
    ipt_space space;
    (void)state;
    ipt_accept_past_add(&past, NOW, (ipt_space){50, 5});
    ipt_accept_past_add(&past, NOW + 3600, (ipt_space){20, 9});
    ipt_accept_past_add(&past, NOW + 7200, (ipt_space){90, 7});
    assert_int_equal(past.count, 1);
    assert_true(ipt_accept_past_week_ago(&past, NOW + 7300, &space));
    assert_int_equal(space.v4, 20);
    assert_int_equal(space.v6, 5);
}

static void a_restart_and_a_clock_put_back_forget(void **state)
{
    ipt_accept_past past = {0};
    ipt_space space;
    (void)state;
    ipt_accept_past_add(&past, NOW, (ipt_space){50, 5});
    ipt_accept_past_restart(&past, NOW + DAY, (ipt_space){500, 0});
    assert_true(ipt_accept_past_week_ago(&past, NOW + 2 * DAY, &space));
    assert_int_equal(space.v4, 500);
    ipt_accept_past_add(&past, NOW, (ipt_space){7, 7}); /* the moment above lies ahead now */
    assert_int_equal(past.count, 1);
    assert_true(ipt_accept_past_week_ago(&past, NOW, &space));
    assert_int_equal(space.v4, 7);
}

/* Every prefix of the table of special space, seen from its edges: the class says the same of each address. */
static void special_space_is_all_that_is_not_global(void **state)
{
    static const char *const edges[] = {
        "0.0.0.0",      "0.255.255.255",   "1.0.0.0",     "9.255.255.255",   "10.0.0.0",     "10.255.255.255",
        "11.0.0.0",     "100.63.255.255",  "100.64.0.0",  "100.127.255.255", "100.128.0.0",  "126.255.255.255",
        "127.0.0.0",    "127.255.255.255", "128.0.0.0",   "169.253.255.255", "169.254.0.0",  "169.254.255.255",
        "169.255.0.0",  "172.15.255.255",  "172.16.0.0",  "172.31.255.255",  "172.32.0.0",   "191.255.255.255",
        "192.0.0.0",    "192.0.0.255",     "192.0.1.0",   "192.0.1.255",     "192.0.2.0",    "192.0.2.255",
        "192.0.3.0",    "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0",  "198.17.255.255",
        "198.18.0.0",   "198.19.255.255",  "198.20.0.0",  "198.51.99.255",   "198.51.100.0", "198.51.100.255",
        "198.51.101.0", "203.0.112.255",   "203.0.113.0", "203.0.113.255",   "203.0.114.0",  "223.255.255.255",
        "224.0.0.0",    "239.255.255.255", "240.0.0.0",   "255.255.255.255", "::",           "::1",
        "::ffff:0:0:0", "64:ff9b::",       "64:ff9b:1::", "100::",           "1fff:ffff::",  "2000::",
        "2001::",       "2001:1ff:ffff::", "2001:200::",  "2001:db7:ffff::", "2001:db8::",   "2001:db8:ffff::",
        "2001:db9::",   "2001:ffff::",     "2002::",      "2002:ffff::",     "2003::",       "3ffe:ffff::",
        "3fff::",       "3fff:fff::",      "3fff:1000::", "3fff:ffff::",     "4000::",       "5f00::",
        "7fff::",       "8000::",          "fbff::",      "fc00::",          "fdff::",       "fe80::",
        "febf::",       "fec0::",          "ff00::",      "ffff::",
    };
    uint64_t seed = 7;
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(edges) + 200000; i++) {
        ipt_addr addr;
        if (i < IPT_COUNT(edges)) {
            assert_true(ipt_addr_parse(ipt_span_from(edges[i]), &addr, NULL));
        } else {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            addr = i % 2 == 0 ? ipt_addr_from_v4((uint32_t)(seed >> 32)) : (ipt_addr){seed, seed << 7};
            if (i % 4 == 1)
                addr.hi = (addr.hi >> 3) | UINT64_C(0x2000000000000000);
            if (i % 8 == 3)
                addr.hi = (addr.hi >> 15) | UINT64_C(0x2000000000000000);
        }
        bool special = ipt_prefix_is_special(ipt_prefix_of(addr, 128), false);
        if (special != (ipt_addr_class(addr) != IPT_CLASS_GLOBAL)) {
            char text[IPT_ADDR_TEXT];
            ipt_addr_format(addr, text);
            fail_msg("%s is %s and %s", text, special ? "special" : "not special",
                     ipt_class_name(ipt_addr_class(addr)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_contents_are_refused_whatever_was_before),
        cmocka_unit_test(internal_lists_may_hold_private_space_and_nothing_else_special),
        cmocka_unit_test(great_changes_of_large_families_are_held),
        cmocka_unit_test(small_families_are_held_when_they_gain_many_times_their_size_and_more_than_a_few),
        cmocka_unit_test(limits_are_those_of_the_list),
        cmocka_unit_test(small_steps_are_measured_against_a_week_ago_and_what_is_built_in),
        cmocka_unit_test(a_feed_may_not_go_back_nor_ahead),
        cmocka_unit_test(a_person_may_accept_what_is_held_and_with_rollback_what_is_older),
        cmocka_unit_test(sentences_name_what_is_wrong),
        cmocka_unit_test(the_difference_is_what_really_changes),
        cmocka_unit_test(the_past_knows_the_size_of_a_week_ago),
        cmocka_unit_test(of_one_day_the_smallest_size_counts),
        cmocka_unit_test(a_restart_and_a_clock_put_back_forget),
        cmocka_unit_test(special_space_is_all_that_is_not_global),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
