/* Reads a PROXY header and asks that it is exact: nothing shorter, nothing longer, and nothing outside the input. */
#include "iptrust/wire/proxy.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void lies_inside(ipt_span inner, ipt_span outer)
{
    must(inner.p == NULL || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n));
}

static void check_spans(const ipt_proxy *proxy, ipt_span bytes)
{
    const ipt_span spans[] = {
        proxy->source_path, proxy->destination_path, proxy->alpn,        proxy->authority, proxy->unique_id,
        proxy->netns,       proxy->aws_vpce_id,      proxy->ssl.version, proxy->ssl.cn,    proxy->ssl.cipher,
        proxy->ssl.sig_alg, proxy->ssl.key_alg,      proxy->tlvs};
    for (size_t i = 0; i < IPT_COUNT(spans); i++)
        lies_inside(spans[i], bytes);
    must(proxy->unique_id.n <= 128 && proxy->source_path.n <= 108 && proxy->destination_path.n <= 108);
}

static void check_tlvs(const ipt_proxy *proxy, ipt_span bytes)
{
    ipt_span rest = proxy->tlvs;
    ipt_proxy_tlv tlv;
    size_t total = 0, sums = 0;
    while (ipt_proxy_tlv_next(&rest, &tlv)) {
        lies_inside(tlv.value, bytes);
        total += 3 + tlv.value.n;
        if (tlv.type == 0x03) {
            sums++;
            must(tlv.value.n == 4 && ipt_crc32c(bytes, (size_t)(tlv.value.p - bytes.p)) == proxy->crc32c);
        }
    }
    must(rest.n == 0 && total == proxy->tlvs.n && sums == (proxy->has_crc32c ? 1 : 0));
}

/* The same endpoints as a line of version 1 read the same. */
static void check_line(const ipt_proxy *proxy)
{
    char source[IPT_ADDR_TEXT], destination[IPT_ADDR_TEXT], line[128];
    if (proxy->family != IPT_PROXY_INET && proxy->family != IPT_PROXY_INET6)
        return;
    ipt_addr_format(proxy->source, source);
    ipt_addr_format(proxy->destination, destination);
    const bool v6 = strchr(source, ':') != NULL;
    if (v6 != (strchr(destination, ':') != NULL))
        return; /* one of them is mapped and prints as IPv4 */
    const int n = snprintf(line, sizeof(line), "PROXY %s %s %s %u %u\r\n", v6 ? "TCP6" : "TCP4", source, destination,
                           proxy->source_port, proxy->destination_port);
    ipt_proxy again;
    must(ipt_proxy_parse((ipt_span){line, (size_t)n}, &again) == IPT_PROXY_OK);
    must(ipt_addr_equal(again.source, proxy->source) && ipt_addr_equal(again.destination, proxy->destination));
    must(again.source_port == proxy->source_port && again.destination_port == proxy->destination_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ipt_span bytes = {(const char *)data, size};
    ipt_proxy proxy = {.version = 77};
    const ipt_proxy_result result = ipt_proxy_parse(bytes, &proxy);
    must((result == IPT_PROXY_EMPTY) == (size == 0));
    if (result != IPT_PROXY_OK) {
        must(proxy.version == 77);
        return 0;
    }
    must(proxy.version == 1 || proxy.version == 2);
    check_spans(&proxy, bytes);
    check_tlvs(&proxy, bytes);
    if (proxy.command == IPT_PROXY_CMD_PROXY)
        check_line(&proxy);
    else
        must(proxy.family == IPT_PROXY_UNSPEC);

    ipt_proxy other;
    must(ipt_proxy_parse((ipt_span){bytes.p, size - 1}, &other) != IPT_PROXY_OK);
    char *longer = malloc(size + 1);
    must(longer != NULL);
    memcpy(longer, data, size);
    longer[size] = '\n';
    must(ipt_proxy_parse((ipt_span){longer, size + 1}, &other) == IPT_PROXY_TRAILING);
    free(longer);
    return 0;
}
