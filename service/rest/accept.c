/* Taking connections: limits before anything is spent on one, the loop with the fewest connections gets it, and a spare
 * descriptor so that running out of them never leaves the listener deaf. */
#include "rest_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { ACCEPT_AT_ONCE = 16 };

static void count_refused(rest_loop *loop, ipt_gate_answer why)
{
    ipt_rest *rest = loop->rest;
    ipt_metrics_add(ipt_engine_metrics(rest->engine), loop->seat.shard, rest->refused, &rest->refusals[why], 1);
}

/* Hands a connection to this loop's library, on this loop's thread. */
static void add(rest_loop *loop, rest_conn *conn, const struct sockaddr *from, socklen_t n)
{
    conn->loop = loop;
    loop->adding = conn;
    /* On failure the descriptor is closed; the notification tells whether the connection had begun. */
    if (MHD_add_connection(conn->tls_files == NULL ? loop->plain : loop->secure, conn->fd, from, n) != MHD_YES &&
        loop->adding != NULL) {
        atomic_fetch_sub_explicit(&loop->connections, 1, memory_order_relaxed);
        rest_conn_free(conn);
    }
    loop->adding = NULL;
}

static void add_plain(rest_loop *loop, rest_conn *conn)
{
    /* The library only copies the address; ours stands in the connection. */
    struct sockaddr_storage none = {.ss_family = AF_UNIX};
    add(loop, conn, (const struct sockaddr *)&none, sizeof(sa_family_t));
}

static rest_loop *least_loaded(rest_loop *own)
{
    ipt_rest *rest = own->rest;
    rest_loop *best = own;
    size_t fewest = atomic_load_explicit(&own->connections, memory_order_relaxed);
    for (unsigned i = 0; i < rest->loop_count; i++) {
        rest_loop *other = &rest->loops[i];
        size_t n = atomic_load_explicit(&other->connections, memory_order_relaxed);
        if (other->decides == own->decides && n < fewest) {
            best = other;
            fewest = n;
        }
    }
    return best;
}

static void hand_over(rest_loop *to, rest_conn *conn)
{
    (void)pthread_mutex_lock(&to->inbox_lock);
    conn->next = to->inbox;
    to->inbox = conn;
    (void)pthread_mutex_unlock(&to->inbox_lock);
    rest_loop_wake(to);
}

void rest_adopt(rest_loop *loop)
{
    (void)pthread_mutex_lock(&loop->inbox_lock);
    rest_conn *conn = loop->inbox;
    loop->inbox = NULL;
    (void)pthread_mutex_unlock(&loop->inbox_lock);
    while (conn != NULL) {
        rest_conn *next = conn->next;
        conn->next = NULL;
        add_plain(loop, conn);
        conn = next;
    }
}

static void take(rest_loop *loop, int fd, const rest_listener *listener, const struct sockaddr_storage *from)
{
    rest_conn *conn = rest_conn_new(loop, fd, listener, from);
    if (conn == NULL) {
        (void)close(fd);
        return;
    }
    /* Probes and the administrator get in however many callers there are. */
    if (loop->decides) {
        ipt_gate_answer entry = ipt_gate_enter(&loop->rest->gate, !conn->is_unix, conn->addr);
        if (entry != IPT_GATE_OK) {
            count_refused(loop, entry);
            rest_conn_free(conn);
            (void)close(fd);
            return;
        }
        conn->entered = true;
    }
    rest_loop *to = least_loaded(loop);
    atomic_fetch_add_explicit(&to->connections, 1, memory_order_relaxed);
    if (to == loop)
        add_plain(loop, conn);
    else
        hand_over(to, conn);
}

/* No descriptor left: give up the spare one, take the caller in and send it away, so that it knows and the queue moves.
 */
static void shed(rest_loop *loop, const rest_listener *listener)
{
    if (loop->reserve >= 0)
        (void)close(loop->reserve);
    int fd = accept4(listener->socket.fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    count_refused(loop, IPT_GATE_FULL);
}

void rest_accept(rest_loop *loop, const rest_listener *listener)
{
    for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage from = {0};
        socklen_t n = sizeof(from);
        int fd = accept4(listener->socket.fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            take(loop, fd, listener, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE) {
            shed(loop, listener);
            continue;
        }
        /* accept(2): a network error of the new connection is reported here too; only these mean the listener. */
        if ((errno == EBADF || errno == EINVAL || errno == ENOTSOCK) && rest_state_now(loop->rest) < REST_CLOSING)
            ipt_engine_listener_died(loop->rest->engine);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}
