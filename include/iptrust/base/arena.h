/* Memory of one owner that ends all at once. Growing arenas serve configuration and views; a request uses one whose
 * first block is reset and used again, so that a steady state allocates nothing. */
#ifndef IPTRUST_BASE_ARENA_H
#define IPTRUST_BASE_ARENA_H

#include "iptrust/base/span.h"

typedef struct ipt_arena ipt_arena;

/* block: bytes of the first block; limit: bytes in all that the arena may hold, 0 for no limit. */
IPT_MUST_USE ipt_err ipt_arena_new(size_t block, size_t limit, ipt_arena **out);
void ipt_arena_free(ipt_arena *arena);
IPT_DEFINE_CLEANUP(ipt_arena, ipt_arena_free)

/* Aligned for any object, not cleared; NULL without memory or past the limit. */
IPT_MUST_USE void *ipt_arena_alloc(ipt_arena *arena, size_t size);
IPT_MUST_USE void *ipt_arena_calloc(ipt_arena *arena, size_t count, size_t size);
/* NUL-terminated copy, NULL without memory. */
IPT_MUST_USE char *ipt_arena_strdup(ipt_arena *arena, ipt_span text);
/* The same in printable ASCII: a backslash doubled, every other byte \xHH. */
IPT_MUST_USE char *ipt_arena_escape(ipt_arena *arena, ipt_span text);

/* Gives back every block but the first; all pointers into the arena end. */
void ipt_arena_reset(ipt_arena *arena);
size_t ipt_arena_used(const ipt_arena *arena); /* bytes handed out since new or reset */

#endif
