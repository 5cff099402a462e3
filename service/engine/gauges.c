/* Gauges read from the current view and the process at each scrape. */
#include "engine_priv.h"

static void list_prefixes(const ipt_view *view, ipt_expo *expo)
{
    ipt_expo_family(expo, "iptrust_list_prefixes", IPT_EXPO_GAUGE, "Prefixes of each list.");
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_list_spec *spec = view->lists[i].spec;
        uint64_t v4 = 0;
        for (size_t j = 0; j < spec->prefix_count; j++)
            v4 += ipt_prefix_is_v4(spec->prefixes[j]);
        ipt_expo_label labels[] = {{"list", spec->name}, {"family", "ipv4"}};
        ipt_expo_count(expo, labels, 2, v4);
        labels[1].value = "ipv6";
        ipt_expo_count(expo, labels, 2, spec->prefix_count - v4);
    }
}

static void list_times(const ipt_view *view, ipt_expo *expo)
{
    ipt_expo_family(expo, "iptrust_list_content_timestamp_seconds", IPT_EXPO_GAUGE,
                    "When the contents of a list were taken from their source.");
    for (size_t i = 0; i < view->list_count; i++) {
        const ipt_list_spec *spec = view->lists[i].spec;
        ipt_expo_label label = {"list", spec->name};
        if (spec->fetched_at != IPT_TIME_NONE)
            ipt_expo_sample(expo, &label, 1, (double)spec->fetched_at);
    }
}

static void geo_times(const ipt_view *view, ipt_expo *expo)
{
    ipt_expo_family(expo, "iptrust_geo_build_timestamp_seconds", IPT_EXPO_GAUGE,
                    "When the geo database in force was built by its vendor.");
    for (size_t i = 0; i < ipt_geo_count(view->geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(view->geo, i);
        ipt_expo_label label = {"database", file.name};
        if (file.loaded)
            ipt_expo_sample(expo, &label, 1, (double)file.built);
    }
}

static void geo_states(const ipt_view *view, ipt_expo *expo)
{
    ipt_expo_family(expo, "iptrust_geo_file_ok", IPT_EXPO_GAUGE,
                    "1: what lies at the path of this geo database is in force; 0: it is missing or was refused.");
    for (size_t i = 0; i < ipt_geo_count(view->geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(view->geo, i);
        ipt_expo_label label = {"database", file.name};
        ipt_expo_count(expo, &label, 1, file.refusal == IPT_GEO_TAKEN);
    }
}

static void view_gauges(const ipt_generation *generation, ipt_expo *expo)
{
    const ipt_view *view = generation->view;
    ipt_expo_family(expo, "iptrust_view", IPT_EXPO_INFO, "Revisions of the view in force.");
    const char *revision = ipt_geo_revision(view->geo);
    const ipt_expo_label revisions[] = {{"policies", view->policies_revision},
                                        {"lists", view->lists_revision},
                                        {"geo", revision == NULL ? "" : revision}};
    ipt_expo_sample(expo, revisions, IPT_COUNT(revisions), 1);
    ipt_expo_family(expo, "iptrust_view_published_timestamp_seconds", IPT_EXPO_GAUGE,
                    "When the view in force was published.");
    ipt_expo_sample(expo, NULL, 0, (double)generation->published);
    list_prefixes(view, expo);
    list_times(view, expo);
    geo_times(view, expo);
    geo_states(view, expo);
}

void engine_collect(void *context, ipt_expo *expo)
{
    ipt_engine *engine = context;
    ipt_expo_family(expo, "iptrust_build", IPT_EXPO_INFO, "Version of this program.");
    const ipt_expo_label version = {"version", IPTRUST_VERSION};
    ipt_expo_sample(expo, &version, 1, 1);

    const ipt_generation *generation = ipt_engine_acquire(engine);
    if (generation != NULL)
        view_gauges(generation, expo);
    ipt_engine_release(engine, generation);
    engine_lists_collect(engine, expo);
    engine_central_collect(engine, expo);

    ipt_expo_family(expo, "iptrust_log_dropped", IPT_EXPO_COUNTER, "Log lines that found no room.");
    const ipt_ring *ring = engine->decisions;
    const ipt_expo_label logs[] = {{"log", "decisions"}, {"log", "events"}};
    ipt_expo_count(expo, &logs[0], 1, ring == NULL ? 0 : ipt_ring_dropped(ring));
    ipt_expo_count(expo, &logs[1], 1, ipt_log_dropped(engine->log));
    ipt_expo_process(expo);
}
