/* Makes test certificates with GnuTLS itself, so that no test depends on a program or a stored key. */
#include "certs.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <unistd.h>

enum { DAY_S = 86400 };

static void fine(int code)
{
    if (code < 0)
        fail_msg("GnuTLS: %s", gnutls_strerror(code));
}

static gnutls_datum_t pem_of(const char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)text, .size = (unsigned)strlen(text)};
}

static gnutls_x509_privkey_t key_of(const pair *from)
{
    gnutls_x509_privkey_t key;
    const gnutls_datum_t pem = pem_of(from->key);
    fine(gnutls_x509_privkey_init(&key));
    fine(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM));
    return key;
}

static void make_key(pair *out, const pair_spec *spec, gnutls_x509_privkey_t *key)
{
    size_t n = sizeof(out->key) - 1;
    fine(gnutls_x509_privkey_init(key));
    if (spec->rsa_bits != 0)
        fine(gnutls_x509_privkey_generate(*key, GNUTLS_PK_RSA, spec->rsa_bits, 0));
    else
        fine(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    fine(gnutls_x509_privkey_export(*key, GNUTLS_X509_FMT_PEM, out->key, &n));
}

/* GnuTLS writes names up to their first NUL: this one is the whole extension, by hand. */
static void add_dns_with_nul(gnutls_x509_crt_t crt, ipt_span text)
{
    enum { SEQUENCE = 0x30, DNS_NAME = 0x82, SHORT = 0x7f, HEADS = 4 };
    unsigned char der[HEADS + SHORT] = {SEQUENCE, (unsigned char)(text.n + 2), DNS_NAME, (unsigned char)text.n};
    assert_true(text.n + 2 <= SHORT);
    memcpy(der + HEADS, text.p, text.n);
    fine(gnutls_x509_crt_set_extension_by_oid(crt, "2.5.29.17", der, HEADS + text.n, 0));
}

static void add_san(gnutls_x509_crt_t crt, ipt_san san)
{
    static const gnutls_x509_subject_alt_name_t kinds[] = {[IPT_SAN_DNS] = GNUTLS_SAN_DNSNAME,
                                                           [IPT_SAN_URI] = GNUTLS_SAN_URI,
                                                           [IPT_SAN_IP] = GNUTLS_SAN_IPADDRESS,
                                                           [IPT_SAN_EMAIL] = GNUTLS_SAN_RFC822NAME};
    unsigned char bytes[16];
    if (memchr(san.text.p, '\0', san.text.n) != NULL) {
        add_dns_with_nul(crt, san.text);
        return;
    }
    if (san.kind == IPT_SAN_IP) {
        bool six = memchr(san.text.p, ':', san.text.n) != NULL;
        assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, san.text.p, bytes), 1);
        san.text = (ipt_span){(const char *)bytes, six ? 16 : 4};
    }
    fine(gnutls_x509_crt_set_subject_alt_name(crt, kinds[san.kind], san.text.p, (unsigned)san.text.n,
                                              GNUTLS_FSAN_APPEND));
}

static void sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t own, const pair *by)
{
    if (by == NULL) {
        fine(gnutls_x509_crt_sign2(crt, crt, own, GNUTLS_DIG_SHA256, 0));
        return;
    }
    gnutls_x509_crt_t signer;
    const gnutls_datum_t pem = pem_of(by->cert);
    gnutls_x509_privkey_t key = key_of(by);
    fine(gnutls_x509_crt_init(&signer));
    fine(gnutls_x509_crt_import(signer, &pem, GNUTLS_X509_FMT_PEM));
    fine(gnutls_x509_crt_sign2(crt, signer, key, GNUTLS_DIG_SHA256, 0));
    gnutls_x509_crt_deinit(signer);
    gnutls_x509_privkey_deinit(key);
}

void pair_make_as(pair *out, const pair_spec *spec)
{
    static uint32_t serial;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    uint32_t number = ++serial;
    size_t n = sizeof(out->cert) - 1;
    memset(out, 0, sizeof(*out));
    make_key(out, spec, &key);
    fine(gnutls_x509_crt_init(&crt));
    fine(gnutls_x509_crt_set_version(crt, 3));
    fine(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, spec->name, (unsigned)strlen(spec->name)));
    fine(gnutls_x509_crt_set_serial(crt, &number, sizeof(number)));
    fine(gnutls_x509_crt_set_activation_time(crt, (time_t)(spec->expires - DAY_S)));
    fine(gnutls_x509_crt_set_expiration_time(crt, (time_t)spec->expires));
    fine(gnutls_x509_crt_set_basic_constraints(crt, spec->by == NULL, -1));
    fine(gnutls_x509_crt_set_key(crt, key));
    for (size_t i = 0; i < spec->sans_count; i++)
        add_san(crt, spec->sans[i]);
    if (spec->purpose != NULL)
        fine(gnutls_x509_crt_set_key_purpose_oid(crt, spec->purpose, 0));
    sign(crt, key, spec->by);
    fine(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, out->cert, &n));
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

void pair_make(pair *out, const char *name, int64_t expires)
{
    const pair_spec spec = {.name = name, .expires = expires};
    pair_make_as(out, &spec);
}

void pair_append(pair *to, const pair *signer)
{
    size_t n = strlen(to->cert), more = strlen(signer->cert);
    assert_true(n + more < sizeof(to->cert));
    memcpy(to->cert + n, signer->cert, more + 1);
}

void pair_encrypt(const pair *from, const char *password, char out[4096])
{
    size_t n = 4095;
    gnutls_x509_privkey_t key = key_of(from);
    memset(out, 0, 4096);
    fine(gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, password, GNUTLS_PKCS_PBES2_AES_256, out, &n));
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
