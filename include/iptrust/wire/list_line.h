/* One line of a list header (X-Forwarded-For, Forwarded) walked from its right end: the rightmost element is the
 * nearest proxy's word, each step to the left is somebody's older claim. Borrows the line, allocates nothing, cannot
 * fault. */
#ifndef IPTRUST_WIRE_LIST_LINE_H
#define IPTRUST_WIRE_LIST_LINE_H

#include "iptrust/wire/entry.h"

typedef enum ipt_list_syntax {
    IPT_LIST_XFF = 0,   /* comma splits, nothing quotes */
    IPT_LIST_FORWARDED, /* RFC 7239: a comma inside a quoted-string never splits. Split from the right end: a quote
                         * preceded by an odd number of backslashes does not toggle, so that an open quote sent by a
                         * client swallows only what stands to its left */
} ipt_list_syntax;

typedef struct ipt_list_line {
    ipt_list_syntax syntax;
    const char *begin;  /* of the line */
    const char *end;    /* of what is left, moves to the left; NULL when nothing is left */
    const char *window; /* XFF: the up to 64 bytes from here on have been searched for commas ... */
    uint64_t commas;    /* ... and bit i is set when window[i] is one that was not passed yet */
} ipt_list_line;

/* A line always has at least one element, perhaps an empty one. */
void ipt_list_line_init(ipt_list_line *line, ipt_list_syntax syntax, ipt_span value);

/* The next element to the left, SP and HTAB around it trimmed. False at the left end. */
IPT_MUST_USE bool ipt_list_line_prev(ipt_list_line *line, ipt_span *element);

/* Elements that ipt_list_line_prev would still yield. */
size_t ipt_list_line_count(const ipt_list_line *line);

/* Only SP and HTAB. */
bool ipt_line_is_empty(ipt_span value);

#endif
