/* One element of forwarding evidence, judged as text alone: what it says, not whether anyone believes it. */
#ifndef IPTRUST_WIRE_ENTRY_H
#define IPTRUST_WIRE_ENTRY_H

#include "iptrust/net/addr.h"

/* Zero is the kind that stops every walk. */
typedef enum ipt_entry_kind {
    IPT_ENTRY_MALFORMED = 0,
    IPT_ENTRY_EMPTY,      /* nothing between two separators */
    IPT_ENTRY_OBFUSCATED, /* `unknown`, an RFC 7239 obfnode, or a Forwarded element without `for` */
    IPT_ENTRY_ADDRESS,    /* node is set */
} ipt_entry_kind;

typedef struct ipt_entry {
    ipt_entry_kind kind;
    bool text_quoted;  /* text is the inside of a quoted-string: backslashes still escape (RFC 9110, 5.6.4) */
    ipt_endpoint node; /* zero unless kind is ADDRESS */
    ipt_span text;     /* what a person is shown; of a Forwarded element the `for` node, empty when it did not parse */
} ipt_entry;

/* What is more than a dotted quad, for ipt_entry_parse() alone. */
ipt_entry ipt_entry_parse_other(ipt_span text);

/* An X-Forwarded-For element without the white space around it, or the value of a single-address header. Here, so that
 * the commonest entry goes from text to its user in registers. */
__attribute__((always_inline)) static inline ipt_entry ipt_entry_parse(ipt_span text)
{
    uint32_t v4;
    if (!ipt_v4_parse(text, &v4))
        return ipt_entry_parse_other(text);
    return (ipt_entry){.kind = IPT_ENTRY_ADDRESS,
                       .text_quoted = false,
                       .node = {.addr = ipt_addr_from_v4(v4), .port = 0, .has_port = false, .mapped = false},
                       .text = text};
}

/* CloudFront-Viewer-Address: `ip:port` with a port always there and IPv6 unbracketed; the last colon is the port's. */
ipt_entry ipt_entry_parse_viewer(ipt_span text);

#endif
