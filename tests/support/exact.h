/* Inputs as heap copies of their exact size, so that a sanitizer sees one byte too far. */
#ifndef IPTRUST_TESTS_EXACT_H
#define IPTRUST_TESTS_EXACT_H

#include "iptrust/base/span.h"

/* free() .p; a copy without terminator. */
ipt_span exact(const char *text);
ipt_span exact_n(const void *bytes, size_t n);

#endif
