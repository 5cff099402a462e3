/* A JSON text as a tape: its values one after another in one array, so that a reader walks by adding numbers. Structure
 * is judged here and once (syntax, encoding, depth, duplicate keys), meaning by whoever reads the tape. */
#ifndef IPTRUST_JSON_TAPE_H
#define IPTRUST_JSON_TAPE_H

#include "iptrust/base/arena.h"
#include "iptrust/json/flaw.h"

#define IPT_JSON_DEPTH_MAX 16
#define IPT_TAPE_POINTER   sizeof(((ipt_json_flaw *)0)->pointer)

typedef enum ipt_tape_kind {
    IPT_TAPE_NULL = 0,
    IPT_TAPE_FALSE,
    IPT_TAPE_TRUE,
    IPT_TAPE_NUMBER,
    IPT_TAPE_STRING, /* p, n: decoded; a key is a string that stands before its value */
    IPT_TAPE_ARRAY,  /* n: values in it, the first of them next on the tape */
    IPT_TAPE_OBJECT, /* n: members in it, the first key next on the tape */
} ipt_tape_kind;

typedef struct ipt_tape_item {
    const char *p;
    uint32_t n;
    uint32_t end : 29; /* place after this value and all that is in it */
    uint32_t kind : 3; /* ipt_tape_kind */
} ipt_tape_item;

typedef struct ipt_tape {
    const ipt_tape_item *items; /* items[0] is the whole, an object or, where that was allowed, an array */
    ipt_span text;
    const char *pointer_prefix;
    ipt_arena *arena;
} ipt_tape;

typedef struct ipt_tape_options {
    const char *pointer_prefix; /* put before every pointer: "/requests/3", or ""; kept in the tape */
    bool takes_array;           /* the whole may be an array; else it must be an object */
} ipt_tape_options;

/* Strings without escapes point into text, everything else lives in the arena: both must outlive the tape. Sets *flaw
 * when false. The arena's limit bounds what a dense text may take: 16 bytes a value, some three times in all while it
 * grows. */
IPT_MUST_USE bool ipt_tape_build(ipt_span text, const ipt_tape_options *options, ipt_arena *arena, ipt_tape *out,
                                 ipt_json_flaw *flaw);

static inline ipt_span ipt_tape_text(const ipt_tape *tape, uint32_t at)
{
    return (ipt_span){tape->items[at].p, tape->items[at].n};
}

/* Whether the string at `at` had escapes: one that had none has no control character either (RFC 8259, 7). */
static inline bool ipt_tape_was_escaped(const ipt_tape *tape, uint32_t at)
{
    return (uintptr_t)tape->items[at].p - (uintptr_t)tape->text.p >= tape->text.n;
}

/* The RFC 6901 pointer of the value (or key) at `at`; one that does not fit ends at the deepest ancestor that does. */
void ipt_tape_pointer(const ipt_tape *tape, uint32_t at, char out[IPT_TAPE_POINTER]);

/* Looks for two keys of an object that are equal by compare. False without memory; *twin is the place of the later of
 * two, 0 when all differ. */
typedef int ipt_tape_compare(ipt_span a, ipt_span b);
IPT_MUST_USE bool ipt_tape_find_twin(const ipt_tape *tape, uint32_t object, ipt_tape_compare *compare, uint32_t *twin);

#endif
