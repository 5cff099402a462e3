/* TLS of the listener and of its connections, by OpenSSL over the connection's own descriptor. */
#ifndef IPTRUST_TRANSPORT_H2_SECURE_H
#define IPTRUST_TRANSPORT_H2_SECURE_H

#include <pthread.h>

#include "iptrust/tls/tls.h"

/* All zero: plain text. */
typedef struct h2_secure {
    ipt_tls_files *files;
    pthread_mutex_t lock; /* of what follows; taken when a connection begins */
    struct ssl_ctx_st *context;
    uint64_t number;   /* the generation of context */
    uint64_t again_at; /* ipt_clock_ns when a newer one that could not be used is tried again */
} h2_secure;

/* Reads the files of spec; why: plain words for the log. h2_secure_done is needed after a failure, too. */
IPT_MUST_USE bool h2_secure_open(h2_secure *secure, const ipt_listener_spec *spec, char *why, size_t cap);
void h2_secure_done(h2_secure *secure);
/* After the files have changed, on any thread: takes them into use. False: the old ones stay, and why says what OpenSSL
 * has against the new. New connections try again by themselves. */
IPT_MUST_USE bool h2_secure_renew(h2_secure *secure, char *why, size_t cap);

typedef struct h2_tls h2_tls;

typedef enum h2_io {
    H2_IO_ENDED = 0, /* by the other side, or it broke the protocol: nothing more can be read or written */
    H2_IO_DONE,
    H2_IO_WANTS_READ,
    H2_IO_WANTS_WRITE,
} h2_io;

/* A server's side over a non-blocking descriptor, which stays the caller's; shows the certificate in force now. NULL:
 * no memory. */
h2_tls *h2_tls_new(h2_secure *secure, int fd);
void h2_tls_free(h2_tls *tls); /* NULL is fine */
/* The handshake, until DONE: TLS 1.2 or newer, ALPN h2 and nothing else, a verified certificate where one is asked for.
 */
IPT_MUST_USE h2_io h2_tls_accept(h2_tls *tls);
/* After the handshake: the caller has shown a certificate that client_ca has signed. */
bool h2_tls_is_verified(const h2_tls *tls);
/* False: it has no name of client_sans. */
IPT_MUST_USE bool h2_tls_is_allowed(const h2_tls *tls, const h2_secure *secure);
/* *done: bytes, also when less than n; what was not written may be tried again from another place. A read takes little
 * more than a record from the descriptor, so it may want to read what is already there; who sends a lot of what is for
 * TLS alone (renewed keys, RFC 8446, 4.6.3) has ended. */
IPT_MUST_USE h2_io h2_tls_read(h2_tls *tls, uint8_t *to, size_t n, size_t *done);
IPT_MUST_USE h2_io h2_tls_write(h2_tls *tls, const uint8_t *bytes, size_t n, size_t *done);
void h2_tls_say_end(h2_tls *tls); /* close_notify, when there is room for it */

#endif
