/* From checked configuration to what the request path reads: names as numbers, ranks by list, one prefix table. */
#include "view_priv.h"

#include <stdlib.h>
#include <time.h>

static ipt_err compile_vouches(ipt_view_core *core, const ipt_list_spec *spec, ipt_view_list *list)
{
    ipt_vouching *vouches = ipt_arena_calloc(core->arena, spec->vouch_count + 1, sizeof(*vouches));
    if (vouches == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < spec->vouch_count; i++) {
        ipt_err err = ipt_names_add(core->names, spec->vouches[i].header, &vouches[i].header);
        if (err != IPT_OK)
            return err;
        vouches[i].how = spec->vouches[i].how;
        if (ipt_name_is_list(vouches[i].header))
            list->list_vouch[vouches[i].header - IPT_NAME_XFF] = vouches[i].how;
    }
    list->vouches = vouches;
    list->vouch_count = spec->vouch_count;
    return IPT_OK;
}

static ipt_err compile_proof(ipt_view_core *core, const ipt_proof_spec *spec, ipt_proof *proof)
{
    proof->kind = spec->kind;
    proof->secret = spec->secret;
    if (spec->kind == IPT_PROOF_FRONT_DOOR_ID)
        proof->header = IPT_NAME_X_AZURE_FDID;
    if (spec->kind == IPT_PROOF_FORWARDED_PARAM)
        proof->param = spec->name;
    ipt_span *values = ipt_arena_calloc(core->arena, spec->value_count + 1, sizeof(*values));
    if (values == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < spec->value_count; i++)
        values[i] = ipt_span_from(spec->values[i]);
    proof->values = values;
    proof->value_count = spec->value_count;
    return spec->kind == IPT_PROOF_HEADER ? ipt_names_add(core->names, spec->name, &proof->header) : IPT_OK;
}

static void format_time(int64_t seconds, char out[24])
{
    struct tm tm;
    time_t t = (time_t)seconds;
    out[0] = '\0';
    if (seconds != IPT_TIME_NONE && gmtime_r(&t, &tm) != NULL && tm.tm_year < 8100 && tm.tm_year >= 70)
        (void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static ipt_err compile_lists(ipt_view_core *core)
{
    const ipt_config *config = core->config;
    core->lists = ipt_arena_calloc(core->arena, config->list_count + 1, sizeof(*core->lists));
    if (core->lists == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < config->list_count; i++) {
        const ipt_list_spec *spec = &config->lists[i];
        ipt_view_list *list = &core->lists[i];
        list->spec = spec;
        list->provider = spec->provider;
        list->internal = spec->internal;
        list->adds = spec->adds;
        list->shared = spec->provider != IPT_PROVIDER_NONE && !spec->exclusive;
        list->empty = spec->prefix_count == 0 && spec->source != IPT_SOURCE_UNIX;
        for (size_t p = 0; p < spec->prefix_count && !list->broad; p++)
            list->broad = ipt_prefix_is_broad(spec->prefixes[p]);
        format_time(spec->fetched_at, list->fetched_at);
        ipt_err err = compile_vouches(core, spec, list);
        if (err == IPT_OK)
            err = compile_proof(core, &spec->proof, &list->proof);
        if (err != IPT_OK)
            return err;
    }
    return IPT_OK;
}

static ipt_err compile_read(ipt_view_core *core, ipt_policy *policy)
{
    const ipt_policy_spec *spec = policy->spec;
    ipt_read *read = ipt_arena_calloc(core->arena, spec->read_count + 1, sizeof(*read));
    if (read == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < spec->read_count; i++) {
        ipt_err err = ipt_names_add(core->names, spec->read[i].name, &read[i].name);
        if (err != IPT_OK)
            return err;
        read[i].from = spec->read[i].from;
        for (size_t k = 0; k < i; k++)
            read[i].repeated = read[i].repeated || read[k].name == read[i].name;
        read[i].provider = ipt_provider_of_header(read[i].name);
        if (read[i].name == IPT_NAME_CF_CONNECTING_IP)
            policy->reads_cf_ip = true;
    }
    policy->read = read;
    return IPT_OK;
}

static ipt_err compile_policies(ipt_view_core *core)
{
    const ipt_config *config = core->config;
    core->policies = ipt_arena_calloc(core->arena, config->policy_count + 1, sizeof(*core->policies));
    if (core->policies == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < config->policy_count; i++) {
        ipt_policy *policy = &core->policies[i];
        policy->spec = &config->policies[i];
        uint16_t *rank = ipt_arena_calloc(core->arena, config->list_count + 1, sizeof(*rank));
        if (rank == NULL)
            return IPT_ENOMEM;
        for (size_t l = 0; l < config->list_count; l++)
            rank[l] = IPT_RANK_NONE;
        for (size_t t = policy->spec->trust_count; t-- > 0;) { /* backwards: a list named twice has its first place */
            uint16_t list = policy->spec->trust[t];
            rank[list] = (uint16_t)t;
            policy->trusts_empty = policy->trusts_empty || core->lists[list].empty;
        }
        policy->rank = rank;
        policy->geo_rules = ipt_geo_rules(policy->spec);
        ipt_err err = compile_read(core, policy);
        if (err != IPT_OK)
            return err;
    }
    return IPT_OK;
}

static ipt_err compile_table(ipt_view_core *core)
{
    const ipt_config *config = core->config;
    size_t count = 0, n = 0;
    for (size_t i = 0; i < config->list_count; i++)
        count += config->lists[i].prefix_count + config->lists[i].egress_count;
    ipt_lpm_entry *entries = calloc(count + 1, sizeof(*entries));
    if (entries == NULL)
        return IPT_ENOMEM;
    for (size_t i = 0; i < config->list_count; i++) {
        const ipt_list_spec *spec = &config->lists[i];
        for (size_t p = 0; p < spec->prefix_count; p++)
            entries[n++] = (ipt_lpm_entry){spec->prefixes[p], (uint16_t)i};
        for (size_t p = 0; p < spec->egress_count; p++)
            entries[n++] = (ipt_lpm_entry){spec->egress[p], (uint16_t)(i | IPT_EGRESS_TAG)};
    }
    ipt_err err = ipt_lpm_build(entries, n, &core->lpm);
    free(entries);
    return err;
}

ipt_err ipt_core_compile(ipt_view_core *core)
{
    ipt_err err = ipt_arena_new(4096, 0, &core->arena);
    if (err == IPT_OK)
        err = ipt_names_new(&core->names);
    if (err == IPT_OK)
        err = compile_lists(core);
    if (err == IPT_OK)
        err = compile_policies(core);
    if (err == IPT_OK)
        err = compile_table(core);
    return err;
}
