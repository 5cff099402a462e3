/* "Did you mean": the nearest of the words that would have been right. */
#ifndef IPTRUST_CONFIG_SUGGEST_H
#define IPTRUST_CONFIG_SUGGEST_H

#include "iptrust/base/span.h"

typedef struct ipt_suggest {
    ipt_span word; /* the nearest so far; n 0: none is near */
    size_t distance;
} ipt_suggest;

/* Offers one word; begin with = {0}. Near is up to a third of the letters, one at least, or the
 * front of the word. */
void ipt_suggest_offer(ipt_suggest *s, ipt_span found, ipt_span word);

/* Letters put in, left out, exchanged or swapped with their neighbour, ASCII case aside; SIZE_MAX past 64 letters. */
size_t ipt_edit_distance(ipt_span a, ipt_span b);

#endif
