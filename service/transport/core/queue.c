/* One completion queue and the thread that serves it: takes events, runs their steps, and looks up from time to time.
 */
#include "core_priv.h"

#include <grpc/support/time.h>
#include <stdio.h>

enum { LOOK_UP_EVENTS = 256 };

ipt_err core_queue_open(core_queue *queue, ipt_transport *transport, unsigned number, unsigned shard)
{
    char name[32];
    queue->transport = transport;
    ipt_err err = ipt_rpc_seat_new(transport->rpc, shard, &queue->seat);
    if (err != IPT_OK)
        return err;
    snprintf(name, sizeof(name), "grpc queue %u", number);
    queue->beat = ipt_engine_add_beat(transport->engine, name);
    if (queue->beat == NULL)
        return IPT_ENOMEM;
    queue->cq = grpc_completion_queue_create_for_next(NULL);
    return IPT_OK;
}

static void arm(core_queue *queue)
{
    size_t count;
    const ipt_method *methods = ipt_methods(&count);
    for (size_t i = 0; i < count; i++) {
        bool rare = strncmp(methods[i].path, "/grpc.", 6) == 0;
        for (unsigned n = 0; n < (rare ? CORE_ARMED_RARE : CORE_ARMED); n++)
            core_call_arm(queue, &methods[i]);
    }
    for (unsigned n = 0; n < CORE_ARMED_RARE; n++)
        core_call_arm(queue, NULL);
}

static void look_up(core_queue *queue)
{
    size_t count;
    const ipt_method *methods = ipt_methods(&count);
    ipt_beat_touch(queue->beat, ipt_clock_ms());
    core_watch_look(queue);
    for (size_t i = 0; i <= count; i++) {
        for (unsigned owed = queue->owed[i]; owed != 0; owed--) {
            queue->owed[i]--;
            core_call_arm(queue, i == count ? NULL : &methods[i]);
        }
    }
}

/* The library wakes its own threads by itself; ours beats twice a second, so that a probe sees it live. */
static void *run(void *context)
{
    core_queue *queue = context;
    const gpr_timespec pause = gpr_time_from_millis(IPT_BEAT_LONGEST_MS, GPR_TIMESPAN);
    gpr_timespec next = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), pause);
    arm(queue);
    for (;;) {
        grpc_event event = grpc_completion_queue_next(queue->cq, next, NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_QUEUE_TIMEOUT) {
            next = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), pause);
            look_up(queue);
            continue;
        }
        if (event.tag == &queue->transport->end_tag) {
            atomic_store(&queue->transport->ended, true);
            continue;
        }
        const core_tag *tag = event.tag;
        tag->step(tag->call, event.success != 0);
        /* A queue that is never empty never times out. */
        if (++queue->events % LOOK_UP_EVENTS == 0 && gpr_time_cmp(gpr_now(GPR_CLOCK_MONOTONIC), next) >= 0) {
            next = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), pause);
            look_up(queue);
        }
    }
}

ipt_err core_queue_start(core_queue *queue)
{
    if (pthread_create(&queue->thread, NULL, run, queue) != 0)
        return IPT_EIO;
    queue->started = true;
    return IPT_OK;
}

void core_queue_close(core_queue *queue)
{
    if (queue->cq != NULL)
        grpc_completion_queue_shutdown(queue->cq);
    if (queue->started)
        (void)pthread_join(queue->thread, NULL);
    else if (queue->cq != NULL) {
        while (grpc_completion_queue_next(queue->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
               GRPC_QUEUE_SHUTDOWN)
            continue;
    }
    if (queue->cq != NULL)
        grpc_completion_queue_destroy(queue->cq);
    core_call_free_spares(queue);
    ipt_rpc_seat_free(queue->seat);
    ipt_buf_done(&queue->out);
}
