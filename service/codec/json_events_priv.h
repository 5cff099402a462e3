/* The JSON library behind a narrow interface: one text in, events out, memory from the arena. Nothing else in the
 * module knows how yajl is set up. */
#ifndef IPT_JSON_EVENTS_PRIV_H
#define IPT_JSON_EVENTS_PRIV_H

#include <yajl_parse.h>

#include "iptrust/base/arena.h"
#include "iptrust/codec/problem.h"
#include "json_text_priv.h"

typedef struct ipt_json_source {
    ipt_span text;
    const char *pointer; /* where the text stands in the body, for problems; "" for the whole */
    size_t depth_max;    /* deeper nesting than the receiver of the events lets through, at least */
    ipt_arena *arena;
    ipt_problem *problem;
    yajl_handle handle; /* while events run */
} ipt_json_source;

/* Whether the text has the outer form of an object: what a glance can say. Sets *problem when false. */
IPT_MUST_USE bool ipt_json_source_check(const ipt_json_source *source, const ipt_json_text *look);

/* Runs the events. A callback that returns 0 has set source->problem; other reasons to be false are told here. */
IPT_MUST_USE bool ipt_json_source_run(ipt_json_source *source, const ipt_json_text *look,
                                      const yajl_callbacks *callbacks, void *context);

/* Bytes of the text that were read when the current event was raised. */
size_t ipt_json_source_at(const ipt_json_source *source);

/* Inline, so that the compiler sees that it is always false. */
static inline bool ipt_json_out_of_memory(ipt_problem *problem, const char *pointer)
{
    ipt_problem_set(problem, IPT_PROBLEM_INTERNAL, pointer, "no memory to read the request");
    return false;
}

#endif
