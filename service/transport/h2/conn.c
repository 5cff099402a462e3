/* A connection and its descriptor: reads once a turn, writes what the session has to say, and ends in the order that
 * lets the other side read the last word. */
#include "h2_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static const uint32_t NEVER = UINT32_MAX; /* not in the set of the loop */

h2_conn *h2_conn_new(h2_loop *loop, int fd, bool has_addr, ipt_addr addr)
{
    h2_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    conn->loop = loop;
    conn->fd = fd;
    conn->events = NEVER;
    conn->caller = (ipt_rpc_caller){.is_unix = !has_addr, .addr = addr};
    conn->born = conn->last_in = loop->now;
    conn->age_at = loop->now + h2_age(loop);
    conn->hello_by = loop->now + h2_ms(H2_HELLO_MS);
    conn->frame_by = conn->ping_by = conn->write_by = conn->drain_by = conn->grace_by = conn->linger_by = INT64_MAX;
    if (!h2_session_new(conn)) {
        nghttp2_session_del(conn->session);
        free(conn);
        return NULL;
    }
    conn->next = loop->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    loop->conns = conn;
    return conn;
}

/* The library tells of no stream that it drops with the session. */
static void drop_session(h2_conn *conn)
{
    while (conn->streams != NULL)
        h2_stream_free(conn->streams);
    nghttp2_session_del(conn->session);
    conn->session = NULL;
}

void h2_conn_free(h2_conn *conn)
{
    h2_loop *loop = conn->loop;
    drop_session(conn);
    h2_timer_cancel(&loop->timers, &conn->alarm.timer);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        loop->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    h2_tls_free(conn->tls);
    if (conn->fd >= 0) {
        (void)close(conn->fd);
        ipt_gate_leave(&loop->transport->gate, !conn->caller.is_unix, conn->caller.addr);
        atomic_fetch_sub_explicit(&loop->conn_count, 1, memory_order_relaxed);
    }
    free(conn->rest);
    free(conn);
}

/* ---- the descriptor ---- */

static void listen_for(h2_conn *conn, uint32_t events)
{
    if (conn->events == events || conn->fd < 0)
        return;
    struct epoll_event event = {.events = events, .data.ptr = conn};
    int how = conn->events == NEVER ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(conn->loop->epoll, how, conn->fd, &event) == 0)
        conn->events = events;
    else
        conn->failed = true;
}

/* Record by record, as much as the socket takes. */
static size_t send_sealed(h2_conn *conn, const uint8_t *bytes, size_t n)
{
    size_t sent = 0;
    while (sent < n) {
        size_t more;
        h2_io io = h2_tls_write(conn->tls, bytes + sent, n - sent, &more);
        if (io == H2_IO_ENDED || io == H2_IO_WANTS_READ) /* nothing is negotiated again, so it wants nothing */
            conn->failed = true;
        if (io != H2_IO_DONE)
            break;
        sent += more;
    }
    return sent;
}

/* Bytes sent; less than n: the socket is full. */
static size_t send_some(h2_conn *conn, const uint8_t *bytes, size_t n)
{
    if (conn->tls != NULL)
        return send_sealed(conn, bytes, n);
    ssize_t sent = send(conn->fd, bytes, n, MSG_NOSIGNAL);
    if (sent >= 0)
        return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR)
        conn->failed = true;
    return 0;
}

/* Records as far as they have come, at most what a turn may read. */
static size_t read_sealed(h2_conn *conn)
{
    enum { RECORD = 16 << 10 };
    size_t n = 0;
    while (n + RECORD <= H2_IN) {
        size_t more;
        h2_io io = h2_tls_read(conn->tls, conn->loop->in + n, H2_IN - n, &more);
        n += more;
        if (io == H2_IO_DONE)
            continue;
        conn->failed = n == 0 && io != H2_IO_WANTS_READ; /* else it is seen at the next turn */
        break;
    }
    return n;
}

/* Bytes in the loop's in. */
static size_t read_some(h2_conn *conn)
{
    if (conn->tls != NULL)
        return read_sealed(conn);
    ssize_t n = recv(conn->fd, conn->loop->in, H2_IN, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        conn->failed = true;
    return n < 0 ? 0 : (size_t)n;
}

static void keep_rest(h2_conn *conn, const uint8_t *bytes, size_t n)
{
    conn->rest = malloc(n);
    if (conn->rest == NULL) {
        conn->failed = true;
        return;
    }
    memcpy(conn->rest, bytes, n);
    conn->rest_n = n;
    conn->rest_at = 0;
    if (conn->write_by == INT64_MAX)
        conn->write_by = conn->loop->now + h2_ms(H2_MESSAGE_MS);
}

/* What the socket did not take before. False: it still does not. */
static bool send_rest(h2_conn *conn)
{
    if (conn->rest_n == 0)
        return true;
    conn->rest_at += send_some(conn, conn->rest + conn->rest_at, conn->rest_n - conn->rest_at);
    if (conn->rest_at < conn->rest_n)
        return false;
    free(conn->rest);
    conn->rest = NULL;
    conn->rest_n = conn->rest_at = 0;
    conn->write_by = INT64_MAX;
    return true;
}

/* Writes once; more is left for the next turn, so that nobody starves. */
static void flush(h2_conn *conn)
{
    h2_loop *loop = conn->loop;
    if (!send_rest(conn) || conn->failed)
        return;
    loop->out_n = 0;
    if (!h2_session_take(conn))
        conn->failed = true;
    if (loop->out_n == 0)
        return;
    size_t sent = send_some(conn, loop->out, loop->out_n);
    if (sent < loop->out_n && !conn->failed)
        keep_rest(conn, loop->out + sent, loop->out_n - sent);
}

/* ---- ends ---- */

static void linger(h2_conn *conn)
{
    drop_session(conn);
    conn->lingering = true;
    conn->linger_by = conn->loop->now + h2_ms(H2_LINGER_MS);
    if (conn->tls != NULL)
        h2_tls_say_end(conn->tls);
    (void)shutdown(conn->fd, SHUT_WR);
    listen_for(conn, EPOLLIN);
    h2_timer_set(&conn->loop->timers, &conn->alarm.timer, conn->linger_by);
}

/* Throws away what comes; the connection ends when the other side has. */
static void throw_away(h2_conn *conn)
{
    ssize_t n = recv(conn->fd, conn->loop->in, H2_IN, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        h2_conn_free(conn);
}

/* A timer that is due too early looks again. */
static void set_alarm(h2_conn *conn)
{
    int64_t due = h2_conn_due(conn);
    if (!conn->alarm.timer.set || due < conn->alarm.timer.at)
        h2_timer_set(&conn->loop->timers, &conn->alarm.timer, due);
}

void h2_conn_settle(h2_conn *conn)
{
    conn->dirty = false;
    if (conn->fd < 0)
        return;
    if (conn->shaking) {
        set_alarm(conn);
        return;
    }
    flush(conn);
    if (conn->failed) {
        h2_conn_free(conn);
        return;
    }
    if (conn->rest_n == 0 && h2_session_is_over(conn)) {
        linger(conn);
        return;
    }
    h2_session_retime(conn);
    /* Who does not read is not read: no answer more than what is on its way. */
    bool more = conn->rest_n != 0 || nghttp2_session_want_write(conn->session) != 0;
    bool hear = conn->rest_n == 0 && !conn->broken && nghttp2_session_want_read(conn->session) != 0;
    listen_for(conn, (hear ? EPOLLIN : 0U) | (more ? EPOLLOUT : 0U));
    set_alarm(conn);
}

/* One step of the handshake; false: it is not done. The connection may be gone. */
static bool shake(h2_conn *conn)
{
    const h2_secure *secure = &conn->loop->transport->secure;
    switch (h2_tls_accept(conn->tls)) {
    case H2_IO_ENDED:
        h2_conn_free(conn);
        return false;
    case H2_IO_WANTS_READ:
        listen_for(conn, EPOLLIN);
        break;
    case H2_IO_WANTS_WRITE:
        listen_for(conn, EPOLLOUT);
        break;
    case H2_IO_DONE:
        conn->shaking = false;
        conn->caller.verified = h2_tls_is_verified(conn->tls);
        conn->refused = conn->caller.verified && !h2_tls_is_allowed(conn->tls, secure);
        return true;
    }
    set_alarm(conn);
    return false;
}

void h2_conn_begin(h2_conn *conn)
{
    h2_secure *secure = &conn->loop->transport->secure;
    if (secure->files != NULL) {
        conn->tls = h2_tls_new(secure, conn->fd);
        if (conn->tls == NULL) {
            h2_conn_free(conn);
            return;
        }
        conn->shaking = true;
        if (!shake(conn))
            return;
    }
    if (conn->loop->closing)
        h2_drain_begin(conn);
    h2_conn_settle(conn);
}

void h2_conn_ready(h2_conn *conn, uint32_t events)
{
    h2_loop *loop = conn->loop;
    if (conn->lingering) {
        throw_away(conn);
        return;
    }
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        h2_conn_free(conn);
        return;
    }
    if (conn->shaking && !shake(conn))
        return;
    if ((events & EPOLLIN) != 0) {
        size_t n = read_some(conn);
        if (conn->failed) {
            h2_conn_free(conn);
            return;
        }
        if (n > 0 && !h2_session_feed(conn, loop->in, n))
            conn->broken = true;
    }
    h2_conn_settle(conn);
}

void h2_conn_alarm(h2_conn *conn)
{
    if (!h2_conn_in_time(conn))
        h2_conn_free(conn);
    else
        h2_conn_settle(conn);
}
