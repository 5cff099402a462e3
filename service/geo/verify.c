/* Everything that a look-up could reach, checked before anybody looks: metadata, every path of the search tree, every
 * record. Bounded in nodes, values and depth, so that a hostile file costs time and nothing else. */
#include <stdlib.h>

#include "geo_priv.h"

enum {
    SEPARATOR = 16,           /* zero bytes between tree and data */
    METADATA_MAX = 128 << 10, /* from the end of the file */
    DEPTH_MAX = 32,           /* of maps, arrays and pointers in one another; real files have 5 */
    METADATA_VALUES_MAX =
        4096, /* of the metadata, whose pointers libmaxminddb follows without memory of where it was */
};
#define BUILT_MAX INT64_C(253402300799) /* the last second of the year 9999 */

typedef struct checker {
    geo_section section;
    uint64_t *checked; /* bit by offset: the value there is sound; NULL: not remembered */
    uint64_t budget;   /* values that may still be read */
    bool is_clean;
} checker;

static bool is_marked(const uint64_t *bits, uint32_t at)
{
    return (bits[at / 64] >> at % 64 & 1) != 0;
}

static void mark(uint64_t *bits, uint32_t at)
{
    bits[at / 64] |= UINT64_C(1) << at % 64;
}

/* Calls itself at most DEPTH_MAX deep. */
static bool check_value(checker *c, uint32_t at, unsigned depth, uint32_t *next);

static bool check_items(checker *c, const geo_value *value, unsigned depth, uint32_t *next)
{
    uint32_t at = value->at;
    for (uint32_t i = 0; i < value->size; i++) {
        if (value->type == MMDB_DATA_TYPE_MAP) {
            geo_value key;
            if (!geo_value_follow(&c->section, at, &key) || key.type != MMDB_DATA_TYPE_UTF8_STRING)
                return false;
            if (!check_value(c, at, depth + 1, &at))
                return false;
        }
        if (!check_value(c, at, depth + 1, &at))
            return false;
    }
    *next = at;
    return true;
}

static bool check_target(checker *c, uint32_t target, unsigned depth)
{
    uint32_t after;
    geo_value value;
    if (!geo_value_read(&c->section, target, &value) || value.type == MMDB_DATA_TYPE_POINTER)
        return false;
    return (c->checked != NULL && is_marked(c->checked, target)) || check_value(c, target, depth + 1, &after);
}

static bool check_value(checker *c, uint32_t at, unsigned depth, uint32_t *next)
{
    geo_value value;
    if (depth > DEPTH_MAX || c->budget == 0 || !geo_value_read(&c->section, at, &value))
        return false;
    c->budget--;
    switch (value.type) {
    case MMDB_DATA_TYPE_POINTER:
        if (!check_target(c, value.size, depth))
            return false;
        *next = value.next;
        return true; /* marked is what it points at: a pointer must not lead to a pointer */
    case MMDB_DATA_TYPE_MAP:
    case MMDB_DATA_TYPE_ARRAY:
        if (!check_items(c, &value, depth, next))
            return false;
        break;
    case MMDB_DATA_TYPE_UTF8_STRING:
        if (value.size != 0 && !geo_text_is_clean((ipt_span){(const char *)c->section.p + value.at, value.size}))
            c->is_clean = false;
        *next = value.next;
        break;
    default:
        *next = value.next;
    }
    if (c->checked != NULL)
        mark(c->checked, at);
    return true;
}

/* ---- metadata ---- */

/* Behind the last marker of the file's end, where libmaxminddb looks for it. */
static bool find_metadata(const geo_copy *copy, geo_section *out)
{
    static const char marker[] = "\xab\xcd\xef"
                                 "MaxMind.com";
    const size_t n = sizeof(marker) - 1;
    size_t from = copy->n > METADATA_MAX ? copy->n - METADATA_MAX : 0;
    const uint8_t *at = copy->p + from, *end = copy->p + copy->n, *found = NULL;
    while ((at = memmem(at, (size_t)(end - at), marker, n)) != NULL) {
        at += n;
        found = at;
    }
    if (found == NULL)
        return false;
    *out = (geo_section){found, (uint32_t)(end - found)};
    return true;
}

static bool find_key(const geo_section *section, const geo_value *map, const char *name, geo_value *out)
{
    uint32_t at = map->at;
    size_t n = strlen(name);
    for (uint32_t i = 0; i < map->size; i++) {
        geo_value key, raw;
        if (!geo_value_follow(section, at, &key) || !geo_value_read(section, at, &raw))
            return false;
        if (key.size == n && memcmp(section->p + key.at, name, n) == 0)
            return geo_value_follow(section, raw.next, out);
        if (!geo_value_skip(section, raw.next, &at))
            return false;
    }
    return false;
}

static bool find_uint(const geo_section *section, const geo_value *map, const char *name, uint64_t *out)
{
    geo_value value;
    if (!find_key(section, map, name, &value))
        return false;
    if (value.type != MMDB_DATA_TYPE_UINT16 && value.type != MMDB_DATA_TYPE_UINT32 &&
        value.type != MMDB_DATA_TYPE_UINT64)
        return false;
    *out = geo_value_uint(section, &value);
    return true;
}

/* A map or an array whose values are all text: libmaxminddb loses memory over anything else. Absent is fine. */
static bool holds_texts(const geo_section *section, const geo_value *map, const char *name, uint8_t type)
{
    geo_value value, item;
    if (!find_key(section, map, name, &value))
        return type == MMDB_DATA_TYPE_MAP; /* languages are asked for always */
    if (value.type != type)
        return false;
    uint32_t at = value.at, count = type == MMDB_DATA_TYPE_MAP ? 2 * value.size : value.size;
    for (uint32_t i = 0; i < count; i++) {
        geo_value raw;
        if (!geo_value_follow(section, at, &item) || item.type != MMDB_DATA_TYPE_UTF8_STRING ||
            !geo_value_read(section, at, &raw))
            return false;
        at = raw.next;
    }
    return true;
}

static bool read_type(const geo_section *section, const geo_value *map, char *out, size_t cap)
{
    geo_value value;
    if (!find_key(section, map, "database_type", &value) || value.type != MMDB_DATA_TYPE_UTF8_STRING)
        return false;
    size_t n = value.size < cap - 1 ? value.size : cap - 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = section->p[value.at + i];
        out[i] = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' ? (char)c : '?';
    }
    out[n] = '\0';
    return true;
}

static bool read_metadata(geo_layout *layout)
{
    const geo_section *section = &layout->metadata;
    checker c = {.section = *section, .budget = METADATA_VALUES_MAX};
    geo_value map;
    uint32_t after;
    uint64_t nodes, record_size, ip_version, major, minor, built;
    if (!check_value(&c, 0, 0, &after) || !geo_value_read(section, 0, &map) || map.type != MMDB_DATA_TYPE_MAP)
        return false;
    if (!find_uint(section, &map, "node_count", &nodes) || !find_uint(section, &map, "record_size", &record_size) ||
        !find_uint(section, &map, "ip_version", &ip_version) || !find_uint(section, &map, "build_epoch", &built) ||
        !find_uint(section, &map, "binary_format_major_version", &major) ||
        !find_uint(section, &map, "binary_format_minor_version", &minor) ||
        !read_type(section, &map, layout->type, sizeof(layout->type)) ||
        !holds_texts(section, &map, "languages", MMDB_DATA_TYPE_ARRAY) ||
        !holds_texts(section, &map, "description", MMDB_DATA_TYPE_MAP))
        return false;
    if (nodes == 0 || nodes > UINT32_MAX / 8 || major != 2 || built > BUILT_MAX ||
        (record_size != 24 && record_size != 28 && record_size != 32) || (ip_version != 4 && ip_version != 6))
        return false;
    layout->node_count = (uint32_t)nodes;
    layout->record_size = (uint16_t)record_size;
    layout->ip_version = (uint16_t)ip_version;
    layout->built = (int64_t)built;
    return true;
}

/* The data ends where the metadata's marker begins; libmaxminddb would read on into it. */
static bool lay_out(const geo_copy *copy, geo_layout *layout)
{
    size_t tree = (size_t)layout->node_count * (layout->record_size / 4U);
    size_t end = (size_t)(layout->metadata.p - copy->p) - (sizeof("\xab\xcd\xefMaxMind.com") - 1);
    if (tree > end || end - tree < SEPARATOR)
        return false;
    layout->tree = copy->p;
    layout->data = (geo_section){copy->p + tree + SEPARATOR, (uint32_t)(end - tree - SEPARATOR)};
    return true;
}

/* ---- the tree ---- */

static uint32_t record_at(const geo_layout *layout, uint32_t node, unsigned side)
{
    const uint8_t *p = layout->tree + (size_t)node * (layout->record_size / 4U);
    switch (layout->record_size) {
    case 24:
        p += 3 * side;
        return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    case 28:
        if (side == 0)
            return (uint32_t)(p[3] & 0xf0) << 20 | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        return (uint32_t)(p[3] & 0x0f) << 24 | (uint32_t)p[4] << 16 | (uint32_t)p[5] << 8 | p[6];
    default:
        p += 4 * side;
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
}

typedef struct walk {
    const geo_layout *layout;
    checker values;
    geo_survey *survey;
    uint64_t *surveyed; /* bit by offset of a record */
    uint8_t *heights;   /* by node, the longest way down from it in bits; 0: not yet known */
    ipt_geo_refusal refusal;
} walk;

static bool check_record(walk *w, uint32_t record)
{
    uint32_t offset = record - w->layout->node_count, after;
    w->refusal = IPT_GEO_BAD_TREE;
    if (offset < SEPARATOR || offset - SEPARATOR >= w->layout->data.n)
        return false;
    offset -= SEPARATOR;
    if (is_marked(w->surveyed, offset))
        return true;
    w->refusal = IPT_GEO_BAD_DATA;
    if (!is_marked(w->values.checked, offset) && !check_value(&w->values, offset, 0, &after))
        return false;
    mark(w->surveyed, offset);
    geo_survey_record(&w->layout->data, offset, w->survey);
    return true;
}

typedef struct frame {
    uint32_t node;
    uint8_t side, height;
} frame;

static void raise_height(frame *f, unsigned height)
{
    if (height > f->height)
        f->height = (uint8_t)height;
}

/* Every way down from the root ends at a record within the address's bits. Subtrees are shared (the aliases of IPv4),
 * so each is walked once and only its height asked again; a circle is a way that never ends. */
static bool walk_tree(walk *w)
{
    const geo_layout *layout = w->layout;
    const unsigned bits = layout->ip_version == 4 ? 32 : 128;
    frame frames[128];
    unsigned depth = 1;
    frames[0] = (frame){0, 0, 0};
    while (depth > 0) {
        frame *f = &frames[depth - 1];
        if (f->side == 2) {
            w->heights[f->node] = f->height;
            depth--;
            if (depth > 0)
                raise_height(&frames[depth - 1], f->height + 1U);
            continue;
        }
        uint32_t record = record_at(layout, f->node, f->side++);
        if (record >= layout->node_count) {
            if (record > layout->node_count && !check_record(w, record))
                return false;
            raise_height(f, 1);
        } else if (w->heights[record] != 0) {
            if (depth + w->heights[record] > bits)
                return false;
            raise_height(f, w->heights[record] + 1U);
        } else if (depth == bits) {
            w->refusal = IPT_GEO_BAD_TREE;
            return false;
        } else
            frames[depth++] = (frame){record, 0, 0};
        w->refusal = IPT_GEO_BAD_TREE;
    }
    return true;
}

static ipt_geo_refusal check_tree(geo_layout *layout, geo_survey *survey)
{
    size_t words = layout->data.n / 64 + 1;
    walk w = {.layout = layout, .survey = survey, .refusal = IPT_GEO_BAD_TREE};
    w.values = (checker){.section = layout->data, .budget = UINT64_C(2) * layout->data.n + 64, .is_clean = true};
    w.values.checked = calloc(words, sizeof(uint64_t));
    w.surveyed = calloc(words, sizeof(uint64_t));
    w.heights = calloc(layout->node_count, 1);
    ipt_geo_refusal refusal = IPT_GEO_NO_COPY;
    if (w.values.checked != NULL && w.surveyed != NULL && w.heights != NULL)
        refusal = walk_tree(&w) ? IPT_GEO_TAKEN : w.refusal;
    layout->is_clean = w.values.is_clean;
    free(w.values.checked);
    free(w.surveyed);
    free(w.heights);
    return refusal;
}

ipt_geo_refusal geo_verify(const geo_copy *copy, geo_layout *layout, geo_survey *survey)
{
    *layout = (geo_layout){0};
    *survey = (geo_survey){{0}};
    if (!find_metadata(copy, &layout->metadata))
        return IPT_GEO_NO_METADATA;
    if (!read_metadata(layout) || !lay_out(copy, layout))
        return IPT_GEO_BAD_METADATA;
    return check_tree(layout, survey);
}
