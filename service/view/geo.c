/* Databases as a part of the view: which of their fields the rules ask for, and whether anyone can tell. */
#include "view_priv.h"

_Static_assert(IPT_CONFIG_GEO_MAX == IPT_GEO_FILES_MAX, "what may be written can be opened");

void ipt_view_set_geo(ipt_view *view, const ipt_geo *geo)
{
    ipt_geo *before = (ipt_geo *)(uintptr_t)view->geo; /* only its count changes */
    view->geo = ipt_geo_ref(geo);
    ipt_geo_unref(before);
}

static const struct {
    const char *name;
    uint64_t fields;
} conditions[] = {
    {"countries", IPT_GEO_BIT(IPT_GEO_COUNTRY_CODE)},
    {"asns", IPT_GEO_BIT(IPT_GEO_ASN)},
    {"anonymous", IPT_GEO_ANONYMITY},
};

static bool asks(const ipt_rule_spec *rule, size_t condition)
{
    const bool asked[IPT_COUNT(conditions)] = {rule->country_count != 0, rule->asn_count != 0, rule->anonymous};
    return asked[condition];
}

uint64_t ipt_geo_rules(const ipt_policy_spec *spec)
{
    uint64_t fields = 0;
    for (size_t i = 0; i < IPT_COUNT(conditions) && spec->mode != IPT_MODE_ANNOTATE; i++) {
        if (asks(&spec->deny, i) || asks(&spec->allow, i))
            fields |= conditions[i].fields;
    }
    return fields;
}

static void check_rule(const ipt_policy_spec *policy, const char *name, const ipt_rule_spec *rule, const ipt_geo *geo,
                       ipt_diag *diag)
{
    for (size_t i = 0; i < IPT_COUNT(conditions); i++) {
        if (asks(rule, i) && (ipt_geo_fields(geo) & conditions[i].fields) == 0)
            ipt_diag_add(diag, IPT_ERROR, policy->place,
                         "%s.%s of policy %s needs a geo file that can answer, and none of geo.files can", name,
                         conditions[i].name, policy->name);
    }
}

/* A file that is not there yet may come at any moment, and its rules are unknown until then; files that are all there
 * and do not know are a mistake. */
void ipt_view_check_geo(const ipt_config *config, const ipt_geo *geo, ipt_diag *diag)
{
    bool all_loaded = true;
    for (size_t i = 0; i < ipt_geo_count(geo); i++) {
        ipt_geo_file file = ipt_geo_file_at(geo, i);
        all_loaded = all_loaded && file.loaded;
        if (file.refusal != IPT_GEO_TAKEN)
            ipt_diag_add(diag, IPT_WARNING, (ipt_place){.file = config->file}, "geo file %s %s; %s", file.path,
                         ipt_geo_refusal_text(file.refusal),
                         file.loaded ? "the copy of the one before serves on" : "it is waited for");
    }
    for (size_t i = 0; i < config->policy_count && all_loaded; i++) {
        check_rule(&config->policies[i], "deny", &config->policies[i].deny, geo, diag);
        check_rule(&config->policies[i], "allow", &config->policies[i].allow, geo, diag);
    }
}

void ipt_view_place(const ipt_view *view, ipt_addr addr, uint64_t wanted, ipt_geo_facts *out)
{
    ipt_addr v4;
    bool embedded = false;
    if (!ipt_addr_is_v4(addr)) {
        ipt_embedding embedding = ipt_addr_embedded(addr, view->nat64, view->nat64_count, &v4);
        embedded = embedding == IPT_EMBEDS_NAT64 || embedding == IPT_EMBEDS_6TO4 || embedding == IPT_EMBEDS_TEREDO;
    }
    ipt_geo_lookup(view->geo, embedded ? v4 : addr, wanted, out);
    out->embedded = embedded;
}

const char *ipt_view_no_place(const ipt_view *view, const ipt_geo_facts *facts)
{
    if (ipt_geo_count(view->geo) == 0)
        return "no_database";
    if (ipt_geo_fields(view->geo) == 0)
        return "not_loaded";
    if (facts->present != 0)
        return NULL;
    return facts->not_covered != 0 ? "not_covered" : "no_record";
}
