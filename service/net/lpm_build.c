/* Builds the longest-prefix table: sort, find what covers what, make slots, move them to their final place. */
#include <assert.h>
#include <stdlib.h>

#include "lpm_build_priv.h"

/* What lives only while a table is built. */
typedef struct lpm_draft {
    lpm_words words;
    lpm_sets sets;
    lpm_route *routes;
    size_t v4_first, v4_last, count; /* routes; the IPv4 ones stand together */
    uint32_t *root;
} lpm_draft;

static void lpm_draft_done(lpm_draft *draft)
{
    free(draft->words.p);
    free(draft->sets.places);
    free(draft->routes);
    free(draft->root);
}

static int compare_entries(const void *left, const void *right)
{
    const ipt_lpm_entry *a = left, *b = right;
    if (a->prefix.addr.hi != b->prefix.addr.hi)
        return a->prefix.addr.hi < b->prefix.addr.hi ? -1 : 1;
    if (a->prefix.addr.lo != b->prefix.addr.lo)
        return a->prefix.addr.lo < b->prefix.addr.lo ? -1 : 1;
    if (a->prefix.len != b->prefix.len)
        return a->prefix.len < b->prefix.len ? -1 : 1;
    return (a->tag > b->tag) - (a->tag < b->tag);
}

/* The prefixes around the one at hand, outermost first. */
typedef struct chain {
    struct {
        ipt_prefix prefix;
        uint32_t slot;
    } at[129];
    size_t depth;
} chain;

static uint32_t chain_parent(chain *around, ipt_addr addr)
{
    while (around->depth != 0 && !ipt_prefix_holds(around->at[around->depth - 1].prefix, addr))
        around->depth--;
    return around->depth == 0 ? LPM_LEAF : around->at[around->depth - 1].slot;
}

static lpm_route route_of(ipt_prefix prefix, uint32_t slot)
{
    bool is_v4 = ipt_prefix_is_v4(prefix);
    return (lpm_route){
        .half = {lpm_key(prefix.addr, is_v4), is_v4 ? 0 : prefix.addr.lo},
        .slot = slot,
        .len = (uint8_t)ipt_prefix_bits(prefix),
    };
}

/* One route for each distinct prefix. The IPv4 entries, at mapped addresses, are neighbours after sorting, because an
 * IPv6 prefix shorter than /96 has no bit set where they have theirs. */
static ipt_err make_routes(lpm_draft *draft, const ipt_lpm_entry *entries, size_t count)
{
    /* One for each family: ::/0 goes on behind the IPv4 prefixes, which stand in its midst and are not below it. */
    chain around[2] = {{.depth = 0}, {.depth = 0}};
    for (size_t i = 0, end; i < count; i = end) {
        ipt_prefix prefix = entries[i].prefix;
        assert(prefix.len <= 128 && ipt_prefix_equal(ipt_prefix_of(prefix.addr, prefix.len), prefix));
        for (end = i + 1; end < count && ipt_prefix_equal(entries[end].prefix, prefix);)
            end++;
        uint32_t slot;
        chain *family = &around[ipt_prefix_is_v4(prefix) ? 0 : 1];
        uint32_t parent = chain_parent(family, prefix.addr);
        ipt_err err = lpm_sets_overlay(&draft->sets, &draft->words, parent, entries + i, end - i, &slot);
        if (err != IPT_OK)
            return err;
        family->at[family->depth].prefix = prefix;
        family->at[family->depth++].slot = slot;

        if (ipt_prefix_is_v4(prefix)) {
            if (draft->v4_last == 0)
                draft->v4_first = draft->count;
            draft->v4_last = draft->count + 1;
        }
        draft->routes[draft->count++] = route_of(prefix, slot);
    }
    return IPT_OK;
}

static ipt_err finish(const lpm_draft *draft, ipt_lpm **out)
{
    enum { ROOT_BYTES = 2 * LPM_ROOT_SLOTS * sizeof(uint32_t), LINE = 64, TAIL = 2 * LINE /* prefetch_values() */ };
    ipt_auto(ipt_lpm) *lpm = calloc(1, sizeof(*lpm));
    if (lpm == NULL)
        return IPT_ENOMEM;
    size_t words_bytes = draft->words.n * sizeof(uint32_t);
    lpm->bytes = ROOT_BYTES + words_bytes + TAIL + LINE - 1;
    lpm->block = malloc(lpm->bytes);
    if (lpm->block == NULL)
        return IPT_ENOMEM;
    unsigned char *base = lpm->block;
    base += -(uintptr_t)base & (LINE - 1);
    memcpy(base, draft->root, ROOT_BYTES);
    memcpy(base + ROOT_BYTES, draft->words.p, words_bytes);
    const void *root = base, *words = base + ROOT_BYTES;
    lpm->root = root;
    lpm->words = words;
#if defined(__x86_64__)
    lpm->has_popcnt = __builtin_cpu_supports("popcnt") != 0;
#endif

    *out = lpm;
    lpm = NULL;
    return IPT_OK;
}

static ipt_err build(lpm_draft *draft, const ipt_lpm_entry *entries, size_t count, ipt_lpm **out)
{
    uint32_t empty;
    ipt_err err = lpm_words_add(&draft->words, sizeof(ipt_members) / sizeof(uint32_t), 1, &empty);
    if (err != IPT_OK)
        return err;
    assert(empty == LPM_LEAF);
    draft->root = calloc(2 * LPM_ROOT_SLOTS, sizeof(*draft->root));
    draft->routes = malloc((count == 0 ? 1 : count) * sizeof(*draft->routes));
    if (draft->root == NULL || draft->routes == NULL)
        return IPT_ENOMEM;
    err = make_routes(draft, entries, count);
    if (err != IPT_OK)
        return err;

    const lpm_route *routes = draft->routes;
    size_t first = draft->v4_first, last = draft->v4_last;
    err = lpm_nodes_build(&draft->words, routes + first, last - first, draft->root);
    /* The IPv6 routes stand around the IPv4 ones; close the gap. */
    memmove(draft->routes + first, draft->routes + last, (draft->count - last) * sizeof(*draft->routes));
    if (err == IPT_OK)
        err = lpm_nodes_build(&draft->words, routes, draft->count - (last - first), draft->root + LPM_ROOT_SLOTS);
    if (err != IPT_OK)
        return err;
    free(draft->routes);
    draft->routes = NULL;
    return finish(draft, out);
}

ipt_err ipt_lpm_build(ipt_lpm_entry *entries, size_t count, ipt_lpm **out)
{
    if (count > LPM_PLACE)
        return IPT_ELIMIT;
    if (count > 1)
        qsort(entries, count, sizeof(*entries), compare_entries);
    lpm_draft draft = {0};
    ipt_err err = build(&draft, entries, count, out);
    lpm_draft_done(&draft);
    return err;
}
