/* The elements of the leading list header, taken from the right as the walk asks for them. Lines are one list in
 * received order (RFC 9110, 5.3), so the walk goes from the last line to the first. */
#include "resolve_priv.h"

#define LOOK_AHEAD 4 /* elements parsed before they are needed when each look-up costs a cache miss */

static void begin_line(work *w)
{
    entries *e = &w->entries;
    ipt_list_syntax syntax = e->name == IPT_NAME_FORWARDED ? IPT_LIST_FORWARDED : IPT_LIST_XFF;
    ipt_list_line_init(&e->walk, syntax, w->request->headers[e->header].value);
    if (w->detail == IPT_DETAIL_FULL)
        e->left = ipt_list_line_count(&e->walk);
}

/* Moves to the line above; false at the first. */
static bool previous_line(work *w)
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

/* Takes one element; false when none is left or IPT_WALK_MAX are taken. */
static bool take_one(work *w)
{
    entries *e = &w->entries;
    if (e->count == IPT_WALK_MAX)
        return false;
    item *it = &e->items[e->count];
    while (!ipt_list_line_prev(&e->walk, &it->raw))
        if (!previous_line(w))
            return false;
    e->left--;
    it->line = e->line;
    it->index = (uint32_t)e->left;
    it->repeated = false;
    it->entry = e->name == IPT_NAME_FORWARDED ? ipt_forwarded_parse(it->raw, &it->repeated) : ipt_entry_parse(it->raw);
    if (w->wide_table && it->entry.kind == IPT_ENTRY_ADDRESS)
        ipt_lpm_prefetch(w->view->lpm, it->entry.node.addr);
    e->count++;
    return true;
}

void entries_begin(work *w, ipt_name name)
{
    entries *e = &w->entries;
    e->name = name;
    e->count = 0;
    e->used = 0;
    e->left = 0;
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

/* Elements after the last item taken, lines not yet begun included. */
static size_t elements_left(work *w)
{
    entries *e = &w->entries;
    if (e->name == IPT_NAME_NONE)
        return 0;
    size_t left = ipt_list_line_count(&e->walk);
    uint32_t at = w->headers.lines[e->name].first;
    ipt_span value;
    for (uint32_t line = 0; line < e->line && next_line(w, e->name, &at, &value); line++) {
        ipt_list_line walk;
        ipt_list_line_init(&walk, e->name == IPT_NAME_FORWARDED ? IPT_LIST_FORWARDED : IPT_LIST_XFF, value);
        left += ipt_list_line_count(&walk);
    }
    return left;
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
