/* Base64 as RFC 4648 section 4 has it, in its canonical form alone. */
#ifndef IPT_BASE64_PRIV_H
#define IPT_BASE64_PRIV_H

#include "iptrust/base/span.h"

/* Bytes that text of that length decodes to, at most. */
static inline size_t ipt_base64_room(size_t n)
{
    return n / 4 * 3;
}

/* out has ipt_base64_room(text.n) bytes; *n is set when true. False for line breaks, the URL alphabet, missing padding
 * and pad bits that are not zero (sections 3.2 to 3.5): one byte string has one spelling. */
IPT_MUST_USE bool ipt_base64_decode(ipt_span text, char *out, size_t *n);

#endif
