/* Other people's text inside our messages. */
#ifndef IPTRUST_BASE_SHOW_H
#define IPTRUST_BASE_SHOW_H

#include "iptrust/base/span.h"

typedef struct ipt_shown {
    char text[256];
} ipt_shown;

/* Printable ASCII as it is, other bytes escaped, at most 60 of text, then three dots: NUL-terminated in out, which it
 * returns. */
const char *ipt_show(ipt_span text, ipt_shown *out);

#endif
