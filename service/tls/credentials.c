/* What GnuTLS says of a generation of files: does everything parse, does the key belong to the certificate. */
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>

#include "tls_priv.h"

void tls_blame(ipt_tls_fault *fault, ipt_tls_file file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fault->file = file;
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
}

static gnutls_datum_t datum(const tls_pem *pem, ipt_tls_file file)
{
    return (gnutls_datum_t){.data = (unsigned char *)pem->bytes[file], .size = (unsigned)pem->sizes[file]};
}

static ipt_err judge(int code, ipt_tls_fault *fault, ipt_tls_file file, const char *path, const char *what)
{
    if (code == GNUTLS_E_MEMORY_ERROR)
        return IPT_ENOMEM;
    tls_blame(fault, file, "%s %s: %s", path, what, gnutls_strerror(code));
    return IPT_ECONFIG;
}

static ipt_err check_chain(tls_pem *pem, const char *path, ipt_tls_fault *fault)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    const gnutls_datum_t data = datum(pem, IPT_TLS_CERT);
    int code = gnutls_x509_crt_list_import2(&chain, &count, &data, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        return judge(code, fault, IPT_TLS_CERT, path, "holds no certificate chain that can be read");
    if (count != 0)
        pem->pem.expires = (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return IPT_OK;
}

static ipt_err check_key(const tls_pem *pem, const char *path, ipt_tls_fault *fault)
{
    gnutls_x509_privkey_t key;
    const gnutls_datum_t data = datum(pem, IPT_TLS_KEY);
    if (gnutls_x509_privkey_init(&key) < 0)
        return IPT_ENOMEM;
    int code = gnutls_x509_privkey_import2(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    return code < 0 ? judge(code, fault, IPT_TLS_KEY, path, "holds no private key that can be read") : IPT_OK;
}

static ipt_err set_pair(const tls_pem *pem, const char *path, ipt_tls_fault *fault)
{
    const gnutls_datum_t cert = datum(pem, IPT_TLS_CERT), key = datum(pem, IPT_TLS_KEY);
    int code = gnutls_certificate_set_x509_key_mem2(pem->credentials, &cert, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code < 0 ? judge(code, fault, IPT_TLS_KEY, path, "does not fit the certificate") : IPT_OK;
}

static ipt_err set_client_ca(const tls_pem *pem, const char *path, ipt_tls_fault *fault)
{
    const gnutls_datum_t ca = datum(pem, IPT_TLS_CLIENT_CA);
    int code = gnutls_certificate_set_x509_trust_mem(pem->credentials, &ca, GNUTLS_X509_FMT_PEM);
    if (code == 0)
        code = GNUTLS_E_NO_CERTIFICATE_FOUND;
    return code < 0 ? judge(code, fault, IPT_TLS_CLIENT_CA, path, "holds no certificates that can be read") : IPT_OK;
}

ipt_err tls_credentials_make(tls_pem *pem, const char *const paths[IPT_TLS_FILES], ipt_tls_fault *fault)
{
    ipt_err err = check_chain(pem, paths[IPT_TLS_CERT], fault);
    if (err == IPT_OK)
        err = check_key(pem, paths[IPT_TLS_KEY], fault);
    if (err == IPT_OK && gnutls_certificate_allocate_credentials(&pem->credentials) < 0)
        err = IPT_ENOMEM;
    if (err == IPT_OK)
        err = set_pair(pem, paths[IPT_TLS_KEY], fault);
    if (err == IPT_OK && paths[IPT_TLS_CLIENT_CA] != NULL)
        err = set_client_ca(pem, paths[IPT_TLS_CLIENT_CA], fault);
    return err;
}
