#!/usr/bin/env python3
"""Writes the databases of the golden group `geo`: facts that are nobody's, in the schemas of three vendors and in all three
record sizes. They are kept in the tree because the revision of geo data is a hash of the files. Run by hand with an
interpreter that has mmdb-writer (tests/geo/venv.py), then tests/golden/record.py."""

import pathlib
import sys

from mmdb_writer import MMDBWriter
from netaddr import IPSet

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "geo"))
import sized  # noqa: E402

BUILT = 1700000000

CITY = {
    "8.8.8.0/24": {
        "city": {"names": {"de": "K\u00f6ln", "en": "Cologne"}}, "continent": {"code": "EU", "names": {"en": "Europe"}},
        "country": {"iso_code": "DE", "is_in_european_union": True, "names": {"en": "Germany"}},
        "location": {"latitude": 50.9333, "longitude": -6.95, "accuracy_radius": 20, "time_zone": "Europe/Berlin", "metro_code": 501},
        "postal": {"code": "50667"}, "registered_country": {"iso_code": "NL"},
        "represented_country": {"iso_code": "US", "type": "military"},
        "subdivisions": [{"iso_code": "NW", "names": {"en": "North Rhine-Westphalia"}}, {"iso_code": "K"}],
        "traits": {"isp": "Example Net", "organization": "Example", "domain": "example.org", "user_type": "business",
                   "connection_type": "Cable/DSL", "is_anycast": False}},
    "9.9.9.0/24": {"country": {"iso_code": "FR", "is_in_european_union": False, "names": {"en": ""}}, "city": {"names": {"fr": "Lyon"}},
                   "location": {"latitude": -0.000001, "longitude": 181.0}},
    "1.1.0.0/16": {"country": {"iso_code": "SE", "names": {"en": "Sweden"}}, "subdivisions": []},
    "4.4.4.0/24": {"country": {"iso_code": "Germany"}, "city": "caf\u00e9 \"x\""},
    "2001:4860::/32": {"country": {"iso_code": "JP"}},
    "2002::/16": {"country": {"iso_code": "ZZ"}},
}
NETWORK = {
    "8.8.8.0/24": {"asn": "AS15169", "as_name": "Example LLC", "as_domain": "example.com"},
    "9.9.9.0/24": {"asn": "AS64500", "as_name": ""},
    "1.1.0.0/16": {"asn": "AS0"},
    "4.4.4.0/24": {"asn": "AS4294967296"},
}
ANONYMOUS = {
    "7.7.7.0/24": {"is_anonymous": True, "is_tor_exit_node": True},
    "7.7.8.0/24": {"is_hosting_provider": True},
    "7.7.9.0/24": {"is_anonymous": False, "is_anonymous_vpn": False, "is_public_proxy": False},
    "7.7.10.0/24": {"is_residential_proxy": True, "anonymizer_confidence": 30, "provider_name": "foo", "network_last_seen": "2025-04-14"},
    "2001:4860::/32": {"is_anonymous_vpn": True},
}
FLAT = {
    "8.8.8.0/24": {"country_code": "AT", "state1": "Tyrol"},
    "9.9.9.0/24": {"country_code": "BE", "country_name": "Belgium"},
    "7.7.7.0/24": {"country_code": "NL", "timezone": "Europe/Amsterdam"},
    "7.7.8.0/24": {"country_code": "nl"},
}


def write(name, kind, records, ip_version, record_size):
    writer = MMDBWriter(ip_version, kind, languages=["en"], description="facts that are nobody's", ipv4_compatible=ip_version == 6)
    for prefix, record in records.items():
        writer.insert_network(IPSet([prefix]), record)
    sized.write(writer, str(HERE / f"{name}.mmdb"), record_size, BUILT)


write("city", "DBIP-Golden", CITY, 6, 28)
write("network", "GeoLite2-Golden", NETWORK, 4, 24)
write("anonymous", "Golden", ANONYMOUS, 6, 32)
write("flat", "Golden", FLAT, 4, 24)
