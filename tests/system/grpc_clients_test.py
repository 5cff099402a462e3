"""Clients of gRPC that others wrote against the daemon, over plain text, a Unix socket, TLS and mutual TLS: grpcio, grpcurl and ghz
with reflection and no proto file, Go with Envoy's official stubs, Node. Answers, order, and every status of the contract."""
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from grpc_peers import CLIENTS, PB, PROTOS, TRUST, Authority, Stub, Way, request
from rest_daemon import CONFIG, Daemon

SERVICES = ["", "envoy.service.auth.v3.Authorization", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection", "iptrust.v1.TrustService"]
OWN = """
  resting: {trust: [lb], clients: any, selectable_by: [rest]}
  strict: {trust: [lb], mode: enforce, deny: {confidence_below: medium}, selectable_by: [ext_authz]}
  proven: {trust: [mesh], clients: any}
"""
MESH = '  mesh: {prefixes: [10.0.40.0/24], internal: true, proof: {principals: ["spiffe://example.org/edge"]}}\n'
SECONDS = 30  # of one call, on a busy machine with a sanitizer


def tearDownModule():
    if Clients.authority:
        Clients.authority.close()


def config(way):
    text = CONFIG.replace("grpc: {listen: 127.0.0.1:0}", "grpc: " + way.listen()).replace("policies:\n", MESH + "policies:\n")
    return text + OWN.lstrip("\n")


class Clients:
    """Every test over one way to connect; the classes below name the ways."""
    kind = None
    authority = None

    @classmethod
    def setUpClass(cls):
        if cls.kind in ("tls", "mtls"):
            Clients.authority = Clients.authority or Authority()
        cls.way = Way(cls.kind, Clients.authority)
        cls.d = Daemon(config(cls.way))
        cls.address = cls.d.addresses["grpc"]
        cls.channel = cls.way.channel(cls.address)
        cls.stub = Stub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.d.stop()

    def fails(self, code, call, *args, **kwargs):
        with self.assertRaises(grpc.RpcError) as caught:
            call(*args, timeout=SECONDS, **kwargs)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception

    def field(self, error):
        """The field that google.rpc.BadRequest blames."""
        bad = error_details_pb2.BadRequest()
        [detail] = rpc_status.from_call(error).details
        self.assertTrue(detail.Unpack(bad))
        return bad.field_violations[0].field

    # ---- grpcio ----

    def test_each_method_of_trust_service_answers(self):
        decision = self.stub.resolve(PB.ResolveRequest(request=request()), timeout=SECONDS).decision
        self.assertEqual((decision.client_ip, decision.confidence.level), ("8.8.8.8", PB.LEVEL_HIGH))
        self.assertEqual([hop.verdict for hop in decision.chain], [PB.VERDICT_TRUSTED, PB.VERDICT_CLIENT])
        looked = self.stub.lookup(PB.LookupAddressRequest(address="10.0.12.9"), timeout=SECONDS)
        self.assertEqual([(l.list, l.prefix) for l in looked.lists], [("lb", "10.0.12.0/24")])
        status = self.stub.status(PB.GetStatusRequest(), timeout=SECONDS)
        self.assertTrue(status.ready)
        self.assertIn("lb", [l.name for l in status.lists])

    def test_a_principal_is_believed_of_trusted_callers(self):
        rows = [("spiffe://example.org/edge", PB.LEVEL_AUTHENTICATED, "proof_verified"),
                ("spiffe://example.org/x", PB.LEVEL_LOW, "proof_failed")]
        for principal, level, reason in rows:
            with self.subTest(principal=principal):
                asked = request(peer="10.0.40.1", policy="proven", principal=principal)
                confidence = self.stub.resolve(PB.ResolveRequest(request=asked), timeout=SECONDS).decision.confidence
                self.assertEqual((confidence.level, reason in [r.code for r in confidence.reasons]), (level, True))

    def test_statuses_are_those_of_the_contract(self):
        rows = [(grpc.StatusCode.INVALID_ARGUMENT, PB.Request(), "missing_peer", "request.peer"),
                (grpc.StatusCode.NOT_FOUND, request(policy="nope"), "unknown_policy", "request.policy"),
                (grpc.StatusCode.PERMISSION_DENIED, request(policy="resting"), "policy_not_selectable", "request.policy"),
                (grpc.StatusCode.INVALID_ARGUMENT, request(proxy_protocol=b"PROXY"), "bad_proxy_protocol", "request.proxy_protocol"),
                (grpc.StatusCode.INVALID_ARGUMENT, request(headers=[PB.Header(name="A"), PB.Header(name="B", value=b"\n")]),
                 "bad_header", "request.headers[1].value")]
        for code, asked, word, field in rows:
            with self.subTest(word=word):
                error = self.fails(code, self.stub.resolve, PB.ResolveRequest(request=asked))
                self.assertTrue(error.details().startswith(word + ": "), error.details())
                self.assertEqual(self.field(error), field)

    def test_messages_over_the_limit_are_refused(self):
        large = PB.ResolveRequest(request=request(headers=[PB.Header(name="A", value=b"a" * (1 << 20))]))
        self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED, self.stub.resolve, large)
        huge = PB.ResolveRequest(request=request(headers=[PB.Header(name="A", value=b"a" * (17 << 20))]))
        self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED, self.stub.resolve, huge)
        self.assertTrue(self.stub.status(PB.GetStatusRequest(), timeout=SECONDS).ready)

    def test_what_is_not_there_is_unimplemented(self):
        for path in (TRUST + "Nope", "/no.Service/Resolve", "/x", "/"):
            with self.subTest(path=path):
                self.fails(grpc.StatusCode.UNIMPLEMENTED, self.channel.unary_unary(path), b"")

    def test_compressed_messages_are_unimplemented(self):
        asked = PB.ResolveRequest(request=request())
        self.fails(grpc.StatusCode.UNIMPLEMENTED, self.stub.resolve, asked, compression=grpc.Compression.Gzip)

    def test_bytes_that_are_no_message_are_an_invalid_argument(self):
        for garbage in (b"\xff" * 20, b"\x0a\x05\x0a\x00", b"\x0a"):
            with self.subTest(garbage=garbage):
                self.fails(grpc.StatusCode.INVALID_ARGUMENT, self.channel.unary_unary(TRUST + "Resolve"), garbage)

    def test_a_stream_answers_10000_messages_in_order(self):
        count = 10000
        asked = (PB.ResolveStreamRequest(request=request(request_id=str(i)) if i % 1000 != 7 else PB.Request(request_id=str(i)))
                 for i in range(count))
        seen = 0
        for answer in self.stub.stream(asked, timeout=120):
            result = answer.result
            if seen % 1000 == 7:
                self.assertEqual((result.problem.code, result.problem.request_id), ("missing_peer", str(seen)))
            else:
                self.assertEqual(result.decision.request_id, str(seen))
            seen += 1
        self.assertEqual(seen, count)

    def test_a_stream_ends_when_its_caller_says_so(self):
        self.assertEqual(list(self.stub.stream(iter(()), timeout=SECONDS)), [])

    def test_a_batch_takes_1000_and_not_1001(self):
        asked = [request(request_id=str(i)) for i in range(1000)]
        answer = self.stub.batch(PB.ResolveBatchRequest(requests=asked), timeout=60)
        self.assertEqual([r.decision.request_id for r in answer.results], [str(i) for i in range(1000)])
        self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED, self.stub.batch, PB.ResolveBatchRequest(requests=asked + [request()]))

    def test_health_checks_and_lists_each_service(self):
        stub = health_pb2_grpc.HealthStub(self.channel)
        for name in SERVICES:
            self.assertEqual(stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS).status, 1, name)
        self.fails(grpc.StatusCode.NOT_FOUND, stub.Check, health_pb2.HealthCheckRequest(service="nope"))
        listed = stub.List(health_pb2.HealthListRequest(), timeout=SECONDS).statuses
        self.assertEqual(sorted(listed), SERVICES)
        self.assertEqual({answer.status for answer in listed.values()}, {1})

    # ---- grpcurl, which knows no proto file ----

    def grpcurl(self, *args, data=None):
        target = self.address.replace("unix:", "unix://") if self.kind == "unix" else self.address
        flags = self.way.flags() or ["-plaintext"]
        given = [] if data is None else ["-d", json.dumps(data)]
        done = subprocess.run([CLIENTS / "bin" / "grpcurl", "-max-time", str(SECONDS), *flags, *given, target, *args],
                              capture_output=True, timeout=2 * SECONDS, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_grpcurl_lists_and_describes(self):
        code, out, err = self.grpcurl("list")
        self.assertEqual((code, out.split()), (0, SERVICES[1:]), err)
        code, out, err = self.grpcurl("describe")
        self.assertEqual(code, 0, err)
        for name in SERVICES[1:]:
            self.assertIn(name + " is a service", out)
        for symbol in ("iptrust.v1.Decision", "iptrust.v1.TrustService.Resolve", "envoy.service.auth.v3.CheckRequest",
                       "google.protobuf.Struct"):
            code, out, err = self.grpcurl("describe", symbol)
            self.assertEqual(code, 0, symbol + err)

    def test_grpcurl_calls_each_method(self):
        asked = {"peer": "10.0.12.1", "headers": [{"name": "X-Forwarded-For", "value": "OC44LjguOA=="}]}
        rows = [("iptrust.v1.TrustService/Resolve", {"request": asked}, ("decision", "clientIp"), "8.8.8.8"),
                ("iptrust.v1.TrustService/ResolveBatch", {"requests": [asked]}, ("results", 0, "decision", "clientIp"), "8.8.8.8"),
                ("iptrust.v1.TrustService/ResolveStream", {"request": asked}, ("result", "decision", "clientIp"), "8.8.8.8"),
                ("iptrust.v1.TrustService/LookupAddress", {"address": "10.0.12.1"}, ("class",), "private"),
                ("iptrust.v1.TrustService/GetStatus", {}, ("ready",), True),
                ("grpc.health.v1.Health/Check", {"service": ""}, ("status",), "SERVING"),
                ("grpc.health.v1.Health/List", {}, ("statuses", "", "status"), "SERVING"),
                ("envoy.service.auth.v3.Authorization/Check", {"attributes": {"source": {"address": {"socketAddress": {
                    "address": "10.0.12.1", "portValue": 1}}}, "request": {"http": {"headers": {"x-forwarded-for": "8.8.8.8"}}}}},
                 ("dynamicMetadata", "client_ip"), "8.8.8.8")]
        for method, data, path, value in rows:
            with self.subTest(method=method):
                code, out, err = self.grpcurl(method, data=data)
                self.assertEqual(code, 0, err)
                got = json.loads(out)
                for step in path:
                    got = got[step]
                self.assertEqual(got, value)

    def test_grpcurl_shows_which_field_is_to_blame(self):
        code, _, err = self.grpcurl("iptrust.v1.TrustService/Resolve", data={"request": {}})
        self.assertEqual(code, 64 + 3, err)
        self.assertIn("request.peer", err)

    def test_ghz_gets_an_answer_to_each_of_its_calls(self):
        asked = {"request": {"peer": "10.0.12.1", "headers": [{"name": "X-Forwarded-For", "value": "OC44LjguOA=="}]}}
        files = {"-cacert": "--cacert", "-cert": "--cert", "-key": "--key"}
        flags = [files.get(flag, flag) for flag in self.way.flags()] or ["--insecure"]
        for method, data in (("Resolve", asked), ("ResolveStream", [asked] * 20)):
            with self.subTest(method=method):
                done = subprocess.run([CLIENTS / "bin" / "ghz", *flags, "--call", "iptrust.v1.TrustService." + method, "-d",
                                       json.dumps(data), "-n", "1000", "-c", "40", "--connections", "4", "-t", "%ds" % SECONDS,
                                       "-O", "json", self.target()], capture_output=True, timeout=4 * SECONDS, check=False)
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                self.assertEqual(json.loads(done.stdout)["statusCodeDistribution"], {"OK": 1000})

    # ---- Go and Node ----

    def target(self):
        return self.address if self.kind != "unix" else self.address.replace("unix:", "unix://")

    def test_go_control_plane_reads_the_answers_of_check(self):
        done = subprocess.run([CLIENTS / "bin" / "check", *self.way.flags(), self.target()], capture_output=True,
                              timeout=2 * SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        health, annotate, enforce, nothing = map(json.loads, done.stdout.splitlines())
        self.assertEqual(health["Serving"], "SERVING")
        self.assertEqual((annotate["Code"], annotate["Denied"]), (0, False))
        self.assertEqual(annotate["Set"]["x-iptrust-client-ip"], "8.8.8.8")
        self.assertEqual(annotate["Metadata"]["client_ip"], "8.8.8.8")
        self.assertIn("x_iptrust_client_ip", annotate["Removed"])
        self.assertNotIn("x-iptrust-client-ip", annotate["Removed"])
        self.assertEqual((enforce["Denied"], enforce["Status"], enforce["Code"]), (True, 403, 7))
        self.assertEqual(json.loads(enforce["Body"])["status"], 403)
        self.assertIn("x-iptrust-confidence", nothing["Set"])

    def test_node_speaks_with_it(self):
        done = subprocess.run([CLIENTS / "bin" / "node", PROTOS.parent / "tests/system/grpc/node/client.js", *self.way.flags(),
                               self.address, PROTOS], capture_output=True, timeout=2 * SECONDS, check=False,
                              env={**os.environ, "NODE_PATH": str(CLIENTS / "node_modules")})
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        told = json.loads(done.stdout)
        self.assertEqual(told["health"], "SERVING")
        self.assertEqual((told["decision"]["client_ip"], told["decision"]["confidence"]["level"]), ("8.8.8.8", "LEVEL_HIGH"))
        self.assertEqual(told["missing"]["code"], grpc.StatusCode.INVALID_ARGUMENT.value[0])
        self.assertEqual(told["stream"], [str(i) for i in range(100)])


class Plain(Clients, unittest.TestCase):
    kind = "tcp"


class Unix(Clients, unittest.TestCase):
    kind = "unix"


class Tls(Clients, unittest.TestCase):
    kind = "tls"

    def test_a_caller_in_plain_text_gets_nothing(self):
        with grpc.insecure_channel(self.address) as channel:
            self.fails(grpc.StatusCode.UNAVAILABLE, Stub(channel).status, PB.GetStatusRequest())

    def test_a_caller_that_does_not_know_the_authority_turns_away(self):
        other = Authority()
        self.addCleanup(other.close)
        with grpc.secure_channel(self.address, grpc.ssl_channel_credentials(other.read("ca.pem"))) as channel:
            self.fails(grpc.StatusCode.UNAVAILABLE, Stub(channel).status, PB.GetStatusRequest())


class MutualTls(Clients, unittest.TestCase):
    kind = "mtls"

    def test_a_caller_without_a_certificate_gets_nothing(self):
        with Way("tls", Clients.authority).channel(self.address) as channel:
            self.fails(grpc.StatusCode.UNAVAILABLE, Stub(channel).status, PB.GetStatusRequest())

    def test_a_caller_of_another_name_is_denied(self):
        with Way("mtls", Clients.authority, "stranger").channel(self.address) as channel:
            self.fails(grpc.StatusCode.PERMISSION_DENIED, Stub(channel).resolve, PB.ResolveRequest(request=request()))


class Freshness(unittest.TestCase):
    def test_a_list_that_becomes_stale_is_told_by_itself(self):
        """Nobody reloads or fetches: a timer publishes the view, and health follows what must be fresh, for who watches, too."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 48))
        d = Daemon(CONFIG.replace("lists:\n", "ready: {require_fresh: [lb]}\nlists:\n").replace(
            "[10.0.12.0/24], internal: true", "[10.0.12.0/24], internal: true, soft_age: 1m, fetched_at: %s" % since))
        self.addCleanup(d.stop)

        def seen():
            _, answer = d.resolve({"peer": "10.0.12.1", "headers": [["X-Forwarded-For", "8.8.8.8"]]})
            stale = "list_stale" in [r["code"] for r in answer["confidence"]["reasons"]]
            return d.call("GET", "/readyz", listener="health")[0], answer["client_ip"], stale, answer["revision"]["lists"]

        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=""), timeout=2 * SECONDS)
            self.assertEqual(next(watching).status, health_pb2.HealthCheckResponse.SERVING)
            before = seen()
            self.assertEqual(before[:3], (200, "8.8.8.8", False))
            self.assertEqual(next(watching).status, health_pb2.HealthCheckResponse.NOT_SERVING)
            self.assertEqual(seen(), (503, "8.8.8.8", True, before[3]))
            watching.cancel()
        self.assertTrue(d.wait_log("freshness of a list changed"))
        told = [line["msg"] for line in d.lines]
        self.assertEqual((told.count("freshness of a list changed"), told.count("configuration reloaded")), (1, 0))


class Ending(unittest.TestCase):
    def test_who_watches_hears_of_the_end(self):
        """The channel lives until the daemon is gone: NOT_SERVING at SIGTERM, calls still answered, then an end with a status."""
        d = Daemon(CONFIG.replace("delay: 300ms", "delay: 1500ms"))
        heard, over, serving = [], [], threading.Event()
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=""))

            def listen():
                try:
                    for answer in watching:
                        heard.append(answer.status)
                        serving.set()
                except grpc.RpcError as error:
                    over.append(error.code())

            listener = threading.Thread(target=listen)
            listener.start()
            self.assertTrue(serving.wait(SECONDS))
            os.kill(d.process.pid, signal.SIGTERM)
            self.assertTrue(d.wait_log("draining", 10), d.stderr())
            answer = Stub(channel).resolve(PB.ResolveRequest(request=request()), timeout=SECONDS)
            self.assertEqual(answer.decision.client_ip, "8.8.8.8")
            listener.join(SECONDS)
            self.assertFalse(listener.is_alive())
        d.stop()
        self.assertEqual(heard, [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING])
        self.assertEqual(over, [grpc.StatusCode.UNAVAILABLE])

    def test_a_service_that_is_unknown_may_be_watched(self):
        d = Daemon()
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="later"))
            self.assertEqual(next(watching).status, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
            watching.cancel()
        d.stop()


if __name__ == "__main__":
    unittest.main()
