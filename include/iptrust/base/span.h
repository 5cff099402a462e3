/* Borrowed bytes: never NUL-terminated, never kept beyond the call unless a header says so. */
#ifndef IPTRUST_BASE_SPAN_H
#define IPTRUST_BASE_SPAN_H

#include <string.h>

#include "iptrust/base/common.h"

typedef struct ipt_span {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* bytes */
} ipt_span;

#define IPT_SPAN(literal) ((ipt_span){(literal), sizeof(literal) - 1})

static inline ipt_span ipt_span_from(const char *text)
{
    return (ipt_span){text, text == NULL ? 0 : strlen(text)};
}

static inline bool ipt_span_equal(ipt_span a, ipt_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII only, whatever the locale: header names and keywords (RFC 9110, 5.1). */
static inline char ipt_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool ipt_span_equal_nocase(ipt_span a, ipt_span b);
bool ipt_span_equal_lower(ipt_span lower, ipt_span text); /* the same, when `lower` has no upper case */
int ipt_span_compare_nocase(ipt_span a, ipt_span b);      /* <0, 0, >0, by lower-cased bytes, shorter first */

/* Optional white space around a list element, SP and HTAB (RFC 9110, 5.6.3). */
ipt_span ipt_span_trim(ipt_span s);

/* Equal in a time that depends on the lengths alone: for secrets. */
bool ipt_span_equal_secret(ipt_span a, ipt_span b);

/* Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629, 3). */
bool ipt_span_is_utf8(ipt_span s);

/* Nothing but the characters from space to tilde: a quick answer for what nearly always is. */
bool ipt_span_is_printable(ipt_span s);

/* An RFC 9110 token, 5.6.2: the characters of a header name. */
bool ipt_is_tchar(char c);
bool ipt_span_is_token(ipt_span s);

#endif
