/* One event loop: a thread, libmicrohttpd without threads of its own, and the descriptors that are ours. While
 * requests come, only the library's own wait is called, one system call a turn; ours are looked at every millisecond.
 */
#include "rest_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS = 8,
    BUSY_WAIT_MS = 1,
    ARENA_BLOCK = 64 << 10,
    ARENA_MAX = 4 << 20,
    BATCH_BLOCK = 4 << 10,
    BATCH_MAX = 24 << 20 /* a batch of 4 MiB as people send them takes a quarter of it */
};

IPT_PRINTF(2, 0) static void log_library(void *context, const char *format, va_list args)
{
    rest_loop *loop = context;
    char text[200];
    if (vsnprintf(text, sizeof(text), format, args) > 0)
        ipt_log_note(loop->rest->log, IPT_LOG_DEBUG, "libmicrohttpd", "detail", text);
}

static struct MHD_Daemon *library_start(rest_loop *loop, bool secure)
{
    /* Each session gets its certificate when it begins (rest_tls_begin); without that it has none to show. */
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)ipt_tls_priorities()},
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, ipt_tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL},
    };
    /* Unbounded: our gate counts. No timeout: our sweep cuts. */
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET;
    /* On a Unix socket it complains twice a request that there is no TCP, which costs more than the decision. */
    if (ipt_log_says(loop->rest->log, IPT_LOG_DEBUG))
        flags |= MHD_USE_ERROR_LOG;
    if (!loop->decides || loop->rest->may_wait)
        flags |= MHD_ALLOW_SUSPEND_RESUME;
    if (secure)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, rest_on_request, loop,                 //
                            MHD_OPTION_EXTERNAL_LOGGER, log_library, loop,               //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REST_POOL_BYTES, //
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)1 << 20,              //
                            MHD_OPTION_CONNECTION_TIMEOUT, 0U,                           //
                            MHD_OPTION_URI_LOG_CALLBACK, rest_on_target, NULL,           //
                            MHD_OPTION_UNESCAPE_CALLBACK, rest_unescape, NULL,           //
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,                             //
                            MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                        //
                            MHD_OPTION_NOTIFY_COMPLETED, rest_on_completed, loop,        //
                            MHD_OPTION_NOTIFY_CONNECTION, rest_on_connection, loop,      //
                            MHD_OPTION_ARRAY, secure ? tls : &tls[IPT_COUNT(tls) - 1], MHD_OPTION_END);
}

static bool watch(int epoll, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

enum { TAG_WAKE = REST_LISTENERS_MAX, TAG_LIBRARY };

static bool watch_library(const rest_loop *loop, struct MHD_Daemon *library)
{
    if (library == NULL)
        return true;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(library, MHD_DAEMON_INFO_EPOLL_FD);
    return info != NULL && watch(loop->epoll, info->epoll_fd, EPOLLIN, TAG_LIBRARY);
}

static bool watch_all(rest_loop *loop)
{
    if (!watch_library(loop, loop->plain) || !watch_library(loop, loop->secure) ||
        !watch(loop->epoll, loop->wake, EPOLLIN, TAG_WAKE))
        return false;
    const ipt_rest *rest = loop->rest;
    for (size_t i = 0; i < rest->listener_count; i++) {
        bool mine = (rest->listeners[i].face == FACE_HTTP) == loop->decides;
        /* One of the loops is woken, not all. */
        if (mine && !watch(loop->epoll, rest->listeners[i].socket.fd, EPOLLIN | EPOLLEXCLUSIVE, i))
            return false;
    }
    loop->listening = true;
    return true;
}

/* A loop has the library once, unless health and admin differ in TLS. */
static bool start_libraries(rest_loop *loop)
{
    bool secure = rest_has_tls(loop->rest, loop->decides, true);
    bool plain = !secure || rest_has_tls(loop->rest, loop->decides, false);
    if (plain)
        loop->plain = library_start(loop, false);
    if (secure)
        loop->secure = library_start(loop, true);
    loop->only = plain && secure ? NULL : plain ? loop->plain : loop->secure;
    return (!plain || loop->plain != NULL) && (!secure || loop->secure != NULL);
}

ipt_err rest_loop_open(rest_loop *loop)
{
    loop->epoll = loop->wake = loop->reserve = -1;
    (void)pthread_mutex_init(&loop->inbox_lock, NULL);
    loop->decision = malloc(sizeof(*loop->decision));
    if (loop->decision == NULL)
        return IPT_ENOMEM;
    ipt_err err = ipt_arena_new(ARENA_BLOCK, ARENA_MAX, &loop->arena);
    if (err == IPT_OK)
        err = ipt_arena_new(BATCH_BLOCK, BATCH_MAX, &loop->batch_arena);
    if (err != IPT_OK)
        return err;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (loop->epoll < 0 || loop->wake < 0 || !start_libraries(loop) || !watch_all(loop))
        return IPT_EIO;
    loop->now = loop->swept = ipt_clock_ms();
    char name[24];
    snprintf(name, sizeof(name), "event loop %u", loop->number);
    loop->beat = ipt_engine_add_beat(loop->rest->engine, name);
    return loop->beat == NULL ? IPT_ENOMEM : IPT_OK;
}

void rest_loop_wake(const rest_loop *loop)
{
    uint64_t one = 1;
    if (loop->rest == NULL || loop->wake < 0)
        return; /* not opened yet */
    (void)!write(loop->wake, &one, sizeof(one));
}

static void look_at_ours(rest_loop *loop, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(loop->epoll, events, EVENTS, wait_ms);
    loop->now = ipt_clock_ms();
    for (int i = 0; i < n; i++) {
        uint64_t tag = events[i].data.u64;
        if (tag == TAG_WAKE) {
            uint64_t ignored;
            (void)!read(loop->wake, &ignored, sizeof(ignored));
            rest_adopt(loop);
        } else if (tag < REST_LISTENERS_MAX && loop->listening)
            rest_accept(loop, &loop->rest->listeners[tag]);
    }
}

static void stop_listening(rest_loop *loop)
{
    const ipt_rest *rest = loop->rest;
    for (size_t i = 0; i < rest->listener_count; i++) {
        if (rest->listeners[i].face != FACE_HTTP)
            continue;
        if (!rest->listeners[i].socket.inherited)
            rest_accept(loop, &rest->listeners[i]); /* a Unix socket keeps its queue after its shutdown */
        (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, rest->listeners[i].socket.fd, NULL);
    }
    loop->listening = false;
}

static int sleep_ms(struct MHD_Daemon *library, int most)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (library != NULL && MHD_get_timeout(library, &timeout) == MHD_YES && timeout < (unsigned)most)
        return (int)timeout;
    return most;
}

static void run_libraries(rest_loop *loop)
{
    if (loop->plain != NULL)
        (void)MHD_run(loop->plain);
    if (loop->secure != NULL)
        (void)MHD_run(loop->secure);
}

static void turn(rest_loop *loop)
{
    uint64_t served = loop->served, before = loop->now;
    if (loop->busy)
        (void)MHD_run_wait(loop->only, BUSY_WAIT_MS);
    else {
        look_at_ours(loop, sleep_ms(loop->plain, sleep_ms(loop->secure, REST_TICK_MS)));
        run_libraries(loop);
    }
    loop->now = ipt_clock_ms();
    rest_central_look(loop);
    bool was_busy = loop->busy;
    loop->busy = loop->served != served && loop->only != NULL;
    if (was_busy && loop->now != before)
        look_at_ours(loop, 0);
    ipt_beat_touch(loop->beat, loop->now);
    if (loop->now - loop->swept >= REST_SWEEP_MS) {
        loop->swept = loop->now;
        rest_conn_sweep(loop);
    }
}

static void *run(void *context)
{
    rest_loop *loop = context;
    for (;;) {
        rest_state state = rest_state_now(loop->rest);
        if (state == REST_STOPPED)
            return NULL;
        if (state >= REST_CLOSING && loop->decides) {
            if (state == REST_CLOSED && loop->listening)
                stop_listening(loop);
            rest_conn_idle_end(loop);
        }
        turn(loop);
    }
}

ipt_err rest_loop_start(rest_loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run, loop) != 0)
        return IPT_EIO;
    loop->started = true;
    return IPT_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void free_works(rest_work *work)
{
    while (work != NULL) {
        rest_work *next = work->next;
        ipt_buf_done(&work->body);
        ipt_buf_done(&work->out);
        free(work);
        work = next;
    }
}

void rest_loop_close(rest_loop *loop)
{
    if (loop->rest == NULL)
        return; /* never opened */
    if (loop->started)
        (void)pthread_join(loop->thread, NULL);
    for (rest_conn *conn = loop->inbox; conn != NULL;) {
        rest_conn *next = conn->next;
        (void)close(conn->fd);
        rest_conn_free(conn);
        conn = next;
    }
    /* Nothing may be suspended when the library stops. */
    for (rest_conn *conn = loop->first; conn != NULL; conn = conn->next) {
        if (conn->phase == PHASE_WAITING)
            MHD_resume_connection(conn->request.mhd);
    }
    if (loop->plain != NULL)
        MHD_stop_daemon(loop->plain);
    if (loop->secure != NULL)
        MHD_stop_daemon(loop->secure);
    rest_linger_end(loop);
    free_works(loop->works);
    close_fd(loop->epoll);
    close_fd(loop->wake);
    close_fd(loop->reserve);
    ipt_arena_free(loop->arena);
    ipt_arena_free(loop->batch_arena);
    free(loop->decision);
    (void)pthread_mutex_destroy(&loop->inbox_lock);
}
