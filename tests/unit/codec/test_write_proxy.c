/* PROXY headers as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failalloc.h"
#include "iptrust/codec/json.h"
#include "json_put_priv.h"

static void expect(const ipt_proxy *proxy, const char *json)
{
    ipt_buf out = {0};
    ipt_json_write_proxy(&out, proxy);
    assert_false(out.failed);
    ipt_buf_addc(&out, '\0');
    assert_string_equal(out.p, json);
    ipt_buf_done(&out);
}

static ipt_addr address(const char *text)
{
    ipt_addr addr;
    if (!ipt_addr_parse(ipt_span_from(text), &addr, NULL))
        abort();
    return addr;
}

static void endpoints_are_shown_where_there_are_any(void **state)
{
    (void)state;
    ipt_proxy proxy = {.version = 1,
                       .command = IPT_PROXY_CMD_PROXY,
                       .family = IPT_PROXY_INET,
                       .transport = IPT_PROXY_STREAM,
                       .source = address("8.8.8.8"),
                       .source_port = 0,
                       .destination = address("10.0.0.1"),
                       .destination_port = 443};
    expect(&proxy,
           "{\"version\":1,\"command\":\"proxy\",\"family\":\"inet\",\"transport\":\"stream\",\"source\":\"8.8.8.8\","
           "\"source_port\":0,\"destination\":\"10.0.0.1\",\"destination_port\":443}");
    proxy.version = 2;
    proxy.family = IPT_PROXY_INET6;
    proxy.transport = IPT_PROXY_DGRAM;
    proxy.source = address("2001:db8::1");
    expect(&proxy,
           "{\"version\":2,\"command\":\"proxy\",\"family\":\"inet6\",\"transport\":\"dgram\","
           "\"source\":\"2001:db8::1\",\"source_port\":0,\"destination\":\"10.0.0.1\",\"destination_port\":443}");
    proxy.command = IPT_PROXY_CMD_LOCAL; /* its addresses are nobody's */
    expect(&proxy, "{\"version\":2,\"command\":\"local\",\"family\":\"inet6\",\"transport\":\"dgram\"}");
    proxy.command = IPT_PROXY_CMD_PROXY;
    proxy.family = IPT_PROXY_UNSPEC;
    proxy.transport = IPT_PROXY_NO_TRANSPORT;
    expect(&proxy, "{\"version\":2,\"command\":\"proxy\",\"family\":\"unspec\",\"transport\":null}");
    proxy.family = IPT_PROXY_UNIX;
    proxy.transport = IPT_PROXY_STREAM;
    proxy.source_path = IPT_SPAN("/run/a\xe9");
    proxy.destination_path = IPT_SPAN("");
    expect(&proxy, "{\"version\":2,\"command\":\"proxy\",\"family\":\"unix\",\"transport\":\"stream\","
                   "\"source\":\"/run/a\\\\xe9\",\"destination\":\"\"}");
}

static void tlvs_have_keys_and_unknown_ones_are_kept(void **state)
{
    static const char tlvs[] = "\x01\0\2h2" /* ALPN: shown above */
                               "\x04\0\1\0" /* NOOP */
                               "\xe1\0\2\xab\xcd"
                               "\xea\0\2\2x" /* an AWS TLV of another sub-type */
                               "\xea\0\2\1v"
                               "\xee\0\0" /* an Azure TLV without sub-type */
                               "\xf0\0\0";
    (void)state;
    ipt_proxy proxy = {.version = 2,
                       .alpn = IPT_SPAN("h2"),
                       .authority = IPT_SPAN("example.org"),
                       .has_crc32c = true,
                       .crc32c = 4294967295U,
                       .unique_id = IPT_SPAN("\x01\xff"),
                       .netns = IPT_SPAN("blue"),
                       .has_gcp_psc = true,
                       .gcp_psc_id = UINT64_MAX,
                       .aws_vpce_id = IPT_SPAN("v"),
                       .has_azure_link = true,
                       .azure_link_id = 33554434,
                       .tlvs = {tlvs, sizeof(tlvs) - 1}};
    proxy.ssl = (ipt_proxy_ssl){.present = true,
                                .client = 5,
                                .verify = 7,
                                .version = IPT_SPAN("TLSv1.3"),
                                .cn = IPT_SPAN("a\"b"),
                                .cipher = IPT_SPAN("C"),
                                .sig_alg = IPT_SPAN("S"),
                                .key_alg = IPT_SPAN("K")};
    expect(&proxy,
           "{\"version\":2,\"command\":\"local\",\"family\":\"unspec\",\"transport\":null,\"alpn\":\"h2\","
           "\"authority\":\"example.org\",\"crc32c\":4294967295,\"unique_id\":\"01ff\",\"ssl\":{\"ssl\":true,"
           "\"certificate_in_connection\":false,\"certificate_in_session\":true,\"verify\":7,\"version\":\"TLSv1.3\","
           "\"cn\":\"a\\\"b\",\"cipher\":\"C\",\"sig_alg\":\"S\",\"key_alg\":\"K\"},\"netns\":\"blue\","
           "\"gcp_psc_connection_id\":\"18446744073709551615\",\"aws_vpc_endpoint_id\":\"v\","
           "\"azure_link_id\":33554434,\"tlvs\":[{\"type\":225,\"value\":\"abcd\"},{\"type\":234,\"value\":\"0278\"},"
           "{\"type\":238,\"value\":\"\"},{\"type\":240,\"value\":\"\"}]}");
    ipt_proxy bare = {.version = 2, .ssl = {.present = true, .client = 2}};
    expect(&bare,
           "{\"version\":2,\"command\":\"local\",\"family\":\"unspec\",\"transport\":null,\"ssl\":{\"ssl\":false,"
           "\"certificate_in_connection\":true,\"certificate_in_session\":false,\"verify\":0}}");
}

static void a_buffer_without_memory_says_so(void **state)
{
    (void)state;
    ipt_proxy proxy = {.version = 2, .alpn = IPT_SPAN("h2")};
    ipt_buf out = {0};
    failalloc_at(1);
    ipt_json_write_proxy(&out, &proxy);
    failalloc_at(0);
    assert_true(out.failed);
    ipt_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_are_shown_where_there_are_any),
        cmocka_unit_test(tlvs_have_keys_and_unknown_ones_are_kept),
        cmocka_unit_test(a_buffer_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
