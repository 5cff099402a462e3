/* The last good bundle across restarts: text lines, the checksum above all that it is over. */
#include <nettle/sha2.h>

#include "central_priv.h"
#include "iptrust/central/bundle.h"

static const char record_name[] = "iptrust-central-record", record_number[] = "1";

void ipt_bundle_digest(ipt_span bytes, char out[65])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    sha256_digest(&hash, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[64] = '\0';
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
    char digest[65];
    ipt_bundle_digest(ipt_buf_span(&body), digest);
    ipt_buf_adds(out, digest);
    ipt_buf_addc(out, '\n');
    ipt_buf_add(out, ipt_buf_span(&body));
    out->failed = out->failed || body.failed;
}

bool ipt_central_record_decode(ipt_span bytes, ipt_central_record *out)
{
    char digest[65];
    ipt_central_record record;
    ipt_span rest = bytes, value;
    uint64_t taken;
    if (!central_line(&rest, record_name, &value) || !ipt_span_equal(value, ipt_span_from(record_number)) ||
        !central_line(&rest, "sha256", &value))
        return false;
    ipt_bundle_digest(rest, digest);
    if (!ipt_span_equal(value, ipt_span_from(digest)) || !central_line(&rest, "floor", &value) ||
        !central_number(value, &record.floor) || !central_line(&rest, "taken", &value) ||
        !central_number(value, &taken) || taken > INT64_MAX || rest.n == 0 || rest.p[0] != '\n')
        return false;
    record.taken = (int64_t)taken;
    record.bundle = (ipt_span){rest.p + 1, rest.n - 1};
    *out = record;
    return true;
}
