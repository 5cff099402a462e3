/* Why a call was not answered: RFC 9457 problem details with a stable code. One table gives every code its HTTP status
 * and title. */
#ifndef IPTRUST_CODEC_PROBLEM_H
#define IPTRUST_CODEC_PROBLEM_H

#include "iptrust/base/buf.h"

typedef enum ipt_problem_code {
    IPT_PROBLEM_INTERNAL = 0,
    IPT_PROBLEM_BAD_REQUEST,
    IPT_PROBLEM_BAD_JSON,
    IPT_PROBLEM_UNKNOWN_KEY,
    IPT_PROBLEM_DUPLICATE_KEY,
    IPT_PROBLEM_BAD_ENCODING,
    IPT_PROBLEM_TOO_DEEP,
    IPT_PROBLEM_TOO_LARGE,
    IPT_PROBLEM_MISSING_PEER,
    IPT_PROBLEM_BAD_HEADER,
    IPT_PROBLEM_AMBIGUOUS_HEADER,
    IPT_PROBLEM_BAD_PROXY_PROTOCOL,
    IPT_PROBLEM_UNKNOWN_POLICY,
    IPT_PROBLEM_POLICY_NOT_SELECTABLE,
    IPT_PROBLEM_CALLER_NOT_ALLOWED,
    IPT_PROBLEM_PEER_UNKNOWN,
    IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    IPT_PROBLEM_NOT_FOUND,
    IPT_PROBLEM_METHOD_NOT_ALLOWED,
    IPT_PROBLEM_BUSY,
    IPT_PROBLEM_DRAINING,
    IPT_PROBLEM_OVERLOADED,
    IPT_PROBLEM_DEADLINE_EXCEEDED, /* gRPC: the caller no longer waits */
    IPT_PROBLEM_BAD_CONFIG,        /* admin reload: 422 with the diagnostics as errors */
    IPT_PROBLEM_CODES,
} ipt_problem_code;

const char *ipt_problem_name(ipt_problem_code code);  /* "bad_json" */
const char *ipt_problem_title(ipt_problem_code code); /* a short sentence, the same for every occurrence */
unsigned ipt_problem_status(ipt_problem_code code);   /* HTTP */

typedef struct ipt_problem {
    ipt_problem_code code;
    unsigned status;   /* HTTP; of the code, unless a face knows better */
    char detail[200];  /* this occurrence, plain words, printable ASCII */
    char pointer[120]; /* RFC 6901 pointer into the request body, "" when there is none */
} ipt_problem;

IPT_PRINTF(4, 5)
void ipt_problem_set(ipt_problem *problem, ipt_problem_code code, const char *pointer, const char *format, ...);
/* request_id may be empty. `errors` holds the pointer when there is one. */
void ipt_problem_write_json(ipt_buf *out, const ipt_problem *problem, ipt_span request_id);

#endif
