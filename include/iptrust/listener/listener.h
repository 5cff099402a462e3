/* Listening sockets, TCP and Unix, as the configuration states them. */
#ifndef IPTRUST_LISTENER_LISTENER_H
#define IPTRUST_LISTENER_LISTENER_H

#include <sys/socket.h>
#include <sys/types.h>

#include "iptrust/config/config.h"

enum { IPT_LISTENER_PATH_MAX = 108 }; /* sun_path, unix(7) */

typedef struct ipt_listener {
    int fd; /* non-blocking; -1: none */
    bool is_unix;
    bool inherited;                   /* somebody else's too, who goes on listening when we have ended */
    char path[IPT_LISTENER_PATH_MAX]; /* UNIX, not inherited: removed at the end, while it is still ours */
    dev_t device;
    ino_t inode;
    char text[160]; /* "127.0.0.1:8080" or "unix:/path", as bound */
} ipt_listener;

/* why: plain words for the log. A Unix socket gets the mode of spec and replaces one that nobody answers on. */
IPT_MUST_USE bool ipt_listener_open(const ipt_listener_spec *spec, ipt_listener *out, char *why, size_t cap);
/* The same for a socket that listens already: its kind is checked, it becomes non-blocking and is closed on exec. */
IPT_MUST_USE bool ipt_listener_adopt(int fd, ipt_listener *out, char *why, size_t cap);
void ipt_listener_close(ipt_listener *listener);

/* The way out. On an inherited socket these do nothing, and nobody is waited for: who stands in its queue is served by
 * the process that gets it next. */
void ipt_listener_no_more(const ipt_listener *listener);   /* TCP: nobody else may queue up */
bool ipt_listener_is_waited(const ipt_listener *listener); /* somebody stands in the queue */
void ipt_listener_shut(const ipt_listener *listener);      /* nobody comes in any more */
/* The address of a TCP caller as accept(2) gives it; port may be NULL. False: none, a Unix socket. */
bool ipt_listener_caller(const struct sockaddr_storage *from, ipt_addr *addr, uint16_t *port);

#endif
