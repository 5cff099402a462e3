/* inotify on the directories, never on the files: a file that is replaced by a rename is another file, and a watch on
 * it would stay with the old one. */
#include "iptrust/fetch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of one directory, one name that counts. Several may share a directory, and so a descriptor. */
typedef struct target {
    char *dir, *name; /* name NULL: every configuration file in it */
    int wd;           /* -1: the directory is not there */
} target;

struct ipt_watch {
    ipt_watch_changed *changed;
    void *context;
    int inotify, wake;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of what follows */
    bool stop;
    target *targets;
    size_t count;
};

enum { EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR };

/* ---- what is watched ---- */

static void targets_free(target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(targets[i].dir);
        free(targets[i].name);
    }
    free(targets);
}

static bool target_of_file(const char *path, target *out)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    out->dir = slash == NULL ? strdup(".") : strndup(path, n == 0 ? 1 : n);
    out->name = strdup(slash == NULL ? path : slash + 1);
    out->wd = -1;
    return out->dir != NULL && out->name != NULL;
}

/* The file where it is named and where links lead to: either may be written. */
static bool add_path(const char *path, target *targets, size_t *count)
{
    struct stat st;
    char real[PATH_MAX];
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        targets[*count] = (target){.dir = strdup(path), .wd = -1};
        return targets[(*count)++].dir != NULL;
    }
    if (!target_of_file(path, &targets[(*count)++]))
        return false;
    if (realpath(path, real) == NULL || strcmp(real, path) == 0)
        return true;
    return target_of_file(real, &targets[(*count)++]);
}

static void look_at(const ipt_watch *watch, target *t)
{
    t->wd = inotify_add_watch(watch->inotify, t->dir, EVENTS);
}

static bool is_watched(const target *targets, size_t count, int wd)
{
    for (size_t i = 0; i < count; i++)
        if (targets[i].wd == wd)
            return true;
    return false;
}

ipt_err ipt_watch_set(ipt_watch *watch, const char *const *paths, size_t count)
{
    size_t n = 0;
    bool ok = count <= IPT_WATCH_PATHS_MAX;
    target *targets = calloc(2 * count + 1, sizeof(*targets));
    if (targets == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < count && ok; i++)
        ok = add_path(paths[i], targets, &n);
    if (!ok) {
        targets_free(targets, n);
        return count > IPT_WATCH_PATHS_MAX ? IPT_ELIMIT : IPT_ENOMEM;
    }
    (void)pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < n; i++)
        look_at(watch, &targets[i]);
    for (size_t i = 0; i < watch->count; i++)
        if (watch->targets[i].wd >= 0 && !is_watched(targets, n, watch->targets[i].wd))
            (void)inotify_rm_watch(watch->inotify, watch->targets[i].wd);
    target *old = watch->targets;
    size_t old_count = watch->count;
    watch->targets = targets;
    watch->count = n;
    (void)pthread_mutex_unlock(&watch->lock);
    targets_free(old, old_count);
    return IPT_OK;
}

/* ---- what happened ---- */

static bool is_config_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Under the lock. */
static bool event_counts(ipt_watch *watch, const struct inotify_event *event)
{
    bool counts = (event->mask & IN_Q_OVERFLOW) != 0; /* something was lost: look for yourself */
    for (size_t i = 0; i < watch->count; i++) {
        target *t = &watch->targets[i];
        if (t->wd != event->wd)
            continue;
        if ((event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
            t->wd = -1;
        if (event->len == 0 || (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) == 0)
            continue;
        counts = counts || strcmp(event->name, "..data") == 0 ||
                 (t->name == NULL ? is_config_name(event->name) : strcmp(event->name, t->name) == 0);
    }
    return counts;
}

static bool read_events(ipt_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[16 << 10];
    bool counts = false;
    for (ssize_t n; (n = read(watch->inotify, bytes, sizeof(bytes))) > 0;) {
        (void)pthread_mutex_lock(&watch->lock);
        for (const char *p = bytes; p < bytes + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)p;
            counts = event_counts(watch, event) || counts;
            p += sizeof(*event) + event->len;
        }
        (void)pthread_mutex_unlock(&watch->lock);
    }
    return counts;
}

/* Directories that were not there. One that has come back may hold a file that we have not seen. */
static bool look_again(ipt_watch *watch, bool *missing)
{
    bool found = false;
    (void)pthread_mutex_lock(&watch->lock);
    *missing = false;
    for (size_t i = 0; i < watch->count; i++) {
        target *t = &watch->targets[i];
        if (t->wd >= 0)
            continue;
        look_at(watch, t);
        found = found || t->wd >= 0;
        *missing = *missing || t->wd < 0;
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return found;
}

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_stopped(ipt_watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    bool stop = watch->stop;
    (void)pthread_mutex_unlock(&watch->lock);
    return stop;
}

static void *watch_thread(void *context)
{
    ipt_watch *watch = context;
    struct pollfd fds[] = {{.fd = watch->inotify, .events = POLLIN}, {.fd = watch->wake, .events = POLLIN}};
    int64_t first = 0, last = 0, looked = now_ms(); /* of a storm; 0: none */
    for (;;) {
        int64_t now = now_ms(), wait = IPT_WATCH_RETRY_MS;
        if (first != 0) {
            int64_t quiet = last + IPT_WATCH_QUIET_MS, patience = first + IPT_WATCH_PATIENCE_MS;
            wait = (quiet < patience ? quiet : patience) - now;
        }
        int ready = wait > 0 ? poll(fds, IPT_COUNT(fds), (int)wait) : 0;
        if (is_stopped(watch))
            return NULL;
        bool counts = ready > 0 && read_events(watch), missing = false;
        now = now_ms();
        if (now - looked >= IPT_WATCH_RETRY_MS) {
            counts = look_again(watch, &missing) || counts;
            looked = now;
        }
        if (counts) {
            first = first == 0 ? now : first;
            last = now;
        }
        if (first != 0 && (now - last >= IPT_WATCH_QUIET_MS || now - first >= IPT_WATCH_PATIENCE_MS)) {
            first = last = 0;
            watch->changed(watch->context);
        }
    }
}

/* ---- life ---- */

ipt_err ipt_watch_new(ipt_watch_changed *changed, void *context, ipt_watch **out)
{
    ipt_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return IPT_ENOMEM;
    *watch = (ipt_watch){.changed = changed, .context = context};
    (void)pthread_mutex_init(&watch->lock, NULL);
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (watch->inotify >= 0 && watch->wake >= 0)
        watch->started = pthread_create(&watch->thread, NULL, watch_thread, watch) == 0;
    if (!watch->started) {
        ipt_watch_free(watch);
        return IPT_EIO;
    }
    *out = watch;
    return IPT_OK;
}

void ipt_watch_free(ipt_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->started) {
        (void)pthread_mutex_lock(&watch->lock);
        watch->stop = true;
        (void)pthread_mutex_unlock(&watch->lock);
        (void)eventfd_write(watch->wake, 1);
        (void)pthread_join(watch->thread, NULL);
    }
    if (watch->inotify >= 0)
        (void)close(watch->inotify);
    if (watch->wake >= 0)
        (void)close(watch->wake);
    targets_free(watch->targets, watch->count);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch);
}
