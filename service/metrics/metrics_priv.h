/* How counts are stored: one block a thread, written by that thread alone and read by whoever scrapes. */
#ifndef IPTRUST_METRICS_PRIV_H
#define IPTRUST_METRICS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "iptrust/metrics/metrics.h"

enum {
    SLOTS = 2048, /* power of two, above IPT_METRICS_SERIES_MAX so that a probe always ends */
    CACHE_LINE = 64,
    LABEL_BITS = 14,
};

/* family in the top byte, then four labels of 14 bits: never 0, because families count from 1. */
typedef uint64_t series_key;

typedef struct slot {
    _Atomic series_key key; /* 0: free. Set once, after count */
    _Atomic uint64_t count;
} slot;

typedef struct shard {
    slot slots[SLOTS];
    _Atomic uint64_t cells[IPT_METRICS_CELLS_MAX];
    uint32_t used; /* of slots; the owner's alone */
} shard;

typedef struct family {
    const char *name, *help;
    ipt_expo_type type;
    const char *labels[IPT_METRICS_LABELS_MAX];
    size_t label_count;
    /* histograms */
    const char *const *values;
    size_t value_count; /* at least 1 */
    uint64_t bounds[IPT_METRICS_BOUNDS_MAX];
    size_t bound_count;
    size_t first_cell; /* value by value: a cell for each bound, one for +Inf, the sum */
} family;

struct ipt_metrics {
    unsigned shard_count;
    void *memory; /* of the shards, before they are aligned */
    shard *shards;
    family families[IPT_METRICS_FAMILIES_MAX];
    size_t family_count; /* family n is families[n - 1] */
    size_t cells_used;
    pthread_mutex_t lock; /* values */
    char *values[IPT_METRICS_VALUES_MAX];
    _Atomic size_t value_count;
    struct {
        ipt_collect *call;
        void *context;
    } collectors[8];
    size_t collector_count;
};

#endif
