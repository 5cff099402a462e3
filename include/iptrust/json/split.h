/* Cuts {"key": [...]} into its elements. The text as a whole must be JSON and is read once; each element is judged
 * later, on its own, so that what is wrong with one stays with it. */
#ifndef IPTRUST_JSON_SPLIT_H
#define IPTRUST_JSON_SPLIT_H

#include "iptrust/base/arena.h"
#include "iptrust/json/tape.h"

typedef enum ipt_json_split_result {
    IPT_SPLIT_FLAW = 0, /* *flaw says what is wrong with the text */
    IPT_SPLIT_OK,
    IPT_SPLIT_MISSING, /* there is no such key */
    IPT_SPLIT_OTHER_KEY,
    IPT_SPLIT_TWICE,
    IPT_SPLIT_NO_ARRAY, /* its value is something else */
    IPT_SPLIT_TOO_MANY, /* more than max elements */
} ipt_json_split_result;

typedef struct ipt_json_part {
    ipt_span text;              /* slice of the whole; "null" for what is neither object nor array */
    const ipt_tape_item *items; /* its own tape */
    uint32_t too_deep;          /* place of the first value nested too deeply; 0: none */
} ipt_json_part;

typedef struct ipt_json_parts {
    const ipt_json_part *items; /* they and their tapes are in the arena, strings without escapes in text */
    size_t count;
} ipt_json_parts;

/* A flaw goes before the other results, which say what was met first. Elements are neither checked for depth, up to a
 * bound, nor for encoding or duplicates: that is ipt_json_part_open's. */
IPT_MUST_USE ipt_json_split_result ipt_json_split(ipt_span text, ipt_span key, size_t max, ipt_arena *arena,
                                                  ipt_json_parts *out, ipt_json_flaw *flaw);

/* The element as the tape that ipt_tape_build would make of its text, with the same flaws. arena: for what the reader
 * of the tape needs; the element stays in that of the split. */
IPT_MUST_USE bool ipt_json_part_open(const ipt_json_part *part, const ipt_tape_options *options, ipt_arena *arena,
                                     ipt_tape *out, ipt_json_flaw *flaw);

#endif
