/* Makes MaxMind DB files for tests, sound ones and damaged ones. Asserts on misuse. */
#ifndef IPTRUST_TESTS_GEO_MAKER_H
#define IPTRUST_TESTS_GEO_MAKER_H

#include "iptrust/net/prefix.h"

enum { MAKER_NODES_MAX = 2048, MAKER_BYTES_MAX = 1 << 16 };

typedef struct maker {
    unsigned ip_version, record_size;
    const char *type;
    uint64_t built;
    uint32_t node_count;
    uint32_t nodes[MAKER_NODES_MAX][2]; /* 0: empty; a node's number; LEAF + an offset in data; or RAW + the record */
    uint8_t data[MAKER_BYTES_MAX];
    uint32_t data_n;
    uint8_t file[2 * MAKER_BYTES_MAX]; /* as made last */
    size_t file_n;
} maker;

#define MAKER_LEAF UINT32_C(0x40000000)
#define MAKER_RAW  UINT32_C(0x80000000)

void maker_init(maker *m, unsigned ip_version, unsigned record_size, const char *type);
/* Appends to data; each returns the offset of its value. */
uint32_t maker_map(maker *m, uint32_t pairs);
uint32_t maker_array(maker *m, uint32_t items);
uint32_t maker_text(maker *m, const char *text);
uint32_t maker_uint(maker *m, unsigned type, uint64_t number); /* MMDB_DATA_TYPE_UINT16, UINT32 or UINT64 */
uint32_t maker_flag(maker *m, bool flag);
uint32_t maker_double(maker *m, double number);
uint32_t maker_float(maker *m, float number);
uint32_t maker_pointer(maker *m, uint32_t to);
uint32_t maker_bytes(maker *m, const void *bytes, size_t n); /* as they are */
/* {"key": "text", ...} for pairs of texts ended by NULL. */
uint32_t maker_texts(maker *m, const char *const *pairs);
/* The record of a prefix is the value at an offset. IPv4 prefixes lie below ::/96 of an IPv6 tree. */
void maker_add(maker *m, const char *prefix, uint32_t offset);
/* The file's bytes, in m->file. */
void maker_build(maker *m);
/* Builds and writes. */
void maker_write(maker *m, const char *path);
void maker_write_bytes(const void *bytes, size_t n, const char *path);

#endif
