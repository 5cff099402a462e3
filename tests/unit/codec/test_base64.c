/* Base64: one byte string has one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base64_priv.h"
#include "exact.h"

/* The text, decoded and shown; "!" when it is refused. */
static void expect(const char *text, const char *bytes, size_t n)
{
    ipt_span in = exact(text);
    char *out = malloc(ipt_base64_room(in.n) + 1);
    size_t length = 99;
    assert_non_null(out);
    bool ok = ipt_base64_decode(in, out, &length);
    if (ok != (bytes != NULL))
        fail_msg("%s: %s", text, ok ? "accepted" : "refused");
    if (ok) {
        assert_int_equal(length, n);
        assert_memory_equal(out, bytes, n);
    } else {
        assert_int_equal(length, 99);
    }
    free(out);
    free((void *)(uintptr_t)in.p);
}

static void the_vectors_of_rfc_4648_decode(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"6Q==", "\xe9"},
        {"+/+/", "\xfb\xff\xbf"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        expect(rows[i][0], rows[i][1], strlen(rows[i][1]));
    expect("AAAA", "\0\0\0", 3);
}

static void other_spellings_are_refused(void **state)
{
    static const char *const rows[] = {
        "Zg",     "Zg=",        "Zm8",   "Z",     "=",        "==",      "====",    "Z===", /* padding missing or too
                                                                                               much */
        "Zh==",   "Zm9=",       "//==",  "///=",          /* pad bits that are not zero */
        "Zm9v\n", "Zm9v\nYg==", " Zg==", "Zg== ", "Zm 9", /* white space */
        "-_-_",   "Zg==Zg==",   "Zg=A",  "=Zg=",  "Zm9v====", "Zm\x01v", "Zm\xe9v", "Zm9!", "[m9v",
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        expect(rows[i], NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648_decode),
        cmocka_unit_test(other_spellings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
