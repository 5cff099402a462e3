/* Prefixes: whatever the outcome, what is given out is masked, holds its own address and survives being printed. */
#include <stdlib.h>

#include "iptrust/net/prefix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_value(ipt_prefix prefix)
{
    char text[IPT_PREFIX_TEXT];
    ipt_prefix again;
    size_t n = ipt_prefix_format(prefix, text);
    require(n < sizeof(text) && text[n] == '\0' && strlen(text) == n);
    require(ipt_prefix_parse((ipt_span){text, n}, &again) == IPT_PREFIX_OK && ipt_prefix_equal(prefix, again));
    require(ipt_prefix_equal(ipt_prefix_of(prefix.addr, prefix.len), prefix));
    require(ipt_prefix_holds(prefix, prefix.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ipt_span text = {(const char *)data, size};
    const char *slash = size == 0 ? NULL : memchr(text.p, '/', size);
    ipt_addr addr;
    bool is_addr = ipt_addr_parse((ipt_span){text.p, slash == NULL ? size : (size_t)(slash - text.p)}, &addr, NULL);
    ipt_prefix prefix = {{7, 9}, 11};
    switch (ipt_prefix_parse(text, &prefix)) {
    case IPT_PREFIX_OK:
        require(is_addr && slash != NULL && ipt_addr_equal(prefix.addr, addr));
        check_value(prefix);
        break;
    case IPT_PREFIX_BARE:
        require(is_addr && slash == NULL && prefix.len == 128 && ipt_addr_equal(prefix.addr, addr));
        check_value(prefix);
        break;
    case IPT_PREFIX_HOST_BITS:
        require(is_addr && slash != NULL && !ipt_addr_equal(prefix.addr, addr));
        check_value(prefix);
        break;
    case IPT_PREFIX_WIDE_MAPPED:
        require(is_addr && slash != NULL && ipt_addr_is_v4(addr));
        require(prefix.addr.hi == 7 && prefix.addr.lo == 9 && prefix.len == 11);
        break;
    case IPT_PREFIX_BAD_LENGTH:
        require(is_addr && slash != NULL && prefix.addr.hi == 7 && prefix.addr.lo == 9 && prefix.len == 11);
        break;
    case IPT_PREFIX_INVALID:
        require(!is_addr && prefix.addr.hi == 7 && prefix.addr.lo == 9 && prefix.len == 11);
        break;
    }
    return 0;
}
