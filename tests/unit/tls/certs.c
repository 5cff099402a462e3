/* Makes test certificates with GnuTLS itself, so that no test depends on a program or a stored key. */
#include "certs.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <unistd.h>

enum { DAY_S = 86400 };

static void fine(int code)
{
    if (code < 0)
        fail_msg("GnuTLS: %s", gnutls_strerror(code));
}

void pair_make(pair *out, const char *name, int64_t expires)
{
    static uint32_t serial;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    uint32_t number = ++serial;
    size_t n = sizeof(out->key) - 1;
    memset(out, 0, sizeof(*out));
    fine(gnutls_x509_privkey_init(&key));
    fine(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    fine(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, out->key, &n));
    fine(gnutls_x509_crt_init(&crt));
    fine(gnutls_x509_crt_set_version(crt, 3));
    fine(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
    fine(gnutls_x509_crt_set_serial(crt, &number, sizeof(number)));
    fine(gnutls_x509_crt_set_activation_time(crt, (time_t)(expires - DAY_S)));
    fine(gnutls_x509_crt_set_expiration_time(crt, (time_t)expires));
    fine(gnutls_x509_crt_set_basic_constraints(crt, 1, -1));
    fine(gnutls_x509_crt_set_key(crt, key));
    fine(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0));
    n = sizeof(out->cert) - 1;
    fine(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, out->cert, &n));
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

void place_make(place *out)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->dir, sizeof(out->dir), "/tmp/iptrust-tls-XXXXXX");
    assert_non_null(mkdtemp(out->dir));
    snprintf(out->cert, sizeof(out->cert), "%s/cert.pem", out->dir);
    snprintf(out->key, sizeof(out->key), "%s/key.pem", out->dir);
    snprintf(out->ca, sizeof(out->ca), "%s/ca.pem", out->dir);
    out->spec = (ipt_listener_spec){.kind = IPT_LISTEN_TCP, .tls_cert = out->cert, .tls_key = out->key};
}

void place_remove(const place *p)
{
    (void)unlink(p->cert);
    (void)unlink(p->key);
    (void)unlink(p->ca);
    (void)rmdir(p->dir);
}

void put_bytes(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

void put(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}
