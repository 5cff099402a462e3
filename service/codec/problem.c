/* The one table that turns a problem's code into words and an HTTP status, and its JSON form (RFC 9457). */
#include "iptrust/codec/problem.h"

#include <stdio.h>

#include "json_put_priv.h"

static const struct {
    const char *name, *title;
    unsigned status;
} table[IPT_PROBLEM_CODES] = {
    [IPT_PROBLEM_INTERNAL] = {"internal", "The service could not answer", 500},
    [IPT_PROBLEM_BAD_REQUEST] = {"bad_request", "The request is not of the expected form", 400},
    [IPT_PROBLEM_BAD_JSON] = {"bad_json", "The body is not a JSON object", 400},
    [IPT_PROBLEM_UNKNOWN_KEY] = {"unknown_key", "The request has a key that is not known", 400},
    [IPT_PROBLEM_DUPLICATE_KEY] = {"duplicate_key", "The request has a key twice", 400},
    [IPT_PROBLEM_BAD_ENCODING] = {"bad_encoding", "The request has text that is not properly encoded", 400},
    [IPT_PROBLEM_TOO_DEEP] = {"too_deep", "The request is nested too deeply", 400},
    [IPT_PROBLEM_TOO_LARGE] = {"too_large", "The request is too large", 413},
    [IPT_PROBLEM_MISSING_PEER] = {"missing_peer", "The request does not name the peer", 400},
    [IPT_PROBLEM_BAD_HEADER] = {"bad_header", "A header has a name or value that HTTP cannot carry", 400},
    [IPT_PROBLEM_AMBIGUOUS_HEADER] = {"ambiguous_header", "Two header keys differ only in case", 400},
    [IPT_PROBLEM_BAD_PROXY_PROTOCOL] = {"bad_proxy_protocol", "The bytes are no PROXY protocol header", 400},
    [IPT_PROBLEM_UNKNOWN_POLICY] = {"unknown_policy", "There is no policy of that name", 404},
    [IPT_PROBLEM_POLICY_NOT_SELECTABLE] = {"policy_not_selectable", "The policy cannot be selected here", 403},
    [IPT_PROBLEM_CALLER_NOT_ALLOWED] = {"caller_not_allowed", "The caller may not make this call", 403},
    [IPT_PROBLEM_PEER_UNKNOWN] = {"peer_unknown", "The call does not say who the peer is", 500},
    [IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported_media_type", "The media type is not supported", 415},
    [IPT_PROBLEM_NOT_FOUND] = {"not_found", "There is nothing at this address", 404},
    [IPT_PROBLEM_METHOD_NOT_ALLOWED] = {"method_not_allowed", "The method is not allowed here", 405},
    [IPT_PROBLEM_BUSY] = {"busy", "Another call of this kind is under way", 409},
    [IPT_PROBLEM_DRAINING] = {"draining", "The service is shutting down", 503},
    [IPT_PROBLEM_OVERLOADED] = {"overloaded", "The service is overloaded", 503},
    [IPT_PROBLEM_DEADLINE_EXCEEDED] = {"deadline_exceeded", "The deadline has passed", 504},
    [IPT_PROBLEM_BAD_CONFIG] = {"bad_config", "The configuration has errors", 422},
};

/* A code outside the table is a mistake of ours, and answered as one. */
static ipt_problem_code known(ipt_problem_code code)
{
    return (unsigned)code < IPT_PROBLEM_CODES ? code : IPT_PROBLEM_INTERNAL;
}

const char *ipt_problem_name(ipt_problem_code code)
{
    return table[known(code)].name;
}

const char *ipt_problem_title(ipt_problem_code code)
{
    return table[known(code)].title;
}

unsigned ipt_problem_status(ipt_problem_code code)
{
    return table[known(code)].status;
}

void ipt_problem_set(ipt_problem *problem, ipt_problem_code code, const char *pointer, const char *format, ...)
{
    problem->code = code;
    problem->status = ipt_problem_status(code);
    size_t n = pointer == NULL ? 0 : strnlen(pointer, sizeof(problem->pointer) - 1);
    memmove(problem->pointer, n == 0 ? "" : pointer, n);
    problem->pointer[n] = '\0';

    va_list args;
    va_start(args, format);
    if (vsnprintf(problem->detail, sizeof(problem->detail), format, args) < 0)
        problem->detail[0] = '\0';
    va_end(args);
    for (char *p = problem->detail; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    }
}

void ipt_problem_write_json(ipt_buf *out, const ipt_problem *problem, ipt_span request_id)
{
    const char *name = ipt_problem_name(problem->code);
    put(out, IPT_SPAN("{\"type\":\"urn:iptrust:problem:"));
    put_words(out, name);
    put(out, IPT_SPAN("\",\"title\":"));
    ipt_json_write_string(out, ipt_span_from(ipt_problem_title(problem->code)));
    put(out, IPT_SPAN(",\"status\":"));
    put_number(out, problem->status);
    put(out, IPT_SPAN(",\"detail\":"));
    ipt_json_write_string(out, ipt_span_from(problem->detail));
    put(out, IPT_SPAN(",\"code\":\""));
    put_words(out, name);
    put_char(out, '"');
    if (problem->pointer[0] != '\0') {
        put(out, IPT_SPAN(",\"errors\":[{\"pointer\":"));
        ipt_json_write_string(out, ipt_span_from(problem->pointer));
        put(out, IPT_SPAN(",\"detail\":"));
        ipt_json_write_string(out, ipt_span_from(problem->detail));
        put(out, IPT_SPAN("}]"));
    }
    if (request_id.n != 0) {
        put(out, IPT_SPAN(",\"request_id\":"));
        ipt_json_write_text(out, request_id, IPT_TEXT_MAX);
    }
    put_char(out, '}');
}
