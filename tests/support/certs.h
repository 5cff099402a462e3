/* Keys and certificates made on the spot, and a directory to put them in. */
#ifndef IPTRUST_TESTS_CERTS_H
#define IPTRUST_TESTS_CERTS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "iptrust/tls/tls.h"

/* A key and its certificate, PEM with NUL. */
typedef struct pair {
    char cert[8192], key[4096];
} pair;

/* Zero but for the name and the time: an EC key that signs itself. */
typedef struct pair_spec {
    const char *name;    /* CN */
    int64_t expires;     /* it holds for the day before that */
    const pair *by;      /* who signs it; NULL: it does itself, and may sign others */
    const ipt_san *sans; /* addresses as text; a DNS name with a NUL stands alone */
    size_t sans_count;
    unsigned rsa_bits;   /* not 0: an RSA key of that size */
    const char *purpose; /* the OID of what alone it is for; NULL: for anything */
} pair_spec;
void pair_make_as(pair *out, const pair_spec *spec);
void pair_make(pair *out, const char *name, int64_t expires); /* signed by itself */
void pair_append(pair *to, const pair *signer);               /* the certificates of signer, behind those of `to` */
/* The key of a pair behind a password (PKCS #8). */
void pair_encrypt(const pair *from, const char *password, char out[4096]);

typedef struct place {
    char dir[64], cert[96], key[96], ca[96];
    ipt_listener_spec spec; /* cert and key; client_ca is the caller's to add */
} place;
void place_make(place *out);
void place_remove(const place *p);
void put(const char *path, const char *text); /* written in place */
void put_bytes(const char *path, const char *text, size_t n);

#endif
