/* Whole files in memory, regular ones and of bounded size: a configuration must not hang on a pipe or read a device. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static ipt_file_result read_all(int fd, size_t most, ipt_buf *out)
{
    enum { CHUNK = 16384 };
    size_t before = out->n;
    for (;;) {
        if (!ipt_buf_reserve(out, CHUNK))
            return IPT_FILE_NO_MEMORY;
        ssize_t n = read(fd, out->p + out->n, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return IPT_FILE_ERROR;
        if (n == 0)
            return IPT_FILE_OK;
        out->n += (size_t)n;
        if (out->n - before > most)
            return IPT_FILE_TOO_BIG;
    }
}

ipt_file_result ipt_file_read(const char *path, size_t most, ipt_buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return IPT_FILE_ERROR;
    ipt_file_result result = IPT_FILE_SPECIAL;
    if (fstat(fd, &st) != 0)
        result = IPT_FILE_ERROR;
    else if (S_ISREG(st.st_mode))
        result = read_all(fd, most, out);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

bool ipt_file_is_whole(ipt_span text)
{
    return text.n != 0 && text.p[text.n - 1] == '\n';
}

void ipt_file_complain(ipt_file_result result, size_t most, char *out, size_t cap)
{
    char text[128];
    switch (result) {
    case IPT_FILE_OK:
    case IPT_FILE_NO_MEMORY:
        out[0] = '\0';
        return;
    case IPT_FILE_ERROR:
        snprintf(out, cap, "cannot be read: %s", strerror_r(errno, text, sizeof(text)));
        return;
    case IPT_FILE_SPECIAL:
        snprintf(out, cap, "is no regular file");
        return;
    case IPT_FILE_TOO_BIG:
        snprintf(out, cap, "has more than %zu bytes", most);
        return;
    }
}
