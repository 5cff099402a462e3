/* Taking connections ourselves. The library's own listener dies for good when descriptors run out, makes Unix sockets
 * that other users cannot open, and knows no limit of connections; so it only gets connected descriptors from us. It
 * does not say when one ends: a second descriptor of the same socket does, the watch. */
#include "core_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS = 64, AT_ONCE = 16, DESCRIPTORS_MAX = 1 << 20 };

static const uint64_t TAG_LISTENER = UINT64_MAX, TAG_WAKE = UINT64_MAX - 1;

static bool watch(int epoll, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static ipt_addr conn_addr(const core_conn *conn)
{
    return (ipt_addr){atomic_load_explicit(&conn->hi, memory_order_relaxed),
                      atomic_load_explicit(&conn->lo, memory_order_relaxed)};
}

static size_t descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > DESCRIPTORS_MAX)
        return DESCRIPTORS_MAX;
    return (size_t)limit.rlim_cur;
}

ipt_err core_door_open(ipt_transport *transport, const ipt_config *config)
{
    core_door *door = &transport->door;
    door->conn_max = descriptors();
    door->conns = calloc(door->conn_max, sizeof(*door->conns)); /* pages that are never touched cost nothing */
    door->beat = ipt_engine_add_beat(transport->engine, "grpc door");
    ipt_err err = ipt_gate_init(&door->gate, config->limit_connections, config->limit_per_address);
    if (err != IPT_OK || door->conns == NULL || door->beat == NULL)
        return IPT_ENOMEM;
    door->epoll = epoll_create1(EPOLL_CLOEXEC);
    door->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    door->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (door->epoll < 0 || door->wake < 0 || !watch(door->epoll, door->wake, EPOLLIN, TAG_WAKE) ||
        (door->listener.fd >= 0 && !watch(door->epoll, door->listener.fd, EPOLLIN, TAG_LISTENER)))
        return IPT_EIO;
    return IPT_OK;
}

static void leave(core_door *door, bool has_addr, ipt_addr addr)
{
    ipt_gate_leave(&door->gate, has_addr, addr);
    atomic_fetch_sub_explicit(&door->connections, 1, memory_order_relaxed);
}

/* The library owns fd from here on. */
static void hand_over(ipt_transport *transport, int fd)
{
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
    grpc_server_add_channel_from_fd(transport->server, fd, plain);
    grpc_server_credentials_release(plain);
}

static void take(ipt_transport *transport, int fd, const struct sockaddr_storage *from)
{
    core_door *door = &transport->door;
    ipt_addr addr = {0, 0};
    bool has_addr = ipt_listener_caller(from, &addr, NULL);
    if ((size_t)fd >= door->conn_max || ipt_gate_enter(&door->gate, has_addr, addr) != IPT_GATE_OK) {
        (void)close(fd);
        return;
    }
    core_conn *conn = &door->conns[fd];
    atomic_store_explicit(&conn->hi, addr.hi, memory_order_relaxed);
    atomic_store_explicit(&conn->lo, addr.lo, memory_order_relaxed);
    atomic_fetch_add_explicit(&door->connections, 1, memory_order_relaxed);
    int one = 1;
    if (has_addr)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    int end = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (end >= 0 && (size_t)end < door->conn_max && watch(door->epoll, end, 0, (uint64_t)end)) {
        door->conns[end].watched = addr;
        hand_over(transport, fd);
        return;
    }
    if (end >= 0)
        (void)close(end);
    leave(door, has_addr, addr);
    (void)close(fd);
}

/* Both directions are shut: either side has ended the connection. */
static void ended(core_door *door, int end)
{
    /* The library may still hold the socket, and closing one of two descriptors leaves the set as it is (epoll(7)). */
    (void)epoll_ctl(door->epoll, EPOLL_CTL_DEL, end, NULL);
    (void)close(end);
    leave(door, !door->listener.is_unix, door->conns[end].watched);
}

/* As in rest: a caller who is sent away knows, and the queue moves. */
static void shed(core_door *door)
{
    if (door->reserve >= 0)
        (void)close(door->reserve);
    int fd = accept4(door->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    door->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_some(ipt_transport *transport)
{
    core_door *door = &transport->door;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof(from);
        int fd = accept4(door->listener.fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(transport, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE) {
            shed(door);
            continue;
        }
        if ((errno == EBADF || errno == EINVAL || errno == ENOTSOCK) && !atomic_load(&door->closing))
            ipt_engine_listener_died(transport->engine);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

static void see_closing(core_door *door)
{
    if (door->deaf || !atomic_load_explicit(&door->closing, memory_order_acquire))
        return;
    (void)epoll_ctl(door->epoll, EPOLL_CTL_DEL, door->listener.fd, NULL);
    door->deaf = true;
}

static void *run(void *context)
{
    ipt_transport *transport = context;
    core_door *door = &transport->door;
    struct epoll_event events[EVENTS];
    while (!atomic_load_explicit(&door->stop, memory_order_acquire)) {
        int n = epoll_wait(door->epoll, events, EVENTS, IPT_BEAT_LONGEST_MS);
        ipt_beat_touch(door->beat, ipt_clock_ms());
        /* Ends first: they make room. */
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 < door->conn_max)
                ended(door, (int)events[i].data.u64);
        }
        for (int i = 0; i < n; i++) {
            uint64_t ignored;
            if (events[i].data.u64 == TAG_LISTENER)
                accept_some(transport);
            else if (events[i].data.u64 == TAG_WAKE)
                (void)!read(door->wake, &ignored, sizeof(ignored));
        }
        see_closing(door);
    }
    return NULL;
}

ipt_err core_door_start(ipt_transport *transport)
{
    if (pthread_create(&transport->door.thread, NULL, run, transport) != 0)
        return IPT_EIO;
    transport->door.started = true;
    return IPT_OK;
}

static void wake(const core_door *door)
{
    uint64_t one = 1;
    (void)!write(door->wake, &one, sizeof(one));
}

void core_door_shut(ipt_transport *transport)
{
    enum { LOOK_US = 5000, LOOKS = 100 };
    core_door *door = &transport->door;
    if (door->listener.fd < 0)
        return;
    ipt_listener_no_more(&door->listener);
    for (unsigned look = 0; look < LOOKS && ipt_listener_is_waited(&door->listener); look++)
        (void)usleep(LOOK_US);
    atomic_store_explicit(&door->closing, true, memory_order_release);
    ipt_listener_shut(&door->listener);
    wake(door);
    /* A socket that was handed over is not shut: whoever is accepted has to be counted before the caller counts. */
    for (unsigned look = 0; look < LOOKS && door->started && !door->deaf; look++)
        (void)usleep(LOOK_US);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void core_door_close(ipt_transport *transport)
{
    core_door *door = &transport->door;
    atomic_store_explicit(&door->stop, true, memory_order_release);
    if (door->started) {
        wake(door);
        (void)pthread_join(door->thread, NULL);
    }
    close_fd(door->epoll);
    close_fd(door->wake);
    close_fd(door->reserve);
    ipt_listener_close(&door->listener);
}

void core_door_free(core_door *door)
{
    ipt_gate_done(&door->gate);
    free(door->conns);
}

ipt_rpc_caller core_door_caller(const ipt_transport *transport, grpc_call *call)
{
    const core_door *door = &transport->door;
    if (door->listener.is_unix)
        return (ipt_rpc_caller){.is_unix = true};
    /* The library names a connection that it was given by its descriptor: "fd:12". */
    char *peer = grpc_call_get_peer(call);
    size_t fd = peer != NULL && strncmp(peer, "fd:", 3) == 0 ? strtoul(peer + 3, NULL, 10) : SIZE_MAX;
    gpr_free(peer);
    if (fd >= door->conn_max)
        return (ipt_rpc_caller){0};
    return (ipt_rpc_caller){.addr = conn_addr(&door->conns[fd])};
}
