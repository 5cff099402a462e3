/* Decodes records. The first byte says whether the checksum is put right before, so that what lies behind it is
 * reached: what decodes is canonical and encodes to the very same bytes, and with the checksum as it came any bit of it
 * matters. */
#include "iptrust/ranges/record.h"

#include <stdlib.h>

#include <nettle/sha2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void put_checksum(char *bytes, size_t n)
{
    struct sha256_ctx hash;
    if (n < SHA256_DIGEST_SIZE)
        return;
    sha256_init(&hash);
    sha256_update(&hash, n - SHA256_DIGEST_SIZE, (const uint8_t *)bytes);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, (uint8_t *)bytes + n - SHA256_DIGEST_SIZE);
}

static void check_contents(const ipt_record_contents *contents)
{
    must(ipt_digest_equal(contents->digest, ipt_prefix_set_digest(contents->set)));
    must(strnlen(contents->version.text, sizeof(contents->version.text)) < sizeof(contents->version.text));
    for (size_t i = 0; i < contents->set.count; i++) {
        ipt_prefix prefix = contents->set.items[i];
        must(ipt_prefix_equal(prefix, ipt_prefix_of(prefix.addr, prefix.len)));
        must(i == 0 || ipt_prefix_order(contents->set.items[i - 1], prefix) < 0);
    }
}

static void check_record(const ipt_record *record, ipt_span bytes)
{
    ipt_auto(ipt_buf) again = {0};
    check_contents(&record->active);
    if (record->has_held)
        check_contents(&record->held);
    ipt_record_encode(&again, record);
    must(!again.failed && ipt_span_equal(ipt_buf_span(&again), bytes));
}

static void check_flipped(char *bytes, size_t n, ipt_arena *arena)
{
    ipt_record record;
    size_t at = (uint8_t)bytes[n - 1] % n;
    bytes[at] = (char)(bytes[at] ^ 4);
    must(ipt_record_decode((ipt_span){bytes, n}, arena, &record) != IPT_RECORD_OK);
    bytes[at] = (char)(bytes[at] ^ 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t n = size - 1;
    char *bytes = malloc(n == 0 ? 1 : n);
    ipt_auto(ipt_arena) *arena = NULL;
    must(bytes != NULL && ipt_arena_new(4096, 0, &arena) == IPT_OK);
    memcpy(bytes, data + 1, n);
    if (data[0] % 2 != 0)
        put_checksum(bytes, n);
    ipt_record record;
    if (ipt_record_decode((ipt_span){bytes, n}, arena, &record) == IPT_RECORD_OK) {
        check_record(&record, (ipt_span){bytes, n});
        check_flipped(bytes, n, arena);
    }
    free(bytes);
    return 0;
}
