/* Lists that are fetched, seen from a face: their state, a refresh out of turn, the word that takes held contents. */
#ifndef IPTRUST_ENGINE_LISTS_H
#define IPTRUST_ENGINE_LISTS_H

#include "iptrust/engine/engine.h"

typedef enum ipt_list_call {
    IPT_LIST_CALL_NONE = 0, /* there is no fetched list of that name */
    IPT_LIST_CALL_DONE,     /* asked for; accepted */
    IPT_LIST_CALL_OFF,      /* refreshing is switched off */
    IPT_LIST_CALL_MISSING,  /* nothing is held */
    IPT_LIST_CALL_OTHER,    /* what is held has another digest */
    IPT_LIST_CALL_REFUSED,  /* contents that no word makes good; why says why */
} ipt_list_call;

/* The feed is asked as soon as the fetching thread is free, whatever its schedule says. */
IPT_MUST_USE ipt_list_call ipt_engine_list_refresh(ipt_engine *engine, const char *name);

/* Takes what is held if it has this digest ("sha256:..."). The reloading thread then remembers it in state_dir and
 * publishes a view that has it, in this order: a disk that is slow holds up neither the caller nor health.
 * rollback: also when the feed's own version is older than the active one. */
IPT_MUST_USE ipt_list_call ipt_engine_list_accept(ipt_engine *engine, const char *name, ipt_span digest, bool rollback,
                                                  char why[256]);

/* `"last_result":...,"pending":...` of a list, null for what there is not. context: the engine. */
void ipt_engine_list_write(void *context, ipt_buf *out, const char *name, bool whole);

typedef enum ipt_list_trouble {
    IPT_LIST_FINE = 0,
    IPT_LIST_IS_HELD,    /* contents wait for a word */
    IPT_LIST_IS_REFUSED, /* the last body was not taken */
    IPT_LIST_IS_FAILING, /* the last one did not come */
} ipt_list_trouble;
/* For /readyz?verbose. */
ipt_list_trouble ipt_engine_list_trouble(ipt_engine *engine, const char *name);

#endif
