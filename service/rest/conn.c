/* The life of a connection and its deadlines. libmicrohttpd's own timeout starts again with every byte, so that one
 * byte every two seconds holds a connection for ever; these deadlines are absolute. */
#include "rest_priv.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void set_peer(rest_conn *conn, const struct sockaddr_storage *from)
{
    uint16_t port;
    if (!ipt_listener_caller(from, &conn->addr, &port)) {
        memcpy(conn->peer, "unix", 4);
        conn->peer_n = 4;
        return;
    }
    char host[IPT_ADDR_TEXT];
    (void)ipt_addr_format(conn->addr, host);
    int n = snprintf(conn->peer, sizeof(conn->peer), ipt_addr_is_v4(conn->addr) ? "%s:%u" : "[%s]:%u", host,
                     (unsigned)port);
    conn->peer_n = n < 0 ? 0 : (size_t)n;
}

rest_conn *rest_conn_new(rest_loop *loop, int fd, const rest_listener *listener, const struct sockaddr_storage *from)
{
    rest_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return NULL;
    conn->loop = loop;
    conn->fd = fd;
    conn->face = listener->face;
    conn->tls_files = listener->tls;
    conn->is_unix = listener->socket.is_unix;
    conn->since = ipt_clock_ms();
    set_peer(conn, from);
    return conn;
}

void rest_conn_free(rest_conn *conn)
{
    if (conn == NULL)
        return;
    if (conn->entered)
        ipt_gate_leave(&conn->loop->rest->gate, !conn->is_unix, conn->addr);
    ipt_tls_caller_done(&conn->tls);
    free(conn);
}

void rest_conn_phase(rest_conn *conn, rest_phase phase)
{
    conn->phase = phase;
    conn->since = conn->loop->now;
    conn->has_bytes = false;
}

ipt_caller rest_caller(const rest_conn *conn, const ipt_generation *generation)
{
    return conn->tls.verified ? IPT_CALLER_TRUSTED : ipt_engine_caller(generation, conn->is_unix, conn->addr);
}

/* The library owns the descriptor: shutting it down makes it see the end and close. */
static void cut(rest_conn *conn)
{
    if (!conn->cut)
        (void)shutdown(conn->fd, SHUT_RDWR);
    conn->cut = true;
}

void rest_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode code)
{
    rest_loop *loop = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        rest_conn *conn = loop->adding;
        loop->adding = NULL;
        *socket_context = conn;
        conn->next = loop->first;
        if (loop->first != NULL)
            loop->first->prev = conn;
        loop->first = conn;
        if (conn->tls_files != NULL && !rest_tls_begin(conn, mhd))
            cut(conn);
        return;
    }
    rest_conn *conn = *socket_context;
    rest_linger(loop, conn->fd);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        loop->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    atomic_fetch_sub_explicit(&loop->connections, 1, memory_order_relaxed);
    rest_tls_end(conn);
    rest_conn_free(conn);
}

void rest_on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code)
{
    rest_loop *loop = context;
    rest_conn *conn = *request_context;
    (void)mhd;
    (void)code;
    if (conn == NULL)
        return;
    rest_request *request = &conn->request;
    if (request->queued)
        ipt_engine_count_request(loop->rest->engine, loop->seat.shard, request->operation, request->result,
                                 ipt_clock_ns() - request->begin_ns);
    if (request->body_counted != 0)
        atomic_fetch_sub_explicit(&loop->rest->bodies, request->body_counted, memory_order_relaxed);
    ipt_served_release(request->served);
    rest_work_give(loop, request->work);
    memset(request, 0, sizeof(*request));
    *request_context = NULL;
    loop->served++;
    rest_conn_phase(conn, PHASE_IDLE);
}

/* Bytes that the kernel has taken from the peer so far: the only way to see that the next request has begun, because
 * the library tells of it only when its headers are complete. A Unix socket has no such count; there the idle time
 * alone limits a slow sender, and who may open it is decided by its mode. */
static bool bytes_moved(const rest_conn *conn, uint64_t *received, uint64_t *taken)
{
    struct tcp_info info;
    socklen_t n = sizeof(info);
    if (conn->is_unix || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0 ||
        n < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received))
        return false;
    *received = info.tcpi_bytes_received;
    *taken = info.tcpi_bytes_acked;
    return true;
}

static void watch_idle(rest_conn *conn)
{
    uint64_t received, taken;
    if (!bytes_moved(conn, &received, &taken))
        return;
    if (!conn->has_bytes) {
        conn->has_bytes = true;
        conn->bytes = received;
    } else if (received != conn->bytes)
        rest_conn_phase(conn, PHASE_HEADERS);
}

/* A large answer over a slow line is fine as long as something of it is taken. */
static void watch_sending(rest_conn *conn)
{
    uint64_t received, taken;
    if (!bytes_moved(conn, &received, &taken) || (conn->has_bytes && taken == conn->bytes))
        return;
    rest_conn_phase(conn, PHASE_SENDING);
    conn->has_bytes = true;
    conn->bytes = taken;
}

static uint64_t allowed_ms(const rest_conn *conn)
{
    switch (conn->phase) {
    case PHASE_FRESH:
    case PHASE_HEADERS:
        return REST_HEADER_DEADLINE_MS;
    case PHASE_BODY:
        return REST_REQUEST_DEADLINE_MS;
    case PHASE_SENDING:
        return REST_SEND_STALL_MS;
    case PHASE_IDLE:
        return (uint64_t)conn->loop->rest->keepalive_ms;
    case PHASE_WAITING:
        break;
    }
    return UINT64_MAX;
}

void rest_conn_sweep(rest_loop *loop)
{
    rest_linger_sweep(loop);
    for (rest_conn *conn = loop->first; conn != NULL; conn = conn->next) {
        if (conn->phase == PHASE_IDLE)
            watch_idle(conn);
        else if (conn->phase == PHASE_SENDING)
            watch_sending(conn);
        if (loop->now - conn->since >= allowed_ms(conn) && loop->now > conn->since)
            cut(conn);
    }
}

/* The next request has come but for the library's looking at it. */
static bool has_unread(const rest_conn *conn)
{
    char byte;
    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* One that was just let in has its request on the way; one that has begun to send is in flight. */
static bool is_silent(const rest_conn *conn)
{
    uint64_t received, taken;
    return conn->loop->now - conn->since >= REST_FRESH_MS && conn->loop->now > conn->since &&
           (!bytes_moved(conn, &received, &taken) || received == 0);
}

void rest_conn_idle_end(rest_loop *loop)
{
    for (rest_conn *conn = loop->first; conn != NULL; conn = conn->next) {
        if (conn->cut)
            continue;
        if (conn->phase == PHASE_IDLE && conn->has_bytes)
            watch_idle(conn);
        if ((conn->phase == PHASE_IDLE || (conn->phase == PHASE_FRESH && is_silent(conn))) && !has_unread(conn))
            cut(conn);
    }
}
