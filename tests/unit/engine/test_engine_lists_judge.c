/* What becomes of a fetch and of a person's word: which contents are active, which are held, and what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine_priv.h"
#include "sets.h"

enum { DAY = 86400 };
static const int64_t now = 1800000000;

#define SMALL "198.51.99.0/24"
#define MORE  "198.51.98.0/24 198.51.99.0/24"
#define WIDE  "5.0.0.0/16"
#define OTHER "5.1.0.0/16"

static void put(list_contents *out, const char *text, uint64_t serial, int64_t at)
{
    if (text == NULL)
        return;
    *out = (list_contents){.there = true, .feed = {.set = set_of(text)}, .fetched_at = at, .changed_at = at};
    out->feed.version = (ipt_feed_version){.has_serial = serial != 0, .serial = serial};
}

static void assert_set(const list_contents *contents, const char *text)
{
    ipt_prefix_set expected = text == NULL ? (ipt_prefix_set){0} : set_of(text);
    assert_int_equal(contents->there, text != NULL);
    assert_true(ipt_prefix_set_equal(contents->feed.set, expected));
    ipt_prefix_set_done(&expected);
}

static ipt_list_spec spec_of(const char *digest)
{
    return (ipt_list_spec){.name = "partners",
                           .source = IPT_SOURCE_URL,
                           .kind = IPT_KIND_OWN,
                           .hold_lost = -1,
                           .hold_gained = -1,
                           .accept_digest = digest};
}

static void done(living_list *list)
{
    list_contents_done(&list->built_in);
    list_contents_done(&list->active);
    list_contents_done(&list->held);
}

typedef struct row {
    const char *what, *built_in, *active, *held; /* NULL: not there */
    uint64_t active_serial;
    list_fetched outcome;
    const char *feed;
    uint64_t feed_serial;
    list_event event;
    const char *after, *held_after, *why; /* why: part of what is said */
} row;

static void check_take(const row *r)
{
    ipt_list_spec spec = spec_of(NULL);
    living_list list = {.spec = &spec, .name = "partners", .part_count = 1, .parts = {{.etag = "old"}}};
    list_answer answer = {.outcome = r->outcome, .why = "as fetched"};
    const list_job job = {.part_count = 1, .parts = {{.etag = "new"}}};
    ipt_accept_answer judged;
    put(&list.built_in, r->built_in, r->active_serial, now - 30 * DAY);
    put(&list.active, r->active, r->active_serial, now - DAY);
    put(&list.held, r->held, 0, now - DAY);
    list_contents feed = {0};
    put(&feed, r->feed, r->feed_serial, now);
    answer.feed = feed.feed;
    list_event event = list_take(&list, &answer, &job, now, &judged);
    if (event != r->event || list.event != r->event || strstr(list.event_why, r->why) == NULL)
        fail_msg("%s: %s, \"%s\"", r->what, list_event_name(event), list.event_why);
    assert_int_equal(list.event_at, now);
    assert_set(&list.active, r->after);
    assert_set(&list.held, r->held_after);
    bool success = event == LIST_UPDATED || event == LIST_UNCHANGED;
    if (list.active.there) /* only a success is an age that begins anew */
        assert_int_equal(list.active.fetched_at, success ? now : now - DAY);
    /* Validators belong to the contents that they came with. */
    bool taken = success && r->outcome == LIST_FETCH_PARSED;
    assert_string_equal(list.parts[0].etag, taken ? "new" : "old");
    ipt_feed_done(&answer.feed); /* what was not taken over is still the caller's */
    done(&list);
}

static void a_fetch_ends_as_one_of_six(void **state)
{
    static const row rows[] = {
        {"the first", NULL, NULL, NULL, 0, LIST_FETCH_PARSED, SMALL, 0, LIST_UPDATED, SMALL, NULL, ""},
        {"the first of a snapshot", SMALL, NULL, NULL, 0, LIST_FETCH_PARSED, MORE, 0, LIST_UPDATED, MORE, NULL, ""},
        {"a change", NULL, SMALL, NULL, 0, LIST_FETCH_PARSED, MORE, 0, LIST_UPDATED, MORE, NULL, ""},
        {"the same", NULL, SMALL, NULL, 0, LIST_FETCH_PARSED, SMALL, 0, LIST_UNCHANGED, SMALL, NULL, ""},
        {"304", NULL, SMALL, NULL, 0, LIST_FETCH_UNCHANGED, NULL, 0, LIST_UNCHANGED, SMALL, NULL, "as fetched"},
        {"304 ends what is held", NULL, SMALL, WIDE, 0, LIST_FETCH_UNCHANGED, NULL, 0, LIST_UNCHANGED, SMALL, NULL, ""},
        {"304 of nothing", NULL, NULL, NULL, 0, LIST_FETCH_UNCHANGED, NULL, 0, LIST_FAILED, NULL, NULL, ""},
        {"304 of a snapshot", SMALL, NULL, NULL, 0, LIST_FETCH_UNCHANGED, NULL, 0, LIST_FAILED, NULL, NULL, ""},
        {"a gain", NULL, SMALL, NULL, 0, LIST_FETCH_PARSED, WIDE, 0, LIST_HELD, SMALL, WIDE, "IPv4 gains"},
        {"a gain over a snapshot", SMALL, NULL, NULL, 0, LIST_FETCH_PARSED, WIDE, 0, LIST_HELD, NULL, WIDE, "IPv4"},
        {"a later one takes its place", NULL, SMALL, WIDE, 0, LIST_FETCH_PARSED, OTHER, 0, LIST_HELD, SMALL, OTHER, ""},
        {"a good one ends what is held", NULL, SMALL, WIDE, 0, LIST_FETCH_PARSED, MORE, 0, LIST_UPDATED, MORE, NULL,
         ""},
        {"the same ends what is held", NULL, SMALL, WIDE, 0, LIST_FETCH_PARSED, SMALL, 0, LIST_UNCHANGED, SMALL, NULL,
         ""},
        {"private space", NULL, SMALL, NULL, 0, LIST_FETCH_PARSED, "10.0.0.0/24", 0, LIST_REFUSED, SMALL, NULL,
         "10.0.0.0/24"},
        {"private space keeps what is held", NULL, SMALL, WIDE, 0, LIST_FETCH_PARSED, "10.0.0.0/24", 0, LIST_REFUSED,
         SMALL, WIDE, ""},
        {"an older one waits for a rollback", NULL, SMALL, NULL, 7, LIST_FETCH_PARSED, MORE, 6, LIST_REFUSED, SMALL,
         MORE, "older"},
        {"an older one leaves what is held", NULL, SMALL, WIDE, 7, LIST_FETCH_PARSED, MORE, 6, LIST_REFUSED, SMALL,
         WIDE, "older"},
        {"a newer one", NULL, SMALL, NULL, 7, LIST_FETCH_PARSED, MORE, 8, LIST_UPDATED, MORE, NULL, ""},
        {"one version, two contents", NULL, SMALL, NULL, 7, LIST_FETCH_PARSED, MORE, 7, LIST_UPDATED, MORE, NULL,
         "version is that of"},
        {"one version, one contents", NULL, SMALL, NULL, 7, LIST_FETCH_PARSED, SMALL, 7, LIST_UNCHANGED, SMALL, NULL,
         ""},
        {"no list at all", NULL, SMALL, WIDE, 0, LIST_FETCH_REFUSED, NULL, 0, LIST_REFUSED, SMALL, WIDE, "as fetched"},
        {"no body", NULL, SMALL, WIDE, 0, LIST_FETCH_FAILED, NULL, 0, LIST_FAILED, SMALL, WIDE, "as fetched"},
        {"no body, no list", NULL, NULL, NULL, 0, LIST_FETCH_FAILED, NULL, 0, LIST_FAILED, NULL, NULL, "as fetched"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        check_take(&rows[i]);
}

static void what_is_held_keeps_the_time_of_its_first_appearance(void **state)
{
    ipt_list_spec spec = spec_of(NULL);
    living_list list = {.spec = &spec};
    const list_job job = {0};
    (void)state;
    put(&list.active, SMALL, 0, now);
    for (int day = 1; day <= 3; day++) {
        list_contents feed = {0};
        ipt_accept_answer judged;
        put(&feed, WIDE, 0, now);
        list_answer answer = {.outcome = LIST_FETCH_PARSED, .feed = feed.feed};
        assert_int_equal(list_take(&list, &answer, &job, now + day * DAY, &judged), LIST_HELD);
        assert_int_equal(list.held.changed_at, now + DAY);
        assert_int_equal(list.held.fetched_at, now + day * DAY);
        assert_int_equal(list.active.fetched_at, now); /* the list ages on */
    }
    done(&list);
}

static void digest_of(const char *text, char out[IPT_DIGEST_TEXT])
{
    ipt_prefix_set set = set_of(text);
    ipt_digest_format(ipt_prefix_set_digest(set), out);
    ipt_prefix_set_done(&set);
}

static void a_word_in_the_configuration_takes_exactly_its_contents(void **state)
{
    char digest[IPT_DIGEST_TEXT];
    digest_of(WIDE, digest);
    ipt_list_spec spec = spec_of(digest);
    static const struct {
        const char *feed;
        list_event event;
    } rows[] = {{OTHER, LIST_HELD}, {WIDE, LIST_UPDATED}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        living_list list = {.spec = &spec};
        const list_job job = {0};
        list_contents feed = {0};
        ipt_accept_answer judged;
        put(&list.active, SMALL, 0, now - DAY);
        put(&feed, rows[i].feed, 0, now);
        list_answer answer = {.outcome = LIST_FETCH_PARSED, .feed = feed.feed};
        assert_int_equal(list_take(&list, &answer, &job, now, &judged), rows[i].event);
        assert_int_equal(list.has_accepted, rows[i].event == LIST_UPDATED);
        done(&list);
    }
}

/* A person's word makes good what was held, and nothing that is refused whoever says so. */
static void a_word_takes_what_is_held_and_no_more(void **state)
{
    static const struct {
        const char *held, *word;
        uint64_t active_serial, held_serial;
        bool rollback, taken;
    } rows[] = {
        {WIDE, WIDE, 0, 0, false, true},
        {WIDE, OTHER, 0, 0, false, false},
        {MORE, MORE, 7, 6, false, false},
        {MORE, MORE, 7, 6, true, true},
        {"10.0.0.0/24", "10.0.0.0/24", 0, 0, false, false},
        {"0.0.0.0/0", "0.0.0.0/0", 0, 0, true, false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_list_spec spec = spec_of(NULL);
        living_list list = {.spec = &spec, .part_count = 2};
        char text[IPT_DIGEST_TEXT];
        ipt_digest digest;
        ipt_accept_answer judged;
        put(&list.active, SMALL, rows[i].active_serial, now - DAY);
        put(&list.held, rows[i].held, rows[i].held_serial, now - 7200);
        digest_of(rows[i].word, text);
        assert_true(ipt_digest_parse(ipt_span_from(text), &digest));
        assert_int_equal(list_accept(&list, &digest, rows[i].rollback, now, &judged), rows[i].taken);
        assert_set(&list.active, rows[i].taken ? rows[i].held : SMALL);
        assert_set(&list.held, rows[i].taken ? NULL : rows[i].held);
        /* Their age is counted from when the feed gave them, not from when a person looked. */
        assert_int_equal(list.active.fetched_at, rows[i].taken ? now - 7200 : now - DAY);
        assert_int_equal(list.part_count, rows[i].taken ? 0 : 2);
        assert_int_equal(list.has_accepted, rows[i].taken);
        done(&list);
    }
}

/* Steps that would pass one by one do not add up; after a word they are counted anew. */
static void small_steps_are_seen_as_the_large_one(void **state)
{
    ipt_list_spec spec = spec_of(NULL);
    living_list list = {.spec = &spec};
    const list_job job = {0};
    list_event event = LIST_UPDATED;
    uint8_t length = 16;
    char text[32];
    ipt_accept_answer judged;
    ipt_digest digest;
    (void)state;
    for (int day = 0; event == LIST_UPDATED; day++, length--) { /* each twice the one before */
        list_contents feed = {0};
        (void)snprintf(text, sizeof(text), "5.0.0.0/%u", length);
        put(&feed, text, 0, now);
        list_answer answer = {.outcome = LIST_FETCH_PARSED, .feed = feed.feed};
        spec.max_addresses = UINT64_C(1) << 32;
        event = list_take(&list, &answer, &job, now + day * DAY, &judged);
        assert_true(day < 5);
    }
    assert_int_equal(event, LIST_HELD);
    assert_int_equal(length, 12); /* /13 is eight times the /16 of the first day */
    digest = ipt_prefix_set_digest(list.held.feed.set);
    assert_true(list_accept(&list, &digest, false, now + 4 * DAY, &judged));
    list_contents feed = {0};
    put(&feed, "5.0.0.0/12", 0, now);
    list_answer answer = {.outcome = LIST_FETCH_PARSED, .feed = feed.feed};
    assert_int_equal(list_take(&list, &answer, &job, now + 5 * DAY, &judged), LIST_UPDATED);
    done(&list);
}

static void limits_of_the_list_replace_the_contracts(void **state)
{
    static const struct {
        int32_t lost, gained;
        uint64_t most;
        const char *active, *feed;
        list_event event;
    } rows[] = {
        {-1, -1, 1 << 20, "5.0.0.0/16", "5.0.0.0/17", LIST_HELD},
        {50, -1, 1 << 20, "5.0.0.0/16", "5.0.0.0/17", LIST_UPDATED},
        {49, -1, 1 << 20, "5.0.0.0/16", "5.0.0.0/17", LIST_HELD},
        {-1, -1, 1 << 20, "5.0.0.0/16", "5.0.0.0/14", LIST_UPDATED},
        {-1, 299, 1 << 20, "5.0.0.0/16", "5.0.0.0/14", LIST_HELD},
        {-1, 300, 1 << 17, "5.0.0.0/16", "5.0.0.0/14", LIST_REFUSED},
        {-1, 0, 1 << 20, "5.0.0.0/24", "5.0.0.0/22", LIST_HELD},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_list_spec spec = spec_of(NULL);
        spec.hold_lost = rows[i].lost;
        spec.hold_gained = rows[i].gained;
        spec.max_addresses = rows[i].most;
        living_list list = {.spec = &spec};
        const list_job job = {0};
        list_contents feed = {0};
        ipt_accept_answer judged;
        put(&list.active, rows[i].active, 0, now - DAY);
        put(&feed, rows[i].feed, 0, now);
        list_answer answer = {.outcome = LIST_FETCH_PARSED, .feed = feed.feed};
        list_event event = list_take(&list, &answer, &job, now, &judged);
        if (event != rows[i].event)
            fail_msg("row %zu: %s, %s", i, list_event_name(event), list.event_why);
        ipt_feed_done(&answer.feed);
        done(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fetch_ends_as_one_of_six),
        cmocka_unit_test(what_is_held_keeps_the_time_of_its_first_appearance),
        cmocka_unit_test(a_word_in_the_configuration_takes_exactly_its_contents),
        cmocka_unit_test(a_word_takes_what_is_held_and_no_more),
        cmocka_unit_test(small_steps_are_seen_as_the_large_one),
        cmocka_unit_test(limits_of_the_list_replace_the_contracts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
