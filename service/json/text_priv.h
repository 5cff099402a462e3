/* What can be said of a JSON text at a glance, before a parser spends memory on it, and what yajl does not look for:
 * well-formed UTF-8, surrogates in pairs, white space that RFC 8259 knows. */
#ifndef IPT_TEXT_PRIV_H
#define IPT_TEXT_PRIV_H

#include "iptrust/base/span.h"

typedef struct ipt_json_text {
    bool is_object;        /* the first character is `{` and the last `}`, white space apart */
    bool is_array;         /* the same with `[` and `]` */
    bool is_closed;        /* every string ends */
    bool is_utf8;          /* RFC 3629 */
    bool has_control;      /* a control character that is not the white space of RFC 8259, section 2 */
    bool has_lone;         /* a \u escape of half a surrogate pair */
    size_t lone_at;        /* its place */
    size_t escaped_length; /* bytes of the longest string with escapes, 0 without any */
} ipt_json_text;

ipt_json_text ipt_json_text_look(ipt_span text);

#endif
