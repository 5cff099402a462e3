/* Finished writes, renames and swapped links are told, storms once, half-done things not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/fetch/watch.h"

static char root[] = "/tmp/ipt-watch-XXXXXX";
static atomic_uint told;

static void on_change(void *context)
{
    (void)context;
    atomic_fetch_add(&told, 1);
}

static void nap(int ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

static const char *at(const char *name)
{
    static char paths[64][128];
    static unsigned next;
    char *path = paths[next++ % 64];
    snprintf(path, 128, "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Waits for the n-th call, then as long as another one could need. */
static void expect_told(unsigned n)
{
    for (int i = 0; i < 300 && atomic_load(&told) < n; i++)
        nap(10);
    nap(3 * IPT_WATCH_QUIET_MS);
    assert_int_equal(atomic_load(&told), n);
}

static ipt_watch *watch_these(const char *const *paths, size_t count)
{
    ipt_watch *watch;
    atomic_store(&told, 0);
    assert_int_equal(ipt_watch_new(on_change, NULL, &watch), IPT_OK);
    assert_int_equal(ipt_watch_set(watch, paths, count), IPT_OK);
    return watch;
}

static void a_finished_write_or_rename_is_told_and_nothing_else(void **state)
{
    (void)state;
    write_file("a.txt", "1\n");
    const char *path = at("a.txt");
    ipt_watch *watch = watch_these(&path, 1);
    write_file("b.txt", "1\n");
    expect_told(0);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "2", 1), 1);
    expect_told(0); /* still being written */
    close(fd);
    expect_told(1);
    assert_int_equal(rename(at("b.txt"), at("a.txt")), 0);
    expect_told(2);
    assert_int_equal(unlink(at("a.txt")), 0);
    expect_told(2);
    write_file("a.txt", "3\n");
    expect_told(3);
    ipt_watch_free(watch);
}

/* Once on a quiet machine; one that does not let us run for a while may see it as two or three. */
static void a_storm_is_one_change(void **state)
{
    (void)state;
    const char *path = at("a.txt");
    ipt_watch *watch = watch_these(&path, 1);
    for (int i = 0; i < 200; i++)
        write_file("a.txt", "x\n");
    for (int i = 0; i < 300 && atomic_load(&told) == 0; i++)
        nap(10);
    nap(3 * IPT_WATCH_QUIET_MS);
    assert_in_range(atomic_load(&told), 1, 5);
    ipt_watch_free(watch);
}

static void a_storm_without_end_is_told_all_the_same(void **state)
{
    (void)state;
    const char *path = at("a.txt");
    ipt_watch *watch = watch_these(&path, 1);
    for (int i = 0; i < 300 && atomic_load(&told) == 0; i++) {
        write_file("a.txt", "x\n");
        nap(10);
    }
    assert_true(atomic_load(&told) > 0);
    ipt_watch_free(watch);
}

static void make_link(const char *to, const char *name)
{
    (void)unlink(at("link.new"));
    assert_int_equal(symlink(to, at("link.new")), 0);
    assert_int_equal(rename(at("link.new"), at(name)), 0);
}

/* As the kubelet does it: file -> ..data/file, ..data -> ..1/, then ..data -> ..2/ by rename. */
static void a_config_map_is_told_when_it_is_swapped(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("cm"), 0755), 0);
    assert_int_equal(mkdir(at("cm/..1"), 0755), 0);
    assert_int_equal(mkdir(at("cm/..2"), 0755), 0);
    write_file("cm/..1/x.yaml", "1\n");
    write_file("cm/..2/x.yaml", "2\n");
    make_link("..1", "cm/..data");
    make_link("..data/x.yaml", "cm/x.yaml");
    const char *file = at("cm/x.yaml"), *dir = at("cm");
    const char *const *paths[] = {&file, &dir};
    for (size_t i = 0; i < IPT_COUNT(paths); i++) {
        ipt_watch *watch = watch_these(paths[i], 1);
        make_link(i == 0 ? "..2" : "..1", "cm/..data");
        expect_told(1);
        ipt_watch_free(watch);
    }
}

static void in_a_directory_configuration_files_count(void **state)
{
    static const struct {
        const char *name;
        unsigned told;
    } rows[] = {{"dir/a.yaml", 1}, {"dir/b.yml", 1}, {"dir/.hidden.yaml", 0}, {"dir/note.txt", 0}, {"dir/a.yaml~", 0}};
    (void)state;
    assert_int_equal(mkdir(at("dir"), 0755), 0);
    const char *path = at("dir");
    ipt_watch *watch = watch_these(&path, 1);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        atomic_store(&told, 0);
        write_file(rows[i].name, "x\n");
        expect_told(rows[i].told);
    }
    ipt_watch_free(watch);
}

static void a_directory_that_comes_back_is_told(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("gone"), 0755), 0);
    const char *path = at("gone/x.txt");
    ipt_watch *watch = watch_these(&path, 1);
    assert_int_equal(rmdir(at("gone")), 0);
    nap(50);
    assert_int_equal(mkdir(at("gone"), 0755), 0);
    write_file("gone/x.txt", "1\n");
    for (int i = 0; i < 600 && atomic_load(&told) == 0; i++)
        nap(10);
    assert_true(atomic_load(&told) > 0);
    ipt_watch_free(watch);
}

static void what_is_no_longer_named_is_no_longer_told(void **state)
{
    (void)state;
    write_file("a.txt", "1\n");
    write_file("c.txt", "1\n");
    const char *first = at("a.txt"), *second = at("c.txt");
    ipt_watch *watch = watch_these(&first, 1);
    assert_int_equal(ipt_watch_set(watch, &second, 1), IPT_OK);
    write_file("a.txt", "2\n");
    expect_told(0);
    write_file("c.txt", "2\n");
    expect_told(1);
    ipt_watch_free(watch);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_watch *watch = NULL;
        const char *path = at("a.txt");
        failalloc_at(n);
        ipt_err err = ipt_watch_new(on_change, NULL, &watch);
        if (err == IPT_OK)
            err = ipt_watch_set(watch, &path, 1);
        bool failed = failalloc_happened();
        failalloc_at(0);
        ipt_watch_free(watch);
        assert_int_equal(err, failed ? IPT_ENOMEM : IPT_OK);
        if (!failed)
            break;
    }
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_write_or_rename_is_told_and_nothing_else),
        cmocka_unit_test(a_storm_is_one_change),
        cmocka_unit_test(a_storm_without_end_is_told_all_the_same),
        cmocka_unit_test(a_config_map_is_told_when_it_is_swapped),
        cmocka_unit_test(in_a_directory_configuration_files_count),
        cmocka_unit_test(a_directory_that_comes_back_is_told),
        cmocka_unit_test(what_is_no_longer_named_is_no_longer_told),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
