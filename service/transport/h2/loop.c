/* One thread, its epoll set and its connections. Each turn: what is ready, what is due, twice a second a look around.
 */
#include "h2_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 64 };

static bool watch(int epoll, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

ipt_err h2_loop_open(h2_loop *loop, ipt_transport *transport, unsigned number, unsigned shard)
{
    char name[32];
    loop->transport = transport;
    loop->now = (int64_t)ipt_clock_ns();
    loop->jitter = (uint64_t)loop->now ^ number;
    ipt_err err = ipt_rpc_seat_new(transport->rpc, shard, &loop->seat);
    if (err != IPT_OK)
        return err;
    snprintf(name, sizeof(name), "grpc loop %u", number);
    loop->beat = ipt_engine_add_beat(transport->engine, name);
    loop->in = malloc(H2_IN);
    loop->out = malloc(H2_OUT);
    if (loop->beat == NULL || loop->in == NULL || loop->out == NULL)
        return IPT_ENOMEM;
    loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (pipe2(loop->post, O_CLOEXEC | O_NONBLOCK) != 0)
        loop->post[0] = loop->post[1] = -1;
    if (loop->epoll < 0 || loop->post[0] < 0 || !watch(loop->epoll, loop->post[0], EPOLLIN, &loop->post) ||
        !watch(loop->epoll, transport->listener.fd, EPOLLIN | EPOLLEXCLUSIVE, &transport->listener))
        return IPT_EIO;
    return IPT_OK;
}

static void see_closing(h2_loop *loop)
{
    if (loop->closing || !atomic_load_explicit(&loop->transport->closing, memory_order_acquire))
        return;
    loop->closing = true;
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->transport->listener.fd, NULL);
    h2_watch_look(loop);
    for (h2_conn *conn = loop->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->lingering)
            continue;
        h2_drain_begin(conn);
        h2_conn_settle(conn);
    }
}

static void run_timers(h2_loop *loop)
{
    for (h2_timer *due; (due = h2_timers_due(&loop->timers, loop->now)) != NULL;) {
        h2_alarm *alarm = (h2_alarm *)due;
        if (!alarm->of_stream) {
            h2_conn_alarm((h2_conn *)alarm);
            continue;
        }
        h2_stream *stream = (h2_stream *)alarm;
        h2_conn *conn = stream->conn;
        h2_stream_alarm(stream);
        h2_conn_settle(conn);
    }
}

static int pause_ms(const h2_loop *loop)
{
    int64_t next = h2_timers_next(&loop->timers);
    if (loop->look_at < next)
        next = loop->look_at;
    int64_t left = (next - (int64_t)ipt_clock_ns() + h2_ms(1) - 1) / h2_ms(1);
    return left <= 0 ? 0 : left > H2_LOOK_MS ? H2_LOOK_MS : (int)left;
}

static void turn(h2_loop *loop)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(loop->epoll, events, EVENTS, pause_ms(loop));
    loop->now = (int64_t)ipt_clock_ns();
    ipt_beat_touch(loop->beat, ipt_clock_ms());
    bool others = false, accepts = false;
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == &loop->post)
            others = true;
        else if (events[i].data.ptr == &loop->transport->listener)
            accepts = true;
        else
            h2_conn_ready(events[i].data.ptr, events[i].events);
    }
    run_timers(loop);
    if (others)
        h2_accept_posted(loop);
    if (accepts)
        h2_accept_some(loop);
    see_closing(loop);
    if (loop->now >= loop->look_at) {
        loop->look_at = loop->now + h2_ms(H2_LOOK_MS);
        h2_watch_look(loop);
    }
}

static void *run(void *context)
{
    h2_loop *loop = context;
    while (!atomic_load_explicit(&loop->transport->stop, memory_order_acquire))
        turn(loop);
    while (loop->conns != NULL)
        h2_conn_free(loop->conns);
    return NULL;
}

ipt_err h2_loop_start(h2_loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run, loop) != 0)
        return IPT_EIO;
    loop->started = true;
    return IPT_OK;
}

void h2_loop_wake(h2_loop *loop)
{
    const h2_post nothing = {.fd = -1};
    (void)!write(loop->post[1], &nothing, sizeof(nothing)); /* a full pipe wakes as well */
}

void h2_loop_stop(h2_loop *loop)
{
    if (!loop->started)
        return;
    h2_loop_wake(loop);
    (void)pthread_join(loop->thread, NULL);
    loop->started = false;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void h2_loop_done(h2_loop *loop)
{
    h2_post post;
    while (loop->post[0] >= 0 && read(loop->post[0], &post, sizeof(post)) == (ssize_t)sizeof(post))
        close_fd(post.fd);
    close_fd(loop->epoll);
    close_fd(loop->post[0]);
    close_fd(loop->post[1]);
    close_fd(loop->reserve);
    h2_spares_free(loop);
    ipt_rpc_seat_free(loop->seat);
    free(loop->in);
    free(loop->out);
}
