/* Text that grows by doubling. After the first failure every call does nothing. */
#include "iptrust/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void ipt_buf_done(ipt_buf *buf)
{
    free(buf->p);
    *buf = (ipt_buf){0};
}

void ipt_buf_reset(ipt_buf *buf)
{
    buf->n = 0;
    buf->failed = false;
}

/* Apart from ipt_buf_reserve, so that the common case stays small. */
static bool grow(ipt_buf *buf, size_t more)
{
    enum { CAP_MIN = 256 };
    size_t need;
    if (__builtin_add_overflow(buf->n, more, &need)) {
        buf->failed = true;
        return false;
    }
    size_t cap = buf->cap < CAP_MIN ? CAP_MIN : buf->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *p = realloc(buf->p, cap);
    if (p == NULL) {
        buf->failed = true;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

bool ipt_buf_reserve(ipt_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    return (buf->p != NULL && more <= buf->cap - buf->n) || grow(buf, more);
}

void ipt_buf_add(ipt_buf *buf, ipt_span text)
{
    if (text.n == 0 || !ipt_buf_reserve(buf, text.n))
        return;
    memcpy(buf->p + buf->n, text.p, text.n);
    buf->n += text.n;
}

void ipt_buf_adds(ipt_buf *buf, const char *text)
{
    ipt_buf_add(buf, ipt_span_from(text));
}

void ipt_buf_addc(ipt_buf *buf, char c)
{
    if (ipt_buf_reserve(buf, 1))
        buf->p[buf->n++] = c;
}

void ipt_buf_addu(ipt_buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    ipt_buf_add(buf, (ipt_span){digits + at, sizeof(digits) - at});
}

void ipt_buf_addf(ipt_buf *buf, const char *format, ...)
{
    enum { FIRST_TRY = 128 };
    if (!ipt_buf_reserve(buf, FIRST_TRY))
        return;
    for (int attempt = 0; attempt < 2; attempt++) {
        va_list args;
        va_start(args, format);
        size_t room = buf->cap - buf->n;
        int length = vsnprintf(buf->p + buf->n, room, format, args);
        va_end(args);
        if (length < 0) {
            buf->failed = true;
            return;
        }
        if ((size_t)length < room) {
            buf->n += (size_t)length;
            return;
        }
        /* vsnprintf wants room for a NUL too. */
        if (!ipt_buf_reserve(buf, (size_t)length + 1))
            return;
    }
}

ipt_span ipt_buf_span(const ipt_buf *buf)
{
    return (ipt_span){buf->p, buf->n};
}
