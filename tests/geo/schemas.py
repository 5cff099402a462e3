"""One record of every vendor's schema, with the canonical facts that are in it, and files of them by an independent writer."""
import os

from mmdb_writer import MMDBWriter
from netaddr import IPSet

import sized

CITY = {"city": {"names": {"de": "K\u00f6ln", "en": "Cologne"}}, "continent": {"code": "EU", "names": {"en": "Europe"}},
        "country": {"iso_code": "DE", "is_in_european_union": True, "names": {"en": "Germany"}},
        "location": {"latitude": 50.9333, "longitude": 6.95, "accuracy_radius": 20, "time_zone": "Europe/Berlin"},
        "postal": {"code": "50667"}, "registered_country": {"iso_code": "NL"},
        "subdivisions": [{"iso_code": "NW", "names": {"en": "North Rhine-Westphalia"}}, {"iso_code": "K"}]}
CITY_FACTS = {"city": "Cologne", "continent_code": "EU", "continent_name": "Europe", "country_code": "DE",
              "country_name": "Germany", "is_eu": "true", "latitude": "50.9333", "longitude": "6.95", "accuracy_radius": "20",
              "time_zone": "Europe/Berlin", "postal_code": "50667", "registered_country_code": "NL", "region_code": "NW",
              "region_name": "North Rhine-Westphalia"}
COUNTRY_FACTS = {k: CITY_FACTS[k] for k in ("continent_code", "continent_name", "country_code", "country_name", "is_eu",
                                            "registered_country_code")}
# name: (type, record, facts, options of the writer)
SCHEMAS = {
    "maxmind city": ("GeoIP2-City", CITY, CITY_FACTS, {}),
    "maxmind country": ("GeoLite2-Country", {k: CITY[k] for k in ("continent", "country", "registered_country")}, COUNTRY_FACTS, {}),
    "maxmind asn": ("GeoLite2-ASN", {"autonomous_system_number": 3320, "autonomous_system_organization": "Deutsche Telekom AG"},
                    {"asn": "3320", "as_name": "Deutsche Telekom AG"}, {}),
    "maxmind isp": ("GeoIP2-ISP", {"autonomous_system_number": 209, "isp": "Qwest", "organization": "Qwest Corp"},
                    {"asn": "209", "isp": "Qwest", "organization": "Qwest Corp"}, {}),
    "maxmind enterprise": ("GeoIP2-Enterprise", {**CITY, "traits": {"user_type": "business", "is_anycast": True, "isp": "x"}},
                           {**CITY_FACTS, "user_type": "business", "is_anycast": "true", "isp": "x"}, {}),
    "maxmind domain": ("GeoIP2-Domain", {"domain": "example.org"}, {"domain": "example.org"}, {}),
    "maxmind connection type": ("GeoIP2-Connection-Type", {"connection_type": "Cellular"}, {"connection_type": "Cellular"}, {}),
    "maxmind anonymous ip": ("GeoIP2-Anonymous-IP", {"is_anonymous": True, "is_tor_exit_node": True},
                             {"is_anonymous": "true", "is_tor_exit_node": "true"}, {}),
    "maxmind anonymous plus": ("GeoIP-Anonymous-Plus", {"anonymizer_confidence": 30, "provider_name": "foo", "is_anonymous_vpn": True,
                                                        "network_last_seen": "2025-04-14"},
                               {"anonymizer_confidence": "30", "anonymizer_provider": "foo", "is_anonymous_vpn": "true",
                                "anonymizer_last_seen": "2025-04-14"}, {}),
    "db-ip city lite": ("DBIP-City-Lite", {k: CITY[k] for k in ("city", "continent", "country", "location", "subdivisions")},
                        {k: v for k, v in CITY_FACTS.items() if k not in ("postal_code", "registered_country_code")}, {}),
    "ipinfo lite": ("ipinfo generic_lite.mmdb", {"asn": "AS15169", "as_name": "Google LLC", "as_domain": "google.com", "country": "Germany",
                                                 "country_code": "DE", "continent": "Europe", "continent_code": "EU"},
                    {"asn": "15169", "as_name": "Google LLC", "as_domain": "google.com", "country_code": "DE",
                     "country_name": "Germany", "continent_code": "EU", "continent_name": "Europe"}, {}),
    "ipinfo country asn": ("ipinfo country_asn.mmdb", {"asn": "AS15169", "country": "DE", "country_name": "Germany", "continent": "EU"},
                           {"asn": "15169", "country_code": "DE", "country_name": "Germany", "continent_code": "EU"}, {}),
    "flat country": ("country ipvAll", {"country_code": "DE"}, {"country_code": "DE"}, {"languages": []}),
    "flat city": ("city ipvAll", {"city": "Cologne", "country_code": "DE", "latitude": 50.9333, "longitude": 6.95, "postcode": "50667",
                                  "state1": "North Rhine-Westphalia", "state2": "", "timezone": "Europe/Berlin"},
                  {k: CITY_FACTS[k] for k in ("city", "country_code", "latitude", "longitude", "postal_code", "region_name",
                                              "time_zone")}, {"float_type": "f32", "languages": []}),
    "flat asn": ("asn ipvAll", {"autonomous_system_number": 4200000000, "autonomous_system_organization": ""},
                 {"asn": "4200000000"}, {"languages": []}),
}


def write(directory, name, networks, database_type, ip_version=6, record_size=24, **options):
    writer = MMDBWriter(ip_version, database_type, description="made by a test", ipv4_compatible=ip_version == 6,
                        **{"languages": ["en"], **options})
    for prefixes, record in networks:
        writer.insert_network(IPSet(prefixes), record)
    path = os.path.join(directory, name + ".mmdb")
    sized.write(writer, path, record_size)
    return path


def write_all(directory):
    """A file for each schema in each record size."""
    for record_size in (24, 28, 32):
        for name, (database_type, record, _, options) in SCHEMAS.items():
            yield write(directory, f"{name.replace(' ', '-')}-{record_size}", [(["8.8.0.0/16", "2001:db8::/32", "64:ff9b::/96"], record)],
                        database_type, record_size=record_size, **options)
