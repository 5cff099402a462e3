/* Cuts a batch into its requests without reading them: each is read later, on its own, so that what is wrong with one
 * stays with it. The text as a whole must be JSON. */
#include "iptrust/codec/json.h"

#include <stdio.h>

#include "json_events_priv.h"

enum {
    BATCH_DEPTH_MAX = 512, /* what a request nests too deeply is its own problem, up to here */
    REQUESTS_FIRST = 16,
};

typedef struct splitter {
    ipt_json_source source;
    ipt_span *requests;
    size_t count, room, max;
    size_t depth;      /* containers that are open */
    size_t begin;      /* of the request that is open */
    bool in_requests;  /* the value of the key "requests" is next, or open */
    bool has_requests; /* the key was seen */
    bool is_bad;       /* source.problem is set; syntax goes before it, so the text is read to its end */
} splitter;

/* What is no object is handed on as this, so that it is refused in its place. */
static const char not_an_object[] = "null";

IPT_PRINTF(4, 5)
static int note(splitter *s, ipt_problem_code code, const char *below, const char *format, ...)
{
    if (s->is_bad)
        return 1;
    s->is_bad = true;
    char pointer[sizeof(s->source.problem->pointer)], detail[sizeof(s->source.problem->detail)];
    snprintf(pointer, sizeof(pointer), "%s%s", s->source.pointer, below);
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    ipt_problem_set(s->source.problem, code, pointer, "%s", detail);
    return 1;
}

static bool add(splitter *s, ipt_span request)
{
    if (s->count == s->max)
        return note(s, IPT_PROBLEM_TOO_LARGE, "/requests", "more than %zu requests", s->max);
    if (s->is_bad)
        return true;
    if (s->count == s->room) {
        size_t room = s->room == 0 ? REQUESTS_FIRST : 2 * s->room;
        ipt_span *requests = ipt_arena_alloc(s->source.arena, room * sizeof(*requests));
        if (requests == NULL)
            return ipt_json_out_of_memory(s->source.problem, s->source.pointer);
        if (s->count != 0)
            memcpy(requests, s->requests, s->count * sizeof(*requests));
        s->requests = requests;
        s->room = room;
    }
    s->requests[s->count++] = request;
    return true;
}

/* A value that is no container. */
static int on_value(splitter *s)
{
    if (s->depth == 2 && s->in_requests)
        return add(s, (ipt_span){not_an_object, sizeof(not_an_object) - 1});
    if (s->depth == 1 && s->in_requests) {
        s->in_requests = false;
        return note(s, IPT_PROBLEM_BAD_REQUEST, "/requests", "must be an array");
    }
    return 1;
}

static int on_null(void *context)
{
    return on_value(context);
}

static int on_boolean(void *context, int value)
{
    (void)value;
    return on_value(context);
}

static int on_number(void *context, const char *p, size_t n)
{
    (void)p;
    (void)n;
    return on_value(context);
}

static int on_string(void *context, const unsigned char *p, size_t n)
{
    (void)p;
    (void)n;
    return on_value(context);
}

static int on_key(void *context, const unsigned char *p, size_t n)
{
    splitter *s = context;
    if (s->depth != 1)
        return 1;
    if (!ipt_span_equal((ipt_span){(const char *)p, n}, IPT_SPAN("requests")))
        return note(s, IPT_PROBLEM_UNKNOWN_KEY, "", "a batch has the key \"requests\" alone");
    if (s->has_requests)
        return note(s, IPT_PROBLEM_DUPLICATE_KEY, "/requests", "the key stands twice in its object");
    s->has_requests = true;
    s->in_requests = true;
    return 1;
}

static int begin(splitter *s)
{
    if (s->depth == BATCH_DEPTH_MAX) {
        ipt_problem_set(s->source.problem, IPT_PROBLEM_TOO_DEEP, s->source.pointer, "more than %d levels",
                        BATCH_DEPTH_MAX);
        return 0;
    }
    if (s->depth == 2)
        s->begin = ipt_json_source_at(&s->source) - 1;
    s->depth++;
    return 1;
}

static int on_begin_object(void *context)
{
    splitter *s = context;
    if (s->depth == 1)
        (void)on_value(s); /* as good as a string there */
    return begin(s);
}

static int on_begin_array(void *context)
{
    return begin(context);
}

static int on_end(void *context)
{
    splitter *s = context;
    s->depth--;
    if (s->depth == 2 && s->in_requests)
        return add(s, (ipt_span){s->source.text.p + s->begin, ipt_json_source_at(&s->source) - s->begin});
    if (s->depth == 1)
        s->in_requests = false;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_begin_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_begin_array,
    .yajl_end_array = on_end,
};

bool ipt_json_read_batch(ipt_span text, size_t max, ipt_arena *arena, ipt_batch *out, ipt_problem *problem)
{
    splitter s = {
        .source = {.text = text, .pointer = "", .depth_max = BATCH_DEPTH_MAX, .arena = arena, .problem = problem},
        .max = max};
    ipt_json_text look = ipt_json_text_look(text);
    if (!ipt_json_source_check(&s.source, &look))
        return false;
    if (!ipt_json_source_run(&s.source, &look, &callbacks, &s) || s.is_bad)
        return false;
    if (!s.has_requests) {
        ipt_problem_set(problem, IPT_PROBLEM_BAD_REQUEST, "", "the key \"requests\" is required");
        return false;
    }
    *out = (ipt_batch){s.requests, s.count};
    return true;
}
