/* Where vendors put what. Fields are found by known paths and never by the name of the database: MaxMind (City,
 * Country, ASN, ISP, Enterprise, Domain, Connection Type, Anonymous IP and Plus), DB-IP, IPinfo, the flat files of
 * ip-location-db. Within a file the first path with a value wins. */
#include "geo_priv.h"

/* clang-format off */
#define FLAGS                                                                                                             \
    {IPT_GEO_IS_ANONYMOUS, GEO_KIND_FLAG, {"is_anonymous"}},                                                              \
    {IPT_GEO_IS_ANONYMOUS_VPN, GEO_KIND_FLAG, {"is_anonymous_vpn"}},                                                      \
    {IPT_GEO_IS_HOSTING_PROVIDER, GEO_KIND_FLAG, {"is_hosting_provider"}},                                                \
    {IPT_GEO_IS_PUBLIC_PROXY, GEO_KIND_FLAG, {"is_public_proxy"}},                                                        \
    {IPT_GEO_IS_RESIDENTIAL_PROXY, GEO_KIND_FLAG, {"is_residential_proxy"}},                                              \
    {IPT_GEO_IS_TOR_EXIT_NODE, GEO_KIND_FLAG, {"is_tor_exit_node"}}

#define ONE(key, field, kind) {key, false, 1, {{IPT_GEO_##field, GEO_KIND_##kind, {NULL}}}}

static const geo_group groups[] = {
    ONE("continent_code", CONTINENT_CODE, CODE),
    ONE("continent_name", CONTINENT_NAME, TEXT),
    {"continent", false, 4, {
        {IPT_GEO_CONTINENT_CODE, GEO_KIND_CODE, {"code"}},
        {IPT_GEO_CONTINENT_NAME, GEO_KIND_TEXT, {"names", "en"}},
        {IPT_GEO_CONTINENT_CODE, GEO_KIND_CODE, {NULL}},
        {IPT_GEO_CONTINENT_NAME, GEO_KIND_NAME, {NULL}}}},
    ONE("country_code", COUNTRY_CODE, CODE),
    ONE("country_name", COUNTRY_NAME, TEXT),
    {"country", false, 5, {
        {IPT_GEO_COUNTRY_CODE, GEO_KIND_CODE, {"iso_code"}},
        {IPT_GEO_COUNTRY_NAME, GEO_KIND_TEXT, {"names", "en"}},
        {IPT_GEO_IS_EU, GEO_KIND_FLAG, {"is_in_european_union"}},
        {IPT_GEO_COUNTRY_CODE, GEO_KIND_CODE, {NULL}},
        {IPT_GEO_COUNTRY_NAME, GEO_KIND_NAME, {NULL}}}},
    {"registered_country", false, 1, {{IPT_GEO_REGISTERED_COUNTRY_CODE, GEO_KIND_CODE, {"iso_code"}}}},
    {"represented_country", false, 2, {
        {IPT_GEO_REPRESENTED_COUNTRY_CODE, GEO_KIND_CODE, {"iso_code"}},
        {IPT_GEO_REPRESENTED_COUNTRY_TYPE, GEO_KIND_TEXT, {"type"}}}},
    {"subdivisions", true, 2, {
        {IPT_GEO_REGION_CODE, GEO_KIND_TEXT, {"iso_code"}},
        {IPT_GEO_REGION_NAME, GEO_KIND_TEXT, {"names", "en"}}}},
    ONE("region_code", REGION_CODE, TEXT),
    ONE("region", REGION_NAME, TEXT),
    ONE("state1", REGION_NAME, TEXT),
    {"city", false, 2, {
        {IPT_GEO_CITY, GEO_KIND_TEXT, {"names", "en"}},
        {IPT_GEO_CITY, GEO_KIND_TEXT, {NULL}}}},
    {"postal", false, 1, {{IPT_GEO_POSTAL_CODE, GEO_KIND_TEXT, {"code"}}}},
    ONE("postal_code", POSTAL_CODE, TEXT),
    ONE("postcode", POSTAL_CODE, TEXT),
    {"location", false, 5, {
        {IPT_GEO_LATITUDE, GEO_KIND_LATITUDE, {"latitude"}},
        {IPT_GEO_LONGITUDE, GEO_KIND_LONGITUDE, {"longitude"}},
        {IPT_GEO_ACCURACY_RADIUS, GEO_KIND_UINT, {"accuracy_radius"}},
        {IPT_GEO_TIME_ZONE, GEO_KIND_TEXT, {"time_zone"}},
        {IPT_GEO_METRO_CODE, GEO_KIND_UINT, {"metro_code"}}}},
    ONE("latitude", LATITUDE, LATITUDE),
    ONE("lat", LATITUDE, LATITUDE),
    ONE("longitude", LONGITUDE, LONGITUDE),
    ONE("lng", LONGITUDE, LONGITUDE),
    ONE("timezone", TIME_ZONE, TEXT),
    ONE("autonomous_system_number", ASN, ASN),
    ONE("asn", ASN, ASN),
    ONE("autonomous_system_organization", AS_NAME, TEXT),
    ONE("as_name", AS_NAME, TEXT),
    ONE("as_domain", AS_DOMAIN, TEXT),
    ONE("isp", ISP, TEXT),
    ONE("organization", ORGANIZATION, TEXT),
    ONE("domain", DOMAIN, TEXT),
    ONE("user_type", USER_TYPE, TEXT),
    ONE("connection_type", CONNECTION_TYPE, TEXT),
    {"traits", false, 14, {
        {IPT_GEO_ASN, GEO_KIND_ASN, {"autonomous_system_number"}},
        {IPT_GEO_AS_NAME, GEO_KIND_TEXT, {"autonomous_system_organization"}},
        {IPT_GEO_ISP, GEO_KIND_TEXT, {"isp"}},
        {IPT_GEO_ORGANIZATION, GEO_KIND_TEXT, {"organization"}},
        {IPT_GEO_DOMAIN, GEO_KIND_TEXT, {"domain"}},
        {IPT_GEO_USER_TYPE, GEO_KIND_TEXT, {"user_type"}},
        {IPT_GEO_CONNECTION_TYPE, GEO_KIND_TEXT, {"connection_type"}},
        {IPT_GEO_IS_ANYCAST, GEO_KIND_FLAG, {"is_anycast"}},
        FLAGS}},
    ONE("is_anonymous", IS_ANONYMOUS, FLAG),
    ONE("is_anonymous_vpn", IS_ANONYMOUS_VPN, FLAG),
    ONE("is_hosting_provider", IS_HOSTING_PROVIDER, FLAG),
    ONE("is_public_proxy", IS_PUBLIC_PROXY, FLAG),
    ONE("is_residential_proxy", IS_RESIDENTIAL_PROXY, FLAG),
    ONE("is_tor_exit_node", IS_TOR_EXIT_NODE, FLAG),
    ONE("is_anycast", IS_ANYCAST, FLAG),
    ONE("anonymizer_confidence", ANONYMIZER_CONFIDENCE, UINT),
    ONE("provider_name", ANONYMIZER_PROVIDER, TEXT),
    ONE("network_last_seen", ANONYMIZER_LAST_SEEN, TEXT),
};
/* clang-format on */
_Static_assert(IPT_COUNT(groups) <= GEO_GROUPS_MAX, "a survey has room for every group");

const geo_group *geo_schema(size_t *count)
{
    *count = IPT_COUNT(groups);
    return groups;
}

static bool may_be(geo_kind kind, const geo_value *value)
{
    switch (kind) {
    case GEO_KIND_TEXT:
    case GEO_KIND_CODE:
    case GEO_KIND_NAME:
        return value->type == MMDB_DATA_TYPE_UTF8_STRING && value->size != 0;
    case GEO_KIND_ASN:
        if (value->type == MMDB_DATA_TYPE_UTF8_STRING)
            return value->size != 0;
        /* fall through */
    case GEO_KIND_UINT:
        return value->type == MMDB_DATA_TYPE_UINT16 || value->type == MMDB_DATA_TYPE_UINT32 ||
               value->type == MMDB_DATA_TYPE_UINT64;
    case GEO_KIND_LATITUDE:
    case GEO_KIND_LONGITUDE:
        return value->type == MMDB_DATA_TYPE_DOUBLE || value->type == MMDB_DATA_TYPE_FLOAT;
    case GEO_KIND_FLAG:
        return value->type == MMDB_DATA_TYPE_BOOLEAN;
    }
    return false;
}

static bool is_key(const geo_section *data, const geo_value *key, const char *name)
{
    size_t n = strlen(name);
    return key->size == n && memcmp(data->p + key->at, name, n) == 0;
}

/* The value of a key in a map. False when there is none. */
static bool find(const geo_section *data, const geo_value *map, const char *name, geo_value *out)
{
    uint32_t at = map->at;
    for (uint32_t i = 0; i < map->size; i++) {
        geo_value key, raw;
        if (!geo_value_follow(data, at, &key) || !geo_value_read(data, at, &raw))
            return false;
        if (is_key(data, &key, name))
            return geo_value_follow(data, raw.next, out);
        if (!geo_value_skip(data, raw.next, &at))
            return false;
    }
    return false;
}

static bool find_leaf(const geo_section *data, const geo_value *value, const geo_leaf *leaf, geo_value *out)
{
    *out = *value;
    for (size_t i = 0; i < IPT_COUNT(leaf->path) && leaf->path[i] != NULL; i++) {
        if (out->type != MMDB_DATA_TYPE_MAP || !find(data, out, leaf->path[i], out))
            return false;
    }
    return true;
}

static void survey_group(const geo_section *data, uint32_t at, const geo_group *group, uint16_t *met)
{
    geo_value value, found;
    if (!geo_value_follow(data, at, &value))
        return;
    if (group->first_item &&
        (value.type != MMDB_DATA_TYPE_ARRAY || value.size == 0 || !geo_value_follow(data, value.at, &value)))
        return;
    for (unsigned i = 0; i < group->leaf_count; i++) {
        const geo_leaf *leaf = &group->leaves[i];
        if ((*met >> i & 1) == 0 && find_leaf(data, &value, leaf, &found) && may_be((geo_kind)leaf->kind, &found))
            *met = (uint16_t)(*met | 1U << i);
    }
}

void geo_survey_record(const geo_section *data, uint32_t at, geo_survey *survey)
{
    geo_value record;
    if (!geo_value_follow(data, at, &record) || record.type != MMDB_DATA_TYPE_MAP)
        return;
    at = record.at;
    for (uint32_t i = 0; i < record.size; i++) {
        geo_value key, raw;
        if (!geo_value_follow(data, at, &key) || !geo_value_read(data, at, &raw))
            return;
        for (size_t g = 0; g < IPT_COUNT(groups); g++) {
            bool complete = survey->met[g] == (1U << groups[g].leaf_count) - 1;
            if (!complete && is_key(data, &key, groups[g].key))
                survey_group(data, raw.next, &groups[g], &survey->met[g]);
        }
        if (!geo_value_skip(data, raw.next, &at))
            return;
    }
}
