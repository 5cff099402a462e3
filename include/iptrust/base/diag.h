/* What a person is told about a file: place, what was found, what to do. Collected, printed by the edge. */
#ifndef IPTRUST_BASE_DIAG_H
#define IPTRUST_BASE_DIAG_H

#include <stdarg.h>

#include "iptrust/base/arena.h"

typedef enum ipt_severity { IPT_ERROR = 0, IPT_WARNING } ipt_severity;

typedef struct ipt_place {
    const char *file; /* as the user named it; NULL when there is none */
    uint32_t line;    /* from 1; 0 when there is none */
    uint32_t column;  /* from 1, bytes */
} ipt_place;

typedef struct ipt_diag_item {
    ipt_severity severity;
    ipt_place place;
    const char *text; /* one line of plain words, no final full stop */
    struct ipt_diag_item *next;
} ipt_diag_item;

typedef struct ipt_diag {
    ipt_arena *arena;            /* owner of the items */
    ipt_diag_item *first, *last; /* in the order found */
    size_t errors, warnings;     /* counts; items past the 200th are only counted */
    bool failed;                 /* no memory: something was not recorded */
    const char *watched;         /* a name that places have; NULL. Of them all: */
    size_t watched_items;        /* errors and warnings */
} ipt_diag;

IPT_MUST_USE ipt_err ipt_diag_init(ipt_diag *diag);
void ipt_diag_done(ipt_diag *diag);
IPT_PRINTF(4, 5) void ipt_diag_add(ipt_diag *diag, ipt_severity severity, ipt_place place, const char *format, ...);

#endif
