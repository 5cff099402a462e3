/* What is wrong with a JSON text as a text, whoever wrote it and whatever it means. */
#ifndef IPTRUST_JSON_FLAW_H
#define IPTRUST_JSON_FLAW_H

#include "iptrust/base/span.h"

typedef enum ipt_json_flaw_kind {
    IPT_JSON_NO_MEMORY = 0, /* of the machine or of the arena's limit */
    IPT_JSON_SYNTAX,        /* RFC 8259, or not the container that was expected */
    IPT_JSON_ENCODING,      /* not UTF-8 (RFC 3629), or half a surrogate pair */
    IPT_JSON_DEPTH,
    IPT_JSON_DUPLICATE, /* two equal keys in one object */
    IPT_JSON_LARGE,     /* more bytes than places can be counted for */
} ipt_json_flaw_kind;

typedef struct ipt_json_flaw {
    ipt_json_flaw_kind kind;
    char detail[200];  /* plain words; may hold bytes of the text */
    char pointer[120]; /* RFC 6901, "" for the whole */
} ipt_json_flaw;

/* Always false, so that a reader can end with it. */
IPT_PRINTF(4, 5)
bool ipt_json_flaw_set(ipt_json_flaw *flaw, ipt_json_flaw_kind kind, const char *pointer, const char *format, ...);

#endif
