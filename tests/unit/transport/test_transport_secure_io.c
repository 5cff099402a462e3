/* TLS under HTTP/2: what reading, writing and ending say, and what a caller can do to whoever reads. */
#include "secure_talk.h"

#include <openssl/err.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pair one;

static int make_pair(void **state)
{
    (void)state;
    pair_make(&one, "one", (int64_t)time(NULL) + 3600);
    return 0;
}

static void reading_nothing_wants_to_read(void **state)
{
    place p;
    h2_secure secure;
    talk t;
    uint8_t bytes[16];
    size_t n = 99;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    assert_int_equal(h2_tls_read(t.server, bytes, sizeof(bytes), &n), H2_IO_WANTS_READ);
    assert_int_equal(n, 0);
    assert_int_equal(SSL_write(t.client, "0123456789", 10), 10);
    size_t whole = (size_t)BIO_pending(t.out);
    uint8_t record[64];
    assert_true(whole <= sizeof(record));
    assert_int_equal(BIO_read(t.out, record, (int)whole), whole);
    for (size_t i = 0; i < whole; i++) {
        assert_int_equal(h2_tls_read(t.server, bytes, sizeof(bytes), &n), H2_IO_WANTS_READ);
        assert_int_equal(send(t.here, record + i, 1, 0), 1);
    }
    assert_int_equal(h2_tls_read(t.server, bytes, 4, &n), H2_IO_DONE);
    assert_int_equal(n, 4);
    assert_int_equal(h2_tls_read(t.server, bytes, sizeof(bytes), &n), H2_IO_DONE);
    assert_int_equal(n, 6);
    assert_memory_equal(bytes, "456789", 6);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void a_large_write_goes_through_a_small_socket(void **state)
{
    enum { LARGE = 1 << 20, SMALL = 1 };
    place p;
    h2_secure secure;
    talk t;
    uint8_t *from = malloc(LARGE), *moved = malloc(LARGE), *got = malloc(LARGE);
    size_t at = 0, have = 0, waits = 0, n;
    (void)state;
    assert_true(from != NULL && moved != NULL && got != NULL);
    for (size_t i = 0; i < LARGE; i++)
        from[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(moved, from, LARGE);
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    assert_int_equal(setsockopt(t.there, SOL_SOCKET, SO_SNDBUF, &(int){SMALL}, sizeof(int)), 0);
    while (have < LARGE) {
        const uint8_t *piece = waits % 2 == 0 ? from : moved; /* tried again from another place */
        h2_io io = at == LARGE ? H2_IO_WANTS_WRITE : h2_tls_write(t.server, piece + at, LARGE - at, &n);
        if (io == H2_IO_DONE) {
            assert_true(n > 0);
            at += n;
            continue;
        }
        assert_int_equal(io, H2_IO_WANTS_WRITE);
        assert_true(++waits < LARGE);
        talk_carry(&t);
        int more = SSL_read(t.client, got + have, (int)(LARGE - have));
        have += more > 0 ? (size_t)more : 0;
    }
    assert_true(waits > LARGE / 16384);
    assert_memory_equal(got, from, LARGE);
    talk_end(&t);
    talk_serve_done(&p, &secure);
    free(from);
    free(moved);
    free(got);
}

static void ends_are_ends(void **state)
{
    place p;
    h2_secure secure;
    uint8_t bytes[16];
    size_t n;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    for (unsigned way = 0; way < 3; way++) {
        talk t;
        assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = way == 1 ? TLS1_2_VERSION : 0}), H2_IO_DONE);
        if (way == 2)
            t.cut_at = t.sent; /* without a word */
        else
            assert_int_equal(SSL_shutdown(t.client), 0);
        talk_carry(&t);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(h2_tls_read(t.server, bytes, sizeof(bytes), &n), H2_IO_ENDED);
            assert_int_equal(n, 0);
        }
        talk_end(&t);
    }
    talk_serve_done(&p, &secure);
}

static void the_end_is_said_when_there_is_room_for_it(void **state)
{
    place p;
    h2_secure secure;
    talk t;
    uint8_t bytes[4096] = {0};
    size_t n;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    h2_tls_say_end(t.server);
    talk_carry(&t);
    assert_int_equal(SSL_get_error(t.client, SSL_read(t.client, bytes, 1)), SSL_ERROR_ZERO_RETURN);
    talk_end(&t);

    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE); /* full */
    while (h2_tls_write(t.server, bytes, sizeof(bytes), &n) == H2_IO_DONE)
        continue;
    h2_tls_say_end(t.server);
    talk_end(&t);

    assert_true(talk_begin(&t, &secure, &(talk_spec){.version = 0})); /* before anything was said */
    h2_tls_say_end(t.server);
    talk_end(&t);

    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE); /* to one who is gone */
    (void)shutdown(t.here, SHUT_RDWR);
    h2_tls_say_end(t.server);
    assert_int_equal(h2_tls_write(t.server, bytes, sizeof(bytes), &n), H2_IO_ENDED);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void nothing_is_negotiated_again(void **state)
{
    place p;
    h2_secure secure;
    talk t;
    uint8_t bytes[16];
    size_t n;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = TLS1_2_VERSION}), H2_IO_DONE);
    assert_int_equal(SSL_renegotiate(t.client), 1);
    (void)SSL_do_handshake(t.client);
    talk_carry(&t);
    assert_int_not_equal(h2_tls_read(t.server, bytes, sizeof(bytes), &n), H2_IO_DONE);
    talk_carry(&t);
    assert_int_equal(SSL_get_error(t.client, SSL_do_handshake(t.client)), SSL_ERROR_SSL);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

static void renew_keys(talk *t, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        assert_int_equal(SSL_key_update(t->client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(t->client), 1);
    }
    talk_carry(t);
}

/* Renewed keys bring the reader nothing, and OpenSSL reads on for as long as there are some. */
static void who_sends_nothing_but_new_keys_has_no_turn_for_himself(void **state)
{
    enum { BATCH = 1500, A_TURN = 36 << 10, TURNS = 64 };
    place p;
    h2_secure secure;
    talk t;
    uint8_t bytes[16];
    size_t n;
    h2_io io = H2_IO_WANTS_READ;
    (void)state;
    talk_serve(&p, &secure, &one, NULL, NULL, 0);
    assert_int_equal(talk_whole(&t, &secure, &(talk_spec){.version = 0}), H2_IO_DONE);
    for (unsigned i = 0; i < 300; i++) { /* what an honest one does, and more often than any */
        renew_keys(&t, 10);
        talk_echo(&t);
    }
    assert_int_equal(setsockopt(t.here, SOL_SOCKET, SO_SNDBUF, &(int){8 << 20}, sizeof(int)), 0);
    for (unsigned turn = 0; io == H2_IO_WANTS_READ; turn++) {
        int before, after;
        assert_true(turn < TURNS);
        if (turn % 4 == 0)
            renew_keys(&t, BATCH);
        assert_int_equal(ioctl(t.there, FIONREAD, &before), 0);
        io = h2_tls_read(t.server, bytes, sizeof(bytes), &n);
        assert_int_equal(ioctl(t.there, FIONREAD, &after), 0);
        assert_true(before - after <= A_TURN);
    }
    assert_int_equal(io, H2_IO_ENDED);
    talk_end(&t);
    talk_serve_done(&p, &secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_nothing_wants_to_read),
        cmocka_unit_test(a_large_write_goes_through_a_small_socket),
        cmocka_unit_test(ends_are_ends),
        cmocka_unit_test(the_end_is_said_when_there_is_room_for_it),
        cmocka_unit_test(nothing_is_negotiated_again),
        cmocka_unit_test(who_sends_nothing_but_new_keys_has_no_turn_for_himself),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    return cmocka_run_group_tests(tests, make_pair, NULL);
}
