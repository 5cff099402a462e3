/* What the engine counts, under the names of the contract, and the label values of a view prepared beforehand. */
#include "engine_priv.h"

#include <stdlib.h>

static const uint64_t decision_bounds[] = {100,   200,   300,   500,    750,    1000,    1500,    2500,    5000,
                                           10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 25000000};

static ipt_err register_families(ipt_engine *engine)
{
    ipt_metrics *m = engine->metrics;
    engine_families *f = &engine->families;
    static const char *const decisions[] = {"policy", "source", "level"};
    static const char *const verdicts[] = {"policy", "mode", "action", "rule"};
    static const char *const findings[] = {"code"}, *const reloads[] = {"result"};
    ipt_histogram_spec duration = {.name = "iptrust_decision_duration_seconds",
                                   .help = "Time of one decision, without reading the request and writing the answer.",
                                   .bounds = decision_bounds,
                                   .bound_count = IPT_COUNT(decision_bounds)};
    ipt_err err = ipt_metrics_counter(m, "iptrust_decisions", "Decisions by policy, source of the client and level.",
                                      decisions, IPT_COUNT(decisions), &f->decisions);
    if (err == IPT_OK)
        err = ipt_metrics_counter(m, "iptrust_verdicts", "What the policies' rules said.", verdicts,
                                  IPT_COUNT(verdicts), &f->verdicts);
    if (err == IPT_OK)
        err = ipt_metrics_counter(m, "iptrust_findings", "Findings in requests, by code.", findings, 1, &f->findings);
    if (err == IPT_OK)
        err = ipt_metrics_counter(m, "iptrust_config_reload", "Loads of the configuration, by result.", reloads, 1,
                                  &f->reloads);
    if (err == IPT_OK)
        err = ipt_metrics_counter(m, "iptrust_unknown_policy", "Requests that named a policy that is not there.", NULL,
                                  0, &f->unknown_policy);
    if (err == IPT_OK)
        err = ipt_metrics_histogram(m, &duration, &f->decision_duration);
    return err;
}

static void prepare_labels(ipt_engine *engine)
{
    ipt_metrics *m = engine->metrics;
    engine_labels *l = &engine->labels;
    for (unsigned i = 0; i < IPT_COUNT(l->levels); i++)
        l->levels[i] = ipt_metrics_value(m, ipt_level_name((ipt_level)i));
    for (unsigned i = 0; i < IPT_COUNT(l->modes); i++)
        l->modes[i] = ipt_metrics_value(m, ipt_mode_name((ipt_mode)i));
    l->actions[IPT_ACTION_ALLOW] = ipt_metrics_value(m, "allow");
    l->actions[IPT_ACTION_DENY] = ipt_metrics_value(m, "deny");
    for (unsigned i = 0; i < RULING_LABELS; i++) {
        const char *name = ipt_ruling_name((ipt_ruling){.rule = (ipt_rule)(i / 2), .unknown = i % 2 != 0});
        l->rulings[i] = ipt_metrics_value(m, name == NULL ? "none" : name);
    }
    for (unsigned i = 0; i < IPT_FINDING_COUNT; i++)
        l->findings[i] = ipt_metrics_value(m, ipt_finding_name((ipt_finding_code)i));
    l->sources_fixed[IPT_ORIGIN_PEER] = ipt_metrics_value(m, "peer");
    l->sources_fixed[IPT_ORIGIN_PROXY_PROTOCOL] = ipt_metrics_value(m, "proxy_protocol");
    l->reload[0] = ipt_metrics_value(m, "failure");
    l->reload[1] = ipt_metrics_value(m, "success");
}

ipt_err engine_count_init(ipt_engine *engine)
{
    ipt_err err = register_families(engine);
    if (err != IPT_OK)
        return err;
    prepare_labels(engine);
    /* Rates need a zero to rise from. */
    unsigned shard = engine->shards;
    ipt_metrics_add(engine->metrics, shard, engine->families.unknown_policy, NULL, 0);
    ipt_metrics_add(engine->metrics, shard, engine->families.reloads, &engine->labels.reload[0], 0);
    ipt_metrics_add(engine->metrics, shard, engine->families.reloads, &engine->labels.reload[1], 0);
    for (unsigned i = 0; i < IPT_FINDING_COUNT; i++)
        ipt_metrics_add(engine->metrics, shard, engine->families.findings, &engine->labels.findings[i], 0);
    return IPT_OK;
}

static ipt_label source_label(const ipt_engine *engine, const ipt_generation *generation, const ipt_decision *d)
{
    return d->source == IPT_ORIGIN_HEADER ? generation->sources[d->source_header]
                                          : engine->labels.sources_fixed[d->source];
}

void engine_count_decision(ipt_engine *engine, const ipt_generation *generation, unsigned shard, const ipt_decision *d,
                           uint64_t nanoseconds)
{
    ipt_metrics *m = engine->metrics;
    const engine_labels *l = &engine->labels;
    ipt_label policy = generation->policies[d->policy - generation->view->policies];
    const ipt_label decision[] = {policy, source_label(engine, generation, d), l->levels[d->level]};
    const ipt_label verdict[] = {policy, l->modes[d->policy->spec->mode], l->actions[d->ruling.action],
                                 l->rulings[(unsigned)d->ruling.rule * 2 + d->ruling.unknown]};
    ipt_metrics_observe(m, shard, engine->families.decision_duration, 0, nanoseconds);
    ipt_metrics_add(m, shard, engine->families.decisions, decision, 1);
    ipt_metrics_add(m, shard, engine->families.verdicts, verdict, 1);
    for (size_t i = 0; i < d->finding_count; i++)
        ipt_metrics_add(m, shard, engine->families.findings, &l->findings[d->findings[i].code], 1);
}

void engine_count_unknown_policy(ipt_engine *engine, unsigned shard)
{
    ipt_metrics_add(engine->metrics, shard, engine->families.unknown_policy, NULL, 1);
}

void engine_count_reload(ipt_engine *engine, bool ok)
{
    ipt_metrics_add(engine->metrics, engine->shards, engine->families.reloads, &engine->labels.reload[ok], 1);
}

ipt_err engine_generation_new(ipt_engine *engine, ipt_view **view_take, ipt_generation **out)
{
    ipt_auto(ipt_generation) *g = calloc(1, sizeof(*g));
    if (g == NULL)
        return IPT_ENOMEM;
    const ipt_view *view = *view_take;
    size_t names = ipt_names_count(view->names);
    g->policies = calloc(view->policy_count + 1, sizeof(*g->policies));
    g->sources = calloc(names + 1, sizeof(*g->sources));
    if (g->policies == NULL || g->sources == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < view->policy_count; i++)
        g->policies[i] = ipt_metrics_value(engine->metrics, view->policies[i].spec->name);
    for (size_t i = 1; i < names; i++) {
        char text[128];
        ipt_span name = ipt_names_text(view->names, (ipt_name)i);
        if (name.n < sizeof(text)) {
            memcpy(text, name.p, name.n);
            text[name.n] = '\0';
            g->sources[i] = ipt_metrics_value(engine->metrics, text);
        }
    }
    g->published = ipt_clock_now(&engine->clock);
    g->view = *view_take;
    *view_take = NULL;
    *out = g;
    g = NULL;
    return IPT_OK;
}
