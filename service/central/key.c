/* Ed25519 keys in the forms of RFC 8410, whose DER is a fixed front and the 32 bytes: no parser of ASN.1 is needed. */
#include <nettle/eddsa.h>

#include "central_priv.h"
#include "iptrust/central/bundle.h"

static const uint8_t spki_front[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t pkcs8_front[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                      0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
static const char pem_begin[] = "-----BEGIN PRIVATE KEY-----\n", pem_end[] = "\n-----END PRIVATE KEY-----";

bool ipt_public_key_parse(ipt_span text, ipt_public_key *out)
{
    uint8_t der[sizeof(spki_front) + sizeof(out->bytes)];
    ipt_public_key key;
    if (central_base64_exact(text, der, sizeof(der)) && memcmp(der, spki_front, sizeof(spki_front)) == 0)
        memcpy(key.bytes, der + sizeof(spki_front), sizeof(key.bytes));
    else if (!central_base64_exact(text, key.bytes, sizeof(key.bytes)))
        return false;
    *out = key;
    return true;
}

void ipt_public_key_format(const ipt_public_key *key, char out[IPT_PUBLIC_KEY_TEXT])
{
    uint8_t der[sizeof(spki_front) + sizeof(key->bytes)];
    ipt_auto(ipt_buf) text = {0};
    memcpy(der, spki_front, sizeof(spki_front));
    memcpy(der + sizeof(spki_front), key->bytes, sizeof(key->bytes));
    central_base64_write(&text, (ipt_span){(const char *)der, sizeof(der)});
    bool whole = text.n == IPT_PUBLIC_KEY_TEXT - 1;
    if (whole)
        memcpy(out, text.p, text.n);
    out[whole ? text.n : 0] = '\0';
}

bool ipt_signing_key_parse(ipt_span pem, ipt_signing_key *out)
{
    uint8_t der[sizeof(pkcs8_front) + sizeof(out->seed)];
    size_t begin = sizeof(pem_begin) - 1, digits = (sizeof(der) + 2) / 3 * 4, end = sizeof(pem_end) - 1;
    if (pem.n < begin + digits + end || memcmp(pem.p, pem_begin, begin) != 0 ||
        memcmp(pem.p + begin + digits, pem_end, end) != 0)
        return false;
    bool ok = central_base64_exact((ipt_span){pem.p + begin, digits}, der, sizeof(der)) &&
              memcmp(der, pkcs8_front, sizeof(pkcs8_front)) == 0;
    if (ok)
        ipt_signing_key_from_seed(der + sizeof(pkcs8_front), out);
    explicit_bzero(der, sizeof(der));
    return ok;
}

void ipt_signing_key_format(ipt_buf *out, const ipt_signing_key *key)
{
    uint8_t der[sizeof(pkcs8_front) + sizeof(key->seed)];
    memcpy(der, pkcs8_front, sizeof(pkcs8_front));
    memcpy(der + sizeof(pkcs8_front), key->seed, sizeof(key->seed));
    ipt_buf_adds(out, pem_begin);
    central_base64_write(out, (ipt_span){(const char *)der, sizeof(der)});
    ipt_buf_adds(out, pem_end);
    ipt_buf_addc(out, '\n');
    explicit_bzero(der, sizeof(der));
}

void ipt_signing_key_from_seed(const uint8_t seed[32], ipt_signing_key *out)
{
    ipt_signing_key key;
    memcpy(key.seed, seed, sizeof(key.seed));
    ed25519_sha512_public_key(key.public_key.bytes, key.seed);
    *out = key;
    explicit_bzero(&key, sizeof(key));
}
