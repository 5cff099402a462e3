/* Cuts {"key": [...]} into the texts of its elements without reading them: each is read later, on its own, so that what
 * is wrong with one stays with it. The text as a whole must be JSON. */
#ifndef IPTRUST_JSON_SPLIT_H
#define IPTRUST_JSON_SPLIT_H

#include "iptrust/base/arena.h"
#include "iptrust/json/flaw.h"

typedef enum ipt_json_split_result {
    IPT_SPLIT_FLAW = 0, /* *flaw says what is wrong with the text */
    IPT_SPLIT_OK,
    IPT_SPLIT_MISSING, /* there is no such key */
    IPT_SPLIT_OTHER_KEY,
    IPT_SPLIT_TWICE,
    IPT_SPLIT_NO_ARRAY, /* its value is something else */
    IPT_SPLIT_TOO_MANY, /* more than max elements */
} ipt_json_split_result;

typedef struct ipt_json_parts {
    const ipt_span *items; /* in the arena; slices of text, and "null" for what is no object */
    size_t count;
} ipt_json_parts;

/* A flaw goes before the other results, which say what was met first. Elements are neither checked for depth, up to a
 * bound, nor for encoding or duplicates. */
IPT_MUST_USE ipt_json_split_result ipt_json_split(ipt_span text, ipt_span key, size_t max, ipt_arena *arena,
                                                  ipt_json_parts *out, ipt_json_flaw *flaw);

#endif
