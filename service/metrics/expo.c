/* Lines of the Prometheus text format 0.0.4 and of OpenMetrics 1.0. They differ in where _total and _info stand, in the
 * type `info` and in the end mark. */
#include "iptrust/metrics/expo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

ipt_expo_format ipt_expo_negotiate(const char *accept)
{
    /* Who reads OpenMetrics names it; whoever lists it at all accepts it. */
    if (accept != NULL && strstr(accept, "application/openmetrics-text") != NULL)
        return IPT_EXPO_OPENMETRICS;
    return IPT_EXPO_TEXT;
}

const char *ipt_expo_content_type(ipt_expo_format format)
{
    return format == IPT_EXPO_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}

static const char *type_name(ipt_expo_type type, ipt_expo_format format)
{
    switch (type) {
    case IPT_EXPO_GAUGE:
        return "gauge";
    case IPT_EXPO_COUNTER:
        return "counter";
    case IPT_EXPO_HISTOGRAM:
        return "histogram";
    case IPT_EXPO_INFO:
        return format == IPT_EXPO_OPENMETRICS ? "info" : "gauge";
    }
    return "untyped";
}

static const char *sample_suffix(ipt_expo_type type)
{
    if (type == IPT_EXPO_COUNTER)
        return "_total";
    return type == IPT_EXPO_INFO ? "_info" : "";
}

void ipt_expo_family(ipt_expo *expo, const char *name, ipt_expo_type type, const char *help)
{
    expo->name = name;
    expo->type = type;
    const char *suffix = expo->format == IPT_EXPO_OPENMETRICS ? "" : sample_suffix(type);
    ipt_buf_addf(expo->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
                 type_name(type, expo->format));
}

static void add_escaped(ipt_buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n')
            ipt_buf_adds(out, "\\n");
        else {
            if (*c == '\\' || *c == '"')
                ipt_buf_addc(out, '\\');
            ipt_buf_addc(out, *c);
        }
    }
}

static void add_head(ipt_expo *expo, const char *suffix, const ipt_expo_label *labels, size_t count)
{
    ipt_buf_adds(expo->out, expo->name);
    ipt_buf_adds(expo->out, suffix);
    for (size_t i = 0; i < count; i++) {
        ipt_buf_addc(expo->out, i == 0 ? '{' : ',');
        ipt_buf_adds(expo->out, labels[i].name);
        ipt_buf_adds(expo->out, "=\"");
        add_escaped(expo->out, labels[i].value);
        ipt_buf_addc(expo->out, '"');
    }
    ipt_buf_adds(expo->out, count == 0 ? " " : "} ");
}

void ipt_expo_number(double value, char out[IPT_EXPO_NUMBER])
{
    if (isnan(value)) {
        snprintf(out, IPT_EXPO_NUMBER, "NaN");
        return;
    }
    if (isinf(value)) {
        snprintf(out, IPT_EXPO_NUMBER, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (fabs(value) < 1e15 && !(trunc(value) < value) && !(trunc(value) > value)) {
        snprintf(out, IPT_EXPO_NUMBER, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, IPT_EXPO_NUMBER, "%.*g", digits, value);
        /* Equal on purpose: the question is whether the text reads back as the very same number. */
        double back = strtod(out, NULL);
        if (!(back < value) && !(back > value))
            return;
    }
}

void ipt_expo_suffixed(ipt_expo *expo, const char *suffix, const ipt_expo_label *labels, size_t count, double value)
{
    char number[IPT_EXPO_NUMBER];
    ipt_expo_number(value, number);
    add_head(expo, suffix, labels, count);
    ipt_buf_adds(expo->out, number);
    ipt_buf_addc(expo->out, '\n');
}

void ipt_expo_sample(ipt_expo *expo, const ipt_expo_label *labels, size_t count, double value)
{
    ipt_expo_suffixed(expo, sample_suffix(expo->type), labels, count, value);
}

void ipt_expo_count(ipt_expo *expo, const ipt_expo_label *labels, size_t count, uint64_t value)
{
    add_head(expo, sample_suffix(expo->type), labels, count);
    ipt_buf_addu(expo->out, value);
    ipt_buf_addc(expo->out, '\n');
}

void ipt_expo_end(ipt_expo *expo)
{
    if (expo->format == IPT_EXPO_OPENMETRICS)
        ipt_buf_adds(expo->out, "# EOF\n");
}
