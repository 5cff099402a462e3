#!/usr/bin/env python3
"""Central documents on the real thing: a plain HTTP server, a daemon that serves sidecars, Debian's etcd. A change that is made
once is seen in every daemon in time; what must not be taken is taken by none. Everything on loopback."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from central_peers import Etcd, Plain, certificate, wait_for
from rest_daemon import Daemon

IPTRUST = os.environ.get("IPTRUST", "build/dev/iptrust")
PROMPT = 2.0  # seconds: the promise for watch and long poll

BASE = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 0s, timeout: 1s}
log: {format: json, level: info}
state_dir: "%(dir)s/state"
"""


def trusts(daemon, network):
    """Whether policy default trusts 10.9.NETWORK.0/24; None without that policy."""
    status, answer = daemon.resolve({"peer": "10.9.%d.1" % network, "headers": [["X-Forwarded-For", "8.8.8.8"]]})
    return answer["client_ip"] == "8.8.8.8" if status == 200 else None


def state(daemon):
    return json.loads(daemon.call("GET", "/v1/central", listener="admin")[2])


def revision(daemon):
    return json.loads(daemon.call("GET", "/v1/version")[2])["revision"]


def verbose(daemon):
    return daemon.call("GET", "/readyz?verbose", listener="health")[2].decode()


def metric(daemon, name):
    for line in daemon.call("GET", "/metrics", listener="health")[2].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return None


def document(network, more=""):
    return ("lists: {proxies: {prefixes: [10.9.%d.0/24], internal: true}}\npolicies: {default: {trust: [proxies], clients: any}}\n" %
            network + more)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="ipt-central-")
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.key, cls.other = os.path.join(cls.dir, "key"), os.path.join(cls.dir, "other")
        cls.public = cls.keygen(cls.key)
        cls.keygen(cls.other)

    @staticmethod
    def keygen(path):
        return subprocess.run([IPTRUST, "bundle", "keygen", "--key", path], capture_output=True, text=True, check=True,
                              timeout=60).stdout.strip()

    @classmethod
    def sign(cls, serial, text, key=None, *more):
        how = ["--unsigned"] if key == "" else ["--key", key or cls.key]
        return subprocess.run([IPTRUST, "bundle", "sign", *how, "--serial", str(serial), *more], input=text.encode(),
                              capture_output=True, check=True, timeout=60).stdout

    def start(self, config):
        daemon = Daemon(config)
        self.addCleanup(daemon.stop)
        return daemon

    def assert_all(self, daemons, network, seconds):
        """Seen in every daemon within so many seconds of now."""
        begun = time.monotonic()
        late = 4 if "address" in os.environ.get("IPTRUST_SANITIZED", "") else 1
        for daemon in daemons:
            self.assertTrue(wait_for(lambda: trusts(daemon, network), seconds * late), (network, state(daemon), daemon.stderr()[-2000:]))
        return time.monotonic() - begun

    def bad_documents(self, serial, good):
        """What none may take, with what they say; good is in force and has that serial."""
        wide = "lists: {all: {prefixes: [0.0.0.0/0]}}\npolicies: {default: {trust: [all], clients: any}}\n"
        changed = self.sign(serial + 1, document(66)).replace(b"10.9.66.0", b"10.9.67.0")
        return [
            ("no bundle", document(66).encode(), "does not begin with the lines of a bundle"),
            ("empty", b"", "it is empty"),
            ("unsigned", self.sign(serial + 1, document(66), ""), "it is not signed"),
            ("of another key", self.sign(serial + 1, document(66), self.other), "none of public_keys has signed it"),
            ("changed on its way", changed, "none of public_keys has signed it"),
            ("cut short", good[:-9], "none of public_keys has signed it"),
            ("older", self.sign(serial - 1, document(66)), "is not above"),
            ("of the same serial", self.sign(serial, document(66)), "is not above"),
            ("expired", self.sign(serial + 1, document(66), None, "--expires", "2020-01-01T00:00:00Z"), "it has expired"),
            ("no YAML", self.sign(serial + 1, "lists: {a: {prefixes: [10.9.66.0/24}}\n"), "central document:1:"),
            ("not a list that there is", self.sign(serial + 1, "policies: {default: {trust: [b]}}\n"), "there is no list"),
            ("with another key of the configuration", self.sign(serial + 1, document(66, "callers: [0.0.0.0/0]\n")), "lists and policies only"),
            ("with a file", self.sign(serial + 1, "lists: {f: {file: /etc/hostname}}\npolicies: {default: {trust: [f]}}\n"), "names no files"),
            ("dangerous", self.sign(serial + 1, wide), "holds every address"),
            ("a hop count", self.sign(serial + 1, "policies: {default: {trust: anyone, walk: {hops: 1}}}\n"), "central document:1:"),
            ("too long", self.sign(serial + 1, document(66)) + b"#" * (1 << 20), "more than"),
        ]

    def assert_refused(self, daemons, name, why, before):
        for daemon in daemons:
            with self.subTest(name, pid=daemon.process.pid):
                self.assertTrue(wait_for(lambda: why in state(daemon)["detail"], 15), state(daemon))
                self.assertIn(state(daemon)["last_result"], ("refused", "failed"))
                self.assertEqual(revision(daemon), before)
                self.assertIs(trusts(daemon, 66), False)
                self.assertIn("[!]central ", verbose(daemon))


class Polling(Case):
    def setUp(self):
        self.plain = Plain()
        self.addCleanup(self.plain.close)

    def config(self, more="", trust=None):
        return BASE + "central: {url: \"%s\", interval: 1s, %s%s}\n" % (self.plain.url, trust or "public_keys: [%s]" % self.public, more)

    def test_one_change_in_all_and_what_is_bad_in_none(self):
        good = self.sign(10, document(1))
        self.plain.body = good
        daemons = [self.start(self.config()) for _ in range(2)]
        self.assert_all(daemons, 1, 3)
        self.assertEqual(revision(daemons[0]), revision(daemons[1]))
        self.assertTrue(wait_for(lambda: self.plain.unchanged > 2))
        self.assertEqual([state(d)["serial"] for d in daemons], ["10", "10"])
        self.assertEqual(metric(daemons[0], "iptrust_central_serial"), 10)
        self.assertIn("[+]central serial 10", verbose(daemons[0]))
        good = self.sign(11, document(2))
        self.plain.body = good
        self.assert_all(daemons, 2, 3)
        self.assertIs(trusts(daemons[0], 1), False)
        before = revision(daemons[0])
        # Each costs an interval; etcd is shown all of them at once.
        step = 1 if os.environ.get("IPTRUST_CENTRAL") == "full" else 3
        for name, body, why in self.bad_documents(11, good)[::step]:
            self.plain.body = body
            self.assert_refused(daemons, name, why, before)
        self.plain.status, self.plain.body = 404, b""
        self.assert_refused(daemons, "none", "status 404", before)
        self.plain.status, self.plain.body = 200, self.sign(12, document(3))
        self.assert_all(daemons, 3, 3)
        self.assertIn("[+]central serial 12", verbose(daemons[0]))

    def test_the_last_good_one_outlives_a_restart_and_so_does_its_serial(self):
        state_dir = os.path.join(self.dir, "kept")
        config = self.config().replace("%(dir)s/state", state_dir)
        self.plain.body = self.sign(20, document(4))
        daemon = Daemon(config)
        self.assertTrue(wait_for(lambda: trusts(daemon, 4)))
        self.assertTrue(wait_for(lambda: os.path.exists(os.path.join(state_dir, "lists", "_central"))))
        daemon.stop()
        self.plain.status = 503
        daemon = self.start(config)
        self.assertIs(trusts(daemon, 4), True)
        self.assertEqual(state(daemon)["serial"], "20")
        self.plain.status, self.plain.body = 200, self.sign(19, document(66))
        self.assertTrue(wait_for(lambda: "not above 20" in state(daemon)["detail"]), state(daemon))
        self.assertIs(trusts(daemon, 4), True)

    def test_a_stored_one_that_is_damaged_or_revoked_is_not_used(self):
        state_dir = os.path.join(self.dir, "damaged")
        config = self.config().replace("%(dir)s/state", state_dir)
        path = os.path.join(state_dir, "lists", "_central")
        self.plain.body = self.sign(20, document(4))
        daemon = Daemon(config)
        self.assertTrue(wait_for(lambda: trusts(daemon, 4)))
        self.assertTrue(wait_for(lambda: os.path.exists(path)))
        daemon.stop()
        self.plain.status = 503
        for name, more, trust in (("min_serial", ", min_serial: 21", None),
                                  ("another key", "", "public_keys: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]")):
            with self.subTest(name):
                daemon = Daemon(self.config(more, trust).replace("%(dir)s/state", state_dir))
                self.assertIsNone(trusts(daemon, 4))
                daemon.stop()
        with open(path, "r+b") as f:
            f.seek(-3, os.SEEK_END)
            f.write(b"x")
        daemon = self.start(config)
        self.assertIsNone(trusts(daemon, 4))
        self.assertIn("its record is damaged", daemon.stderr())

    def test_ours_win_and_unsigned_and_dangerous_ones_are_taken_when_asked_for(self):
        local = "lists: {proxies: {prefixes: [10.9.5.0/24], internal: true}}\n"
        self.plain.body = self.sign(1, document(6), "")
        daemon = self.start(self.config(", allow_dangerous: true", "unsigned: true") + local)
        self.assertTrue(wait_for(lambda: trusts(daemon, 5)), state(daemon))
        self.assertIs(trusts(daemon, 6), False)
        self.plain.body = self.sign(2, "lists: {all: {prefixes: [10.0.0.0/8]}}\npolicies: {default: {trust: [all], clients: any}}\n", "")
        self.assertTrue(wait_for(lambda: trusts(daemon, 66)), state(daemon))

    def test_over_tls_from_an_authority_of_our_own_alone(self):
        tls = certificate(self.dir)
        plain = Plain(tls)
        self.addCleanup(plain.close)
        plain.body = self.sign(1, document(1))
        config = BASE + "central: {url: \"" + plain.url + "\", interval: 1s, public_keys: [" + self.public + "]MORE}\n"
        stranger, daemon = self.start(config.replace("MORE", "")), self.start(config.replace("MORE", ", ca: " + tls[0]))
        self.assert_all([daemon], 1, PROMPT)
        self.assertTrue(wait_for(lambda: state(stranger)["last_result"] == "failed"), state(stranger))
        self.assertIsNone(trusts(stranger, 1))

    def test_a_reload_keeps_the_document_and_one_that_does_not_go_with_it_fails(self):
        self.plain.body = self.sign(1, document(7))
        daemon = self.start(self.config())
        self.assertTrue(wait_for(lambda: trusts(daemon, 7)))
        daemon.write(self.config() + "lists: {own: {prefixes: [192.0.2.1]}}\n")
        self.assertTrue(daemon.wait_log("configuration reloaded"))
        self.assertIs(trusts(daemon, 7), True)
        daemon.write(self.config().split("central:")[0] + "policies: {default: {clients: any}}\n")
        self.assertTrue(daemon.wait_log("configuration reloaded", count=2))
        self.assertIs(trusts(daemon, 7), False)
        self.assertTrue(wait_for(lambda: state(daemon) is None))

    def test_wrong_keys_are_a_wrong_configuration(self):
        for text in ("central: {url: \"https://c.example/\", public_keys: [AAAA]}", "serve_central: {signing_key_file: /dev/null}",
                     "serve_central: {signing_key_file: /nowhere}", "central: {url: \"https://c.example/\"}"):
            with self.subTest(text):
                path = os.path.join(self.dir, "wrong.yaml")
                with open(path, "w") as f:
                    f.write(text + "\nstate_dir: wrong\n")
                done = subprocess.run([os.environ.get("IPTRUSTD", "build/dev/iptrustd"), "--config", path, "--check-config"],
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(path + ":1:", done.stderr)
                started = subprocess.run([os.environ.get("IPTRUSTD", "build/dev/iptrustd"), "--config", path], capture_output=True,
                                         text=True, timeout=60)
                self.assertEqual(started.returncode, 2, started.stderr)
                self.assertIn(path + ":1:", started.stderr)


class Serving(Case):
    """A daemon that has the lists, and sidecars that need no feed."""

    SERVED = """
serve_central: {signing_key_file: "%s"}
lists:
  proxies: {prefixes: [10.9.%d.0/24], internal: true, vouches: {x-forwarded-for: append}}
  cloudflare: {provider: cloudflare, exclusive: true}
  unused: {prefixes: [192.0.2.7]}
  office: {prefixes: [198.51.100.0/24, "2001:db8:5::/48"]}
policies:
  default: {trust: [proxies], clients: any}
  cloudflare: {trust: [proxies, cloudflare], chains: [[cloudflare, proxies]], read: [x-forwarded-for, {header: cf-connecting-ip, from: cloudflare}]}
  strict: {trust: [proxies], mode: enforce, deny: {confidence_below: medium, lists: [office]}, selectable_by: [rest, grpc, auth], rewrite: [x-real-ip]}
"""

    def central(self, network, **more):
        return Daemon(BASE + self.SERVED % (self.key, network), **more)

    def sidecar(self, central):
        return BASE + "central: {url: \"http://%s/v1/central\", interval: 1h, public_keys: [%s]}\n" % (
            central.addresses["http"], self.public)

    def test_sidecars_judge_as_the_central_daemon_does(self):
        central = self.central(1)
        self.addCleanup(central.stop)
        sidecars = [self.start(self.sidecar(central)) for _ in range(2)]
        self.assert_all(sidecars, 1, PROMPT)
        requests = [{"peer": peer, "policy": policy, "headers": [["X-Forwarded-For", line], ["CF-Connecting-IP", "8.8.4.4"]]}
                    for policy in ("default", "cloudflare", "strict")
                    for peer in ("10.9.1.1", "172.68.1.2", "203.0.113.9")
                    for line in ("8.8.8.8", "198.51.100.3", "8.8.8.8, 172.68.1.2", "2001:db8:5::1, 10.9.1.2", "x")]
        for request in requests:
            answers = [d.resolve(request)[1] for d in [central, *sidecars]]
            for answer in answers:
                self.assertIn("client_ip", answer)
                del answer["revision"]
                # A sidecar has what was compiled in there by hand.
                answer["confidence"]["reasons"] = [r for r in answer["confidence"]["reasons"] if r["code"] != "list_bundled"]
                for hop in answer["chain"]:
                    hop.pop("list_revision", None)
            self.assertEqual(answers[0], answers[1])
            self.assertEqual(answers[0], answers[2])
        self.assertEqual(revision(sidecars[0]), revision(sidecars[1]))
        for network in (2, 3, 4):
            central.write(BASE + self.SERVED % (self.key, network))
            self.assertTrue(central.wait_log("configuration reloaded", 10, network - 1))
            self.assert_all(sidecars, network, PROMPT)
        self.assertIn("[+]central serial ", verbose(sidecars[1]))

    def test_the_protocol(self):
        central = self.central(1)
        self.addCleanup(central.stop)
        status, headers, body = central.call("GET", "/v1/central")
        self.assertEqual((status, "Preference-Applied" in headers), (200, False))
        self.assertNotIn(b"unused", body)
        self.assertIn(b'"provider": "cloudflare"', body)
        self.assertNotIn(b"listen", body)
        done = subprocess.run([IPTRUST, "bundle", "verify", "--public-key", self.public], input=body, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        tag = headers["ETag"]
        for condition in (tag, "W/" + tag, '"x", ' + tag, "*"):
            status, headers, body = central.call("GET", "/v1/central", headers={"If-None-Match": condition})
            self.assertEqual((status, body, headers["ETag"]), (304, b"", tag))
        status, headers, _ = central.call("GET", "/v1/central", headers={"If-None-Match": '"x"', "Prefer": "respond-async, wait=5"})
        self.assertEqual((status, headers["Preference-Applied"]), (200, "wait"))
        begun = time.monotonic()
        status, headers, _ = central.call("GET", "/v1/central", headers={"If-None-Match": tag, "Prefer": "wait=1"})
        self.assertEqual((status, headers["Preference-Applied"]), (304, "wait"))
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        self.assertEqual(central.call("POST", "/v1/central", b"{}")[0], 405)
        stranger = central.raw(source=("127.0.0.2", 0))
        self.addCleanup(stranger.close)
        stranger.sendall(b"GET /v1/central HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while block := stranger.recv(65536):
            answer += block
        self.assertTrue(answer.startswith(b"HTTP/1.1 403"), answer[:100])
        self.assertNotIn(b"lists", answer)

    def test_who_waits_is_answered_when_the_daemon_ends(self):
        central = self.central(1)
        ended = False
        try:
            tag = central.call("GET", "/v1/central")[1]["ETag"]
            connection = central.connect(timeout=20)
            connection.request("GET", "/v1/central", headers={"If-None-Match": tag, "Prefer": "wait=60"})
            self.assertEqual(central.call("GET", "/v1/version")[0], 200)
            os.kill(central.process.pid, signal.SIGTERM)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.headers["Connection"]), (304, "close"))
            connection.close()
            self.assertEqual(central.process.wait(15), 0)
            ended = True
        finally:
            if not ended:
                central.process.kill()
            central.stop()

    def test_serials_rise_across_restarts_and_stay_when_nothing_changes(self):
        state_dir = os.path.join(self.dir, "serving")
        serials = []
        for network in (1, 1, 2):
            daemon = Daemon((BASE + self.SERVED % (self.key, network)).replace("%(dir)s/state", state_dir))
            body = daemon.call("GET", "/v1/central")[2].decode()
            serials.append(int(body.split("serial: ")[1].split("\n")[0]))
            daemon.stop()
        self.assertEqual(serials[0], serials[1])
        self.assertGreater(serials[2], serials[1])

    def test_a_daemon_that_does_not_serve(self):
        daemon = self.start(BASE + "policies: {default: {}}\n")
        self.assertEqual(daemon.call("GET", "/v1/central")[0], 404)
        self.assertIsNone(json.loads(daemon.call("GET", "/v1/version")[2])["central"])


class OfEtcd(Case):
    def config(self, etcd, more=""):
        return BASE + "central: {etcd: {endpoints: [%s], key: /trust/document%s}, public_keys: [%s]}\n" % (
            ", ".join('"%s"' % e for e in etcd.endpoints), more, self.public)

    def cluster(self, members):
        etcd = Etcd(members)
        self.addCleanup(etcd.close)
        return etcd

    def test_one_change_in_all_and_what_is_bad_in_none(self):
        etcd = self.cluster(1)
        daemons = [self.start(self.config(etcd)) for _ in range(2)]
        for daemon in daemons:
            self.assertTrue(wait_for(lambda: state(daemon)["detail"] == "there is no such key"), state(daemon))
        for serial, network in ((10, 1), (11, 2), (12, 3)):
            good = self.sign(serial, document(network))
            etcd.put("/trust/document", good)
            self.assert_all(daemons, network, PROMPT)
        before = revision(daemons[0])
        self.assertEqual(before, revision(daemons[1]))
        for name, body, why in self.bad_documents(12, good):
            etcd.put("/trust/document", body)
            self.assert_refused(daemons, name, why, before)
        etcd.delete("/trust/document")
        self.assert_refused(daemons, "deleted", "there is no such key", before)
        etcd.put("/trust/document", self.sign(13, document(4)))
        self.assert_all(daemons, 4, PROMPT)

    def test_with_a_login(self):
        etcd = self.cluster(1)
        secret = os.path.join(self.dir, "password")
        with open(secret, "w") as f:
            f.write("a\"b\\c\n")
        etcd.put("/trust/document", self.sign(1, document(1)))
        etcd.demand_login("a\"b\\c")
        stranger = self.start(self.config(etcd))
        daemon = self.start(self.config(etcd, ", user: root, password_file: %s" % secret))
        self.assert_all([daemon], 1, PROMPT)
        etcd.put("/trust/document", self.sign(2, document(2)))
        self.assert_all([daemon], 2, PROMPT)
        self.assertTrue(wait_for(lambda: state(stranger)["last_result"] == "failed"), state(stranger))
        self.assertIsNone(trusts(stranger, 2))

    def test_over_tls_from_an_authority_of_our_own_alone(self):
        tls = certificate(self.dir)
        etcd = Etcd(1, tls)
        self.addCleanup(etcd.close)
        stranger, daemon = self.start(self.config(etcd)), self.start(self.config(etcd, ", ca: " + tls[0]))
        for serial in (1, 2):
            etcd.put("/trust/document", self.sign(serial, document(serial)))
            self.assert_all([daemon], serial, PROMPT)
        self.assertTrue(wait_for(lambda: state(stranger)["last_result"] == "failed"), state(stranger))
        self.assertIsNone(trusts(stranger, 2))

    def test_a_member_of_three_is_killed(self):
        etcd = self.cluster(3)
        daemons = [self.start(self.config(etcd)) for _ in range(2)]
        etcd.put("/trust/document", self.sign(1, document(1)))
        self.assert_all(daemons, 1, PROMPT)
        etcd.kill(0)  # the first is the one that all of them ask
        etcd.put("/trust/document", self.sign(2, document(2)))
        self.assert_all(daemons, 2, PROMPT)
        etcd.put("/trust/document", self.sign(3, document(3)))
        self.assert_all(daemons, 3, PROMPT)

    def test_one_that_dies_leaves_the_last_good_document(self):
        etcd = self.cluster(1)
        etcd.put("/trust/document", self.sign(1, document(1)))
        daemon = self.start(self.config(etcd))
        self.assert_all([daemon], 1, PROMPT)
        etcd.kill(0)
        self.assertTrue(wait_for(lambda: state(daemon)["last_result"] == "failed", 15), state(daemon))
        self.assertIs(trusts(daemon, 1), True)
        self.assertIn("[!]central serial 1, the last one was not taken", verbose(daemon))


if __name__ == "__main__":
    unittest.main()
