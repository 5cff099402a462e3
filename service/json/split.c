/* Follows the events of a text just far enough to know where the elements of one array begin and end. */
#include "iptrust/json/split.h"

#include "events_priv.h"

enum {
    DEPTH_MAX = 512, /* what an element nests too deeply is its own problem, up to here */
    ROOM_FIRST = 16,
};

typedef struct splitter {
    ipt_json_source source;
    ipt_span key;
    ipt_span *items;
    size_t count, room, max;
    size_t depth;                 /* containers that are open */
    size_t begin;                 /* of the element that is open */
    bool in_array;                /* the value of the key is next, or open */
    bool has_key;                 /* the key was seen */
    ipt_json_split_result result; /* OK until something is met; syntax goes before it, so the text is read to its end */
} splitter;

/* What is no object is handed on as this, so that it is refused in its place. */
static const char not_an_object[] = "null";

static int note(splitter *s, ipt_json_split_result result)
{
    if (s->result == IPT_SPLIT_OK)
        s->result = result;
    return 1;
}

static bool add(splitter *s, ipt_span item)
{
    if (s->count == s->max)
        return note(s, IPT_SPLIT_TOO_MANY);
    if (s->result != IPT_SPLIT_OK)
        return true;
    if (s->count == s->room) {
        size_t room = s->room == 0 ? ROOM_FIRST : 2 * s->room;
        ipt_span *items = ipt_arena_alloc(s->source.arena, room * sizeof(*items));
        if (items == NULL)
            return ipt_json_out_of_memory(&s->source);
        if (s->count != 0)
            memcpy(items, s->items, s->count * sizeof(*items));
        s->items = items;
        s->room = room;
    }
    s->items[s->count++] = item;
    return true;
}

/* A value that is no container. */
static int on_value(splitter *s)
{
    if (s->depth == 2 && s->in_array)
        return add(s, (ipt_span){not_an_object, sizeof(not_an_object) - 1});
    if (s->depth == 1 && s->in_array) {
        s->in_array = false;
        return note(s, IPT_SPLIT_NO_ARRAY);
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
    if (!ipt_span_equal((ipt_span){(const char *)p, n}, s->key))
        return note(s, IPT_SPLIT_OTHER_KEY);
    if (s->has_key)
        return note(s, IPT_SPLIT_TWICE);
    s->has_key = true;
    s->in_array = true;
    return 1;
}

static int begin(splitter *s)
{
    if (s->depth == DEPTH_MAX) {
        return ipt_json_flaw_set(s->source.flaw, IPT_JSON_DEPTH, s->source.pointer, "more than %d levels", DEPTH_MAX);
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
    if (s->depth == 2 && s->in_array)
        return add(s, (ipt_span){s->source.text.p + s->begin, ipt_json_source_at(&s->source) - s->begin});
    if (s->depth == 1)
        s->in_array = false;
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

ipt_json_split_result ipt_json_split(ipt_span text, ipt_span key, size_t max, ipt_arena *arena, ipt_json_parts *out,
                                     ipt_json_flaw *flaw)
{
    splitter s = {.source = {.text = text, .pointer = "", .depth_max = DEPTH_MAX, .arena = arena, .flaw = flaw},
                  .key = key,
                  .max = max,
                  .result = IPT_SPLIT_OK};
    ipt_json_text look = ipt_json_text_look(text);
    if (!ipt_json_source_check(&s.source, &look) || !ipt_json_source_run(&s.source, &look, &callbacks, &s))
        return IPT_SPLIT_FLAW;
    if (s.result == IPT_SPLIT_OK && !s.has_key)
        return IPT_SPLIT_MISSING;
    if (s.result == IPT_SPLIT_OK)
        *out = (ipt_json_parts){s.items, s.count};
    return s.result;
}
