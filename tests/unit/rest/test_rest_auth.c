/* What the header lines of an auth call are: evidence, the peer, the token, or the proxy's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"
#include "rest_priv.h"

enum { LINES_MAX = 6 };

typedef struct row {
    rest_peer_source source;
    const char *lines[LINES_MAX];
    const char *peer; /* "": nobody says */
    bool forged;
    const char *evidence; /* "Name: value|" */
} row;

static size_t read_lines(const char *const from[LINES_MAX], ipt_header *out)
{
    size_t n = 0;
    for (; n < LINES_MAX && from[n] != NULL; n++) {
        const char *colon = strchr(from[n], ':');
        assert_non_null(colon);
        out[n] =
            (ipt_header){exact_n(from[n], (size_t)(colon - from[n])), exact(colon[1] == ' ' ? colon + 2 : colon + 1)};
    }
    return n;
}

static void free_lines(ipt_header *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)lines[i].name.p);
        free((char *)(uintptr_t)lines[i].value.p);
    }
}

static void check(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ipt_header lines[LINES_MAX], kept[LINES_MAX];
        char evidence[300] = "", peer[64] = "";
        rest_auth auth;
        size_t n = read_lines(rows[i].lines, lines);
        rest_auth_read(rows[i].source, lines, n, kept, &auth);
        for (size_t k = 0; k < auth.evidence_count; k++) {
            size_t used = strlen(evidence);
            snprintf(evidence + used, sizeof(evidence) - used, "%.*s: %.*s|", (int)kept[k].name.n, kept[k].name.p,
                     (int)kept[k].value.n, kept[k].value.p);
        }
        snprintf(peer, sizeof(peer), "%.*s", (int)auth.peer.n, auth.peer.n == 0 ? "" : auth.peer.p);
        assert_string_equal(peer, rows[i].peer);
        assert_int_equal(auth.forged, rows[i].forged);
        assert_string_equal(evidence, rows[i].evidence);
        free_lines(lines, n);
    }
}

static void a_named_peer_stands_in_one_line(void **state)
{
    static const row rows[] = {
        {PEER_NAMED, {"X-Iptrust-Peer: 192.0.2.1"}, "192.0.2.1", false, ""},
        {PEER_NAMED, {"x-iptrust-peer: [2001:db8::1]:443"}, "[2001:db8::1]:443", false, ""},
        {PEER_NAMED, {"X-Iptrust-Peer: unix:"}, "unix", false, ""},
        {PEER_NAMED, {"X-Iptrust-Peer: what"}, "what", false, ""}, /* no address: the decision says so */
        {PEER_NAMED, {"X-Iptrust-Peer: "}, "", false, ""},
        {PEER_NAMED, {NULL}, "", false, ""},
        {PEER_NAMED, {"X-Iptrust-Peer: 192.0.2.1", "X-Iptrust-Peer: 192.0.2.2"}, "", true, ""},
        {PEER_NAMED, {"X-Iptrust-Peer: 192.0.2.1", "X-Iptrust-Peer: 192.0.2.1"}, "", true, ""},
        {PEER_NAMED, {"X_Iptrust_Peer: 6.6.6.6"}, "", true, ""},
        {PEER_NAMED, {"X_Iptrust.Peer: 6.6.6.6", "X-Iptrust-Peer: 192.0.2.1"}, "192.0.2.1", true, ""},
        {PEER_NAMED, {"X-Forwarded-For: 8.8.8.8, 10.0.0.1"}, "", false, "X-Forwarded-For: 8.8.8.8, 10.0.0.1|"},
        {PEER_NAMED,
         {"X-Forwarded-For: 8.8.8.8", "X-Iptrust-Peer: 10.0.0.1", "X-Forwarded-For: 10.0.0.2"},
         "10.0.0.1",
         false,
         "X-Forwarded-For: 8.8.8.8|X-Forwarded-For: 10.0.0.2|"},
    };
    (void)state;
    check(rows, IPT_COUNT(rows));
}

static void a_forwarded_peer_is_the_last_entry_and_no_evidence(void **state)
{
    static const row rows[] = {
        {PEER_FORWARDED, {"X-Forwarded-For: 192.0.2.1"}, "192.0.2.1", false, ""},
        {PEER_FORWARDED, {"X-Forwarded-For: 8.8.8.8, 192.0.2.1"}, "192.0.2.1", false, "X-Forwarded-For: 8.8.8.8|"},
        {PEER_FORWARDED, {"X-Forwarded-For: 8.8.8.8,192.0.2.1"}, "192.0.2.1", false, "X-Forwarded-For: 8.8.8.8|"},
        {PEER_FORWARDED,
         {"X-Forwarded-For: 8.8.8.8 ,\t2001:db8::1 "},
         "2001:db8::1",
         false,
         "X-Forwarded-For: 8.8.8.8|"},
        {PEER_FORWARDED,
         {"X-Forwarded-For: 8.8.8.8", "Forwarded: for=1.1.1.1", "x-forwarded-for: 192.0.2.1"},
         "192.0.2.1",
         false,
         "X-Forwarded-For: 8.8.8.8|Forwarded: for=1.1.1.1|"},
        {PEER_FORWARDED, {"X-Forwarded-For: 192.0.2.1", "A: 1", "B: 2"}, "192.0.2.1", false, "A: 1|B: 2|"},
        {PEER_FORWARDED, {"X-Forwarded-For: ,192.0.2.1"}, "192.0.2.1", false, "X-Forwarded-For: |"},
        {PEER_FORWARDED, {"X-Forwarded-For: 8.8.8.8,"}, "", false, "X-Forwarded-For: 8.8.8.8|"},
        {PEER_FORWARDED, {"X-Forwarded-For: 8.8.8.8", "X-Forwarded-For: "}, "", false, "X-Forwarded-For: 8.8.8.8|"},
        {PEER_FORWARDED, {"X_Forwarded_For: 8.8.8.8"}, "", false, "X_Forwarded_For: 8.8.8.8|"},
        {PEER_FORWARDED, {NULL}, "", false, ""},
        {PEER_FORWARDED, {"X-Iptrust-Peer: 6.6.6.6"}, "", true, ""},
        {PEER_FORWARDED, {"X-Forwarded-For: 192.0.2.1", "x_iptrust_peer: 6.6.6.6"}, "192.0.2.1", true, ""},
    };
    (void)state;
    check(rows, IPT_COUNT(rows));
}

static void lines_of_the_call_itself_are_no_evidence(void **state)
{
    static const row rows[] = {
        {PEER_NAMED,
         {"Host: iptrust", "Connection: close", "Content-Length: 0", "Transfer-Encoding: chunked", "TE: trailers",
          "Upgrade: h2c"},
         "",
         false,
         ""},
        {PEER_NAMED,
         {"Keep-Alive: 5", "Expect: 100-continue", "Trailer: a", "HTTP2-Settings: AA", "Proxy-Connection: close"},
         "",
         false,
         ""},
        {PEER_NAMED,
         {"X-Iptrust-Token: s", "X-Iptrust-Client-Ip: 6.6.6.6", "x_iptrust.anything: 1", "X-Iptrust: 1"},
         "",
         false,
         "X-Iptrust: 1|"},
        {PEER_NAMED,
         {"X-Real-Ip: 1.1.1.1", "Authorization: Basic eA==", "X-Forwarded-Host: a", "Hosts: b"},
         "",
         false,
         "X-Real-Ip: 1.1.1.1|Authorization: Basic eA==|X-Forwarded-Host: a|Hosts: b|"},
    };
    (void)state;
    check(rows, IPT_COUNT(rows));
}

static void tokens_are_counted_in_their_one_spelling(void **state)
{
    static const struct {
        const char *lines[LINES_MAX];
        size_t tokens;
        const char *token;
    } rows[] = {
        {{"X-Iptrust-Token: secret"}, 1, "secret"},
        {{"x-iptrust-TOKEN: secret", "x-iptrust-token: secret"}, 2, "secret"},
        {{"X_Iptrust_Token: secret"}, 0, ""},
        {{NULL}, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_header lines[LINES_MAX], kept[LINES_MAX];
        rest_auth auth;
        size_t n = read_lines(rows[i].lines, lines);
        rest_auth_read(PEER_NAMED, lines, n, kept, &auth);
        assert_int_equal(auth.tokens, rows[i].tokens);
        assert_true(ipt_span_equal(auth.token, ipt_span_from(rows[i].token)));
        assert_int_equal(auth.evidence_count, 0);
        free_lines(lines, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_peer_stands_in_one_line),
        cmocka_unit_test(a_forwarded_peer_is_the_last_entry_and_no_evidence),
        cmocka_unit_test(lines_of_the_call_itself_are_no_evidence),
        cmocka_unit_test(tokens_are_counted_in_their_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
