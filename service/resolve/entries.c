/* The elements of the leading list header, taken from the right as the walk asks for them. Lines are one list in
 * received order (RFC 9110, 5.3), so the walk goes from the last line to the first. */
#include "resolve_priv.h"

#define LOOK_AHEAD 4 /* elements parsed before they are needed when each look-up costs a cache miss */

static void begin_line(work *w)
{
    entries *e = &w->entries;
    ipt_list_syntax syntax = e->name == IPT_NAME_FORWARDED ? IPT_LIST_FORWARDED : IPT_LIST_XFF;
    ipt_list_line_init(&e->walk, syntax, w->request->headers[e->header].value);
    e->left = ipt_list_line_count(&e->walk);
}

/* Moves to the line above; false at the first. Cold: nearly all headers are one line. */
__attribute__((cold)) static bool previous_line(work *w)
{
    entries *e = &w->entries;
    ipt_span text = ipt_names_text(w->view->names, e->name);
    if (e->line == 0)
        return false;
    do
        e->header--;
    while (!ipt_span_equal_nocase(w->request->headers[e->header].name, text));
    e->line--;
    begin_line(w);
    return true;
}

/* Field by field: as one value it would be cleared first, which costs more than all that is written. */
static inline void fill_hop(const entries *e, const ipt_entry *entry, ipt_hop *hop)
{
    hop->addr = entry->node.addr;
    hop->port = entry->node.port;
    hop->list = IPT_LIST_NONE;
    hop->prefix_len = 0;
    hop->verdict = IPT_VERDICT_UNVOUCHED;
    hop->origin = IPT_ORIGIN_HEADER;
    hop->has_addr = entry->kind == IPT_ENTRY_ADDRESS;
    hop->has_port = entry->node.has_port;
    hop->has_text = entry->kind != IPT_ENTRY_ADDRESS || entry->node.mapped;
    hop->text_quoted = entry->text_quoted;
    hop->header = e->name;
    hop->line = e->line;
    hop->index = (uint32_t)e->left;
    hop->count = 0;
    hop->text = entry->text;
}

/* Takes one element; false when none is left or IPT_WALK_MAX are taken. */
static bool take_one(work *w)
{
    entries *e = &w->entries;
    if (e->count == IPT_WALK_MAX)
        return false;
    ipt_span raw;
    while (!ipt_list_line_prev(&e->walk, &raw))
        if (!previous_line(w))
            return false;
    e->left--;
    bool repeated = false;
    const ipt_entry entry = e->name == IPT_NAME_FORWARDED ? ipt_forwarded_parse(raw, &repeated) : ipt_entry_parse(raw);
    const bool is_address = entry.kind == IPT_ENTRY_ADDRESS;
    item *it = &e->items[e->count++];
    it->kind = entry.kind;
    it->raw = raw;
    fill_hop(e, &entry, &it->hop);
    e->has_word |= entry.kind == IPT_ENTRY_MALFORMED || entry.kind == IPT_ENTRY_OBFUSCATED;
    e->has_repeat |= repeated;
    if (w->wide_table && is_address)
        ipt_lpm_prefetch(w->view->lpm, entry.node.addr);
    return true;
}

void entries_begin(work *w, ipt_name name)
{
    entries *e = &w->entries;
    e->name = name;
    e->count = 0;
    e->used = 0;
    e->left = 0;
    e->has_word = false;
    e->has_repeat = false;
    if (name == IPT_NAME_NONE)
        return;
    const lines *l = &w->headers.lines[name];
    e->header = l->last;
    e->line = l->count - 1;
    begin_line(w);
    for (int i = 0; w->wide_table && i < LOOK_AHEAD && take_one(w); i++)
        continue;
}

item *entry_at(work *w, uint16_t i)
{
    entries *e = &w->entries;
    while (e->count <= i)
        if (!take_one(w))
            return NULL;
    return &e->items[i];
}

/* Elements of the lines not yet begun. */
__attribute__((cold)) static size_t elements_above(const work *w)
{
    const entries *e = &w->entries;
    size_t above = 0;
    uint32_t at = w->headers.lines[e->name].first;
    ipt_span value;
    for (uint32_t line = 0; line < e->line && next_line(w, e->name, &at, &value); line++) {
        ipt_list_line walk;
        ipt_list_line_init(&walk, e->name == IPT_NAME_FORWARDED ? IPT_LIST_FORWARDED : IPT_LIST_XFF, value);
        above += ipt_list_line_count(&walk);
    }
    return above;
}

/* Elements after the last item taken. */
static size_t elements_left(const work *w)
{
    const entries *e = &w->entries;
    if (e->name == IPT_NAME_NONE)
        return 0;
    return e->line == 0 ? e->left : e->left + elements_above(w);
}

bool entries_beyond(work *w)
{
    return w->entries.name != IPT_NAME_NONE && (w->entries.walk.end != NULL || w->entries.line != 0);
}

size_t entries_unused(work *w)
{
    return (size_t)(w->entries.count - w->entries.used) + elements_left(w);
}

void push_unused_entries(work *w)
{
    const item *it;
    while (w->entries.name != IPT_NAME_NONE && (it = entry_at(w, w->entries.used)) != NULL)
        (void)push_entry(w, it, IPT_VERDICT_UNVOUCHED);
    size_t rest = elements_left(w);
    if (rest != 0)
        push_hop(w, IPT_ORIGIN_HEADER, IPT_VERDICT_NOT_EXAMINED)->count =
            rest > UINT32_MAX ? UINT32_MAX : (uint32_t)rest;
}
