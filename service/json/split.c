/* Takes the tape of a whole text apart into the tapes of the elements of one array. */
#include "iptrust/json/split.h"

#include "tape_priv.h"

/* What is neither object nor array is handed on as this, so that it is refused in its place. */
static const char not_a_container[] = "null";

/* What the members say, in the order of the text; OK: *array is the value of the key. */
static ipt_json_split_result find_array(const ipt_tape_item *items, ipt_span key, size_t max, uint32_t *array)
{
    uint32_t found = 0;
    for (uint32_t at = 1; at < items[0].end; at = items[at + 1].end) {
        const ipt_tape_item *value = &items[at + 1];
        if (!ipt_span_equal((ipt_span){items[at].p, items[at].n}, key))
            return IPT_SPLIT_OTHER_KEY;
        if (found != 0)
            return IPT_SPLIT_TWICE;
        if (value->kind != IPT_TAPE_ARRAY)
            return IPT_SPLIT_NO_ARRAY;
        if (value->n > max)
            return IPT_SPLIT_TOO_MANY;
        found = at + 1;
    }
    *array = found;
    return found == 0 ? IPT_SPLIT_MISSING : IPT_SPLIT_OK;
}

/* Places of a tape count from its beginning. */
static void cut_off(ipt_tape_item *items, uint32_t at, ipt_json_part *part)
{
    for (uint32_t i = at, end = items[at].end; i < end; i++)
        items[i].end = (items[i].end - at) & (IPT_TAPE_PLACES - 1);
    part->items = items + at;
    if (part->too_deep != 0)
        part->too_deep -= at;
}

/* The notes are of containers alone; the parts are all elements. */
static void cut(ipt_tape_item *items, uint32_t array, const ipt_json_part *noted, ipt_json_part *parts)
{
    uint32_t next, end = items[array].end;
    for (uint32_t at = array + 1; at < end; at = next, parts++) {
        next = items[at].end;
        if (items[at].kind == IPT_TAPE_ARRAY || items[at].kind == IPT_TAPE_OBJECT)
            *parts = *noted++;
        else
            *parts = (ipt_json_part){.text = {not_a_container, sizeof(not_a_container) - 1}};
        cut_off(items, at, parts);
    }
}

static ipt_json_part *room_for(size_t count, ipt_arena *arena, ipt_json_flaw *flaw)
{
    ipt_json_part *parts = ipt_arena_alloc(arena, count * sizeof(*parts));
    if (parts == NULL)
        (void)ipt_json_flaw_set(flaw, IPT_JSON_NO_MEMORY, "", "no memory to read the text");
    return parts;
}

ipt_json_split_result ipt_json_split(ipt_span text, ipt_span key, size_t max, ipt_arena *arena, ipt_json_parts *out,
                                     ipt_json_flaw *flaw)
{
    /* An element takes two bytes at least; room for one is there always, since whatever lies deeper is noted there. */
    ipt_tape_notes notes = {.max = (max < text.n / 2 ? max : text.n / 2) + 1};
    ipt_tape_item *items;
    uint32_t array;
    notes.parts = room_for(notes.max, arena, flaw);
    if (notes.parts == NULL || !ipt_tape_build_noted(text, arena, &notes, &items, flaw))
        return IPT_SPLIT_FLAW;
    ipt_json_split_result result = find_array(items, key, max, &array);
    if (result != IPT_SPLIT_OK)
        return result;
    size_t count = items[array].n;
    ipt_json_part *parts = room_for(count, arena, flaw);
    if (parts == NULL)
        return IPT_SPLIT_FLAW;
    cut(items, array, notes.parts, parts);
    *out = (ipt_json_parts){parts, count};
    return IPT_SPLIT_OK;
}
