/* Write beside, sync, rename, sync the directory: at every point between two system calls the record is the old one or
 * the new one. The lock belongs to the open file (flock), so that it ends with the process however that ends. */
#include "iptrust/fetch/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct ipt_store {
    int dir;  /* of the records; -1: there is none */
    int lock; /* -1: another one writes, or nobody can */
};

IPT_PRINTF(2, 3) static ipt_store_result say(char why[IPT_STORE_WHY_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, IPT_STORE_WHY_MAX, format, args);
    va_end(args);
    return IPT_STORE_FAILED;
}

static const char *reason(char out[128])
{
    return strerror_r(errno, out, 128);
}

static int open_directory(const char *state_dir, char why[IPT_STORE_WHY_MAX])
{
    char text[128];
    if (mkdir(state_dir, 0700) != 0 && errno != EEXIST) {
        (void)say(why, "state_dir cannot be made: %s", reason(text));
        return -1;
    }
    int state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int dir = -1;
    if (state >= 0 && (mkdirat(state, "lists", 0700) == 0 || errno == EEXIST))
        dir = openat(state, "lists", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0)
        (void)say(why, "state_dir cannot be used: %s", reason(text));
    if (state >= 0)
        (void)close(state);
    return dir;
}

static int take_lock(int dir, char why[IPT_STORE_WHY_MAX])
{
    char text[128];
    int fd = openat(dir, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        (void)say(why, "state_dir cannot be written: %s", reason(text));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    (void)say(why, errno == EWOULDBLOCK ? "another process writes to state_dir" : "state_dir cannot be locked");
    (void)close(fd);
    return -1;
}

ipt_err ipt_store_open(const char *state_dir, ipt_store **out, char why[IPT_STORE_WHY_MAX])
{
    ipt_store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return IPT_ENOMEM;
    why[0] = '\0';
    store->lock = -1;
    store->dir = open_directory(state_dir, why);
    if (store->dir >= 0)
        store->lock = take_lock(store->dir, why);
    *out = store;
    return IPT_OK;
}

void ipt_store_close(ipt_store *store)
{
    if (store == NULL)
        return;
    if (store->lock >= 0)
        (void)close(store->lock);
    if (store->dir >= 0)
        (void)close(store->dir);
    free(store);
}

bool ipt_store_is_writer(const ipt_store *store)
{
    return store->lock >= 0;
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return n != 0 && n <= IPT_STORE_NAME_MAX && name[n] == '\0';
}

static ipt_store_result read_all(int fd, ipt_buf *out, char why[IPT_STORE_WHY_MAX])
{
    enum { CHUNK = 64 << 10 };
    char text[128];
    size_t before = out->n;
    for (;;) {
        if (!ipt_buf_reserve(out, CHUNK))
            return say(why, "no memory");
        ssize_t n = read(fd, out->p + out->n, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return say(why, "the record cannot be read: %s", reason(text));
        if (n == 0)
            return IPT_STORE_OK;
        out->n += (size_t)n;
        if (out->n - before > IPT_STORE_RECORD_MAX)
            return say(why, "the record is too large");
    }
}

ipt_store_result ipt_store_read(const ipt_store *store, const char *name, ipt_buf *out, char why[IPT_STORE_WHY_MAX])
{
    struct stat st;
    char text[128];
    if (store->dir < 0 || !is_name(name))
        return IPT_STORE_NONE;
    int fd = openat(store->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? IPT_STORE_NONE : say(why, "the record cannot be opened: %s", reason(text));
    ipt_store_result result =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read_all(fd, out, why) : say(why, "the record is no regular file");
    (void)close(fd);
    return result;
}

static bool write_all(int fd, ipt_span bytes)
{
    while (bytes.n != 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return true;
}

ipt_store_result ipt_store_write(const ipt_store *store, const char *name, ipt_span bytes, char why[IPT_STORE_WHY_MAX])
{
    char beside[IPT_STORE_NAME_MAX + 8], text[128];
    if (store->lock < 0 || !is_name(name))
        return say(why, "state_dir is not ours to write");
    /* A dot cannot be in a name, so this is nobody's record; what an earlier death left there is overwritten. */
    (void)snprintf(beside, sizeof(beside), "%s.new", name);
    int fd = openat(store->dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return say(why, "the record cannot be written: %s", reason(text));
    bool ok = write_all(fd, bytes) && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        saved = errno;
    }
    if (ok && renameat(store->dir, beside, store->dir, name) != 0) {
        ok = false;
        saved = errno;
    }
    if (!ok) {
        errno = saved;
        (void)say(why, "the record cannot be written: %s", reason(text));
        (void)unlinkat(store->dir, beside, 0);
        return IPT_STORE_FAILED;
    }
    if (fsync(store->dir) != 0)
        return say(why, "the directory cannot be synced: %s", reason(text));
    return IPT_STORE_OK;
}
