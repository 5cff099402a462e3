/* What the parsers of this module share: the non-addresses of RFC 7239, section 6. */
#ifndef IPTRUST_WIRE_PRIV_H
#define IPTRUST_WIRE_PRIV_H

#include "iptrust/base/span.h"

/* obfnode and obfport after their underscore: ALPHA / DIGIT / "." / "_" / "-" (RFC 7239, 6.3). */
static inline bool ipt_is_obf_char(char c)
{
    const char l = ipt_lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* RFC 7239, 6.2; ABNF strings match in any case (RFC 5234, 2.3). */
static inline bool ipt_is_unknown(ipt_span text)
{
    return ipt_span_equal_nocase(text, IPT_SPAN("unknown"));
}

#endif
