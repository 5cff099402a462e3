/* Lists across restarts: what was remembered comes back, or nothing does; never something else, and never a fault but
 * that of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine_priv.h"
#include "failalloc.h"
#include "sets.h"

enum { DAY = 86400, YEAR = 365 * DAY };

typedef struct fixture {
    char dir[40];
    ipt_engine engine; /* of which only the lists are used */
    ipt_list_spec spec;
    living_list list; /* what is remembered; in the engine's table */
} fixture;

static void put(list_contents *out, const char *text, uint64_t serial, int64_t at)
{
    *out = (list_contents){.there = true, .feed = {.set = set_of(text)}, .fetched_at = at, .changed_at = at - DAY};
    out->feed.version = (ipt_feed_version){.has_serial = serial != 0, .serial = serial};
}

static void clear(living_list *list)
{
    ipt_buf_done(&list->source);
    list_contents_done(&list->built_in);
    list_contents_done(&list->active);
    list_contents_done(&list->held);
}

static fixture *fixture_new(void)
{
    char why[IPT_STORE_WHY_MAX];
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/ipt-lists-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)pthread_mutex_init(&f->engine.lists.lock, NULL);
    (void)pthread_mutex_init(&f->engine.lists.store_lock, NULL);
    assert_int_equal(ipt_store_open(f->dir, &f->engine.lists.store, why), IPT_OK);
    assert_string_equal(why, "");
    f->spec = (ipt_list_spec){.name = "partners", .source = IPT_SOURCE_URL, .hold_lost = -1, .hold_gained = -1};
    f->list = (living_list){.name = "partners", .spec = &f->spec};
    ipt_buf_adds(&f->list.source, "url=\"https://lists.example/\" format=\"text\"");
    f->engine.lists.first = &f->list;
    return f;
}

static void path_of(const fixture *f, char out[80])
{
    (void)snprintf(out, 80, "%s/lists/partners", f->dir);
}

static void fixture_free(fixture *f)
{
    char path[300];
    clear(&f->list);
    ipt_store_close(f->engine.lists.store);
    (void)snprintf(path, sizeof(path), "%s/lists", f->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
}

/* A list of the same description, as after a restart. */
static living_list again(const fixture *f)
{
    living_list list = {.name = "partners", .spec = &f->spec};
    ipt_buf_add(&list.source, ipt_buf_span(&f->list.source));
    assert_false(list.source.failed);
    return list;
}

static void assert_contents(const list_contents *a, const list_contents *b)
{
    assert_int_equal(a->there, b->there);
    assert_true(ipt_prefix_set_equal(a->feed.set, b->feed.set));
    assert_int_equal(a->fetched_at, b->fetched_at);
    assert_int_equal(a->changed_at, b->changed_at);
    assert_int_equal(a->feed.version.serial, b->feed.version.serial);
}

static void everything_comes_back(void **state)
{
    fixture *f = fixture_new();
    int64_t now = time(NULL);
    (void)state;
    put(&f->list.active, "198.51.99.0/24 2600::/32", 7, now);
    put(&f->list.held, "5.0.0.0/8", 8, now + 1);
    f->list.held_why = (ipt_update_text){IPT_UPDATE_GAINED, "IPv4 gains much"};
    f->list.has_accepted = true;
    f->list.accepted_at = now - DAY;
    f->list.past = (ipt_accept_past){.items = {{now - DAY, {256, 1}}}, .count = 1};
    f->list.part_count = 2;
    f->list.parts[1] = (list_part){.url = "https://lists.example/b", .etag = "\"e\"", .last_modified = "then"};
    list_remember(&f->engine, "partners");
    living_list back = again(f);
    assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
    assert_contents(&back.active, &f->list.active);
    assert_contents(&back.held, &f->list.held);
    assert_int_equal(back.held_why.reason, IPT_UPDATE_GAINED);
    assert_true(back.has_accepted && back.accepted_at == now - DAY);
    assert_int_equal(back.past.count, 1);
    assert_int_equal(back.past.items[0].space.v4, 256);
    assert_int_equal(back.part_count, 2);
    assert_string_equal(back.parts[1].url, "https://lists.example/b");
    assert_string_equal(back.parts[1].etag, "\"e\"");
    assert_false(back.keep_record);
    clear(&back);
    fixture_free(f);
}

static void what_is_held_comes_back_without_anything_active(void **state)
{
    fixture *f = fixture_new();
    (void)state;
    put(&f->list.held, "5.0.0.0/8", 0, 1000);
    list_remember(&f->engine, "partners");
    living_list back = again(f);
    assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
    assert_false(back.active.there);
    assert_contents(&back.held, &f->list.held);
    clear(&back);
    fixture_free(f);
}

/* The feed's own version decides between the snapshot and what is remembered; without one, the time of retrieval. */
static void the_newer_one_is_in_force(void **state)
{
    static const struct {
        const char *what;
        uint64_t remembered, built_in;
        int64_t remembered_at, built_in_at; /* days */
        bool used;
    } rows[] = {
        {"a newer version, though fetched before", 8, 7, 1, 2, true},
        {"the same version", 7, 7, 1, 2, true},
        {"an older version, though fetched after", 6, 7, 2, 1, false},
        {"no version, fetched after", 0, 0, 2, 1, true},
        {"no version, fetched before", 0, 0, 1, 2, false},
        {"a version on one side alone, fetched after", 0, 7, 2, 1, true},
        {"a version on one side alone, fetched before", 7, 0, 1, 2, false},
        {"no version, of a clock that was wrong", 0, 0, 100 * 365, 1, false},
        {"a newer version, of a clock that was wrong", 8, 7, 100 * 365, 1, true},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        fixture *f = fixture_new();
        put(&f->list.active, "198.51.99.0/24", rows[i].remembered, rows[i].remembered_at * DAY);
        f->list.part_count = 1;
        list_remember(&f->engine, "partners");
        living_list back = again(f);
        put(&back.built_in, "198.51.98.0/24", rows[i].built_in, rows[i].built_in_at * DAY);
        assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
        if (back.active.there != rows[i].used)
            fail_msg("%s", rows[i].what);
        assert_int_equal(back.part_count, rows[i].used); /* validators go with their contents */
        assert_ptr_equal(list_active(&back), rows[i].used ? &back.active.feed : &back.built_in.feed);
        clear(&back);
        fixture_free(f);
    }
}

/* A clock that was wrong must not keep a list young for ever: neither what is active nor what a word makes so. */
static void times_of_a_wrong_clock_are_void(void **state)
{
    int64_t now = time(NULL);
    const struct {
        int64_t at;
        bool kept;
    } rows[] = {{now, true}, {now + 9 * (int64_t)YEAR, true}, {now + 11 * (int64_t)YEAR, false}, {INT64_MAX, false}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        fixture *f = fixture_new();
        put(&f->list.active, "198.51.99.0/24", 0, rows[i].at);
        put(&f->list.held, "5.0.0.0/8", 0, rows[i].at);
        list_remember(&f->engine, "partners");
        living_list back = again(f);
        assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
        assert_true(back.active.there && back.held.there);
        const int64_t got[] = {back.active.fetched_at, back.held.fetched_at};
        for (size_t j = 0; j < IPT_COUNT(got); j++) {
            if (rows[i].kept)
                assert_int_equal(got[j], rows[i].at);
            else
                assert_true(got[j] <= now); /* the build's own time stands for it */
        }
        clear(&back);
        fixture_free(f);
    }
}

static void contents_of_another_source_are_void(void **state)
{
    fixture *f = fixture_new();
    (void)state;
    put(&f->list.active, "198.51.99.0/24", 0, 1000);
    put(&f->list.held, "5.0.0.0/8", 0, 1000);
    list_remember(&f->engine, "partners");
    living_list back = {.name = "partners", .spec = &f->spec};
    ipt_buf_adds(&back.source, "url=\"https://other.example/\" format=\"text\"");
    assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
    assert_false(back.active.there || back.held.there || back.keep_record);
    clear(&back);
    fixture_free(f);
}

static size_t read_record(const fixture *f, char *out, size_t cap)
{
    char path[80];
    path_of(f, path);
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    size_t n = fread(out, 1, cap, file);
    assert_int_equal(fclose(file), 0);
    return n;
}

static void write_record(const fixture *f, const char *bytes, size_t n)
{
    char path[80];
    path_of(f, path);
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* Every bit flipped and every length cut: void, or of a later program, and no fault. */
static void damage_is_void_wherever_it_is(void **state)
{
    enum { CAP = 4096, FORMAT_AT = 8 };
    char bytes[CAP];
    fixture *f = fixture_new();
    (void)state;
    put(&f->list.active, "198.51.99.0/24", 7, 1000);
    put(&f->list.held, "5.0.0.0/8", 8, 1000);
    list_remember(&f->engine, "partners");
    size_t n = read_record(f, bytes, CAP);
    assert_true(n > 100 && n < CAP);
    for (size_t i = 0; i < 8 * n + n; i++) {
        bool flip = i < 8 * n;
        if (flip)
            bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        write_record(f, bytes, flip ? n : i - 8 * n);
        living_list back = again(f);
        assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
        assert_false(back.active.there || back.held.there);
        if (flip)
            bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        bool later = flip && i / 8 >= FORMAT_AT && i / 8 < FORMAT_AT + 4;
        if (back.keep_record && !later)
            fail_msg("bit %zu makes the record one of a later program", i);
        clear(&back);
    }
    write_record(f, bytes, n);
    living_list back = again(f);
    assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
    assert_true(back.active.there && back.held.there);
    clear(&back);
    fixture_free(f);
}

static void a_record_of_a_later_program_is_left_where_it_is(void **state)
{
    enum { CAP = 4096, FORMAT_AT = 8 };
    char bytes[CAP], after[CAP];
    fixture *f = fixture_new();
    (void)state;
    put(&f->list.active, "198.51.99.0/24", 0, 1000);
    list_remember(&f->engine, "partners");
    size_t n = read_record(f, bytes, CAP);
    bytes[FORMAT_AT] = IPT_RECORD_FORMAT + 1;
    write_record(f, bytes, n);
    living_list back = again(f);
    assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
    assert_false(back.active.there);
    assert_true(back.keep_record);
    put(&back.active, "198.51.98.0/24", 0, 2000); /* fetched since */
    f->engine.lists.first = &back;
    list_remember(&f->engine, "partners");
    assert_int_equal(read_record(f, after, CAP), n);
    assert_memory_equal(after, bytes, n);
    clear(&back);
    fixture_free(f);
}

static void each_allocation_of_remembering_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        char bytes[4096];
        fixture *f = fixture_new();
        put(&f->list.active, "198.51.99.0/24", 0, 1000);
        list_remember(&f->engine, "partners");
        size_t before = read_record(f, bytes, sizeof(bytes));
        list_contents_done(&f->list.active);
        put(&f->list.active, "198.51.98.0/24 2600::/32", 0, 2000);
        failalloc_at(n);
        list_remember(&f->engine, "partners");
        bool happened = failalloc_happened();
        failalloc_at(0);
        living_list back = again(f);
        assert_int_equal(list_recall(&f->engine, &back), IPT_OK);
        assert_int_equal(back.active.fetched_at, happened ? 1000 : 2000); /* the one before, or the new one */
        assert_int_equal(read_record(f, bytes, sizeof(bytes)) == before, happened);
        clear(&back);
        fixture_free(f);
        if (!happened)
            return;
        assert_true(n < 100);
    }
}

static void each_allocation_of_recalling_may_fail(void **state)
{
    fixture *f = fixture_new();
    size_t n = 1;
    (void)state;
    put(&f->list.active, "198.51.99.0/24", 0, 1000);
    put(&f->list.held, "5.0.0.0/8", 0, 1000);
    list_remember(&f->engine, "partners");
    for (bool happened = true; happened; n++) {
        living_list back = again(f);
        failalloc_at(n);
        ipt_err err = list_recall(&f->engine, &back);
        happened = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(err, happened ? IPT_ENOMEM : IPT_OK);
        assert_int_equal(back.active.there, !happened);
        clear(&back); /* what had come so far is freed with the list */
    }
    assert_true(n > 4);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(what_is_held_comes_back_without_anything_active),
        cmocka_unit_test(the_newer_one_is_in_force),
        cmocka_unit_test(times_of_a_wrong_clock_are_void),
        cmocka_unit_test(contents_of_another_source_are_void),
        cmocka_unit_test(damage_is_void_wherever_it_is),
        cmocka_unit_test(a_record_of_a_later_program_is_left_where_it_is),
        cmocka_unit_test(each_allocation_of_remembering_may_fail),
        cmocka_unit_test(each_allocation_of_recalling_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
