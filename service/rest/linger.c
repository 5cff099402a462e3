/* Closing with bytes unread, or bytes that come later, resets a connection, and who still sends may lose the refusal
 * that was just written: a proxy would take a head that is too large for a service that is down. So the last reference
 * to a socket whose other side is still there is kept for a while, and what comes is thrown away (RFC 9112, 9.6). */
#include "rest_priv.h"

#include <fcntl.h>
#include <unistd.h>

/* True: the other side has closed, or failed. */
static bool throw_away(int fd)
{
    enum { PIECE = 4096, PIECES = 64 };
    char nowhere[PIECE];
    ssize_t n = 1;
    for (unsigned i = 0; i < PIECES && n > 0; i++)
        n = recv(fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);
    return n == 0;
}

static void let_go(rest_linger_slot *slot)
{
    if (slot->used)
        (void)close(slot->fd);
    *slot = (rest_linger_slot){.used = false};
}

void rest_linger(rest_loop *loop, int fd)
{
    if (throw_away(fd))
        return;
    int kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (kept < 0)
        return;
    (void)shutdown(kept, SHUT_WR); /* nothing more comes from us, and the other side is to see that now */
    rest_linger_slot *slot = &loop->lingering[loop->linger_next++ % REST_LINGER_MAX];
    let_go(slot); /* the oldest one */
    *slot = (rest_linger_slot){.used = true, .fd = kept, .since = loop->now};
}

void rest_linger_sweep(rest_loop *loop)
{
    for (size_t i = 0; i < REST_LINGER_MAX; i++) {
        rest_linger_slot *slot = &loop->lingering[i];
        if (slot->used && (throw_away(slot->fd) || loop->now - slot->since >= REST_LINGER_MS))
            let_go(slot);
    }
}

void rest_linger_end(rest_loop *loop)
{
    for (size_t i = 0; i < REST_LINGER_MAX; i++)
        let_go(&loop->lingering[i]);
}
