/* Requests from options and from blocks of headers, before anything is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cli_priv.h"
#include "exact.h"
#include "failalloc.h"

static ipt_buf joined(const ipt_header_block *block)
{
    ipt_buf out = {0};
    for (size_t i = 0; i < block->count; i++) {
        ipt_buf_add(&out, block->items[i].name);
        ipt_buf_addc(&out, '=');
        ipt_buf_add(&out, block->items[i].value);
        ipt_buf_addc(&out, ';');
    }
    ipt_buf_addc(&out, '\0');
    return out;
}

static void header_blocks_are_read_as_people_paste_them(void **state)
{
    static const struct {
        const char *text, *headers;
    } rows[] = {
        {"A: 1\nB: 2\n", "A=1;B=2;"},
        {"A:1\r\nB:\t2 \r\n\r\nbody: no\r\n", "A=1;B=2;"},
        {"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\n\r\n", "Host=a;A=1;"},
        {"\n\nA: 1", "A=1;"},
        {"A: 1\nA: 2\na: 3", "A=1;A=2;a=3;"},
        {"A:", "A=;"},
        {"", ""},
        {"A: GET / HTTP/1.1", "A=GET / HTTP/1.1;"},
        {"Via: 1.1 x HTTP/1.1", "Via=1.1 x HTTP/1.1;"},
        {":authority: a\n:path: /\nA: 1", "A=1;"},
        {"*   Trying 1.2.3.4:80...\n> GET / HTTP/1.1\r\n> Host: a\r\n> A: 1\r\n> \r\n< HTTP/1.1 200 OK\r\n< B: 2\r\n",
         "Host=a;A=1;"},
        {"* x\n{ [5 bytes data]\n> GET /x HTTP/2\n> A: 1\n>\n< HTTP/2 200\nC: 3", "A=1;"},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        ipt_header_block block = {0};
        char why[160] = "";
        if (!ipt_header_block_read(text, &block, why))
            fail_msg("row %zu: %s", i, why);
        ipt_auto(ipt_buf) got = joined(&block);
        assert_string_equal(got.p, rows[i].headers);
        ipt_header_block_done(&block);
        free((void *)(uintptr_t)text.p);
    }
}

static void other_blocks_are_refused_with_the_line(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"A: 1\nno header\n", "line 2 is no header (`Name: value`)"},
        {"A: 1\n folded\n", "line 2 is no header (`Name: value`); folded lines are not taken"},
        {"A : 1\n", "line 1 is no header (`Name: value`)"},
        {"HTTP/1.1 200 OK\nA: 1\n", "line 1 is no header (`Name: value`)"},
        {"> GET / HTTP/1.1\n> A: 1\n> \n< HTTP/1.1 302 Found\n> GET /b HTTP/1.1\n> A: 2\n",
         "line 5 begins a second request; give one at a time"},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span text = exact(rows[i].text);
        ipt_header_block block = {0};
        char why[160] = "";
        assert_false(ipt_header_block_read(text, &block, why));
        assert_string_equal(why, rows[i].why);
        ipt_header_block_done(&block);
        free((void *)(uintptr_t)text.p);
    }
}

static void a_line_is_a_request_when_its_object_ends_there(void **state)
{
    static const struct {
        const char *line;
        bool is;
    } rows[] = {
        {"{}", true},
        {" {\"a\":[{}]} \r", false},
        {" {\"a\":[{}]} ", true},
        {"{\"a\":\"}\"}", true},
        {"{\"a\":\"\\\"}", false},
        {"{", false},
        {"{}{}", false},
        {"", false},
        {"[]", false},
        {"{\"a\":\"\\", false},
        {"}", false},
        {"{\"a\":1", false},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_span line = exact(rows[i].line);
        assert_int_equal(ipt_request_is_line(line), rows[i].is);
        free((void *)(uintptr_t)line.p);
    }
}

static const char *some_headers[] = {"X-Forwarded-For: 1.1.1.1, 8.8.8.8", "X-Odd: \xe9\"\\"};
static const char *some_attributes[] = {"arg_realip=8.8.8.8=x"};

static void options_become_the_json_of_the_interface(void **state)
{
    static const ipt_options options = {.peer = "10.0.12.1:443",
                                        .policy = "p",
                                        .principal = "spiffe://a/b",
                                        .request_id = "r\"1",
                                        .proxy_protocol = "PROXY TCP4 1.1.1.1 2.2.2.2 1 2",
                                        .headers = some_headers,
                                        .header_count = 2,
                                        .attributes = some_attributes,
                                        .attribute_count = 1};
    ipt_auto(ipt_buf) out = {0};
    char why[160] = "";
    (void)state;

    assert_true(ipt_request_write(&out, &options, NULL, why));
    ipt_buf_addc(&out, '\0');
    assert_string_equal(out.p, "{\"peer\":\"10.0.12.1:443\",\"headers\":[[\"X-Forwarded-For\",\"1.1.1.1, 8.8.8.8\"],"
                               "[\"X-Odd\",{\"base64\":\"6SJc\"}]],\"attributes\":{\"arg_realip\":\"8.8.8.8=x\"},"
                               "\"proxy_protocol\":\"UFJPWFkgVENQNCAxLjEuMS4xIDIuMi4yLjIgMSAyDQo=\","
                               "\"principal\":\"spiffe://a/b\",\"policy\":\"p\",\"request_id\":\"r\\\"1\"}");
}

static void wrong_options_are_refused(void **state)
{
    static const char *const bad_header[] = {"no colon"}, *const empty_name[] = {": x"},
                             *const bad_attribute[] = {"=x"};
    const ipt_options rows[] = {
        {.peer = NULL},
        {.peer = "1.1.1.1", .headers = (const char **)(uintptr_t)bad_header, .header_count = 1},
        {.peer = "1.1.1.1", .headers = (const char **)(uintptr_t)empty_name, .header_count = 1},
        {.peer = "1.1.1.1", .attributes = (const char **)(uintptr_t)bad_attribute, .attribute_count = 1},
        {.peer = "1.1.1.1", .proxy_protocol = "@/nonexistent/file"},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_auto(ipt_buf) out = {0};
        char why[160] = "";
        assert_false(ipt_request_write(&out, &rows[i], NULL, why));
        assert_true(why[0] != '\0');
    }
}

static void every_failing_allocation_is_told(void **state)
{
    static const ipt_options options = {.peer = "10.0.12.1", .headers = some_headers, .header_count = 2};
    (void)state;

    for (size_t n = 1;; n++) {
        ipt_header_block block = {0};
        ipt_auto(ipt_buf) out = {0};
        char why[160] = "";
        failalloc_at(n);
        bool ok = ipt_header_block_read(IPT_SPAN("A: 1\nB: 2\n"), &block, why) &&
                  ipt_request_write(&out, &options, &block, why);
        bool happened = failalloc_happened();
        failalloc_at(0);
        ipt_header_block_done(&block);
        assert_int_equal(ok, !happened);
        if (!happened)
            break;
        assert_string_equal(why, "no memory");
    }
}

static void every_command_can_be_found_and_has_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ipt_command_count; i++) {
        assert_ptr_equal(ipt_command_find(ipt_commands[i].name), &ipt_commands[i]);
        assert_non_null(ipt_commands[i].examples[0]);
        for (const char *const *e = ipt_commands[i].examples; *e != NULL; e++)
            assert_non_null(strstr(*e, ipt_commands[i].name));
    }
    assert_null(ipt_command_find("resolv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_blocks_are_read_as_people_paste_them),
        cmocka_unit_test(other_blocks_are_refused_with_the_line),
        cmocka_unit_test(a_line_is_a_request_when_its_object_ends_there),
        cmocka_unit_test(options_become_the_json_of_the_interface),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(every_failing_allocation_is_told),
        cmocka_unit_test(every_command_can_be_found_and_has_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
