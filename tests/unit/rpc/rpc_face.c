/* Services on an engine of a given configuration, called with bytes as a transport would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "exact.h"
#include "rpc_face.h"

static const char usual[] =
    "lists:\n"
    "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
    "  envoy: {prefixes: [127.0.0.0/8], internal: true, broad: accepted}\n"
    "  sock: {unix: true}\n"
    "policies:\n"
    "  default: {trust: [lb, envoy], clients: any}\n"
    "  edge: {trust: [lb, sock], clients: any, selectable_by: [grpc, ext_authz]}\n"
    "  strict: {trust: [lb], mode: enforce, deny: {confidence_below: high}, selectable_by: [ext_authz]}\n"
    "  watched: {trust: [lb], mode: shadow, deny: {confidence_below: high}, selectable_by: [ext_authz]}\n"
    "  rewriting: {trust: [lb], rewrite: [x-forwarded-for, x-real-ip], selectable_by: [ext_authz]}\n"
    "  closed: {trust: [lb], selectable_by: [rest]}\n";

static void engine_open(face *f, const char *config)
{
    char path[] = "/tmp/ipt-rpc-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, config, strlen(config)), strlen(config));
    close(fd);
    ipt_diag diag;
    const ipt_engine_options options = {.config_path = path, .shards = 1, .decision_fd = -1};
    assert_int_equal(ipt_diag_init(&diag), IPT_OK);
    ipt_err err = ipt_engine_open(&options, &diag, &f->engine);
    for (const ipt_diag_item *item = diag.first; err != IPT_OK && item != NULL; item = item->next)
        print_error("%u: %s\n", (unsigned)item->place.line, item->text);
    assert_int_equal(err, IPT_OK);
    ipt_diag_done(&diag);
    unlink(path);
}

void face_open(face *f)
{
    face_open_with(f, usual);
}

void face_open_with(face *f, const char *config)
{
    *f = (face){0};
    engine_open(f, config);
    assert_int_equal(ipt_rpc_new(f->engine, &f->rpc), IPT_OK);
    assert_int_equal(ipt_rpc_seat_new(f->rpc, 0, &f->seat), IPT_OK);
    f->call.seat = f->seat;
    f->call.caller.is_unix = true;
}

void face_close(face *f)
{
    ipt_buf_done(&f->out);
    ipt_rpc_seat_free(f->seat);
    ipt_rpc_free(f->rpc);
    ipt_engine_close(f->engine);
}

bool face_run(face *f, const char *path, ipt_span bytes)
{
    const ipt_method *method = ipt_method_find(ipt_span_from(path));
    assert_non_null(method);
    ipt_buf_reset(&f->out);
    ipt_span copy = exact_n(bytes.p, bytes.n);
    bool done = ipt_method_run(method, &f->call, copy, &f->out);
    free((char *)(uintptr_t)copy.p);
    /* Either there is an answer, or a status that says why not. */
    if (done)
        assert_int_equal(f->call.status.code, IPT_GRPC_OK);
    else
        assert_true(f->call.status.code != IPT_GRPC_OK && f->call.status.message[0] != '\0' && f->out.n == 0);
    return done;
}

bool face_send(face *f, const char *path, const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(n + 1);
    assert_non_null(bytes);
    assert_int_equal(protobuf_c_message_pack(message, bytes), n);
    bool done = face_run(f, path, (ipt_span){(const char *)bytes, n});
    free(bytes);
    return done;
}

void *face_ask(face *f, const char *path, const ProtobufCMessage *message, const ProtobufCMessageDescriptor *answer)
{
    if (!face_send(f, path, message))
        return NULL;
    void *out = protobuf_c_message_unpack(answer, NULL, f->out.n, (const uint8_t *)f->out.p);
    assert_non_null(out);
    /* Packed by us in one pass; the library's two passes must come to the same. */
    uint8_t *again = malloc(f->out.n + 1);
    assert_non_null(again);
    assert_int_equal(protobuf_c_message_get_packed_size(out), f->out.n);
    assert_int_equal(protobuf_c_message_pack(out, again), f->out.n);
    if (f->out.n != 0)
        assert_memory_equal(again, f->out.p, f->out.n);
    free(again);
    return out;
}
