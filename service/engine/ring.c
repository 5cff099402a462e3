/* A bounded queue of lines after Dmitry Vyukov's array of numbered cells: a cell's turn says whether it is free for the
 * n-th put or holds the n-th line. Writers only ever try; the drainer sleeps on an eventfd. */
#include "iptrust/engine/ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "iptrust/engine/clock.h"

enum {
    LAST_WORDS_MS = 500, /* how long a full pipe may hold up the end of the process */
    POLL_MS = 100,
    CACHE_LINE = 64,
};

typedef struct cell {
    _Atomic size_t turn;
    uint32_t n;
    char text[IPT_RING_LINE_MAX];
} cell;

struct ipt_ring {
    cell *cells;
    size_t mask;
    int fd, wake;
    pthread_t thread;
    bool started;
    size_t head;           /* next to write out; the drainer's */
    char pad0[CACHE_LINE]; /* writers and drainer on lines of their own */
    _Atomic size_t tail;   /* next to put */
    char pad1[CACHE_LINE];
    _Atomic bool asleep, stop;
    _Atomic uint64_t deadline; /* set with stop: when the last words must be out */
    _Atomic uint64_t dropped;
};

/* Waits for room, so that a pipe nobody reads holds nothing up; false: no room in time, or the reader is gone. POLLOUT
 * on a pipe means PIPE_BUF bytes of room (pipe(7)), more than any line. */
static bool wait_writable(const ipt_ring *ring)
{
    for (;;) {
        struct pollfd p = {.fd = ring->fd, .events = POLLOUT};
        /* Looked at each time: the stop may come while this line waits. Past the deadline nothing waits any more. */
        bool over = atomic_load(&ring->stop) && ipt_clock_ms() >= atomic_load(&ring->deadline);
        int n = poll(&p, 1, over ? 0 : POLL_MS);
        if (n > 0)
            return (p.revents & (POLLERR | POLLNVAL)) == 0;
        if ((n < 0 && errno != EINTR) || over)
            return false;
    }
}

static bool write_all(const ipt_ring *ring, const char *text, size_t n)
{
    while (n != 0) {
        if (!wait_writable(ring))
            return false;
        ssize_t written = write(ring->fd, text, n);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (written > 0) {
            text += written;
            n -= (size_t)written;
        }
    }
    return true;
}

/* Writes one line out; false when the ring is empty. */
static bool drain_one(ipt_ring *ring)
{
    cell *c = &ring->cells[ring->head & ring->mask];
    if (atomic_load_explicit(&c->turn, memory_order_acquire) != ring->head + 1)
        return false;
    if (!write_all(ring, c->text, c->n))
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
    atomic_store_explicit(&c->turn, ring->head + ring->mask + 1, memory_order_release);
    ring->head++;
    return true;
}

static void *drain(void *context)
{
    ipt_ring *ring = context;
    for (;;) {
        bool stopping = atomic_load(&ring->stop);
        if (drain_one(ring))
            continue;
        if (stopping)
            return NULL;
        /* Announce the sleep, then look once more: a line put before the announcement woke nobody. */
        atomic_store(&ring->asleep, true);
        atomic_thread_fence(memory_order_seq_cst);
        if (!drain_one(ring) && !atomic_load(&ring->stop)) {
            uint64_t ignored;
            (void)!read(ring->wake, &ignored, sizeof(ignored));
        }
        atomic_store(&ring->asleep, false);
    }
}

static void wake_up(const ipt_ring *ring)
{
    uint64_t one = 1;
    (void)!write(ring->wake, &one, sizeof(one));
}

ipt_err ipt_ring_new(size_t slots, int fd, ipt_ring **out)
{
    ipt_auto(ipt_ring) *ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        return IPT_ENOMEM;
    ring->wake = -1;
    ring->fd = fd;
    ring->mask = slots - 1;
    ring->cells = calloc(slots, sizeof(cell));
    if (ring->cells == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < slots; i++)
        atomic_init(&ring->cells[i].turn, i);
    ring->wake = eventfd(0, EFD_CLOEXEC);
    if (ring->wake < 0)
        return IPT_EIO;
    if (pthread_create(&ring->thread, NULL, drain, ring) != 0)
        return IPT_EIO;
    ring->started = true;
    *out = ring;
    ring = NULL;
    return IPT_OK;
}

void ipt_ring_free(ipt_ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->started) {
        atomic_store(&ring->deadline, ipt_clock_ms() + LAST_WORDS_MS);
        atomic_store(&ring->stop, true);
        wake_up(ring);
        (void)pthread_join(ring->thread, NULL);
    }
    if (ring->wake >= 0)
        (void)close(ring->wake);
    free(ring->cells);
    free(ring);
}

bool ipt_ring_put(ipt_ring *ring, ipt_span line)
{
    size_t at = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    cell *c = NULL;
    while (line.n <= sizeof(c->text)) {
        c = &ring->cells[at & ring->mask];
        size_t turn = atomic_load_explicit(&c->turn, memory_order_acquire);
        if (turn == at) {
            if (atomic_compare_exchange_weak_explicit(&ring->tail, &at, at + 1, memory_order_relaxed,
                                                      memory_order_relaxed))
                break;
        } else if (turn < at) { /* still holds a line of the round before: full */
            c = NULL;
            break;
        } else
            at = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    }
    if (c == NULL || line.n > sizeof(c->text)) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return false;
    }
    memcpy(c->text, line.p, line.n);
    c->n = (uint32_t)line.n;
    atomic_store(&c->turn, at + 1); /* sequentially consistent with `asleep`, or a wake-up could be missed */
    if (atomic_load(&ring->asleep))
        wake_up(ring);
    return true;
}

uint64_t ipt_ring_dropped(const ipt_ring *ring)
{
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}
