/* One element of a Forwarded header: grammar, node, parameters, proof. Ids are those of the attack catalogue. */
#include "iptrust/wire/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"

static void an_element_is_an_address_or_says_why_not(void **state)
{
    static const struct {
        const char *element;
        ipt_entry_kind kind;
        const char *address; /* for ADDRESS */
        int port;            /* 0: none */
        const char *text;    /* the `for` node; quoted ones keep their backslashes */
    } rows[] = {
        {"for=192.0.2.1", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"FoR=192.0.2.1", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=\"192.0.2.1\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=\"192.0.2.1:4711\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 4711, "192.0.2.1:4711"},
        {"for=\"[2001:db8::1]:47\"", IPT_ENTRY_ADDRESS, "2001:db8::1", 47, "[2001:db8::1]:47"}, /* C04 */
        {"for=\"[2001:DB8::1]\"", IPT_ENTRY_ADDRESS, "2001:db8::1", 0, "[2001:DB8::1]"},
        {"for=\"[::ffff:192.0.2.1]:9\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 9, "[::ffff:192.0.2.1]:9"},
        {"for=\"[2001:0db8:0000:0000:0000:ffff:192.0.2.255]\"", IPT_ENTRY_ADDRESS, "2001:db8::ffff:c000:2ff", 0,
         "[2001:0db8:0000:0000:0000:ffff:192.0.2.255]"},
        {"for=\"1\\.1\\.1\\.1\"", IPT_ENTRY_ADDRESS, "1.1.1.1", 0, "1\\.1\\.1\\.1"}, /* C09 */
        {"for=\"\\[\\::1\\]\\:\\8\"", IPT_ENTRY_ADDRESS, "::1", 8, "\\[\\::1\\]\\:\\8"},
        {"by=192.0.2.9;for=192.0.2.1;host=example.org;proto=https", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {";;for=192.0.2.1;;proto=http;", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"by=\"_x, for=203.0.113.9\";for=192.0.2.1", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=192.0.2.1;x=\"\xc3\xa4\\\"\\\\;,\t\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=192.0.2.1;x=\"\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=192.0.2.1;x=unknown_!#$%&'*+-.^`|~", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"\tfor=192.0.2.1 ", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1"},
        {"for=\"192.0.2.1:_p\"", IPT_ENTRY_ADDRESS, "192.0.2.1", 0, "192.0.2.1:_p"},
        {"for=\"[::1]:_p.q-r_s\"", IPT_ENTRY_ADDRESS, "::1", 0, "[::1]:_p.q-r_s"},

        {"for=unknown", IPT_ENTRY_OBFUSCATED, NULL, 0, "unknown"}, /* C07 */
        {"for=\"UNKNOWN:80\"", IPT_ENTRY_OBFUSCATED, NULL, 0, "UNKNOWN:80"},
        {"for=\"_gazonk:_p1\"", IPT_ENTRY_OBFUSCATED, NULL, 0, "_gazonk:_p1"}, /* C07 */
        {"for=_SEVKISEK", IPT_ENTRY_OBFUSCATED, NULL, 0, "_SEVKISEK"},
        {"for=\"\\_x\"", IPT_ENTRY_OBFUSCATED, NULL, 0, "\\_x"},
        {"for=_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", IPT_ENTRY_OBFUSCATED, NULL,
         0, "_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"proto=https", IPT_ENTRY_OBFUSCATED, NULL, 0, ""}, /* no `for` */
        {";", IPT_ENTRY_OBFUSCATED, NULL, 0, ""},
        {"", IPT_ENTRY_EMPTY, NULL, 0, ""},
        {" \t", IPT_ENTRY_EMPTY, NULL, 0, ""},

        {"for=\"127.0.0.1;host=evil.com;proto=https\"", IPT_ENTRY_MALFORMED, NULL, 0,
         "127.0.0.1;host=evil.com;proto=https"},                                        /* C01 */
        {"for=\"1.1.1.1, 2.2.2.2\"", IPT_ENTRY_MALFORMED, NULL, 0, "1.1.1.1, 2.2.2.2"}, /* C02 */
        {"for=\"1.1.1.1:\"", IPT_ENTRY_MALFORMED, NULL, 0, "1.1.1.1:"},                 /* C06 */
        {"for=\"2001:db8::1\"", IPT_ENTRY_MALFORMED, NULL, 0, "2001:db8::1"},
        {"for=\"[192.0.2.1]\"", IPT_ENTRY_MALFORMED, NULL, 0, "[192.0.2.1]"},
        {"for=\"[::1\"", IPT_ENTRY_MALFORMED, NULL, 0, "[::1"},
        {"for=\"[::1]x\"", IPT_ENTRY_MALFORMED, NULL, 0, "[::1]x"},
        {"for=\"[::1]x80\"", IPT_ENTRY_MALFORMED, NULL, 0, "[::1]x80"},
        {"for=\"[::1]:\"", IPT_ENTRY_MALFORMED, NULL, 0, "[::1]:"},
        {"for=\"[]\"", IPT_ENTRY_MALFORMED, NULL, 0, "[]"},
        {"for=\"[\"", IPT_ENTRY_MALFORMED, NULL, 0, "["},
        {"for=\"[unknown]\"", IPT_ENTRY_MALFORMED, NULL, 0, "[unknown]"},
        {"for=\"[_x]\"", IPT_ENTRY_MALFORMED, NULL, 0, "[_x]"},
        {"for=\"[fe80::1%25eth0]\"", IPT_ENTRY_MALFORMED, NULL, 0, "[fe80::1%25eth0]"},
        {"for=\"192.0.2.1:80:90\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:80:90"},
        {"for=\"192.0.2.1:0\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:0"},
        {"for=\"192.0.2.1:080\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:080"},
        {"for=\"192.0.2.1:65536\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:65536"},
        {"for=\"192.0.2.1:_\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:_"},
        {"for=\"192.0.2.1:_:\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1:_:"},
        {"for=\"unknown:\"", IPT_ENTRY_MALFORMED, NULL, 0, "unknown:"},
        {"for=\"_x:0\"", IPT_ENTRY_MALFORMED, NULL, 0, "_x:0"},
        {"for=_", IPT_ENTRY_MALFORMED, NULL, 0, "_"},
        {"for=192.0.2.010", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.010"},
        {"for=192.0.2.111111111111111111111111111111111111111111111111111", IPT_ENTRY_MALFORMED, NULL, 0,
         "192.0.2.111111111111111111111111111111111111111111111111111"},
        {"for=identifier", IPT_ENTRY_MALFORMED, NULL, 0, "identifier"},
        {"for=\"\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=\" 192.0.2.1\"", IPT_ENTRY_MALFORMED, NULL, 0, " 192.0.2.1"},
        {"for=\"192.0.2.1\xe9\"", IPT_ENTRY_MALFORMED, NULL, 0, "192.0.2.1\xe9"},

        /* The grammar is broken: no text. */
        {"for=\"1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""}, /* C03 */
        {"for=\"a\\", IPT_ENTRY_MALFORMED, NULL, 0, ""},     /* C03 */
        {"for=\"a\\\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=[::1]", IPT_ENTRY_MALFORMED, NULL, 0, ""},       /* C04 */
        {"for=2001:db8::1", IPT_ENTRY_MALFORMED, NULL, 0, ""}, /* C04 */
        {"for=192.0.2.1:80", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"FOR = 1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""}, /* C08 */
        {"for= 1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""},  /* C08 */
        {"for=1.1.1.1; proto=http", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1 ;proto=http", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1 proto=http", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1,proto=http", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=\"1.1.1.1\"x", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"=1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"f@r=1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x=", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x=\"\x01\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x=\"\\\x01\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x=\"\x7f\"", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;x=\xc3\xa4", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for=1.1.1.1;\xc3\xa4=x", IPT_ENTRY_MALFORMED, NULL, 0, ""},
        {"for==1.1.1.1", IPT_ENTRY_MALFORMED, NULL, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span element = exact(rows[i].element);
        bool repeated = true;
        const ipt_entry entry = ipt_forwarded_parse(element, &repeated);
        char address[IPT_ADDR_TEXT] = "";
        int port = 0;
        bool mapped = false;
        if (entry.kind == IPT_ENTRY_ADDRESS) {
            ipt_addr_format(entry.node.addr, address);
            port = entry.node.has_port ? entry.node.port : 0;
            mapped = entry.node.mapped;
        }
        const char *expected = rows[i].address == NULL ? "" : rows[i].address;
        if (entry.kind != rows[i].kind || strcmp(address, expected) != 0 || port != rows[i].port || repeated ||
            mapped != (strstr(rows[i].text, "::ffff:") != NULL) ||
            !ipt_span_equal(entry.text, ipt_span_from(rows[i].text)))
            fail_msg("row %zu: %s is kind %d, \"%s\" port %d, text \"%.*s\"", i, rows[i].element, (int)entry.kind,
                     address, port, (int)entry.text.n, entry.text.p == NULL ? "" : entry.text.p);
        if (entry.text.n != 0 && entry.text_quoted != (entry.text.p[-1] == '"'))
            fail_msg("row %zu: %s is quoted or not", i, rows[i].element);
        free((void *)(uintptr_t)element.p);
    }
}

/* C05 and disagreement 16: some keep the first, some the last. */
static void a_repeated_parameter_spoils_its_element(void **state)
{
    static const struct {
        const char *element;
        bool repeated;
    } rows[] = {
        {"for=1.1.1.1;for=2.2.2.2", true},
        {"for=1.1.1.1;FOR=1.1.1.1", true},
        {"for=1.1.1.1;x=1;X=2", true},
        {"x=1;x=1", true},
        {"for=1.1.1.1;proto=a;by=b;host=c;Proto=\"a\"", true},
        {"for=1.1.1.1;for=2.2.2.2;", true},
        {"for=1.1.1.1;for=2.2.2.2; ", true},  /* the end is trimmed */
        {"for=1.1.1.1;for=2.2.2.2;x", false}, /* broken before anything else */
        {"for=1.1.1.1;for=2.2.2.2;x=\"", false},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span element = exact(rows[i].element);
        bool repeated = !rows[i].repeated;
        const ipt_entry entry = ipt_forwarded_parse(element, &repeated);
        if (entry.kind != IPT_ENTRY_MALFORMED || entry.text.n != 0 || repeated != rows[i].repeated)
            fail_msg("row %zu: %s", i, rows[i].element);
        assert_int_equal(ipt_forwarded_parse(element, NULL).kind, IPT_ENTRY_MALFORMED);
        free((void *)(uintptr_t)element.p);
    }
}

static void an_element_has_a_bounded_number_of_parameters(void **state)
{
    (void)state;
    char text[IPT_FORWARDED_PAIRS * 16 + 64];
    size_t n = 0;
    for (int i = 1; i < IPT_FORWARDED_PAIRS; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "p%d=x;", i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, "for=192.0.2.1");
    assert_int_equal(ipt_forwarded_parse((ipt_span){text, n}, NULL).kind, IPT_ENTRY_ADDRESS);
    n += (size_t)snprintf(text + n, sizeof(text) - n, ";one=more");
    bool repeated = true;
    assert_int_equal(ipt_forwarded_parse((ipt_span){text, n}, &repeated).kind, IPT_ENTRY_MALFORMED);
    assert_false(repeated);
}

static void nul_never_ends_an_element(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"for=1.1.1.1\0", 12},
        {"for=1.1.1.1\0;x=y", 16},
        {"for=\"1.1.1.1\0\"", 14},
        {"for=\"1.1.1.1\\\0\"", 15},
        {"\0", 1},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span element = exact_n(rows[i].bytes, rows[i].n);
        assert_int_equal(ipt_forwarded_parse(element, NULL).kind, IPT_ENTRY_MALFORMED);
        free((void *)(uintptr_t)element.p);
    }
    assert_int_equal(ipt_forwarded_parse((ipt_span){0}, NULL).kind, IPT_ENTRY_EMPTY);
}

static void parameters_come_in_order(void **state)
{
    static const struct {
        const char *element, *pairs;
        bool broken;
    } rows[] = {
        {"for=a;by=b", "for=a|by=b|", false},
        {";a=b;;c=\"d;e\";", "a=b|c=\"d;e|", false},
        {"a=\"\"", "a=\"|", false},
        {"", "", false},
        {";;", "", false},
        {"a=b;c", "a=b|", true},
        {"a=b;c=d e=f", "a=b|", true},
        {"a", "", true},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span element = exact(rows[i].element);
        ipt_span rest = element;
        ipt_forwarded_pair pair;
        bool broken = true;
        char seen[64] = "";
        size_t n = 0;
        while (ipt_forwarded_next(&rest, &pair, &broken)) {
            assert_false(broken);
            n += (size_t)snprintf(seen + n, sizeof(seen) - n, "%.*s=%s%.*s|", (int)pair.name.n, pair.name.p,
                                  pair.quoted ? "\"" : "", (int)pair.value.n, pair.value.p);
        }
        if (strcmp(seen, rows[i].pairs) != 0 || broken != rows[i].broken)
            fail_msg("row %zu: %s gives %s", i, rows[i].element, seen);
        free((void *)(uintptr_t)element.p);
    }
}

static void a_secret_proves_only_when_it_stands_once_and_right(void **state)
{
    static const struct {
        const char *element, *secret;
        ipt_param_result result;
    } rows[] = {
        {"for=1.1.1.1;secret=s3cret", "s3cret", IPT_PARAM_RIGHT},
        {"SECRET=s3cret", "s3cret", IPT_PARAM_RIGHT},
        {"secret=\"s3cret\"", "s3cret", IPT_PARAM_RIGHT},
        {"secret=\"s3\\cret\"", "s3cret", IPT_PARAM_RIGHT},
        {"secret=\"a\\\\b\\\"c d\"", "a\\b\"c d", IPT_PARAM_RIGHT},
        {" secret=s3cret\t", "s3cret", IPT_PARAM_RIGHT},
        {"secret=s3cre", "s3cret", IPT_PARAM_WRONG},
        {"secret=s3crett", "s3cret", IPT_PARAM_WRONG},
        {"secret=s3crets3cret", "s3cret", IPT_PARAM_WRONG}, /* no wrap around */
        {"secret=S3cret", "s3cret", IPT_PARAM_WRONG},
        {"secret=\"\"", "s3cret", IPT_PARAM_WRONG},
        {"secret=\"\"", "", IPT_PARAM_WRONG}, /* nothing proves nothing */
        {"secret=s3cret;secret=s3cret", "s3cret", IPT_PARAM_REPEATED},
        {"secret=s3cret;Secret=x", "s3cret", IPT_PARAM_REPEATED},
        {"secret=s3cret;for=a;for=b", "s3cret", IPT_PARAM_ABSENT}, /* the element is malformed */
        {"secret=s3cret;x", "s3cret", IPT_PARAM_ABSENT},
        {"secret=s3cret, for=a", "s3cret", IPT_PARAM_ABSENT},
        {"for=1.1.1.1", "s3cret", IPT_PARAM_ABSENT},
        {"x=\"secret=s3cret\"", "s3cret", IPT_PARAM_ABSENT},
        {"secret=\"s3cret", "s3cret", IPT_PARAM_ABSENT},
        {"", "s3cret", IPT_PARAM_ABSENT},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span element = exact(rows[i].element), secret = exact(rows[i].secret);
        const ipt_param_result result = ipt_forwarded_param_check(element, IPT_SPAN("secret"), secret);
        if (result != rows[i].result)
            fail_msg("row %zu: %s is %d", i, rows[i].element, (int)result);
        free((void *)(uintptr_t)element.p);
        free((void *)(uintptr_t)secret.p);
    }
}

static void unescaping_drops_the_backslash_of_each_pair(void **state)
{
    static const struct {
        const char *text, *plain;
    } rows[] = {{"", ""},       {"abc", "abc"},     {"a\\bc", "abc"}, {"\\\\", "\\"},
                {"\\\"", "\""}, {"\\\\\\a", "\\a"}, {"a\\", "a\\"}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_span text = exact(rows[i].text);
        char *out = malloc(text.n == 0 ? 1 : text.n); /* exact: one byte more would be seen */
        assert_non_null(out);
        const size_t n = ipt_unescape(text, out);
        assert_int_equal(n, strlen(rows[i].plain));
        assert_memory_equal(out, rows[i].plain, n);
        free(out);
        free((void *)(uintptr_t)text.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_is_an_address_or_says_why_not),
        cmocka_unit_test(a_repeated_parameter_spoils_its_element),
        cmocka_unit_test(an_element_has_a_bounded_number_of_parameters),
        cmocka_unit_test(nul_never_ends_an_element),
        cmocka_unit_test(parameters_come_in_order),
        cmocka_unit_test(a_secret_proves_only_when_it_stands_once_and_right),
        cmocka_unit_test(unescaping_drops_the_backslash_of_each_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
