/* Taking connections: within the limits, on the loop that has the fewest, also when descriptors run out. */
#include "h2_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { AT_ONCE = 16 };

static void leave(h2_loop *loop, int fd, bool has_addr, ipt_addr addr)
{
    (void)close(fd);
    ipt_gate_leave(&loop->transport->gate, has_addr, addr);
    atomic_fetch_sub_explicit(&loop->conn_count, 1, memory_order_relaxed);
}

static void begin(h2_loop *loop, int fd, bool has_addr, ipt_addr addr)
{
    h2_conn *conn = h2_conn_new(loop, fd, has_addr, addr);
    if (conn == NULL)
        leave(loop, fd, has_addr, addr);
    else
        h2_conn_begin(conn);
}

/* The kernel wakes whichever loop waits, most often the same one. */
static h2_loop *least_busy(h2_loop *loop)
{
    const ipt_transport *transport = loop->transport;
    size_t least = atomic_load_explicit(&loop->conn_count, memory_order_relaxed);
    for (unsigned i = 0; i < transport->loop_count; i++) {
        size_t n = atomic_load_explicit(&transport->loops[i].conn_count, memory_order_relaxed);
        if (n < least) {
            least = n;
            loop = &transport->loops[i];
        }
    }
    return loop;
}

static void take(h2_loop *loop, int fd, const struct sockaddr_storage *from)
{
    h2_post post = {.fd = fd};
    post.has_addr = ipt_listener_caller(from, &post.addr, NULL);
    if (ipt_gate_enter(&loop->transport->gate, post.has_addr, post.addr) != IPT_GATE_OK) {
        (void)close(fd);
        return;
    }
    int one = 1;
    if (post.has_addr)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    h2_loop *to = least_busy(loop);
    atomic_fetch_add_explicit(&to->conn_count, 1, memory_order_relaxed);
    if (to != loop && write(to->post[1], &post, sizeof(post)) == (ssize_t)sizeof(post))
        return;
    if (to != loop) { /* its pipe is full */
        atomic_fetch_sub_explicit(&to->conn_count, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&loop->conn_count, 1, memory_order_relaxed);
    }
    begin(loop, fd, post.has_addr, post.addr);
}

void h2_accept_posted(h2_loop *loop)
{
    h2_post post;
    while (read(loop->post[0], &post, sizeof(post)) == (ssize_t)sizeof(post)) {
        if (post.fd >= 0)
            begin(loop, post.fd, post.has_addr, post.addr);
    }
}

/* As in rest: a caller who is sent away knows, and the queue moves. */
static void shed(h2_loop *loop)
{
    if (loop->reserve >= 0)
        (void)close(loop->reserve);
    int fd = accept4(loop->transport->listener.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void h2_accept_some(h2_loop *loop)
{
    ipt_transport *transport = loop->transport;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof(from);
        int fd = accept4(transport->listener.fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(loop, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE) {
            shed(loop);
            continue;
        }
        if ((errno == EBADF || errno == EINVAL || errno == ENOTSOCK) && !atomic_load(&transport->closing))
            ipt_engine_listener_died(transport->engine);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}
