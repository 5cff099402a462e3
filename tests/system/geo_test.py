"""Geo data in a running daemon: every face tells it, files are replaced under load, bad ones never arrive."""
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

from rest_daemon import BINARY, Daemon

TOOL = os.environ["GEO_MAKE"]
PATIENCE = 30  # seconds, on a busy machine

CONFIG = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 100ms, timeout: 2s}
geo: {files: [%(dir)s/country.mmdb, %(dir)s/asn.mmdb]}
lists:
  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {x-forwarded-for: append, cf-ipcountry: replace}}
policies:
  default: {trust: [lb], selectable_by: [rest, auth]}
  strict: {trust: [lb], mode: enforce, deny: {countries: [SE], asns: [64500]}}
  shown: {trust: [lb], mode: shadow, deny: {countries: [SE]}}
  swedes: {trust: [lb], mode: enforce, allow: {countries: [SE]}}
  lenient: {trust: [lb], mode: enforce, deny: {countries: [SE]}, unknown: allow}
"""


def make(path, kind, *pairs):
    """Writes a database by rename, as geoipupdate does."""
    subprocess.run([TOOL, kind, path + ".new", *pairs], check=True)
    os.rename(path + ".new", path)


class GeoDaemon(Daemon):
    def __init__(self, config=CONFIG, files=True, **more):
        self.files = files
        super().__init__(config, **more)

    def write(self, config):
        if self.files:
            self.make_country("GB")
            make(os.path.join(self.dir, "asn.mmdb"), "asn4", "8.8.8.0/24", "15169", "9.9.9.0/24", "64500")
        super().write(config)

    def make_country(self, code):
        make(os.path.join(self.dir, "country.mmdb"), "country6", "8.8.8.0/24", code, "9.9.9.0/24", "FR", "1.1.0.0/16", "SE",
             "2001:db8::/32", "JP")

    def geo(self, peer, **more):
        status, answer = self.resolve({"peer": peer, **more})
        assert status == 200, answer
        return answer["geo"]

    def seconds_until(self, what):
        """How long it took until what() was true; fails when it never was."""
        begin = time.monotonic()
        while not what():
            assert time.monotonic() < begin + PATIENCE, "waited in vain"
            time.sleep(0.02)
        return time.monotonic() - begin

    def is_in(self, peer, code):
        return (self.geo(peer) or {}).get("country_code") == code

    def readyz(self):
        return [l for l in self.call("GET", "/readyz?verbose", listener="health")[2].decode().splitlines() if "]geo" in l]


class Geo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = GeoDaemon()

    @classmethod
    def tearDownClass(cls):
        cls.d.stop()

    def test_a_decision_tells_where_the_client_is_and_who_said_so(self):
        geo = self.d.geo("8.8.8.8")
        self.assertEqual((geo["country_code"], geo["asn"], geo["city"], geo["embedded"]), ("GB", 15169, None, False))
        self.assertEqual(geo["sources"], {"country_code": "country", "asn": "asn"})
        self.assertEqual(self.d.geo("8.8.8.8", options={"geo": True})["country_code"], "GB")

    def test_unwanted_geo_is_null(self):
        self.assertIsNone(self.d.geo("8.8.8.8", options={"geo": False}))

    def test_the_address_that_another_carries_is_looked_up(self):
        for peer in ("2002:808:808::", "64:ff9b::808:808", "2001:0:4136:e378:8000:63bf:f7f7:f7f7"):
            geo = self.d.geo(peer)
            self.assertEqual((geo["country_code"], geo["address"], geo["embedded"]), ("GB", "8.8.8.8", True), peer)
        geo = self.d.geo("::ffff:8.8.8.8")
        self.assertEqual((geo["country_code"], geo["embedded"]), ("GB", False))

    def test_ipv6_asked_of_an_ipv4_file_is_not_covered(self):
        geo = self.d.geo("2001:db8::1")
        self.assertEqual((geo["country_code"], geo["asn"], geo["not_covered"]), ("JP", None, ["asn"]))
        _, _, body = self.d.call("GET", "/v1/ip/2a00::1")
        self.assertEqual(json.loads(body)["geo_reason"], "not_covered")
        _, _, body = self.d.call("GET", "/v1/ip/7.7.7.7")
        self.assertEqual(json.loads(body)["geo_reason"], "no_record")

    def test_rules_by_country_and_network(self):
        rows = [("strict", "1.1.1.1", "deny", "deny.countries"), ("strict", "9.9.9.9", "deny", "deny.asns"),
                ("strict", "8.8.8.8", "allow", None), ("strict", "7.7.7.7", "allow", None),
                ("strict", "2001:db8::1", "deny", "unknown:deny.asns"), ("strict", "unix", "deny", "unknown:deny.countries"),
                ("shown", "1.1.1.1", "allow", "deny.countries"), ("swedes", "1.1.1.1", "allow", None),
                ("swedes", "8.8.8.8", "deny", "allow"), ("lenient", "unix", "allow", None), ("lenient", "1.1.1.1", "deny", "deny.countries")]
        for policy, peer, action, rule in rows:
            for options in ({}, {"options": {"geo": False}}):  # nobody evades a rule by not wanting to read about it
                _, answer = self.d.resolve({"peer": peer, "policy": policy, **options})
                self.assertEqual(answer["verdict"], {"action": action, "rule": rule}, (policy, peer))

    def test_a_vouched_country_is_told_and_compared(self):
        def ask(country, peer="10.0.12.1"):
            _, answer = self.d.resolve({"peer": peer, "headers": [["X-Forwarded-For", "8.8.8.8"], ["CF-IPCountry", country]]})
            return answer["geo"]["header_country_code"], [f["code"] for f in answer["findings"]]

        self.assertEqual(ask("GB"), ("GB", []))
        self.assertEqual(ask("gb"), ("GB", []))
        self.assertEqual(ask("DE"), ("DE", ["geo_conflict"]))
        self.assertEqual(ask("XX"), (None, []))
        self.assertEqual(ask("T1"), (None, []))
        self.assertEqual(ask("DE", peer="8.8.4.4")[0], None)  # the client's own word

    def test_headers_for_applications(self):
        status, headers, _ = self.d.call("GET", "/v1/auth/traefik", headers={"X-Forwarded-For": "8.8.8.8"})
        self.assertEqual((status, headers["x-iptrust-country"], headers["x-iptrust-asn"]), (200, "GB", "15169"))

    def test_state_for_who_runs_it(self):
        lines = self.d.readyz()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^\[\+\]geo country ok, built 2023-11-14T22:13:20Z, \d+ bytes in memory$")
        version = json.loads(self.d.call("GET", "/v1/version")[2])
        self.assertEqual([(f["name"], f["loaded"], f["built"]) for f in version["geo"]],
                         [("country", True, "2023-11-14T22:13:20Z"), ("asn", True, "2023-11-14T22:13:20Z")])
        self.assertRegex(version["revision"]["geo"], "^[0-9a-f]{8}$")
        metrics = self.d.call("GET", "/metrics", listener="health")[2].decode()
        self.assertIn('iptrust_geo_build_timestamp_seconds{database="country"} 1700000000', metrics)
        self.assertIn('iptrust_geo_file_ok{database="asn"} 1\n', metrics)
        self.assertIn('geo="%s"' % version["revision"]["geo"], metrics)


class Change(unittest.TestCase):
    def setUp(self):
        self.d = GeoDaemon()

    def tearDown(self):
        self.d.stop()

    def test_a_renamed_file_is_taken_over_within_two_seconds(self):
        before = json.loads(self.d.call("GET", "/v1/version")[2])["revision"]
        taken = []
        for code in ("NL", "BE", "GB"):
            self.d.make_country(code)
            taken.append(self.d.seconds_until(lambda: self.d.is_in("8.8.8.8", code)))
            after = json.loads(self.d.call("GET", "/v1/version")[2])["revision"]
            self.assertEqual((before["lists"], before["policies"]), (after["lists"], after["policies"]))
            self.assertEqual(before["geo"] == after["geo"], code == "GB")  # of the contents, not of the time
        self.assertLess(sorted(taken)[1], 2)  # a busy machine may be late once

    def test_what_is_not_sound_is_refused_and_said(self):
        path = os.path.join(self.d.dir, "country.mmdb")
        good = pathlib.Path(path).read_bytes()
        for how in (lambda: os.truncate(path, 100), lambda: pathlib.Path(path).write_bytes(b"\0" * len(good)), lambda: os.unlink(path)):
            self.d.seconds_until(lambda: self.d.readyz()[0].startswith("[+]"))
            how()
            self.d.seconds_until(lambda: self.d.readyz()[0].startswith("[!]"))
            self.assertEqual(self.d.geo("8.8.8.8")["country_code"], "GB")
            self.assertRegex(self.d.readyz()[0], r"^\[!\]geo country what lies at its path .*in force is the copy built 2023")
            self.assertEqual(self.d.call("GET", "/readyz", listener="health")[0], 200)
            metrics = self.d.call("GET", "/metrics", listener="health")[2].decode()
            self.assertIn('iptrust_geo_file_ok{database="country"} 0\n', metrics)
            self.assertIn('iptrust_geo_file_ok{database="asn"} 1\n', metrics)
            make(path, "country6", "8.8.8.0/24", "GB")
        self.d.make_country("PT")
        self.d.seconds_until(lambda: self.d.is_in("8.8.8.8", "PT"))

    def test_requests_during_swaps_all_succeed(self):
        stop, counts, wrong = threading.Event(), [0], []

        def load():
            requests = [{"peer": f"8.8.8.{i % 256}"} for i in range(200)]
            while not stop.is_set():
                status, answer = self.d.resolve({"requests": requests}, path="/v1/resolve/batch")
                codes = {r["decision"]["geo"]["country_code"] for r in answer["results"]} if status == 200 else {status}
                counts[0] += len(requests)
                if len(codes) != 1 or not codes <= {"GB", "NL", "BE"}:
                    wrong.append(codes)

        thread = threading.Thread(target=load)
        thread.start()
        for i in range(60):
            self.d.make_country(("NL", "BE", "GB")[i % 3])
            time.sleep(0.1)
        stop.set()
        thread.join()
        self.assertEqual(wrong, [])
        self.assertGreater(counts[0], 1000)
        print(f"{counts[0]} decisions during 60 replacements, each batch by one file", flush=True)


class Start(unittest.TestCase):
    def check(self, config):
        path = os.path.join(self.dir, "c.yaml")
        pathlib.Path(path).write_text(config)
        run = subprocess.run([BINARY, "--config", path, "--check-config"], capture_output=True, text=True)
        return run.returncode, run.stderr

    def setUp(self):
        import tempfile
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = directory.name

    def test_rules_that_no_file_can_answer_are_an_error(self):
        make(os.path.join(self.dir, "asn.mmdb"), "asn4", "8.8.8.0/24", "1")
        rule = "policies: {default: {trust: [], mode: enforce, deny: {%s}}}\n"
        self.assertEqual(self.check("geo: {files: [asn.mmdb]}\n" + rule % "asns: [1]")[0], 0)
        code, text = self.check("geo: {files: [asn.mmdb]}\n" + rule % "countries: [DE]")
        self.assertEqual(code, 2)
        self.assertIn("error: deny.countries of policy default needs a geo file that can answer", text)
        self.assertEqual(self.check(rule % "anonymous: true")[0], 2)

    def test_a_file_that_is_missing_is_waited_for(self):
        code, text = self.check("geo: {files: [none.mmdb]}\npolicies: {default: {trust: [], deny: {countries: [DE]}}}\n")
        self.assertEqual(code, 0)
        self.assertIn("none.mmdb cannot be read; it is waited for", text)
        config = CONFIG.replace(", %(dir)s/asn.mmdb", "").replace("asns: [64500]", "")
        d = GeoDaemon(config, files=False)
        try:
            self.assertIsNone(d.geo("8.8.8.8"))
            self.assertEqual(json.loads(d.call("GET", "/v1/ip/8.8.8.8")[2])["geo_reason"], "not_loaded")
            _, answer = d.resolve({"peer": "8.8.8.8", "policy": "strict"})
            self.assertEqual(answer["verdict"], {"action": "deny", "rule": "unknown:deny.countries"})
            d.make_country("GB")
            d.seconds_until(lambda: d.is_in("8.8.8.8", "GB"))
        finally:
            d.stop()

    def test_without_a_database_geo_is_null_with_a_reason(self):
        d = Daemon()
        try:
            _, answer = d.resolve({"peer": "8.8.8.8"})
            self.assertEqual((answer["geo"], answer["revision"]["geo"]), (None, None))
            self.assertEqual(json.loads(d.call("GET", "/v1/ip/8.8.8.8")[2])["geo_reason"], "no_database")
        finally:
            d.stop()


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
