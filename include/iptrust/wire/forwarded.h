/* One element of an RFC 7239 Forwarded header: full grammar of section 4, strict. */
#ifndef IPTRUST_WIRE_FORWARDED_H
#define IPTRUST_WIRE_FORWARDED_H

#include "iptrust/wire/entry.h"

/* Parameters that an element may have; one with more is taken for broken. Proxies write four, and looking for one that
 * stands twice must not cost the square of what a client sends. */
#define IPT_FORWARDED_PAIRS 64

/* Judges one element as split by ipt_list_line. Empty after trimming: EMPTY. Grammar broken or a parameter repeated:
 * MALFORMED with empty text. No `for`: OBFUSCATED with empty text. Otherwise the node of section 6: IPv6 only bracketed
 * and quoted, `unknown`, `_obfuscated`; an obfuscated port (`:_p`) leaves the address valid and the port absent; a node
 * that is none of these is MALFORMED with its text. *repeated (may be NULL): a parameter stands twice. */
ipt_entry ipt_forwarded_parse(ipt_span element, bool *repeated);

/* Parameters of an element whose grammar holds, in order; names compare case-insensitively. */
typedef struct ipt_forwarded_pair {
    ipt_span name;
    ipt_span value;
    bool quoted; /* value is the inside of a quoted-string: backslashes still escape */
} ipt_forwarded_pair;

/* *rest starts as the element and shrinks. False at the end and at the first thing that breaks the grammar; then
 * *broken tells which. `name=value *( ";" name=value )`; an empty pair (";;", or at an end) is allowed by section 4. */
IPT_MUST_USE bool ipt_forwarded_next(ipt_span *rest, ipt_forwarded_pair *out, bool *broken);

/* Whether parameter `name` stands exactly once in a well-formed element and its unescaped value equals secret, compared
 * in constant time. */
typedef enum ipt_param_result {
    IPT_PARAM_ABSENT = 0,
    IPT_PARAM_WRONG,
    IPT_PARAM_REPEATED,
    IPT_PARAM_RIGHT
} ipt_param_result;
ipt_param_result ipt_forwarded_param_check(ipt_span element, ipt_span name, ipt_span secret);

/* Copies text without the backslashes of quoted-pairs; out has room for text.n bytes. Returns the length. */
size_t ipt_unescape(ipt_span text, char *out);

#endif
