/* The other side of a TLS connection: a client of OpenSSL at the end of a socket pair, in the thread of the test, which
 * carries every byte between it and the server's side and so can lose or bend them. */
#ifndef IPTRUST_TESTS_SECURE_TALK_H
#define IPTRUST_TESTS_SECURE_TALK_H

#include <openssl/ssl.h>

#include "certs.h"
#include "secure.h"

/* All zero: TLS 1.3 that offers h2 and has no certificate. */
typedef struct talk_spec {
    int version;         /* the only one: TLS1_2_VERSION ...; 0: TLS 1.3 */
    const char *ciphers; /* up to TLS 1.2; NULL: those of OpenSSL */
    const char *alpn;    /* as on the wire; NULL: h2; "": nothing is said of it */
    const pair *shows;
} talk_spec;

typedef struct talk {
    h2_tls *server;
    SSL_CTX *context;
    SSL *client;
    BIO *in, *out;   /* of the client */
    int here, there; /* the client's end of the pair, the server's */
    h2_io shaken;
    int alert;       /* the fatal one that the client was told; -1: none */
    size_t sent;     /* bytes carried to the server so far */
    size_t cut_at;   /* the server sees the end behind so many; SIZE_MAX: never */
    size_t bend_at;  /* the place of a byte that has `bend` changed */
    uint8_t bend;    /* 0: none */
    bool bent_label; /* it was of the version of a record, which nobody has to look at before there are keys */
    uint8_t head;    /* bytes of a record's head that were carried */
    size_t body;     /* bytes of the record still to carry */
    size_t fail_at;  /* the allocation of the server's side that fails; 0: none */
    bool has_failed; /* it has */
} talk;

/* False: the server's side has no memory. What may go wrong is set between this and talk_shake. */
bool talk_begin(talk *t, h2_secure *secure, const talk_spec *spec);
/* Both sides as far as they come, then the client goes away; t->shaken: how it ended for the server. One that waits on
 * fails the test. */
void talk_shake(talk *t);
void talk_end(talk *t);
/* talk_begin and talk_shake. */
h2_io talk_whole(talk *t, h2_secure *secure, const talk_spec *spec);

/* What the client has written to the server, what the server has written to the client. */
void talk_carry(talk *t);
/* The CN of the server's certificate as the client has it. */
void talk_shown(const talk *t, char out[64]);
/* Each side says something, and the other one hears it. */
void talk_echo(talk *t);

/* A server's place with its files, open. ca NULL: callers need no certificate. */
void talk_serve(place *p, h2_secure *secure, const pair *own, const char *ca, const char *const *sans, size_t count);
void talk_serve_done(const place *p, h2_secure *secure);

#endif
