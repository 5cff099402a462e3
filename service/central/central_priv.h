/* Lines and base64, for the parts of this module. */
#ifndef IPTRUST_CENTRAL_PRIV_H
#define IPTRUST_CENTRAL_PRIV_H

#include "iptrust/base/buf.h"

/* Canonical base64 (RFC 4648, 3.5) of exactly n bytes. */
IPT_MUST_USE bool central_base64_exact(ipt_span text, uint8_t *out, size_t n);
void central_base64_write(ipt_buf *out, ipt_span bytes);
/* *bytes has text.n / 4 * 3 bytes of room. */
IPT_MUST_USE bool central_base64_read(ipt_span text, uint8_t *bytes, size_t *n);

/* Takes the next line "NAME: VALUE" off *rest; false, and nothing is taken, when there is another one. */
IPT_MUST_USE bool central_line(ipt_span *rest, const char *name, ipt_span *value);
/* Decimal without leading zeros. */
IPT_MUST_USE bool central_number(ipt_span text, uint64_t *out);

#endif
