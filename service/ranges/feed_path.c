/* JSON paths (RFC 9535) of names, numbers and `*`: enough to say where the prefixes of a list stand. */
#include "feed_priv.h"

#include <stdarg.h>
#include <stdio.h>

enum { SELECTORS_MAX = 32, SHOWN = 40 };

typedef enum selector_kind { SELECT_ALL = 0, SELECT_NAME, SELECT_INDEX } selector_kind;

typedef struct selector {
    selector_kind kind;
    bool ends; /* the last of its segment */
    ipt_span name;
    uint32_t index;
} selector;

typedef struct path {
    selector items[SELECTORS_MAX];
    size_t count;
    char why[160];
} path;

/* ---- reading ---- */

IPT_PRINTF(2, 3)
static bool no_path(path *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->why, sizeof(p->why), format, args);
    va_end(args);
    return false;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           (unsigned char)c >= 0x80;
}

static bool add(path *p, selector item)
{
    if (p->count == SELECTORS_MAX)
        return no_path(p, "more than %d steps", SELECTORS_MAX);
    p->items[p->count++] = item;
    return true;
}

static void step(ipt_span *rest, size_t n)
{
    rest->p += n;
    rest->n -= n;
}

static bool take_char(ipt_span *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    step(rest, 1);
    return true;
}

/* .name or .*, the dot is taken */
static bool read_dotted(path *p, ipt_span *rest)
{
    selector item = {.kind = SELECT_ALL, .ends = true};
    if (take_char(rest, '*'))
        return add(p, item);
    size_t n = 0;
    while (n < rest->n && is_name_char(rest->p[n]))
        n++;
    if (n == 0)
        return no_path(p, "expected a name or * at \"%.*s\"", (int)(rest->n < SHOWN ? rest->n : SHOWN), rest->p);
    item.kind = SELECT_NAME;
    item.name = (ipt_span){rest->p, n};
    step(rest, n);
    return add(p, item);
}

static bool read_quoted(path *p, ipt_span *rest, char quote, ipt_span *name)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, quote, rest->n);
    if (end == NULL)
        return no_path(p, "a quoted name does not end");
    *name = (ipt_span){rest->p, (size_t)(end - rest->p)};
    if (name->n != 0 && memchr(name->p, '\\', name->n) != NULL)
        return no_path(p, "escapes in names are not taken");
    step(rest, name->n + 1);
    return true;
}

/* One selector in brackets. */
static bool read_selector(path *p, ipt_span *rest, selector *item)
{
    size_t n = 0;
    uint64_t index;
    *item = (selector){.kind = SELECT_ALL};
    *rest = ipt_span_trim(*rest);
    if (take_char(rest, '*'))
        return true;
    item->kind = SELECT_NAME;
    if (take_char(rest, '\''))
        return read_quoted(p, rest, '\'', &item->name);
    if (take_char(rest, '"'))
        return read_quoted(p, rest, '"', &item->name);
    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
        n++;
    if (n == 0 || n > 9 || !ipt_feed_number((ipt_span){rest->p, n}, &index))
        return no_path(p, "expected *, a number or a quoted name at \"%.*s\"", (int)(rest->n < SHOWN ? rest->n : SHOWN),
                       rest->p);
    item->kind = SELECT_INDEX;
    item->index = (uint32_t)index;
    step(rest, n);
    return true;
}

/* [*], [0], ['a','b']; the bracket is taken */
static bool read_bracket(path *p, ipt_span *rest)
{
    for (;;) {
        selector item;
        if (!read_selector(p, rest, &item))
            return false;
        *rest = ipt_span_trim(*rest);
        item.ends = take_char(rest, ']');
        if (!add(p, item))
            return false;
        if (item.ends)
            return true;
        if (!take_char(rest, ','))
            return no_path(p, "expected , or ] in brackets");
    }
}

static bool read_segment(path *p, ipt_span *rest)
{
    if (take_char(rest, '['))
        return read_bracket(p, rest);
    if (take_char(rest, '.'))
        return read_dotted(p, rest);
    return no_path(p, "expected . or [ at \"%.*s\"", (int)(rest->n < SHOWN ? rest->n : SHOWN), rest->p);
}

static bool read_path(path *p, ipt_span text)
{
    ipt_span rest = text;
    p->count = 0;
    bool has_root = take_char(&rest, '$');
    bool begins_with_name = !has_root && rest.n != 0 && rest.p[0] != '[' && rest.p[0] != '.';
    if (begins_with_name && !read_dotted(p, &rest))
        return false;
    while (rest.n != 0) {
        if (!read_segment(p, &rest))
            return false;
    }
    return true;
}

bool ipt_feed_path_check(ipt_span text, char *why, size_t cap)
{
    path p;
    if (read_path(&p, text))
        return true;
    snprintf(why, cap, "%s", p.why);
    return false;
}

/* ---- following ---- */

static bool follow(const ipt_feed_json *json, const path *p, size_t segment, uint32_t at, ipt_ip family);

static bool take_selected(const ipt_feed_json *json, uint32_t at, ipt_ip family)
{
    const ipt_tape_item *items = json->tape.items;
    if (items[at].kind == IPT_TAPE_STRING)
        return ipt_feed_json_take(json, at, family);
    if (items[at].kind != IPT_TAPE_ARRAY)
        return ipt_feed_json_fail(json, at, "must be a string or an array of strings");
    for (uint32_t child = at + 1; child < items[at].end; child = items[child].end) {
        if (!ipt_feed_json_take(json, child, family))
            return false;
    }
    return true;
}

static bool is_selected(const ipt_feed_json *json, const selector *by, uint32_t child, uint32_t index, bool in_object)
{
    if (by->kind == SELECT_NAME)
        return in_object && ipt_span_equal(ipt_tape_text(&json->tape, child), by->name);
    return by->kind == SELECT_ALL || (!in_object && by->index == index);
}

/* All children that one selector names, each followed on from the next segment. */
static bool follow_selector(const ipt_feed_json *json, const path *p, const selector *by, size_t next, uint32_t at,
                            ipt_ip family)
{
    const ipt_tape_item *items = json->tape.items;
    bool in_object = items[at].kind == IPT_TAPE_OBJECT;
    uint32_t index = 0;
    if (!in_object && items[at].kind != IPT_TAPE_ARRAY)
        return true;
    for (uint32_t child = at + 1; child < items[at].end; index++) {
        uint32_t value = in_object ? child + 1 : child;
        if (is_selected(json, by, child, index, in_object) && !follow(json, p, next, value, family))
            return false;
        child = items[value].end;
    }
    return true;
}

/* A step deeper with each segment, and a text is at most 16 deep. */
static bool follow(const ipt_feed_json *json, const path *p, size_t segment, uint32_t at, ipt_ip family)
{
    if (segment == p->count)
        return take_selected(json, at, family);
    size_t end = segment;
    while (!p->items[end].ends)
        end++;
    for (size_t i = segment; i <= end; i++) {
        if (!follow_selector(json, p, &p->items[i], end + 1, at, family))
            return false;
    }
    return true;
}

bool ipt_feed_read_path(const ipt_feed_json *json, ipt_ip family)
{
    path p;
    const char *text = json->to->selection->path;
    if (!read_path(&p, ipt_span_from(text)))
        return ipt_update_say(json->to->why, IPT_UPDATE_BODY, "the path \"%.80s\" is none: %s", text, p.why);
    return follow(json, &p, 0, 0, family);
}
