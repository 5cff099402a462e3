/* yajl with its memory taken from an arena. yajl never asks whether an allocation succeeded, so all that it can ask for
 * is reserved before it starts: what it wants depends on the text in a way that a glance can bound. */
#include "events_priv.h"

#include <stdalign.h>

enum {
    YAJL_OBJECTS = 1024,    /* its handle, lexer, and buffers' heads, and the text of an error */
    YAJL_BUFFER_MIN = 2048, /* the least size of a buffer; it doubles from there */
    YAJL_STACK_STEP = 128,  /* its stack of states grows by so many bytes, one for each level */
    BLOCK_HEAD = alignof(max_align_t),
};

/* What is left of the reserve. Before each block stands its size, which realloc has to know. */
typedef struct yajl_memory {
    char *p;
    size_t left;
    ipt_arena *arena;
} yajl_memory;

static void *memory_alloc(void *context, size_t size)
{
    yajl_memory *memory = context;
    size_t step = BLOCK_HEAD + ((size + BLOCK_HEAD - 1) & ~(size_t)(BLOCK_HEAD - 1));
    char *block;
    if (step <= memory->left) {
        block = memory->p;
        memory->p += step;
        memory->left -= step;
    } else {
        /* Not reached by the sums below; a later yajl that wants more gets it while the arena has it. */
        block = ipt_arena_alloc(memory->arena, step);
        if (block == NULL)
            return NULL;
    }
    memcpy(block, &size, sizeof(size));
    return block + BLOCK_HEAD;
}

static void memory_free(void *context, void *p)
{
    (void)context;
    (void)p; /* the arena ends it */
}

static void *memory_realloc(void *context, void *p, size_t size)
{
    size_t old = 0;
    if (p != NULL)
        memcpy(&old, (char *)p - BLOCK_HEAD, sizeof(old));
    if (size <= old)
        return p;
    void *grown = memory_alloc(context, size);
    if (grown != NULL && old != 0)
        memcpy(grown, p, old);
    return grown;
}

/* All sizes that a buffer takes on its way to holding n bytes. It doubles while n >= its size. */
static size_t buffer_reserve(size_t n)
{
    size_t size = YAJL_BUFFER_MIN, sum = size + 2 * (size_t)BLOCK_HEAD;
    while (size <= n + 1) {
        size *= 2;
        sum += size + 2 * (size_t)BLOCK_HEAD;
    }
    return sum;
}

static size_t stack_reserve(size_t depth)
{
    size_t sum = 0;
    for (size_t size = YAJL_STACK_STEP; size < depth + 2 * (size_t)YAJL_STACK_STEP; size += YAJL_STACK_STEP)
        sum += size + 2 * (size_t)BLOCK_HEAD;
    return sum;
}

static bool bad_json(const ipt_json_source *source, const char *what)
{
    return ipt_json_flaw_set(source->flaw, IPT_JSON_SYNTAX, source->pointer, "%s", what);
}

bool ipt_json_source_check(const ipt_json_source *source, const ipt_json_text *look)
{
    if (source->text.n > UINT32_MAX / 4)
        return ipt_json_flaw_set(source->flaw, IPT_JSON_LARGE, source->pointer, "the text is too large");
    if (source->text.n == 0)
        return bad_json(source, "there is no text");
    if (!look->is_object && !(source->takes_array && look->is_array))
        return bad_json(source, source->takes_array ? "the text must be one JSON object or array and nothing else"
                                                    : "the text must be one JSON object and nothing else");
    if (!look->is_closed)
        return bad_json(source, "a string does not end");
    /* yajl takes vertical tab and form feed for white space. */
    if (look->has_control)
        return bad_json(source, "a control character must be escaped");
    return true;
}

/* Says what yajl says, and where. */
static void explain(const ipt_json_source *source, bool at_end)
{
    size_t at = at_end ? source->text.n : ipt_json_source_at(source), line = 1, column = 1;
    for (size_t i = 0; i < at && i < source->text.n; i++) {
        bool newline = source->text.p[i] == '\n';
        line += newline;
        column = newline ? 1 : column + 1;
    }
    unsigned char *words = yajl_get_error(source->handle, 0, NULL, 0);
    ipt_span text = ipt_span_from(words == NULL ? "not JSON" : (const char *)words);
    while (text.n != 0 && text.p[text.n - 1] == '\n')
        text.n--;
    (void)ipt_json_flaw_set(source->flaw, IPT_JSON_SYNTAX, source->pointer, "%.*s, before line %zu, column %zu",
                            (int)text.n, text.p, line, column);
}

bool ipt_json_source_run(ipt_json_source *source, const ipt_json_text *look, const yajl_callbacks *callbacks,
                         void *context)
{
    /* Two buffers: strings with escapes are decoded into one; the other holds what stands unfinished at the end of the
     * text, and because the text ends a container outside of strings that is nothing. */
    size_t reserve = YAJL_OBJECTS + buffer_reserve(0) + stack_reserve(source->depth_max);
    if (look->escaped_length != 0)
        reserve += buffer_reserve(look->escaped_length);
    yajl_memory memory = {.left = reserve, .arena = source->arena};
    memory.p = ipt_arena_alloc(source->arena, reserve);
    if (memory.p == NULL)
        return ipt_json_out_of_memory(source);

    yajl_alloc_funcs functions = {memory_alloc, memory_realloc, memory_free, &memory};
    source->handle = yajl_alloc(callbacks, &functions, context);
    if (source->handle == NULL)
        return ipt_json_out_of_memory(source);
    /* Comments, trailing garbage, several and partial values are off unless asked for. */
    (void)yajl_config(source->handle, yajl_dont_validate_strings, 1);

    yajl_status status = yajl_parse(source->handle, (const unsigned char *)source->text.p, source->text.n);
    bool at_end = status == yajl_status_ok;
    if (at_end)
        status = yajl_complete_parse(source->handle);
    if (status == yajl_status_error)
        explain(source, at_end);
    yajl_free(source->handle);
    source->handle = NULL;
    return status == yajl_status_ok;
}

size_t ipt_json_source_at(const ipt_json_source *source)
{
    return yajl_get_bytes_consumed(source->handle);
}
