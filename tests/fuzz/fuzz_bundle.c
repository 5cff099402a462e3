/* What comes from a central place or from the disk. The first byte chooses the reader: what a bundle, a record or a key
 * is read from is what would be written for it; a bundle that is signed is not one any more with a bit flipped. */
#include "iptrust/central/bundle.h"
#include "iptrust/central/etcd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void sign_and_flip(const ipt_bundle *bundle, size_t at)
{
    static const uint8_t seed[32] = {1};
    ipt_auto(ipt_buf) text = {0};
    ipt_signing_key key;
    ipt_bundle again;
    const char *why;
    ipt_signing_key_from_seed(seed, &key);
    ipt_bundle_write(&text, bundle, &key);
    must(!text.failed);
    if (ipt_bundle_parse(ipt_buf_span(&text), &again, &why) != IPT_BUNDLE_OK)
        return; /* the line of the signature has made it too large */
    must(ipt_bundle_verify(&again, &key.public_key, 1));
    text.p[at % text.n] = (char)(text.p[at % text.n] ^ 1);
    must(ipt_bundle_parse(ipt_buf_span(&text), &again, &why) != IPT_BUNDLE_OK ||
         !ipt_bundle_verify(&again, &key.public_key, 1));
}

static void read_bundle(ipt_span text)
{
    ipt_auto(ipt_buf) again = {0};
    ipt_bundle bundle;
    const char *why = NULL;
    if (ipt_bundle_parse(text, &bundle, &why) != IPT_BUNDLE_OK) {
        must(why != NULL);
        return;
    }
    ipt_bundle_write(&again, &bundle, NULL);
    must(!again.failed && ipt_span_equal(ipt_buf_span(&again), bundle.covered));
    must(text.n - bundle.covered.n == (bundle.is_signed ? sizeof("signature: \n") - 1 + 88 : 0));
    sign_and_flip(&bundle, (uint8_t)text.p[text.n - 1]);
}

static void read_record(ipt_span bytes)
{
    ipt_auto(ipt_buf) again = {0};
    ipt_central_record record;
    if (!ipt_central_record_decode(bytes, &record))
        return;
    ipt_central_record_encode(&again, &record);
    must(!again.failed && ipt_span_equal(ipt_buf_span(&again), bytes));
}

static void read_keys(ipt_span text)
{
    ipt_auto(ipt_buf) pem = {0};
    ipt_public_key public_key, same;
    ipt_signing_key key;
    char written[IPT_PUBLIC_KEY_TEXT];
    if (ipt_public_key_parse(text, &public_key)) {
        ipt_public_key_format(&public_key, written);
        must(ipt_public_key_parse(ipt_span_from(written), &same) && memcmp(&same, &public_key, sizeof(same)) == 0);
        must(text.n != sizeof(written) - 1 || memcmp(written, text.p, text.n) == 0);
    }
    if (ipt_signing_key_parse(text, &key)) {
        ipt_signing_key_format(&pem, &key);
        must(pem.n - 1 <= text.n && memcmp(pem.p, text.p, pem.n - 1) == 0);
    }
}

static void read_etcd(ipt_span json)
{
    ipt_auto(ipt_arena) *arena = NULL;
    ipt_span value = {NULL, 0}, token;
    uint64_t revision;
    must(ipt_arena_new(4096, 0, &arena) == IPT_OK);
    if (ipt_etcd_read_range(json, arena, &revision, &value) == IPT_ETCD_VALUE)
        must(value.n <= json.n);
    if (ipt_etcd_read_token(json, arena, &token))
        must(token.n != 0);
    must(!ipt_etcd_watch_speaks(json) || memchr(json.p, '\n', json.n) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void (*const readers[])(ipt_span) = {read_bundle, read_record, read_keys, read_etcd};
    if (size == 0)
        return 0;
    char *bytes = malloc(size);
    must(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    readers[data[0] % IPT_COUNT(readers)]((ipt_span){bytes, size - 1});
    free(bytes);
    return 0;
}
