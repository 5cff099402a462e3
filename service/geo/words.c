/* Names of fields, phrases of refusals, and what licences ask to be said. */
#include <assert.h>

#include "geo_priv.h"

static const struct {
    const char *name;
    ipt_geo_type type;
} fields[IPT_GEO_FIELDS] = {
    [IPT_GEO_CONTINENT_CODE] = {"continent_code", IPT_GEO_TEXT},
    [IPT_GEO_CONTINENT_NAME] = {"continent_name", IPT_GEO_TEXT},
    [IPT_GEO_COUNTRY_CODE] = {"country_code", IPT_GEO_TEXT},
    [IPT_GEO_COUNTRY_NAME] = {"country_name", IPT_GEO_TEXT},
    [IPT_GEO_IS_EU] = {"is_eu", IPT_GEO_FLAG},
    [IPT_GEO_REGISTERED_COUNTRY_CODE] = {"registered_country_code", IPT_GEO_TEXT},
    [IPT_GEO_REPRESENTED_COUNTRY_CODE] = {"represented_country_code", IPT_GEO_TEXT},
    [IPT_GEO_REPRESENTED_COUNTRY_TYPE] = {"represented_country_type", IPT_GEO_TEXT},
    [IPT_GEO_REGION_CODE] = {"region_code", IPT_GEO_TEXT},
    [IPT_GEO_REGION_NAME] = {"region_name", IPT_GEO_TEXT},
    [IPT_GEO_CITY] = {"city", IPT_GEO_TEXT},
    [IPT_GEO_POSTAL_CODE] = {"postal_code", IPT_GEO_TEXT},
    [IPT_GEO_LATITUDE] = {"latitude", IPT_GEO_NUMBER},
    [IPT_GEO_LONGITUDE] = {"longitude", IPT_GEO_NUMBER},
    [IPT_GEO_ACCURACY_RADIUS] = {"accuracy_radius", IPT_GEO_UINT},
    [IPT_GEO_TIME_ZONE] = {"time_zone", IPT_GEO_TEXT},
    [IPT_GEO_METRO_CODE] = {"metro_code", IPT_GEO_UINT},
    [IPT_GEO_ASN] = {"asn", IPT_GEO_UINT},
    [IPT_GEO_AS_NAME] = {"as_name", IPT_GEO_TEXT},
    [IPT_GEO_AS_DOMAIN] = {"as_domain", IPT_GEO_TEXT},
    [IPT_GEO_ISP] = {"isp", IPT_GEO_TEXT},
    [IPT_GEO_ORGANIZATION] = {"organization", IPT_GEO_TEXT},
    [IPT_GEO_DOMAIN] = {"domain", IPT_GEO_TEXT},
    [IPT_GEO_USER_TYPE] = {"user_type", IPT_GEO_TEXT},
    [IPT_GEO_CONNECTION_TYPE] = {"connection_type", IPT_GEO_TEXT},
    [IPT_GEO_IS_ANONYMOUS] = {"is_anonymous", IPT_GEO_FLAG},
    [IPT_GEO_IS_ANONYMOUS_VPN] = {"is_anonymous_vpn", IPT_GEO_FLAG},
    [IPT_GEO_IS_HOSTING_PROVIDER] = {"is_hosting_provider", IPT_GEO_FLAG},
    [IPT_GEO_IS_PUBLIC_PROXY] = {"is_public_proxy", IPT_GEO_FLAG},
    [IPT_GEO_IS_RESIDENTIAL_PROXY] = {"is_residential_proxy", IPT_GEO_FLAG},
    [IPT_GEO_IS_TOR_EXIT_NODE] = {"is_tor_exit_node", IPT_GEO_FLAG},
    [IPT_GEO_ANONYMIZER_CONFIDENCE] = {"anonymizer_confidence", IPT_GEO_UINT},
    [IPT_GEO_ANONYMIZER_PROVIDER] = {"anonymizer_provider", IPT_GEO_TEXT},
    [IPT_GEO_ANONYMIZER_LAST_SEEN] = {"anonymizer_last_seen", IPT_GEO_TEXT},
    [IPT_GEO_IS_ANYCAST] = {"is_anycast", IPT_GEO_FLAG},
};

const char *ipt_geo_field_name(ipt_geo_field field)
{
    assert(field >= 0 && field < IPT_GEO_FIELDS);
    return fields[field].name;
}

ipt_geo_type ipt_geo_field_type(ipt_geo_field field)
{
    assert(field >= 0 && field < IPT_GEO_FIELDS);
    return fields[field].type;
}

const char *ipt_geo_refusal_text(ipt_geo_refusal refusal)
{
    static const char *const texts[] = {
        [IPT_GEO_TAKEN] = "ok",
        [IPT_GEO_UNREADABLE] = "cannot be read",
        [IPT_GEO_TOO_LARGE] = "is larger than 1 GiB",
        [IPT_GEO_CHANGING] = "was being written while it was read",
        [IPT_GEO_NO_METADATA] = "is no MaxMind DB file, or its end is missing",
        [IPT_GEO_BAD_METADATA] = "has metadata that are not sound",
        [IPT_GEO_BAD_TREE] = "has a search tree that is not sound",
        [IPT_GEO_BAD_DATA] = "has a record that is not sound",
        [IPT_GEO_NO_FIELDS] = "holds no field that is known here",
        [IPT_GEO_NO_COPY] = "finds no memory for its copy",
    };
    assert(refusal >= 0 && (size_t)refusal < IPT_COUNT(texts));
    return texts[refusal];
}

const char *geo_attribution(const char *type)
{
    static const struct {
        const char *begins, *text;
    } rows[] = {
        {"DBIP-", "IP Geolocation by DB-IP, https://db-ip.com"},
        {"ipinfo ", "IP address data powered by IPinfo, https://ipinfo.io"},
        {"GeoLite2-", "This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com"},
    };
    for (size_t i = 0; i < IPT_COUNT(rows); i++) {
        if (strncmp(type, rows[i].begins, strlen(rows[i].begins)) == 0)
            return rows[i].text;
    }
    return NULL;
}
