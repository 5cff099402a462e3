/* Requests and decisions as JSON: one spelling for REST, the command line and whoever embeds the library
 * (interfaces.md, REST). */
#ifndef IPTRUST_CODEC_JSON_H
#define IPTRUST_CODEC_JSON_H

#include "iptrust/base/arena.h"
#include "iptrust/base/buf.h"
#include "iptrust/codec/problem.h"
#include "iptrust/resolve/resolve.h"

/* A request as a face received it. */
typedef struct ipt_call {
    ipt_request request;
    ipt_span policy;           /* .p NULL: the default policy */
    ipt_span request_id;       /* .p NULL when absent */
    bool want_geo, want_chain; /* options; true unless stated */
} ipt_call;

/* Reads one request object. Strings without escapes point into text, everything else lives in the arena: both must
 * outlive the call. Strict: duplicate and unknown keys, depth, bad UTF-8 (overlong forms and lone surrogates too), NUL,
 * CR or LF in a header name or value, base64 that is not canonical are problems with a pointer; so is null, which is no
 * way to leave a key out. Syntax, encoding, depth and duplicates are judged before meaning. request.caller and the
 * facts of the face stay zero, headers_merged apart (headers given as a map). pointer_prefix is put before every
 * pointer ("/requests/3", or ""). */
IPT_MUST_USE bool ipt_json_read_request(ipt_span text, const char *pointer_prefix, ipt_arena *arena, ipt_call *out,
                                        ipt_problem *problem);

/* A batch: {"requests":[...]}. Its text is read once; each request is judged on its own, so that a bad one is a problem
 * in its place and no more. */
typedef struct ipt_batch {
    const struct ipt_json_part *requests; /* in the arena */
    size_t count;
} ipt_batch;
IPT_MUST_USE bool ipt_json_read_batch(ipt_span text, size_t max, ipt_arena *arena, ipt_batch *out,
                                      ipt_problem *problem);
/* Its request at index at, as ipt_json_read_request would read the text of that alone; in an arena of its own or the
 * batch's. */
IPT_MUST_USE bool ipt_batch_read(const ipt_batch *batch, size_t at, const char *pointer_prefix, ipt_arena *arena,
                                 ipt_call *out, ipt_problem *problem);

/* The decision, every key of the contract in its order. chain is [] when call->want_chain is false. */
void ipt_json_write_decision(ipt_buf *out, const ipt_decision *decision, const ipt_call *call);

/* GET /v1/ip/{address}: class, lists and prefixes that hold it, embedded IPv4, geo, and when geo says nothing, why. */
void ipt_json_write_address(ipt_buf *out, const ipt_view *view, ipt_addr addr);

/* A JSON string with quotes; bytes that are not UTF-8 appear as \\xHH, as everywhere in our output, control characters
 * as JSON escapes. */
void ipt_json_write_string(ipt_buf *out, ipt_span text);
/* Request text for output, ASCII alone: printable bytes as they are, a backslash doubled, everything else \xHH, at most
 * max bytes of input. The result is a JSON string with quotes. */
void ipt_json_write_text(ipt_buf *out, ipt_span text, size_t max);

#endif
