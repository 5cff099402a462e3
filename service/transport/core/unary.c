/* One message in, one out: the whole answer is one batch. */
#include "core_priv.h"

#include <grpc/byte_buffer.h>

static void finish(core_call *call, bool ok)
{
    (void)ok; /* whether the answer reached anybody changes nothing for us */
    core_call_done(call);
}

/* NULL: the status says why. */
static grpc_byte_buffer *answer(core_call *call)
{
    core_queue *queue = call->queue;
    ipt_span bytes;
    ipt_buf_reset(&queue->out);
    if (!core_call_admit(call) || !core_call_bytes(call, &bytes) ||
        !ipt_method_run(call->method, &call->rpc, bytes, &queue->out))
        return NULL;
    grpc_byte_buffer *message = core_message_new(&queue->out);
    if (queue->out.cap > CORE_KEEP_BYTES)
        ipt_buf_done(&queue->out);
    return message;
}

void core_unary_begin(core_call *call, bool ok)
{
    if (!ok) { /* the server ends */
        core_call_done(call);
        return;
    }
    core_call_arm(call->queue, call->method);
    grpc_byte_buffer *message = answer(call);
    core_call_drop_request(call);
    grpc_op ops[4] = {core_op_initial(), core_op_status(call), core_op_close(call)};
    size_t count = 3;
    if (message != NULL)
        ops[count++] = core_op_message(message);
    call->main.step = finish;
    core_call_batch(call, ops, count, &call->main);
    if (message != NULL)
        grpc_byte_buffer_destroy(message);
    if (call->pending == 0)
        core_call_done(call);
}

void core_unknown_begin(core_call *call, bool ok)
{
    if (!ok) {
        core_call_done(call);
        return;
    }
    core_call_arm(call->queue, NULL);
    call->rpc.seat = call->queue->seat;
    ipt_method_refuse(NULL, &call->rpc, IPT_PROBLEM_METHOD_NOT_ALLOWED, "there is no method of this name");
    const grpc_op ops[] = {core_op_initial(), core_op_status(call), core_op_close(call)};
    call->main.step = finish;
    core_call_batch(call, ops, IPT_COUNT(ops), &call->main);
    if (call->pending == 0)
        core_call_done(call);
}
