/* When a connection has to end: by age, by silence, because something takes too long, because the daemon ends. Calls
 * that are under way when it is told to go are answered (RFC 9113, 6.8). */
#include "h2_priv.h"

int64_t h2_age(h2_loop *loop)
{
    /* A tenth more or less: those who came together shall not come again together. */
    const int64_t age = loop->transport->age_ns;
    loop->jitter = loop->jitter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return age - age / 10 + (int64_t)((loop->jitter >> 33) % (uint64_t)(age / 5 + 1));
}

static const uint8_t question[8] = "iptrustd"; /* of our pings; which of them is answered does not matter */

static void ping(h2_conn *conn)
{
    if (nghttp2_submit_ping(conn->session, NGHTTP2_FLAG_NONE, question) != 0)
        conn->failed = true;
    if (conn->ping_by == INT64_MAX)
        conn->ping_by = conn->loop->now + h2_ms(H2_PING_TIMEOUT_MS);
}

void h2_drain_begin(h2_conn *conn)
{
    h2_loop *loop = conn->loop;
    if (conn->drain != H2_DRAIN_NONE || conn->lingering)
        return;
    conn->drain = H2_DRAIN_NOTICED;
    conn->drain_by = loop->now + h2_ms(H2_NOTICE_MS);
    conn->grace_by = loop->now + loop->transport->grace_ns;
    if (nghttp2_submit_shutdown_notice(conn->session) != 0)
        conn->failed = true;
    ping(conn);
}

void h2_drain_step(h2_conn *conn)
{
    if (conn->drain != H2_DRAIN_NOTICED)
        return;
    conn->drain = H2_DRAIN_FINAL;
    conn->drain_by = INT64_MAX;
    int32_t last = nghttp2_session_get_last_proc_stream_id(conn->session);
    if (nghttp2_submit_goaway(conn->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0)
        conn->failed = true;
}

bool h2_conn_in_time(h2_conn *conn)
{
    const int64_t now = conn->loop->now;
    if (conn->lingering || conn->hello_by <= now || conn->write_by <= now || conn->grace_by <= now ||
        conn->ping_by <= now)
        return false;
    if (conn->frame_by <= now) {
        conn->frame_by = INT64_MAX;
        conn->grace_by = now + h2_ms(H2_LINGER_MS);
        h2_session_enough(conn);
    }
    if (conn->age_at <= now)
        h2_drain_begin(conn);
    if (conn->drain_by <= now)
        h2_drain_step(conn);
    if (conn->ping_by == INT64_MAX && conn->last_in + conn->loop->transport->keepalive_ns <= now)
        ping(conn);
    return true;
}

static void sooner(int64_t *due, int64_t at)
{
    if (at < *due)
        *due = at;
}

int64_t h2_conn_due(const h2_conn *conn)
{
    int64_t due = conn->hello_by;
    sooner(&due, conn->frame_by);
    sooner(&due, conn->ping_by);
    sooner(&due, conn->write_by);
    sooner(&due, conn->drain_by);
    sooner(&due, conn->grace_by);
    if (conn->drain == H2_DRAIN_NONE)
        sooner(&due, conn->age_at);
    if (conn->ping_by == INT64_MAX)
        sooner(&due, conn->last_in + conn->loop->transport->keepalive_ns);
    return due;
}
