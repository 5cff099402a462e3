/* What the parts of fetch share. */
#ifndef IPTRUST_FETCH_PRIV_H
#define IPTRUST_FETCH_PRIV_H

#include "iptrust/base/buf.h"

typedef enum fetch_gunzip_result {
    FETCH_GUNZIP_BROKEN = 0, /* no gzip, cut short, or something follows it */
    FETCH_GUNZIP_OK,
    FETCH_GUNZIP_TOO_LARGE,
    FETCH_GUNZIP_NO_MEMORY,
} fetch_gunzip_result;

/* Appends at most `most` bytes to out; what is there after a failure is void. Members may follow one another (RFC 1952,
 * 2.2). */
IPT_MUST_USE fetch_gunzip_result fetch_gunzip(ipt_span packed, size_t most, ipt_buf *out);

#endif
