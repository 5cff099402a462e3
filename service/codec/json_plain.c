/* One pass that judges and writes the tape. Strings are passed eight bytes at a time. */
#include "json_plain_priv.h"

#include <assert.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

enum { OPEN_MAX = 8, PLACES_MASK = (1 << 29) - 1 };
static_assert(OPEN_MAX <= IPT_JSON_DEPTH_MAX, "deeper texts are refused elsewhere");

typedef struct reader {
    ipt_plain *plain;
    const char *at, *end;
    uint32_t open[OPEN_MAX], depth;
} reader;

static const char *pass_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

const char *ipt_plain_pass(const char *at, const char *end, char c)
{
    at = pass_space(at, end);
    return at < end && *at == c ? at + 1 : NULL;
}

bool ipt_plain_ends(const char *at, const char *end)
{
    return pass_space(at, end) == end;
}

/* Not 0 when one of eight bytes ends a plain string: a quote, a backslash, a control character. Its lowest bit belongs
 * to the first of them. */
static uint64_t marks(uint64_t x)
{
    uint64_t quote = x ^ EACH('"'), slash = x ^ EACH('\\');
    return (((x - EACH(0x20)) & ~x) | ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash)) & EACH(0x80);
}

/* Leaves r->at after the closing quote of the string that begins there. */
static bool pass_string(reader *r, ipt_span *out)
{
    const char *begin = r->at, *p = begin;
    uint64_t high = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; r->end - p >= 8; p += 8) {
        uint64_t x, found;
        memcpy(&x, p, sizeof(x));
        high |= x;
        found = marks(x);
        if (found != 0) {
            p += __builtin_ctzll(found) / 8;
            break;
        }
    }
#endif
    for (; p < r->end && *p != '"'; p++) {
        if (*p == '\\' || (unsigned char)*p < 0x20)
            return false;
        high |= (unsigned char)*p;
    }
    if (p == r->end)
        return false;
    r->plain->high |= high & EACH(0x80);
    *out = (ipt_span){begin, (size_t)(p - begin)};
    r->at = p + 1;
    return true;
}

static bool push(reader *r, ipt_tape_kind kind, ipt_span text)
{
    ipt_plain *plain = r->plain;
    if (plain->count == plain->room)
        return false;
    ipt_tape_item *item = &plain->items[plain->count++];
    item->p = text.p;
    item->n = (uint32_t)text.n;
    item->end = plain->count & PLACES_MASK;
    item->kind = (uint32_t)kind & 7;
    return true;
}

/* A key with its colon. */
static bool pass_key(reader *r)
{
    ipt_span text;
    r->at = ipt_plain_pass(r->at, r->end, '"');
    if (r->at == NULL || !pass_string(r, &text) || !push(r, IPT_TAPE_STRING, text))
        return false;
    r->at = ipt_plain_pass(r->at, r->end, ':');
    return r->at != NULL;
}

static bool pass_word(reader *r, ipt_tape_kind kind, ipt_span word)
{
    if ((size_t)(r->end - r->at) < word.n || memcmp(r->at, word.p, word.n) != 0)
        return false;
    r->at += word.n;
    return push(r, kind, (ipt_span){NULL, 0});
}

/* After the bracket of a container. *empty: it has ended already. */
static bool open_container(reader *r, ipt_tape_kind kind, bool *empty)
{
    if (r->depth == OPEN_MAX || !push(r, kind, (ipt_span){NULL, 0}))
        return false;
    r->open[r->depth++] = r->plain->count - 1;
    r->at = pass_space(r->at, r->end);
    *empty = r->at < r->end && *r->at == (kind == IPT_TAPE_OBJECT ? '}' : ']');
    return *empty || kind != IPT_TAPE_OBJECT || pass_key(r);
}

/* What begins at r->at. *opened: a container that has something in it, so that a value comes next. */
static bool pass_value(reader *r, bool *opened)
{
    ipt_span text;
    bool empty = true;
    r->at = pass_space(r->at, r->end);
    if (r->at == r->end)
        return false;
    bool passed;
    switch (*r->at++) {
    case '"':
        passed = pass_string(r, &text) && push(r, IPT_TAPE_STRING, text);
        break;
    case '[':
        passed = open_container(r, IPT_TAPE_ARRAY, &empty);
        break;
    case '{':
        passed = open_container(r, IPT_TAPE_OBJECT, &empty);
        break;
    case 't':
        passed = pass_word(r, IPT_TAPE_TRUE, IPT_SPAN("rue"));
        break;
    case 'f':
        passed = pass_word(r, IPT_TAPE_FALSE, IPT_SPAN("alse"));
        break;
    default:
        return false;
    }
    *opened = !empty;
    return passed;
}

/* After a value: brackets that close, up to a comma and the key of the next member. */
static bool pass_ends(reader *r)
{
    ipt_tape_item *items = r->plain->items;
    while (r->depth != 0) {
        ipt_tape_item *around = &items[r->open[r->depth - 1]];
        bool is_object = around->kind == IPT_TAPE_OBJECT;
        r->at = pass_space(r->at, r->end);
        if (r->at == r->end)
            return false;
        char c = *r->at++;
        if (c == ',')
            return !is_object || pass_key(r);
        if (c != (is_object ? '}' : ']'))
            return false;
        around->end = r->plain->count & PLACES_MASK;
        r->depth--;
    }
    return true;
}

const char *ipt_plain_object(ipt_plain *plain, const char *at, const char *end)
{
    reader r = {.plain = plain, .at = pass_space(at, end), .end = end};
    if (r.at == end || *r.at != '{')
        return NULL;
    do {
        bool opened;
        if (r.depth != 0)
            plain->items[r.open[r.depth - 1]].n++; /* by the value that comes */
        if (!pass_value(&r, &opened) || (!opened && !pass_ends(&r)))
            return NULL;
    } while (r.depth != 0);
    return r.at;
}
