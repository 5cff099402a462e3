/* A file as a sealed copy in memory. A mapping of the file itself would show every later change to it, and a truncation
 * would end the process with SIGBUS. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "geo_priv.h"

enum { CHUNK = 1 << 20 };

static geo_identity identity_of(const struct stat *st)
{
    return (geo_identity){.device = st->st_dev,
                          .inode = st->st_ino,
                          .size = (uint64_t)st->st_size,
                          .modified_ns = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec,
                          .changed_ns = st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec};
}

bool geo_identify(const char *path, geo_identity *out)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *out = identity_of(&st);
    return true;
}

/* The time of the last change to the inode is left out: a rename of the same file changes it, and nothing in it. */
bool geo_same_identity(const geo_identity *a, const geo_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->modified_ns == b->modified_ns;
}

static bool write_whole(int to, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(to, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* Reads to the end rather than to the size told before: the file may have become another since. */
static ipt_geo_refusal pour(int from, int to, uint8_t *chunk, size_t *size)
{
    *size = 0;
    for (;;) {
        ssize_t got = read(from, chunk, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return IPT_GEO_UNREADABLE;
        if (got == 0)
            return IPT_GEO_TAKEN;
        *size += (size_t)got;
        if (*size > IPT_GEO_BYTES_MAX)
            return IPT_GEO_TOO_LARGE;
        if (!write_whole(to, chunk, (size_t)got))
            return IPT_GEO_NO_COPY;
    }
}

static ipt_geo_refusal seal(int fd, size_t size, geo_copy *out)
{
    if (size == 0)
        return IPT_GEO_NO_METADATA;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return IPT_GEO_NO_COPY;
    void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return IPT_GEO_NO_COPY;
    *out = (geo_copy){fd, p, size};
    return IPT_GEO_TAKEN;
}

static ipt_geo_refusal copy_from(int from, geo_identity *identity, geo_copy *out)
{
    struct stat before, after;
    if (fstat(from, &before) != 0)
        return IPT_GEO_UNREADABLE;
    *identity = identity_of(&before);
    if (!S_ISREG(before.st_mode))
        return IPT_GEO_UNREADABLE;
    if (before.st_size > (off_t)IPT_GEO_BYTES_MAX)
        return IPT_GEO_TOO_LARGE;
    int fd = memfd_create("iptrust-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ipt_geo_refusal refusal = fd < 0 || chunk == MAP_FAILED ? IPT_GEO_NO_COPY : IPT_GEO_TAKEN;
    size_t size = 0;
    if (refusal == IPT_GEO_TAKEN)
        refusal = pour(from, fd, chunk, &size);
    if (chunk != MAP_FAILED)
        (void)munmap(chunk, CHUNK);
    if (refusal == IPT_GEO_TAKEN) {
        geo_identity now = fstat(from, &after) == 0 ? identity_of(&after) : (geo_identity){0};
        if (!geo_same_identity(identity, &now) || size != identity->size)
            refusal = IPT_GEO_CHANGING;
    }
    if (refusal == IPT_GEO_TAKEN)
        refusal = seal(fd, size, out);
    if (refusal != IPT_GEO_TAKEN && fd >= 0)
        (void)close(fd);
    return refusal;
}

ipt_geo_refusal geo_copy_open(const char *path, geo_identity *identity, geo_copy *out)
{
    *identity = (geo_identity){0};
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (from < 0) {
        (void)geo_identify(path, identity); /* so that a change of its permissions alone is noticed by nobody twice */
        return IPT_GEO_UNREADABLE;
    }
    ipt_geo_refusal refusal = copy_from(from, identity, out);
    (void)close(from);
    return refusal;
}

void geo_copy_close(geo_copy *copy)
{
    if (copy->p != NULL)
        (void)munmap((void *)(uintptr_t)copy->p, copy->n);
    if (copy->fd >= 0)
        (void)close(copy->fd);
    *copy = (geo_copy){.fd = -1};
}
