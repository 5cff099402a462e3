/* One request object: its keys in one table. A key that is there must have its type; null is no way to leave it out,
 * because a caller whose template ran empty should hear of it (the peer alone has a code of its own for that). */
#include "json_read_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "base64_priv.h"
#include "iptrust/json/split.h"

enum { REQUEST_ID_MAX = 128 };

bool ipt_reading_fail(const ipt_tape *tape, uint32_t at, ipt_problem_code code, const char *format, ...)
{
    const ipt_reading *reading = (const ipt_reading *)tape; /* its first member */
    char detail[sizeof(reading->problem->detail)], pointer[IPT_TAPE_POINTER];
    va_list args;
    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    ipt_tape_pointer(tape, at, pointer);
    ipt_problem_set(reading->problem, code, pointer, "%s", detail);
    return false;
}

bool ipt_problem_set_flaw(ipt_problem *problem, const ipt_json_flaw *flaw)
{
    static const ipt_problem_code codes[] = {
        [IPT_JSON_NO_MEMORY] = IPT_PROBLEM_INTERNAL,      [IPT_JSON_SYNTAX] = IPT_PROBLEM_BAD_JSON,
        [IPT_JSON_ENCODING] = IPT_PROBLEM_BAD_ENCODING,   [IPT_JSON_DEPTH] = IPT_PROBLEM_TOO_DEEP,
        [IPT_JSON_DUPLICATE] = IPT_PROBLEM_DUPLICATE_KEY, [IPT_JSON_LARGE] = IPT_PROBLEM_TOO_LARGE,
    };
    ipt_problem_set(problem, codes[flaw->kind], flaw->pointer, "%s", flaw->detail);
    return false;
}

bool ipt_json_expect(const ipt_tape *tape, uint32_t at, ipt_tape_kind kind, const char *what)
{
    if (tape->items[at].kind == kind)
        return true;
    return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_REQUEST, "must be %s", what);
}

static bool expect_string(const ipt_tape *tape, uint32_t at, ipt_span *out)
{
    if (!ipt_json_expect(tape, at, IPT_TAPE_STRING, "a string"))
        return false;
    *out = ipt_tape_text(tape, at);
    return true;
}

bool ipt_json_read_base64(const ipt_tape *tape, uint32_t at, ipt_span *out)
{
    ipt_span text;
    if (!ipt_json_expect(tape, at, IPT_TAPE_STRING, "a base64 string"))
        return false;
    text = ipt_tape_text(tape, at);
    char *bytes = ipt_arena_alloc(tape->arena, ipt_base64_room(text.n));
    if (bytes == NULL)
        return ipt_reading_fail(tape, at, IPT_PROBLEM_INTERNAL, "no memory to read the request");
    size_t n;
    if (!ipt_base64_decode(text, bytes, &n))
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_ENCODING, "not canonical base64 (RFC 4648, section 4)");
    *out = (ipt_span){bytes, n};
    return true;
}

static bool read_peer(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    /* Any text passes, an empty one too: what is no address is the decision's to judge (decision.md section 5). */
    if (tape->items[at].kind == IPT_TAPE_NULL)
        return ipt_reading_fail(tape, at, IPT_PROBLEM_MISSING_PEER, "the peer must be an address or \"unix\"");
    return expect_string(tape, at, &call->request.peer);
}

static bool read_headers(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    return ipt_json_read_headers(tape, at, &call->request);
}

static bool read_attributes(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    return ipt_json_read_attributes(tape, at, &call->request);
}

static bool read_proxy_protocol(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    if (!ipt_json_read_base64(tape, at, &call->request.proxy_protocol))
        return false;
    call->request.has_proxy_protocol = true;
    return true;
}

static bool read_policy(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    return expect_string(tape, at, &call->policy);
}

static bool read_principal(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    return expect_string(tape, at, &call->request.principal);
}

static bool read_request_id(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    ipt_span id;
    if (!expect_string(tape, at, &id))
        return false;
    bool printable = id.n <= REQUEST_ID_MAX;
    for (size_t i = 0; i < id.n && printable; i++)
        printable = id.p[i] >= 0x20 && id.p[i] <= 0x7e;
    if (!printable)
        return ipt_reading_fail(tape, at, IPT_PROBLEM_BAD_REQUEST, "must be at most %d printable ASCII characters",
                                REQUEST_ID_MAX);
    call->request_id = id;
    return true;
}

static bool read_options(const ipt_tape *tape, uint32_t at, ipt_call *call)
{
    if (!ipt_json_expect(tape, at, IPT_TAPE_OBJECT, "an object"))
        return false;
    for (uint32_t key = at + 1; key < tape->items[at].end; key = tape->items[key + 1].end) {
        ipt_span name = ipt_tape_text(tape, key);
        uint32_t kind = tape->items[key + 1].kind;
        bool *option;
        if (ipt_span_equal(name, IPT_SPAN("geo")))
            option = &call->want_geo;
        else if (ipt_span_equal(name, IPT_SPAN("chain")))
            option = &call->want_chain;
        else
            return ipt_reading_fail(tape, key, IPT_PROBLEM_UNKNOWN_KEY, "there is no option of this name");
        if (kind != IPT_TAPE_TRUE && kind != IPT_TAPE_FALSE)
            return ipt_reading_fail(tape, key + 1, IPT_PROBLEM_BAD_REQUEST, "must be true or false");
        *option = kind == IPT_TAPE_TRUE;
    }
    call->request.geo_unwanted = !call->want_geo;
    return true;
}

static const struct {
    ipt_span key;
    bool (*read)(const ipt_tape *tape, uint32_t at, ipt_call *call);
} keys[] = {
    {{"peer", 4}, read_peer},
    {{"headers", 7}, read_headers},
    {{"proxy_protocol", 14}, read_proxy_protocol},
    {{"attributes", 10}, read_attributes},
    {{"policy", 6}, read_policy},
    {{"principal", 9}, read_principal},
    {{"request_id", 10}, read_request_id},
    {{"options", 7}, read_options},
};

static bool read_member(const ipt_tape *tape, uint32_t key, ipt_call *call)
{
    ipt_span name = ipt_tape_text(tape, key);
    for (size_t i = 0; i < IPT_COUNT(keys); i++) {
        if (ipt_span_equal(name, keys[i].key))
            return keys[i].read(tape, key + 1, call);
    }
    return ipt_reading_fail(tape, key, IPT_PROBLEM_UNKNOWN_KEY, "there is no key of this name in a request");
}

static bool read_call(const ipt_reading *reading, ipt_call *out)
{
    const ipt_tape *tape = &reading->tape;
    ipt_call call = {.want_geo = true, .want_chain = true};
    for (uint32_t key = 1; key < tape->items[0].end; key = tape->items[key + 1].end) {
        if (!read_member(tape, key, &call))
            return false;
    }
    if (call.request.peer.p == NULL) {
        ipt_problem_set(reading->problem, IPT_PROBLEM_MISSING_PEER, tape->pointer_prefix,
                        "the key \"peer\" is required");
        return false;
    }
    *out = call;
    return true;
}

bool ipt_json_read_request(ipt_span text, const char *pointer_prefix, ipt_arena *arena, ipt_call *out,
                           ipt_problem *problem)
{
    ipt_reading reading = {.problem = problem};
    ipt_tape_options options = {.pointer_prefix = pointer_prefix};
    ipt_json_flaw flaw;
    if (!ipt_tape_build(text, &options, arena, &reading.tape, &flaw))
        return ipt_problem_set_flaw(problem, &flaw);
    return read_call(&reading, out);
}

bool ipt_batch_read(const ipt_batch *batch, size_t at, const char *pointer_prefix, ipt_arena *arena, ipt_call *out,
                    ipt_problem *problem)
{
    ipt_reading reading = {.problem = problem};
    ipt_tape_options options = {.pointer_prefix = pointer_prefix};
    ipt_json_flaw flaw;
    if (!ipt_json_part_open(&batch->requests[at], &options, arena, &reading.tape, &flaw))
        return ipt_problem_set_flaw(problem, &flaw);
    return read_call(&reading, out);
}
