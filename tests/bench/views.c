/* What readers notice of views that change: bench_views slot times decisions one by one on a thread that has a
 * core to itself, quiet and while another thread publishes two views in turn each millisecond, and counts what one and
 * two reading threads decide. `waits` is the same with a read side that waits while a view is built and freed, which a
 * measurement that is worth something must find. Prints one JSON object. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "iptrust/engine/slot.h"
#include "iptrust/resolve/resolve.h"

enum { EXACT_NS = 1 << 16, THREADS_MAX = 2 };

typedef enum way { WAY_SLOT = 0, WAY_WAITS } way;

typedef struct bench {
    ipt_slot slot;
    pthread_rwlock_t lock; /* of WAY_WAITS */
    ipt_generation *locked;
    const char *path;
    ipt_view *views[2]; /* built before anything is timed; published are copies that share all but their freshness */
    way way;
    _Atomic bool stop;
    uint64_t published;
} bench;

typedef struct reader {
    bench *bench;
    int core;
    uint32_t *counts; /* of decisions by nanoseconds; the last one: longer. NULL: not timed */
    uint64_t decided, unclear;
    uint64_t longest;
} reader;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static ipt_view *view_new(const char *path)
{
    ipt_diag diag;
    ipt_config *config = NULL;
    ipt_view *view = NULL;
    if (ipt_diag_init(&diag) != IPT_OK)
        return NULL;
    if (ipt_config_load(strcmp(path, "-") == 0 ? NULL : path, NULL, &diag, &config) != IPT_OK ||
        ipt_view_build_take(config, time(NULL), &view) != IPT_OK) {
        ipt_config_free(config);
        view = NULL;
    }
    ipt_diag_done(&diag);
    return view;
}

static ipt_generation *generation_new(ipt_view *view)
{
    ipt_generation *generation = view == NULL ? NULL : calloc(1, sizeof(*generation));
    if (generation == NULL)
        abort();
    generation->view = view;
    return generation;
}

static ipt_generation *copy_new(const ipt_view *view)
{
    ipt_view *copy = NULL;
    if (ipt_view_refresh(view, time(NULL), &copy) != IPT_OK)
        abort();
    return generation_new(copy);
}

/* ---- the two read sides ---- */

static const ipt_generation *acquire(bench *b)
{
    if (b->way == WAY_SLOT)
        return ipt_slot_acquire(&b->slot);
    (void)pthread_rwlock_rdlock(&b->lock);
    return b->locked;
}

static void release(bench *b, const ipt_generation *generation)
{
    if (b->way == WAY_SLOT)
        ipt_slot_release(&b->slot, generation);
    else
        (void)pthread_rwlock_unlock(&b->lock);
}

static void publish(bench *b, unsigned which)
{
    if (b->way == WAY_SLOT) {
        ipt_slot_publish_take(&b->slot, copy_new(b->views[which]));
        return;
    }
    (void)pthread_rwlock_wrlock(&b->lock);
    ipt_generation_free(b->locked);
    b->locked = generation_new(view_new(b->path));
    (void)pthread_rwlock_unlock(&b->lock);
}

static void *publisher(void *context)
{
    bench *b = context;
    struct timespec due;
    pin(0);
    clock_gettime(CLOCK_MONOTONIC, &due);
    while (!atomic_load(&b->stop)) {
        publish(b, (unsigned)(b->published++ & 1));
        due.tv_nsec += 1000000;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    return NULL;
}

/* ---- reading ---- */

/* Four entries, half of them in a list, as in the benchmark of decisions; the peer is the first host of a provider. */
static bool decide_once(const ipt_generation *generation, ipt_decision *decision)
{
    const ipt_policy *policy = ipt_view_find_policy(generation->view, IPT_SPAN("cloudflare"));
    const ipt_header header = {IPT_SPAN("X-Forwarded-For"),
                               IPT_SPAN("203.0.113.9, 8.8.8.8, 172.64.3.4, 173.245.48.17")};
    const ipt_request request = {
        .peer = IPT_SPAN("173.245.48.1:443"), .headers = &header, .header_count = 1, .caller = IPT_CALLER_TRUSTED};
    return policy != NULL &&
           ipt_resolve(generation->view, policy, &request, IPT_DETAIL_FULL, decision, NULL) == IPT_REFUSAL_NONE &&
           decision->has_client;
}

static void *read_on(void *context)
{
    reader *r = context;
    ipt_decision *decision = malloc(sizeof(*decision));
    if (decision == NULL)
        abort();
    pin(r->core);
    while (!atomic_load_explicit(&r->bench->stop, memory_order_relaxed)) {
        uint64_t begin = r->counts == NULL ? 0 : now_ns();
        const ipt_generation *generation = acquire(r->bench);
        r->unclear += !decide_once(generation, decision);
        release(r->bench, generation);
        r->decided++;
        if (r->counts == NULL)
            continue;
        uint64_t took = now_ns() - begin;
        r->counts[took < EXACT_NS ? took : EXACT_NS]++;
        r->longest = took > r->longest ? took : r->longest;
    }
    free(decision);
    return NULL;
}

static void run(bench *b, reader *readers, unsigned count, bool publishes, double seconds)
{
    pthread_t threads[THREADS_MAX], changing;
    struct timespec length = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    atomic_store(&b->stop, false);
    b->published = 0;
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, read_on, &readers[i]) != 0)
            abort();
    if (publishes && pthread_create(&changing, NULL, publisher, b) != 0)
        abort();
    (void)nanosleep(&length, NULL);
    atomic_store(&b->stop, true);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    if (publishes)
        (void)pthread_join(changing, NULL);
}

/* Nanoseconds that all but one in a thousand stay below. */
static uint64_t p999(const reader *r)
{
    uint64_t left = r->decided / 1000;
    for (size_t ns = EXACT_NS + 1; ns-- > 0; left -= r->counts[ns])
        if (r->counts[ns] > left)
            return ns < EXACT_NS ? ns : r->longest;
    return 0;
}

static uint64_t timed(bench *b, bool publishes, double seconds, uint64_t *decided)
{
    reader r = {.bench = b, .core = 1, .counts = calloc(EXACT_NS + 1, sizeof(uint32_t))};
    if (r.counts == NULL)
        abort();
    run(b, &r, 1, publishes, seconds);
    uint64_t value = p999(&r);
    *decided = r.decided;
    free(r.counts);
    if (r.unclear != 0)
        abort();
    return value;
}

static double counted(bench *b, unsigned threads, double seconds)
{
    reader readers[THREADS_MAX] = {{.bench = b, .core = 0}, {.bench = b, .core = 1}};
    uint64_t begin = now_ns(), decided = 0;
    run(b, readers, threads, false, seconds);
    for (unsigned i = 0; i < threads; i++)
        decided += readers[i].decided;
    return (double)decided * 1e9 / (double)(now_ns() - begin);
}

int main(int argc, char **argv)
{
    bench b = {.lock = PTHREAD_RWLOCK_INITIALIZER, .path = argc > 2 ? argv[2] : "-"};
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 1;
    uint64_t quiet_decided, decided;
    if (argc < 2 || argc > 4 || seconds <= 0 || (strcmp(argv[1], "slot") != 0 && strcmp(argv[1], "waits") != 0)) {
        fputs("usage: bench_views slot|waits [CONFIG [SECONDS]]   (CONFIG -: the embedded default)\n", stderr);
        return 2;
    }
    b.way = strcmp(argv[1], "waits") == 0 ? WAY_WAITS : WAY_SLOT;
    b.views[0] = view_new(b.path);
    b.views[1] = view_new(b.path);
    if (b.views[0] == NULL || b.views[1] == NULL)
        return 1;
    b.locked = copy_new(b.views[0]);
    ipt_slot_publish_take(&b.slot, copy_new(b.views[0]));
    (void)timed(&b, false, seconds / 4, &decided); /* warms caches and clocks */
    uint64_t quiet = timed(&b, false, seconds, &quiet_decided);
    uint64_t changing = timed(&b, true, seconds, &decided);
    uint64_t published = b.published;
    double one = counted(&b, 1, seconds), two = counted(&b, 2, seconds);
    printf("{\"quiet_p999_ns\":%llu,\"changing_p999_ns\":%llu,\"quiet_decisions\":%llu,\"decisions\":%llu,"
           "\"published\":%llu,\"one\":%.0f,\"two\":%.0f}\n",
           (unsigned long long)quiet, (unsigned long long)changing, (unsigned long long)quiet_decided,
           (unsigned long long)decided, (unsigned long long)published, one, two);
    ipt_slot_publish_take(&b.slot, NULL);
    ipt_generation_free(b.locked);
    ipt_view_free(b.views[0]);
    ipt_view_free(b.views[1]);
    return 0;
}
