/* Log lines are built on the writer's stack and handed to a ring. */
#include "iptrust/engine/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "iptrust/engine/clock.h"

enum { LOG_SLOTS = 256, ROOM_FOR_END = 4 };

struct ipt_log {
    ipt_ring *ring;
    _Atomic int level;
    bool text;
    int fd;
};

ipt_err ipt_log_new(int fd, ipt_log_format format, ipt_log_level level, ipt_log **out)
{
    ipt_auto(ipt_log) *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return IPT_ENOMEM;
    atomic_init(&log->level, (int)level);
    log->fd = fd;
    ipt_log_set_format(log, format);
    ipt_err err = ipt_ring_new(LOG_SLOTS, fd, &log->ring);
    if (err != IPT_OK)
        return err;
    *out = log;
    log = NULL;
    return IPT_OK;
}

void ipt_log_free(ipt_log *log)
{
    if (log == NULL)
        return;
    ipt_ring_free(log->ring);
    free(log);
}

void ipt_log_set_format(ipt_log *log, ipt_log_format format)
{
    log->text = format == IPT_LOG_TEXT || (format == IPT_LOG_AUTO && isatty(log->fd) == 1);
}

void ipt_log_set_level(ipt_log *log, ipt_log_level level)
{
    if (log != NULL)
        atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

bool ipt_log_is_text(const ipt_log *log)
{
    return log != NULL && log->text;
}

uint64_t ipt_log_dropped(const ipt_log *log)
{
    return log == NULL ? 0 : ipt_ring_dropped(log->ring);
}

static const char *level_name(ipt_log_level level)
{
    switch (level) {
    case IPT_LOG_ERROR:
        return "error";
    case IPT_LOG_WARNING:
        return "warning";
    case IPT_LOG_INFO:
        return "info";
    case IPT_LOG_DEBUG:
        return "debug";
    }
    return "error";
}

/* All or nothing: half an escape or half a pair would spoil the line. */
static void add(ipt_log_line *line, const char *text, size_t n)
{
    if (line->n + n + ROOM_FOR_END <= sizeof(line->text)) {
        memcpy(line->text + line->n, text, n);
        line->n += n;
    }
}

static void adds(ipt_log_line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* ASCII alone: everything else as an escape that neither a terminal nor a JSON reader takes for anything else. */
static void add_escaped(ipt_log_line *line, ipt_span value)
{
    size_t shown = value.n < IPT_LOG_TEXT_MAX ? value.n : IPT_LOG_TEXT_MAX;
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == '"' || c == '\\')
            add(line, (char[]){'\\', (char)c}, 2);
        else if (c >= 0x20 && c < 0x7f)
            add(line, (char[]){(char)c}, 1);
        else {
            char escape[8];
            snprintf(escape, sizeof(escape), "\\u%04x", c);
            adds(line, escape);
        }
    }
    if (shown < value.n)
        adds(line, "...");
}

bool ipt_log_says(const ipt_log *log, ipt_log_level level)
{
    return log != NULL && (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

void ipt_log_begin(ipt_log_line *line, ipt_log *log, ipt_log_level level, const char *msg)
{
    line->n = 0;
    line->log = NULL;
    if (!ipt_log_says(log, level))
        return;
    line->log = log;
    if (log->text) {
        char head[16];
        snprintf(head, sizeof(head), "%-8s", level_name(level));
        adds(line, head);
        adds(line, msg);
        return;
    }
    char now[IPT_CLOCK_TEXT];
    ipt_clock_format(ipt_clock_wall(), now);
    adds(line, "{\"time\":\"");
    adds(line, now);
    adds(line, "\",\"level\":\"");
    adds(line, level_name(level));
    adds(line, "\",\"msg\":\"");
    add_escaped(line, ipt_span_from(msg));
    adds(line, "\"");
}

static bool plain_word(ipt_span value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] <= ' ' || value.p[i] > '~' || value.p[i] == '"' || value.p[i] == '\\')
            return false;
    }
    return value.n != 0 && value.n <= IPT_LOG_TEXT_MAX;
}

/* The whole pair or nothing of it. */
void ipt_log_str(ipt_log_line *line, const char *key, ipt_span value)
{
    if (line->log == NULL)
        return;
    size_t worst = strlen(key) + 16 + 6 * (value.n < IPT_LOG_TEXT_MAX ? value.n : IPT_LOG_TEXT_MAX);
    if (line->n + worst + ROOM_FOR_END > sizeof(line->text))
        return;
    if (line->log->text) {
        bool plain = plain_word(value);
        adds(line, " ");
        adds(line, key);
        adds(line, plain ? "=" : "=\"");
        add_escaped(line, value);
        adds(line, plain ? "" : "\"");
        return;
    }
    adds(line, ",\"");
    adds(line, key);
    adds(line, "\":\"");
    add_escaped(line, value);
    adds(line, "\"");
}

void ipt_log_num(ipt_log_line *line, const char *key, int64_t value)
{
    if (line->log == NULL)
        return;
    char pair[96];
    int n = snprintf(pair, sizeof(pair), line->log->text ? " %s=%" PRId64 : ",\"%s\":%" PRId64, key, value);
    if (n > 0 && (size_t)n < sizeof(pair))
        add(line, pair, (size_t)n);
}

void ipt_log_end(ipt_log_line *line)
{
    if (line->log == NULL)
        return;
    const char *end = line->log->text ? "\n" : "}\n";
    size_t n = strlen(end);
    memcpy(line->text + line->n, end, n);
    (void)ipt_ring_put(line->log->ring, (ipt_span){line->text, line->n + n});
    line->log = NULL;
}

void ipt_log_note(ipt_log *log, ipt_log_level level, const char *msg, const char *key, const char *value)
{
    ipt_log_line line;
    ipt_log_begin(&line, log, level, msg);
    if (key != NULL)
        ipt_log_str(&line, key, ipt_span_from(value));
    ipt_log_end(&line);
}
