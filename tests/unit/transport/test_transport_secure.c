/* TLS under HTTP/2, bytes in and bytes out: who gets through the handshake, with which certificate, and which files the
 * next connection sees. */
#include "secure_talk.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pair one, two, ca, caller; /* made once: keys cost time */
static int64_t soon;

static int make_pairs(void **state)
{
    (void)state;
    soon = (int64_t)time(NULL) + 3600;
    pair_make(&one, "one", soon);
    pair_make(&two, "two", soon);
    pair_make(&ca, "authority", soon);
    pair_make_as(&caller, &(pair_spec){.name = "caller", .expires = soon, .by = &ca});
    return 0;
}

/* ---- handshakes ---- */

static void versions_ciphers_and_protocols_are_those_of_http_2(void **state)
{
    enum { NONE = -1, HANDSHAKE_FAILURE = 40, PROTOCOL_VERSION = 70, NO_APPLICATION_PROTOCOL = 120 };
    static const struct {
        talk_spec says;
        h2_io shaken;
        int alert;
    } rows[] = {
        {{.version = 0}, H2_IO_DONE, NONE},
        {{.version = TLS1_2_VERSION}, H2_IO_DONE, NONE},
        {{.version = TLS1_1_VERSION}, H2_IO_ENDED, PROTOCOL_VERSION},
        {{.version = TLS1_VERSION}, H2_IO_ENDED, PROTOCOL_VERSION},
        {{.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}, H2_IO_DONE, NONE},
        {{.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"}, H2_IO_DONE, NONE},
        {{.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256"}, H2_IO_ENDED, HANDSHAKE_FAILURE},
        {{.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-SHA"}, H2_IO_ENDED, HANDSHAKE_FAILURE},
        {{.version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"}, H2_IO_ENDED, HANDSHAKE_FAILURE},
        {{.alpn = "\2h2\10http/1.1"}, H2_IO_DONE, NONE},
        {{.alpn = "\10http/1.1\2h2"}, H2_IO_DONE, NONE},
        {{.alpn = "\10http/1.1\2h3\3h2c\2h2\6spdy/3"}, H2_IO_DONE, NONE},
        {{.version = TLS1_2_VERSION, .alpn = "\10http/1.1\2h2"}, H2_IO_DONE, NONE},
        {{.alpn = "\10http/1.1"}, H2_IO_ENDED, NO_APPLICATION_PROTOCOL},
        {{.version = TLS1_2_VERSION, .alpn = "\10http/1.1"}, H2_IO_ENDED, NO_APPLICATION_PROTOCOL},
        {{.alpn = "\3h2c"}, H2_IO_ENDED, NO_APPLICATION_PROTOCOL},
        {{.alpn = "\2H2"}, H2_IO_ENDED, NO_APPLICATION_PROTOCOL},
        {{.alpn = "\1h\0012"}, H2_IO_ENDED, NO_APPLICATION_PROTOCOL},
        {{.alpn = ""}, H2_IO_ENDED, NONE},
        {{.version = TLS1_2_VERSION, .alpn = ""}, H2_IO_ENDED, NONE},
    };
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        talk t;
        const unsigned char *chosen;
        unsigned n;
        if (talk_whole(&t, &secure, &rows[i].says) != rows[i].shaken || t.alert != rows[i].alert)
            fail_msg("row %zu: %d, alert %d", i, (int)t.shaken, t.alert);
        if (t.shaken == H2_IO_DONE) {
            SSL_get0_alpn_selected(t.client, &chosen, &n);
            assert_int_equal(n, 2);
            assert_memory_equal(chosen, "h2", 2);
            assert_false(h2_tls_is_verified(t.server)); /* nobody was asked who he is */
            assert_false(h2_tls_is_allowed(t.server, &secure));
            talk_echo(&t);
        }
        talk_end(&t);
    }
    talk_serve_done(&p, &secure);
}

static void mutual_tls_wants_a_certificate_that_the_authority_has_signed(void **state)
{
    enum {
        NONE = -1,
        HANDSHAKE_FAILURE = 40,
        BAD = 42,
        UNSUPPORTED = 43,
        EXPIRED = 45,
        UNKNOWN_CA = 48,
        DECRYPT = 51,
        REQUIRED = 116
    };
    pair other, forged, old, early, below, intermediate, weak, servers, clients;
    place p;
    h2_secure secure;
    (void)state;
    pair_make(&other, "authority", soon); /* of the same name */
    pair_make_as(&forged, &(pair_spec){.name = "caller", .expires = soon, .by = &other});
    pair_make_as(&old, &(pair_spec){.name = "old", .expires = soon - 7200, .by = &ca});
    pair_make_as(&early, &(pair_spec){.name = "early", .expires = soon + 200000, .by = &ca});
    pair_make_as(&intermediate, &(pair_spec){.name = "no authority", .expires = soon, .by = &ca});
    pair_make_as(&below, &(pair_spec){.name = "caller", .expires = soon, .by = &intermediate});
    pair_append(&below, &intermediate);
    pair_make_as(&weak, &(pair_spec){.name = "weak", .expires = soon, .by = &ca, .rsa_bits = 1024});
    pair_make_as(&servers, &(pair_spec){.name = "s", .expires = soon, .by = &ca, .purpose = "1.3.6.1.5.5.7.3.1"});
    pair_make_as(&clients, &(pair_spec){.name = "c", .expires = soon, .by = &ca, .purpose = "1.3.6.1.5.5.7.3.2"});
    const struct {
        const pair *shows;
        h2_io shaken;
        int alert13, alert12;
    } rows[] = {
        {&caller, H2_IO_DONE, NONE, NONE},
        {NULL, H2_IO_ENDED, REQUIRED, HANDSHAKE_FAILURE},
        {&forged, H2_IO_ENDED, DECRYPT, DECRYPT},    /* by another of the same name */
        {&one, H2_IO_ENDED, UNKNOWN_CA, UNKNOWN_CA}, /* signed by itself */
        {&other, H2_IO_ENDED, UNKNOWN_CA, UNKNOWN_CA},
        {&below, H2_IO_ENDED, UNKNOWN_CA, UNKNOWN_CA}, /* by one who may sign nobody */
        {&old, H2_IO_ENDED, EXPIRED, EXPIRED},
        {&early, H2_IO_ENDED, BAD, BAD},
        {&weak, H2_IO_ENDED, BAD, BAD},
        {&servers, H2_IO_ENDED, UNSUPPORTED, UNSUPPORTED},
        {&clients, H2_IO_DONE, NONE, NONE},
    };
    talk_serve(&p, &secure, &one, ca.cert, NULL, 0);
    for (size_t i = 0; i < 2 * IPT_COUNT(rows); i++) {
        talk t;
        bool is13 = i % 2 == 0;
        const talk_spec says = {.version = is13 ? TLS1_3_VERSION : TLS1_2_VERSION, .shows = rows[i / 2].shows};
        int alert = is13 ? rows[i / 2].alert13 : rows[i / 2].alert12;
        if (talk_whole(&t, &secure, &says) != rows[i / 2].shaken || t.alert != alert)
            fail_msg("row %zu: %d, alert %d", i / 2, (int)t.shaken, t.alert);
        assert_int_equal(h2_tls_is_verified(t.server), t.shaken == H2_IO_DONE);
        if (t.shaken == H2_IO_DONE) {
            assert_true(h2_tls_is_allowed(t.server, &secure)); /* no client_sans: any that is signed */
            talk_echo(&t);
        }
        talk_end(&t);
    }
    talk_serve_done(&p, &secure);
}

static void every_certificate_of_client_ca_counts(void **state)
{
    char both[sizeof(one.cert) * 2];
    place p;
    h2_secure secure;
    talk t;
    (void)state;
    snprintf(both, sizeof(both), "%s%s", two.cert, ca.cert);
    talk_serve(&p, &secure, &one, both, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.shows = &caller}), H2_IO_DONE);
    assert_int_equal(sk_X509_NAME_num(SSL_get0_peer_CA_list(t.client)), 2); /* and callers are told of them */
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void the_whole_chain_is_shown(void **state)
{
    pair leaf;
    place p;
    h2_secure secure;
    talk t;
    (void)state;
    pair_make_as(&leaf, &(pair_spec){.name = "leaf", .expires = soon, .by = &ca});
    pair_append(&leaf, &ca);
    talk_serve(&p, &secure, &leaf, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(t.client)), 2);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void who_is_no_tls_client_is_let_go(void **state)
{
    static const char *const says[] = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
                                       "\x16\x03\x01\xff\xff\x01", "\x80\x10\x01\x03\x01 an SSLv2 hello",
                                       "\x15\x03\x03\x7f\x7f\x7f\x7f\x7f\x7f\x7f"};
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    for (size_t i = 0; i < IPT_COUNT(says); i++) {
        talk t;
        assert_true(talk_begin(&t, &secure, &(talk_spec){.version = 0}));
        assert_int_equal(h2_tls_accept(t.server), H2_IO_WANTS_READ); /* nothing has come */
        assert_int_equal(send(t.here, says[i], strlen(says[i]), 0), strlen(says[i]));
        assert_int_equal(h2_tls_accept(t.server), H2_IO_ENDED);
        assert_int_equal(h2_tls_accept(t.server), H2_IO_ENDED);
        h2_tls_say_end(t.server);
        talk_end(&t);
    }
    talk_serve_done(&p, &secure);
}

/* ---- names ---- */

#define DNS(text)                  \
    {                              \
        IPT_SAN_DNS,               \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
#define URI(text)                  \
    {                              \
        IPT_SAN_URI,               \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
#define EMAIL(text)                \
    {                              \
        IPT_SAN_EMAIL,             \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }
#define ADDRESS(text)              \
    {                              \
        IPT_SAN_IP,                \
        {                          \
            text, sizeof(text) - 1 \
        }                          \
    }

static bool is_allowed(h2_secure *secure, const ipt_san *sans, size_t count)
{
    pair who;
    talk t;
    pair_make_as(&who,
                 &(pair_spec){.name = "proxy.example", .expires = soon, .by = &ca, .sans = sans, .sans_count = count});
    assert_int_equal(talk_whole(&t, secure, &(talk_spec){.shows = &who}), H2_IO_DONE);
    assert_true(h2_tls_is_verified(t.server));
    bool allowed = h2_tls_is_allowed(t.server, secure);
    talk_end(&t);
    return allowed;
}

static const char *const allowed_names[] = {"proxy.example", "spiffe://example.org/edge", "ops@example.org",
                                            "192.0.2.7", "2001:db8::7"};

static void one_of_the_names_has_to_be_allowed(void **state)
{
    static const struct {
        ipt_san sans[3];
        size_t count;
        bool allowed;
    } rows[] = {
        {{DNS("proxy.example")}, 1, true},
        {{DNS("PROXY.Example")}, 1, true},
        {{URI("spiffe://example.org/edge")}, 1, true},
        {{EMAIL("ops@EXAMPLE.org")}, 1, true},
        {{ADDRESS("192.0.2.7")}, 1, true},
        {{ADDRESS("2001:db8::7")}, 1, true},
        {{DNS("other.example"), URI("urn:x"), ADDRESS("192.0.2.7")}, 3, true},
        {{DNS("other.example"), URI("urn:x"), ADDRESS("192.0.2.8")}, 3, false},
        {{DNS("")}, 0, false}, /* its subject is proxy.example, and nobody asks for that */
        {{DNS("a.proxy.example")}, 1, false},
        {{DNS("*.example")}, 1, false},
        {{DNS("proxy.example.")}, 1, false},
        {{DNS("proxy.example\0.evil.example")}, 1, false},
        {{DNS("192.0.2.7")}, 1, false}, /* kinds never mix */
        {{URI("proxy.example")}, 1, false},
        {{DNS("spiffe://example.org/edge")}, 1, false},
        {{URI("spiffe://example.org/Edge")}, 1, false},
        {{URI("spiffe://example.org/edge/")}, 1, false},
        {{EMAIL("Ops@example.org")}, 1, false},
        {{ADDRESS("192.0.2.70")}, 1, false},
        {{ADDRESS("::ffff:192.0.2.8")}, 1, false},
        {{ADDRESS("2001:db8::8")}, 1, false},
    };
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, allowed_names, IPT_COUNT(allowed_names));
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (is_allowed(&secure, rows[i].sans, rows[i].count) != rows[i].allowed)
            fail_msg("row %zu", i);
    }
    talk_serve_done(&p, &secure);
}

static void a_certificate_of_more_than_64_names_is_nobodys(void **state)
{
    enum { MANY = 65 };
    ipt_san sans[MANY];
    char names[MANY][16];
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, allowed_names, IPT_COUNT(allowed_names));
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "n%zu.example", i);
        sans[i] = (ipt_san){IPT_SAN_DNS, ipt_span_from(names[i])};
    }
    assert_false(is_allowed(&secure, sans, MANY - 1));
    sans[MANY - 2] = (ipt_san)DNS("proxy.example");
    assert_true(is_allowed(&secure, sans, MANY - 1)); /* the last of 64 */
    assert_false(is_allowed(&secure, sans, MANY));
    sans[0] = sans[MANY - 2];
    assert_false(is_allowed(&secure, sans, MANY));
    talk_serve_done(&p, &secure);
}

/* ---- files ---- */

static void replace(const place *p, const h2_secure *secure, const pair *by, ipt_tls_look wanted)
{
    ipt_tls_fault fault;
    put(p->cert, by->cert);
    put(p->key, by->key);
    assert_int_equal(ipt_tls_files_look(secure->files, true, &fault), wanted);
}

static void expect_shown(h2_secure *secure, const char *name)
{
    talk t;
    char shown[64];
    assert_int_equal(talk_whole(&t, secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    talk_shown(&t, shown);
    assert_string_equal(shown, name);
    talk_end(&t);
}

static void new_files_are_for_the_next_connection(void **state)
{
    place p;
    h2_secure secure;
    talk open, begun, next;
    char shown[64];
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&open, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    assert_true(talk_begin(&begun, &secure, &(talk_spec){.version = 0}));
    replace(&p, &secure, &two, IPT_TLS_TAKEN);
    assert_int_equal(talk_whole(&next, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    talk_shown(&next, shown);
    assert_string_equal(shown, "two");
    talk_shake(&begun);
    assert_int_equal(begun.shaken, H2_IO_DONE);
    talk_shown(&begun, shown);
    assert_string_equal(shown, "one");
    talk_echo(&open);
    talk_echo(&begun);
    talk_echo(&next);
    talk_end(&open);
    talk_end(&begun);
    talk_end(&next);
    talk_serve_done(&p, &secure);
}

static void a_new_authority_is_for_the_next_connection(void **state)
{
    place p;
    h2_secure secure;
    talk t;
    ipt_tls_fault fault;
    (void)state;
    talk_serve(&p, &secure, &one, two.cert, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.shows = &caller}), H2_IO_ENDED);
    talk_end(&t);
    put(p.ca, ca.cert);
    assert_int_equal(ipt_tls_files_look(secure.files, true, &fault), IPT_TLS_TAKEN);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.shows = &caller}), H2_IO_DONE);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void nonsense_in_the_files_changes_nothing(void **state)
{
    static const pair nonsense = {.cert = "nonsense", .key = ""};
    pair crossed = one;
    char why[240];
    place p;
    h2_secure secure;
    (void)state;
    memcpy(crossed.key, two.key, sizeof(crossed.key));
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    replace(&p, &secure, &nonsense, IPT_TLS_REFUSED);
    expect_shown(&secure, "one");
    replace(&p, &secure, &crossed, IPT_TLS_REFUSED);
    expect_shown(&secure, "one");
    assert_true(h2_secure_renew(&secure, why, sizeof(why))); /* what is in force is in use */
    replace(&p, &secure, &two, IPT_TLS_TAKEN);
    expect_shown(&secure, "two");
    talk_serve_done(&p, &secure);
}

/* What is good enough for GnuTLS, which judges the files, may not be for OpenSSL, which serves with them. */
static void what_openssl_alone_refuses_changes_nothing(void **state)
{
    pair weak;
    char why[240] = "";
    place p;
    h2_secure secure;
    (void)state;
    pair_make_as(&weak, &(pair_spec){.name = "weak", .expires = soon, .rsa_bits = 1024});
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    replace(&p, &secure, &weak, IPT_TLS_TAKEN);
    assert_false(h2_secure_renew(&secure, why, sizeof(why)));
    assert_non_null(strstr(why, "key too small"));
    expect_shown(&secure, "one");
    replace(&p, &secure, &two, IPT_TLS_TAKEN);
    assert_true(h2_secure_renew(&secure, why, sizeof(why)));
    expect_shown(&secure, "two");
    talk_serve_done(&p, &secure);
}

static void refused(const pair *own, const char *words)
{
    char why[400] = "";
    place p;
    h2_secure secure = {.files = NULL};
    place_make(&p);
    put(p.cert, own->cert);
    put(p.key, own->key);
    assert_false(h2_secure_open(&secure, &p.spec, why, sizeof(why)));
    if (strstr(why, words) == NULL)
        fail_msg("%s", why);
    talk_serve_done(&p, &secure);
    h2_secure_done(&secure); /* once more is fine */
}

static void files_that_cannot_be_used_are_refused_in_words(void **state)
{
    pair crossed = one, weak;
    static const pair empty = {.cert = "", .key = ""};
    (void)state;
    memcpy(crossed.key, two.key, sizeof(crossed.key));
    pair_make_as(&weak, &(pair_spec){.name = "weak", .expires = soon, .rsa_bits = 1024});
    refused(&crossed, "does not fit the certificate");
    refused(&empty, "holds no certificate chain");
    refused(&weak, "key too small");
}

/* At a terminal, where OpenSSL by itself would ask. */
static void nobody_is_asked_for_the_password_of_a_key(void **state)
{
    enum { PATIENCE_MS = 20000 };
    pair locked = one, both = one;
    (void)state;
    pair_encrypt(&one, "secret", locked.key);
    snprintf(both.key, sizeof(both.key), "%.2000s%.2000s", locked.key, one.key); /* GnuTLS may look for another block */
    refused(&locked, "holds no private key");
    for (unsigned i = 0; i < 2; i++) {
        int terminal, status;
        char said;
        pid_t child = forkpty(&terminal, NULL, NULL, NULL);
        assert_true(child >= 0);
        if (child == 0) {
            refused(i == 0 ? &locked : &both, "");
            _exit(0);
        }
        struct pollfd ready = {.fd = terminal, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        bool asked = read(terminal, &said, 1) == 1; /* else: it has ended without a word */
        if (asked)
            (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        (void)close(terminal);
        assert_false(asked);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_ciphers_and_protocols_are_those_of_http_2),
        cmocka_unit_test(mutual_tls_wants_a_certificate_that_the_authority_has_signed),
        cmocka_unit_test(every_certificate_of_client_ca_counts),
        cmocka_unit_test(the_whole_chain_is_shown),
        cmocka_unit_test(who_is_no_tls_client_is_let_go),
        cmocka_unit_test(one_of_the_names_has_to_be_allowed),
        cmocka_unit_test(a_certificate_of_more_than_64_names_is_nobodys),
        cmocka_unit_test(new_files_are_for_the_next_connection),
        cmocka_unit_test(a_new_authority_is_for_the_next_connection),
        cmocka_unit_test(nonsense_in_the_files_changes_nothing),
        cmocka_unit_test(what_openssl_alone_refuses_changes_nothing),
        cmocka_unit_test(files_that_cannot_be_used_are_refused_in_words),
        cmocka_unit_test(nobody_is_asked_for_the_password_of_a_key),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, make_pairs, NULL);
}
