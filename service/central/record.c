/* The last good bundle across restarts: text lines, the checksum above all that it is over. */
#include <nettle/sha2.h>

#include "central_priv.h"
#include "iptrust/central/bundle.h"

static const char record_name[] = "iptrust-central-record", record_number[] = "1";

static void write_checksum(ipt_buf *out, ipt_span bytes)
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    sha256_digest(&hash, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        ipt_buf_addf(out, "%02x", digest[i]);
}

void ipt_central_record_encode(ipt_buf *out, const ipt_central_record *record)
{
    ipt_auto(ipt_buf) body = {0};
    ipt_buf_adds(&body, "floor: ");
    ipt_buf_addu(&body, record->floor);
    ipt_buf_adds(&body, "\ntaken: ");
    ipt_buf_addu(&body, record->taken < 0 ? 0 : (uint64_t)record->taken);
    ipt_buf_adds(&body, "\n\n");
    ipt_buf_add(&body, record->bundle);
    ipt_buf_addf(out, "%s: %s\nsha256: ", record_name, record_number);
    write_checksum(out, ipt_buf_span(&body));
    ipt_buf_addc(out, '\n');
    ipt_buf_add(out, ipt_buf_span(&body));
    out->failed = out->failed || body.failed;
}

bool ipt_central_record_decode(ipt_span bytes, ipt_central_record *out)
{
    ipt_auto(ipt_buf) sum = {0};
    ipt_central_record record;
    ipt_span rest = bytes, value;
    uint64_t taken;
    if (!central_line(&rest, record_name, &value) || !ipt_span_equal(value, ipt_span_from(record_number)) ||
        !central_line(&rest, "sha256", &value))
        return false;
    write_checksum(&sum, rest);
    if (sum.failed || !ipt_span_equal(value, ipt_buf_span(&sum)) || !central_line(&rest, "floor", &value) ||
        !central_number(value, &record.floor) || !central_line(&rest, "taken", &value) ||
        !central_number(value, &taken) || taken > INT64_MAX || rest.n == 0 || rest.p[0] != '\n')
        return false;
    record.taken = (int64_t)taken;
    record.bundle = (ipt_span){rest.p + 1, rest.n - 1};
    *out = record;
    return true;
}
