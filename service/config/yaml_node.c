/* From libyaml's events to a tree. The configuration is data: what YAML offers to make it a program (anchors, aliases,
 * tags, several documents) is refused, because two readers could take it for two things. */
#include "yaml_node.h"
#include "iptrust/base/show.h"

#include <stdlib.h>
#include <yaml.h>

enum { DEPTH_MAX = 16 };

/* libyaml counts characters, editors and our messages count bytes: a cursor that turns one into the other. */
typedef struct column_cursor {
    size_t index;      /* characters before the cursor */
    size_t offset;     /* bytes before it */
    size_t line_start; /* bytes before its line */
    size_t line;
} column_cursor;

typedef struct builder {
    ipt_span yaml;
    const char *file;
    ipt_arena *arena;
    ipt_diag *diag;
    column_cursor at;
    ipt_node *open[DEPTH_MAX]; /* the collections that are not closed yet, outermost first */
    ipt_node *keys[DEPTH_MAX]; /* of each open mapping: the key that waits for its value */
    size_t depth;
    ipt_node *root;
    size_t documents;
    bool refused;
    ipt_err err;
} builder;

static void advance(const builder *b, column_cursor *at, size_t index)
{
    while (at->index < index && at->offset < b->yaml.n) {
        at->offset++;
        while (at->offset < b->yaml.n && ((unsigned char)b->yaml.p[at->offset] & 0xc0) == 0x80)
            at->offset++;
        at->index++;
    }
}

static ipt_place place_of(builder *b, yaml_mark_t mark)
{
    column_cursor *at = &b->at;
    if (mark.index < at->index)
        *at = (column_cursor){0};
    if (mark.line != at->line && mark.index >= mark.column) {
        if (mark.index - mark.column < at->index)
            *at = (column_cursor){0};
        advance(b, at, mark.index - mark.column);
        at->line = mark.line;
        at->line_start = at->offset;
    }
    advance(b, at, mark.index);
    return (ipt_place){b->file, (uint32_t)mark.line + 1, (uint32_t)(at->offset - at->line_start) + 1};
}

static void refuse(builder *b, ipt_place place, const char *why)
{
    ipt_diag_add(b->diag, IPT_ERROR, place, "%s", why);
    b->refused = true;
}

/* ---- building ---- */

static ipt_node *node_new(builder *b, ipt_node_kind kind, yaml_mark_t mark)
{
    ipt_node *node = ipt_arena_calloc(b->arena, 1, sizeof(*node));
    if (node == NULL) {
        b->err = IPT_ENOMEM;
        return NULL;
    }
    node->kind = kind;
    node->place = place_of(b, mark);
    return node;
}

void ipt_node_append(ipt_node *parent, ipt_node *child)
{
    child->next = NULL;
    if (parent->last == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    parent->count++;
}

static void attach(builder *b, ipt_node *node)
{
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    ipt_node *parent = b->open[b->depth - 1];
    ipt_node **key = &b->keys[b->depth - 1];
    if (parent->kind == IPT_NODE_SEQUENCE) {
        ipt_node_append(parent, node);
    } else if (*key == NULL) {
        if (node->kind != IPT_NODE_SCALAR)
            refuse(b, node->place, "a key must be plain text");
        *key = node;
    } else {
        node->key = *key;
        *key = NULL;
        ipt_node_append(parent, node);
    }
}

static void push(builder *b, ipt_node *node)
{
    if (b->depth == DEPTH_MAX) {
        refuse(b, node->place, "more than 16 levels");
        return;
    }
    b->keys[b->depth] = NULL;
    b->open[b->depth++] = node;
}

/* Sorting finds twins in a mapping of any size; the later one is the wrong one, and complaints come in reading order.
 */
static int by_key_then_place(const void *a, const void *b)
{
    const ipt_node *x = *(ipt_node *const *)a, *y = *(ipt_node *const *)b;
    size_t n = x->key->text.n < y->key->text.n ? x->key->text.n : y->key->text.n;
    int order = n == 0 ? 0 : memcmp(x->key->text.p, y->key->text.p, n);
    if (order != 0)
        return order;
    if (x->key->text.n != y->key->text.n)
        return x->key->text.n < y->key->text.n ? -1 : 1;
    if (x->key->place.line != y->key->place.line)
        return x->key->place.line < y->key->place.line ? -1 : 1;
    return (x->key->place.column > y->key->place.column) - (x->key->place.column < y->key->place.column);
}

static void check_twins(builder *b, ipt_node *mapping)
{
    if (mapping->count < 2)
        return;
    ipt_node **sorted = calloc(mapping->count, sizeof(ipt_node *));
    if (sorted == NULL) {
        b->err = IPT_ENOMEM;
        return;
    }
    size_t n = 0;
    for (ipt_node *child = mapping->first; child != NULL; child = child->next)
        sorted[n++] = child;
    qsort(sorted, n, sizeof(ipt_node *), by_key_then_place);
    for (size_t i = 1; i < n; i++)
        sorted[i]->bad = ipt_span_equal(sorted[i]->key->text, sorted[i - 1]->key->text);
    free(sorted);

    for (ipt_node *child = mapping->first; child != NULL; child = child->next) {
        ipt_shown shown;
        if (!child->bad)
            continue;
        ipt_diag_add(b->diag, IPT_ERROR, child->key->place, "key \"%s\" is here twice",
                     ipt_show(child->key->text, &shown));
        b->refused = true;
    }
}

static void close_collection(builder *b)
{
    ipt_node *node = b->open[--b->depth];
    if (node->kind == IPT_NODE_MAPPING)
        check_twins(b, node);
}

/* ---- events ---- */

static void take_scalar(builder *b, const yaml_event_t *event)
{
    ipt_node *node = node_new(b, IPT_NODE_SCALAR, event->start_mark);
    if (node == NULL)
        return;
    ipt_span text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (memchr(text.p, '\0', text.n) != NULL) { /* "\0": a C string would end there and mean something else */
        refuse(b, node->place, "a NUL byte");
        return;
    }
    char *copy = ipt_arena_strdup(b->arena, text);
    if (copy == NULL) {
        b->err = IPT_ENOMEM;
        return;
    }
    node->text = (ipt_span){copy, text.n};
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    attach(b, node);
}

static void take_collection(builder *b, ipt_node_kind kind, yaml_mark_t mark)
{
    ipt_node *node = node_new(b, kind, mark);
    if (node == NULL)
        return;
    attach(b, node);
    if (!b->refused)
        push(b, node);
}

static void check_extras(builder *b, yaml_mark_t mark, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        refuse(b, place_of(b, mark), "anchors are not taken");
    else if (tag != NULL)
        refuse(b, place_of(b, mark), "tags are not taken");
}

static void take_event(builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++b->documents > 1)
            refuse(b, place_of(b, event->start_mark), "a second document begins, expected one");
        break;
    case YAML_ALIAS_EVENT:
        refuse(b, place_of(b, event->start_mark), "aliases are not taken");
        break;
    case YAML_SCALAR_EVENT:
        check_extras(b, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
        if (!b->refused)
            take_scalar(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        check_extras(b, event->start_mark, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        if (!b->refused)
            take_collection(b, IPT_NODE_SEQUENCE, event->start_mark);
        break;
    case YAML_MAPPING_START_EVENT:
        check_extras(b, event->start_mark, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        if (!b->refused)
            take_collection(b, IPT_NODE_MAPPING, event->start_mark);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_collection(b);
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

/* ---- what libyaml itself refuses ---- */

/* A line of YAML with `::` in it most likely failed because of an address: `[::1]` opens with a colon. */
static bool line_has_ipv6(ipt_span yaml, uint32_t line)
{
    const char *p = yaml.p, *end = yaml.p + yaml.n;
    for (uint32_t i = 1; i < line && p < end; i++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        p = lf == NULL ? end : lf + 1;
    }
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    size_t n = (size_t)((lf == NULL ? end : lf) - p);
    return n != 0 && memmem(p, n, "::", 2) != NULL;
}

static void take_problem(builder *b, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        b->err = IPT_ENOMEM;
        return;
    }
    ipt_place place = {b->file, 0, 0};
    if (parser->error != YAML_READER_ERROR)
        place = place_of(b, parser->problem_mark);
    const char *hint = "";
    if (place.line != 0 && line_has_ipv6(b->yaml, place.line))
        hint = " (IPv6 text wants quotes: \"fd00::/8\")";
    ipt_diag_add(b->diag, IPT_ERROR, place, "this is no YAML: %s%s",
                 parser->problem == NULL ? "cannot be read" : parser->problem, hint);
    b->refused = true;
}

/* Before libyaml sees it: its own messages about bytes have no place, and it takes UTF-16 for text. */
static bool bytes_are_text(ipt_span yaml, const char *file, ipt_diag *diag)
{
    ipt_place place = {file, 1, 1};
    for (ipt_span rest = yaml; rest.n != 0; place.line++) {
        const char *lf = memchr(rest.p, '\n', rest.n);
        ipt_span line = {rest.p, lf == NULL ? rest.n : (size_t)(lf - rest.p) + 1};
        const char *nul = memchr(line.p, '\0', line.n);
        if (nul != NULL) {
            place.column = (uint32_t)(nul - line.p) + 1;
            ipt_diag_add(diag, IPT_ERROR, place, "a NUL byte");
            return false;
        }
        if (!ipt_span_is_utf8(line)) {
            ipt_diag_add(diag, IPT_ERROR, place, "this line is not UTF-8");
            return false;
        }
        rest.p += line.n;
        rest.n -= line.n;
    }
    return true;
}

static void run(builder *b, yaml_parser_t *parser)
{
    bool ended = false;
    while (!ended && !b->refused && b->err == IPT_OK) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            take_problem(b, parser);
            return;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        take_event(b, &event);
        yaml_event_delete(&event);
    }
}

ipt_err ipt_node_parse(ipt_span yaml, const char *file, ipt_arena *arena, ipt_diag *diag, ipt_node **out)
{
    *out = NULL;
    if (yaml.n == 0)
        yaml.p = "";
    if (!bytes_are_text(yaml, file, diag))
        return IPT_OK;

    builder b = {.yaml = yaml, .file = file, .arena = arena, .diag = diag};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return IPT_ENOMEM;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
    run(&b, &parser);
    yaml_parser_delete(&parser);
    if (b.err != IPT_OK)
        return b.err;
    if (!b.refused && b.documents == 0)
        refuse(&b, (ipt_place){file, 1, 1}, "the file is empty; write {} for a configuration of defaults");
    if (!b.refused)
        *out = b.root;
    return IPT_OK;
}

/* ---- reading the tree ---- */

ipt_node *ipt_node_get(const ipt_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != IPT_NODE_MAPPING)
        return NULL;
    for (ipt_node *child = mapping->first; child != NULL; child = child->next) {
        if (ipt_span_equal(child->key->text, ipt_span_from(key)))
            return child;
    }
    return NULL;
}

bool ipt_node_is_null(const ipt_node *node)
{
    return node->kind == IPT_NODE_SCALAR && node->plain &&
           (node->text.n == 0 || ipt_span_equal(node->text, IPT_SPAN("~")) ||
            ipt_span_equal(node->text, IPT_SPAN("null")));
}
