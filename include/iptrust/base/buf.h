/* Text that grows: JSON, explain pages, metrics. Sticky failure, so that writers need one check at the end. */
#ifndef IPTRUST_BASE_BUF_H
#define IPTRUST_BASE_BUF_H

#include <stdarg.h>

#include "iptrust/base/span.h"

typedef struct ipt_buf {
    char *p;       /* not NUL-terminated; NULL when nothing was written */
    size_t n, cap; /* bytes written, bytes there */
    bool failed;   /* no memory at some point: contents are void */
} ipt_buf;

void ipt_buf_done(ipt_buf *buf);  /* frees; = {0} again */
void ipt_buf_reset(ipt_buf *buf); /* empties and keeps the memory */
IPT_MUST_USE bool ipt_buf_reserve(ipt_buf *buf, size_t more);
void ipt_buf_add(ipt_buf *buf, ipt_span text);
void ipt_buf_adds(ipt_buf *buf, const char *text);
void ipt_buf_addc(ipt_buf *buf, char c);
void ipt_buf_addu(ipt_buf *buf, uint64_t number); /* decimal */
IPT_PRINTF(2, 3) void ipt_buf_addf(ipt_buf *buf, const char *format, ...);
ipt_span ipt_buf_span(const ipt_buf *buf);

static inline void ipt_buf_cleanup(ipt_buf *buf)
{
    ipt_buf_done(buf);
}

#endif
