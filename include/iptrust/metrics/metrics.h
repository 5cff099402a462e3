/* Counters and histograms that cost the request path no lock and no shared cache line: every thread counts into a shard
 * of its own, a scrape adds them up. Knows nothing of what is counted. */
#ifndef IPTRUST_METRICS_METRICS_H
#define IPTRUST_METRICS_METRICS_H

#include "iptrust/metrics/expo.h"

#define IPT_METRICS_LABELS_MAX   4    /* labels of one family */
#define IPT_METRICS_FAMILIES_MAX 64   /* families of one registry */
#define IPT_METRICS_VALUES_MAX   4096 /* label values in all; the rest is counted as "other" */
#define IPT_METRICS_SERIES_MAX   1536 /* counter series in all; the rest is counted as "other" */
#define IPT_METRICS_CELLS_MAX    1024 /* words of all histograms of one shard */
#define IPT_METRICS_BOUNDS_MAX   24   /* bounds of one histogram */

typedef struct ipt_metrics ipt_metrics;

typedef uint8_t ipt_family; /* 0 is none: counting into it does nothing */
typedef uint16_t ipt_label; /* a label value, 0 is "other" */

/* shards: threads that count. */
IPT_MUST_USE ipt_err ipt_metrics_new(unsigned shards, ipt_metrics **out);
void ipt_metrics_free(ipt_metrics *metrics);
IPT_DEFINE_CLEANUP(ipt_metrics, ipt_metrics_free)

/* name without _total; name, help and labels are static. Before the first count. */
IPT_MUST_USE ipt_err ipt_metrics_counter(ipt_metrics *metrics, const char *name, const char *help,
                                         const char *const *labels, size_t label_count, ipt_family *out);

/* Nanoseconds in, seconds out. bounds rise; values are those of the one label (label NULL: one series, no label). */
typedef struct ipt_histogram_spec {
    const char *name, *help;
    const uint64_t *bounds;
    size_t bound_count;
    const char *label;
    const char *const *values;
    size_t value_count;
} ipt_histogram_spec;
IPT_MUST_USE ipt_err ipt_metrics_histogram(ipt_metrics *metrics, const ipt_histogram_spec *spec, ipt_family *out);

/* The number of a label value, the same for the same text and for ever; 0 without memory or past the limit. Takes a
 * lock: for start and reload, not for requests. */
ipt_label ipt_metrics_value(ipt_metrics *metrics, const char *text);

/* labels: as many as the family has. Only the thread that owns the shard may call these two. */
void ipt_metrics_add(ipt_metrics *metrics, unsigned shard, ipt_family family, const ipt_label *labels, uint64_t n);
void ipt_metrics_observe(ipt_metrics *metrics, unsigned shard, ipt_family histogram, size_t value,
                         uint64_t nanoseconds);

/* Called by every scrape after the counters, to write gauges whose truth lives elsewhere. */
typedef void ipt_collect(void *context, ipt_expo *expo);
IPT_MUST_USE ipt_err ipt_metrics_on_collect(ipt_metrics *metrics, ipt_collect *collect, void *context);

/* The whole exposition. Any thread; the counters go on meanwhile. */
void ipt_metrics_write(ipt_metrics *metrics, ipt_expo_format format, ipt_buf *out);

#endif
