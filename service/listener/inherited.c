/* Sockets that are handed over, by name (sd_listen_fds(3)); the protocol is three variables, so no library is needed.
 */
#include "iptrust/listener/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names_known[IPT_INHERITED_MAX] = {"http", "grpc", "health", "admin"};

static const char *find_name(ipt_span name)
{
    for (size_t i = 0; i < IPT_COUNT(names_known); i++) {
        if (ipt_span_equal(name, ipt_span_from(names_known[i])))
            return names_known[i];
    }
    return NULL;
}

int ipt_inherited_find(const ipt_inherited *inherited, const char *name)
{
    for (size_t i = 0; inherited != NULL && i < inherited->count; i++) {
        if (strcmp(inherited->items[i].name, name) == 0)
            return inherited->items[i].fd;
    }
    return -1;
}

/* The next of the names between colons; a missing one is empty. */
static ipt_span next_name(const char **names)
{
    const char *begin = *names == NULL ? "" : *names;
    size_t n = strcspn(begin, ":");
    *names = begin + n + (begin[n] == ':' ? 1 : 0);
    return (ipt_span){begin, n};
}

bool ipt_inherited_take(int first, unsigned count, const char *names, ipt_inherited *out, char *why, size_t cap)
{
    ipt_inherited fresh = {.count = 0};
    for (unsigned i = 0; i < count; i++) {
        ipt_span text = next_name(&names);
        const char *name = find_name(text);
        if (name == NULL) {
            snprintf(why, cap, "no listener is named \"%.*s\": FileDescriptorName= is http, grpc, health or admin",
                     (int)(text.n < 40 ? text.n : 40), text.p);
            return false;
        }
        if (ipt_inherited_find(&fresh, name) >= 0) {
            snprintf(why, cap, "two sockets are named %s, and a listener has one", name);
            return false;
        }
        fresh.items[fresh.count].name = name;
        fresh.items[fresh.count++].fd = first + (int)i;
    }
    *out = fresh;
    return true;
}

/* A whole decimal number. */
static bool read_number(const char *text, long most, long *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || n > most)
        return false;
    *out = n;
    return true;
}

bool ipt_inherited_read(ipt_inherited *out, char *why, size_t cap)
{
    enum { COUNT_MOST = 1024 };
    const char *pid_text = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    long pid, count;
    if (pid_text == NULL || count_text == NULL) {
        *out = (ipt_inherited){.count = 0};
        return true;
    }
    if (!read_number(pid_text, LONG_MAX, &pid) || !read_number(count_text, COUNT_MOST, &count)) {
        snprintf(why, cap, "LISTEN_PID and LISTEN_FDS are not numbers");
        return false;
    }
    if (pid != (long)getpid()) { /* inherited from whoever started us, and meant for it */
        *out = (ipt_inherited){.count = 0};
        return true;
    }
    return ipt_inherited_take(IPT_INHERITED_FIRST, (unsigned)count, getenv("LISTEN_FDNAMES"), out, why, cap);
}

bool ipt_inherited_open(const ipt_inherited *inherited, const char *name, const ipt_listener_spec *spec,
                        ipt_listener *out, char *why, size_t cap)
{
    int fd = ipt_inherited_find(inherited, name);
    if (fd < 0)
        return ipt_listener_open(spec, out, why, cap);
    if (spec->kind == IPT_LISTEN_OFF) {
        snprintf(why, cap, "a socket was handed over for it, and the configuration has it off");
        return false;
    }
    return ipt_listener_adopt(fd, out, why, cap);
}
