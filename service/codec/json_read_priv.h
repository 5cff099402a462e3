/* What the two halves of the request reader share. */
#ifndef IPT_JSON_READ_PRIV_H
#define IPT_JSON_READ_PRIV_H

#include "json_tape_priv.h"

/* `headers`: pairs or a map; `attributes`: a map of strings. Each sets its fields of *request and returns true, or sets
 * the tape's problem. */
IPT_MUST_USE bool ipt_json_read_headers(const ipt_tape *tape, uint32_t at, ipt_request *request);
IPT_MUST_USE bool ipt_json_read_attributes(const ipt_tape *tape, uint32_t at, ipt_request *request);

/* Decodes the base64 string at `at` into the arena; *out has a pointer even when it is empty. */
IPT_MUST_USE bool ipt_json_read_base64(const ipt_tape *tape, uint32_t at, ipt_span *out);

/* bad_request unless the value is of that kind. what: "a string". */
IPT_MUST_USE bool ipt_json_expect(const ipt_tape *tape, uint32_t at, ipt_tape_kind kind, const char *what);

#endif
