/* Scalars as values: one strict parser for each type of the schema. All leave *out untouched when false. */
#ifndef IPTRUST_CONFIG_VALUE_H
#define IPTRUST_CONFIG_VALUE_H

#include "iptrust/config/config.h"

IPT_MUST_USE bool ipt_value_bool(ipt_span text, bool *out);        /* true, false, yes, no */
IPT_MUST_USE bool ipt_value_integer(ipt_span text, uint64_t *out); /* decimal digits, no leading zeros */
IPT_MUST_USE bool ipt_value_fraction(ipt_span text, double *out);  /* 0.01: digits, one point, digits */
IPT_MUST_USE bool ipt_value_duration(ipt_span text, int64_t *ms);  /* 250ms, 5s, 15m, 1h, 7d */
IPT_MUST_USE bool ipt_value_bytes(ipt_span text, uint64_t *out);   /* 512, 64KiB, 1MiB, 1GiB */
IPT_MUST_USE bool ipt_value_time(ipt_span text, int64_t *seconds); /* RFC 3339, with its offset */
IPT_MUST_USE bool ipt_value_mode(ipt_span text, unsigned *out);    /* 0660: a zero and three octal digits */
IPT_MUST_USE bool ipt_value_listen(ipt_span text,
                                   ipt_listener_spec *out); /* kind, host, port; path is borrowed in *path */
bool ipt_value_is_name(ipt_span text);                      /* [a-z0-9][a-z0-9_-]{0,62} */

#endif
