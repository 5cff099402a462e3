/* Addresses and endpoints: what is accepted survives being printed and read again, and inet_pton reads the same. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "iptrust/net/prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_round_trip(ipt_addr addr)
{
    char text[IPT_ADDR_TEXT];
    ipt_addr again;
    size_t n = ipt_addr_format(addr, text);
    require(n < sizeof(text) && text[n] == '\0' && strlen(text) == n);
    require(ipt_addr_parse((ipt_span){text, n}, &again, NULL) && ipt_addr_equal(addr, again));
    (void)ipt_class_name(ipt_addr_class(addr));
}

/* inet_pton reads up to a NUL and knows no zone; within that both mean the same. */
static void check_against_libc(ipt_span text, bool accepted, ipt_addr addr)
{
    char copy[64];
    uint8_t bytes[16];
    if (text.n >= sizeof(copy) || (text.n != 0 && memchr(text.p, '\0', text.n) != NULL))
        return;
    if (text.n != 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        require(accepted && ipt_addr_equal(addr, ipt_addr_from_bytes4(bytes)));
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        require(accepted && ipt_addr_equal(addr, ipt_addr_from_bytes16(bytes)));
    else
        require(!accepted);
}

/* An endpoint is an address with at most brackets and a port around it. */
static void check_endpoint(ipt_span text, bool is_addr, ipt_addr addr, bool mapped)
{
    ipt_endpoint point = {.addr = {1, 2}, .port = 3};
    if (!ipt_endpoint_parse(text, &point)) {
        require(!is_addr && point.addr.hi == 1 && point.addr.lo == 2 && point.port == 3);
        return;
    }
    check_round_trip(point.addr);
    require(!point.has_port || point.port != 0);
    if (is_addr) {
        require(!point.has_port && ipt_addr_equal(point.addr, addr) && point.mapped == mapped);
        return;
    }
    bool bracketed = text.p[0] == '[';
    require(bracketed || (point.has_port && ipt_addr_is_v4(point.addr) && !point.mapped));
    require(!bracketed || point.mapped == ipt_addr_is_v4(point.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ipt_span text = {(const char *)data, size};
    ipt_addr addr = {7, 9}, v4;
    bool mapped = false;
    bool accepted = ipt_addr_parse(text, &addr, &mapped);
    require(accepted || (addr.hi == 7 && addr.lo == 9));
    check_against_libc(text, accepted, addr);
    check_endpoint(text, accepted, addr, mapped);
    if (accepted) {
        check_round_trip(addr);
        if (ipt_addr_embedded(addr, NULL, 0, &v4) != IPT_EMBEDS_NONE)
            require(ipt_addr_is_v4(v4) && !ipt_addr_is_v4(addr));
    }
    return 0;
}
