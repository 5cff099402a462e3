/* The plain form of JSON in which nearly all requests come, read without the library: strings without escapes, objects,
 * arrays, true and false, not deep. What is not plain, and all that is wrong, is left to the library and its messages;
 * what is read here the library reads the same (fuzz_json holds them against each other). */
#ifndef IPT_JSON_PLAIN_PRIV_H
#define IPT_JSON_PLAIN_PRIV_H

#include "json_tape_priv.h"

typedef struct ipt_plain {
    ipt_tape_item *items;
    uint32_t room, count; /* of items */
    uint64_t high;        /* not 0: a string may hold bytes above ASCII, which nobody has looked at */
} ipt_plain;

/* The tape of the one object that begins at `at`; returns what follows it. NULL: not plain, or no room. */
IPT_MUST_USE const char *ipt_plain_object(ipt_plain *plain, const char *at, const char *end);

/* Passes white space and then the character c; NULL when something else stands there. */
IPT_MUST_USE const char *ipt_plain_pass(const char *at, const char *end, char c);

/* Whether nothing but white space is left. */
IPT_MUST_USE bool ipt_plain_ends(const char *at, const char *end);

#endif
