"""Geo data by gRPC on the real daemon: LookupAddress with its reasons, and what Check tells an application and dynamic metadata.
The databases are those of the golden cases."""
import pathlib
import unittest

import grpc

from grpc_peers import PB, Stub
from rest_daemon import Daemon

AUTH = grpc.protos("envoy/service/auth/v3/external_auth.proto")
CHECK = "/envoy.service.auth.v3.Authorization/Check"
FILES = pathlib.Path(__file__).resolve().parents[1] / "golden" / "geo"
CONFIG = f"""
http: {{listen: 127.0.0.1:0}}
grpc: {{listen: 127.0.0.1:0}}
health: {{listen: 127.0.0.1:0}}
admin: {{listen: "unix:%(dir)s/admin.sock"}}
drain: {{delay: 100ms, timeout: 2s}}
GEO
policies:
  default: {{trust: [], clients: any, selectable_by: [rest, grpc, ext_authz]}}
"""
GEO = f"geo: {{files: [{FILES}/city.mmdb, {FILES}/network.mmdb]}}"
RULE = "  strict: {trust: [], mode: enforce, deny: {countries: [DE], asns: [64500]}, selectable_by: [ext_authz]}\n"
SECONDS = 30


class Served:
    geo, rule = "", ""

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(CONFIG.replace("GEO", cls.geo) + cls.rule)
        cls.channel = grpc.insecure_channel(cls.d.addresses["grpc"])
        cls.stub = Stub(cls.channel)
        cls.ask = cls.channel.unary_unary(CHECK, AUTH.CheckRequest.SerializeToString, AUTH.CheckResponse.FromString)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.d.stop()

    def lookup(self, address):
        return self.stub.lookup(PB.LookupAddressRequest(address=address), timeout=SECONDS)

    def check(self, address, policy="default"):
        request = AUTH.CheckRequest()
        request.attributes.source.address.socket_address.address = address
        request.attributes.request.http.headers["x-iptrust-country"] = "SE"  # forged by whoever asks
        request.attributes.context_extensions["iptrust.policy"] = policy
        answer = type(self).ask(request, timeout=SECONDS)
        headers = {option.header.key: option.header.raw_value.decode() or option.header.value
                   for option in answer.ok_response.headers}
        return answer, headers, answer.dynamic_metadata


class WithDatabases(Served, unittest.TestCase):
    geo, rule = GEO, RULE

    def test_an_address_is_told_with_its_sources(self):
        answer = self.lookup("8.8.8.8")
        self.assertEqual((answer.geo.country_code, answer.geo.city, answer.geo.asn, answer.geo.is_eu), ("DE", "Cologne", 15169, True))
        self.assertEqual((answer.geo.sources["country_code"], answer.geo.sources["asn"], answer.geo_reason), ("city", "network", ""))
        self.assertEqual([text.split()[-1] for text in answer.attributions], ["https://db-ip.com", "https://www.maxmind.com"])

    def test_silence_has_a_reason(self):
        for address, reason in (("77.1.2.3", "no_record"), ("2a00::1", "not_covered")):
            answer = self.lookup(address)
            self.assertEqual((answer.HasField("geo"), answer.geo.country_code, answer.geo_reason), (True, "", reason), address)
            self.assertEqual(list(answer.attributions), [])

    def test_check_tells_country_and_network(self):
        _, headers, metadata = self.check("8.8.8.8")
        self.assertEqual((headers["x-iptrust-country"], headers["x-iptrust-asn"]), ("DE", "15169"))
        self.assertEqual((metadata["country"], metadata["asn"]), ("DE", 15169.0))

    def test_check_says_nothing_of_what_is_unknown_and_removes_what_was_forged(self):
        answer, headers, metadata = self.check("77.1.2.3")
        self.assertEqual({"x-iptrust-country", "x-iptrust-asn"} & headers.keys(), set())
        self.assertTrue(all(key not in metadata or metadata[key] in (None, "") for key in ("country", "asn")))
        self.assertEqual(answer.WhichOneof("http_response"), "ok_response")
        self.assertIn("x-iptrust-country", answer.ok_response.headers_to_remove)

    def test_check_denies_by_country_and_network(self):
        for address, denied in (("8.8.8.8", True), ("9.9.9.9", True), ("1.1.1.1", False), ("2001:4860::1", True)):
            answer, _, _ = self.check(address, "strict")
            self.assertEqual(answer.WhichOneof("http_response") == "denied_response", denied, address)


class WithoutDatabases(Served, unittest.TestCase):
    def test_geo_is_absent_with_a_reason(self):
        answer = self.lookup("8.8.8.8")
        self.assertEqual((answer.HasField("geo"), answer.geo_reason), (False, "no_database"))
        self.assertNotIn("x-iptrust-country", self.check("8.8.8.8")[1])


if __name__ == "__main__":
    unittest.main()
