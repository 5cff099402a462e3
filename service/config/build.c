/* Values out of the tree. What is absent, or was complained about, reads as the default of the schema. */
#include <stdio.h>

#include "bind.h"
#include "value.h"

void *ipt_bind_alloc(ipt_bind *b, size_t count, size_t size)
{
    void *p = ipt_arena_calloc(b->arena, count, size);
    if (p == NULL)
        b->no_memory = true;
    return p;
}

const char *ipt_bind_text(ipt_bind *b, ipt_span text)
{
    char *copy = ipt_arena_strdup(b->arena, text);
    if (copy == NULL)
        b->no_memory = true;
    return copy;
}

const char *ipt_bind_lower(ipt_bind *b, ipt_span text)
{
    char *copy = ipt_arena_strdup(b->arena, text);
    if (copy == NULL) {
        b->no_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < text.n; i++)
        copy[i] = ipt_lower(copy[i]);
    return copy;
}

static const char *last_word(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot == NULL ? path : dot + 1;
}

bool ipt_bind_has(const ipt_node *mapping, const char *path)
{
    return ipt_node_get(mapping, last_word(path)) != NULL;
}

ipt_node *ipt_bind_node(const ipt_node *mapping, const char *path)
{
    ipt_node *node = ipt_node_get(mapping, last_word(path));
    return node == NULL || node->bad ? NULL : node;
}

ipt_span ipt_bind_fallback(const char *path)
{
    const ipt_key *key = ipt_schema_find(path);
    ipt_span text = ipt_span_from(key == NULL ? NULL : key->fallback);
    if (text.n >= 2 && text.p[0] == '"') /* written as YAML */
        text = (ipt_span){text.p + 1, text.n - 2};
    return text;
}

static ipt_span scalar(const ipt_node *mapping, const char *path)
{
    const ipt_node *node = ipt_bind_node(mapping, path);
    return node != NULL && node->kind == IPT_NODE_SCALAR ? node->text : ipt_bind_fallback(path);
}

bool ipt_bind_bool(const ipt_node *mapping, const char *path)
{
    bool value = false;
    return ipt_value_bool(scalar(mapping, path), &value) && value;
}

uint64_t ipt_bind_integer(const ipt_node *mapping, const char *path)
{
    uint64_t value = 0;
    return ipt_value_integer(scalar(mapping, path), &value) ? value : 0;
}

int64_t ipt_bind_duration_ms(const ipt_node *mapping, const char *path)
{
    int64_t ms = 0;
    return ipt_value_duration(scalar(mapping, path), &ms) ? ms : 0;
}

size_t ipt_bind_word(const ipt_node *mapping, const char *path)
{
    const ipt_key *key = ipt_schema_find(path);
    ipt_span found = scalar(mapping, path), words = ipt_span_from(key == NULL ? NULL : key->range), word;
    for (size_t i = 0; ipt_words_next(&words, &word); i++) {
        if (ipt_span_equal(word, found))
            return i;
    }
    return 0;
}

const char *ipt_bind_string(ipt_bind *b, const ipt_node *mapping, const char *path)
{
    ipt_span text = scalar(mapping, path);
    return text.n == 0 ? NULL : ipt_bind_text(b, text);
}

const char *ipt_bind_join(ipt_bind *b, ipt_span path)
{
    if (path.p[0] == '/')
        return ipt_bind_text(b, path);
    size_t size = strlen(b->base_dir) + 1 + path.n + 1;
    char *joined = ipt_bind_alloc(b, size, 1);
    if (joined == NULL)
        return NULL;
    snprintf(joined, size, "%s/%.*s", b->base_dir, (int)path.n, path.p);
    return joined;
}

const char *ipt_bind_path(ipt_bind *b, const ipt_node *mapping, const char *path)
{
    ipt_span text = scalar(mapping, path);
    return text.n == 0 ? NULL : ipt_bind_join(b, text);
}

typedef const char *make_text(ipt_bind *b, ipt_span text);

static const char *const *make_texts(ipt_bind *b, const ipt_node *node, make_text *make, size_t *count)
{
    *count = 0;
    if (node == NULL || node->count == 0)
        return NULL;
    const char **texts = ipt_bind_alloc(b, node->count, sizeof(*texts));
    size_t n = 0;
    for (const ipt_node *item = node->first; texts != NULL && item != NULL; item = item->next) {
        if (item->bad)
            continue;
        texts[n] = make(b, item->text);
        if (texts[n++] == NULL)
            return NULL;
    }
    *count = n;
    return texts;
}

const char *const *ipt_bind_strings(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count)
{
    return make_texts(b, ipt_bind_node(mapping, path), ipt_bind_text, count);
}

const char *const *ipt_bind_paths(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count)
{
    return make_texts(b, ipt_bind_node(mapping, path), ipt_bind_join, count);
}

const ipt_prefix *ipt_bind_prefixes(ipt_bind *b, const ipt_node *mapping, const char *path, size_t *count)
{
    const ipt_node *node = ipt_bind_node(mapping, path);
    *count = 0;
    if (node == NULL || node->count == 0)
        return NULL;
    ipt_prefix *prefixes = ipt_bind_alloc(b, node->count, sizeof(*prefixes));
    size_t n = 0;
    for (const ipt_node *item = node->first; prefixes != NULL && item != NULL; item = item->next) {
        if (item->bad)
            continue;
        ipt_prefix_result result = ipt_prefix_parse(item->text, &prefixes[n]);
        n += result == IPT_PREFIX_OK || result == IPT_PREFIX_BARE;
    }
    *count = prefixes == NULL ? 0 : n;
    return prefixes;
}
