/* Why a prefix was refused, in words, with the right form wherever the text leaves no doubt about what was meant. */
#include <stdio.h>

#include "iptrust/base/show.h"
#include "iptrust/ranges/text.h"

/* The length of a contiguous dotted mask, or -1: 255.255.0.0 is 16. */
static int mask_length(ipt_span text)
{
    ipt_addr mask;
    if (!ipt_addr_parse(text, &mask, NULL) || !ipt_addr_is_v4(mask))
        return -1;
    uint32_t host = ~ipt_addr_v4(mask);
    if ((host & (host + 1)) != 0)
        return -1;
    return host == 0 ? 32 : __builtin_clz(host);
}

/* The length that someone most likely meant: digits with leading zeros, or an IPv4 mask; -1 when there is no telling.
 */
static int meant_length(ipt_span text, bool v4)
{
    int length = 0;
    if (text.n == 0 || text.n > 16)
        return -1;
    if (v4 && memchr(text.p, '.', text.n) != NULL)
        return mask_length(text);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        length = length * 10 + (text.p[i] - '0');
        if (length > (v4 ? 32 : 128))
            return -1;
    }
    return length;
}

static void complain_length(ipt_span found, char *out, size_t cap)
{
    ipt_shown all;
    const char *slash = memchr(found.p, '/', found.n);
    ipt_span left = {found.p, slash == NULL ? found.n : (size_t)(slash - found.p)};
    ipt_span right = {slash == NULL ? NULL : slash + 1, slash == NULL ? 0 : found.n - left.n - 1};
    ipt_addr addr;
    bool mapped = false;
    bool known = ipt_addr_parse(left, &addr, &mapped);
    bool v4 = known && ipt_addr_is_v4(addr) && !mapped;
    int length = known ? meant_length(right, v4) : -1;
    if (length >= (mapped ? 96 : 0)) {
        char text[IPT_PREFIX_TEXT];
        ipt_prefix_format(ipt_prefix_of(addr, (unsigned)length + (v4 ? 96 : 0)), text);
        snprintf(out, cap, "%s has a bad length, did you mean %s?", ipt_show(found, &all), text);
        return;
    }
    snprintf(out, cap, "%s has a bad length, expected /0 to /%d", ipt_show(found, &all), v4 ? 32 : 128);
}

void ipt_prefix_complain(ipt_span found, ipt_prefix_result reason, char *out, size_t cap)
{
    ipt_shown all;
    char text[IPT_PREFIX_TEXT];
    ipt_prefix masked;
    if (cap == 0)
        return;
    switch (reason) {
    case IPT_PREFIX_OK:
    case IPT_PREFIX_BARE:
        out[0] = '\0';
        return;
    case IPT_PREFIX_INVALID:
        if (found.n == 0)
            snprintf(out, cap, "expected an address or a prefix, found nothing");
        else
            snprintf(out, cap, "\"%s\" is no address or prefix", ipt_show(found, &all));
        return;
    case IPT_PREFIX_BAD_LENGTH:
        complain_length(found, out, cap);
        return;
    case IPT_PREFIX_HOST_BITS:
        if (ipt_prefix_parse(found, &masked) != IPT_PREFIX_HOST_BITS)
            break; /* the reason belongs to another text */
        ipt_prefix_format(masked, text);
        snprintf(out, cap, "%s has host bits set, did you mean %s?", ipt_show(found, &all), text);
        return;
    case IPT_PREFIX_WIDE_MAPPED:
        snprintf(out, cap, "%s is wider than the IPv4 addresses in it, expected an IPv4 prefix, or /96 to /128",
                 ipt_show(found, &all));
        return;
    }
    snprintf(out, cap, "\"%s\" is no address or prefix", ipt_show(found, &all));
}
