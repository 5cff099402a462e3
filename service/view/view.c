/* Life of a view: built once, shared by readers, refreshed into a sibling that judges the same contents at another
 * time. */
#include "view_priv.h"

#include <stdlib.h>

static void core_unref(ipt_view_core *core)
{
    if (core == NULL || atomic_fetch_sub_explicit(&core->refs, 1, memory_order_acq_rel) != 1)
        return;
    ipt_lpm_free(core->lpm);
    ipt_names_free(core->names);
    ipt_arena_free(core->arena);
    ipt_config_free(core->config);
    free(core);
}

static uint8_t marks_of(const ipt_view_list *list, ipt_freshness freshness)
{
    return (uint8_t)((list->shared ? IPT_MARK_SHARED : 0) | (list->spec->bundled ? IPT_MARK_BUNDLED : 0) |
                     (freshness == IPT_STALE ? IPT_MARK_STALE : 0) | (freshness == IPT_EXPIRED ? IPT_MARK_EXPIRED : 0) |
                     (list->proof.kind != IPT_PROOF_NONE ? IPT_MARK_PROOF : 0) |
                     (list->broad && !list->spec->broad_accepted ? IPT_MARK_BROAD : 0));
}

/* A view of core at a time. Takes one reference to core over, also when it fails. */
static ipt_err view_new(ipt_view_core *core, int64_t now, ipt_view **out)
{
    const ipt_config *config = core->config;
    ipt_view *view = calloc(1, sizeof(*view));
    ipt_freshness *freshness = calloc(config->list_count + 1, sizeof(*freshness));
    uint8_t *marks = calloc(config->list_count + 1, sizeof(*marks));
    if (view == NULL || freshness == NULL || marks == NULL) {
        free(view);
        free(freshness);
        free(marks);
        core_unref(core);
        return IPT_ENOMEM;
    }
    bool all_fresh = true;
    for (size_t i = 0; i < config->list_count; i++) {
        freshness[i] = ipt_freshness_at(&config->lists[i], now);
        all_fresh = all_fresh && freshness[i] == IPT_FRESH;
        marks[i] = marks_of(&core->lists[i], freshness[i]);
    }
    *view = (ipt_view){.core = core,
                       .names = core->names,
                       .lpm = core->lpm,
                       .lists = core->lists,
                       .list_count = config->list_count,
                       .policies = core->policies,
                       .policy_count = config->policy_count,
                       .nat64 = config->nat64,
                       .nat64_count = config->nat64_count,
                       .config = config,
                       .freshness = freshness,
                       .marks = marks,
                       .all_fresh = all_fresh,
                       .now = now};
    memcpy(view->policies_revision, core->policies_revision, sizeof(view->policies_revision));
    memcpy(view->lists_revision, core->lists_revision, sizeof(view->lists_revision));
    *out = view;
    return IPT_OK;
}

ipt_err ipt_view_build_take(ipt_config *config, int64_t now, ipt_view **out)
{
    ipt_view_core *core = calloc(1, sizeof(*core));
    if (core == NULL)
        return IPT_ENOMEM;
    atomic_init(&core->refs, 1);
    core->config = config;
    ipt_err err = ipt_core_compile(core);
    if (err == IPT_OK)
        err = ipt_core_revise(core);
    if (err == IPT_OK) {
        atomic_fetch_add_explicit(&core->refs, 1, memory_order_relaxed);
        err = view_new(core, now, out);
    }
    if (err != IPT_OK)
        core->config = NULL; /* the caller keeps it */
    core_unref(core);
    return err;
}

ipt_err ipt_view_refresh(const ipt_view *view, int64_t now, ipt_view **out)
{
    /* The caller holds a view, so the count cannot be zero here. */
    atomic_fetch_add_explicit(&view->core->refs, 1, memory_order_relaxed);
    ipt_err err = view_new(view->core, now, out);
    if (err == IPT_OK)
        ipt_view_set_geo(*out, view->geo);
    return err;
}

void ipt_view_free(ipt_view *view)
{
    if (view == NULL)
        return;
    core_unref(view->core);
    ipt_view_set_geo(view, NULL);
    free((void *)(uintptr_t)view->freshness);
    free((void *)(uintptr_t)view->marks);
    free(view);
}

const ipt_policy *ipt_view_find_policy(const ipt_view *view, ipt_span name)
{
    size_t low = 0, high = view->policy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = ipt_span_compare_nocase(name, ipt_span_from(view->policies[middle].spec->name));
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    /* Names hold no upper case, so an exact comparison settles what the search found. */
    if (low == 0 || !ipt_span_equal(name, ipt_span_from(view->policies[low - 1].spec->name)))
        return NULL;
    return &view->policies[low - 1];
}

const ipt_view_list *ipt_view_find_list(const ipt_view *view, ipt_span name)
{
    for (size_t i = 0; i < view->list_count; i++)
        if (ipt_span_equal(name, ipt_span_from(view->lists[i].spec->name)))
            return &view->lists[i];
    return NULL;
}
