/* Listening sockets that somebody opened before us and hands over: socket activation as systemd does it,
 * sd_listen_fds(3). Each has the name of the listener that it is for, `http`, `grpc`, `health` or `admin`
 * (FileDescriptorName=). */
#ifndef IPTRUST_LISTENER_INHERITED_H
#define IPTRUST_LISTENER_INHERITED_H

#include "iptrust/listener/listener.h"

enum { IPT_INHERITED_MAX = 4, IPT_INHERITED_FIRST = 3 }; /* SD_LISTEN_FDS_START */

typedef struct ipt_inherited {
    struct {
        const char *name; /* static */
        int fd;
    } items[IPT_INHERITED_MAX];
    size_t count; /* 0: none */
} ipt_inherited;

/* What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say; none when they are absent or meant for another process. False
 * with why in plain words: a name that no listener has, twice the same, or a count that is none. */
IPT_MUST_USE bool ipt_inherited_read(ipt_inherited *out, char *why, size_t cap);
/* The same from its parts: count descriptors from `first` on, names separated by colons (NULL: none were given). */
IPT_MUST_USE bool ipt_inherited_take(int first, unsigned count, const char *names, ipt_inherited *out, char *why,
                                     size_t cap);
/* -1: none; inherited may be NULL. */
int ipt_inherited_find(const ipt_inherited *inherited, const char *name);

/* The listener of that name: the socket that was handed over for it, whatever address spec has, else one that is
 * opened as spec says. */
IPT_MUST_USE bool ipt_inherited_open(const ipt_inherited *inherited, const char *name, const ipt_listener_spec *spec,
                                     ipt_listener *out, char *why, size_t cap);

#endif
