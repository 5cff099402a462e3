/* Writers of the two text formats that Prometheus reads: text 0.0.4 and OpenMetrics 1.0. */
#ifndef IPTRUST_METRICS_EXPO_H
#define IPTRUST_METRICS_EXPO_H

#include "iptrust/base/buf.h"

typedef enum ipt_expo_format { IPT_EXPO_TEXT = 0, IPT_EXPO_OPENMETRICS } ipt_expo_format;

/* OpenMetrics when an Accept header prefers it, else text; accept may be NULL. */
ipt_expo_format ipt_expo_negotiate(const char *accept);
const char *ipt_expo_content_type(ipt_expo_format format);

typedef enum ipt_expo_type { IPT_EXPO_GAUGE = 0, IPT_EXPO_COUNTER, IPT_EXPO_HISTOGRAM, IPT_EXPO_INFO } ipt_expo_type;

typedef struct ipt_expo {
    ipt_buf *out;
    ipt_expo_format format;
    const char *name; /* of the current family */
    ipt_expo_type type;
} ipt_expo;

/* name without _total and _info: the formats disagree on where these stand. */
void ipt_expo_family(ipt_expo *expo, const char *name, ipt_expo_type type, const char *help);

typedef struct ipt_expo_label {
    const char *name, *value; /* value: any bytes, escaped here */
} ipt_expo_label;
void ipt_expo_sample(ipt_expo *expo, const ipt_expo_label *labels, size_t count, double value);
void ipt_expo_count(ipt_expo *expo, const ipt_expo_label *labels, size_t count, uint64_t value);
/* One sample of a histogram: suffix "_bucket", "_sum" or "_count". */
void ipt_expo_suffixed(ipt_expo *expo, const char *suffix, const ipt_expo_label *labels, size_t count, double value);
void ipt_expo_end(ipt_expo *expo);

#define IPT_EXPO_NUMBER 32 /* bytes of the longest number with its NUL */
/* The shortest text that reads back as value. */
void ipt_expo_number(double value, char out[IPT_EXPO_NUMBER]);

/* process_*: what every Prometheus client library says of its process, from /proc. */
void ipt_expo_process(ipt_expo *expo);

#endif
