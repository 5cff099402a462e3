/* Sets of prefixes written as text, for tables. */
#ifndef IPTRUST_TESTS_SETS_H
#define IPTRUST_TESTS_SETS_H

#include "iptrust/ranges/prefix_set.h"

/* Prefixes with blanks between them; sorted, on the heap: ipt_prefix_set_done(). Aborts on anything else. */
ipt_prefix_set set_of(const char *text);

#endif
