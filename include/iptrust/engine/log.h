/* What the daemon tells the people who run it: one line an event, JSON for machines, plain text on a terminal. Never
 * blocks; text of a request is escaped and capped. */
#ifndef IPTRUST_ENGINE_LOG_H
#define IPTRUST_ENGINE_LOG_H

#include "iptrust/config/config.h"
#include "iptrust/engine/ring.h"

#define IPT_LOG_TEXT_MAX 256 /* bytes shown of one value */

typedef struct ipt_log ipt_log;

/* AUTO: text when fd is a terminal, else JSON. */
IPT_MUST_USE ipt_err ipt_log_new(int fd, ipt_log_format format, ipt_log_level level, ipt_log **out);
void ipt_log_free(ipt_log *log);
IPT_DEFINE_CLEANUP(ipt_log, ipt_log_free)

/* Before other threads write. */
void ipt_log_set_format(ipt_log *log, ipt_log_format format);
void ipt_log_set_level(ipt_log *log, ipt_log_level level);
bool ipt_log_is_text(const ipt_log *log);
bool ipt_log_says(const ipt_log *log, ipt_log_level level); /* a line of this level would be written */
uint64_t ipt_log_dropped(const ipt_log *log);

/* ipt_log_line line; ipt_log_begin(&line, log, IPT_LOG_INFO, "listening"); ipt_log_str(...); ipt_log_end(&line);
 * log may be NULL: nothing happens. */
typedef struct ipt_log_line {
    ipt_log *log; /* NULL: below the level */
    size_t n;
    char text[IPT_RING_LINE_MAX];
} ipt_log_line;

void ipt_log_begin(ipt_log_line *line, ipt_log *log, ipt_log_level level, const char *msg);
void ipt_log_str(ipt_log_line *line, const char *key, ipt_span value);
void ipt_log_num(ipt_log_line *line, const char *key, int64_t value);
void ipt_log_end(ipt_log_line *line);

/* The common case: a message and at most one value. key may be NULL. */
void ipt_log_note(ipt_log *log, ipt_log_level level, const char *msg, const char *key, const char *value);

#endif
