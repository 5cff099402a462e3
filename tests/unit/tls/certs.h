/* Keys and certificates made on the spot, and a directory to put them in. */
#ifndef IPTRUST_TESTS_TLS_CERTS_H
#define IPTRUST_TESTS_TLS_CERTS_H

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

/* A key and a certificate that it signed itself, PEM with NUL. */
typedef struct pair {
    char cert[4096], key[4096];
} pair;
void pair_make(pair *out, const char *name, int64_t expires);

typedef struct place {
    char dir[64], cert[96], key[96], ca[96];
    ipt_listener_spec spec; /* cert and key; client_ca is the caller's to add */
} place;
void place_make(place *out);
void place_remove(const place *p);
void put(const char *path, const char *text); /* written in place */
void put_bytes(const char *path, const char *text, size_t n);

#endif
