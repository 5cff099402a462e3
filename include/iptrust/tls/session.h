/* Who calls over a TLS session of GnuTLS, for a transport that is built on that library (libmicrohttpd). Sessions are
 * void pointers here, so that nobody but the module of TLS sees its headers. */
#ifndef IPTRUST_TLS_SESSION_H
#define IPTRUST_TLS_SESSION_H

#include "iptrust/tls/tls.h"

/* One connection. It lies still from ipt_tls_session_begin to the end of the session: the session points to it. */
typedef struct ipt_tls_caller {
    ipt_tls_files *files;
    const ipt_tls_pem *pem; /* of the begin; held */
    bool required;          /* there is a client_ca: no request may be read before verified */
    bool verified;          /* its certificate was signed by client_ca and carries a name of client_sans, if stated */
    ipt_span principal;     /* verified: who it says it is; .n 0: nobody */
    char refusal[120];      /* why its certificate was refused; "" when it was not */
} ipt_tls_caller;

/* Before the handshake of a server session: gives it the certificate in force, and asks for the caller's when there is
 * a client_ca. The handshake fails unless that one is good. False: no memory; the session must not go on. Either way
 * caller is done with by ipt_tls_caller_done, after the session has ended. */
IPT_MUST_USE bool ipt_tls_session_begin(void *session, ipt_tls_files *files, ipt_tls_caller *caller);
void ipt_tls_caller_done(ipt_tls_caller *caller);

/* Versions and ciphers as GnuTLS takes them: TLS 1.2 with forward secrecy and AEAD, and TLS 1.3. */
const char *ipt_tls_priorities(void);
/* A gnutls_certificate_retrieve_function3 that has none: what a session serves that ipt_tls_session_begin has not seen.
 */
void *ipt_tls_no_certificate(void);

#endif
