/* Bundles: one way to write each, nothing taken that was not signed, keys as others write them, records that do not
 * lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exact.h"
#include "failalloc.h"
#include "iptrust/central/bundle.h"

#define HEAD     "iptrust-central: 1\nserial: 7\n"
#define DOCUMENT "lists: {a: {prefixes: [192.0.2.1]}}\n"

static ipt_signing_key key_of(uint8_t byte)
{
    uint8_t seed[32];
    ipt_signing_key key;
    memset(seed, byte, sizeof(seed));
    ipt_signing_key_from_seed(seed, &key);
    return key;
}

static ipt_span copy_of(const ipt_buf *buf)
{
    assert_false(buf->failed);
    return exact_n(buf->p, buf->n);
}

static ipt_span signed_text(const ipt_signing_key *key, uint64_t serial, int64_t expires)
{
    ipt_auto(ipt_buf) out = {0};
    const ipt_bundle bundle = {
        .serial = serial, .has_expires = expires != 0, .expires = expires, .document = IPT_SPAN(DOCUMENT)};
    ipt_bundle_write(&out, &bundle, key);
    return copy_of(&out);
}

static void release(ipt_span text)
{
    free((void *)(uintptr_t)text.p);
}

static void what_is_written_is_read(void **state)
{
    const ipt_signing_key key = key_of(1), other = key_of(2);
    const ipt_public_key keys[] = {other.public_key, key.public_key};
    static const struct {
        uint64_t serial;
        int64_t expires;
        bool is_signed;
    } rows[] = {{1, 0, true}, {UINT64_MAX, 1800000000, true}, {7, 0, false}, {7, 1, false}};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_bundle b = {0};
        const char *why = NULL;
        ipt_span text = signed_text(rows[i].is_signed ? &key : NULL, rows[i].serial, rows[i].expires);
        assert_int_equal(ipt_bundle_parse(text, &b, &why), IPT_BUNDLE_OK);
        assert_true(b.serial == rows[i].serial);
        assert_int_equal(b.has_expires, rows[i].expires != 0);
        assert_true(b.expires == rows[i].expires);
        assert_int_equal(b.is_signed, rows[i].is_signed);
        assert_true(ipt_span_equal(b.document, IPT_SPAN(DOCUMENT)));
        assert_int_equal(ipt_bundle_verify(&b, keys, 2), rows[i].is_signed);
        assert_false(ipt_bundle_verify(&b, keys, 1));
        assert_false(ipt_bundle_verify(&b, keys, 0));
        release(text);
    }
}

static void what_is_no_bundle_is_told(void **state)
{
    static const struct {
        const char *text;
        ipt_bundle_result result;
        const char *why;
    } rows[] = {
        {HEAD "\n" DOCUMENT, IPT_BUNDLE_OK, NULL},
        {HEAD "expires: 2026-12-01T00:00:00Z\n\n" DOCUMENT, IPT_BUNDLE_OK, NULL},
        {"", IPT_BUNDLE_EMPTY, "it is empty"},
        {" \r\n\t\n", IPT_BUNDLE_EMPTY, "it is empty"},
        {HEAD "\n", IPT_BUNDLE_EMPTY, "there is no document below its head"},
        {HEAD "\n \n", IPT_BUNDLE_EMPTY, "there is no document below its head"},
        {DOCUMENT, IPT_BUNDLE_MALFORMED, "it does not begin with the lines of a bundle (iptrust bundle sign)"},
        {"iptrust-central: 2\nserial: 7\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "its format is of another version of this program"},
        {"iptrust-central: 1\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED, "expected the line `serial: N` with a number from 1"},
        {"iptrust-central: 1\nserial: 0\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected the line `serial: N` with a number from 1"},
        {"iptrust-central: 1\nserial: 07\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected the line `serial: N` with a number from 1"},
        {"iptrust-central: 1\nserial: 18446744073709551616\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected the line `serial: N` with a number from 1"},
        {"iptrust-central: 1\nserial: -1\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected the line `serial: N` with a number from 1"},
        {HEAD "expires: 2026-02-30T00:00:00Z\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected `expires: ` with a time such as 2026-11-22T10:00:00Z"},
        {HEAD "expires: 2026-12-01 00:00:00Z\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected `expires: ` with a time such as 2026-11-22T10:00:00Z"},
        {HEAD "expires: 1969-12-31T23:59:59Z\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected `expires: ` with a time such as 2026-11-22T10:00:00Z"},
        {HEAD "Expires: 2026-12-01T00:00:00Z\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "expected an empty line between head and document"},
        {HEAD "serial: 8\n\n" DOCUMENT, IPT_BUNDLE_MALFORMED, "expected an empty line between head and document"},
        {"iptrust-central: 1\r\nserial: 7\r\n\r\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "its format is of another version of this program"},
        {"signature: AAAA\n" HEAD "\n" DOCUMENT, IPT_BUNDLE_MALFORMED, "the signature is not base64 of 64 bytes"},
        {"signature: \n" HEAD "\n" DOCUMENT, IPT_BUNDLE_MALFORMED,
         "it does not begin with the lines of a bundle (iptrust bundle sign)"},
    };
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        ipt_bundle b = {.serial = 99};
        const char *why = NULL;
        ipt_span text = exact(rows[i].text);
        assert_int_equal(ipt_bundle_parse(text, &b, &why), rows[i].result);
        if (rows[i].why != NULL) {
            assert_string_equal(why, rows[i].why);
            assert_true(b.serial == 99);
        }
        release(text);
    }
}

static void one_mebibyte_is_the_most(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        ipt_auto(ipt_buf) text = {0};
        ipt_bundle b;
        const char *why = NULL;
        ipt_buf_adds(&text, HEAD "\n" DOCUMENT);
        while (text.n < IPT_BUNDLE_MAX + more)
            ipt_buf_addc(&text, '#');
        assert_int_equal(ipt_bundle_parse(ipt_buf_span(&text), &b, &why),
                         more == 0 ? IPT_BUNDLE_OK : IPT_BUNDLE_TOO_LARGE);
    }
}

static void any_bit_of_a_signed_bundle_matters(void **state)
{
    const ipt_signing_key key = key_of(1);
    ipt_span text = signed_text(&key, 7, 1800000000);
    char *bytes = (char *)(uintptr_t)text.p;
    (void)state;
    for (size_t i = 0; i < text.n * 8; i++) {
        ipt_bundle b;
        const char *why = NULL;
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        if (ipt_bundle_parse(text, &b, &why) == IPT_BUNDLE_OK)
            assert_false(ipt_bundle_verify(&b, &key.public_key, 1));
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
    }
    release(text);
}

/* Made with: openssl genpkey -algorithm ed25519; openssl pkey -pubout; openssl pkeyutl -sign -rawin. */
static const char
    openssl_key[] = "-----BEGIN PRIVATE KEY-----\n"
                    "MC4CAQAwBQYDK2VwBCIEILNuH8P6qetGEtwwRw1V1J+Q72LAczFXJoMg7puanCeX\n"
                    "-----END PRIVATE KEY-----\n",
    openssl_public[] = "MCowBQYDK2VwAyEAgouWFivYoJX1Qtu2dBdiSzqWW6s+AmIXj+wGLonFCTw=",
    openssl_raw[] = "gouWFivYoJX1Qtu2dBdiSzqWW6s+AmIXj+wGLonFCTw=",
    openssl_bundle[] =
        "signature: 4eODpEjVJg52BrVGb4zZc4H5EzAT/CvFr/JRaZmgB8MZCo3yTPI1c6X9ujuuHnGVt5KXeDNCShRbKtUOonBjBg==\n" HEAD
        "\n" DOCUMENT;

static void keys_and_signatures_are_those_of_openssl(void **state)
{
    ipt_auto(ipt_buf) pem = {0};
    ipt_signing_key key;
    ipt_public_key read;
    ipt_bundle b;
    char text[IPT_PUBLIC_KEY_TEXT];
    const char *why = NULL;
    (void)state;
    assert_true(ipt_signing_key_parse(ipt_span_from(openssl_key), &key));
    ipt_public_key_format(&key.public_key, text);
    assert_string_equal(text, openssl_public);
    assert_true(ipt_public_key_parse(ipt_span_from(openssl_public), &read));
    assert_memory_equal(read.bytes, key.public_key.bytes, sizeof(read.bytes));
    assert_true(ipt_public_key_parse(ipt_span_from(openssl_raw), &read));
    assert_memory_equal(read.bytes, key.public_key.bytes, sizeof(read.bytes));
    ipt_signing_key_format(&pem, &key);
    assert_true(ipt_span_equal(ipt_buf_span(&pem), ipt_span_from(openssl_key)));
    assert_int_equal(ipt_bundle_parse(ipt_span_from(openssl_bundle), &b, &why), IPT_BUNDLE_OK);
    assert_true(ipt_bundle_verify(&b, &key.public_key, 1));
}

static void what_is_no_key_is_not_taken(void **state)
{
    static const char *const publics[] = {"",
                                          "x",
                                          "AAAA",
                                          "MCowBQYDK2VwAyEA",
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-A=",
                                          "MCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    static const char *const seeds[] = {"", "-----BEGIN PRIVATE KEY-----\n",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                                        "-----BEGIN EC PRIVATE KEY-----\n"};
    (void)state;
    for (size_t i = 0; i < IPT_COUNT(publics); i++) {
        ipt_public_key key;
        ipt_span text = exact(publics[i]);
        assert_false(ipt_public_key_parse(text, &key));
        release(text);
    }
    for (size_t i = 0; i < IPT_COUNT(seeds); i++) {
        ipt_signing_key key;
        ipt_span text = exact(seeds[i]);
        assert_false(ipt_signing_key_parse(text, &key));
        release(text);
    }
}

static void a_record_comes_back_or_not_at_all(void **state)
{
    const ipt_central_record record = {.floor = 42, .taken = 1700000000, .bundle = IPT_SPAN(HEAD "\n" DOCUMENT)};
    ipt_central_record back;
    ipt_auto(ipt_buf) out = {0};
    (void)state;
    ipt_central_record_encode(&out, &record);
    ipt_span bytes = copy_of(&out);
    assert_true(ipt_central_record_decode(bytes, &back));
    assert_true(back.floor == 42 && back.taken == 1700000000 && ipt_span_equal(back.bundle, record.bundle));
    char *p = (char *)(uintptr_t)bytes.p;
    for (size_t i = 0; i < bytes.n; i++) {
        assert_false(ipt_central_record_decode((ipt_span){bytes.p, i}, &back));
        p[i] = (char)(p[i] ^ 1);
        assert_false(ipt_central_record_decode(bytes, &back));
        p[i] = (char)(p[i] ^ 1);
    }
    release(bytes);
}

static void without_memory_nothing_is_half_written(void **state)
{
    const ipt_signing_key key = key_of(1);
    (void)state;
    for (size_t n = 1;; n++) {
        ipt_auto(ipt_buf) out = {0};
        const ipt_bundle bundle = {.serial = 7, .document = IPT_SPAN(DOCUMENT)};
        const ipt_central_record record = {.floor = 7, .bundle = IPT_SPAN(DOCUMENT)};
        failalloc_at(n);
        ipt_bundle_write(&out, &bundle, &key);
        ipt_central_record_encode(&out, &record);
        ipt_signing_key_format(&out, &key);
        bool failed = failalloc_happened();
        failalloc_at(0);
        assert_int_equal(out.failed, failed);
        if (!failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_no_bundle_is_told),
        cmocka_unit_test(one_mebibyte_is_the_most),
        cmocka_unit_test(any_bit_of_a_signed_bundle_matters),
        cmocka_unit_test(keys_and_signatures_are_those_of_openssl),
        cmocka_unit_test(what_is_no_key_is_not_taken),
        cmocka_unit_test(a_record_comes_back_or_not_at_all),
        cmocka_unit_test(without_memory_nothing_is_half_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
