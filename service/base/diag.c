/* Complaints collected in an arena, so that a run reports all of them and not only the first. */
#include "iptrust/base/diag.h"

#include <stdio.h>

enum { DIAG_ITEMS_MAX = 200, DIAG_TEXT_MAX = 1024 };

ipt_err ipt_diag_init(ipt_diag *diag)
{
    ipt_arena *arena;
    ipt_err err = ipt_arena_new(4096, 0, &arena);
    if (err != IPT_OK)
        return err;
    *diag = (ipt_diag){.arena = arena};
    return IPT_OK;
}

void ipt_diag_done(ipt_diag *diag)
{
    ipt_arena_free(diag->arena);
    *diag = (ipt_diag){0};
}

static ipt_diag_item *item_new(ipt_arena *arena, ipt_place place, ipt_span text)
{
    ipt_diag_item *item = ipt_arena_calloc(arena, 1, sizeof(*item));
    if (item == NULL)
        return NULL;
    /* The file's name is copied too: complaints outlive the loader that named it. */
    if (place.file != NULL) {
        place.file = ipt_arena_strdup(arena, ipt_span_from(place.file));
        if (place.file == NULL)
            return NULL;
    }
    item->place = place;
    item->text = ipt_arena_strdup(arena, text);
    return item->text == NULL ? NULL : item;
}

void ipt_diag_add(ipt_diag *diag, ipt_severity severity, ipt_place place, const char *format, ...)
{
    size_t recorded = diag->errors + diag->warnings;
    if (diag->watched != NULL && place.file != NULL && strcmp(diag->watched, place.file) == 0)
        diag->watched_items++;
    if (severity == IPT_ERROR)
        diag->errors++;
    else
        diag->warnings++;
    if (recorded >= DIAG_ITEMS_MAX)
        return;

    char text[DIAG_TEXT_MAX]; /* a longer text is cut: it quotes input, and input has no end */
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length < 0 || diag->arena == NULL) {
        diag->failed = true;
        return;
    }
    size_t n = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;

    ipt_diag_item *item = item_new(diag->arena, place, (ipt_span){text, n});
    if (item == NULL) {
        diag->failed = true;
        return;
    }
    item->severity = severity;
    if (diag->last == NULL)
        diag->first = item;
    else
        diag->last->next = item;
    diag->last = item;
}
