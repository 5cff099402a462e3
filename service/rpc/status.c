/* The one table from our problems to gRPC's codes, and the details that name the field to blame. */
#include "rpc_priv.h"

#include <stdio.h>

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>

static const ipt_grpc_code table[IPT_PROBLEM_CODES] = {
    [IPT_PROBLEM_INTERNAL] = IPT_GRPC_INTERNAL,
    [IPT_PROBLEM_BAD_REQUEST] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_BAD_JSON] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_UNKNOWN_KEY] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_DUPLICATE_KEY] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_BAD_ENCODING] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_TOO_DEEP] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_TOO_LARGE] = IPT_GRPC_RESOURCE_EXHAUSTED,
    [IPT_PROBLEM_MISSING_PEER] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_BAD_HEADER] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_AMBIGUOUS_HEADER] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_BAD_PROXY_PROTOCOL] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_UNKNOWN_POLICY] = IPT_GRPC_NOT_FOUND,
    [IPT_PROBLEM_POLICY_NOT_SELECTABLE] = IPT_GRPC_PERMISSION_DENIED,
    [IPT_PROBLEM_CALLER_NOT_ALLOWED] = IPT_GRPC_PERMISSION_DENIED,
    [IPT_PROBLEM_PEER_UNKNOWN] = IPT_GRPC_INTERNAL,
    [IPT_PROBLEM_UNSUPPORTED_MEDIA_TYPE] = IPT_GRPC_INVALID_ARGUMENT,
    [IPT_PROBLEM_NOT_FOUND] = IPT_GRPC_NOT_FOUND,
    [IPT_PROBLEM_METHOD_NOT_ALLOWED] = IPT_GRPC_UNIMPLEMENTED,
    [IPT_PROBLEM_BUSY] = IPT_GRPC_UNAVAILABLE,
    [IPT_PROBLEM_DRAINING] = IPT_GRPC_UNAVAILABLE,
    [IPT_PROBLEM_OVERLOADED] = IPT_GRPC_UNAVAILABLE,
    [IPT_PROBLEM_DEADLINE_EXCEEDED] = IPT_GRPC_DEADLINE_EXCEEDED,
    [IPT_PROBLEM_BAD_CONFIG] = IPT_GRPC_INVALID_ARGUMENT,
};

ipt_grpc_code ipt_grpc_code_of(ipt_problem_code code)
{
    /* A hole in the table would read as OK, which no problem is. */
    ipt_grpc_code known = (unsigned)code < IPT_PROBLEM_CODES ? table[code] : IPT_GRPC_INTERNAL;
    return known == IPT_GRPC_OK ? IPT_GRPC_INTERNAL : known;
}

/* "/headers/3/value" below "request": "request.headers[3].value", as google.rpc.BadRequest spells paths. */
static void field_path(const char *root, const char *pointer, char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap, "%s", root);
    while (*pointer == '/') {
        size_t length = strcspn(++pointer, "/");
        bool is_index = length != 0 && strspn(pointer, "0123456789") == length;
        int more = snprintf(out + n, cap - n, "%s%.*s%s",
                            is_index ? "["
                            : n == 0 ? ""
                                     : ".",
                            (int)length, pointer, is_index ? "]" : "");
        if (more < 0 || (size_t)more >= cap - n)
            return;
        n += (size_t)more;
        pointer += length;
    }
}

static void set_details(ipt_status *status, const char *root, const ipt_problem *problem)
{
    char path[200];
    uint8_t inner[512];
    field_path(root, problem->pointer, path, sizeof(path));
    Google__Rpc__BadRequest__FieldViolation violation = GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *violations[] = {&violation};
    violation.field = path;
    violation.description = rpc_borrow(problem->detail);
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    bad.n_field_violations = 1;
    bad.field_violations = violations;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *anys[] = {&any};
    any.type_url = rpc_borrow("type.googleapis.com/google.rpc.BadRequest");
    if (google__rpc__bad_request__get_packed_size(&bad) > sizeof(inner))
        return;
    any.value = (ProtobufCBinaryData){google__rpc__bad_request__pack(&bad, inner), inner};
    Google__Rpc__Status whole = GOOGLE__RPC__STATUS__INIT;
    whole.code = (int32_t)status->code;
    whole.message = status->message;
    whole.n_details = 1;
    whole.details = anys;
    if (google__rpc__status__get_packed_size(&whole) <= sizeof(status->details))
        status->details_n = google__rpc__status__pack(&whole, status->details);
}

void ipt_status_set(ipt_status *status, const ipt_problem *problem, const char *root)
{
    status->code = ipt_grpc_code_of(problem->code);
    status->result = ipt_result_of(problem->code);
    status->details_n = 0;
    snprintf(status->message, sizeof(status->message), "%s: %s", ipt_problem_name(problem->code), problem->detail);
    if (problem->pointer[0] != '\0')
        set_details(status, root, problem);
}

bool rpc_refuse_problem(ipt_rpc_call *call, const ipt_problem *problem, const char *root)
{
    ipt_status_set(&call->status, problem, root);
    return false;
}

bool rpc_refuse(ipt_rpc_call *call, ipt_problem_code code, const char *pointer, const char *format, ...)
{
    ipt_problem problem;
    char detail[sizeof(problem.detail)];
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    ipt_problem_set(&problem, code, pointer, "%s", detail);
    return rpc_refuse_problem(call, &problem, "");
}

bool rpc_no_memory(ipt_rpc_call *call)
{
    return rpc_refuse(call, IPT_PROBLEM_INTERNAL, "", "no memory for the call");
}
