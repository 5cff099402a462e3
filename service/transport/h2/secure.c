/* OpenSSL under HTTP/2 (RFC 9113, 9.2; RFC 9325). A context a generation of the files; a connection keeps the one that
 * it began with. */
#include "secure.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "iptrust/engine/clock.h"

enum {
    NAMES_MAX = 64,              /* of one certificate */
    RENEW_AGAIN_MS = 1000,       /* between two tries of a generation that could not be used */
    TURN_BYTES = 18 << 10,       /* taken from the descriptor by one call: a record fits */
    SILENT_BYTES_MAX = 64 << 10, /* taken in a row that bring a reader nothing: more than what stands in one record */
};

/* ---- contexts ---- */

static int no_password(char *to, int n, int writes, void *user)
{
    (void)to, (void)n, (void)writes, (void)user;
    return -1; /* nobody is there to type it */
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n,
                     void *user)
{
    (void)ssl, (void)user;
    for (unsigned at = 0; at < in_n && in[at] < in_n - at; at += 1U + in[at]) {
        if (in[at] == 2 && memcmp(in + at + 1, "h2", 2) == 0) {
            *out = in + at + 1;
            *out_n = 2;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* NULL at the end; *good is false when it was another end than that of the text, such as that of memory: half a chain
 * must not be taken for a whole one. */
static X509 *next_certificate(BIO *bio, bool *good)
{
    ERR_clear_error(); /* of the end of another file */
    X509 *cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    unsigned long why = ERR_peek_last_error();
    *good = cert != NULL || (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE);
    return cert;
}

static bool add_certificates(SSL_CTX *context, ipt_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    bool good = bio != NULL;
    X509 *cert;
    for (bool first = true; good && (cert = next_certificate(bio, &good)) != NULL; first = false) {
        good = first ? SSL_CTX_use_certificate(context, cert) == 1 : SSL_CTX_add1_chain_cert(context, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    return good && SSL_CTX_get0_certificate(context) != NULL;
}

static bool add_key(SSL_CTX *context, ipt_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    bool good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

/* Whom a caller's certificate has to be signed by. */
static bool add_authorities(SSL_CTX *context, ipt_span pem)
{
    if (pem.n == 0)
        return true;
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    bool good = bio != NULL;
    X509 *cert;
    size_t count = 0;
    for (; good && (cert = next_certificate(bio, &good)) != NULL; count++) {
        good = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), cert) == 1 &&
               SSL_CTX_add_client_CA(context, cert) == 1;
        X509_free(cert);
    }
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return good && count != 0;
}

static SSL_CTX *context_new(const ipt_tls_pem *pem)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    /* Every connection is verified anew: no tickets, no sessions. */
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(context, choose_h2, NULL);
    if (SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 && add_certificates(context, pem->cert) &&
        add_key(context, pem->key) && add_authorities(context, pem->client_ca)) {
        ERR_clear_error(); /* the end of PEM is an error, too */
        return context;
    }
    SSL_CTX_free(context);
    return NULL;
}

/* The lock is held. False: OpenSSL cannot use the generation in force, though it was checked, or there is no memory;
 * what was there stays. */
static bool renew(h2_secure *secure)
{
    const ipt_tls_pem *pem = ipt_tls_files_acquire(secure->files);
    if (pem->number != secure->number) {
        SSL_CTX *context = context_new(pem);
        if (context != NULL) {
            SSL_CTX_free(secure->context);
            secure->context = context;
            secure->number = pem->number;
        } else {
            secure->again_at = ipt_clock_ns() + (uint64_t)RENEW_AGAIN_MS * 1000000;
        }
    }
    bool good = pem->number == secure->number;
    ipt_tls_pem_release(pem);
    return good;
}

bool h2_secure_renew(h2_secure *secure, char *why, size_t cap)
{
    char text[160];
    (void)pthread_mutex_lock(&secure->lock);
    bool good = renew(secure);
    (void)pthread_mutex_unlock(&secure->lock);
    if (good)
        return true;
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    ERR_clear_error();
    snprintf(why, cap, "OpenSSL cannot use the certificate: %s", text);
    return false;
}

bool h2_secure_open(h2_secure *secure, const ipt_listener_spec *spec, char *why, size_t cap)
{
    ipt_tls_fault fault;
    if (pthread_mutex_init(&secure->lock, NULL) != 0) {
        snprintf(why, cap, "%s", ipt_err_name(IPT_ENOMEM));
        return false;
    }
    ipt_err err = ipt_tls_files_open(spec, &fault, &secure->files);
    if (err != IPT_OK) {
        (void)pthread_mutex_destroy(&secure->lock);
        snprintf(why, cap, "%s", err == IPT_ECONFIG ? fault.text : ipt_err_name(err));
        return false;
    }
    return h2_secure_renew(secure, why, cap);
}

void h2_secure_done(h2_secure *secure)
{
    if (secure->files == NULL)
        return;
    SSL_CTX_free(secure->context);
    ipt_tls_files_close(secure->files);
    (void)pthread_mutex_destroy(&secure->lock);
    *secure = (h2_secure){.files = NULL};
}

/* ---- connections ---- */

struct h2_tls {
    SSL *ssl;
    size_t turn;   /* bytes that this call may still take from the descriptor */
    size_t silent; /* bytes taken since the last that were for the reader */
};

/* OpenSSL goes on reading for as long as there are bytes that are not for us: renewed keys, refused renegotiations.
 * Whoever sends those as fast as they are read would have the loop for himself. */
static long on_read(BIO *bio, int what, const char *bytes, size_t n, int arg, long arg_long, int result, size_t *done)
{
    h2_tls *tls = (h2_tls *)(void *)BIO_get_callback_arg(bio);
    (void)bytes, (void)n, (void)arg, (void)arg_long;
    if (what == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && done != NULL) {
        tls->turn -= *done < tls->turn ? *done : tls->turn;
        tls->silent += *done;
    }
    if (what != BIO_CB_READ || tls->turn != 0)
        return result;
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);
    return -1;
}

static bool attach(h2_tls *tls, int fd)
{
    BIO *bio = BIO_new_socket(fd, BIO_NOCLOSE);
    if (bio == NULL)
        return false;
    BIO_set_callback_ex(bio, on_read);
    BIO_set_callback_arg(bio, (char *)(void *)tls);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return true;
}

h2_tls *h2_tls_new(h2_secure *secure, int fd)
{
    h2_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL)
        return NULL;
    (void)pthread_mutex_lock(&secure->lock);
    if (ipt_clock_ns() >= secure->again_at)
        (void)renew(secure);
    tls->ssl = SSL_new(secure->context);
    (void)pthread_mutex_unlock(&secure->lock);
    if (tls->ssl != NULL && attach(tls, fd))
        return tls;
    h2_tls_free(tls);
    return NULL;
}

void h2_tls_free(h2_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static h2_io outcome(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE:
        return H2_IO_DONE;
    case SSL_ERROR_WANT_READ:
        return H2_IO_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return H2_IO_WANTS_WRITE;
    default:
        return H2_IO_ENDED;
    }
}

h2_io h2_tls_accept(h2_tls *tls)
{
    ERR_clear_error();
    tls->turn = TURN_BYTES;
    h2_io done = outcome(tls->ssl, SSL_do_handshake(tls->ssl));
    if (done != H2_IO_DONE)
        return done;
    const unsigned char *name;
    unsigned n;
    tls->silent = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &n); /* empty when the caller has not spoken of any */
    return n != 0 ? H2_IO_DONE : H2_IO_ENDED;
}

bool h2_tls_is_verified(const h2_tls *tls)
{
    return SSL_get0_peer_certificate(tls->ssl) != NULL && SSL_get_verify_result(tls->ssl) == X509_V_OK;
}

typedef struct names {
    ipt_san list[NAMES_MAX];
    size_t count;
    char addresses[NAMES_MAX][IPT_ADDR_TEXT];
} names;

static ipt_span text_of(const ASN1_STRING *string)
{
    return (ipt_span){(const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)};
}

static void add_address(names *to, ipt_span bytes)
{
    if (bytes.n != 4 && bytes.n != 16)
        return;
    const uint8_t *p = (const uint8_t *)bytes.p;
    ipt_addr addr = bytes.n == 4 ? ipt_addr_from_bytes4(p) : ipt_addr_from_bytes16(p);
    size_t n = ipt_addr_format(addr, to->addresses[to->count]);
    to->list[to->count] = (ipt_san){IPT_SAN_IP, {to->addresses[to->count], n}};
    to->count++;
}

static void add_name(names *to, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        to->list[to->count++] = (ipt_san){IPT_SAN_DNS, text_of(name->d.dNSName)};
        break;
    case GEN_URI:
        to->list[to->count++] = (ipt_san){IPT_SAN_URI, text_of(name->d.uniformResourceIdentifier)};
        break;
    case GEN_EMAIL:
        to->list[to->count++] = (ipt_san){IPT_SAN_EMAIL, text_of(name->d.rfc822Name)};
        break;
    case GEN_IPADD:
        add_address(to, text_of(name->d.iPAddress));
        break;
    default:
        break;
    }
}

bool h2_tls_is_allowed(const h2_tls *tls, const h2_secure *secure)
{
    const X509 *cert = SSL_get0_peer_certificate(tls->ssl);
    names all = {.count = 0};
    if (cert == NULL)
        return false;
    GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = sans == NULL ? 0 : sk_GENERAL_NAME_num(sans);
    for (int i = 0; i < count && i < NAMES_MAX; i++)
        add_name(&all, sk_GENERAL_NAME_value(sans, i));
    bool allowed = count <= NAMES_MAX && ipt_tls_files_allow(secure->files, all.list, all.count);
    GENERAL_NAMES_free(sans);
    return allowed;
}

h2_io h2_tls_read(h2_tls *tls, uint8_t *to, size_t n, size_t *done)
{
    ERR_clear_error();
    *done = 0;
    tls->turn = TURN_BYTES;
    h2_io io = outcome(tls->ssl, SSL_read_ex(tls->ssl, to, n, done));
    if (io == H2_IO_DONE)
        tls->silent = 0;
    return tls->silent > SILENT_BYTES_MAX ? H2_IO_ENDED : io;
}

h2_io h2_tls_write(h2_tls *tls, const uint8_t *bytes, size_t n, size_t *done)
{
    ERR_clear_error();
    *done = 0;
    return outcome(tls->ssl, SSL_write_ex(tls->ssl, bytes, n, done));
}

void h2_tls_say_end(h2_tls *tls)
{
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}
