"""iptrustd behind a real Envoy: the files of deploy/envoy run as they stand, with addresses put in."""

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from envoy_peer import Application, Envoy, edited, seen, uncommented
from pki import Pki
from rest_daemon import Daemon

LB, STRANGER = "127.0.0.2", "127.0.0.3"  # the trusted balancer, and a client that connects to Envoy itself
FACES = """
http: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
decision_log: {sample: 1.0, ip: full}
"""
FORGED = [
    (name, "6.6.6.6")
    for name in (
        "x-iptrust-client-ip",
        "X-Iptrust-Country",
        "x_iptrust_client_ip",
        "X_IPTRUST_Confidence",
        "x.iptrust.client.ip",
        "x-iptrust_chain",
        "x_iptrust-policy",
        "X-IPTRUST-ASN",
        "x-iptrust-whatever",
    )
]
STRIP = ('- remove_on_match: {key_matcher: {safe_regex: {regex: "x[-_.]iptrust[-_.].*"}}}', "- remove: x-not-there")
TOLD = ("client_ip", "confidence", "source", "chain", "policy", "revision")


def config(*changes):
    return FACES + edited(
        "iptrustd.yaml",
        [
            ("0.0.0.0:9191", "127.0.0.1:0"),
            ("callers: [10.0.12.0/24]", "callers: []"),
            ("10.0.12.0/24], internal", LB + "/32], internal"),
            *changes,
        ],
    )


def proxy_v2(source, destination=("127.0.0.1", 80)):
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    addresses = (
        socket.inet_pton(family, source[0])
        + socket.inet_pton(family, destination[0])
        + struct.pack("!HH", source[1], destination[1])
    )
    return (
        b"\r\n\r\n\0\r\nQUIT\n\x21"
        + (b"\x21" if family == socket.AF_INET6 else b"\x11")
        + struct.pack("!H", len(addresses))
        + addresses
    )


class Case(unittest.TestCase):
    """One application and one daemon for all tests of a class, an Envoy for each way of setting it up."""

    changes = ()

    @classmethod
    def setUpClass(cls):
        cls.application = Application()
        cls.addClassCleanup(cls.application.stop)
        cls.daemon = Daemon(config(*cls.changes))
        cls.addClassCleanup(cls.daemon.stop)

    def envoy(self, *changes, name="grpc.yaml", daemons=None):
        envoy = Envoy(name, self.application, daemons or [self.daemon.addresses["grpc"]], changes)
        self.addCleanup(envoy.stop)
        return envoy

    def decisions(self, count, seconds=5):
        """The decision log from line self.logged on, once count more lines are there."""
        path, end = os.path.join(self.daemon.dir, "out"), time.monotonic() + seconds
        while True:
            with open(path, encoding="utf-8") as log:
                lines = log.read().splitlines()[self.logged :]
            if len(lines) >= count:
                return [json.loads(line) for line in lines]
            self.assertLess(time.monotonic(), end, "decisions are not logged")
            time.sleep(0.02)

    def setUp(self):
        with open(os.path.join(self.daemon.dir, "out"), encoding="utf-8") as log:
            self.logged = len(log.read().splitlines())

    def assertTold(self, answer, client, level):
        self.assertEqual(answer[0], 200, answer)
        found = seen(answer[2])
        self.assertEqual((found.get("x-iptrust-client-ip"), found.get("x-iptrust-confidence")), ([client], [level]))
        return found

    def assertNothingForged(self, found, allowed=()):
        for name, values in found.items():
            spelt = name.replace("_", "-").replace(".", "-")
            self.assertFalse(spelt.startswith("x-iptrust-") and name not in allowed, (name, values))
            self.assertNotIn("6.6.6.6", values, name)


class Annotate(Case):
    NAMES = ["x-iptrust-" + fact.replace("_", "-") for fact in TOLD]

    def test_the_application_is_told_and_the_log_says_the_same(self):
        envoy = self.envoy()
        found = self.assertTold(envoy.ask("/x", [("X-Forwarded-For", "203.0.113.9, 8.8.8.8")]), "8.8.8.8", "high")
        self.assertEqual(found["x-forwarded-for"], ["203.0.113.9, 8.8.8.8," + LB])  # Envoy appends who connected
        self.assertEqual(found["x-iptrust-chain"], ["%s;lb, %s;lb, 8.8.8.8" % (LB, LB)])
        access = envoy.accesses(1)[0]
        self.assertEqual((access["status"], access["path"], access["flags"]), (200, "/x", "-"), access)
        self.assertEqual([[access[fact]] for fact in TOLD], [found[name] for name in self.NAMES])
        _, rest = self.daemon.resolve({"peer": LB, "headers": [["X-Forwarded-For", found["x-forwarded-for"][0]]]})
        self.assertEqual(
            (access["client_ip"], access["confidence"], access["source"], access["policy"]),
            (rest["client_ip"], rest["confidence"]["level"], rest["source"], rest["policy"]),
        )
        self.assertEqual(access["revision"], "%s-%s" % (rest["revision"]["policies"], rest["revision"]["lists"]))

    def test_headers_of_a_stranger_change_nothing(self):
        envoy = self.envoy()
        self.assertTold(envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")], source=STRANGER), STRANGER, "medium")
        self.assertTold(envoy.ask("/", source=STRANGER), STRANGER, "medium")

    def test_forged_headers_are_gone(self):
        forged = FORGED + [("X-Forwarded-For", "8.8.8.8")]
        for what, changes in (
            ("both remove", ()),
            ("iptrustd alone", [STRIP]),
            ("iptrustd alone, lines merged", [STRIP, ("encode_raw_headers: true", "encode_raw_headers: false")]),
        ):
            with self.subTest(what=what):
                envoy = self.envoy(*changes)
                found = self.assertTold(envoy.ask("/", forged), "8.8.8.8", "high")
                self.assertNothingForged(found, self.NAMES)
                # Envoy alone, where nobody is asked; and without its part the forged ones do arrive.
                found = seen(envoy.ask("/healthz", forged)[2])
                if changes:
                    self.assertEqual(found["x_iptrust_client_ip"], ["6.6.6.6"])
                else:
                    self.assertNothingForged(found)

    def test_without_use_remote_address_envoy_appends_nothing(self):
        envoy = self.envoy(("use_remote_address: true", "use_remote_address: false"))
        found = self.assertTold(envoy.ask("/", [("X-Forwarded-For", "203.0.113.9, 8.8.8.8")]), "8.8.8.8", "high")
        self.assertEqual(found["x-forwarded-for"], ["203.0.113.9, 8.8.8.8"])
        self.assertEqual(found["x-iptrust-chain"], ["%s;lb, 8.8.8.8" % LB])
        self.assertTold(envoy.ask("/"), LB, "low")

    def test_who_stands_in_a_proxy_header_is_the_peer(self):
        envoy = self.envoy(uncommented("grpc.yaml", "listener_filters:", "v3.ProxyProtocol}"))
        rows = [
            (b"PROXY TCP4 8.8.4.4 127.0.0.1 4711 80\r\n", [], "8.8.4.4", "high"),
            (b"PROXY TCP4 127.0.0.2 127.0.0.1 4711 80\r\n", [("X-Forwarded-For", "8.8.8.8")], "8.8.8.8", "high"),
            (b"PROXY TCP4 8.8.4.4 127.0.0.1 4711 80\r\n", [("X-Forwarded-For", "8.8.8.8")], "8.8.4.4", "high"),
            (b"PROXY TCP6 2001:4860:4860::8888 ::1 4711 80\r\n", [], "2001:4860:4860::8888", "high"),
            (b"PROXY TCP6 ::ffff:8.8.4.4 ::1 4711 80\r\n", [], "8.8.4.4", "high"),
            (proxy_v2(("8.8.4.4", 4711)), [], "8.8.4.4", "high"),
            (proxy_v2((LB, 4711)), [("X-Forwarded-For", "8.8.8.8")], "8.8.8.8", "high"),
            (proxy_v2(("2001:4860:4860::8888", 4711), ("::1", 80)), [], "2001:4860:4860::8888", "high"),
        ]
        for proxy, headers, client, level in rows:
            with self.subTest(proxy=proxy, headers=headers):
                self.assertTold(envoy.ask("/", headers, source=STRANGER, proxy=proxy), client, level)

    def test_lines_arrive_one_by_one_only_when_envoy_sends_them_raw(self):
        for raw in (True, False):
            with self.subTest(raw=raw):
                envoy = self.envoy(*[] if raw else [("encode_raw_headers: true", "encode_raw_headers: false")])
                before = len(self.decisions(0))
                for value, client, level in (
                    (b"8.8.8.8", "8.8.8.8", "high"),
                    (b"8.8.8.8, \xe9", LB, "low"),
                    (b"8.8.4.4 , [2001:db8::1]:443", "2001:db8::1", "low"),
                ):
                    self.assertTold(envoy.ask("/", [("X-Forwarded-For", value)]), client, level)
                for decision in self.decisions(before + 3)[before:]:
                    self.assertEqual("headers_merged" in decision["reasons"], not raw, decision)

    def test_bodies_change_nothing(self):
        body = bytes(range(256)) * 8192  # 2 MiB, twice limits.message
        for what, extra in (
            ("as text", "pack_as_bytes: false"),
            ("as bytes", "pack_as_bytes: true"),
            ("in part", "allow_partial_message: true"),
        ):
            with self.subTest(what=what):
                most = 65536 if what == "in part" else 3 << 20
                envoy = self.envoy(
                    (
                        "encode_raw_headers: true",
                        "encode_raw_headers: true\n              with_request_body: {max_request_bytes: %d, %s}"
                        % (most, extra),
                    )
                )
                answer = envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")] + FORGED, body=body)
                self.assertNothingForged(self.assertTold(answer, "8.8.8.8", "high"), self.NAMES)
                self.assertEqual(answer[2]["body_n"], len(body))

    def test_http_2_from_the_client(self):
        envoy = self.envoy()
        args = [
            "curl",
            "-sS",
            "--http2-prior-knowledge",
            "--max-time",
            "20",
            "--interface",
            LB,
            "-w",
            "\n%{http_version}",
            "-H",
            "X-Forwarded-For: 8.8.8.8",
        ]
        for name, value in FORGED:
            args += ["-H", "%s: %s" % (name.lower(), value)]
        text, version = subprocess.run(
            args + ["http://127.0.0.1:%d/" % envoy.port], check=True, stdout=subprocess.PIPE, timeout=30
        ).stdout.rsplit(b"\n", 1)
        self.assertEqual(version, b"2")
        self.assertNothingForged(self.assertTold((200, None, json.loads(text)), "8.8.8.8", "high"), self.NAMES)

    def test_a_policy_that_envoy_may_not_choose(self):
        envoy = self.envoy(("iptrust.policy: admin", "iptrust.policy: nobody"))
        status, _, _ = envoy.ask("/admin/")
        self.assertEqual((status, envoy.accesses(1)[0]["details"]), (403, "ext_authz_error"))  # a fault of the configuration


class Enforce(Case):
    def test_denied_for_a_stranger_and_rewritten_for_others(self):
        envoy = self.envoy()
        status, headers, body = envoy.ask("/admin/x", [("X-Forwarded-For", "8.8.8.8")], source=STRANGER)
        self.assertEqual(
            (status, headers["Content-Type"], headers["Cache-Control"]), (403, "application/problem+json", "no-store")
        )
        self.assertEqual((body["code"], body["status"]), ("denied", 403))
        access = envoy.accesses(1)[0]
        self.assertEqual(
            (access["status"], access["flags"], access["details"], access["client_ip"], access["policy"]),
            (403, "UAEX", "ext_authz_denied", STRANGER, "admin"),
        )
        found = self.assertTold(
            envoy.ask(
                "/admin/x",
                [
                    ("X-Forwarded-For", "6.6.6.6, 8.8.8.8"),
                    ("X-Real-IP", "6.6.6.6"),
                    ("X_Real_IP", "6.6.6.6"),
                    ("Forwarded", "for=6.6.6.6"),
                    ("True-Client-IP", "6.6.6.6"),
                    ("X_Forwarded_For", "6.6.6.6"),
                ]
                + FORGED,
            ),
            "8.8.8.8",
            "high",
        )
        self.assertEqual(
            (found["x-forwarded-for"], found["x-real-ip"], found["x-iptrust-policy"]), (["8.8.8.8"], ["8.8.8.8"], ["admin"])
        )
        self.assertNothingForged(found, Annotate.NAMES)
        self.assertFalse({"forwarded", "true-client-ip", "x_real_ip", "x_forwarded_for"} & set(found), found)
        # What is not /admin/ is the default policy's.
        self.assertEqual(self.assertTold(envoy.ask("/x", source=STRANGER), STRANGER, "medium")["x-iptrust-policy"], ["default"])

    def test_nobody_slips_through_with_odd_headers(self):
        envoy = self.envoy()
        for value in ("8.8.8.8, unknown", "8.8.8.8, _hid", "8.8.8.8,,", "x" * 20000, ", ".join(["127.0.0.2"] * 100)):
            with self.subTest(value=value[:40]):
                status, headers, _ = envoy.ask("/admin/", [("X-Forwarded-For", value)])
                self.assertEqual((status, headers["Content-Type"]), (403, "application/problem+json"))


class Shadow(Case):
    changes = [("mode: enforce", "mode: shadow")]

    def test_passes_and_counts_what_would_be_denied(self):
        envoy = self.envoy()
        found = self.assertTold(envoy.ask("/admin/x", source=STRANGER), STRANGER, "medium")
        self.assertEqual(found["x-iptrust-policy"], ["admin"])
        decision = self.decisions(1)[0]
        self.assertEqual(
            (decision["action"], decision["rule"], decision["mode"], decision["api"]),
            ("allow", "deny.confidence_below", "shadow", "ext_authz"),
            decision,
        )  # the rule stays named
        _, _, metrics = self.daemon.call("GET", "/metrics", listener="health")
        self.assertRegex(
            metrics.decode(),
            r'iptrust_verdicts_total\{policy="admin",mode="shadow",action="allow",rule="deny.confidence_below"\} 1\b',
        )


class NotSelectable(Case):
    changes = [("    selectable_by: [rest, grpc, ext_authz]\n", "")]

    def test_the_default_policy_answers(self):
        found = self.assertTold(self.envoy().ask("/admin/", source=STRANGER), STRANGER, "medium")
        self.assertEqual(found["x-iptrust-policy"], ["default"])


class Tcp(Case):
    changes = [
        (
            "    read: [x-forwarded-for]\n  admin",
            "    read: [x-forwarded-for]\n    mode: enforce\n    deny: {confidence_below: high}\n  admin",
        )
    ]

    def test_connections_are_judged_by_who_connected(self):
        envoy = self.envoy(uncommented("grpc-tcp.yaml", "listener_filters:", "v3.ProxyProtocol}"), name="grpc-tcp.yaml")
        status, _, answer = envoy.ask("/x", proxy=b"PROXY TCP4 8.8.4.4 127.0.0.1 4711 80\r\n")
        self.assertEqual((status, answer["path"]), (200, "/x"))
        access = envoy.accesses(1)[0]
        self.assertEqual((access["client_ip"], access["confidence"], access["policy"]), ("8.8.4.4", "high", "default"))
        with self.assertRaises((OSError, ValueError)):
            envoy.ask("/x", proxy=b"PROXY TCP4 127.0.0.3 127.0.0.1 4711 80\r\n")
        self.assertEqual([(d["client_ip"], d["action"]) for d in self.decisions(2)], [("8.8.4.4", "allow"), (STRANGER, "deny")])


class Stopped(Case):
    """What happens while no iptrustd is there."""

    def mortal(self):
        daemon = Daemon(config())
        self.addCleanup(lambda: daemon.process.poll() is None and daemon.stop())
        return daemon

    def test_closed_without_an_answer(self):
        daemon = self.mortal()
        envoy = self.envoy(daemons=[daemon.addresses["grpc"]])
        self.assertTold(envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")]), "8.8.8.8", "high")
        daemon.stop()
        status, _, _ = envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")] + FORGED)
        access = envoy.accesses(2)[1]
        self.assertEqual((status, access["flags"], access["details"]), (403, "UAEX", "ext_authz_error"))

    def test_open_without_an_answer_and_nothing_forged_arrives(self):
        daemon = self.mortal()
        envoy = self.envoy(
            ("              failure_mode_allow: false\n", ""),
            uncommented("grpc.yaml", "failure_mode_allow: true", "failure_mode_allow_header_add: true"),
            daemons=[daemon.addresses["grpc"]],
        )
        self.assertTold(envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")] + FORGED), "8.8.8.8", "high")
        daemon.stop()
        status, _, answer = envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")] + FORGED)
        found = seen(answer)
        self.assertEqual((status, found["x-envoy-auth-failure-mode-allowed"]), (200, ["true"]))
        self.assertNothingForged(found)


class Tls(Case):
    """Envoy asks by TLS, from an address that is nobody's."""

    ELSEWHERE = "127.0.0.4"
    MUTUAL = True

    @classmethod
    def setUpClass(cls):
        cls.pki = Pki()
        cls.addClassCleanup(cls.pki.remove)
        cls.pki.sign("iptrustd", san="DNS:iptrustd.internal")
        cls.pki.sign("envoy", san="URI:spiffe://example.org/envoy")
        cls.pki.sign("stranger", san="URI:spiffe://example.org/stranger")
        cls.pki.sign("forged", ca="other", san="URI:spiffe://example.org/envoy")
        path = cls.pki.path
        cls.changes = [
            ("  # tls:", "  tls:"),
            ("/etc/iptrustd/tls.crt", path("iptrustd.pem")),
            ("/etc/iptrustd/tls.key", path("iptrustd.key")),
            ("/etc/iptrustd/ca.crt", path("ca.pem")),
        ]
        if not cls.MUTUAL:
            cls.changes.append((', client_ca: %s, client_sans: ["spiffe://example.org/envoy"]' % path("ca.pem"), ""))
        super().setUpClass()

    def envoy_of(self, who, *changes):
        shows = "[{certificate_chain: {filename: %s}, private_key: {filename: %s}}]"
        pair = shows % (self.pki.path("%s.pem" % who), self.pki.path("%s.key" % who)) if who else "[]"
        return self.envoy(
            uncommented("grpc.yaml", "transport_socket:", "iptrustd.internal}}]"),
            (
                "- name: iptrustd\n",
                "- name: iptrustd\n    upstream_bind_config: {source_address: {address: %s, port_value: 0}}\n" % self.ELSEWHERE,
            ),
            (shows % ("/etc/envoy/tls.crt", "/etc/envoy/tls.key"), pair),
            ("/etc/envoy/ca.crt", self.pki.path("ca.pem")),
            *changes,
        )

    def assertRefused(self, who):
        """Closed, and Envoy says why: no answer, and no denial either."""
        envoy = self.envoy_of(who)
        status, _, _ = envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")])
        access = envoy.accesses(1)[0]
        self.assertEqual((status, access["flags"], access["details"]), (403, "UAEX", "ext_authz_error"), (who, access))
        self.assertEqual(envoy.healthy(), 0)


class MutualTls(Tls):
    def test_who_shows_an_allowed_certificate_is_believed(self):
        envoy = self.envoy_of("envoy")
        envoy.wait_healthy(2)  # the one daemon, as both
        for _ in range(20):
            self.assertTold(envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")]), "8.8.8.8", "high")

    def test_who_shows_another_one_or_none_is_refused(self):
        for who in "stranger", "forged", None:
            with self.subTest(who=who):
                self.assertRefused(who)

    def test_open_to_nobody_in_particular_when_envoy_is_refused(self):
        envoy = self.envoy_of(
            "stranger",
            ("              failure_mode_allow: false\n", ""),
            uncommented("grpc.yaml", "failure_mode_allow: true", "failure_mode_allow_header_add: true"),
        )
        status, _, answer = envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")] + FORGED)
        found = seen(answer)
        self.assertEqual((status, found["x-envoy-auth-failure-mode-allowed"]), (200, ["true"]))
        self.assertNothingForged(found)


class OneWayTls(Tls):
    MUTUAL = False

    def test_nobody_is_asked_and_nobody_is_believed(self):
        envoy = self.envoy_of("envoy")
        envoy.wait_healthy(2)  # the one daemon, as both
        self.assertTold(envoy.ask("/", [("X-Forwarded-For", "8.8.8.8")]), "8.8.8.8", "medium")
        self.assertIn("caller_unauthenticated", self.decisions(1)[0]["reasons"])


class Drain(Case):
    """One of two daemons ends under a load that does not wait for answers."""

    RATE, WORKERS = 100, 24

    def load(self, envoy, until, failures, late):
        """Requests at fixed times, each worker its share of them, over connections that stay open."""

        def work(number):
            connection, at = None, begin + number / self.RATE
            while not until.is_set():
                time.sleep(max(0, at - time.monotonic()))
                late.append(time.monotonic() - at)
                at += self.WORKERS / self.RATE
                try:
                    if connection is None:
                        connection = http.client.HTTPConnection("127.0.0.1", envoy.port, timeout=20, source_address=(LB, 0))
                    connection.request("GET", "/", headers={"X-Forwarded-For": "8.8.8.8"})
                    answer = connection.getresponse()
                    text = answer.read()
                    if answer.status != 200 or b'"8.8.8.8"' not in text:
                        failures.append((answer.status, text[:200]))
                except (OSError, http.client.HTTPException) as e:
                    failures.append(repr(e))
                    connection = None
            if connection is not None:
                connection.close()

        begin = time.monotonic()
        threads = [threading.Thread(target=work, args=(i,)) for i in range(self.WORKERS)]
        for thread in threads:
            thread.start()
        return threads

    def under_load(self, number, after):
        """One of two daemons gets a signal; what then came of the calls, and its exit code."""
        ending = Daemon(config())
        self.addCleanup(ending.stop, -number if number == signal.SIGKILL else 0)
        envoy = self.envoy(daemons=[self.daemon.addresses["grpc"], ending.addresses["grpc"]])
        envoy.wait_healthy(2)
        until, failures, late = threading.Event(), [], []
        threads = self.load(envoy, until, failures, late)
        try:
            time.sleep(2)
            with open(os.path.join(ending.dir, "out"), encoding="utf-8") as log:
                asked = log.read().count('"api":"ext_authz"')
            os.kill(ending.process.pid, number)
            told = time.monotonic()
            envoy.wait_healthy(1)
            turned = time.monotonic() - told
            code = ending.process.wait(45)
            ended = time.monotonic() - told
            time.sleep(after)
        finally:
            until.set()
            for thread in threads:
                thread.join(30)
        accesses = envoy.accesses(len(late) - len(failures))
        retries = int(envoy.admin("/stats?filter=^cluster.iptrustd.upstream_rq_retry$").split()[-1])
        print(
            "signal %d: %d requests, %d of them before it by the daemon that ended; turned away after %.1f s, "
            "ended after %.1f s, %d retries, latest start %.2f s late"
            % (number, len(late), asked, turned, ended, retries, max(late))
        )
        lost = [a for a in accesses if a["status"] != 200]
        if lost:
            print("lost: %d of them, first %s, last %s" % (len(lost), lost[0], lost[-1]))
            stats = envoy.admin("/stats?filter=cluster.iptrustd.(upstream_(rq|cx)|ext_authz|health|membership)").splitlines()
            print("\n".join(line for line in stats if not line.endswith(": 0") and "P0" not in line))
        self.assertEqual(failures, [])
        self.assertEqual([a for a in accesses if a["status"] != 200 or a["flags"] != "-" or a["client_ip"] != "8.8.8.8"], [])
        self.assertGreater(asked, 20)
        self.assertGreater(len(accesses), self.RATE * (2 + after) // 2)
        return turned, ended, retries, code

    def test_no_call_is_lost_when_a_daemon_ends(self):
        turned, ended, retries, code = self.under_load(signal.SIGTERM, 10)
        self.assertEqual((retries, code), (0, 0))  # nobody had to ask twice
        self.assertGreaterEqual(ended, 5)  # drain.delay
        self.assertLess(turned, 5)

    def test_no_call_is_lost_when_a_daemon_is_killed(self):
        _, _, retries, code = self.under_load(signal.SIGKILL, 3)
        self.assertEqual(code, -signal.SIGKILL)
        self.assertGreater(retries, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
