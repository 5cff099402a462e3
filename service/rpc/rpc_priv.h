/* What the services share: reading and writing messages in a seat's memory, and the parts that make up an answer. */
#ifndef IPTRUST_RPC_PRIV_H
#define IPTRUST_RPC_PRIV_H

#include <protobuf-c/protobuf-c.h>

#include "iptrust/engine/health.h"
#include "iptrust/rpc/rpc.h"

enum {
    RPC_DEPTH_MAX = 16,           /* messages in messages */
    RPC_FIELDS_MAX = 32768,       /* fields of one message in all: what protobuf-c allocates for */
    RPC_BATCH_MAX = 1000,         /* requests of one ResolveBatch */
    RPC_REQUEST_BLOCK = 16 << 10, /* bytes that a seat keeps */
    RPC_ANSWER_BLOCK = 16 << 10,
    RPC_REQUEST_MEMORY = 16 << 20, /* bytes that one message may decode to */
    RPC_ANSWER_MEMORY = 64 << 20,  /* bytes that one answer may be made of */
    RPC_REQUEST_ID_MAX = 128,
};

struct ipt_rpc {
    ipt_engine *engine;
};

struct ipt_rpc_seat {
    ipt_rpc *rpc;
    ipt_seat seat;
    ipt_arena *request; /* decoded messages; reset by every run */
    ipt_arena *answer;  /* what is to be encoded; reset by every run and every item of a batch */
    ipt_decision decision;
};

/* ---- wire.c: the encoding, field by field ---- */

enum { RPC_WIRE_VARINT = 0, RPC_WIRE_64 = 1, RPC_WIRE_BYTES = 2, RPC_WIRE_32 = 5 };

typedef struct rpc_field {
    uint32_t number;
    unsigned type;
    uint64_t value; /* VARINT, 64, 32 */
    ipt_span bytes; /* BYTES: slice of the input */
} rpc_field;

typedef enum rpc_step { RPC_STEP_BAD = 0, RPC_STEP_FIELD, RPC_STEP_END } rpc_step;
IPT_MUST_USE rpc_step rpc_wire_next(ipt_span *rest, rpc_field *out);

typedef enum rpc_scan {
    RPC_SCAN_MALFORMED = 0,
    RPC_SCAN_OK,
    RPC_SCAN_TOO_DEEP,
    RPC_SCAN_TOO_MANY,
    RPC_SCAN_TEXT, /* a string that is not UTF-8, or with NUL, which C would cut off there */
} rpc_scan;
/* Judges a message before protobuf-c spends memory on it. */
IPT_MUST_USE rpc_scan rpc_wire_scan(ipt_span bytes, const ProtobufCMessageDescriptor *descriptor);

/* ---- message.c ---- */

/* Into call->request. */
IPT_MUST_USE bool rpc_unpack(ipt_rpc_call *call, ipt_span bytes, const ProtobufCMessageDescriptor *descriptor);
/* call->answer onto out. */
IPT_MUST_USE bool rpc_encode(ipt_rpc_call *call, ipt_buf *out);
/* pack.c: fields, one by one, whatever they read as; a lack of memory stays with out. */
void rpc_add_number(ipt_buf *out, uint32_t field, uint64_t value);
void rpc_add_double(ipt_buf *out, uint32_t field, double value);
void rpc_add_text(ipt_buf *out, uint32_t field, const char *text);
/* A message as a field: what is added between the two is in it. */
size_t rpc_open(ipt_buf *out, uint32_t field);
void rpc_close(ipt_buf *out, size_t at);
/* A message behind what is in out; of messages whose fields all are of kinds that rpc_packs knows. */
IPT_MUST_USE bool rpc_pack(const ProtobufCMessage *message, ipt_buf *out);
bool rpc_packs(const ProtobufCFieldDescriptor *field);

/* Builds messages in an arena; failure is sticky, so that one check at the end is enough where nothing is read back. */
typedef struct rpc_maker {
    ipt_arena *arena;
    bool failed;
} rpc_maker;
void *rpc_make(rpc_maker *maker, const ProtobufCMessageDescriptor *descriptor); /* NULL without memory */
void *rpc_make_array(rpc_maker *maker, size_t count, size_t size);              /* NULL without memory; cleared */
/* count messages and the array of pointers to them that protobuf-c wants; NULL without memory. */
void **rpc_make_list(rpc_maker *maker, size_t count, const ProtobufCMessageDescriptor *descriptor);
char *rpc_copy(rpc_maker *maker, ipt_span text);             /* as it is */
char *rpc_text(rpc_maker *maker, ipt_span text, size_t max); /* ASCII-escaped, at most max bytes of input */
char *rpc_hex(rpc_maker *maker, ipt_span bytes);
char *rpc_address(rpc_maker *maker, ipt_addr addr);
char *rpc_prefix(rpc_maker *maker, ipt_prefix prefix);
/* Text of ours for a field that is only packed: protobuf-c's structures know no const. */
static inline char *rpc_borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* ---- status.c ---- */

/* For handlers: sets the status and says false. */
IPT_PRINTF(4, 5)
bool rpc_refuse(ipt_rpc_call *call, ipt_problem_code code, const char *pointer, const char *format, ...);
bool rpc_refuse_problem(ipt_rpc_call *call, const ipt_problem *problem, const char *root);
bool rpc_no_memory(ipt_rpc_call *call);

/* ---- decide.c ---- */

/* .p NULL: the default one. bit: IPT_SELECT_*, 0 when any will do. */
const ipt_policy *rpc_find_policy(const ipt_rpc_call *call, ipt_span name, unsigned bit, ipt_problem *problem);
/* Into the seat's decision. */
IPT_MUST_USE bool rpc_decide(ipt_rpc_call *call, ipt_api api, const ipt_policy *policy, ipt_call *question,
                             ipt_problem *problem);
ipt_caller rpc_caller(const ipt_rpc_call *call);

/* ---- question.c, put_*.c: iptrust.v1 ---- */

struct Iptrust__V1__Request;
struct Iptrust__V1__Decision;
struct Iptrust__V1__ProxyProtocol;

/* prefix is put before every pointer. request may be NULL: it was absent. */
IPT_MUST_USE bool rpc_read_question(const struct Iptrust__V1__Request *request, const char *prefix, ipt_arena *arena,
                                    ipt_call *out, ipt_problem *problem);
/* NULL without memory. */
struct Iptrust__V1__Decision *rpc_put_decision(rpc_maker *maker, const ipt_decision *decision, const ipt_call *call);
struct Iptrust__V1__ProxyProtocol *rpc_put_proxy(rpc_maker *maker, const ipt_proxy *proxy);

/* ---- check_read.c, check_answer.c: envoy.service.auth.v3 ---- */

typedef struct rpc_check {
    ipt_request request;
    ipt_span policy; /* of context_extensions; .p NULL when absent */
} rpc_check;

/* What is to be told of the seat's decision, into call->answer. */
IPT_MUST_USE bool rpc_check_answer(ipt_rpc_call *call, const rpc_check *check, bool denied);

/* ---- health.c, reflection.c, trust.c, check.c: handlers of the table in rpc.c ---- */

bool rpc_health_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_health_decode_list(ipt_rpc_call *call, ipt_span bytes);
bool rpc_health_check(ipt_rpc_call *call);
bool rpc_health_list(ipt_rpc_call *call);
bool rpc_health_watch(ipt_rpc_call *call);
bool rpc_reflection_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_reflection_handle(ipt_rpc_call *call);
bool rpc_resolve_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_resolve_handle(ipt_rpc_call *call);
bool rpc_stream_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_stream_handle(ipt_rpc_call *call);
bool rpc_batch_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_batch_handle(ipt_rpc_call *call);
bool rpc_batch_encode(ipt_rpc_call *call, ipt_buf *out);
bool rpc_lookup_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_lookup_handle(ipt_rpc_call *call);
bool rpc_status_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_status_handle(ipt_rpc_call *call);
bool rpc_check_decode(ipt_rpc_call *call, ipt_span bytes);
bool rpc_check_handle(ipt_rpc_call *call);
bool rpc_check_encode(ipt_rpc_call *call, ipt_buf *out);

#endif
