/* Records that stay whole: one writer, odd names, odd directories, a disk that takes no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/fetch/store.h"

static char root[] = "/tmp/ipt-store-XXXXXX";
static char why[IPT_STORE_WHY_MAX];

static ipt_store *open_store(const char *name)
{
    char dir[128];
    ipt_store *store = NULL;
    snprintf(dir, sizeof(dir), "%s/%s", root, name);
    assert_int_equal(ipt_store_open(dir, &store, why), IPT_OK);
    return store;
}

static void expect_record(const ipt_store *store, const char *name, const char *text)
{
    ipt_buf out = {0};
    ipt_store_result result = ipt_store_read(store, name, &out, why);
    assert_int_equal(result, text == NULL ? IPT_STORE_NONE : IPT_STORE_OK);
    if (text != NULL)
        assert_true(ipt_span_equal(ipt_buf_span(&out), ipt_span_from(text)));
    ipt_buf_done(&out);
}

static void what_was_written_last_is_read(void **state)
{
    (void)state;
    ipt_store *store = open_store("a");
    assert_true(ipt_store_is_writer(store));
    assert_string_equal(why, "");
    expect_record(store, "one", NULL);
    assert_int_equal(ipt_store_write(store, "one", IPT_SPAN("first"), why), IPT_STORE_OK);
    assert_int_equal(ipt_store_write(store, "two", IPT_SPAN(""), why), IPT_STORE_OK);
    assert_int_equal(ipt_store_write(store, "one", IPT_SPAN("second"), why), IPT_STORE_OK);
    expect_record(store, "one", "second");
    ipt_store_close(store);
    store = open_store("a");
    expect_record(store, "one", "second");
    expect_record(store, "two", "");
    ipt_store_close(store);
}

static void the_second_process_reads_and_does_not_write(void **state)
{
    (void)state;
    ipt_store *first = open_store("b");
    assert_int_equal(ipt_store_write(first, "one", IPT_SPAN("x"), why), IPT_STORE_OK);
    ipt_store *second = open_store("b");
    assert_false(ipt_store_is_writer(second));
    assert_string_equal(why, "another process writes to state_dir");
    expect_record(second, "one", "x");
    assert_int_equal(ipt_store_write(second, "one", IPT_SPAN("y"), why), IPT_STORE_FAILED);
    expect_record(first, "one", "x");
    ipt_store_close(second);
    ipt_store_close(first);
    first = open_store("b"); /* the lock ends with its holder */
    assert_true(ipt_store_is_writer(first));
    ipt_store_close(first);
}

static void no_name_leads_out_of_the_directory(void **state)
{
    static const char *const names[] = {
        "",
        ".",
        "..",
        "../x",
        "a/b",
        ".lock",
        "one.new",
        "A",
        "\xc3\xa4",
        " ",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };
    (void)state;
    ipt_store *store = open_store("c");
    for (size_t i = 0; i < IPT_COUNT(names); i++) {
        ipt_buf out = {0};
        assert_int_equal(ipt_store_write(store, names[i], IPT_SPAN("x"), why), IPT_STORE_FAILED);
        assert_int_equal(ipt_store_read(store, names[i], &out, why), IPT_STORE_NONE);
        ipt_buf_done(&out);
    }
    ipt_store_close(store);
}

static void odd_things_in_its_place_are_refused_and_no_reason_to_die(void **state)
{
    char path[200];
    (void)state;
    ipt_store *store = open_store("d");
    ipt_buf out = {0};
    snprintf(path, sizeof(path), "%s/d/lists/fifo", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(ipt_store_read(store, "fifo", &out, why), IPT_STORE_FAILED);
    snprintf(path, sizeof(path), "%s/d/lists/link", root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(ipt_store_read(store, "link", &out, why), IPT_STORE_FAILED);
    snprintf(path, sizeof(path), "%s/d/lists/dir", root);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(ipt_store_read(store, "dir", &out, why), IPT_STORE_FAILED);
    assert_int_equal(ipt_store_write(store, "dir", IPT_SPAN("x"), why), IPT_STORE_FAILED);
    ipt_buf_done(&out);
    ipt_store_close(store);

    snprintf(path, sizeof(path), "%s/file", root);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    store = open_store("file"); /* state_dir is a file */
    assert_false(ipt_store_is_writer(store));
    assert_string_not_equal(why, "");
    expect_record(store, "one", NULL);
    assert_int_equal(ipt_store_write(store, "one", IPT_SPAN("x"), why), IPT_STORE_FAILED);
    ipt_store_close(store);
}

/* RLIMIT_FSIZE stands for the full disk: a write that takes a part and then none. */
static void a_disk_that_is_full_leaves_the_old_record(void **state)
{
    struct rlimit old, small = {.rlim_cur = 10000};
    static char large[50000];
    (void)state;
    ipt_store *store = open_store("e");
    assert_int_equal(ipt_store_write(store, "one", IPT_SPAN("old"), why), IPT_STORE_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ipt_store_result result = ipt_store_write(store, "one", (ipt_span){large, sizeof(large)}, why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(result, IPT_STORE_FAILED);
    assert_string_not_equal(why, "");
    expect_record(store, "one", "old");
    assert_int_equal(ipt_store_write(store, "one", IPT_SPAN("new"), why), IPT_STORE_OK);
    expect_record(store, "one", "new");
    ipt_store_close(store);
}

static void without_memory_nothing_is_lost(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        char dir[128];
        ipt_store *store = NULL;
        ipt_buf out = {0};
        snprintf(dir, sizeof(dir), "%s/a", root);
        failalloc_at(n);
        ipt_err err = ipt_store_open(dir, &store, why);
        ipt_store_result result = err == IPT_OK ? ipt_store_read(store, "one", &out, why) : IPT_STORE_FAILED;
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(result == IPT_STORE_OK, !failed);
        ipt_buf_done(&out);
        ipt_store_close(store);
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
        cmocka_unit_test(what_was_written_last_is_read),
        cmocka_unit_test(the_second_process_reads_and_does_not_write),
        cmocka_unit_test(no_name_leads_out_of_the_directory),
        cmocka_unit_test(odd_things_in_its_place_are_refused_and_no_reason_to_die),
        cmocka_unit_test(a_disk_that_is_full_leaves_the_old_record),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
