/* The picture and the page: what they say of each situation, that nothing a client wrote gets through as code, and that
 * the YAML they suggest does what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "explain_priv.h"
#include "failalloc.h"
#include "situations.h"

static ipt_buf read_file(const char *path)
{
    ipt_buf text = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return text;
    for (int c; (c = fgetc(file)) != EOF;)
        ipt_buf_addc(&text, (char)c);
    fclose(file);
    return text;
}

static bool contains(const ipt_buf *text, const char *what)
{
    return memmem(text->p, text->n, what, strlen(what)) != NULL;
}

/* With IPTRUST_GOLDEN_WRITE in the environment the pictures are written anew, to be looked at and committed. */
static void each_situation_has_its_picture(void **state)
{
    bool write = getenv("IPTRUST_GOLDEN_WRITE") != NULL;
    (void)state;

    for (size_t i = 0; i < situation_count; i++) {
        char path[512];
        scene s;
        scene_open(&s, &situations[i]);
        ipt_auto(ipt_buf) out = {0};
        ipt_explain_text(&out, &s.decision, (ipt_explain_style){.width = 88});
        snprintf(path, sizeof(path), IPTRUST_EXPLAIN_GOLDEN "/%s.txt", situations[i].name);
        if (write) {
            FILE *file = fopen(path, "wb");
            assert_non_null(file);
            assert_int_equal(fwrite(out.p, 1, out.n, file), out.n);
            fclose(file);
        }
        ipt_auto(ipt_buf) golden = read_file(path);
        if (!ipt_span_equal(ipt_buf_span(&out), ipt_buf_span(&golden)))
            fail_msg("%s differs; now it is:\n%.*s", path, (int)out.n, out.p);
        scene_close(&s);
    }
}

static void a_picture_keeps_to_its_width_and_to_ascii(void **state)
{
    (void)state;
    for (size_t i = 0; i < situation_count; i++)
        for (unsigned width = 60; width <= 100; width += 20) {
            scene s;
            scene_open(&s, &situations[i]);
            ipt_auto(ipt_buf) out = {0};
            ipt_explain_text(&out, &s.decision, (ipt_explain_style){.width = width});
            size_t column = 0;
            for (size_t j = 0; j < out.n; j++) {
                bool ascii = out.p[j] == '\n' || (out.p[j] >= 0x20 && out.p[j] < 0x7f);
                if (!ascii)
                    fail_msg("%s: byte 0x%02x", situations[i].name, (unsigned char)out.p[j]);
                column = out.p[j] == '\n' ? 0 : column + 1;
                /* YAML is there to be copied and is never broken; it stands six columns in. */
                const char *line = out.p + j - column + 1;
                if (column > width && strncmp(line, "      ", 6) != 0)
                    fail_msg("%s at width %u: %.*s", situations[i].name, width, (int)column, line);
            }
            scene_close(&s);
        }
}

static void colour_is_escapes_around_the_same_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < situation_count; i++) {
        scene s;
        scene_open(&s, &situations[i]);
        ipt_auto(ipt_buf) plain = {0};
        ipt_auto(ipt_buf) colour = {0};
        ipt_auto(ipt_buf) stripped = {0};
        ipt_explain_text(&plain, &s.decision, (ipt_explain_style){.width = 80});
        ipt_explain_text(&colour, &s.decision, (ipt_explain_style){.width = 80, .colour = true});
        for (size_t j = 0; j < colour.n; j++) {
            if (colour.p[j] == '\x1b')
                while (colour.p[j] != 'm')
                    j++;
            else
                ipt_buf_addc(&stripped, colour.p[j]);
        }
        assert_true(colour.n > plain.n);
        assert_true(ipt_span_equal(ipt_buf_span(&plain), ipt_buf_span(&stripped)));
        scene_close(&s);
    }
}

static void nothing_of_the_client_is_code(void **state)
{
    static const char *const headers[] = {
        "X-Forwarded-For: <script>alert(1)</script>",
        "X-Forwarded-For: \x1b]0;owned\x07",
        "X-Forwarded-For: \"><img src=x onerror=alert(1)>",
        "Forwarded: for=\"<b>\";host='&lt;'\nX-Real-IP: <u>\x80\xff</u>\nX_Forwarded_For: <i>",
    };
    static const char *const peers[] = {"10.0.12.1", "172.17.0.1", "<b>\x1b[1m"};
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(headers); i++)
        for (size_t j = 0; j < IPT_COUNT(peers); j++) {
            situation hostile = *situation_find("direct");
            scene s;
            hostile.peer = peers[j];
            hostile.headers = headers[i];
            scene_open(&s, &hostile);
            ipt_auto(ipt_buf) page = {0};
            ipt_auto(ipt_buf) text = {0};
            ipt_explain_html(&page, &s.decision);
            ipt_explain_text(&text, &s.decision, (ipt_explain_style){0});
            static const char *const code[] = {"<script", "<img", "<b>", "<u>", "<i>"};
            for (size_t k = 0; k < IPT_COUNT(code); k++)
                assert_false(contains(&page, code[k]));
            for (size_t k = 0; k < page.n; k++)
                assert_true(page.p[k] == '\n' || (page.p[k] >= 0x20 && page.p[k] < 0x7f));
            for (size_t k = 0; k < text.n; k++)
                assert_true(text.p[k] == '\n' || (text.p[k] >= 0x20 && text.p[k] < 0x7f));
            scene_close(&s);
        }
}

static void request_text_is_capped(void **state)
{
    char header[4096] = "X-Forwarded-For: ";
    situation wordy = *situation_find("direct");
    scene s;
    (void)state;

    memset(header + strlen(header), 'A', 2000);
    wordy.headers = header;
    for (unsigned i = 0; i < 2; i++) {
        wordy.peer = i == 0 ? "10.0.12.1" : "172.17.0.1"; /* as an entry of the chain, and as an ignored header */
        scene_open(&s, &wordy);
        ipt_auto(ipt_buf) text = {0};
        ipt_auto(ipt_buf) page = {0};
        size_t in_text = 0, in_page = 0;
        ipt_explain_text(&text, &s.decision, (ipt_explain_style){0});
        ipt_explain_html(&page, &s.decision);
        for (size_t j = 0; j < text.n; j++)
            in_text += text.p[j] == 'A';
        for (size_t j = 0; j < page.n; j++)
            in_page += page.p[j] == 'A';
        assert_in_range(in_text, 256, 256 * 3); /* once in full, and where the advice names it */
        assert_in_range(in_page, 256, 256 * 3);
        scene_close(&s);
    }
}

static void hundreds_of_forged_entries_stay_one_screen(void **state)
{
    char header[8192] = "X-Forwarded-For: ";
    situation forged = *situation_find("direct");
    size_t lines = 0;
    scene s;
    (void)state;

    for (size_t i = 0; i < 500; i++)
        strcat(header, "1.2.3.4,");
    strcat(header, "8.8.8.8");
    forged.peer = "10.0.12.1";
    forged.headers = header;
    scene_open(&s, &forged);
    ipt_auto(ipt_buf) out = {0};
    ipt_explain_text(&out, &s.decision, (ipt_explain_style){0});
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    assert_in_range(lines, 20, 50);
    assert_true(contains(&out, "and 492 more"));
    scene_close(&s);
}

/* The embedded default has no file: what is suggested is a whole configuration, so it can be tried. */
static void the_suggested_configuration_gives_the_better_answer(void **state)
{
    static const struct {
        const char *policy, *peer, *headers, *proxy, *client; /* the client that is then found */
    } rows[] = {
        {NULL, "172.17.0.1", "X-Forwarded-For: 8.8.8.8", NULL, "8.8.8.8"},
        {NULL, "fd00::1", "X-Forwarded-For: 8.8.8.8", NULL, "8.8.8.8"},
        {NULL, "172.17.0.1", "Forwarded: for=8.8.8.8", NULL, "8.8.8.8"},
        {NULL, "172.17.0.1", "X-Real-IP: 8.8.8.8", NULL, "8.8.8.8"},
        {NULL, "172.17.0.1", "", "PROXY TCP4 8.8.8.8 10.0.0.1 1 2\r\n", "8.8.8.8"},
        {NULL, "127.0.0.1", "X-Forwarded-For: 8.8.8.8, 192.168.1.9", NULL, "8.8.8.8"},
        {NULL, "127.0.0.1", "Forwarded: for=8.8.8.8", NULL, "8.8.8.8"},
        {NULL, "127.0.0.1", "", "PROXY TCP4 8.8.8.8 10.0.0.1 1 2\r\n", "8.8.8.8"},
        {NULL, "173.245.48.7", "X-Forwarded-For: 8.8.8.8", NULL, "8.8.8.8"},
        {"cloudfront", "127.0.0.1", "X-Forwarded-For: 8.8.8.8, 173.245.48.7", NULL, "8.8.8.8"},
        {NULL, "unix", "", NULL, NULL},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        char client[IPT_ADDR_TEXT];
        situation before = {"suggested", NULL, rows[i].policy, rows[i].peer, rows[i].headers, rows[i].proxy};
        scene s, better;
        scene_open(&s, &before);
        ipt_auto(ipt_advices) advices = {0};
        ipt_advices_make(&advices, &s.decision);
        assert_in_range(advices.count, 1, IPT_ADVICE_MAX);
        ipt_buf_addc(&advices.items[0].yaml, '\0');

        situation after = before;
        after.yaml = advices.items[0].yaml.p;
        scene_open(&better, &after);
        if (rows[i].client != NULL) {
            ipt_addr_format(better.decision.client, client);
            assert_string_equal(client, rows[i].client);
        }
        assert_int_equal(better.decision.chain[0].verdict, IPT_VERDICT_TRUSTED);
        scene_close(&better);
        scene_close(&s);
    }
}

/* A forged header at a service without proxies must not talk anyone into trusting the public Internet. */
static void nothing_is_suggested_where_nothing_is_wrong(void **state)
{
    static const struct {
        const char *peer, *headers;
    } rows[] = {
        {"8.8.4.4", ""},
        {"10.0.12.1", "X-Forwarded-For: 8.8.8.8"},
        {"10.0.12.1", "X-Forwarded-For: 1.1.1.1, 8.8.8.8"},
        {"8.8.4.4", "Accept: text/html"},
        {"10.0.12.1", "X-Forwarded-For: 10.0.0.1, 8.8.8.8\nForwarded: for=9.9.9.9\nTrue-Client-IP: 9.9.9.9"},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        situation good = *situation_find("direct");
        scene s;
        good.peer = rows[i].peer;
        good.headers = rows[i].headers;
        scene_open(&s, &good);
        ipt_auto(ipt_advices) advices = {0};
        ipt_advices_make(&advices, &s.decision);
        assert_int_equal(advices.count, 0);
        scene_close(&s);
    }
}

static void a_newcomer_is_told_what_to_type_next(void **state)
{
    static const struct {
        const char *headers;
        bool own_call;
        const char *command;
    } rows[] = {
        {"Host: 127.0.0.1:8080", true, "curl -H 'X-Forwarded-For: 8.8.8.8' 'http://127.0.0.1:8080/v1/resolve'"},
        {"Host: [::1]:8080", true, "curl -H 'X-Forwarded-For: 8.8.8.8' 'http://[::1]:8080/v1/resolve'"},
        {"Host: a';rm -rf x;'", true, "iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'"},
        {"Host: a", false, "iptrust explain --peer 127.0.0.1 -H 'X-Forwarded-For: 8.8.8.8'"},
    };
    (void)state;

    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        situation first = {"first", NULL, NULL, "127.0.0.1", rows[i].headers, NULL};
        scene s;
        scene_open(&s, &first);
        s.request.http_parser_lax = rows[i].own_call;
        ipt_auto(ipt_buf) out = {0};
        ipt_explain_text(&out, &s.decision, (ipt_explain_style){0});
        if (!contains(&out, rows[i].command))
            fail_msg("row %zu: %.*s", i, (int)out.n, out.p);
        scene_close(&s);
    }
}

static void every_failing_allocation_is_told(void **state)
{
    scene s;
    (void)state;

    scene_open(&s, situation_find("missing_balancer"));
    for (unsigned page = 0; page < 2; page++)
        for (size_t n = 1;; n++) {
            ipt_auto(ipt_buf) out = {0};
            failalloc_at(n);
            if (page == 0)
                ipt_explain_text(&out, &s.decision, (ipt_explain_style){0});
            else
                ipt_explain_html(&out, &s.decision);
            bool happened = failalloc_happened();
            failalloc_at(0);
            assert_int_equal(out.failed, happened);
            if (!happened)
                break;
        }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_picture),
        cmocka_unit_test(a_picture_keeps_to_its_width_and_to_ascii),
        cmocka_unit_test(colour_is_escapes_around_the_same_words),
        cmocka_unit_test(nothing_of_the_client_is_code),
        cmocka_unit_test(request_text_is_capped),
        cmocka_unit_test(hundreds_of_forged_entries_stay_one_screen),
        cmocka_unit_test(the_suggested_configuration_gives_the_better_answer),
        cmocka_unit_test(nothing_is_suggested_where_nothing_is_wrong),
        cmocka_unit_test(a_newcomer_is_told_what_to_type_next),
        cmocka_unit_test(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
