/* A list as text: one prefix or bare address a line, `#` begins a comment, blank lines pass. Nothing is repaired: a
 * line that is no prefix refuses the whole text. */
#ifndef IPTRUST_RANGES_TEXT_H
#define IPTRUST_RANGES_TEXT_H

#include "iptrust/base/diag.h"
#include "iptrust/net/prefix.h"

typedef struct ipt_ranges_text {
    ipt_span rest;
    uint32_t line; /* of the item last returned, from 1 */
    uint32_t column;
} ipt_ranges_text;

typedef enum ipt_ranges_step { IPT_RANGES_END = 0, IPT_RANGES_PREFIX, IPT_RANGES_BAD } ipt_ranges_step;

/* reason (may be NULL) tells why for BAD; *found is the offending text. CRLF line ends are taken, a byte order mark is
 * not. */
IPT_MUST_USE ipt_ranges_step ipt_ranges_text_next(ipt_ranges_text *cursor, ipt_prefix *out, ipt_prefix_result *reason,
                                                  ipt_span *found);

/* One sentence for a person about a prefix text that was refused, with the right form where there is one:
 * "10.0.0.1/8 has host bits set, did you mean 10.0.0.0/8?". Written into out (at most cap bytes with NUL). */
void ipt_prefix_complain(ipt_span found, ipt_prefix_result reason, char *out, size_t cap);

#endif
