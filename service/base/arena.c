/* A chain of blocks that are handed out from front to back and freed together. */
#include "iptrust/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#endif

typedef struct arena_block {
    struct arena_block *next; /* the block before this one in time */
    size_t size, used;        /* of bytes */
    alignas(max_align_t) unsigned char bytes[];
} arena_block;

struct ipt_arena {
    arena_block *current; /* the newest; the first one is the last of the chain */
    size_t used, limit;
};

/* Bytes that nobody was given are poison to ASan; without this one arena is one object to it, and running from one
 * allocation into the next goes unseen. Not inline, because gcc 12 then takes it for a reader of fresh memory. */
#ifdef ARENA_ASAN
__attribute__((noinline)) static void poison(void *p, size_t n)
{
    __asan_poison_memory_region(p, n);
}

static void unpoison(void *p, size_t n)
{
    __asan_unpoison_memory_region(p, n);
}
#else
static void poison(void *p, size_t n)
{
    (void)p;
    (void)n;
}

static void unpoison(void *p, size_t n)
{
    (void)p;
    (void)n;
}
#endif

static arena_block *block_new(size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(arena_block))
        return NULL;
    arena_block *block = malloc(sizeof(arena_block) + size);
    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->size = size;
    block->used = 0;
    poison(block->bytes, size);
    return block;
}

static void block_free(arena_block *block)
{
    unpoison(block->bytes, block->size);
    free(block);
}

ipt_err ipt_arena_new(size_t block, size_t limit, ipt_arena **out)
{
    ipt_auto(ipt_arena) *arena = calloc(1, sizeof(*arena));
    if (arena == NULL)
        return IPT_ENOMEM;
    arena->limit = limit;
    arena->current = block_new(block);
    if (arena->current == NULL)
        return IPT_ENOMEM;

    *out = arena;
    arena = NULL;
    return IPT_OK;
}

/* Frees from the newest block down to, but not including, keep. */
static void free_blocks(ipt_arena *arena, const arena_block *keep)
{
    while (arena->current != keep) {
        arena_block *block = arena->current;
        arena->current = block->next;
        block_free(block);
    }
}

void ipt_arena_free(ipt_arena *arena)
{
    if (arena == NULL)
        return;
    free_blocks(arena, NULL);
    free(arena);
}

/* Later blocks double, so that a big configuration needs few; a request that outgrows its first block pays here. */
static bool grow(ipt_arena *arena, size_t size)
{
    enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };
    size_t want = arena->current->size < BLOCK_MAX / 2 ? arena->current->size * 2 : BLOCK_MAX;
    if (want < BLOCK_MIN)
        want = BLOCK_MIN;
    if (want < size)
        want = size;
    arena_block *block = block_new(want);
    if (block == NULL)
        return false;
    block->next = arena->current;
    arena->current = block;
    return true;
}

void *ipt_arena_alloc(ipt_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > PTRDIFF_MAX - align) /* no object is larger; nothing below overflows */
        return NULL;
    /* Even nothing gets an address of its own. */
    size_t step = size == 0 ? align : (size + align - 1) & ~(align - 1);
    if (arena->limit != 0 && step > arena->limit - arena->used)
        return NULL;
    if (step > arena->current->size - arena->current->used && !grow(arena, step))
        return NULL;
    arena_block *block = arena->current;
    void *p = block->bytes + block->used;
    block->used += step;
    arena->used += step;
    unpoison(p, size);
    return p;
}

void *ipt_arena_calloc(ipt_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *p = ipt_arena_alloc(arena, bytes);
    if (p != NULL)
        memset(p, 0, bytes);
    return p;
}

char *ipt_arena_strdup(ipt_arena *arena, ipt_span text)
{
    if (text.n == SIZE_MAX)
        return NULL;
    char *copy = ipt_arena_alloc(arena, text.n + 1);
    if (copy == NULL)
        return NULL;
    if (text.n != 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

char *ipt_arena_escape(ipt_arena *arena, ipt_span text)
{
    static const char digits[] = "0123456789abcdef";
    enum { WIDEST = 4 };
    if (text.n > (SIZE_MAX - 1) / WIDEST)
        return NULL;
    if (text.n != 0 && ipt_span_is_printable(text) && memchr(text.p, '\\', text.n) == NULL) /* nearly all are */
        return ipt_arena_strdup(arena, text);
    char *out = ipt_arena_alloc(arena, text.n * WIDEST + 1), *to = out;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c <= 0x7e) {
            if (c == '\\')
                *to++ = '\\';
            *to++ = (char)c;
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    return out;
}

void ipt_arena_reset(ipt_arena *arena)
{
    const arena_block *first = arena->current;
    while (first->next != NULL)
        first = first->next;
    free_blocks(arena, first);
    arena->current->used = 0;
    arena->used = 0;
    poison(arena->current->bytes, arena->current->size);
}

size_t ipt_arena_used(const ipt_arena *arena)
{
    return arena->used;
}
