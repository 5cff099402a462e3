/* Which addresses are asked at all, and which are the same place; what servers do is tests/system/lists_test.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iptrust/fetch/http.h"

static void the_same_place_is_scheme_host_and_port(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"https://a.example/x", "https://a.example/y", true},
        {"https://a.example/x", "https://A.EXAMPLE:443/", true},
        {"https://a.example/x", "https://a.example:444/", false},
        {"https://a.example/x", "http://a.example/x", false},
        {"https://a.example/x", "https://b.example/x", false},
        {"https://a.example/x", "https://a.example.evil.example/x", false},
        {"https://a.example/x", "https://a.example@evil.example/x", false},
        {"https://a.example/x", "//a.example/x", false},
        {"https://a.example/x", "", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        if (ipt_http_same_host(rows[i].a, rows[i].b) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
}

static void no_other_address_is_asked(void **state)
{
    static const char *const urls[] = {
        "http://192.0.2.1/x",     "http://localhost/x",          "ftp://127.0.0.1/x", "file:///etc/passwd",
        "https://u:p@127.0.0.1/", "http://127.0.0.1@192.0.2.1/", "127.0.0.1/x",       "",
    };
    atomic_bool stop = false;
    ipt_http *http;
    (void)state;
    assert_int_equal(ipt_http_new(&stop, &http), IPT_OK);
    for (size_t i = 0; i < IPT_COUNT(urls); i++) {
        ipt_http_answer answer;
        ipt_http_get(http, &(ipt_http_ask){.url = urls[i]}, &answer);
        assert_int_equal(answer.outcome, IPT_HTTP_FAILED);
        assert_string_equal(answer.why, "expected an https URL, or http to 127.0.0.1 or [::1]");
        ipt_http_answer_done(&answer);
    }
    ipt_http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_place_is_scheme_host_and_port),
        cmocka_unit_test(no_other_address_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
