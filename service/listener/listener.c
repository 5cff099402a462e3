/* Listening sockets, TCP and Unix. A Unix socket file left behind by a dead process is replaced, one that answers is
 * not. */
#include "iptrust/listener/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static void explain(char *why, size_t cap, const char *what)
{
    snprintf(why, cap, "%s: %s", what, strerror(errno));
}

static socklen_t tcp_address(const ipt_listener_spec *spec, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (ipt_addr_is_v4(spec->host)) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(spec->port)};
        in.sin_addr.s_addr = htonl(ipt_addr_v4(spec->host));
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(spec->port)};
    for (unsigned i = 0; i < 8; i++) {
        in6.sin6_addr.s6_addr[i] = (uint8_t)(spec->host.hi >> (56 - 8 * i));
        in6.sin6_addr.s6_addr[8 + i] = (uint8_t)(spec->host.lo >> (56 - 8 * i));
    }
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

/* As the system tells it: the port is a real one, when it was asked to pick. */
static void tcp_name(const struct sockaddr_storage *bound, char *out, size_t cap)
{
    char host[IPT_ADDR_TEXT];
    ipt_addr addr = {0, 0};
    uint16_t port = 0;
    (void)ipt_listener_caller(bound, &addr, &port);
    (void)ipt_addr_format(addr, host);
    snprintf(out, cap, ipt_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u", host, (unsigned)port);
}

/* An abstract name (unix(7)) is shown as everybody writes it, with @ for its NUL. */
static void unix_name(const struct sockaddr_storage *bound, socklen_t n, char *out, size_t cap)
{
    struct sockaddr_un un = {0};
    size_t most = sizeof(un.sun_path), begin = offsetof(struct sockaddr_un, sun_path);
    memcpy(&un, bound, n < sizeof(un) ? n : sizeof(un));
    size_t length = n <= begin ? 0 : n - begin < most ? n - begin : most;
    bool abstract = length > 1 && un.sun_path[0] == '\0';
    length = abstract ? length - 1 : strnlen(un.sun_path, length);
    snprintf(out, cap, abstract ? "unix:@%.*s" : "unix:%.*s", (int)length, un.sun_path + (abstract ? 1 : 0));
}

static bool name_bound(ipt_listener *listener)
{
    struct sockaddr_storage bound = {0};
    socklen_t n = sizeof(bound);
    if (getsockname(listener->fd, (struct sockaddr *)&bound, &n) != 0)
        return false;
    listener->is_unix = bound.ss_family == AF_UNIX;
    if (listener->is_unix)
        unix_name(&bound, n, listener->text, sizeof(listener->text));
    else
        tcp_name(&bound, listener->text, sizeof(listener->text));
    return listener->is_unix || bound.ss_family == AF_INET || bound.ss_family == AF_INET6;
}

static int listen_tcp(const ipt_listener_spec *spec, char *why, size_t cap)
{
    struct sockaddr_storage address;
    socklen_t n = tcp_address(spec, &address);
    int one = 1, fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        explain(why, cap, "socket");
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)&address, n) != 0 || listen(fd, BACKLOG) != 0) {
        explain(why, cap, errno == EADDRINUSE ? "another program listens there" : "cannot listen");
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* True when nothing stands in the way any more. */
static bool clear_path(const struct sockaddr_un *address, char *why, size_t cap)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT || (explain(why, cap, "cannot look at the path"), false);
    if (!S_ISSOCK(st.st_mode)) {
        snprintf(why, cap, "something that is no socket is in the way");
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return explain(why, cap, "socket"), false;
    bool dead = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    if (!dead) {
        snprintf(why, cap, "another program listens there");
        return false;
    }
    return unlink(address->sun_path) == 0 || (explain(why, cap, "cannot remove the dead socket"), false);
}

static int listen_unix(const ipt_listener_spec *spec, ipt_listener *out, char *why, size_t cap)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(spec->path);
    if (n >= sizeof(address.sun_path)) {
        snprintf(why, cap, "the path is longer than %zu bytes", sizeof(address.sun_path) - 1);
        return -1;
    }
    memcpy(address.sun_path, spec->path, n);
    if (!clear_path(&address, why, cap))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;
    /* The mode before the name: at no moment is the socket open to more people than it should be. The umask may take
     * bits away, hence the second one. */
    if (fd < 0 || fchmod(fd, spec->mode) != 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(spec->path, spec->mode) != 0 || listen(fd, BACKLOG) != 0 || lstat(spec->path, &st) != 0) {
        explain(why, cap, "cannot listen");
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    out->device = st.st_dev;
    out->inode = st.st_ino;
    memcpy(out->path, spec->path, n + 1);
    return fd;
}

bool ipt_listener_open(const ipt_listener_spec *spec, ipt_listener *out, char *why, size_t cap)
{
    ipt_listener fresh = {.is_unix = spec->kind == IPT_LISTEN_UNIX, .fd = -1};
    fresh.fd = fresh.is_unix ? listen_unix(spec, &fresh, why, cap) : listen_tcp(spec, why, cap);
    if (fresh.fd < 0)
        return false;
    (void)name_bound(&fresh);
    *out = fresh;
    return true;
}

static bool int_option(int fd, int option, int *out)
{
    socklen_t n = sizeof(*out);
    return getsockopt(fd, SOL_SOCKET, option, out, &n) == 0;
}

bool ipt_listener_adopt(int fd, ipt_listener *out, char *why, size_t cap)
{
    ipt_listener fresh = {.fd = fd, .inherited = true};
    int type = 0, listens = 0, status = fcntl(fd, F_GETFL), flags = fcntl(fd, F_GETFD);
    if (status < 0 || flags < 0 || !int_option(fd, SO_TYPE, &type)) {
        explain(why, cap, "what was handed over is no socket");
        return false;
    }
    if (type != SOCK_STREAM || !name_bound(&fresh)) {
        snprintf(why, cap, "what was handed over is no stream socket of TCP or Unix");
        return false;
    }
    if (!int_option(fd, SO_ACCEPTCONN, &listens) || listens == 0) {
        snprintf(why, cap, "what was handed over does not listen: Accept=no belongs into the socket unit");
        return false;
    }
    if (fcntl(fd, F_SETFL, status | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) {
        explain(why, cap, "what was handed over");
        return false;
    }
    *out = fresh;
    return true;
}

void ipt_listener_close(ipt_listener *listener)
{
    struct stat st;
    if (listener->fd < 0)
        return;
    /* A successor may have put its own socket there meanwhile. */
    if (listener->is_unix && !listener->inherited && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
        st.st_ino == listener->inode)
        (void)unlink(listener->path);
    (void)close(listener->fd);
    listener->fd = -1;
}

/* What stands in the queue when a listener is shut is reset, and new callers keep coming in while it is emptied. So
 * first SYN is dropped, as if lost on the way: who is in the middle of the handshake still comes in, everybody else
 * tries again in a second and is refused. The filter sees a segment from its TCP header on (RFC 9293, 3.1). */
void ipt_listener_no_more(const ipt_listener *listener)
{
    enum { FLAGS_AT = 13, SYN = 2 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {.len = IPT_COUNT(code), .filter = code};
    if (!listener->is_unix && !listener->inherited)
        (void)setsockopt(listener->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

bool ipt_listener_is_waited(const ipt_listener *listener)
{
    struct pollfd door = {.fd = listener->fd, .events = POLLIN};
    return !listener->inherited && poll(&door, 1, 0) == 1 && door.revents == POLLIN;
}

void ipt_listener_shut(const ipt_listener *listener)
{
    if (!listener->inherited)
        (void)shutdown(listener->fd, SHUT_RDWR);
}

bool ipt_listener_caller(const struct sockaddr_storage *from, ipt_addr *addr, uint16_t *port)
{
    uint16_t number;
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof(in));
        *addr = ipt_addr_from_v4(ntohl(in.sin_addr.s_addr));
        number = ntohs(in.sin_port);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof(in6));
        *addr = ipt_addr_from_bytes16(in6.sin6_addr.s6_addr);
        number = ntohs(in6.sin6_port);
    } else {
        return false;
    }
    if (port != NULL)
        *port = number;
    return true;
}
