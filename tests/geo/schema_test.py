"""Files of every vendor's schema, written by an independent writer and read back by an independent reader: geo_runner tells
of random addresses what maxminddb does. Usage: schema_test.py RUNNER VENV"""
import os
import random
import subprocess
import sys
import tempfile
import unittest

import venv

RUNNER, VENV = sys.argv[1], sys.argv[2]
venv.enter(VENV)

import maxminddb  # noqa: E402
from mmdb_writer import MMDBWriter  # noqa: E402
from netaddr import IPSet  # noqa: E402

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


def ask(files, addresses):
    """For each address {field: (value, file)}; fields named not_covered hold lists of files."""
    run = subprocess.run([RUNNER, "ask", *files], input="\n".join(addresses) + "\n", capture_output=True, text=True, check=True)
    answers, facts = [], {}
    for line in run.stdout.split("\n")[:-1]:
        if line == ".":
            answers.append(facts)
            facts = {}
        else:
            field, file, value = line.split("\t")
            facts[field] = (value, file)
    return answers


class Schemas(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def write(self, name, networks, database_type, ip_version=6, **options):
        writer = MMDBWriter(ip_version, database_type, description="made by a test", ipv4_compatible=ip_version == 6,
                            **{"languages": ["en"], **options})
        for prefixes, record in networks:
            writer.insert_network(IPSet(prefixes), record)
        path = os.path.join(self.dir.name, name + ".mmdb")
        writer.to_db_file(path)
        return path

    def test_every_schema_is_found_by_its_paths(self):
        for name, (database_type, record, expected, options) in SCHEMAS.items():
            with self.subTest(schema=name):
                path = self.write(name.replace(" ", "-"), [(["8.8.0.0/16", "2001:db8::/32"], record)], database_type, **options)
                answers = ask([path], ["8.8.8.8", "2001:db8::1", "9.9.9.9"])
                for answer in answers[:2]:
                    self.assertEqual({k: v[0] for k, v in answer.items()}, expected)
                    self.assertEqual({v[1] for v in answer.values()}, {name.replace(" ", "-")})
                self.assertEqual(answers[2], {})

    def test_a_split_pair_answers_for_both_families(self):
        four = self.write("country-ipv4", [(["8.8.0.0/16"], {"country_code": "US"})], "country ipv4", ip_version=4)
        six = self.write("country-ipv6", [(["2001:db8::/32"], {"country_code": "JP"})], "country ipv6")
        answers = ask([four, six], ["8.8.8.8", "2001:db8::1", "2001:db9::1"])
        self.assertEqual([a.get("country_code") for a in answers], [("US", "country-ipv4"), ("JP", "country-ipv6"), None])
        self.assertEqual(["not_covered" in a for a in answers], [False, True, True])

    def test_an_independent_reader_agrees(self):
        rng = random.Random(20261122)
        networks = [([f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.0/24"],
                     {"country": {"iso_code": rng.choice(["DE", "US", "JP"])}, "asn": f"AS{rng.randrange(1, 70000)}"})
                    for _ in range(3000)]
        path = self.write("random", networks, "random", ip_version=4)
        addresses = [n[0][0].replace(".0/24", f".{rng.randrange(256)}") for n in networks]
        addresses += [".".join(str(rng.randrange(256)) for _ in range(4)) for _ in range(17000)]
        answers, found = ask([path], addresses), 0
        self.assertEqual(len(answers), len(addresses))
        with maxminddb.open_database(path) as reader:
            for address, facts in zip(addresses, answers):
                record = reader.get(address) or {}
                found += bool(record)
                self.assertEqual(facts.get("country_code", (None,))[0], record.get("country", {}).get("iso_code"), address)
                self.assertEqual(facts.get("asn", (None,))[0], record.get("asn", "AS")[2:] or None, address)
        self.assertGreaterEqual(found, 3000)
        print(f"independent reader: {len(addresses)} addresses, {found} with a record, all agree")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
