"""What the gRPC transport withstands: its limits are shown and held, connections come and go in any way, descriptors run out, the
end comes while it is busy. Against the real daemon; connections that no gRPC client would make are made by hand with h2."""
import json
import os
import pwd
import resource
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from grpc_peers import CLIENTS, PB, TRUST, Authority, Stub, Way, request
from rest_daemon import BINARY, CONFIG, Daemon, read_all

SECONDS = 30
SANITIZED = os.environ.get("IPTRUST_SANITIZED", "")
CALLS = int(os.environ.get("IPTRUST_CALLS", "50000"))  # of the memory test; .ci/long asks for more
MEMORY_MB = 40
AUTH = grpc.protos("envoy/service/auth/v3/external_auth.proto")
CHECK = "/envoy.service.auth.v3.Authorization/Check"


def limited(limits):
    return CONFIG.replace("drain:", "limits: {%s}\ndrain:" % limits)


def asked(**more):
    return PB.ResolveRequest(request=request(**more))


def load(address, *args):
    """A running load of eight clients (the Go program's)."""
    return subprocess.Popen([CLIENTS / "bin" / "check", *args, address], stdout=subprocess.PIPE)


class Raw:
    """An HTTP/2 connection frame by frame; of a context of TLS, over that."""

    def __init__(self, d, source=None, context=None):
        self.sock, self.data, self.body = d.raw("grpc", SECONDS, source), b"", b""
        if context is not None:
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.send()

    def send(self):
        self.sock.sendall(self.h2.data_to_send())

    def events(self, seconds=SECONDS):
        """Events until the connection ends, frame by frame: what follows a reset or a farewell is no error of ours."""
        self.sock.settimeout(seconds)
        while True:
            while len(self.data) >= 9 and len(self.data) >= 9 + int.from_bytes(self.data[:3], "big"):
                length = 9 + int.from_bytes(self.data[:3], "big")
                frame, self.data = self.data[:length], self.data[length:]
                try:
                    told = self.h2.receive_data(frame)
                except h2.exceptions.ProtocolError:
                    continue
                self.send()
                yield from told
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                return
            if not more:
                return
            self.data += more

    def until(self, kind, seconds=SECONDS):
        """The first event of that kind; None when the connection ended before."""
        return next((event for event in self.events(seconds) if isinstance(event, kind)), None)

    def call(self, path=TRUST + "Resolve", message=None, headers=(), pause=0):
        """The trailers of a call, whose message is sent after a pause; of one that was reset its error code, as "reset". What
        came before the trailers is in body."""
        stream = self.h2.get_next_available_stream_id()
        body = (message or asked()).SerializeToString()
        self.h2.send_headers(stream, [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
                                      ("content-type", "application/grpc"), ("te", "trailers"), *headers])
        self.send()
        time.sleep(pause)
        self.h2.send_data(stream, b"\0" + len(body).to_bytes(4, "big") + body, end_stream=True)
        self.send()
        for event in self.events():
            if isinstance(event, h2.events.StreamReset):
                return {"reset": int(event.error_code)}
            if isinstance(event, h2.events.DataReceived):
                self.body += event.data
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)) and "grpc-status" in dict(event.headers):
                return dict(event.headers)
        return {}

    def close(self):
        self.sock.close()


class Limits(unittest.TestCase):
    def daemon(self, config=CONFIG, **more):
        d = Daemon(config, **more)
        self.addCleanup(d.stop)
        return d

    def is_open(self, sock):
        """Whether the daemon greets with its settings, as it does everybody whom it takes, or closes."""
        try:
            return bool(sock.recv(9))
        except ConnectionResetError:
            return False

    def hold(self, d, source):
        sock = d.raw("grpc", SECONDS, (source, 0))
        self.addCleanup(sock.close)
        return sock

    def test_connections_beyond_the_limits_are_closed(self):
        d = self.daemon(limited("connections: 6, per_address: 3"))
        kept = [self.hold(d, "127.0.5.%d" % n) for n in (1, 1, 1)]
        self.assertTrue(all(map(self.is_open, kept)))
        self.assertFalse(self.is_open(self.hold(d, "127.0.5.1")), "a fourth of one address")
        kept += [self.hold(d, "127.0.5.%d" % n) for n in (2, 3, 4)]
        self.assertTrue(all(map(self.is_open, kept[3:])))
        self.assertFalse(self.is_open(self.hold(d, "127.0.5.9")), "a seventh of all")
        self.assertFalse(any(read_all(sock, 0.1)[1] for sock in kept))
        kept[0].close()
        end = time.monotonic() + 10
        while not self.is_open(self.hold(d, "127.0.5.9")):
            self.assertLess(time.monotonic(), end, "a place that is free again is given again")

    def test_connections_that_come_and_go_leave_the_count_right(self):
        d = self.daemon(limited("connections: 8, per_address: 8"))
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"

        def churn(way):
            for i in range(400):
                with d.raw("grpc", SECONDS) as sock:
                    try:
                        if way % 2:
                            sock.sendall(preface if i % 2 else b"GET / HTTP/1.1\r\n\r\n")
                        if way % 4 == 3:
                            sock.recv(100)
                    except OSError:
                        pass

        threads = [threading.Thread(target=churn, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept, end = [], time.monotonic() + SECONDS
        while len(kept) < 8:
            sock = self.hold(d, "127.0.0.1")
            if self.is_open(sock):
                kept.append(sock)
            self.assertLess(time.monotonic(), end, "%d of 8 places" % len(kept))
        self.assertFalse(self.is_open(self.hold(d, "127.0.0.1")))

    def test_a_hundred_streams_are_what_is_shown_and_held(self):
        d = self.daemon()
        raw = Raw(d)
        self.addCleanup(raw.close)
        settings = raw.until(h2.events.RemoteSettingsChanged).changed_settings
        self.assertEqual(settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS].new_value, 100)
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            stub, hold = Stub(channel), threading.Event()

            def one():
                yield PB.ResolveStreamRequest(request=request())
                hold.wait(SECONDS)

            held = [stub.stream(one()) for _ in range(100)]
            for stream in held:
                next(stream)
            late = stub.resolve.future(asked(), timeout=SECONDS)
            time.sleep(0.5)
            self.assertFalse(late.done(), "a call beyond the streams waits")
            hold.set()
            self.assertEqual(late.result().decision.client_ip, "8.8.8.8")

    def test_messages_and_streams_are_limited_as_configured(self):
        d = self.daemon(limited("message: 64KiB, streams: 7"))
        raw = Raw(d)
        self.addCleanup(raw.close)
        settings = raw.until(h2.events.RemoteSettingsChanged).changed_settings
        self.assertEqual(settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS].new_value, 7)
        large = PB.Header(name="A", value=b"a" * 70000)
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            stub = Stub(channel)
            small = asked(headers=[PB.Header(name="A", value=b"a" * 60000)])
            self.assertTrue(stub.resolve(small, timeout=SECONDS).decision.client_ip)
            with self.assertRaises(grpc.RpcError) as caught:
                stub.resolve(asked(headers=[large]), timeout=SECONDS)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
            check = AUTH.CheckRequest()  # what Envoy hands on is its clients', and never an error
            check.attributes.request.http.headers["cookie"] = "a" * 70000
            self.assertTrue(channel.unary_unary(CHECK)(check.SerializeToString(), timeout=SECONDS))

    def test_a_deadline_that_has_passed_is_a_status(self):
        d = self.daemon()
        for timeout, status in (("1m", "4"), ("20S", "0")):
            raw = Raw(d)
            self.addCleanup(raw.close)
            self.assertEqual(raw.call(headers=[("grpc-timeout", timeout)], pause=0.3).get("grpc-status"), status)

    def test_metadata_beyond_16_kib_is_refused(self):
        d = self.daemon()
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            stub = Stub(channel)
            self.assertTrue(stub.resolve(asked(), timeout=SECONDS, metadata=[("x", "a" * 8000)]).decision.complete)
            with self.assertRaises(grpc.RpcError) as caught:
                stub.resolve(asked(), timeout=SECONDS, metadata=[("x", "a" * 20000)])
            self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        # The library ends the connection with it; channels of one process share those.
        with grpc.insecure_channel(d.addresses["grpc"], [("grpc.use_local_subchannel_pool", 1)]) as channel:
            self.assertTrue(Stub(channel).resolve(asked(), timeout=SECONDS).decision.complete)

    def test_pings_are_answered_and_sent(self):
        d = self.daemon(limited("keepalive: 1s"))
        raw = Raw(d)
        self.addCleanup(raw.close)
        raw.h2.ping(b"12345678")
        raw.send()
        self.assertEqual(raw.until(h2.events.PingAckReceived).ping_data, b"12345678")
        self.assertIsNotNone(raw.until(h2.events.PingReceived, 15), "a connection without calls is asked whether it lives")

    def test_an_old_connection_is_told_to_go_and_its_client_goes_on(self):
        d = self.daemon(limited("connection_age: 1s"))
        raw = Raw(d)
        self.addCleanup(raw.close)
        self.assertIsNotNone(raw.until(h2.events.ConnectionTerminated, 15))
        running = load(d.addresses["grpc"], "-seconds", "5")
        told = json.loads(running.communicate(timeout=60)[0])
        self.assertEqual((told["Failed"], told["First"]), (0, ""))
        self.assertGreater(told["Calls"], 100)

    def test_what_is_no_http2_holds_no_place(self):
        d = self.daemon(limited("connections: 4, per_address: 4, keepalive: 1s, connection_age: 2s"))
        silent = [self.hold(d, "127.0.0.1") for _ in range(2)]
        garbage = [self.hold(d, "127.0.0.1") for _ in range(2)]
        for sock in garbage:
            sock.sendall(os.urandom(200) if sock is garbage[0] else b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(read_all(sock, 10)[1], "garbage is answered by an end")
        for sock in silent:
            self.assertTrue(read_all(sock, 60)[1], "who never says anything is sent away")
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            self.assertTrue(Stub(channel).resolve(asked(), timeout=SECONDS, wait_for_ready=True).decision.complete)

    def test_running_out_of_descriptors_passes(self):
        d = self.daemon(limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
        held = [self.hold(d, "127.0.3.%d" % (i % 3 + 1)) for i in range(120)]
        time.sleep(0.5)
        for sock in held:
            sock.close()
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            self.assertTrue(Stub(channel).resolve(asked(), timeout=SECONDS, wait_for_ready=True).decision.complete)

    def test_the_mode_of_a_unix_socket_says_who_may_connect(self):
        if os.geteuid() != 0:
            self.skipTest("only root can try as another user")
        nobody = pwd.getpwnam("nobody")
        for mode, may in (("0600", False), ("0660", False), ("0666", True)):
            with self.subTest(mode=mode), tempfile.TemporaryDirectory(prefix="ipt-sock-") as directory:
                os.chmod(directory, 0o755)
                path = directory + "/grpc.sock"
                d = Daemon(CONFIG.replace("grpc: {listen: 127.0.0.1:0}", 'grpc: {listen: "unix:%s", mode: "%s"}' % (path, mode)))
                try:
                    self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), int(mode, 8))
                    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
                    done = subprocess.run(["/usr/bin/python3", "-c", code, path], user=nobody.pw_uid, group=nobody.pw_gid,
                                          extra_groups=[], cwd="/", capture_output=True, check=False)
                    self.assertEqual(done.returncode == 0, may, done.stderr.decode())
                finally:
                    d.stop()
                self.assertFalse(os.path.exists(path))

    def test_a_port_that_is_taken_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as directory:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            path = os.path.join(directory, "c.yaml")
            with open(path, "w") as f:
                f.write(CONFIG.replace("%(dir)s", directory).replace("grpc: {listen: 127.0.0.1:0}", "grpc: {listen: %s}" % address))
            done = subprocess.run([BINARY, "--config", path], capture_output=True, timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, 1, done.stderr.decode())
            [line] = [l for l in map(json.loads, done.stderr.splitlines()) if l["msg"] == "cannot listen"]
            self.assertEqual((line["listener"], line["address"]), ("grpc", address))


class Callers(unittest.TestCase):
    """From an address that nobody named: a certificate that was verified makes a caller trusted, and nothing else does."""

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.close)

    def context(self, who):
        context = ssl.create_default_context(cafile=self.authority.file("ca.pem"))
        context.set_alpn_protocols(["h2"])
        if who:
            context.load_cert_chain(self.authority.file(who + ".pem"), self.authority.file(who + ".key"))
        return context

    def daemon(self, kind):
        d = Daemon(CONFIG.replace("grpc: {listen: 127.0.0.1:0}", "grpc: " + Way(kind, self.authority).listen()))
        self.addCleanup(d.stop)
        return d

    def test_who_is_trusted(self):
        rows = (("tcp", None, "127.0.0.1", True), ("tcp", None, "127.0.0.2", False), ("tls", None, "127.0.0.2", False),
                ("tls", "caller", "127.0.0.2", False), ("mtls", "caller", "127.0.0.2", True))
        for kind, who, source, trusted in rows:
            with self.subTest(kind=kind, who=who, source=source):
                raw = Raw(self.daemon(kind), (source, 0), None if kind == "tcp" else self.context(who))
                try:
                    self.assertEqual(raw.call().get("grpc-status"), "0")
                finally:
                    raw.close()
                decision = PB.ResolveResponse.FromString(raw.body[5:]).decision
                self.assertEqual(decision.client_ip, "8.8.8.8")
                told = [reason.code for reason in decision.confidence.reasons]
                self.assertEqual("caller_unauthenticated" not in told, trusted, told)

    def test_a_renewed_certificate_is_shown_and_calls_go_on(self):
        d = self.daemon("mtls")
        host, port = d.addresses["grpc"].rsplit(":", 1)

        def shown():
            with socket.create_connection((host, int(port)), SECONDS) as sock, \
                    self.context("caller").wrap_socket(sock, server_hostname="localhost") as tls:
                return tls.getpeercert(True)

        def on_disk():
            return ssl.PEM_cert_to_DER_cert(self.authority.read("server.pem").decode())

        old = Raw(d, None, self.context("caller"))
        self.addCleanup(old.close)
        self.assertEqual((old.call().get("grpc-status"), shown()), ("0", on_disk()))
        self.authority.make("server", "DNS:localhost,IP:127.0.0.1")
        end = time.monotonic() + SECONDS
        while shown() != on_disk():
            self.assertLess(time.monotonic(), end, d.stderr())
            time.sleep(0.1)
        self.assertEqual(old.call().get("grpc-status"), "0", "a connection of before lives on")
        self.assertTrue([l for l in d.lines if l["msg"].startswith("certificate ") and l["listener"] == "grpc"], d.stderr())


class Counting(unittest.TestCase):
    def test_calls_are_counted_by_method_and_result(self):
        d = Daemon()
        self.addCleanup(d.stop)
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            stub = Stub(channel)
            for _ in range(3):
                stub.resolve(asked(), timeout=SECONDS)
            with self.assertRaises(grpc.RpcError):
                stub.resolve(PB.ResolveRequest(), timeout=SECONDS)
            stub.batch(PB.ResolveBatchRequest(requests=[request()] * 5), timeout=SECONDS)
            self.assertEqual(len(list(stub.stream(iter([PB.ResolveStreamRequest(request=request())] * 2), timeout=SECONDS))), 2)
            stub.lookup(PB.LookupAddressRequest(address="8.8.8.8"), timeout=SECONDS)
            stub.status(PB.GetStatusRequest(), timeout=SECONDS)
            self.assertTrue(channel.unary_unary(CHECK)(b"", timeout=SECONDS))
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=SECONDS)
        text = d.call("GET", "/metrics", listener="health")[2].decode()

        def value(name):
            return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

        for api, result, count in (("grpc_resolve", "ok", 3), ("grpc_resolve", "missing_peer", 1), ("grpc_batch", "ok", 1),
                                   ("grpc_lookup", "ok", 1), ("grpc_status", "ok", 1), ("grpc_health", "ok", 1), ("ext_authz", "ok", 1)):
            self.assertEqual(value('iptrust_requests_total{api="%s",result="%s"}' % (api, result)), count, (api, result))
        self.assertGreater(value('iptrust_requests_total{api="grpc_stream",result="ok"}'), 0)
        self.assertEqual(value('iptrust_request_duration_seconds_count{api="grpc_resolve"}'), 4)
        self.assertEqual(value("iptrust_decisions_total{"), 3 + 5 + 2 + 1)


class Load(unittest.TestCase):
    def test_reloads_under_load_fail_nobody(self):
        d = Daemon()
        running = load(d.addresses["grpc"], "-seconds", "20")
        try:
            reloads = 0
            while running.poll() is None and reloads < 200:
                os.kill(d.process.pid, signal.SIGHUP)
                reloads += 1
                time.sleep(0.05)
            told = json.loads(running.communicate(timeout=60)[0])
        finally:
            running.kill()
            running.wait()
            d.stop()
        self.assertEqual((reloads, told["Failed"], told["First"]), (200, 0, ""))

    def test_the_end_waits_for_streams_as_long_as_it_may(self):
        d = Daemon(CONFIG.replace("timeout: 3s", "timeout: 2s"))
        with grpc.insecure_channel(d.addresses["grpc"]) as channel:
            stub, hold, over = Stub(channel), threading.Event(), []

            def one():
                yield PB.ResolveStreamRequest(request=request())
                hold.wait(SECONDS)

            held = [stub.stream(one()) for _ in range(10)]
            for stream in held:
                next(stream)
            begin = time.monotonic()
            os.kill(d.process.pid, signal.SIGTERM)
            for stream in held:
                with self.assertRaises(grpc.RpcError) as caught:
                    next(stream)
                over.append(caught.exception.code())
            code = d.process.wait(SECONDS)
            took = time.monotonic() - begin
            hold.set()
        d.stop()
        self.assertEqual(code, 0)
        self.assertGreater(took, 2, "the streams were given their time")
        self.assertLess(took, 8 if SANITIZED else 5)
        self.assertNotIn(grpc.StatusCode.UNKNOWN, over)

    def test_many_calls_leave_memory_as_it_was(self):
        if SANITIZED:
            self.skipTest("memory of a sanitized build says nothing")
        d = Daemon()
        try:
            told = json.loads(load(d.addresses["grpc"], "-calls", str(CALLS)).communicate(timeout=600)[0])
            with open("/proc/%d/status" % d.process.pid) as f:
                resident = next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))
        finally:
            d.stop()
        print("%d calls: %d MB resident" % (told["Calls"], resident), file=sys.stderr)
        self.assertEqual((told["Calls"], told["Failed"]), (CALLS, 0))
        self.assertLess(resident, MEMORY_MB)


if __name__ == "__main__":
    unittest.main()
