/* The JSON library behind a narrow interface: one text in, events out, memory from the arena. Nothing else in the
 * module knows how yajl is set up. */
#ifndef IPT_EVENTS_PRIV_H
#define IPT_EVENTS_PRIV_H

#include <yajl_parse.h>

#include "iptrust/base/arena.h"
#include "iptrust/json/flaw.h"
#include "text_priv.h"

typedef struct ipt_json_source {
    ipt_span text;
    const char *pointer; /* where the text stands in the body, for the flaw; "" for the whole */
    size_t depth_max;    /* deeper nesting than the receiver of the events lets through, at least */
    bool takes_array;    /* the whole may be an array as well as an object */
    ipt_arena *arena;
    ipt_json_flaw *flaw;
    yajl_handle handle; /* while events run */
} ipt_json_source;

/* Whether the text has the outer form of a container: what a glance can say. Sets *flaw when false. */
IPT_MUST_USE bool ipt_json_source_check(const ipt_json_source *source, const ipt_json_text *look);

/* Runs the events. A callback that returns 0 has set source->flaw; other reasons to be false are told here. */
IPT_MUST_USE bool ipt_json_source_run(ipt_json_source *source, const ipt_json_text *look,
                                      const yajl_callbacks *callbacks, void *context);

/* Bytes of the text that were read when the current event was raised. */
size_t ipt_json_source_at(const ipt_json_source *source);

/* Inline, so that the compiler sees that it is always false. */
static inline bool ipt_json_out_of_memory(const ipt_json_source *source)
{
    (void)ipt_json_flaw_set(source->flaw, IPT_JSON_NO_MEMORY, source->pointer, "no memory to read the text");
    return false;
}

#endif
