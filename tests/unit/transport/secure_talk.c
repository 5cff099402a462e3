/* The client's side of the tests of TLS. */
#include "secure_talk.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failalloc.h"

enum { STEPS = 64, PIECE = 16384 };

static void hear(const SSL *ssl, int where, int value)
{
    talk *t = SSL_get_app_data(ssl);
    if (t != NULL && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
        t->alert = value & 0xff;
}

static SSL_CTX *client_context(const talk_spec *spec)
{
    int version = spec->version == 0 ? TLS1_3_VERSION : spec->version;
    const char *alpn = spec->alpn == NULL ? "\2h2" : spec->alpn;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    SSL_CTX_set_security_level(context, 0); /* what is refused is refused by the server */
    assert_int_equal(SSL_CTX_set_min_proto_version(context, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, version), 1);
    if (version < TLS1_3_VERSION)
        assert_int_equal(SSL_CTX_set_cipher_list(context, spec->ciphers == NULL ? "ALL" : spec->ciphers), 1);
    if (alpn[0] != '\0')
        assert_int_equal(SSL_CTX_set_alpn_protos(context, (const unsigned char *)alpn, (unsigned)strlen(alpn)), 0);
    SSL_CTX_set_info_callback(context, hear);
    if (spec->shows != NULL) {
        BIO *cert = BIO_new_mem_buf(spec->shows->cert, -1), *key = BIO_new_mem_buf(spec->shows->key, -1);
        X509 *x509 = PEM_read_bio_X509(cert, NULL, NULL, NULL);
        EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
        assert_int_equal(SSL_CTX_use_certificate(context, x509), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, pkey), 1);
        X509_free(x509);
        while ((x509 = PEM_read_bio_X509(cert, NULL, NULL, NULL)) != NULL)
            assert_int_equal(SSL_CTX_add0_chain_cert(context, x509), 1);
        EVP_PKEY_free(pkey);
        BIO_free(cert);
        BIO_free(key);
    }
    return context;
}

bool talk_begin(talk *t, h2_secure *secure, const talk_spec *spec)
{
    int ends[2];
    *t = (talk){.alert = -1, .cut_at = SIZE_MAX};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    t->here = ends[0];
    t->there = ends[1];
    t->context = client_context(spec);
    t->client = SSL_new(t->context);
    assert_non_null(t->client);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    assert_true(t->in != NULL && t->out != NULL);
    SSL_set_bio(t->client, t->in, t->out);
    SSL_set_connect_state(t->client);
    assert_int_equal(SSL_set_app_data(t->client, t), 1);
    ERR_clear_error();
    t->server = h2_tls_new(secure, t->there);
    return t->server != NULL;
}

void talk_end(talk *t)
{
    h2_tls_free(t->server);
    SSL_free(t->client);
    SSL_CTX_free(t->context);
    (void)close(t->here);
    (void)close(t->there);
    ERR_clear_error();
}

/* Where in the client's records a byte stands. */
static void walk_record(talk *t, uint8_t byte, size_t at)
{
    enum { HEAD = 5, VERSION = 1, LENGTH = 3 };
    if (t->head == HEAD && t->body-- > 1)
        return;
    if (t->head == HEAD) {
        t->head = 0;
        return;
    }
    if (t->bend != 0 && at == t->bend_at)
        t->bent_label = t->head >= VERSION && t->head < LENGTH;
    if (t->head == LENGTH)
        t->body = (size_t)byte << 8;
    if (t->head++ == LENGTH + 1)
        t->body += byte;
}

static void to_server(talk *t, uint8_t *bytes, size_t n)
{
    size_t left = t->cut_at > t->sent ? t->cut_at - t->sent : 0;
    for (size_t i = 0; i < n; i++)
        walk_record(t, bytes[i], t->sent + i);
    if (t->bend != 0 && t->bend_at >= t->sent && t->bend_at - t->sent < n)
        bytes[t->bend_at - t->sent] ^= t->bend;
    t->sent += n;
    if (n > left)
        n = left;
    if (n != 0)
        assert_int_equal(send(t->here, bytes, n, MSG_NOSIGNAL), n);
}

void talk_carry(talk *t)
{
    uint8_t bytes[PIECE];
    int n;
    while ((n = BIO_read(t->out, bytes, sizeof(bytes))) > 0)
        to_server(t, bytes, (size_t)n);
    if (t->sent >= t->cut_at)
        (void)shutdown(t->here, SHUT_WR);
    ssize_t got;
    while ((got = recv(t->here, bytes, sizeof(bytes), 0)) > 0)
        assert_int_equal(BIO_write(t->in, bytes, (int)got), got);
}

static h2_io accept_once(talk *t)
{
    if (t->fail_at == 0)
        return h2_tls_accept(t->server);
    failalloc_at(t->fail_at);
    h2_io io = h2_tls_accept(t->server);
    size_t seen = failalloc_count();
    t->has_failed = failalloc_happened();
    failalloc_at(0);
    t->fail_at = t->has_failed ? 0 : t->fail_at - seen;
    return io;
}

void talk_shake(talk *t)
{
    char nothing;
    t->shaken = H2_IO_WANTS_READ;
    for (unsigned i = 0; t->shaken == H2_IO_WANTS_READ; i++) {
        size_t before = t->sent;
        if (i == STEPS)
            fail_msg("the server waits for what never comes, behind %zu bytes", t->sent);
        (void)SSL_do_handshake(t->client);
        talk_carry(t);
        t->shaken = accept_once(t);
        talk_carry(t);
        if (t->sent == before)
            t->cut_at = 0; /* nobody has anything to say: the client goes away */
    }
    (void)SSL_peek(t->client, &nothing, 1); /* an alert that came behind its own end of the handshake */
    ERR_clear_error();
}

h2_io talk_whole(talk *t, h2_secure *secure, const talk_spec *spec)
{
    assert_true(talk_begin(t, secure, spec));
    talk_shake(t);
    return t->shaken;
}

void talk_shown(const talk *t, char out[64])
{
    const X509 *cert = SSL_get0_peer_certificate(t->client);
    assert_non_null(cert);
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, out, 64) > 0);
}

void talk_echo(talk *t)
{
    uint8_t heard[16];
    size_t n;
    assert_int_equal(SSL_write(t->client, "question", 8), 8);
    talk_carry(t);
    assert_int_equal(h2_tls_read(t->server, heard, sizeof(heard), &n), H2_IO_DONE);
    assert_int_equal(n, 8);
    assert_memory_equal(heard, "question", 8);
    assert_int_equal(h2_tls_write(t->server, (const uint8_t *)"answer", 6, &n), H2_IO_DONE);
    assert_int_equal(n, 6);
    talk_carry(t);
    assert_int_equal(SSL_read(t->client, heard, sizeof(heard)), 6);
    assert_memory_equal(heard, "answer", 6);
}

void talk_serve(place *p, h2_secure *secure, const pair *own, const char *ca, const char *const *sans, size_t count)
{
    char why[240] = "";
    place_make(p);
    put(p->cert, own->cert);
    put(p->key, own->key);
    if (ca != NULL) {
        put(p->ca, ca);
        p->spec.tls_client_ca = p->ca;
        p->spec.tls_client_sans = sans;
        p->spec.tls_client_sans_count = count;
    }
    *secure = (h2_secure){.files = NULL};
    if (!h2_secure_open(secure, &p->spec, why, sizeof(why)))
        fail_msg("%s", why);
}

void talk_serve_done(const place *p, h2_secure *secure)
{
    h2_secure_done(secure);
    place_remove(p);
}
