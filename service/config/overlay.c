/* Contents of lists change more often than configurations: a configuration with other contents shares the rest with the
 * one that was read. */
#include <stdatomic.h>
#include <stdlib.h>

#include "overlay.h"

struct ipt_config_life {
    atomic_uint users; /* itself, and those that were made from it */
    ipt_config *root;  /* what was read; of an overlay another one */
};

ipt_err ipt_config_life_begin(ipt_config *config)
{
    config->life = ipt_arena_calloc(config->arena, 1, sizeof(*config->life));
    if (config->life == NULL)
        return IPT_ENOMEM;
    atomic_init(&config->life->users, 1);
    config->life->root = config;
    return IPT_OK;
}

static void let_go(ipt_config *root)
{
    if (atomic_fetch_sub_explicit(&root->life->users, 1, memory_order_acq_rel) == 1)
        ipt_arena_free(root->arena); /* which holds the configuration itself */
}

void ipt_config_free(ipt_config *config)
{
    if (config == NULL)
        return;
    ipt_config *root = config->life == NULL ? NULL : config->life->root;
    if (root != config)
        ipt_arena_free(config->arena);
    if (root != NULL)
        let_go(root);
}

ipt_config *ipt_config_share(const ipt_config *config)
{
    ipt_config *root = config->life->root;
    atomic_fetch_add_explicit(&root->life->users, 1, memory_order_relaxed);
    return root;
}

static ipt_err overlay_list(ipt_arena *arena, const ipt_list_contents *contents, ipt_list_spec *list)
{
    ipt_prefix *prefixes = ipt_arena_alloc(arena, (contents->prefix_count + 1) * sizeof(*prefixes));
    if (prefixes == NULL)
        return IPT_ENOMEM;
    if (contents->prefix_count != 0)
        memcpy(prefixes, contents->prefixes, contents->prefix_count * sizeof(*prefixes));
    list->prefixes = prefixes;
    list->prefix_count = contents->prefix_count;
    list->fetched_at = contents->fetched_at;
    list->bundled = false;
    list->failed = false;
    return IPT_OK;
}

ipt_err ipt_config_with_contents(const ipt_config *from, const ipt_list_contents *contents, ipt_config **out)
{
    ipt_auto(ipt_arena) *arena = NULL;
    const ipt_config *root = from->life->root;
    ipt_err err = ipt_arena_new(4096, 0, &arena);
    if (err != IPT_OK)
        return err;
    ipt_config *config = ipt_arena_calloc(arena, 1, sizeof(*config));
    struct ipt_config_life *life = ipt_arena_calloc(arena, 1, sizeof(*life));
    ipt_list_spec *lists = ipt_arena_calloc(arena, root->list_count + 1, sizeof(*lists));
    if (config == NULL || life == NULL || lists == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < root->list_count && err == IPT_OK; i++) {
        lists[i] = root->lists[i];
        if (contents[i].stated)
            err = overlay_list(arena, &contents[i], &lists[i]);
    }
    if (err != IPT_OK)
        return err;
    life->root = ipt_config_share(from);
    *config = *root;
    config->arena = arena;
    config->life = life;
    config->lists = lists;
    arena = NULL;
    *out = config;
    return IPT_OK;
}
