/* What the parts of TLS share: a generation of files with what GnuTLS made of it. */
#ifndef IPTRUST_TLS_PRIV_H
#define IPTRUST_TLS_PRIV_H

#include <gnutls/gnutls.h>
#include <stdatomic.h>

#include "iptrust/tls/tls.h"

typedef struct tls_pem {
    ipt_tls_pem pem; /* first: the public face is a pointer to it */
    char *bytes[IPT_TLS_FILES];
    size_t sizes[IPT_TLS_FILES];
    uint8_t digest[32]; /* of all bytes, and of which files could not be read */
    gnutls_certificate_credentials_t credentials;
    _Atomic size_t refs;
} tls_pem;

/* files.c: gnutls_certificate_credentials_t, as long as pem is held. */
void *tls_pem_credentials(const ipt_tls_pem *pem);

/* credentials.c: checks the bytes and makes the credentials. IPT_ECONFIG: fault says why. */
IPT_MUST_USE ipt_err tls_credentials_make(tls_pem *pem, const char *const paths[IPT_TLS_FILES], ipt_tls_fault *fault);
IPT_PRINTF(3, 4) void tls_blame(ipt_tls_fault *fault, ipt_tls_file file, const char *format, ...);

#endif
