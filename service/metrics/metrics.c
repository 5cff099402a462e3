/* Registration and counting. A counter series is a slot in an open-addressing table that only its thread writes, so
 * that counting is a load, an add and a store without a lock prefix. */
#include "metrics_priv.h"

#include <stdlib.h>

/* So that shards share no cache line; plain calloc keeps every allocation within reach of the failure sweep. */
static ipt_err shards_new(ipt_metrics *m, unsigned count)
{
    size_t bytes = sizeof(shard) * count + CACHE_LINE;
    m->memory = calloc(1, bytes);
    if (m->memory == NULL)
        return IPT_ENOMEM;
    uintptr_t at = ((uintptr_t)m->memory + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1);
    m->shards = (shard *)at;
    m->shard_count = count;
    return IPT_OK;
}

ipt_err ipt_metrics_new(unsigned shards, ipt_metrics **out)
{
    ipt_metrics *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return IPT_ENOMEM;
    (void)pthread_mutex_init(&m->lock, NULL);
    ipt_err err = shards_new(m, shards == 0 ? 1 : shards);
    if (err == IPT_OK && ipt_metrics_value(m, "other") == 0 && m->value_count == 0)
        err = IPT_ENOMEM;
    if (err != IPT_OK) {
        ipt_metrics_free(m);
        return err;
    }
    *out = m;
    return IPT_OK;
}

void ipt_metrics_free(ipt_metrics *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->value_count; i++)
        free(m->values[i]);
    (void)pthread_mutex_destroy(&m->lock);
    free(m->memory);
    free(m);
}

static series_key key_of(ipt_family id, const ipt_label *labels, size_t count)
{
    series_key key = (series_key)id << (4 * LABEL_BITS);
    for (size_t i = 0; i < count; i++)
        key |= (series_key)labels[i] << (LABEL_BITS * i);
    return key;
}

/* The slot of a key in one shard; NULL when it is new and the table is full. */
static slot *slot_find(shard *s, series_key key)
{
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 40);
    for (;; at++) {
        slot *here = &s->slots[at & (SLOTS - 1)];
        series_key found = atomic_load_explicit(&here->key, memory_order_relaxed);
        if (found == key)
            return here;
        if (found != 0)
            continue;
        if (s->used >= IPT_METRICS_SERIES_MAX)
            return NULL;
        s->used++;
        atomic_store_explicit(&here->key, key, memory_order_release);
        return here;
    }
}

static void add_to(_Atomic uint64_t *cell, uint64_t n)
{
    /* One writer: a plain load and store, atomic only so that a reader sees whole words. */
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

static ipt_err family_new(ipt_metrics *m, ipt_family *out, family **place)
{
    if (m->family_count == IPT_METRICS_FAMILIES_MAX)
        return IPT_ELIMIT;
    *place = &m->families[m->family_count++];
    *out = (ipt_family)m->family_count;
    return IPT_OK;
}

ipt_err ipt_metrics_counter(ipt_metrics *m, const char *name, const char *help, const char *const *labels,
                            size_t label_count, ipt_family *out)
{
    family *f;
    ipt_family id;
    if (label_count > IPT_METRICS_LABELS_MAX)
        return IPT_ELIMIT;
    ipt_err err = family_new(m, &id, &f);
    if (err != IPT_OK)
        return err;
    f->name = name;
    f->help = help;
    f->type = IPT_EXPO_COUNTER;
    f->label_count = label_count;
    for (size_t i = 0; i < label_count; i++)
        f->labels[i] = labels[i];
    /* The series that catches what no longer fits has its place from the start. */
    static const ipt_label others[IPT_METRICS_LABELS_MAX];
    for (unsigned i = 0; i < m->shard_count; i++) {
        if (slot_find(&m->shards[i], key_of(id, others, label_count)) == NULL)
            return IPT_ELIMIT;
    }
    *out = id;
    return IPT_OK;
}

ipt_err ipt_metrics_histogram(ipt_metrics *m, const ipt_histogram_spec *spec, ipt_family *out)
{
    size_t values = spec->label == NULL ? 1 : spec->value_count;
    size_t cells = values * (spec->bound_count + 2);
    if (spec->bound_count > IPT_METRICS_BOUNDS_MAX || cells > IPT_METRICS_CELLS_MAX - m->cells_used)
        return IPT_ELIMIT;
    family *f;
    ipt_family id;
    ipt_err err = family_new(m, &id, &f);
    if (err != IPT_OK)
        return err;
    f->name = spec->name;
    f->help = spec->help;
    f->type = IPT_EXPO_HISTOGRAM;
    f->label_count = spec->label != NULL;
    f->labels[0] = spec->label;
    f->values = spec->values;
    f->value_count = values;
    f->bound_count = spec->bound_count;
    memcpy(f->bounds, spec->bounds, spec->bound_count * sizeof(f->bounds[0]));
    f->first_cell = m->cells_used;
    m->cells_used += cells;
    *out = id;
    return IPT_OK;
}

ipt_label ipt_metrics_value(ipt_metrics *m, const char *text)
{
    ipt_label found = 0;
    (void)pthread_mutex_lock(&m->lock);
    size_t count = atomic_load_explicit(&m->value_count, memory_order_relaxed), at = 0;
    while (at < count && strcmp(m->values[at], text) != 0)
        at++;
    if (at < count)
        found = (ipt_label)at;
    else if (count < IPT_METRICS_VALUES_MAX) {
        size_t bytes = strlen(text) + 1;
        char *copy = malloc(bytes);
        if (copy != NULL) {
            memcpy(copy, text, bytes);
            m->values[count] = copy;
            found = (ipt_label)count;
            atomic_store_explicit(&m->value_count, count + 1, memory_order_release);
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
    return found;
}

void ipt_metrics_add(ipt_metrics *m, unsigned shard_number, ipt_family id, const ipt_label *labels, uint64_t n)
{
    if (id == 0)
        return;
    shard *s = &m->shards[shard_number];
    size_t count = m->families[id - 1].label_count;
    slot *place = slot_find(s, key_of(id, labels, count));
    if (place == NULL) {
        static const ipt_label others[IPT_METRICS_LABELS_MAX];
        place = slot_find(s, key_of(id, others, count));
    }
    if (place != NULL)
        add_to(&place->count, n);
}

void ipt_metrics_observe(ipt_metrics *m, unsigned shard_number, ipt_family id, size_t value, uint64_t nanoseconds)
{
    if (id == 0)
        return;
    const family *f = &m->families[id - 1];
    if (value >= f->value_count)
        return;
    size_t bucket = 0;
    while (bucket < f->bound_count && nanoseconds > f->bounds[bucket])
        bucket++;
    _Atomic uint64_t *cells = &m->shards[shard_number].cells[f->first_cell + value * (f->bound_count + 2)];
    add_to(&cells[bucket], 1);
    add_to(&cells[f->bound_count + 1], nanoseconds);
}

ipt_err ipt_metrics_on_collect(ipt_metrics *m, ipt_collect *collect, void *context)
{
    if (m->collector_count == IPT_COUNT(m->collectors))
        return IPT_ELIMIT;
    m->collectors[m->collector_count].call = collect;
    m->collectors[m->collector_count++].context = context;
    return IPT_OK;
}
