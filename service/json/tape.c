/* Builds the tape from the library's events and judges what the library does not: depth, encoding, duplicate keys. */
#include "iptrust/json/tape.h"

#include <stdio.h>

#include "events_priv.h"
#include "tape_priv.h"

enum {
    OPEN = IPT_TAPE_PLACES - 1,
    FEW = 12,          /* keys up to this number are compared each with each */
    PART_LEVEL = 2,    /* containers that stand so deep are the elements of a split */
    SPLIT_DEPTH = 512, /* what an element nests too deeply is its own flaw, up to here */
};

typedef struct builder {
    ipt_json_source source;
    ipt_tape_item *items;
    uint32_t count, room;
    uint32_t *open; /* places of the containers that have not ended; room for source.depth_max */
    uint32_t depth;
    ipt_tape_notes *notes; /* NULL: none wanted */
} builder;

/* ---- pointers (RFC 6901) ---- */

typedef struct pointer {
    char text[IPT_TAPE_POINTER];
    size_t n;
} pointer;

/* Appends one reference token, or nothing: a pointer that does not fit ends at the deepest ancestor that does. */
static bool path_add(pointer *path, ipt_span token)
{
    char *to = path->text + path->n, *end = path->text + sizeof(path->text) - 1;
    if (to == end)
        return false;
    *to++ = '/';
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        size_t width = c == '~' || c == '/' ? 2 : 1;
        if (c == '\0' || (size_t)(end - to) < width)
            return false;
        if (width == 2) {
            *to++ = '~';
            c = c == '~' ? '0' : '1'; /* RFC 6901, 3 */
        }
        *to++ = c;
    }
    path->n = (size_t)(to - path->text);
    return true;
}

/* Steps from the container at `at` towards the target; returns the place of the value that is or holds it. */
static uint32_t path_step(const ipt_tape_item *items, uint32_t at, uint32_t target, pointer *path, bool *goes_on)
{
    bool is_object = items[at].kind == IPT_TAPE_OBJECT;
    char digits[12];
    uint32_t key = at + 1, value = is_object ? key + 1 : key;
    for (unsigned index = 0;; index++) {
        /* The key itself stands for its member. */
        if (target == key || target < items[value].end) {
            ipt_span token = {items[key].p, items[key].n};
            if (!is_object)
                token = (ipt_span){digits, (size_t)snprintf(digits, sizeof(digits), "%u", index)};
            *goes_on = path_add(path, token) && target > value;
            return value;
        }
        key = items[value].end;
        value = is_object ? key + 1 : key;
    }
}

static void path_find(const ipt_tape_item *items, const char *prefix, uint32_t target, pointer *out)
{
    out->n = strnlen(prefix, sizeof(out->text) - 1);
    memcpy(out->text, prefix, out->n);
    bool goes_on = target != 0;
    for (uint32_t at = 0; goes_on;)
        at = path_step(items, at, target, out, &goes_on);
    out->text[out->n] = '\0';
}

void ipt_tape_pointer(const ipt_tape *tape, uint32_t at, char out[IPT_TAPE_POINTER])
{
    pointer path;
    path_find(tape->items, tape->pointer_prefix, at, &path);
    memcpy(out, path.text, path.n + 1);
}

/* ---- events ---- */

static bool make_room(builder *b)
{
    if (b->room >= IPT_TAPE_PLACES / 2)
        return ipt_json_out_of_memory(&b->source);
    ipt_tape_item *items = ipt_arena_alloc(b->source.arena, 2 * (size_t)b->room * sizeof(*items));
    if (items == NULL)
        return ipt_json_out_of_memory(&b->source);
    memcpy(items, b->items, b->count * sizeof(*items));
    b->items = items;
    b->room *= 2;
    return true;
}

static bool push(builder *b, ipt_tape_kind kind, ipt_span text)
{
    if (b->count == b->room && !make_room(b))
        return false;
    b->items[b->count] = (ipt_tape_item){
        .p = text.p, .n = (uint32_t)text.n, .end = (b->count + 1) & (IPT_TAPE_PLACES - 1), .kind = (uint32_t)kind & 7};
    b->count++;
    return true;
}

/* A value, which its container counts. A member counts by its value, too. */
static bool push_value(builder *b, ipt_tape_kind kind, ipt_span text)
{
    if (b->depth != 0)
        b->items[b->open[b->depth - 1]].n++;
    return push(b, kind, text);
}

static int on_null(void *context)
{
    return push_value(context, IPT_TAPE_NULL, (ipt_span){0});
}

static int on_boolean(void *context, int value)
{
    return push_value(context, value ? IPT_TAPE_TRUE : IPT_TAPE_FALSE, (ipt_span){0});
}

static int on_number(void *context, const char *p, size_t n)
{
    return push_value(context, IPT_TAPE_NUMBER, (ipt_span){p, n});
}

/* A string without escapes comes as a pointer into the text; any other is in a buffer that the next one overwrites. */
static bool keep(builder *b, const unsigned char *p, size_t n, ipt_span *out)
{
    uintptr_t from = (uintptr_t)b->source.text.p, at = (uintptr_t)p;
    if (at >= from && at < from + b->source.text.n) {
        *out = (ipt_span){(const char *)p, n};
        return true;
    }
    char *copy = ipt_arena_alloc(b->source.arena, n);
    if (copy == NULL)
        return ipt_json_out_of_memory(&b->source);
    if (n != 0)
        memcpy(copy, p, n);
    *out = (ipt_span){copy, n};
    return true;
}

static int on_string(void *context, const unsigned char *p, size_t n)
{
    ipt_span text;
    return keep(context, p, n, &text) && push_value(context, IPT_TAPE_STRING, text);
}

static int on_key(void *context, const unsigned char *p, size_t n)
{
    ipt_span text;
    return keep(context, p, n, &text) && push(context, IPT_TAPE_STRING, text);
}

static void note_begin(builder *b, uint32_t at)
{
    ipt_tape_notes *notes = b->notes;
    if (b->depth == PART_LEVEL && notes->count < notes->max) {
        const char *begin = b->source.text.p + ipt_json_source_at(&b->source) - 1;
        notes->parts[notes->count++] = (ipt_json_part){.text = {begin, 0}};
    } else if (b->depth == PART_LEVEL + IPT_JSON_DEPTH_MAX && notes->parts[notes->count - 1].too_deep == 0)
        notes->parts[notes->count - 1].too_deep = at;
}

static void note_end(builder *b)
{
    ipt_span *text = &b->notes->parts[b->notes->count - 1].text;
    if (b->depth == PART_LEVEL && text->n == 0)
        text->n = (size_t)(b->source.text.p + ipt_json_source_at(&b->source) - text->p);
}

static bool fail_deep(const ipt_tape_item *items, const char *prefix, uint32_t at, ipt_json_flaw *flaw)
{
    pointer path;
    path_find(items, prefix, at, &path);
    return ipt_json_flaw_set(flaw, IPT_JSON_DEPTH, path.text, "more than %d levels", IPT_JSON_DEPTH_MAX);
}

static bool begin(builder *b, ipt_tape_kind kind)
{
    uint32_t at = b->count;
    if (!push_value(b, kind, (ipt_span){0}))
        return false;
    b->items[at].end = OPEN;
    if (b->notes != NULL) {
        if (b->depth == SPLIT_DEPTH)
            return ipt_json_flaw_set(b->source.flaw, IPT_JSON_DEPTH, b->source.pointer, "more than %d levels",
                                     SPLIT_DEPTH);
        note_begin(b, at);
    } else if (b->depth == IPT_JSON_DEPTH_MAX)
        return fail_deep(b->items, b->source.pointer, at, b->source.flaw);
    b->open[b->depth++] = at;
    return true;
}

static int on_begin_object(void *context)
{
    return begin(context, IPT_TAPE_OBJECT);
}

static int on_begin_array(void *context)
{
    return begin(context, IPT_TAPE_ARRAY);
}

static int on_end(void *context)
{
    builder *b = context;
    b->items[b->open[--b->depth]].end = b->count & (IPT_TAPE_PLACES - 1);
    if (b->notes != NULL && b->notes->count != 0)
        note_end(b);
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

/* ---- twins ---- */

typedef struct ordering {
    const ipt_tape *tape;
    ipt_tape_compare *compare;
} ordering;

static bool is_less(const ordering *by, uint32_t a, uint32_t b)
{
    int order = by->compare(ipt_tape_text(by->tape, a), ipt_tape_text(by->tape, b));
    return order != 0 ? order < 0 : a < b;
}

static void sift_down(const ordering *by, uint32_t *keys, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_less(by, keys[child], keys[child + 1]))
            child++;
        if (!is_less(by, keys[at], keys[child]))
            return;
        uint32_t swap = keys[at];
        keys[at] = keys[child];
        keys[child] = swap;
    }
}

/* Heap sort: in place, and no choice of keys makes it slow; hashing would need a secret to say the same. */
static void sort(const ordering *by, uint32_t *keys, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(by, keys, i, n);
    for (size_t end = n; end-- > 1;) {
        uint32_t swap = keys[0];
        keys[0] = keys[end];
        keys[end] = swap;
        sift_down(by, keys, 0, end);
    }
}

static uint32_t twin_among_few(const ordering *by, const uint32_t *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (by->compare(ipt_tape_text(by->tape, keys[i]), ipt_tape_text(by->tape, keys[j])) == 0)
                return keys[i];
        }
    }
    return 0;
}

static uint32_t twin_among_sorted(const ordering *by, const uint32_t *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (by->compare(ipt_tape_text(by->tape, keys[i]), ipt_tape_text(by->tape, keys[i - 1])) == 0)
            return keys[i];
    }
    return 0;
}

bool ipt_tape_find_twin(const ipt_tape *tape, uint32_t object, ipt_tape_compare *compare, uint32_t *twin)
{
    uint32_t n = tape->items[object].n, few[FEW], *keys = few;
    if (n > FEW) {
        keys = ipt_arena_alloc(tape->arena, n * sizeof(*keys));
        if (keys == NULL)
            return false;
    }
    uint32_t key = object + 1;
    for (uint32_t i = 0; i < n; i++, key = tape->items[key + 1].end)
        keys[i] = key;

    ordering by = {tape, compare};
    if (n > FEW) {
        sort(&by, keys, n);
        *twin = twin_among_sorted(&by, keys, n);
    } else {
        *twin = twin_among_few(&by, keys, n);
    }
    return true;
}

/* By length first: keys of one object mostly differ in it. */
static int compare_bytes(ipt_span a, ipt_span b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

/* After unescaping: RFC 8259, 8.3. Of two parsers one takes the first and one the last, so neither may decide. */
static bool check_duplicates(const ipt_tape *tape, const ipt_json_source *source)
{
    for (uint32_t at = 0; at < tape->items[0].end; at++) {
        uint32_t twin;
        if (tape->items[at].kind != IPT_TAPE_OBJECT || tape->items[at].n < 2)
            continue;
        if (!ipt_tape_find_twin(tape, at, compare_bytes, &twin))
            return ipt_json_out_of_memory(source);
        if (twin == 0)
            continue;
        char path[IPT_TAPE_POINTER];
        ipt_tape_pointer(tape, twin, path);
        return ipt_json_flaw_set(source->flaw, IPT_JSON_DUPLICATE, path, "the key stands twice in its object");
    }
    return true;
}

/* ---- the whole ---- */

static bool check_encoding(const ipt_json_source *source, const ipt_json_text *look)
{
    if (!look->is_utf8)
        return ipt_json_flaw_set(source->flaw, IPT_JSON_ENCODING, source->pointer, "the text is not UTF-8");
    if (look->has_lone)
        return ipt_json_flaw_set(source->flaw, IPT_JSON_ENCODING, source->pointer,
                                 "half a surrogate pair is escaped at byte %zu", look->lone_at);
    return true;
}

/* Places for what the text holds: requests as people send them have a value in some 12 bytes; denser ones grow. */
static bool begin_tape(builder *b)
{
    size_t n = b->source.text.n;
    b->count = b->depth = 0;
    b->room = (uint32_t)(n < IPT_TAPE_PLACES ? n / 12 + 8 : 8);
    b->items = ipt_arena_alloc(b->source.arena, b->room * sizeof(*b->items));
    return b->items != NULL || ipt_json_out_of_memory(&b->source);
}

static bool end_tape(const ipt_json_source *source, const ipt_tape_item *items, ipt_tape *out)
{
    ipt_tape tape = {items, source->text, source->pointer, source->arena};
    if (!check_duplicates(&tape, source))
        return false;
    *out = tape;
    return true;
}

bool ipt_tape_build(ipt_span text, const ipt_tape_options *options, ipt_arena *arena, ipt_tape *out,
                    ipt_json_flaw *flaw)
{
    uint32_t open[IPT_JSON_DEPTH_MAX];
    builder b = {.source = {.text = text,
                            .pointer = options->pointer_prefix,
                            .depth_max = IPT_JSON_DEPTH_MAX,
                            .takes_array = options->takes_array,
                            .arena = arena,
                            .flaw = flaw},
                 .open = open};
    ipt_json_text look = ipt_json_text_look(text);
    return begin_tape(&b) && check_encoding(&b.source, &look) && ipt_json_source_check(&b.source, &look) &&
           ipt_json_source_run(&b.source, &look, &callbacks, &b) && end_tape(&b.source, b.items, out);
}

bool ipt_tape_build_noted(ipt_span text, ipt_arena *arena, ipt_tape_notes *notes, ipt_tape_item **out,
                          ipt_json_flaw *flaw)
{
    uint32_t open[SPLIT_DEPTH];
    builder b = {.source = {.text = text, .pointer = "", .depth_max = SPLIT_DEPTH, .arena = arena, .flaw = flaw},
                 .open = open,
                 .notes = notes};
    ipt_json_text look = ipt_json_text_look(text);
    if (!ipt_json_source_check(&b.source, &look) || !begin_tape(&b) ||
        !ipt_json_source_run(&b.source, &look, &callbacks, &b))
        return false;
    *out = b.items;
    return true;
}

bool ipt_json_part_open(const ipt_json_part *part, const ipt_tape_options *options, ipt_arena *arena, ipt_tape *out,
                        ipt_json_flaw *flaw)
{
    ipt_json_source source = {.text = part->text,
                              .pointer = options->pointer_prefix,
                              .takes_array = options->takes_array,
                              .arena = arena,
                              .flaw = flaw};
    ipt_json_text look = ipt_json_text_look(part->text);
    if (!check_encoding(&source, &look) || !ipt_json_source_check(&source, &look))
        return false;
    if (part->too_deep != 0)
        return fail_deep(part->items, source.pointer, part->too_deep, flaw);
    return end_tape(&source, part->items, out);
}
