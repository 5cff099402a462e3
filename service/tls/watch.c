/* The thread that looks at the files of all listeners every second: polling, because mounts of containers and network
 * file systems tell of changes in no other way. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "iptrust/tls/tls.h"

enum { PERIOD_S = 1 };

struct ipt_tls_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked;
    bool stop, now;
    ipt_tls_told *told;
    void *context;
    size_t count;
    ipt_tls_files *files[];
};

static void look_at_all(ipt_tls_watch *watch, bool at_once)
{
    for (size_t i = 0; i < watch->count; i++) {
        ipt_tls_fault fault = {.text = ""};
        ipt_tls_look look = ipt_tls_files_look(watch->files[i], at_once, &fault);
        if (look != IPT_TLS_SAME)
            watch->told(watch->context, i, look, &fault);
    }
}

static void *run(void *context)
{
    ipt_tls_watch *watch = context;
    (void)pthread_mutex_lock(&watch->lock);
    while (!watch->stop) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PERIOD_S;
        while (!watch->stop && !watch->now && pthread_cond_timedwait(&watch->asked, &watch->lock, &until) != ETIMEDOUT)
            ;
        bool at_once = watch->now;
        watch->now = false;
        if (watch->stop)
            break;
        (void)pthread_mutex_unlock(&watch->lock);
        look_at_all(watch, at_once);
        (void)pthread_mutex_lock(&watch->lock);
    }
    (void)pthread_mutex_unlock(&watch->lock);
    return NULL;
}

ipt_err ipt_tls_watch_start(ipt_tls_files *const *files, size_t count, ipt_tls_told *told, void *context,
                            ipt_tls_watch **out)
{
    pthread_condattr_t monotonic;
    ipt_tls_watch *watch = calloc(1, sizeof(*watch) + count * sizeof(watch->files[0]));
    if (watch == NULL)
        return IPT_ENOMEM;
    (void)pthread_mutex_init(&watch->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&watch->asked, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    watch->told = told;
    watch->context = context;
    watch->count = count;
    for (size_t i = 0; i < count; i++)
        watch->files[i] = files[i];
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        (void)pthread_cond_destroy(&watch->asked);
        (void)pthread_mutex_destroy(&watch->lock);
        free(watch);
        return IPT_EIO;
    }
    *out = watch;
    return IPT_OK;
}

static void tell(ipt_tls_watch *watch, bool *what)
{
    (void)pthread_mutex_lock(&watch->lock);
    *what = true;
    (void)pthread_cond_signal(&watch->asked);
    (void)pthread_mutex_unlock(&watch->lock);
}

void ipt_tls_watch_now(ipt_tls_watch *watch)
{
    tell(watch, &watch->now);
}

void ipt_tls_watch_stop(ipt_tls_watch *watch)
{
    if (watch == NULL)
        return;
    tell(watch, &watch->stop);
    (void)pthread_join(watch->thread, NULL);
    (void)pthread_cond_destroy(&watch->asked);
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch);
}
