/* What databases say of an address: one schema for every vendor's files. Absent is not false and not empty: it means
 * that nobody said. */
#ifndef IPTRUST_GEO_FACTS_H
#define IPTRUST_GEO_FACTS_H

#include "iptrust/net/addr.h"

#define IPT_GEO_FILES_MAX 16  /* databases of one set */
#define IPT_GEO_TEXT_MAX  256 /* bytes of a text; a longer one counts as absent */

/* In the order in which they are printed. */
typedef enum ipt_geo_field {
    IPT_GEO_CONTINENT_CODE = 0,
    IPT_GEO_CONTINENT_NAME,
    IPT_GEO_COUNTRY_CODE, /* two letters, upper case */
    IPT_GEO_COUNTRY_NAME,
    IPT_GEO_IS_EU,
    IPT_GEO_REGISTERED_COUNTRY_CODE,
    IPT_GEO_REPRESENTED_COUNTRY_CODE,
    IPT_GEO_REPRESENTED_COUNTRY_TYPE,
    IPT_GEO_REGION_CODE,
    IPT_GEO_REGION_NAME,
    IPT_GEO_CITY,
    IPT_GEO_POSTAL_CODE,
    IPT_GEO_LATITUDE, /* degrees */
    IPT_GEO_LONGITUDE,
    IPT_GEO_ACCURACY_RADIUS, /* kilometres */
    IPT_GEO_TIME_ZONE,
    IPT_GEO_METRO_CODE,
    IPT_GEO_ASN,
    IPT_GEO_AS_NAME,
    IPT_GEO_AS_DOMAIN,
    IPT_GEO_ISP,
    IPT_GEO_ORGANIZATION,
    IPT_GEO_DOMAIN,
    IPT_GEO_USER_TYPE,
    IPT_GEO_CONNECTION_TYPE,
    IPT_GEO_IS_ANONYMOUS,
    IPT_GEO_IS_ANONYMOUS_VPN,
    IPT_GEO_IS_HOSTING_PROVIDER,
    IPT_GEO_IS_PUBLIC_PROXY,
    IPT_GEO_IS_RESIDENTIAL_PROXY,
    IPT_GEO_IS_TOR_EXIT_NODE,
    IPT_GEO_ANONYMIZER_CONFIDENCE, /* 1 to 99 */
    IPT_GEO_ANONYMIZER_PROVIDER,
    IPT_GEO_ANONYMIZER_LAST_SEEN, /* a date */
    IPT_GEO_IS_ANYCAST,
    IPT_GEO_FIELDS,
} ipt_geo_field;

typedef enum ipt_geo_type { IPT_GEO_TEXT = 0, IPT_GEO_UINT, IPT_GEO_NUMBER, IPT_GEO_FLAG } ipt_geo_type;

const char *ipt_geo_field_name(ipt_geo_field field); /* "country_code" */
ipt_geo_type ipt_geo_field_type(ipt_geo_field field);

#define IPT_GEO_BIT(field) (UINT64_C(1) << (field))
#define IPT_GEO_ALL        (IPT_GEO_BIT(IPT_GEO_FIELDS) - 1)
/* Any of these being true makes a client anonymous for a policy's rules; a hosting provider alone does not. */
#define IPT_GEO_ANONYMITY                                                               \
    (IPT_GEO_BIT(IPT_GEO_IS_ANONYMOUS) | IPT_GEO_BIT(IPT_GEO_IS_ANONYMOUS_VPN) |        \
     IPT_GEO_BIT(IPT_GEO_IS_PUBLIC_PROXY) | IPT_GEO_BIT(IPT_GEO_IS_RESIDENTIAL_PROXY) | \
     IPT_GEO_BIT(IPT_GEO_IS_TOR_EXIT_NODE))

typedef struct ipt_geo_value {
    union {
        ipt_span text; /* UTF-8 without control characters, not empty; lives as long as the set */
        uint32_t uint;
        double number;
        bool flag;
    };
    uint8_t file; /* index of the database that said so */
} ipt_geo_value;

/* Zero: nothing is known. */
typedef struct ipt_geo_facts {
    uint64_t present;     /* IPT_GEO_BIT of each value that is valid */
    uint32_t not_covered; /* bit by file: an IPv6 address asked of a file that holds IPv4 alone */
    bool embedded;        /* set by who asks: addr is the IPv4 address that the client's address carries */
    ipt_addr addr;        /* that was looked up */
    ipt_geo_value values[IPT_GEO_FIELDS];
} ipt_geo_facts;

static inline bool ipt_geo_has(const ipt_geo_facts *facts, ipt_geo_field field)
{
    return (facts->present >> field & 1) != 0;
}

#endif
