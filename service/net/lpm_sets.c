/* Sets of members, each kept once: a table of a million prefixes knows few of them. */
#include <stdlib.h>

#include "lpm_build_priv.h"

ipt_err lpm_words_add(lpm_words *words, size_t count, size_t align, uint32_t *place)
{
    size_t at = (words->n + align - 1) & ~(align - 1), end = at + count;
    if (end > LPM_PLACE)
        return IPT_ELIMIT;
    if (end > words->cap) {
        size_t cap = words->cap < 1024 ? 1024 : words->cap * 2;
        while (cap < end)
            cap *= 2;
        uint32_t *p = realloc(words->p, cap * sizeof(*p));
        if (p == NULL)
            return IPT_ENOMEM;
        words->p = p;
        words->cap = cap;
    }
    memset(words->p + words->n, 0, (end - words->n) * sizeof(*words->p));
    words->n = end;
    *place = (uint32_t)at;
    return IPT_OK;
}

static ipt_members *members_at(const lpm_words *words, uint32_t place)
{
    void *p = words->p + place;
    return p;
}

static size_t members_hash(const ipt_members *set)
{
    uint64_t h = set->count;
    for (uint32_t i = 0; i < set->count; i++) {
        h = (h ^ (uint64_t)(set->items[i].tag << 8 | set->items[i].len)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return (size_t)h;
}

static bool members_equal(const ipt_members *a, const ipt_members *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->items[i].tag != b->items[i].tag || a->items[i].len != b->items[i].len)
            return false;
    }
    return true;
}

/* Where the equal of a set stands, or the free place for it. */
static uint32_t *find_place(const lpm_sets *sets, const lpm_words *words, const ipt_members *set)
{
    size_t i = members_hash(set) & (sets->cap - 1);
    while (sets->places[i] != 0 && !members_equal(members_at(words, sets->places[i]), set))
        i = (i + 1) & (sets->cap - 1);
    return &sets->places[i];
}

static ipt_err sets_grow(lpm_sets *sets, const lpm_words *words)
{
    lpm_sets more = {.cap = sets->cap == 0 ? 256 : sets->cap * 2, .used = sets->used};
    more.places = calloc(more.cap, sizeof(*more.places));
    if (more.places == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < sets->cap; i++) {
        if (sets->places[i] != 0)
            *find_place(&more, words, members_at(words, sets->places[i])) = sets->places[i];
    }
    free(sets->places);
    *sets = more;
    return IPT_OK;
}

static void merge(ipt_members *set, const ipt_members *parent, const ipt_lpm_entry *own, size_t count)
{
    uint32_t p = 0;
    for (size_t i = 0; i < count; i++) {
        while (p < parent->count && parent->items[p].tag < own[i].tag)
            set->items[set->count++] = parent->items[p++];
        if (p < parent->count && parent->items[p].tag == own[i].tag)
            p++;
        if (set->count != 0 && set->items[set->count - 1].tag == own[i].tag)
            continue; /* the same entry twice */
        set->items[set->count++] = (ipt_member){own[i].tag, own[i].prefix.len};
    }
    while (p < parent->count)
        set->items[set->count++] = parent->items[p++];
}

ipt_err lpm_sets_overlay(lpm_sets *sets, lpm_words *words, uint32_t parent, const ipt_lpm_entry *own, size_t count,
                         uint32_t *out)
{
    enum { HEAD = offsetof(ipt_members, items) / sizeof(uint32_t), ITEM = sizeof(ipt_member) / sizeof(uint32_t) };
    _Static_assert(sizeof(ipt_member) == sizeof(uint32_t) && HEAD == 1, "sets are made of whole words");
    ipt_err err = IPT_OK;
    if (sets->used * 2 >= sets->cap && (err = sets_grow(sets, words)) != IPT_OK)
        return err;
    size_t start = words->n;
    uint32_t place;
    err = lpm_words_add(words, HEAD + (members_at(words, parent)->count + count) * ITEM, 1, &place);
    if (err != IPT_OK)
        return err;

    ipt_members *set = members_at(words, place);
    merge(set, members_at(words, parent), own, count);
    uint32_t *known = find_place(sets, words, set);
    if (*known == 0) {
        *known = place;
        sets->used++;
        words->n = place + HEAD + set->count * ITEM;
    } else {
        words->n = start;
    }
    *out = *known;
    return IPT_OK;
}
