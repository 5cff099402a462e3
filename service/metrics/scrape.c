/* Adds the shards up and writes them, family by family. */
#include "metrics_priv.h"

#include <stdlib.h>

typedef struct sum {
    series_key key;
    uint64_t count;
} sum;

static int by_key(const void *a, const void *b)
{
    const sum *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* All series of all shards, sorted, equal keys added up; free(*out). False without memory. */
static bool gather(const ipt_metrics *m, sum **out, size_t *count)
{
    sum *sums = malloc(sizeof(*sums) * SLOTS * m->shard_count);
    if (sums == NULL)
        return false;
    size_t n = 0;
    for (unsigned i = 0; i < m->shard_count; i++) {
        for (size_t j = 0; j < SLOTS; j++) {
            const slot *s = &m->shards[i].slots[j];
            series_key key = atomic_load_explicit(&s->key, memory_order_acquire);
            if (key != 0)
                sums[n++] = (sum){key, atomic_load_explicit(&s->count, memory_order_relaxed)};
        }
    }
    qsort(sums, n, sizeof(*sums), by_key);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept != 0 && sums[kept - 1].key == sums[i].key)
            sums[kept - 1].count += sums[i].count;
        else
            sums[kept++] = sums[i];
    }
    *out = sums;
    *count = kept;
    return true;
}

static void write_counter(const ipt_metrics *m, ipt_expo *expo, size_t id, const sum *sums, size_t n)
{
    const family *f = &m->families[id - 1];
    size_t known = atomic_load_explicit(&m->value_count, memory_order_acquire);
    ipt_expo_family(expo, f->name, IPT_EXPO_COUNTER, f->help);
    for (size_t i = 0; i < n; i++) {
        if (sums[i].key >> (4 * LABEL_BITS) != id)
            continue;
        series_key labels = sums[i].key & ((UINT64_C(1) << (4 * LABEL_BITS)) - 1);
        if (labels == 0 && f->label_count != 0 && sums[i].count == 0)
            continue; /* kept for what does not fit, and all did */
        ipt_expo_label pairs[IPT_METRICS_LABELS_MAX];
        for (size_t j = 0; j < f->label_count; j++) {
            size_t value = (labels >> (LABEL_BITS * j)) & ((1U << LABEL_BITS) - 1);
            pairs[j] = (ipt_expo_label){f->labels[j], value < known ? m->values[value] : "other"};
        }
        ipt_expo_count(expo, pairs, f->label_count, sums[i].count);
    }
}

static uint64_t cell_sum(const ipt_metrics *m, size_t cell)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < m->shard_count; i++)
        n += atomic_load_explicit(&m->shards[i].cells[cell], memory_order_relaxed);
    return n;
}

static void write_histogram(const ipt_metrics *m, ipt_expo *expo, size_t id)
{
    const family *f = &m->families[id - 1];
    ipt_expo_family(expo, f->name, IPT_EXPO_HISTOGRAM, f->help);
    for (size_t value = 0; value < f->value_count; value++) {
        size_t first = f->first_cell + value * (f->bound_count + 2);
        ipt_expo_label labels[2] = {{f->labels[0], f->label_count == 0 ? "" : f->values[value]}};
        uint64_t count = 0;
        for (size_t bucket = 0; bucket <= f->bound_count; bucket++) {
            char bound[IPT_EXPO_NUMBER] = "+Inf";
            if (bucket < f->bound_count)
                ipt_expo_number((double)f->bounds[bucket] / 1e9, bound);
            count += cell_sum(m, first + bucket);
            labels[f->label_count] = (ipt_expo_label){"le", bound};
            ipt_expo_suffixed(expo, "_bucket", labels, f->label_count + 1, (double)count);
        }
        /* The sum is in words of its own and may be one observation ahead of the buckets: harmless to a rate. */
        ipt_expo_suffixed(expo, "_sum", labels, f->label_count, (double)cell_sum(m, first + f->bound_count + 1) / 1e9);
        ipt_expo_suffixed(expo, "_count", labels, f->label_count, (double)count);
    }
}

void ipt_metrics_write(ipt_metrics *m, ipt_expo_format format, ipt_buf *out)
{
    ipt_expo expo = {.out = out, .format = format};
    sum *sums = NULL;
    size_t n = 0;
    if (!gather(m, &sums, &n))
        out->failed = true;
    for (size_t id = 1; id <= m->family_count; id++) {
        if (m->families[id - 1].type == IPT_EXPO_HISTOGRAM)
            write_histogram(m, &expo, id);
        else
            write_counter(m, &expo, id, sums, n);
    }
    free(sums);
    for (size_t i = 0; i < m->collector_count; i++)
        m->collectors[i].call(m->collectors[i].context, &expo);
    ipt_expo_end(&expo);
}
