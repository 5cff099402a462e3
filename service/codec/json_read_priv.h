/* What the two halves of the request reader share. */
#ifndef IPT_JSON_READ_PRIV_H
#define IPT_JSON_READ_PRIV_H

#include "iptrust/codec/json.h"
#include "iptrust/json/tape.h"

/* A request's tape, and where complaints about its meaning go. The readers are handed the tape inside of it. */
typedef struct ipt_reading {
    ipt_tape tape;
    ipt_problem *problem;
} ipt_reading;

/* Sets the problem with the pointer of the value (or key) at `at`; tape is that of an ipt_reading. Always false. */
IPT_PRINTF(4, 5)
bool ipt_reading_fail(const ipt_tape *tape, uint32_t at, ipt_problem_code code, const char *format, ...);

/* What is wrong with a text, as the problem that its sender is told. Always false. */
bool ipt_problem_set_flaw(ipt_problem *problem, const ipt_json_flaw *flaw);

/* `headers`: pairs or a map; `attributes`: a map of strings. Each sets its fields of *request and returns true, or sets
 * the reading's problem. */
IPT_MUST_USE bool ipt_json_read_headers(const ipt_tape *tape, uint32_t at, ipt_request *request);
IPT_MUST_USE bool ipt_json_read_attributes(const ipt_tape *tape, uint32_t at, ipt_request *request);

/* Decodes the base64 string at `at` into the arena; *out has a pointer even when it is empty. */
IPT_MUST_USE bool ipt_json_read_base64(const ipt_tape *tape, uint32_t at, ipt_span *out);

/* bad_request unless the value is of that kind. what: "a string". */
IPT_MUST_USE bool ipt_json_expect(const ipt_tape *tape, uint32_t at, ipt_tape_kind kind, const char *what);

#endif
