/* A writer of small MaxMind DB files, after the format's specification. */
#include "maker.h"

#include <assert.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void maker_init(maker *m, unsigned ip_version, unsigned record_size, const char *type)
{
    memset(m, 0, sizeof(*m));
    m->ip_version = ip_version;
    m->record_size = record_size;
    m->type = type;
    m->built = 1700000000;
    m->node_count = 1;
}

uint32_t maker_bytes(maker *m, const void *bytes, size_t n)
{
    uint32_t at = m->data_n;
    assert(n <= sizeof(m->data) - m->data_n);
    memcpy(m->data + m->data_n, bytes, n);
    m->data_n += (uint32_t)n;
    return at;
}

static uint32_t put_control(maker *m, unsigned type, uint32_t size)
{
    uint8_t head[6];
    size_t n = 1;
    unsigned shown = size < 29 ? size : size < 285 ? 29 : 30;
    assert(size < 65821);
    head[0] = (uint8_t)((type > 7 ? 0 : type << 5) | shown);
    if (type > 7)
        head[n++] = (uint8_t)(type - 7);
    if (shown == 29)
        head[n++] = (uint8_t)(size - 29);
    if (shown == 30) {
        head[n++] = (uint8_t)((size - 285) >> 8);
        head[n++] = (uint8_t)(size - 285);
    }
    return maker_bytes(m, head, n);
}

uint32_t maker_map(maker *m, uint32_t pairs)
{
    return put_control(m, MMDB_DATA_TYPE_MAP, pairs);
}

uint32_t maker_array(maker *m, uint32_t items)
{
    return put_control(m, MMDB_DATA_TYPE_ARRAY, items);
}

uint32_t maker_text(maker *m, const char *text)
{
    uint32_t at = put_control(m, MMDB_DATA_TYPE_UTF8_STRING, (uint32_t)strlen(text));
    (void)maker_bytes(m, text, strlen(text));
    return at;
}

static uint32_t put_number(maker *m, unsigned type, uint64_t number, unsigned bytes)
{
    uint8_t p[8];
    uint32_t at = put_control(m, type, bytes);
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
    (void)maker_bytes(m, p, bytes);
    return at;
}

uint32_t maker_uint(maker *m, unsigned type, uint64_t number)
{
    return put_number(m, type, number, type == MMDB_DATA_TYPE_UINT16 ? 2 : type == MMDB_DATA_TYPE_UINT32 ? 4 : 8);
}

uint32_t maker_flag(maker *m, bool flag)
{
    return put_control(m, MMDB_DATA_TYPE_BOOLEAN, flag);
}

uint32_t maker_double(maker *m, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return put_number(m, MMDB_DATA_TYPE_DOUBLE, bits, 8);
}

uint32_t maker_float(maker *m, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    return put_number(m, MMDB_DATA_TYPE_FLOAT, bits, 4);
}

uint32_t maker_pointer(maker *m, uint32_t to)
{
    uint8_t p[3];
    if (to < 2048) {
        p[0] = (uint8_t)(1U << 5 | to >> 8);
        p[1] = (uint8_t)to;
        return maker_bytes(m, p, 2);
    }
    to -= 2048;
    assert(to < 526336);
    p[0] = (uint8_t)(1U << 5 | 1U << 3 | to >> 16);
    p[1] = (uint8_t)(to >> 8);
    p[2] = (uint8_t)to;
    return maker_bytes(m, p, 3);
}

uint32_t maker_texts(maker *m, const char *const *pairs)
{
    uint32_t count = 0;
    while (pairs[2 * count] != NULL)
        count++;
    uint32_t at = maker_map(m, count);
    for (uint32_t i = 0; i < 2 * count; i++)
        (void)maker_text(m, pairs[i]);
    return at;
}

void maker_add(maker *m, const char *text, uint32_t offset)
{
    ipt_prefix prefix;
    assert(ipt_prefix_parse(ipt_span_from(text), &prefix) == IPT_PREFIX_OK);
    bool v4 = ipt_prefix_is_v4(prefix);
    assert(m->ip_version == 6 || v4);
    unsigned first = m->ip_version == 4 ? 96 : 0;
    uint64_t hi = prefix.addr.hi, lo = v4 ? (uint32_t)prefix.addr.lo : prefix.addr.lo;
    uint32_t node = 0;
    for (unsigned i = first; i < prefix.len; i++) {
        unsigned side = (unsigned)((i < 64 ? hi >> (63 - i) : lo >> (127 - i)) & 1);
        uint32_t *record = &m->nodes[node][side];
        if (i + 1U == prefix.len) {
            *record = MAKER_LEAF + offset;
            return;
        }
        if (*record == 0) {
            assert(m->node_count < MAKER_NODES_MAX);
            *record = m->node_count++;
        }
        assert(*record < MAKER_LEAF);
        node = *record;
    }
}

static void put_file(maker *m, const void *bytes, size_t n)
{
    assert(n <= sizeof(m->file) - m->file_n);
    memcpy(m->file + m->file_n, bytes, n);
    m->file_n += n;
}

static uint32_t record_of(const maker *m, uint32_t record)
{
    if (record >= MAKER_RAW)
        return record - MAKER_RAW;
    if (record >= MAKER_LEAF)
        return record - MAKER_LEAF + m->node_count + 16;
    return record == 0 ? m->node_count : record;
}

static void put_node(maker *m, const uint32_t node[2])
{
    uint32_t l = record_of(m, node[0]), r = record_of(m, node[1]);
    const uint8_t b24[6] = {(uint8_t)(l >> 16), (uint8_t)(l >> 8), (uint8_t)l,
                            (uint8_t)(r >> 16), (uint8_t)(r >> 8), (uint8_t)r};
    const uint8_t b28[7] = {b24[0], b24[1], b24[2], (uint8_t)((l >> 20 & 0xf0) | r >> 24), b24[3], b24[4], b24[5]};
    const uint8_t b32[8] = {(uint8_t)(l >> 24), b24[0], b24[1], b24[2], (uint8_t)(r >> 24), b24[3], b24[4], b24[5]};
    put_file(m, m->record_size == 24 ? b24 : m->record_size == 28 ? b28 : b32, m->record_size / 4);
}

static void put_metadata(maker *m)
{
    static maker meta;
    maker_init(&meta, 4, 24, "");
    (void)maker_map(&meta, 9);
    const struct {
        const char *key;
        unsigned type;
        uint64_t number;
    } rows[] = {{"binary_format_major_version", MMDB_DATA_TYPE_UINT16, 2},
                {"binary_format_minor_version", MMDB_DATA_TYPE_UINT16, 0},
                {"build_epoch", MMDB_DATA_TYPE_UINT64, m->built},
                {"ip_version", MMDB_DATA_TYPE_UINT16, m->ip_version},
                {"node_count", MMDB_DATA_TYPE_UINT32, m->node_count},
                {"record_size", MMDB_DATA_TYPE_UINT16, m->record_size}};
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        (void)maker_text(&meta, rows[i].key);
        (void)maker_uint(&meta, rows[i].type, rows[i].number);
    }
    (void)maker_text(&meta, "database_type");
    (void)maker_text(&meta, m->type);
    (void)maker_text(&meta, "languages");
    (void)maker_array(&meta, 1);
    (void)maker_text(&meta, "en");
    (void)maker_text(&meta, "description");
    (void)maker_texts(&meta, (const char *const[]){"en", "made by a test", NULL});
    put_file(m,
             "\xab\xcd\xef"
             "MaxMind.com",
             14);
    put_file(m, meta.data, meta.data_n);
}

void maker_build(maker *m)
{
    static const uint8_t separator[16];
    m->file_n = 0;
    for (uint32_t i = 0; i < m->node_count; i++)
        put_node(m, m->nodes[i]);
    put_file(m, separator, sizeof(separator));
    put_file(m, m->data, m->data_n);
    put_metadata(m);
}

void maker_write_bytes(const void *bytes, size_t n, const char *path)
{
    char fresh[512];
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t put = write(fd, bytes, n);
    assert(fd >= 0 && put == (ssize_t)n);
    (void)put;
    close(fd);
    int renamed = rename(fresh, path);
    assert(renamed == 0);
    (void)renamed;
}

void maker_write(maker *m, const char *path)
{
    maker_build(m);
    maker_write_bytes(m->file, m->file_n, path);
}
