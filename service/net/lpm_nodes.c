/* From sorted routes to slots: the shape of the table is decided here (lpm_priv.h says what it looks like). */
#include "lpm_build_priv.h"

typedef struct nodes_build {
    lpm_words *words;
    const lpm_route *routes;
} nodes_build;

/* Routes [first, last) that agree on what goes before bit `depth` of half `half`, and the leaf of those in none. */
typedef struct branch {
    size_t first, last;
    unsigned half, depth;
    uint32_t fallback;
} branch;

static ipt_err build_branch(nodes_build *b, branch at, uint32_t *slot);

static uint64_t key_of(const nodes_build *b, size_t i, unsigned half)
{
    return b->routes[i].half[half];
}

/* Bits of the route in this half; more than 64 when it goes on in the next. */
static unsigned bits_of(const nodes_build *b, size_t i, unsigned half)
{
    return b->routes[i].len - 64 * half;
}

/* Lays the routes of a branch over 2^bits slots. Covering routes stand before covered ones, so later ones win. */
static ipt_err paint(nodes_build *b, branch at, unsigned bits, uint32_t *slots)
{
    unsigned below = at.depth + bits;
    for (size_t i = at.first; i < at.last;) {
        size_t value = (size_t)(key_of(b, i, at.half) << at.depth >> (64 - bits));
        unsigned len = bits_of(b, i, at.half);
        if (len <= below) {
            size_t end = value + ((size_t)1 << (below - len));
            while (value < end)
                slots[value++] = b->routes[i].slot;
            i++;
            continue;
        }
        size_t next = i + 1;
        while (next < at.last && (size_t)(key_of(b, next, at.half) << at.depth >> (64 - bits)) == value)
            next++;
        branch child = {i, next, at.half, below, slots[value]};
        ipt_err err = build_branch(b, child, &slots[value]);
        if (err != IPT_OK)
            return err;
        i = next;
    }
    return IPT_OK;
}

static ipt_err emit_node(nodes_build *b, const uint32_t slots[1 << LPM_NODE_BITS], uint32_t *slot)
{
    enum { HEAD = offsetof(lpm_node, values) / sizeof(uint32_t), LINE = 64 / sizeof(uint32_t) };
    uint32_t values[1 << LPM_NODE_BITS];
    lpm_node head = {0};
    size_t runs = 0;
    for (unsigned v = 0; v < 1 << LPM_NODE_BITS; v++) {
        if (v % 64 == 0)
            head.before[v / 64] = (uint8_t)runs;
        if (v != 0 && slots[v] == slots[v - 1])
            continue;
        head.starts[v / 64] |= UINT64_C(1) << (v % 64);
        values[runs++] = slots[v];
    }
    /* The bitmap and the counts never straddle two cache lines. */
    size_t align = b->words->n % LINE <= LINE - HEAD - 1 ? 2 : LINE;
    uint32_t place;
    ipt_err err = lpm_words_add(b->words, HEAD + runs, align, &place);
    if (err != IPT_OK)
        return err;
    memcpy(b->words->p + place, &head, HEAD * sizeof(uint32_t));
    memcpy(b->words->p + place + HEAD, values, runs * sizeof(uint32_t));
    *slot = LPM_NODE | place;
    return IPT_OK;
}

static lpm_item item_of(uint64_t key, unsigned depth, uint32_t slot)
{
    unsigned shift = 64 - depth;
    return (lpm_item){.key = key,
                      .slot = slot,
                      .depth = (uint8_t)depth,
                      .shift1 = (uint8_t)(shift / 2),
                      .shift2 = (uint8_t)(shift - shift / 2)};
}

/* items come in rising order and are written in falling order: among those that hold a key the longest is first. */
static ipt_err emit_list(nodes_build *b, const lpm_item *items, size_t count, uint32_t fallback, uint32_t *slot)
{
    enum { ITEM = sizeof(lpm_item) / sizeof(uint32_t) };
    lpm_item list[LPM_LIST_MAX + 1];
    for (size_t i = 0; i < count; i++)
        list[i] = items[count - 1 - i];
    list[count] = item_of(0, 0, fallback);
    uint32_t place;
    ipt_err err = lpm_words_add(b->words, (count + 1) * ITEM, ITEM, &place);
    if (err != IPT_OK)
        return err;
    memcpy(b->words->p + place, list, (count + 1) * sizeof(*list));
    *slot = LPM_LIST | place;
    return IPT_OK;
}

/* The routes of one item of a list: one route, or all that lie in one /64 and go on in the next half. */
static size_t item_end(const nodes_build *b, branch at, size_t i)
{
    if (bits_of(b, i, at.half) <= 64)
        return i + 1;
    size_t end = i + 1;
    while (end < at.last && key_of(b, end, at.half) == key_of(b, i, at.half))
        end++;
    return end;
}

/* Whether a list is worth it: few items, and not all of them end within the next node. */
static bool is_thin(const nodes_build *b, branch at)
{
    size_t items = 0;
    unsigned deepest = 0;
    for (size_t i = at.first; i < at.last; i = item_end(b, at, i)) {
        if (++items > LPM_LIST_MAX)
            return false;
        unsigned len = bits_of(b, i, at.half);
        deepest = len > deepest ? len : deepest;
    }
    return deepest > at.depth + LPM_NODE_BITS;
}

/* The leaf of the longest item so far that holds a key; a /64 whose branch goes on never lies around another key. */
static uint32_t covering(const lpm_item *items, size_t count, uint64_t key, uint32_t fallback)
{
    for (size_t i = count; i-- > 0;) {
        if (((items[i].key ^ key) >> items[i].shift1) >> items[i].shift2 == 0)
            return items[i].slot;
    }
    return fallback;
}

static ipt_err build_list(nodes_build *b, branch at, uint32_t *slot)
{
    lpm_item items[LPM_LIST_MAX];
    size_t count = 0;
    for (size_t i = at.first; i < at.last;) {
        size_t end = item_end(b, at, i);
        uint64_t key = key_of(b, i, at.half);
        unsigned len = bits_of(b, i, at.half);
        uint32_t value = b->routes[i].slot;
        if (len > 64) {
            len = 64;
            branch child = {i, end, at.half + 1, 0, covering(items, count, key, at.fallback)};
            ipt_err err = build_branch(b, child, &value);
            if (err != IPT_OK)
                return err;
        }
        items[count++] = item_of(key, len, value);
        i = end;
    }
    return emit_list(b, items, count, at.fallback, slot);
}

/* Bits, in whole nodes, on which all routes of a branch agree and before which none of them ends. */
static unsigned common_depth(const nodes_build *b, branch at)
{
    uint64_t differ = key_of(b, at.first, at.half) ^ key_of(b, at.last - 1, at.half);
    unsigned common = differ == 0 ? 64 : (unsigned)__builtin_clzll(differ);
    unsigned shortest = bits_of(b, at.first, at.half); /* of those that agree so far the shortest is the first */
    common = common < shortest ? common : shortest;
    return common / LPM_NODE_BITS * LPM_NODE_BITS;
}

static ipt_err build_skip(nodes_build *b, branch at, unsigned depth, uint32_t *slot)
{
    uint64_t key = key_of(b, at.first, at.half);
    branch child = at;
    child.depth = depth;
    uint32_t value;
    ipt_err err = build_branch(b, child, &value);
    if (err != IPT_OK)
        return err;
    lpm_item item = item_of(key, depth, value);
    return emit_list(b, &item, 1, at.fallback, slot);
}

static ipt_err build_branch(nodes_build *b, branch at, uint32_t *slot)
{
    if (at.depth == 64) {
        at.half++;
        at.depth = 0;
    }
    if (is_thin(b, at))
        return build_list(b, at, slot);
    unsigned common = common_depth(b, at);
    if (common > at.depth)
        return build_skip(b, at, common, slot);

    uint32_t slots[1 << LPM_NODE_BITS];
    for (unsigned v = 0; v < 1 << LPM_NODE_BITS; v++)
        slots[v] = at.fallback;
    ipt_err err = paint(b, at, LPM_NODE_BITS, slots);
    return err == IPT_OK ? emit_node(b, slots, slot) : err;
}

ipt_err lpm_nodes_build(lpm_words *words, const lpm_route *routes, size_t count, uint32_t *root)
{
    nodes_build b = {words, routes};
    return paint(&b, (branch){0, count, 0, 0, LPM_LEAF}, LPM_ROOT_BITS, root);
}
