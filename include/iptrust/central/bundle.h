/* The document that a central place hands out: lists and policies as YAML below a head of a few lines, signed with
 * Ed25519 (RFC 8032). Pure: no files, no network, no clock (docs/CENTRAL.md). */
#ifndef IPTRUST_CENTRAL_BUNDLE_H
#define IPTRUST_CENTRAL_BUNDLE_H

#include "iptrust/base/buf.h"

enum {
    IPT_BUNDLE_MAX = 1 << 20, /* bytes, head and all */
    IPT_BUNDLE_SIGNATURE = 64,
    IPT_BUNDLE_TIME = 21,     /* "2026-11-22T10:00:00Z" with NUL */
    IPT_PUBLIC_KEY_TEXT = 61, /* with NUL */
    IPT_CENTRAL_KEYS_MAX = 64,
};

typedef struct ipt_public_key {
    uint8_t bytes[32];
} ipt_public_key;

typedef struct ipt_signing_key {
    uint8_t seed[32]; /* secret */
    ipt_public_key public_key;
} ipt_signing_key;

typedef struct ipt_bundle {
    uint64_t serial; /* at least 1 */
    bool is_signed, has_expires;
    int64_t expires; /* seconds since 1970, not before */
    uint8_t signature[IPT_BUNDLE_SIGNATURE];
    ipt_span covered;  /* what the signature is over: everything below its line */
    ipt_span document; /* of it, YAML; never empty */
} ipt_bundle;

typedef enum ipt_bundle_result {
    IPT_BUNDLE_MALFORMED = 0,
    IPT_BUNDLE_OK,
    IPT_BUNDLE_EMPTY, /* no byte but white space, or no document below the head */
    IPT_BUNDLE_TOO_LARGE,
} ipt_bundle_result;

/* Spans point into text. *why: static, plain words, for every result but OK. There is one way to write each bundle:
 * what parses is what ipt_bundle_write would write. Nothing is verified. */
IPT_MUST_USE ipt_bundle_result ipt_bundle_parse(ipt_span text, ipt_bundle *out, const char **why);

/* Appends. Of bundle: serial, expires and document; key NULL: unsigned. */
void ipt_bundle_write(ipt_buf *out, const ipt_bundle *bundle, const ipt_signing_key *key);

/* Whether one of the keys has signed it. */
IPT_MUST_USE bool ipt_bundle_verify(const ipt_bundle *bundle, const ipt_public_key *keys, size_t count);

/* RFC 3339 in the one form that is taken: UTC with seconds, from 1970 on. */
IPT_MUST_USE bool ipt_bundle_time_parse(ipt_span text, int64_t *out);
void ipt_bundle_time_format(int64_t seconds, char out[IPT_BUNDLE_TIME]);

/* ---- keys ---- */

/* Base64 of RFC 8410's SubjectPublicKeyInfo (the line between BEGIN and END of `openssl pkey -pubout`), or of the 32
 * bytes alone. */
IPT_MUST_USE bool ipt_public_key_parse(ipt_span text, ipt_public_key *out);
void ipt_public_key_format(const ipt_public_key *key, char out[IPT_PUBLIC_KEY_TEXT]); /* the first of the two */

/* PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it. */
IPT_MUST_USE bool ipt_signing_key_parse(ipt_span pem, ipt_signing_key *out);
void ipt_signing_key_format(ipt_buf *out, const ipt_signing_key *key);
void ipt_signing_key_from_seed(const uint8_t seed[32], ipt_signing_key *out);

/* SHA-256 in hexadecimal. */
void ipt_bundle_digest(ipt_span bytes, char out[65]);

/* ---- across restarts ---- */

typedef struct ipt_central_record {
    uint64_t floor;  /* no serial below it is taken any more */
    int64_t taken;   /* when the bundle was taken; seconds since 1970 */
    ipt_span bundle; /* as it came */
} ipt_central_record;

/* With SHA-256 over the whole, because not every bundle is signed. */
void ipt_central_record_encode(ipt_buf *out, const ipt_central_record *record);
/* False: damaged, or of a later program. The span points into bytes. */
IPT_MUST_USE bool ipt_central_record_decode(ipt_span bytes, ipt_central_record *out);

#endif
