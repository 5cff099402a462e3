/* Makes the n-th allocation of the program fail, for sweeps: 1, 2, 3 ... until a run succeeds. Every unit test is
 * linked with --wrap for malloc, calloc and realloc (.cmake/Module.cmake); libraries keep their own. */
#ifndef IPTRUST_TESTS_FAILALLOC_H
#define IPTRUST_TESTS_FAILALLOC_H

#include <stdbool.h>
#include <stddef.h>

void failalloc_at(size_t n);   /* the n-th allocation from now fails, once; 0 switches it off */
bool failalloc_happened(void); /* whether it did */
size_t failalloc_count(void);  /* allocations since failalloc_at() */

#endif
