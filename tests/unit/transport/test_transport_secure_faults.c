/* TLS under HTTP/2 when something goes wrong: handshakes that end anywhere, bytes that are not what was sent, memory
 * that is not there, also for OpenSSL itself. Whatever happens, nobody gets in who would not have without it.
 * IPTRUST_TLS_FAULTS: `all` tries every allocation of a handshake, `few` is for slow machines. */
#include "secure_talk.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "failalloc.h"

static pair one, two, ca, caller, stranger, forged;
static int64_t soon;
static const char *const sans[] = {"proxy.example"};

/* OpenSSL's memory is the test's, so that it can fail. */
static void *take(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(n);
}

static void *retake(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(p, n);
}

static void give(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static int prepare(void **state)
{
    static const ipt_san proxy[] = {{IPT_SAN_DNS, {"proxy.example", 13}}},
                         other[] = {{IPT_SAN_DNS, {"other.example", 13}}};
    pair elsewhere;
    place p;
    h2_secure secure;
    (void)state;
    soon = (int64_t)time(NULL) + 3600;
    pair_make(&ca, "authority", soon);
    pair_make(&elsewhere, "authority", soon);
    pair_make_as(&one, &(pair_spec){.name = "one", .expires = soon, .by = &ca});
    pair_make(&two, "two", soon);
    pair_make_as(&caller, &(pair_spec){.name = "caller", .expires = soon, .by = &ca, .sans = proxy, .sans_count = 1});
    pair_make_as(&stranger,
                 &(pair_spec){.name = "stranger", .expires = soon, .by = &ca, .sans = other, .sans_count = 1});
    pair_make_as(&forged,
                 &(pair_spec){.name = "caller", .expires = soon, .by = &elsewhere, .sans = proxy, .sans_count = 1});
    pair_append(&one, &ca);
    /* What OpenSSL makes once in the life of a process it makes now. */
    for (unsigned i = 0; i < 2; i++) {
        talk t;
        talk_serve(&p, &secure, &one, ca.cert, sans, 1);
        assert_int_equal(
            talk_whole(&t, &secure, &(talk_spec){.version = i == 0 ? 0 : TLS1_2_VERSION, .shows = &caller}),
            H2_IO_DONE);
        assert_true(h2_tls_is_allowed(t.server, &secure));
        talk_echo(&t);
        talk_end(&t);
        talk_serve_done(&p, &secure);
    }
    return 0;
}

/* How much is tried: of the bytes to cut at, how many to bend, of the allocations of a handshake and of files. */
static const struct extent {
    const char *name;
    size_t cut_step, bent, stride, open_stride;
} extents[] = {{"some", 3, 500, 29, 97}, {"all", 1, 20000, 1, 1}, {"few", 16, 100, 101, 401}};

static const struct extent *extent(void)
{
    const char *ask = getenv("IPTRUST_TLS_FAULTS");
    for (size_t i = 1; ask != NULL && i < IPT_COUNT(extents); i++) {
        if (strcmp(ask, extents[i].name) == 0)
            return &extents[i];
    }
    return &extents[0];
}

/* The next allocation to fail when a server opens: the first are our own, each of them; the rest is OpenSSL's. */
static size_t after(size_t n)
{
    enum { OURS = 20 };
    return n + (n < OURS ? 1 : extent()->open_stride);
}

enum { SPREAD = 16 }; /* a handshake differs by so many bytes from the next: signatures are not all of one size */

static size_t length_of(h2_secure *secure, const talk_spec *spec)
{
    talk t;
    assert_int_equal(talk_whole(&t, secure, spec), H2_IO_DONE);
    size_t n = t.sent;
    talk_end(&t);
    return n;
}

static void a_handshake_that_is_cut_anywhere_ends(void **state)
{
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    for (unsigned i = 0; i < 2; i++) {
        const talk_spec says = {.version = i == 0 ? 0 : TLS1_2_VERSION, .shows = &caller};
        size_t n = length_of(&secure, &says);
        for (size_t at = 0; at < n; at += extent()->cut_step) {
            talk t;
            assert_true(talk_begin(&t, &secure, &says));
            t.cut_at = at;
            talk_shake(&t);
            if (t.shaken != H2_IO_ENDED && at + SPREAD < n)
                fail_msg("it went through with %zu bytes of %zu", at, n);
            talk_end(&t);
        }
    }
    talk_serve_done(&p, &secure);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void a_handshake_with_a_byte_bent_ends(void **state)
{
    uint32_t seed = 20261123;
    size_t labels = 0;
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    for (size_t i = 0; i < extent()->bent; i++) {
        const talk_spec says = {.version = i % 2 == 0 ? 0 : TLS1_2_VERSION, .shows = &caller};
        static size_t n[2];
        talk t;
        if (n[i % 2] == 0)
            n[i % 2] = length_of(&secure, &says);
        assert_true(talk_begin(&t, &secure, &says));
        t.bend_at = next_random(&seed) % (n[i % 2] - SPREAD);
        t.bend = (uint8_t)(next_random(&seed) % 255 + 1);
        talk_shake(&t);
        if (t.shaken != H2_IO_ENDED && !t.bent_label)
            fail_msg("it went through with byte %zu xor %02x (seed %u)", t.bend_at, t.bend, seed);
        labels += t.shaken == H2_IO_DONE;
        talk_end(&t);
    }
    assert_true(labels <= extent()->bent / 50);
    talk_serve_done(&p, &secure);
}

static void a_record_with_a_byte_bent_is_not_read(void **state)
{
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    for (unsigned i = 0; i < 2; i++) {
        size_t n = 1;
        for (size_t at = 0; at < n; at++) {
            talk t;
            uint8_t bytes[64];
            size_t got;
            assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = i == 0 ? 0 : TLS1_2_VERSION}), H2_IO_DONE);
            assert_int_equal(SSL_write(t.client, "question", 8), 8);
            n = (size_t)BIO_pending(t.out);
            t.bend_at = t.sent + at;
            t.bend = 1;
            t.cut_at = t.sent + n; /* a longer record never comes */
            talk_carry(&t);
            if (h2_tls_read(t.server, bytes, sizeof(bytes), &got) != H2_IO_ENDED || got != 0)
                fail_msg("byte %zu of %zu", at, n);
            talk_end(&t);
        }
        assert_true(n > 8);
    }
    talk_serve_done(&p, &secure);
}

/* ---- memory ---- */

static void a_server_opens_whole_or_not_at_all(void **state)
{
    place p;
    char both[sizeof(ca.cert) * 2];
    bool happened = true;
    size_t n = 1, opened = 0;
    (void)state;
    snprintf(both, sizeof(both), "%s%s", ca.cert, two.cert);
    place_make(&p);
    put(p.cert, one.cert);
    put(p.key, one.key);
    put(p.ca, both);
    p.spec.tls_client_ca = p.ca;
    p.spec.tls_client_sans = sans;
    p.spec.tls_client_sans_count = 1;
    for (; happened; n = after(n)) {
        char why[400] = "";
        h2_secure secure = {.files = NULL};
        failalloc_at(n);
        bool open = h2_secure_open(&secure, &p.spec, why, sizeof(why));
        happened = failalloc_happened();
        failalloc_at(0);
        assert_true(open || (happened && why[0] != '\0'));
        if (open) { /* some that OpenSSL can do without: then nothing is missing */
            STACK_OF(X509) *chain = NULL;
            assert_int_equal(SSL_CTX_get0_chain_certs(secure.context, &chain), 1);
            if (sk_X509_num(chain) != 1 || sk_X509_NAME_num(SSL_CTX_get_client_CA_list(secure.context)) != 2)
                fail_msg("half of it, without allocation %zu", n);
            opened++;
        }
        h2_secure_done(&secure);
    }
    print_message("  some %zu allocations; it opened without %zu of those tried\n", n, opened - 1);
    assert_true(n > 100);
    place_remove(&p);
}

static void a_connection_begins_or_there_is_none(void **state)
{
    place p;
    h2_secure secure;
    int ends[2];
    bool happened = true;
    size_t n = 1;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    for (; happened; n++) {
        failalloc_at(n);
        h2_tls *tls = h2_tls_new(&secure, ends[0]);
        happened = failalloc_happened();
        failalloc_at(0);
        assert_true(tls != NULL || happened);
        if (tls != NULL)
            assert_int_equal(h2_tls_accept(tls), H2_IO_WANTS_READ);
        h2_tls_free(tls);
        ERR_clear_error();
    }
    assert_true(n > 5);
    (void)close(ends[0]);
    (void)close(ends[1]);
    talk_serve_done(&p, &secure);
}

/* What is lost to a moment without memory is found by a later connection. */
static void new_files_without_memory_are_made_up_for(void **state)
{
    const pair *pairs[] = {&one, &two};
    place p;
    h2_secure secure;
    int ends[2];
    bool happened = true;
    size_t n = 1;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    for (size_t turn = 1; happened; n = after(n), turn++) {
        ipt_tls_fault fault;
        char why[240] = "";
        uint64_t before = secure.number;
        put(p.cert, pairs[turn % 2]->cert);
        put(p.key, pairs[turn % 2]->key);
        assert_int_equal(ipt_tls_files_look(secure.files, true, &fault), IPT_TLS_TAKEN);
        failalloc_at(n);
        bool good = h2_secure_renew(&secure, why, sizeof(why));
        happened = failalloc_happened();
        failalloc_at(0);
        assert_true(good || (happened && why[0] != '\0'));
        if (!good) {
            assert_int_equal(secure.number, before);
            assert_true(secure.again_at > 0); /* not by every connection, though */
            secure.again_at = 0;
        }
        h2_tls *tls = h2_tls_new(&secure, ends[0]);
        assert_non_null(tls);
        assert_int_equal(secure.number, before + 1);
        h2_tls_free(tls);
    }
    assert_true(n > 100);
    (void)close(ends[0]);
    (void)close(ends[1]);
    talk_serve_done(&p, &secure);
}

static void without_memory_nobody_gets_in_who_may_not(void **state)
{
    const size_t stride = extent()->stride;
    const struct {
        const pair *shows;
        bool signed_by_ca, allowed;
    } rows[] = {{&caller, true, true}, {&stranger, true, false}, {&forged, false, false}, {NULL, false, false}};
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    for (size_t i = 0; i < 2 * IPT_COUNT(rows); i++) {
        const talk_spec says = {.version = i % 2 == 0 ? 0 : TLS1_2_VERSION, .shows = rows[i / 2].shows};
        bool failed = true;
        size_t tried = 0;
        for (size_t n = 1 + i; failed; n += stride, tried++) {
            talk t;
            assert_true(talk_begin(&t, &secure, &says));
            t.fail_at = n;
            talk_shake(&t);
            failed = t.has_failed;
            bool in = t.shaken == H2_IO_DONE;
            if ((in && !rows[i / 2].signed_by_ca) || (!failed && in != rows[i / 2].signed_by_ca))
                fail_msg("row %zu, allocation %zu", i / 2, n);
            if (in)
                assert_int_equal(h2_tls_is_allowed(t.server, &secure), rows[i / 2].allowed);
            talk_end(&t);
        }
        print_message("  row %zu: %zu of %zu allocations\n", i / 2, tried - 1, (tried - 1) * stride);
        assert_true(tried > 1);
    }
    talk_serve_done(&p, &secure);
}

static void names_without_memory_allow_nobody_else(void **state)
{
    const pair *shows[] = {&caller, &stranger};
    place p;
    h2_secure secure;
    (void)state;
    talk_serve(&p, &secure, &one, ca.cert, sans, 1);
    for (size_t i = 0; i < IPT_COUNT(shows); i++) {
        talk t;
        bool happened = true;
        size_t n = 1;
        assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.shows = shows[i]}), H2_IO_DONE);
        for (; happened; n++) {
            failalloc_at(n);
            bool allowed = h2_tls_is_allowed(t.server, &secure);
            happened = failalloc_happened();
            failalloc_at(0);
            assert_true(i == 0 ? allowed || happened : !allowed);
        }
        assert_true(n > 3);
        talk_end(&t);
    }
    talk_serve_done(&p, &secure);
}

static void reading_and_writing_without_memory_end_or_go_on(void **state)
{
    place p;
    h2_secure secure;
    bool happened = true;
    size_t n = 1;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    for (; happened; n++) {
        talk t;
        uint8_t bytes[64];
        size_t got = 0, put = 0;
        assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
        assert_int_equal(SSL_write(t.client, "question", 8), 8);
        talk_carry(&t);
        failalloc_at(n);
        h2_io in = h2_tls_read(t.server, bytes, sizeof(bytes), &got);
        h2_io out = h2_tls_write(t.server, (const uint8_t *)"answer", 6, &put);
        happened = failalloc_happened();
        failalloc_at(0);
        assert_true(in == H2_IO_DONE ? got == 8 : happened && in == H2_IO_ENDED && got == 0);
        assert_true(out == H2_IO_DONE ? put == 6 : happened && out == H2_IO_ENDED && put == 0);
        talk_end(&t);
    }
    assert_true(n > 2);
    talk_serve_done(&p, &secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_that_is_cut_anywhere_ends),
        cmocka_unit_test(a_handshake_with_a_byte_bent_ends),
        cmocka_unit_test(a_record_with_a_byte_bent_is_not_read),
        cmocka_unit_test(a_server_opens_whole_or_not_at_all),
        cmocka_unit_test(a_connection_begins_or_there_is_none),
        cmocka_unit_test(new_files_without_memory_are_made_up_for),
        cmocka_unit_test(without_memory_nobody_gets_in_who_may_not),
        cmocka_unit_test(names_without_memory_allow_nobody_else),
        cmocka_unit_test(reading_and_writing_without_memory_end_or_go_on),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    if (CRYPTO_set_mem_functions(take, retake, give) != 1) {
        fputs("OpenSSL has taken memory already\n", stderr);
        return 1;
    }
    return cmocka_run_group_tests(tests, prepare, NULL);
}
