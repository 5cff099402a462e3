/* What cutting a text into elements needs of the builder of tapes. */
#ifndef IPT_TAPE_PRIV_H
#define IPT_TAPE_PRIV_H

#include "iptrust/json/split.h"

/* end : 29; the last is kept for containers that have not ended. */
enum { IPT_TAPE_PLACES = 1 << 29 };

/* Notes about the containers two levels down, in the order of the text, for as many as there is room. */
typedef struct ipt_tape_notes {
    ipt_json_part *parts; /* items stays NULL; too_deep is a place of the whole tape */
    size_t count, max;
} ipt_tape_notes;

/* The tape of an object without a look at encoding and duplicates; nesting is bounded, but not by IPT_JSON_DEPTH_MAX.
 */
IPT_MUST_USE bool ipt_tape_build_noted(ipt_span text, ipt_arena *arena, ipt_tape_notes *notes, ipt_tape_item **out,
                                       ipt_json_flaw *flaw);

#endif
