/* Diagnostics: kept in order, counted without end, recorded up to the 200th. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/base/diag.h"

static void items_keep_their_order_and_their_own_copies(void **state)
{
    (void)state;
    ipt_diag diag;
    char file[] = "a.yaml", word[] = "lsits";
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_diag_add(&diag, IPT_ERROR, (ipt_place){file, 3, 5}, "unknown key %s", word);
    ipt_diag_add(&diag, IPT_WARNING, (ipt_place){0}, "second");
    file[0] = word[0] = '?';
    assert_int_equal(diag.errors, 1);
    assert_int_equal(diag.warnings, 1);
    assert_false(diag.failed);
    const ipt_diag_item *item = diag.first;
    assert_string_equal(item->text, "unknown key lsits");
    assert_string_equal(item->place.file, "a.yaml");
    assert_int_equal(item->place.line, 3);
    assert_int_equal(item->place.column, 5);
    assert_int_equal(item->severity, IPT_ERROR);
    item = item->next;
    assert_ptr_equal(item, diag.last);
    assert_string_equal(item->text, "second");
    assert_null(item->place.file);
    assert_int_equal(item->severity, IPT_WARNING);
    assert_null(item->next);
    ipt_diag_done(&diag);
    assert_null(diag.first);
}

static void only_two_hundred_are_recorded_and_all_are_counted(void **state)
{
    (void)state;
    ipt_diag diag;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    for (int i = 0; i < 150; i++) {
        ipt_diag_add(&diag, IPT_ERROR, (ipt_place){0}, "e%d", i);
        ipt_diag_add(&diag, IPT_WARNING, (ipt_place){0}, "w%d", i);
    }
    size_t recorded = 0;
    for (const ipt_diag_item *item = diag.first; item != NULL; item = item->next)
        recorded++;
    assert_int_equal(recorded, 200);
    assert_string_equal(diag.last->text, "w99");
    assert_int_equal(diag.errors, 150);
    assert_int_equal(diag.warnings, 150);
    assert_false(diag.failed);
    ipt_diag_done(&diag);
}

static void a_text_without_end_is_cut(void **state)
{
    (void)state;
    ipt_diag diag;
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_diag_add(&diag, IPT_ERROR, (ipt_place){0}, "%09999d", 7);
    assert_true(strlen(diag.first->text) >= 1000 && strlen(diag.first->text) < 2000);
    ipt_diag_done(&diag);
}

static void without_memory_the_count_is_right_and_the_gap_is_told(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_diag diag;
        failalloc_at(n);
        ipt_err err = ipt_diag_init(&diag);
        if (err != IPT_OK) {
            assert_int_equal(err, IPT_ENOMEM);
            continue;
        }
        for (int i = 0; i < 100; i++)
            ipt_diag_add(&diag, IPT_ERROR, (ipt_place){"file.yaml", 1, 1}, "%0200d", i);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(diag.failed, failed);
        assert_int_equal(diag.errors, 100);
        ipt_diag_done(&diag);
        if (!failed) {
            assert_true(n > 3);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_keep_their_order_and_their_own_copies),
        cmocka_unit_test(only_two_hundred_are_recorded_and_all_are_counted),
        cmocka_unit_test(a_text_without_end_is_cut),
        cmocka_unit_test(without_memory_the_count_is_right_and_the_gap_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
