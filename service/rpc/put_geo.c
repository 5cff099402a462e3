/* What databases say of an address, as a message: everything that json_geo.c writes. */
#include <stddef.h>

#include <iptrust/v1/iptrust.pb-c.h>

#include "put_priv.h"

/* Where each field lies in the message; those with presence have their case beside them. */
static const struct place {
    size_t value, present; /* present: 0 when a zero is as good as absent */
    int present_value;
} places[IPT_GEO_FIELDS] = {
#define AT(name)           offsetof(Iptrust__V1__Geo, name)
#define PLAIN(field, name) [IPT_GEO_##field] = {AT(name), 0, 0}
#define OPTIONAL(field, name) \
    [IPT_GEO_##field] = {AT(name), AT(name##_value_case), IPTRUST__V1__GEO__##field##_VALUE_##field}
    PLAIN(COUNTRY_CODE, country_code),
    PLAIN(ASN, asn),
    PLAIN(CONTINENT_CODE, continent_code),
    PLAIN(CONTINENT_NAME, continent_name),
    PLAIN(COUNTRY_NAME, country_name),
    OPTIONAL(IS_EU, is_eu),
    PLAIN(REGISTERED_COUNTRY_CODE, registered_country_code),
    PLAIN(REPRESENTED_COUNTRY_CODE, represented_country_code),
    PLAIN(REPRESENTED_COUNTRY_TYPE, represented_country_type),
    PLAIN(REGION_CODE, region_code),
    PLAIN(REGION_NAME, region_name),
    PLAIN(CITY, city),
    PLAIN(POSTAL_CODE, postal_code),
    OPTIONAL(LATITUDE, latitude),
    OPTIONAL(LONGITUDE, longitude),
    PLAIN(ACCURACY_RADIUS, accuracy_radius),
    PLAIN(TIME_ZONE, time_zone),
    PLAIN(METRO_CODE, metro_code),
    PLAIN(AS_NAME, as_name),
    PLAIN(AS_DOMAIN, as_domain),
    PLAIN(ISP, isp),
    PLAIN(ORGANIZATION, organization),
    PLAIN(DOMAIN, domain),
    PLAIN(USER_TYPE, user_type),
    PLAIN(CONNECTION_TYPE, connection_type),
    OPTIONAL(IS_ANONYMOUS, is_anonymous),
    OPTIONAL(IS_ANONYMOUS_VPN, is_anonymous_vpn),
    OPTIONAL(IS_HOSTING_PROVIDER, is_hosting_provider),
    OPTIONAL(IS_PUBLIC_PROXY, is_public_proxy),
    OPTIONAL(IS_RESIDENTIAL_PROXY, is_residential_proxy),
    OPTIONAL(IS_TOR_EXIT_NODE, is_tor_exit_node),
    PLAIN(ANONYMIZER_CONFIDENCE, anonymizer_confidence),
    PLAIN(ANONYMIZER_PROVIDER, anonymizer_provider),
    PLAIN(ANONYMIZER_LAST_SEEN, anonymizer_last_seen),
    OPTIONAL(IS_ANYCAST, is_anycast),
#undef OPTIONAL
#undef PLAIN
#undef AT
};

static void put_value(rpc_maker *maker, Iptrust__V1__Geo *to, const ipt_geo_facts *facts, ipt_geo_field field)
{
    const ipt_geo_value *value = &facts->values[field];
    const struct place *place = &places[field];
    char *at = (char *)to + place->value;
    if (place->present != 0)
        memcpy((char *)to + place->present, &place->present_value, sizeof(place->present_value));
    switch (ipt_geo_field_type(field)) {
    case IPT_GEO_TEXT: {
        char *text = rpc_copy(maker, value->text);
        if (text != NULL)
            memcpy(at, &text, sizeof(text));
        break;
    }
    case IPT_GEO_UINT:
        memcpy(at, &value->uint, sizeof(value->uint));
        break;
    case IPT_GEO_NUMBER:
        memcpy(at, &value->number, sizeof(value->number));
        break;
    case IPT_GEO_FLAG: {
        const protobuf_c_boolean flag = value->flag;
        memcpy(at, &flag, sizeof(flag));
        break;
    }
    }
}

static void put_sources(rpc_maker *maker, Iptrust__V1__Geo *to, const ipt_geo *geo, const ipt_geo_facts *facts,
                        ipt_span told_by)
{
    size_t count = (size_t)__builtin_popcountll(facts->present) + (told_by.p != NULL);
    void **entries = rpc_make_list(maker, count, &iptrust__v1__geo__sources_entry__descriptor);
    if (entries == NULL)
        return;
    for (uint64_t left = facts->present; left != 0; left &= left - 1) {
        ipt_geo_field field = (ipt_geo_field)__builtin_ctzll(left);
        Iptrust__V1__Geo__SourcesEntry *entry = entries[to->n_sources++];
        entry->key = rpc_borrow(ipt_geo_field_name(field));
        entry->value = rpc_borrow(ipt_geo_file_at(geo, facts->values[field].file).name);
    }
    if (told_by.p != NULL) {
        Iptrust__V1__Geo__SourcesEntry *entry = entries[to->n_sources++];
        entry->key = rpc_borrow("header_country_code");
        entry->value = rpc_text(maker, told_by, SIZE_MAX);
    }
    to->sources = (Iptrust__V1__Geo__SourcesEntry **)entries;
}

static void put_not_covered(rpc_maker *maker, Iptrust__V1__Geo *to, const ipt_geo *geo, const ipt_geo_facts *facts)
{
    char **names = rpc_make_array(maker, (size_t)__builtin_popcount(facts->not_covered), sizeof(*names));
    if (names == NULL)
        return;
    for (uint32_t left = facts->not_covered; left != 0; left &= left - 1)
        names[to->n_not_covered++] = rpc_borrow(ipt_geo_file_at(geo, (size_t)__builtin_ctz(left)).name);
    to->not_covered = names;
}

Iptrust__V1__Geo *rpc_put_geo(rpc_maker *maker, const ipt_geo *geo, const ipt_geo_facts *facts, ipt_span told,
                              ipt_span told_by)
{
    Iptrust__V1__Geo *to = rpc_make(maker, &iptrust__v1__geo__descriptor);
    if (to == NULL)
        return NULL;
    for (uint64_t left = facts->present; left != 0; left &= left - 1)
        put_value(maker, to, facts, (ipt_geo_field)__builtin_ctzll(left));
    if (told_by.p != NULL) {
        const char upper[2] = {(char)(told.p[0] & ~0x20), (char)(told.p[1] & ~0x20)};
        to->header_country_code = rpc_copy(maker, (ipt_span){upper, 2});
    }
    to->address = rpc_address(maker, facts->addr);
    to->embedded = facts->embedded;
    put_not_covered(maker, to, geo, facts);
    put_sources(maker, to, geo, facts, told_by);
    return to;
}
