/* A call's memory and the operations that are common to all of them. */
#include "core_priv.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdlib.h>

core_call *core_call_take(core_queue *queue, const ipt_method *method)
{
    core_call *call = queue->spare;
    grpc_metadata_array metadata;
    if (call != NULL) {
        queue->spare = call->next;
        metadata = call->metadata; /* with the room that it has */
        metadata.count = 0;
    } else {
        call = malloc(sizeof(*call));
        grpc_metadata_array_init(&metadata);
    }
    if (call == NULL)
        return NULL;
    *call = (core_call){.queue = queue, .method = method, .metadata = metadata};
    call->main.call = call->close.call = call;
    grpc_call_details_init(&call->details);
    call->status_message = call->status_details = grpc_empty_slice();
    return call;
}

static void (*first_step(const ipt_method *method))(core_call *, bool)
{
    if (method == NULL)
        return core_unknown_begin;
    switch (method->kind) {
    case IPT_METHOD_STREAM:
        return core_stream_begin;
    case IPT_METHOD_WATCH:
        return core_watch_begin;
    case IPT_METHOD_UNARY:
        break;
    }
    return core_unary_begin;
}

void core_call_arm(core_queue *queue, const ipt_method *method)
{
    ipt_transport *transport = queue->transport;
    if (atomic_load_explicit(&transport->closing, memory_order_acquire))
        return;
    size_t count;
    const ipt_method *methods = ipt_methods(&count);
    size_t at = method == NULL ? count : (size_t)(method - methods);
    core_call *call = core_call_take(queue, method);
    if (call == NULL) {
        queue->owed[at]++;
        return;
    }
    call->main.step = first_step(method);
    grpc_call_error error;
    if (method == NULL) {
        error = grpc_server_request_call(transport->server, &call->call, &call->details, &call->metadata, queue->cq,
                                         queue->cq, &call->main);
    } else {
        grpc_byte_buffer **payload = method->kind == IPT_METHOD_STREAM ? NULL : &call->request;
        error = grpc_server_request_registered_call(transport->server, transport->registered[at], &call->call,
                                                    &call->deadline, &call->metadata, payload, queue->cq, queue->cq,
                                                    &call->main);
    }
    if (error != GRPC_CALL_OK)
        core_call_done(call);
}

void core_call_drop_request(core_call *call)
{
    if (call->has_flat)
        grpc_slice_unref(call->flat);
    call->has_flat = false;
    if (call->request != NULL)
        grpc_byte_buffer_destroy(call->request);
    call->request = NULL;
}

void core_call_done(core_call *call)
{
    core_call_drop_request(call);
    grpc_slice_unref(call->status_message);
    grpc_slice_unref(call->status_details);
    grpc_call_details_destroy(&call->details);
    if (call->call != NULL)
        grpc_call_unref(call->call);
    call->next = call->queue->spare;
    call->queue->spare = call;
}

void core_call_free_spares(core_queue *queue)
{
    while (queue->spare != NULL) {
        core_call *next = queue->spare->next;
        grpc_metadata_array_destroy(&queue->spare->metadata);
        free(queue->spare);
        queue->spare = next;
    }
}

void core_call_batch(core_call *call, const grpc_op *ops, size_t count, core_tag *tag)
{
    call->pending++;
    call->busy = call->busy || tag == &call->main;
    if (grpc_call_start_batch(call->call, ops, count, tag, NULL) == GRPC_CALL_OK)
        return;
    /* Only a batch that breaks the library's rules is refused, which is a fault of ours: end the call, and wait for
     * nothing that will not come. */
    call->pending--;
    call->busy = call->busy && tag != &call->main;
    call->ended = true;
    (void)grpc_call_cancel_with_status(call->call, GRPC_STATUS_INTERNAL, "internal error", NULL);
}

static bool refuse(core_call *call, ipt_problem_code code, const char *detail)
{
    ipt_method_refuse(call->method, &call->rpc, code, detail);
    return false;
}

bool core_call_bytes(core_call *call, ipt_span *out)
{
    if (call->request == NULL)
        return refuse(call, IPT_PROBLEM_BAD_REQUEST, "there is no message in the call");
    if (call->request->data.raw.compression != GRPC_COMPRESS_NONE)
        return refuse(call, IPT_PROBLEM_METHOD_NOT_ALLOWED, "compressed messages are not taken");
    const grpc_slice_buffer *slices = &call->request->data.raw.slice_buffer;
    if (slices->count > 1) {
        grpc_byte_buffer_reader reader;
        if (!grpc_byte_buffer_reader_init(&reader, call->request))
            return refuse(call, IPT_PROBLEM_INTERNAL, "the message cannot be read");
        call->flat = grpc_byte_buffer_reader_readall(&reader);
        call->has_flat = true;
        grpc_byte_buffer_reader_destroy(&reader);
    }
    const grpc_slice *whole = call->has_flat ? &call->flat : slices->count == 1 ? &slices->slices[0] : NULL;
    /* A message of no bytes is a message, too. */
    *out = whole == NULL ? IPT_SPAN("")
                         : (ipt_span){(const char *)GRPC_SLICE_START_PTR(*whole), GRPC_SLICE_LENGTH(*whole)};
    return true;
}

bool core_call_in_time(core_call *call)
{
    if (gpr_time_cmp(call->deadline, gpr_inf_future(call->deadline.clock_type)) == 0 ||
        gpr_time_cmp(call->deadline, gpr_now(call->deadline.clock_type)) > 0)
        return true;
    return refuse(call, IPT_PROBLEM_DEADLINE_EXCEEDED, "it passed before the call was looked at");
}

bool core_call_admit(core_call *call)
{
    call->rpc.seat = call->queue->seat;
    const ipt_transport *transport = call->queue->transport;
    if (transport->tls.files == NULL)
        call->rpc.caller = core_door_caller(transport, call->call);
    else if (!core_tls_caller(&transport->tls, call->call, &call->rpc.caller))
        return refuse(call, IPT_PROBLEM_CALLER_NOT_ALLOWED, "the certificate has no name of client_sans");
    return core_call_in_time(call);
}

grpc_op core_op_initial(void)
{
    return (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
}

grpc_op core_op_message(grpc_byte_buffer *message)
{
    return (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message};
}

grpc_op core_op_status(core_call *call)
{
    const ipt_status *status = &call->rpc.status;
    grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    op.data.send_status_from_server.status = (grpc_status_code)status->code;
    call->ended = true;
    if (status->code == IPT_GRPC_OK)
        return op;
    call->status_message = grpc_slice_from_copied_string(status->message);
    op.data.send_status_from_server.status_details = &call->status_message;
    if (status->details_n != 0) {
        call->status_details = grpc_slice_from_copied_buffer((const char *)status->details, status->details_n);
        call->trailer = (grpc_metadata){.key = grpc_slice_from_static_string("grpc-status-details-bin"),
                                        .value = call->status_details};
        op.data.send_status_from_server.trailing_metadata_count = 1;
        op.data.send_status_from_server.trailing_metadata = &call->trailer;
    }
    return op;
}

grpc_op core_op_close(core_call *call)
{
    return (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &call->cancelled};
}

grpc_byte_buffer *core_message_new(const ipt_buf *buf)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(buf->p, buf->n);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return message;
}
