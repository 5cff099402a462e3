/* Prefixes: strict text, masks, membership. A prefix that says something nobody meant is told, never mended. */
#include "iptrust/net/prefix.h"

static ipt_addr masked(ipt_addr addr, unsigned len)
{
    uint64_t hi = len == 0 ? 0 : len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
    uint64_t lo = len <= 64 ? 0 : len >= 128 ? UINT64_MAX : ~(UINT64_MAX >> (len - 64));
    return (ipt_addr){addr.hi & hi, addr.lo & lo};
}

ipt_prefix ipt_prefix_of(ipt_addr addr, unsigned len)
{
    unsigned most = len < 128 ? len : 128;
    return (ipt_prefix){masked(addr, most), (uint8_t)most};
}

bool ipt_prefix_holds(ipt_prefix prefix, ipt_addr addr)
{
    /* ::/0 is all of IPv6 and none of IPv4, although IPv4 is held at mapped addresses. */
    if (ipt_addr_is_v4(addr) && !ipt_prefix_is_v4(prefix))
        return false;
    return ipt_addr_equal(masked(addr, prefix.len), prefix.addr);
}

bool ipt_prefix_equal(ipt_prefix a, ipt_prefix b)
{
    return a.len == b.len && ipt_addr_equal(a.addr, b.addr);
}

/* 1 to 3 digits without leading zero, at most max. */
static bool parse_length(ipt_span text, unsigned max, unsigned *out)
{
    uint16_t value;
    if (text.n > 3 || !ipt_port_parse(text, 0, &value) || value > max)
        return false;
    *out = value;
    return true;
}

ipt_prefix_result ipt_prefix_parse(ipt_span text, ipt_prefix *out)
{
    ipt_addr addr;
    bool mapped;
    const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
    size_t n = slash == NULL ? text.n : (size_t)(slash - text.p);
    if (!ipt_addr_parse((ipt_span){text.p, n}, &addr, &mapped))
        return IPT_PREFIX_INVALID;
    if (slash == NULL) {
        *out = (ipt_prefix){addr, 128};
        return IPT_PREFIX_BARE;
    }

    bool quad = ipt_addr_is_v4(addr) && !mapped;
    unsigned len;
    if (!parse_length((ipt_span){slash + 1, text.n - n - 1}, quad ? 32 : 128, &len))
        return IPT_PREFIX_BAD_LENGTH;
    if (quad)
        len += 96;
    else if (mapped && len < 96)
        return IPT_PREFIX_WIDE_MAPPED;

    *out = ipt_prefix_of(addr, len);
    return ipt_addr_equal(out->addr, addr) ? IPT_PREFIX_OK : IPT_PREFIX_HOST_BITS;
}

size_t ipt_prefix_format(ipt_prefix prefix, char out[IPT_PREFIX_TEXT])
{
    size_t n = ipt_addr_format(prefix.addr, out);
    unsigned bits = ipt_prefix_bits(prefix);
    out[n++] = '/';
    if (bits >= 100)
        out[n++] = (char)('0' + bits / 100);
    if (bits >= 10)
        out[n++] = (char)('0' + bits / 10 % 10);
    out[n++] = (char)('0' + bits % 10);
    out[n] = '\0';
    return n;
}

bool ipt_prefix_is_broad(ipt_prefix prefix)
{
    const bool v4 = ipt_prefix_is_v4(prefix);
    const unsigned bits = ipt_prefix_bits(prefix);
    if (bits >= (v4 ? 16 : 48))
        return false;
    const ipt_class class = ipt_addr_class(prefix.addr);
    return class == IPT_CLASS_PRIVATE || class == IPT_CLASS_UNIQUE_LOCAL || bits < (v4 ? 12 : 29);
}
