/* The bare echo of tests/bench: gRPC C core answering every call of a method with the same bytes, one batch a call, one
 * completion queue and thread a core. The least that a server on this library costs.
 *
 *   bench_echo ADDRESS THREADS /package.Service/Method=FILE... */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARMED = 16, METHODS_MAX = 4, THREADS_MAX = 64, FILE_MAX = 1 << 20 };

typedef struct method {
    void *registered;
    grpc_slice answer;
} method;

typedef struct echo {
    grpc_server *server;
    method methods[METHODS_MAX];
    size_t method_count;
} echo;

typedef struct queue {
    const echo *echo;
    grpc_completion_queue *cq;
} queue;

typedef struct call {
    const method *method;
    bool answered;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *request;
} call;

static void arm(const queue *q, const method *m)
{
    call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        exit(EXIT_FAILURE);
    c->method = m;
    grpc_metadata_array_init(&c->metadata);
    if (grpc_server_request_registered_call(q->echo->server, m->registered, &c->call, &c->deadline, &c->metadata,
                                            &c->request, q->cq, q->cq, c) != GRPC_CALL_OK)
        exit(EXIT_FAILURE);
}

static void answer(call *c)
{
    static int cancelled; /* nobody looks */
    grpc_slice bytes = c->method->answer;
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
        {.op = GRPC_OP_SEND_STATUS_FROM_SERVER},
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &cancelled},
    };
    c->answered = true;
    if (grpc_call_start_batch(c->call, ops, 4, c, NULL) != GRPC_CALL_OK)
        exit(EXIT_FAILURE);
    grpc_byte_buffer_destroy(message);
}

static void done(call *c)
{
    grpc_metadata_array_destroy(&c->metadata);
    if (c->request != NULL)
        grpc_byte_buffer_destroy(c->request);
    if (c->call != NULL)
        grpc_call_unref(c->call);
    free(c);
}

static void *serve(void *context)
{
    const queue *q = context;
    for (size_t i = 0; i < q->echo->method_count; i++) {
        for (unsigned n = 0; n < ARMED; n++)
            arm(q, &q->echo->methods[i]);
    }
    for (;;) {
        grpc_event event = grpc_completion_queue_next(q->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        call *c = event.tag;
        if (event.type != GRPC_OP_COMPLETE)
            return NULL;
        if (c->answered || event.success == 0) {
            done(c);
            continue;
        }
        arm(q, c->method);
        answer(c);
    }
}

/* "/package.Service/Method=FILE" */
static void add(echo *e, char *argument)
{
    static char bytes[FILE_MAX];
    char *path = strchr(argument, '=');
    FILE *file = path == NULL ? NULL : fopen(path + 1, "rb");
    if (file == NULL || e->method_count == METHODS_MAX) {
        fprintf(stderr, "bench_echo: %s: want METHOD=FILE\n", argument);
        exit(EXIT_FAILURE);
    }
    *path = '\0';
    method *m = &e->methods[e->method_count++];
    m->answer = grpc_slice_from_copied_buffer(bytes, fread(bytes, 1, sizeof(bytes), file));
    m->registered =
        grpc_server_register_method(e->server, argument, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    unsigned long threads = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    echo e = {0};
    static queue queues[THREADS_MAX];
    pthread_t thread;
    sigset_t set;
    if (threads == 0 || threads > THREADS_MAX) {
        fputs("usage: bench_echo ADDRESS THREADS METHOD=FILE...\n", stderr);
        return EXIT_FAILURE;
    }
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    grpc_init();
    e.server = grpc_server_create(NULL, NULL);
    for (int i = 3; i < argc; i++)
        add(&e, argv[i]);
    for (unsigned long i = 0; i < threads; i++) {
        queues[i] = (queue){&e, grpc_completion_queue_create_for_next(NULL)};
        grpc_server_register_completion_queue(e.server, queues[i].cq, NULL);
    }
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
    if (grpc_server_add_http2_port(e.server, argv[1], plain) == 0) {
        fprintf(stderr, "bench_echo: cannot listen on %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    grpc_server_start(e.server);
    for (unsigned long i = 0; i < threads; i++)
        (void)pthread_create(&thread, NULL, serve, &queues[i]);
    int got;
    (void)sigwait(&set, &got);
    _Exit(EXIT_SUCCESS);
}
