/* PROXY headers, versions 1 and 2. Ids are those of the attack catalogue; "14" and "15" the findings on peers. */
#include "iptrust/wire/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "exact.h"

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

typedef struct bytes {
    uint8_t p[1024];
    size_t n;
} bytes;

static void put(bytes *b, const void *p, size_t n)
{
    assert_true(b->n + n <= sizeof(b->p));
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_byte(bytes *b, unsigned byte)
{
    const uint8_t value = (uint8_t)byte;
    put(b, &value, 1);
}

static void put_hex(bytes *b, const char *hex)
{
    for (; *hex != '\0'; hex += 2) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex, "%2x", &byte), 1);
        put_byte(b, byte);
    }
}

/* Bit by bit, with no table: the other way to the same sum. */
static uint32_t slow_crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
    }
    return ~crc;
}

static void set_length(bytes *b)
{
    b->p[14] = (uint8_t)((b->n - 16) >> 8);
    b->p[15] = (uint8_t)(b->n - 16);
}

/* 192.0.2.1:4660 to 192.0.2.2:443, or the like, and then TLVs. */
static bytes header(unsigned version_command, unsigned family, const char *block_hex, const char *tlvs_hex)
{
    bytes b = {.n = 0};
    put(&b, signature, sizeof(signature));
    put_byte(&b, version_command);
    put_byte(&b, family);
    put_hex(&b, "0000");
    put_hex(&b, block_hex);
    put_hex(&b, tlvs_hex);
    set_length(&b);
    return b;
}

#define V4_BLOCK "c0000201c0000202123401bb"
#define V6_BLOCK                       \
    "20010db8000000000000000000000007" \
    "20010db8000000000000000000000009" \
    "000001bb"

static ipt_proxy_result parse(const void *p, size_t n, ipt_proxy *out)
{
    const ipt_span copy = exact_n(p, n);
    ipt_proxy proxy, untouched;
    memset(&proxy, 0x5a, sizeof(proxy));
    memset(&untouched, 0x5a, sizeof(untouched));
    const ipt_proxy_result result = ipt_proxy_parse(copy, &proxy);
    if (result != IPT_PROXY_OK)
        assert_memory_equal(&proxy, &untouched, sizeof(proxy));
    else if (out != NULL)
        *out = proxy; /* its spans end with the copy: for numbers alone */
    free((void *)(uintptr_t)copy.p);
    return result;
}

static ipt_proxy_result parse_bytes(const bytes *b)
{
    return parse(b->p, b->n, NULL);
}

#define LONG40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG91 LONG40 LONG40 "aaaaaaaaaaa" /* with "PROXY UNKNOWN " and CRLF: 107 */

static void a_version_1_line_is_canonical_or_refused(void **state)
{
    static const struct {
        const char *line;
        ipt_proxy_result result;
    } rows[] = {
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_OK},
        {"PROXY TCP6 2001:db8::7 2001:db8::9 4660 443\r\n", IPT_PROXY_OK},
        {"PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::9 1 65535\r\n", IPT_PROXY_OK},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", IPT_PROXY_OK},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", IPT_PROXY_OK},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", IPT_PROXY_OK},
        {"PROXY UNKNOWN\r\n", IPT_PROXY_OK}, /* 14: httpd refuses it */
        {"PROXY UNKNOWN \r\n", IPT_PROXY_OK},
        {"PROXY UNKNOWN a  b\tc\r\n", IPT_PROXY_OK}, /* 14: haproxy refuses it */
        {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", IPT_PROXY_OK},
        {"PROXY UNKNOWN \r \n\r\n", IPT_PROXY_OK},
        {"PROXY UNKNOWN " LONG91 "\r\n", IPT_PROXY_OK},
        {"PROXY UNKNOWN " LONG91 "a\r\n", IPT_PROXY_V1_LINE},
        {"PROXY UNKNOWN " LONG91 LONG91 "\r\n", IPT_PROXY_V1_LINE},
        {"PROXY UNKNOWNX\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY unknown\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\nGET", IPT_PROXY_TRAILING},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\n\r\n", IPT_PROXY_TRAILING},
        {"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", IPT_PROXY_TRAILING}, /* E07 */
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443", IPT_PROXY_V1_LINE},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r", IPT_PROXY_V1_LINE},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\n", IPT_PROXY_V1_LINE},
        {"PROXY ", IPT_PROXY_V1_LINE},
        {"PROXY \r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660\r\n", IPT_PROXY_V1_FIELDS}, /* 14: httpd takes it */
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443 9\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443 \r\n", IPT_PROXY_V1_FIELDS}, /* 14: Envoy takes it */
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660  443\r\n", IPT_PROXY_V1_FIELDS}, /* E08 */
        {"PROXY TCP4  192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY  TCP4 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4\t192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP4 192.0.2.1 192.0.2.2  443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY tcp4 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP5 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY UDP4 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_FIELDS},
        {"PROXY TCP6 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},     /* E09 */
        {"PROXY TCP4 2001:db8::7 2001:db8::9 4660 443\r\n", IPT_PROXY_V1_ADDRESS}, /* 14: nginx takes it */
        {"PROXY TCP4 192.0.2.1 2001:db8::9 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP6 2001:db8::7 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP4 ::ffff:192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP6 fe80::1%eth0 2001:db8::9 4660 443\r\n", IPT_PROXY_V1_ADDRESS}, /* E09 */
        {"PROXY TCP6 [2001:db8::7] 2001:db8::9 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP4 192.0.2.010 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS}, /* 14: httpd hands it on */
        {"PROXY TCP4 192.0.2.256 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS}, /* 14: haproxy reads 192.0.3.0 */
        {"PROXY TCP4 192.0.2 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP4 192.0.2.1:1 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP4 unknown 192.0.2.2 4660 443\r\n", IPT_PROXY_V1_ADDRESS},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n", IPT_PROXY_V1_PORT}, /* E08; 14: haproxy reads 0 */
        {"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 01 443\r\n", IPT_PROXY_V1_PORT}, /* E08 */
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 0443\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 00 443\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 +1 443\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 0x7b 443\r\n", IPT_PROXY_V1_PORT},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\r\n", IPT_PROXY_V1_PORT},
        {"PROXY", IPT_PROXY_SIGNATURE},
        {"PROXY\r\n", IPT_PROXY_SIGNATURE},
        {"proxy UNKNOWN\r\n", IPT_PROXY_SIGNATURE},
        {" PROXY UNKNOWN\r\n", IPT_PROXY_SIGNATURE},
        {"GET / HTTP/1.1\r\n", IPT_PROXY_SIGNATURE},
        {"\r\n", IPT_PROXY_SIGNATURE},
        {"", IPT_PROXY_EMPTY}, /* E02: present without bytes */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const ipt_proxy_result result = parse(rows[i].line, strlen(rows[i].line), NULL);
        if (result != rows[i].result)
            fail_msg("row %zu: %s: %s", i, rows[i].line, ipt_proxy_result_text(result));
    }
    static const char with_nul[] = "PROXY TCP4 192.0.2.1\0 192.0.2.2 4660 443\r\n"; /* 14: Envoy takes it */
    assert_int_equal(parse(with_nul, sizeof(with_nul) - 1, NULL), IPT_PROXY_V1_ADDRESS);
    assert_int_equal(ipt_proxy_parse((ipt_span){0}, &(ipt_proxy){0}), IPT_PROXY_EMPTY);
}

static void version_1_says_who_connected(void **state)
{
    static const struct {
        const char *line;
        ipt_proxy_family family;
        const char *source, *destination;
        int source_port, destination_port;
    } rows[] = {
        {"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\n", IPT_PROXY_INET, "192.0.2.1", "192.0.2.2", 4660, 443},
        {"PROXY TCP6 2001:db8::7 ::9 0 65535\r\n", IPT_PROXY_INET6, "2001:db8::7", "::9", 0, 65535},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::9 1 2\r\n", IPT_PROXY_INET6, "192.0.2.1", "::9", 1, 2},
        {"PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n", IPT_PROXY_UNSPEC, "::", "::", 0, 0}, /* E10 */
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_proxy proxy;
        char source[IPT_ADDR_TEXT], destination[IPT_ADDR_TEXT];
        assert_int_equal(parse(rows[i].line, strlen(rows[i].line), &proxy), IPT_PROXY_OK);
        ipt_addr_format(proxy.source, source);
        ipt_addr_format(proxy.destination, destination);
        assert_int_equal(proxy.version, 1);
        assert_int_equal(proxy.command, IPT_PROXY_CMD_PROXY);
        assert_int_equal(proxy.family, rows[i].family);
        assert_int_equal(proxy.transport,
                         rows[i].family == IPT_PROXY_UNSPEC ? IPT_PROXY_NO_TRANSPORT : IPT_PROXY_STREAM);
        assert_string_equal(source, rows[i].source);
        assert_string_equal(destination, rows[i].destination);
        assert_int_equal(proxy.source_port, rows[i].source_port);
        assert_int_equal(proxy.destination_port, rows[i].destination_port);
        assert_null(proxy.tlvs.p);
    }
}

static void version_2_says_who_connected(void **state)
{
    static const struct {
        unsigned version_command, byte;
        const char *block;
        ipt_proxy_command command;
        ipt_proxy_family family;
        ipt_proxy_transport transport;
        const char *source, *destination;
        int source_port, destination_port;
    } rows[] = {
        {0x21, 0x11, V4_BLOCK, IPT_PROXY_CMD_PROXY, IPT_PROXY_INET, IPT_PROXY_STREAM, "192.0.2.1", "192.0.2.2", 4660,
         443},
        {0x21, 0x12, V4_BLOCK, IPT_PROXY_CMD_PROXY, IPT_PROXY_INET, IPT_PROXY_DGRAM, "192.0.2.1", "192.0.2.2", 4660,
         443},
        {0x21, 0x21, V6_BLOCK, IPT_PROXY_CMD_PROXY, IPT_PROXY_INET6, IPT_PROXY_STREAM, "2001:db8::7", "2001:db8::9", 0,
         443},
        {0x21, 0x22, V6_BLOCK, IPT_PROXY_CMD_PROXY, IPT_PROXY_INET6, IPT_PROXY_DGRAM, "2001:db8::7", "2001:db8::9", 0,
         443},
        {0x21, 0x21, "00000000000000000000ffffc0000201000000000000000000000000000000090001ffff", IPT_PROXY_CMD_PROXY,
         IPT_PROXY_INET6, IPT_PROXY_STREAM, "192.0.2.1", "::9", 1, 65535},
        {0x21, 0x00, "", IPT_PROXY_CMD_PROXY, IPT_PROXY_UNSPEC, IPT_PROXY_NO_TRANSPORT, "::", "::", 0, 0},
        {0x20, 0x11, V4_BLOCK, IPT_PROXY_CMD_LOCAL, IPT_PROXY_UNSPEC, IPT_PROXY_NO_TRANSPORT, "::", "::", 0,
         0}, /* E10 */
        {0x20, 0x00, "", IPT_PROXY_CMD_LOCAL, IPT_PROXY_UNSPEC, IPT_PROXY_NO_TRANSPORT, "::", "::", 0, 0},
        {0x20, 0xff, "0102", IPT_PROXY_CMD_LOCAL, IPT_PROXY_UNSPEC, IPT_PROXY_NO_TRANSPORT, "::", "::", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        const bytes b = header(rows[i].version_command, rows[i].byte, rows[i].block, "");
        ipt_proxy proxy;
        char source[IPT_ADDR_TEXT], destination[IPT_ADDR_TEXT];
        assert_int_equal(parse(b.p, b.n, &proxy), IPT_PROXY_OK);
        ipt_addr_format(proxy.source, source);
        ipt_addr_format(proxy.destination, destination);
        assert_int_equal(proxy.version, 2);
        assert_int_equal(proxy.command, rows[i].command);
        assert_int_equal(proxy.family, rows[i].family);
        assert_int_equal(proxy.transport, rows[i].transport);
        assert_string_equal(source, rows[i].source);
        assert_string_equal(destination, rows[i].destination);
        assert_int_equal(proxy.source_port, rows[i].source_port);
        assert_int_equal(proxy.destination_port, rows[i].destination_port);
    }
}

static void a_unix_path_ends_at_its_first_nul(void **state)
{
    (void)state;
    bytes b = header(0x21, 0x31, "", "");
    uint8_t block[216];
    memset(block, 'x', sizeof(block)); /* the destination fills its 108 bytes */
    memcpy(block, "/run/a\0b", 8);
    put(&b, block, sizeof(block));
    set_length(&b);
    const ipt_span copy = exact_n(b.p, b.n);
    ipt_proxy proxy;
    assert_int_equal(ipt_proxy_parse(copy, &proxy), IPT_PROXY_OK);
    assert_int_equal(proxy.family, IPT_PROXY_UNIX);
    assert_int_equal(proxy.transport, IPT_PROXY_STREAM);
    assert_true(ipt_span_equal(proxy.source_path, IPT_SPAN("/run/a")));
    assert_int_equal(proxy.destination_path.n, 108);
    free((void *)(uintptr_t)copy.p);
}

static void a_version_2_header_is_exact_or_refused(void **state)
{
    static const struct {
        const char *hex; /* after the signature */
        ipt_proxy_result result;
    } rows[] = {
        {"2111000c" V4_BLOCK, IPT_PROXY_OK},
        {"", IPT_PROXY_LENGTH},
        {"21", IPT_PROXY_LENGTH},
        {"211100", IPT_PROXY_LENGTH},
        {"2111000c", IPT_PROXY_LENGTH},
        {"2111ffff" V4_BLOCK, IPT_PROXY_LENGTH}, /* E04: what it says, not what we would reserve */
        {"ff", IPT_PROXY_VERSION},               /* E05: judged at byte 13 */
        {"1111000c" V4_BLOCK, IPT_PROXY_VERSION},
        {"3111000c" V4_BLOCK, IPT_PROXY_VERSION},
        {"0111000c" V4_BLOCK, IPT_PROXY_VERSION},
        {"22", IPT_PROXY_COMMAND},
        {"2211000c" V4_BLOCK, IPT_PROXY_COMMAND}, /* 15: nginx answers the peer */
        {"2f11000c" V4_BLOCK, IPT_PROXY_COMMAND},
        {"2111000c" V4_BLOCK "00", IPT_PROXY_TRAILING},
        {"2100000021000000", IPT_PROXY_TRAILING}, /* E07 */
        {"2000000000", IPT_PROXY_TRAILING},
        {"2111000bc0000201c0000202123401", IPT_PROXY_LENGTH}, /* E03 */
        {"2121000c" V4_BLOCK, IPT_PROXY_LENGTH},
        {"2131000c" V4_BLOCK, IPT_PROXY_LENGTH},
        {"21010000", IPT_PROXY_FAMILY}, /* half specified */
        {"2110000c" V4_BLOCK, IPT_PROXY_FAMILY},
        {"2113000c" V4_BLOCK, IPT_PROXY_FAMILY},
        {"2141000c" V4_BLOCK, IPT_PROXY_FAMILY}, /* 15 */
        {"2041000c" V4_BLOCK, IPT_PROXY_OK},     /* LOCAL: any family */
        {"2011000bc0000201c0000202123401", IPT_PROXY_OK},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        bytes b = {.n = 0};
        put(&b, signature, sizeof(signature));
        put_hex(&b, rows[i].hex);
        const ipt_proxy_result result = parse_bytes(&b);
        if (result != rows[i].result)
            fail_msg("row %zu: %s: %s", i, rows[i].hex, ipt_proxy_result_text(result));
    }
    bytes b = header(0x21, 0x11, V4_BLOCK, "");
    for (size_t i = 0; i < sizeof(signature); i++) {
        assert_int_equal(parse(b.p, i, NULL), i == 0 ? IPT_PROXY_EMPTY : IPT_PROXY_SIGNATURE);
        b.p[i] ^= 1;
        assert_int_equal(parse_bytes(&b), IPT_PROXY_SIGNATURE);
        b.p[i] ^= 1;
    }
    for (size_t n = sizeof(signature); n < b.n; n++)
        assert_int_equal(parse(b.p, n, NULL), IPT_PROXY_LENGTH);
}

/* The lengths of the specification, written as a list of what is allowed rather than as code that reads. */
static long allowed_block(unsigned byte)
{
    static const struct {
        unsigned byte;
        long block;
    } listed[] = {{0x00, 0}, {0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216}};
    for (size_t i = 0; i < IPT_COUNT(listed); i++)
        if (listed[i].byte == byte)
            return listed[i].block;
    return -1;
}

typedef enum fill { FILL_EMPTY_TLVS, FILL_ONE_TLV, FILL_OVERRUN, FILLS } fill;

/* Whether TLVs that were filled in so are whole when `n` bytes are left for them. */
static bool fits(fill how, long n)
{
    switch (how) {
    case FILL_EMPTY_TLVS:
        return n % 3 == 0;
    case FILL_ONE_TLV:
        return n == 0 || n >= 3;
    case FILL_OVERRUN:
    case FILLS:
        break;
    }
    return n == 0;
}

static ipt_proxy_result expected(bool is_proxy, unsigned byte, long n, fill how)
{
    const long block = allowed_block(byte);
    if (block < 0)
        return is_proxy ? IPT_PROXY_FAMILY : IPT_PROXY_OK;
    if (n < block)
        return is_proxy ? IPT_PROXY_LENGTH : IPT_PROXY_OK;
    return fits(how, n - block) ? IPT_PROXY_OK : IPT_PROXY_TLV_OVERRUN;
}

static void fill_body(bytes *b, unsigned byte, long n, fill how)
{
    const long block = allowed_block(byte) < 0 ? 0 : allowed_block(byte);
    b->n = 16 + (size_t)n;
    memset(b->p + 16, how == FILL_OVERRUN ? 0xff : 0, (size_t)n);
    if (how == FILL_ONE_TLV && n - block >= 3) {
        b->p[16 + block] = 0x04;
        b->p[17 + block] = (uint8_t)((n - block - 3) >> 8);
        b->p[18 + block] = (uint8_t)(n - block - 3);
    } else if (how == FILL_ONE_TLV && n > block) {
        b->p[16 + block] = 0x04;
    }
    set_length(b);
}

/* E03: a short block was read past its end by more than one parser. */
static void every_length_by_every_family_is_read_as_specified(void **state)
{
    (void)state;
    for (unsigned command = 0; command <= 1; command++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (long n = 0; n <= 300; n++)
                for (fill how = FILL_EMPTY_TLVS; how < FILLS; how++) {
                    bytes b = header(0x20 | command, byte, "", "");
                    fill_body(&b, byte, n, how);
                    const ipt_proxy_result result = parse_bytes(&b);
                    if (result != expected(command == 1, byte, n, how))
                        fail_msg("command %u, family %02x, %ld bytes, fill %d: %s", command, byte, n, (int)how,
                                 ipt_proxy_result_text(result));
                }
}

static void each_tlv_holds_what_it_may(void **state)
{
    static const struct {
        const char *tlvs;
        ipt_proxy_result result;
    } rows[] = {
        {"", IPT_PROXY_OK},
        {"0100026832020001610400003000026e73f0000101000000ff0000", IPT_PROXY_OK},
        {"010000020000050000300000ea0000ee0000", IPT_PROXY_OK}, /* empty where no length is stated */
        {"01", IPT_PROXY_TLV_OVERRUN},
        {"0100", IPT_PROXY_TLV_OVERRUN},
        {"010001", IPT_PROXY_TLV_OVERRUN},
        {"01000268", IPT_PROXY_TLV_OVERRUN}, /* 15: nginx and httpd accept */
        {"0100016801", IPT_PROXY_TLV_OVERRUN},
        {"01ffff00", IPT_PROXY_TLV_OVERRUN},
        {"030000", IPT_PROXY_CRC32C},
        {"030003000000", IPT_PROXY_CRC32C},
        {"0300050000000000", IPT_PROXY_CRC32C},
        {"03000400000000", IPT_PROXY_CRC32C}, /* 15: haproxy alone notices */
        {"2000050700000000", IPT_PROXY_OK},
        {"200000", IPT_PROXY_SSL}, /* E06 */
        {"20000407000000", IPT_PROXY_SSL},
        {"200006070000000021", IPT_PROXY_SSL}, /* 15: nobody notices */
        {"2000080700000000210001", IPT_PROXY_SSL},
        {"200009070000000021000161", IPT_PROXY_OK},
        {"200009070000000021000261000000", IPT_PROXY_SSL}, /* it must not reach into the next TLV */
        {"2000080700000000200000", IPT_PROXY_OK},          /* nested: an unknown sub-type */
        {"200005070000000020000407000000", IPT_PROXY_SSL}, /* the second is checked too */
        {"e000080102030405060708", IPT_PROXY_OK},
        {"e00000", IPT_PROXY_GCP},
        {"e0000701020304050607", IPT_PROXY_GCP},
        {"e00009010203040506070809", IPT_PROXY_GCP},
        {"e000080102030405060708e00000", IPT_PROXY_GCP},
        {"ea000101", IPT_PROXY_OK},
        {"ea0003017670", IPT_PROXY_OK},
        {"ea0003027670", IPT_PROXY_OK},
        {"ee00050101000000", IPT_PROXY_OK},
        {"ee000101", IPT_PROXY_AZURE},
        {"ee000401010000", IPT_PROXY_AZURE},
        {"ee0006010100000000", IPT_PROXY_AZURE},
        {"ee0003020000", IPT_PROXY_OK}, /* an unknown one */
        {"ee0003000000", IPT_PROXY_OK},
    };
    static const struct {
        unsigned byte;
        const char *block;
    } families[] = {{0x11, V4_BLOCK}, {0x12, V4_BLOCK}, {0x21, V6_BLOCK}, {0x00, ""}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++)
        for (size_t f = 0; f < IPT_COUNT(families); f++)
            for (unsigned command = 0; command <= 1; command++) {
                const bytes b = header(0x20 | command, families[f].byte, families[f].block, rows[i].tlvs);
                const ipt_proxy_result result = parse_bytes(&b);
                if (result != rows[i].result)
                    fail_msg("row %zu, family %02x: %s: %s", i, families[f].byte, rows[i].tlvs,
                             ipt_proxy_result_text(result));
            }
    const bytes unlisted = header(0x20, 0x41, V4_BLOCK, "01ffff00"); /* LOCAL: nobody knows where TLVs begin */
    assert_int_equal(parse_bytes(&unlisted), IPT_PROXY_OK);
}

static void a_unique_id_has_at_most_128_bytes(void **state)
{
    (void)state;
    for (unsigned n = 126; n <= 131; n++) {
        bytes b = header(0x21, 0x11, V4_BLOCK, "0500");
        put_byte(&b, n);
        for (unsigned i = 0; i < n; i++)
            put_byte(&b, 'u');
        set_length(&b);
        assert_int_equal(parse_bytes(&b), n <= 128 ? IPT_PROXY_OK : IPT_PROXY_UNIQUE_ID);
    }
}

/* The checksum of a header whose TLV of type 3 has its value at `at`. */
static void seal(bytes *b, size_t at)
{
    memset(b->p + at, 0, 4);
    const uint32_t crc = slow_crc32c(b->p, b->n);
    for (size_t i = 0; i < 4; i++)
        b->p[at + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void a_checksum_covers_every_byte_of_the_header(void **state)
{
    (void)state;
    for (unsigned command = 0; command <= 1; command++) {
        bytes b = header(0x20 | command, 0x11, V4_BLOCK, "01000268320300040000000002000161");
        seal(&b, 36);
        ipt_proxy proxy;
        assert_int_equal(parse(b.p, b.n, &proxy), IPT_PROXY_OK);
        assert_true(proxy.has_crc32c);
        assert_int_equal(proxy.crc32c,
                         (uint32_t)b.p[36] << 24 | (uint32_t)b.p[37] << 16 | (uint32_t)b.p[38] << 8 | b.p[39]);
        for (size_t i = 16; i < b.n; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                b.p[i] ^= (uint8_t)(1U << bit);
                if (parse_bytes(&b) == IPT_PROXY_OK &&
                    i != 33) /* not what turns the TLV of the checksum into another */
                    fail_msg("command %u: bit %u of byte %zu flipped unseen", command, bit, i);
                b.p[i] ^= (uint8_t)(1U << bit);
            }
    }
}

static void a_second_checksum_is_refused(void **state)
{
    (void)state;
    /* Each of the two is right over the header in which it alone is zero. */
    const bytes b = header(0x21, 0x11, V4_BLOCK, "0300041560809c030004f463f7a4");
    const ipt_span whole = {(const char *)b.p, b.n};
    assert_int_equal(ipt_crc32c(whole, 31), 0x1560809c);
    assert_int_equal(ipt_crc32c(whole, 38), 0xf463f7a4);
    assert_int_equal(parse_bytes(&b), IPT_PROXY_CRC32C);
}

static void a_checksum_has_four_bytes(void **state)
{
    (void)state;
    bytes b = header(0x21, 0x11, V4_BLOCK, "0300050000000000");
    seal(&b, 31);
    assert_int_equal(parse_bytes(&b), IPT_PROXY_CRC32C);
}

static void the_checksum_is_crc32c(void **state)
{
    static const uint8_t ascending[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                          16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    static const uint8_t zeros[32] = {0};
    (void)state;
    /* RFC 3720, B.4 gives these sums with their bytes in wire order. */
    assert_int_equal(ipt_crc32c((ipt_span){(const char *)zeros, 32}, SIZE_MAX), 0x8a9136aa);
    assert_int_equal(ipt_crc32c((ipt_span){(const char *)ascending, 32}, SIZE_MAX), 0x46dd794e);
    assert_int_equal(ipt_crc32c(IPT_SPAN("123456789"), SIZE_MAX), 0xe3069283);
    assert_int_equal(ipt_crc32c((ipt_span){0}, 0), 0);
    assert_int_equal(ipt_crc32c(IPT_SPAN("12345"), 3), ipt_crc32c(IPT_SPAN("123\0\0"), SIZE_MAX));
    assert_int_equal(ipt_crc32c(IPT_SPAN("123456"), 1), ipt_crc32c(IPT_SPAN("1\0\0\0\0"
                                                                            "6"),
                                                                   6));
}

static void the_first_of_each_tlv_is_kept(void **state)
{
    (void)state;
    const bytes b = header(0x21, 0x21, V6_BLOCK,
                           "0100026832"
                           "010000" /* ALPN h2 */
                           "02000161"
                           "02000162" /* AUTHORITY a */
                           "05000169"
                           "300002"
                           "6e73" /* UNIQUE_ID i, NETNS ns */
                           "20002a"
                           "0300000007"
                           "210007544c53"
                           "76312e33"
                           "22000263"
                           "6e"
                           "23000163"
                           "24000173"
                           "2500016b"
                           "27000463657274"
                           "220000"
                           "200005"
                           "0000000000" /* a second SSL */
                           "ea0003"
                           "027670"
                           "ea0005"
                           "0176706365" /* VPC endpoint vpce */
                           "e00008"
                           "0102030405060708"
                           "e00008"
                           "0000000000000000"
                           "ee0003"
                           "020000"
                           "ee0005"
                           "0104030201"
                           "ee0005"
                           "0100000000");
    const ipt_span copy = exact_n(b.p, b.n);
    ipt_proxy proxy;
    assert_int_equal(ipt_proxy_parse(copy, &proxy), IPT_PROXY_OK);
    assert_true(ipt_span_equal(proxy.alpn, IPT_SPAN("h2")));
    assert_true(ipt_span_equal(proxy.authority, IPT_SPAN("a")));
    assert_true(ipt_span_equal(proxy.unique_id, IPT_SPAN("i")));
    assert_true(ipt_span_equal(proxy.netns, IPT_SPAN("ns")));
    assert_true(ipt_span_equal(proxy.aws_vpce_id, IPT_SPAN("vpce")));
    assert_true(proxy.has_gcp_psc && proxy.gcp_psc_id == UINT64_C(0x0102030405060708));
    assert_true(proxy.has_azure_link && proxy.azure_link_id == 0x01020304);
    assert_true(proxy.ssl.present);
    assert_int_equal(proxy.ssl.client, 3);
    assert_int_equal(proxy.ssl.verify, 7);
    assert_true(ipt_span_equal(proxy.ssl.version, IPT_SPAN("TLSv1.3")));
    assert_true(ipt_span_equal(proxy.ssl.cn, IPT_SPAN("cn")));
    assert_true(ipt_span_equal(proxy.ssl.cipher, IPT_SPAN("c")));
    assert_true(ipt_span_equal(proxy.ssl.sig_alg, IPT_SPAN("s")));
    assert_true(ipt_span_equal(proxy.ssl.key_alg, IPT_SPAN("k")));
    assert_false(proxy.has_crc32c);

    ipt_span rest = proxy.tlvs;
    ipt_proxy_tlv tlv;
    size_t count = 0, size = 0;
    while (ipt_proxy_tlv_next(&rest, &tlv)) {
        count++;
        size += 3 + tlv.value.n;
    }
    assert_int_equal(count, 15);
    assert_int_equal(size, proxy.tlvs.n);
    assert_int_equal(rest.n, 0);
    free((void *)(uintptr_t)copy.p);
}

static void an_absent_tlv_has_no_span_and_an_empty_one_has(void **state)
{
    (void)state;
    const bytes absent = header(0x21, 0x11, V4_BLOCK, "");
    const bytes empty = header(0x21, 0x11, V4_BLOCK, "050000");
    ipt_proxy proxy;
    assert_int_equal(parse(absent.p, absent.n, &proxy), IPT_PROXY_OK);
    assert_true(proxy.unique_id.p == NULL && proxy.alpn.p == NULL && !proxy.ssl.present && !proxy.has_gcp_psc);
    assert_int_equal(parse(empty.p, empty.n, &proxy), IPT_PROXY_OK);
    assert_true(proxy.unique_id.p != NULL && proxy.unique_id.n == 0);
}

static void the_longest_header_is_read(void **state)
{
    (void)state;
    const size_t n = 16 + 65535;
    uint8_t *p = calloc(1, n);
    assert_non_null(p);
    const bytes start = header(0x21, 0x11, V4_BLOCK, "");
    memcpy(p, start.p, start.n);
    p[14] = p[15] = 0xff;
    p[28] = 0x04;
    p[29] = (uint8_t)((65535 - 12 - 3) >> 8);
    p[30] = (uint8_t)(65535 - 12 - 3);
    assert_int_equal(parse(p, n, NULL), IPT_PROXY_OK);
    free(p);
}

static void every_refusal_has_words(void **state)
{
    (void)state;
    for (ipt_proxy_result a = IPT_PROXY_EMPTY; a <= IPT_PROXY_V1_PORT; a++)
        for (ipt_proxy_result b = IPT_PROXY_EMPTY; b < a; b++)
            assert_string_not_equal(ipt_proxy_result_text(a), ipt_proxy_result_text(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_1_line_is_canonical_or_refused),
        cmocka_unit_test(version_1_says_who_connected),
        cmocka_unit_test(version_2_says_who_connected),
        cmocka_unit_test(a_unix_path_ends_at_its_first_nul),
        cmocka_unit_test(a_version_2_header_is_exact_or_refused),
        cmocka_unit_test(every_length_by_every_family_is_read_as_specified),
        cmocka_unit_test(each_tlv_holds_what_it_may),
        cmocka_unit_test(a_unique_id_has_at_most_128_bytes),
        cmocka_unit_test(a_checksum_covers_every_byte_of_the_header),
        cmocka_unit_test(a_second_checksum_is_refused),
        cmocka_unit_test(a_checksum_has_four_bytes),
        cmocka_unit_test(the_checksum_is_crc32c),
        cmocka_unit_test(the_first_of_each_tlv_is_kept),
        cmocka_unit_test(an_absent_tlv_has_no_span_and_an_empty_one_has),
        cmocka_unit_test(the_longest_header_is_read),
        cmocka_unit_test(every_refusal_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
