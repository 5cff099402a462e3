/* The record: a magic word, the format's number, fields in a fixed order (numbers little-endian, text with its length
 * before it), SHA-256 over all of it. There is one way to write each record, so that what decodes is what was encoded.
 */
#include "iptrust/ranges/record.h"

#include <nettle/sha2.h>

enum {
    CHECKSUM = SHA256_DIGEST_SIZE,
    SMALLEST_PREFIX = 5, /* bytes: a length and an IPv4 address */
    V4_LENGTH = 0x90,    /* added to the length of an IPv4 prefix: four bytes follow, not sixteen */
    HAS_SERIAL = 1,
    HAS_TIME = 2,
};

static const char magic[8] = {'i', 'p', 't', 'l', 'i', 's', 't', '\n'};

static void checksum(const char *p, size_t n, uint8_t out[CHECKSUM])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, n, (const uint8_t *)p);
    sha256_digest(&hash, CHECKSUM, out);
}

/* ---- writing ---- */

static void put_number(ipt_buf *out, uint64_t number, unsigned bytes)
{
    char text[8];
    for (unsigned i = 0; i < bytes; i++)
        text[i] = (char)(number >> (8 * i) & 0xff);
    ipt_buf_add(out, (ipt_span){text, bytes});
}

static void put_text(ipt_buf *out, ipt_span text)
{
    put_number(out, text.n, 4);
    ipt_buf_add(out, text);
}

static void put_space(ipt_buf *out, ipt_space space)
{
    put_number(out, space.v4, 8);
    put_number(out, space.v6, 8);
}

static void put_version(ipt_buf *out, const ipt_feed_version *version)
{
    put_text(out, ipt_span_from(version->text));
    put_number(out, (version->has_serial ? HAS_SERIAL : 0U) | (version->has_time ? HAS_TIME : 0U), 1);
    put_number(out, version->has_serial ? version->serial : 0, 8);
    put_number(out, version->has_time ? (uint64_t)version->time : 0, 8);
}

static void put_prefixes(ipt_buf *out, ipt_prefix_set set)
{
    put_number(out, set.count, 4);
    for (size_t i = 0; i < set.count; i++) {
        ipt_prefix prefix = set.items[i];
        char text[16];
        unsigned bytes = ipt_prefix_is_v4(prefix) ? 4 : 16;
        put_number(out, ipt_prefix_bits(prefix) + (bytes == 4 ? (unsigned)V4_LENGTH : 0U), 1);
        for (unsigned j = 0; j < 8; j++) {
            text[j] = (char)(prefix.addr.hi >> (56 - 8 * j) & 0xff);
            text[8 + j] = (char)(prefix.addr.lo >> (56 - 8 * j) & 0xff);
        }
        ipt_buf_add(out, (ipt_span){text + 16 - bytes, bytes});
    }
}

static void put_contents(ipt_buf *out, const ipt_record_contents *contents)
{
    ipt_digest digest = ipt_prefix_set_digest(contents->set);
    put_version(out, &contents->version);
    put_number(out, (uint64_t)contents->fetched_at, 8);
    put_number(out, (uint64_t)contents->changed_at, 8);
    ipt_buf_add(out, (ipt_span){(const char *)digest.bytes, sizeof(digest.bytes)});
    put_prefixes(out, contents->set);
}

static void put_past(ipt_buf *out, const ipt_accept_past *past)
{
    put_number(out, past->count, 4);
    for (uint32_t i = 0; i < past->count; i++) {
        put_number(out, (uint64_t)past->items[i].since, 8);
        put_space(out, past->items[i].space);
    }
}

void ipt_record_encode(ipt_buf *out, const ipt_record *record)
{
    size_t begin = out->n;
    ipt_buf_add(out, (ipt_span){magic, sizeof(magic)});
    put_number(out, IPT_RECORD_FORMAT, 4);
    put_text(out, record->source);
    put_number(out, record->part_count, 4);
    for (uint32_t i = 0; i < record->part_count; i++) {
        put_text(out, record->parts[i].url);
        put_text(out, record->parts[i].etag);
        put_text(out, record->parts[i].last_modified);
    }
    put_contents(out, &record->active);
    put_number(out, record->has_held, 1);
    if (record->has_held) {
        put_contents(out, &record->held);
        put_number(out, (uint64_t)record->held_why.reason, 1);
        put_text(out, ipt_span_from(record->held_why.text));
    }
    put_number(out, record->has_accepted, 1);
    if (record->has_accepted)
        put_number(out, (uint64_t)record->accepted_at, 8);
    put_past(out, &record->past);
    if (out->failed)
        return;
    uint8_t sum[CHECKSUM];
    checksum(out->p + begin, out->n - begin, sum);
    ipt_buf_add(out, (ipt_span){(const char *)sum, sizeof(sum)});
}

/* ---- reading: one flag, asked at the end of each part ---- */

typedef struct reader {
    ipt_span rest;
    ipt_arena *arena;
    bool broken, no_memory;
} reader;

static ipt_span get_bytes(reader *from, size_t n)
{
    if (from->broken || n > from->rest.n) {
        from->broken = true;
        return (ipt_span){NULL, 0};
    }
    ipt_span bytes = {from->rest.p, n};
    from->rest.p += n;
    from->rest.n -= n;
    return bytes;
}

static uint64_t get_number(reader *from, unsigned bytes, uint64_t most)
{
    ipt_span text = get_bytes(from, bytes);
    uint64_t number = 0;
    for (size_t i = 0; i < text.n; i++)
        number |= (uint64_t)(uint8_t)text.p[i] << (8 * i);
    if (number > most) {
        from->broken = true;
        return 0;
    }
    return number;
}

static ipt_span get_text(reader *from)
{
    return get_bytes(from, (size_t)get_number(from, 4, UINT32_MAX));
}

/* Text that is copied out: printable ASCII that fits, with its NUL. */
static void get_words(reader *from, char *out, size_t cap)
{
    ipt_span text = get_text(from);
    if (text.n >= cap)
        from->broken = true;
    for (size_t i = 0; i < text.n && !from->broken; i++) {
        from->broken = text.p[i] < 0x20 || text.p[i] > 0x7e;
        out[i] = text.p[i];
    }
    out[from->broken ? 0 : text.n] = '\0';
}

static int64_t get_time(reader *from)
{
    return (int64_t)get_number(from, 8, UINT64_MAX);
}

static ipt_space get_space(reader *from)
{
    uint64_t v4 = get_number(from, 8, UINT64_MAX);
    return (ipt_space){v4, get_number(from, 8, UINT64_MAX)};
}

static void get_version(reader *from, ipt_feed_version *out)
{
    *out = (ipt_feed_version){0};
    get_words(from, out->text, sizeof(out->text));
    uint64_t flags = get_number(from, 1, HAS_SERIAL | HAS_TIME);
    out->has_serial = (flags & HAS_SERIAL) != 0;
    out->has_time = (flags & HAS_TIME) != 0;
    out->serial = get_number(from, 8, out->has_serial ? UINT64_MAX : 0);
    out->time = (int64_t)get_number(from, 8, out->has_time ? UINT64_MAX : 0);
}

static ipt_prefix get_prefix(reader *from)
{
    unsigned head = (unsigned)get_number(from, 1, 0xff);
    bool v4 = head >= V4_LENGTH;
    unsigned len = v4 ? head - V4_LENGTH + 96 : head;
    ipt_span text = get_bytes(from, v4 ? 4 : 16);
    if (len > 128 || from->broken) {
        from->broken = true;
        return (ipt_prefix){0};
    }
    const uint8_t *bytes = (const uint8_t *)text.p;
    ipt_addr addr = v4 ? ipt_addr_from_bytes4(bytes) : ipt_addr_from_bytes16(bytes);
    ipt_prefix prefix = ipt_prefix_of(addr, len);
    if (!ipt_addr_equal(prefix.addr, addr) || ipt_prefix_is_v4(prefix) != v4)
        from->broken = true;
    return prefix;
}

static void get_prefixes(reader *from, ipt_prefix_set *out)
{
    *out = (ipt_prefix_set){0};
    /* Bounded by what is there, so that a wrong count cannot ask for much. */
    size_t count = (size_t)get_number(from, 4, from->rest.n / SMALLEST_PREFIX);
    if (from->broken || count == 0)
        return;
    ipt_prefix *items = ipt_arena_alloc(from->arena, count * sizeof(*items));
    if (items == NULL) {
        from->broken = from->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !from->broken; i++) {
        items[i] = get_prefix(from);
        if (i != 0 && ipt_prefix_order(items[i - 1], items[i]) >= 0)
            from->broken = true;
    }
    if (!from->broken)
        *out = (ipt_prefix_set){items, count};
}

static void get_contents(reader *from, ipt_record_contents *out)
{
    get_version(from, &out->version);
    out->fetched_at = get_time(from);
    out->changed_at = get_time(from);
    ipt_span digest = get_bytes(from, sizeof(out->digest.bytes));
    get_prefixes(from, &out->set);
    if (from->broken)
        return;
    out->digest = ipt_prefix_set_digest(out->set);
    if (memcmp(out->digest.bytes, digest.p, digest.n) != 0)
        from->broken = true;
}

static void get_past(reader *from, ipt_accept_past *out)
{
    *out = (ipt_accept_past){.count = (uint32_t)get_number(from, 4, IPT_ACCEPT_PAST_MAX)};
    for (uint32_t i = 0; i < out->count && !from->broken; i++) {
        out->items[i].since = get_time(from);
        out->items[i].space = get_space(from);
        if (i != 0 && out->items[i].since <= out->items[i - 1].since)
            from->broken = true;
    }
}

static void get_record(reader *from, ipt_record *out)
{
    out->source = get_text(from);
    out->part_count = (uint32_t)get_number(from, 4, IPT_RECORD_PARTS_MAX);
    for (uint32_t i = 0; i < out->part_count; i++) {
        out->parts[i].url = get_text(from);
        out->parts[i].etag = get_text(from);
        out->parts[i].last_modified = get_text(from);
    }
    get_contents(from, &out->active);
    out->has_held = get_number(from, 1, 1) == 1;
    if (out->has_held) {
        get_contents(from, &out->held);
        out->held_why.reason = (ipt_update_reason)get_number(from, 1, IPT_UPDATE_REASONS - 1);
        get_words(from, out->held_why.text, sizeof(out->held_why.text));
    }
    out->has_accepted = get_number(from, 1, 1) == 1;
    if (out->has_accepted)
        out->accepted_at = get_time(from);
    get_past(from, &out->past);
    if (from->rest.n != 0)
        from->broken = true;
}

ipt_record_result ipt_record_decode(ipt_span bytes, ipt_arena *arena, ipt_record *out)
{
    reader from = {.rest = bytes, .arena = arena};
    ipt_span word = get_bytes(&from, sizeof(magic));
    uint64_t format = get_number(&from, 4, UINT32_MAX);
    if (from.broken || memcmp(word.p, magic, sizeof(magic)) != 0 || format == 0)
        return IPT_RECORD_BROKEN;
    if (format > IPT_RECORD_FORMAT)
        return IPT_RECORD_NEWER;
    if (from.rest.n < CHECKSUM)
        return IPT_RECORD_BROKEN;

    uint8_t sum[CHECKSUM];
    checksum(bytes.p, bytes.n - CHECKSUM, sum);
    if (memcmp(sum, bytes.p + bytes.n - CHECKSUM, CHECKSUM) != 0)
        return IPT_RECORD_BROKEN;
    from.rest.n -= CHECKSUM;
    ipt_record record = {0};
    get_record(&from, &record);
    if (from.broken)
        return from.no_memory ? IPT_RECORD_NO_MEMORY : IPT_RECORD_BROKEN;
    *out = record;
    return IPT_RECORD_OK;
}
