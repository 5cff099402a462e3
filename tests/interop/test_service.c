/* grpc.testing.TestService (grpc's doc/interop-test-descriptions.md) on the transport of nghttp2, for the official
 * interop client: what gRPC has and our own services do not need. Says its address on standard output and serves until
 * standard input ends. */
#include "h2_priv.h"
#include "test_service.pb-c.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE_LIMIT = 4 << 20, METADATA_LIMIT = 128 };

typedef enum which { EMPTY = 0, UNARY, INPUT, OUTPUT, DUPLEX } which;

#define SERVICE "/grpc.testing.TestService/"
static const ipt_method methods[] = {
    [EMPTY] = {.path = SERVICE "EmptyCall", .kind = IPT_METHOD_STREAM},
    [UNARY] = {.path = SERVICE "UnaryCall", .kind = IPT_METHOD_STREAM},
    [INPUT] = {.path = SERVICE "StreamingInputCall", .kind = IPT_METHOD_STREAM},
    [OUTPUT] = {.path = SERVICE "StreamingOutputCall", .kind = IPT_METHOD_STREAM},
    [DUPLEX] = {.path = SERVICE "FullDuplexCall", .kind = IPT_METHOD_STREAM},
};

static const ipt_method *find(ipt_span path)
{
    for (size_t i = 0; i < IPT_COUNT(methods); i++) {
        if (ipt_span_equal(path, ipt_span_from(methods[i].path)))
            return &methods[i];
    }
    return NULL;
}

/* ---- what is kept of a call ---- */

typedef struct echo {
    char value[METADATA_LIMIT];
    size_t n;
} echo;

typedef struct own {
    echo initial, trailing;
    int32_t aggregated; /* bytes of payload */
} own;

static own *own_of(h2_stream *stream)
{
    if (stream->own == NULL && (stream->own = calloc(1, sizeof(own))) == NULL)
        abort();
    return stream->own;
}

static void over(h2_stream *stream)
{
    free(stream->own);
    stream->own = NULL;
}

/* ---- metadata ---- */

#define INITIAL  "x-grpc-test-echo-initial"
#define TRAILING "x-grpc-test-echo-trailing-bin"

static void keep(echo *to, ipt_span value)
{
    to->n = value.n < sizeof(to->value) ? value.n : 0;
    memcpy(to->value, value.p, to->n);
}

static void header(h2_stream *stream, ipt_span name, ipt_span value)
{
    if (ipt_span_equal(name, IPT_SPAN(INITIAL)))
        keep(&own_of(stream)->initial, value);
    else if (ipt_span_equal(name, IPT_SPAN(TRAILING)))
        keep(&own_of(stream)->trailing, value);
}

static size_t metadata(h2_stream *stream, bool is_behind, nghttp2_nv *to)
{
    own *mine = own_of(stream);
    echo *what = is_behind ? &mine->trailing : &mine->initial;
    const char *name = is_behind ? TRAILING : INITIAL;
    if (what->n == 0)
        return 0;
    *to = (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)what->value, strlen(name), what->n, NGHTTP2_NV_FLAG_NONE};
    return 1;
}

/* ---- answers ---- */

static void answer(h2_stream *stream, const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t prefix[H2_PREFIX], *bytes = malloc(n + 1);
    if (bytes == NULL)
        abort();
    (void)protobuf_c_message_pack(message, bytes);
    h2_frame_prefix(prefix, n);
    ipt_buf_add(&stream->out, (ipt_span){(const char *)prefix, sizeof(prefix)});
    ipt_buf_add(&stream->out, (ipt_span){(const char *)bytes, n});
    free(bytes);
    stream->queued += sizeof(prefix) + n;
    h2_reply_message(stream);
}

/* False: nobody asks for that much. */
static bool payload_make(Grpc__Testing__Payload *payload, int32_t size)
{
    if (size < 0 || size > SIZE_LIMIT)
        return false;
    payload->body.len = (size_t)size;
    payload->body.data = calloc(1, (size_t)size + 1);
    return payload->body.data != NULL;
}

static void end_with(h2_stream *stream, const Grpc__Testing__EchoStatus *echoed)
{
    ipt_status status = {.code = (ipt_grpc_code)echoed->code};
    snprintf(status.message, sizeof(status.message), "%s", echoed->message);
    h2_reply_end(stream, &status);
}

static void refuse(h2_stream *stream)
{
    h2_reply_refuse(stream, IPT_PROBLEM_BAD_REQUEST, "TestService does not know this");
}

/* ---- methods ---- */

static void empty_call(h2_stream *stream, ipt_span bytes)
{
    const Grpc__Testing__StreamingInputCallRequest nothing = GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
    (void)bytes;
    answer(stream, &nothing.base);
    h2_reply_end(stream, NULL);
}

static void unary_call(h2_stream *stream, ipt_span bytes)
{
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    Grpc__Testing__SimpleRequest *request =
        grpc__testing__simple_request__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
    if (request == NULL)
        refuse(stream);
    else if (request->response_status != NULL && request->response_status->code != 0)
        end_with(stream, request->response_status);
    else if (!payload_make(&payload, request->response_size))
        refuse(stream);
    else {
        char id[] = "one and only";
        response.payload = &payload;
        response.server_id = request->fill_server_id ? id : response.server_id;
        answer(stream, &response.base);
        h2_reply_end(stream, NULL);
    }
    free(payload.body.data);
    grpc__testing__simple_request__free_unpacked(request, NULL);
}

static void input_call(h2_stream *stream, ipt_span bytes)
{
    Grpc__Testing__StreamingInputCallRequest *request =
        grpc__testing__streaming_input_call_request__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
    if (request == NULL)
        refuse(stream);
    else if (request->payload != NULL)
        own_of(stream)->aggregated += (int32_t)request->payload->body.len;
    grpc__testing__streaming_input_call_request__free_unpacked(request, NULL);
}

/* Nothing here waits between answers, so a client that asks for that is refused and sees it. */
static bool answer_one(h2_stream *stream, const Grpc__Testing__ResponseParameters *asked)
{
    Grpc__Testing__StreamingOutputCallResponse response = GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
    if (asked->interval_us != 0 || !payload_make(&payload, asked->size))
        return false;
    response.payload = &payload;
    answer(stream, &response.base);
    free(payload.body.data);
    return true;
}

static void output_call(h2_stream *stream, ipt_span bytes)
{
    Grpc__Testing__StreamingOutputCallRequest *request =
        grpc__testing__streaming_output_call_request__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
    bool good = request != NULL;
    for (size_t i = 0; good && i < request->n_response_parameters; i++)
        good = answer_one(stream, request->response_parameters[i]);
    if (!good)
        refuse(stream);
    else if (request->response_status != NULL && request->response_status->code != 0)
        end_with(stream, request->response_status);
    else if (stream->method == &methods[OUTPUT])
        h2_reply_end(stream, NULL);
    grpc__testing__streaming_output_call_request__free_unpacked(request, NULL);
}

static void message(h2_stream *stream, ipt_span bytes)
{
    switch ((which)(stream->method - methods)) {
    case EMPTY:
        empty_call(stream, bytes);
        return;
    case UNARY:
        unary_call(stream, bytes);
        return;
    case INPUT:
        input_call(stream, bytes);
        return;
    case OUTPUT:
    case DUPLEX:
        output_call(stream, bytes);
        return;
    }
}

static void said_all(h2_stream *stream)
{
    Grpc__Testing__StreamingInputCallResponse sum = GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
    switch ((which)(stream->method - methods)) {
    case INPUT:
        sum.aggregated_payload_size = own_of(stream)->aggregated;
        answer(stream, &sum.base);
        h2_reply_end(stream, NULL);
        return;
    case DUPLEX:
        h2_reply_end(stream, NULL);
        return;
    case EMPTY:
    case UNARY:
    case OUTPUT:
        refuse(stream); /* a message has to come */
        return;
    }
}

static const h2_service service = {find, header, message, said_all, metadata, over};

/* ---- the program ---- */

static ipt_transport *open_transport(const char *path, ipt_engine **engine, ipt_rpc **rpc)
{
    const ipt_engine_options options = {.config_path = path, .shards = 2, .decision_fd = -1};
    ipt_transport *transport = NULL;
    ipt_diag diag;
    if (ipt_diag_init(&diag) != IPT_OK || ipt_engine_open(&options, &diag, engine) != IPT_OK ||
        ipt_rpc_new(*engine, rpc) != IPT_OK)
        return NULL;
    ipt_diag_done(&diag);
    const ipt_generation *generation = ipt_engine_acquire(*engine);
    ipt_err err = h2_transport_open(*engine, *rpc, generation->view->config, NULL, 2, 0, &service, &transport);
    ipt_engine_release(*engine, generation);
    return err == IPT_OK && ipt_transport_start(transport) == IPT_OK ? transport : NULL;
}

int main(int argc, char **argv)
{
    ipt_engine *engine = NULL;
    ipt_rpc *rpc = NULL;
    char byte;
    if (argc != 2)
        return fprintf(stderr, "usage: test_service CONFIG\n"), 2;
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    ipt_transport *transport = open_transport(argv[1], &engine, &rpc);
    if (transport == NULL)
        return fprintf(stderr, "test_service: cannot serve %s\n", argv[1]), 1;
    printf("%s\n", ipt_transport_address(transport));
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    ipt_transport_close(transport);
    ipt_rpc_free(rpc);
    ipt_engine_close(engine);
    return 0;
}
