/* Calls of more than one message: streams, where every message in is one out, and watches, which speak when something
 * has changed. The call's end has a batch of its own, and the call is let go when no batch is under way. */
#include "core_priv.h"

#include <grpc/byte_buffer.h>

static void unwatch(core_call *call)
{
    if (!call->watching)
        return;
    call->watching = false;
    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        call->queue->watches = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
}

static void let_go_when_over(core_call *call)
{
    if (call->pending != 0)
        return;
    unwatch(call);
    core_call_done(call);
}

static void send_status(core_call *call)
{
    const grpc_op op = core_op_status(call);
    core_call_batch(call, &op, 1, &call->main);
}

/* One message of the call's is answered; NULL: the status says why. */
static grpc_byte_buffer *answer(core_call *call)
{
    core_queue *queue = call->queue;
    ipt_span bytes;
    ipt_buf_reset(&queue->out);
    bool ok = core_call_in_time(call) && core_call_bytes(call, &bytes) &&
              ipt_method_run(call->method, &call->rpc, bytes, &queue->out);
    core_call_drop_request(call);
    return ok ? core_message_new(&queue->out) : NULL;
}

/* The end, as the library saw it: the status was sent, or the caller is gone. */
static void on_close(core_call *call, bool ok)
{
    (void)ok;
    call->pending--;
    call->ended = call->ended || call->cancelled != 0;
    let_go_when_over(call);
}

static void await_close(core_call *call)
{
    const grpc_op op = core_op_close(call);
    call->close.step = on_close;
    core_call_batch(call, &op, 1, &call->close);
}

/* ---- streams ---- */

static grpc_op receive(core_call *call)
{
    return (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->request};
}

/* An answer was sent and the next message has come, or none will. */
static void on_message(core_call *call, bool ok)
{
    call->pending--;
    call->busy = false;
    if (call->ended || !ok) {
        core_call_drop_request(call);
    } else if (call->request == NULL) { /* the caller has said all */
        call->rpc.status = (ipt_status){.code = IPT_GRPC_OK};
        send_status(call);
    } else {
        grpc_byte_buffer *message = answer(call);
        if (message != NULL) {
            const grpc_op ops[] = {core_op_message(message), receive(call)};
            core_call_batch(call, ops, IPT_COUNT(ops), &call->main);
            grpc_byte_buffer_destroy(message);
        } else
            send_status(call);
    }
    let_go_when_over(call);
}

void core_stream_begin(core_call *call, bool ok)
{
    if (!ok) {
        core_call_done(call);
        return;
    }
    core_call_arm(call->queue, call->method);
    await_close(call);
    call->main.step = on_message;
    if (core_call_admit(call)) {
        const grpc_op ops[] = {core_op_initial(), receive(call)};
        core_call_batch(call, ops, IPT_COUNT(ops), &call->main);
    } else {
        const grpc_op ops[] = {core_op_initial(), core_op_status(call)};
        core_call_batch(call, ops, IPT_COUNT(ops), &call->main);
    }
    let_go_when_over(call);
}

/* ---- watches ---- */

static void on_told(core_call *call, bool ok)
{
    call->pending--;
    call->busy = false;
    call->ended = call->ended || !ok;
    let_go_when_over(call);
}

void core_watch_begin(core_call *call, bool ok)
{
    if (!ok) {
        core_call_done(call);
        return;
    }
    core_queue *queue = call->queue;
    core_call_arm(queue, call->method);
    await_close(call);
    call->main.step = on_told;
    grpc_byte_buffer *message = core_call_admit(call) ? answer(call) : NULL;
    const grpc_op ops[] = {core_op_initial(), message == NULL ? core_op_status(call) : core_op_message(message)};
    core_call_batch(call, ops, IPT_COUNT(ops), &call->main);
    if (message != NULL) {
        grpc_byte_buffer_destroy(message);
        call->watching = true;
        call->next = queue->watches;
        if (call->next != NULL)
            call->next->prev = call;
        queue->watches = call;
    }
    let_go_when_over(call);
}

static void look(core_call *call, bool closing)
{
    core_queue *queue = call->queue;
    ipt_buf_reset(&queue->out);
    if (!core_call_in_time(call)) {
        send_status(call);
    } else if (ipt_method_watch(&call->rpc, &queue->out)) {
        grpc_byte_buffer *message = core_message_new(&queue->out);
        const grpc_op op = core_op_message(message);
        core_call_batch(call, &op, 1, &call->main);
        grpc_byte_buffer_destroy(message);
    } else if (closing) {
        call->rpc.status = (ipt_status){.code = IPT_GRPC_UNAVAILABLE, .message = "draining: this daemon ends"};
        send_status(call);
    }
}

void core_watch_look(core_queue *queue)
{
    bool closing = atomic_load_explicit(&queue->transport->closing, memory_order_acquire);
    for (core_call *call = queue->watches, *next; call != NULL; call = next) {
        next = call->next;
        if (!call->busy && !call->ended)
            look(call, closing);
    }
}
