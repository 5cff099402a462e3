"""What a hostile caller can do to the gRPC listener as nghttp2 carries it, one thing after another, while an honest client sends
500 calls a second and must not see a single error. What an attack leaves in memory is measured; who floods is sent away."""
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import http2_raw as h
from grpc_peers import CLIENTS, HERE, PB, TRUST, Authority, Way, request
from http2_raw import Raw
from rest_daemon import CONFIG, Daemon

SANITIZED = os.environ.get("IPTRUST_SANITIZED", "")
SCALE = 4 if SANITIZED else 1
RATE, DEADLINE = (100, 30) if SANITIZED else (500, 10)
RESETS = 50000 // SCALE
FLOOD = 500000 // SCALE
IDLE = 2000 // SCALE
KIB = 1024
CHECK = TRUST + "Resolve"
OPEN = "limits: {connections: 8000, per_address: 4000}\ndrain:"
BODY = h.message(PB.ResolveRequest(request=request()).SerializeToString())
SLOW_S = 60  # every timer of the listener is shorter
HELLO_S = 10  # a connection's first words have to come
TAKE_S = 32  # an answer has to be taken in 30
resource.setrlimit(resource.RLIMIT_NOFILE, (max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 2 * IDLE + 1000),
                                            max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 2 * IDLE + 1000)))


class Good:
    """The honest client."""

    def __init__(self, address, ca=None):
        self.process = subprocess.Popen([sys.executable, HERE / "grpc_good_client.py", address, str(RATE), str(DEADLINE),
                                         *([ca] if ca else [])],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def told(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"calls": 0, "failed": 1, "first": "the honest client is gone", "slowest_ms": 0}

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE + 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def resident(d):
    """Bytes."""
    with open("/proc/%d/status" % d.process.pid, encoding="ascii") as f:
        return next(int(line.split()[1]) * KIB for line in f if line.startswith("VmRSS"))


class Abused(unittest.TestCase):
    """A daemon, its honest client, and what is asked after every test: it lives, answers others, and the client saw nothing."""
    config = CONFIG.replace("drain:", OPEN)
    ca = context = None  # of TLS

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(cls.config)
        cls.address = cls.d.addresses["grpc"]
        cls.good = Good(cls.address, cls.ca)
        cls.good.told()

    @classmethod
    def tearDownClass(cls):
        cls.good.stop()
        cls.d.stop()

    def setUp(self):
        self.begin, self.before = time.monotonic(), self.good.told()
        self.rss = resident(self.d)

    def tearDown(self):
        self.assertIsNone(self.d.process.poll(), self.d.stderr())
        self.answers()
        time.sleep(max(0, self.begin + 1 - time.monotonic()))
        told, took = self.good.told(), time.monotonic() - self.begin
        calls = told["calls"] - self.before["calls"]
        print("  %s: %.1f s, %d honest calls (%d a second), %d failed, the slowest %d ms, resident %+d KiB" %
              (self.id().rsplit(".", 1)[1], took, calls, calls / took, told["failed"], told["slowest_ms"],
               (resident(self.d) - self.rss) // KIB), file=sys.stderr)
        self.assertEqual((told["failed"], told["first"]), (0, ""))
        self.assertGreater(calls, took * RATE / 4, "the honest client got through")

    def raw(self, source="127.0.0.1"):
        return Raw(self.address, source, self.context)

    def answers(self):
        """A caller who comes now is answered."""
        with self.raw() as raw:
            raw.pour(h.greeting() + h.headers(1, h.fields(CHECK)) + h.frame(h.DATA, h.END_STREAM, 1, BODY))
            raw.listen(DEADLINE, lambda: raw.count(h.HEADERS) >= 2)
            self.assertEqual(raw.count(h.HEADERS), 2, raw.got)

    def grew_less(self, limit):
        """The most that memory may have grown since the test began; a sanitizer keeps what was freed."""
        grown = resident(self.d) - self.rss
        if not SANITIZED:
            self.assertLess(grown, limit)
        return grown

    def sent_away(self, raw, seconds=20):
        raw.listen(seconds)
        self.assertTrue(raw.closed, "the connection is open after %d bytes" % raw.sent)
        self.assertNotIn(raw.farewell(), (0,))  # none at all: the end of the connection has overtaken it

    def flood(self, data, settings=(), read=True, before=b""):
        """One connection that sends this after its greeting, and is sent away before the end."""
        with self.raw("127.0.6.1") as raw:
            raw.pour(h.greeting(*settings) + before + data, read)
            self.sent_away(raw)
            return raw


class Floods(Abused):
    def test_rapid_reset(self):
        """CVE-2023-44487, as many connections as it takes."""
        block, streams, connections = h.fields(CHECK), 0, 0
        stream = b"".join(h.headers(i, block) + h.reset(i) for i in range(1, 2 * RESETS, 2))
        while streams < RESETS:
            raw = self.flood(stream)
            self.assertLess(raw.last_stream(), 2 * RESETS - 1, "it was let to the end")
            streams, connections = streams + (raw.last_stream() + 1) // 2, connections + 1
            self.assertLess(connections, 100)
        sent = streams * len(stream) // RESETS
        grown = self.grew_less(8 << 20)
        print("  %d resets on %d connections, %d bytes: %.3f bytes held a byte sent" %
              (streams, connections, sent, max(grown, 0) / sent), file=sys.stderr)
        if not SANITIZED:
            self.assertLess(grown, 4 * sent)

    def test_rapid_reset_of_calls_that_are_whole(self):
        block = h.fields(CHECK)
        self.flood(b"".join(h.headers(i, block) + h.frame(h.DATA, h.END_STREAM, i, BODY) + h.reset(i)
                            for i in range(1, 2 * RESETS, 2)))
        self.grew_less(8 << 20)

    def test_made_you_reset(self):
        """CVE-2025-8671: what makes a server reset streams, which no count of resets received sees."""
        block = h.fields(CHECK)
        ways = {
            "a window that overflows": lambda i: h.headers(i, block) + h.window(i, 0x7fffffff),
            "a window update of nothing": lambda i: h.headers(i, block) + h.window(i, 0),
            "DATA after the end": lambda i: h.headers(i, block, 5) + h.frame(h.DATA, 0, i, b"x"),
            "HEADERS after the end": lambda i: h.headers(i, block, 5) + h.headers(i, block, 5),
            "more DATA than said": lambda i: h.headers(i, h.fields(CHECK, (b"content-length", b"1"))) + h.frame(h.DATA, 0, i, b"xx"),
            "less DATA than said": lambda i: h.headers(i, h.fields(CHECK, (b"content-length", b"9"))) + h.frame(h.DATA, 1, i, b"x"),
            "a name in capitals": lambda i: h.headers(i, h.fields(CHECK, (b"Upper", b"x"))),
            "a header of connections": lambda i: h.headers(i, h.fields(CHECK, (b"connection", b"close"))),
            "a call of nothing": lambda i: h.headers(i, h.fields("/no.Service/Method")),
            "a priority on itself": lambda i: h.headers(i, block) + h.frame(h.PRIORITY, 0, i, i.to_bytes(4, "big") + b"\0"),
        }
        for way, make in ways.items():
            with self.subTest(way=way):
                self.flood(b"".join(make(i) for i in range(1, 2 * RESETS, 2)))
        self.grew_less(8 << 20)

    def test_continuation(self):
        first = h.headers(1, h.fields(CHECK), 0)
        filler = h.literal(b"x", b"a" * 120) * 132  # nearly 16 KiB
        self.flood(first + h.frame(h.CONTINUATION, 0, 1, filler) * 2000)
        self.flood(first + h.frame(h.CONTINUATION, 0, 1, b"") * FLOOD)
        self.flood(first + h.frame(h.CONTINUATION, 0, 1, b"\0") * FLOOD)
        self.grew_less(8 << 20)

    def test_ping(self):
        for read in (True, False):
            self.flood(h.frame(h.PING, 0, 0, b"12345678") * FLOOD, read=read)
        self.grew_less(8 << 20)

    def test_settings(self):
        for payload in (b"", h.setting(h.INITIAL_WINDOW_SIZE, 1000), h.setting(1, 0) * 16, h.setting(1, 0) * 2000):
            for read in (True, False):
                self.flood(h.frame(h.SETTINGS, 0, 0, payload) * min(FLOOD, (32 << 20) // (9 + len(payload))), read=read)
        self.grew_less(8 << 20)

    def test_empty_data(self):
        self.flood(h.frame(h.DATA, 0, 1, b"") * FLOOD, before=h.headers(1, h.fields(CHECK)))
        padded = h.frame(h.DATA, 8, 1, b"\xc8" + bytes(200))  # nothing but padding
        self.flood(padded * (FLOOD // 4), before=h.headers(1, h.fields(CHECK)))
        self.grew_less(8 << 20)

    def test_frames_that_say_nothing(self):
        for kind, stream, payload in ((h.PRIORITY, 1, b"\0\0\0\0\0"), (99, 0, b""), (99, 1, b"x" * 30), (h.WINDOW_UPDATE, 0, b"\0\0\0\1"),
                                      (h.GOAWAY, 0, bytes(8))):
            with self.subTest(kind=kind, stream=stream), Raw(self.address, "127.0.6.1") as raw:
                all_of_it = h.frame(kind, 0, stream, payload) * FLOOD
                raw.pour(h.greeting() + all_of_it)
                raw.listen(3)
                if not raw.closed:  # what is taken costs little, and ends with the connection
                    self.assertEqual(kind, h.WINDOW_UPDATE)
        self.grew_less(8 << 20)

    def test_header_bombs(self):
        """HPACK: 4,000 bytes in the table, named again and again; a block of 11 KB is a list of 44 MB."""
        enter = b"\x40\x01x\x7f\xa1\x1e" + b"a" * 4000  # literal with indexing, value of 4,000 bytes
        for times in (10, 11000):
            with self.subTest(times=times), Raw(self.address, "127.0.6.1") as raw:
                streams = b"".join(h.headers(i, h.fields(CHECK) + (enter if i == 1 else b"") + b"\xbe" * times, 5)
                                   for i in range(1, 401, 2))
                raw.pour(h.greeting() + streams)
                raw.listen(5, lambda: raw.count(h.HEADERS) >= 200)
                self.assertTrue(raw.closed or raw.count(h.HEADERS) + raw.count(h.RST_STREAM) > 0, raw.got)
                if times > 10:
                    self.sent_away(raw)
        self.grew_less(8 << 20)

    def test_garbage(self):
        for garbage in (os.urandom(65536), h.PREFACE + os.urandom(65536), h.PREFACE * 3, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500), h.greeting() + h.frame(h.DATA, 0, 0, b"x")):
            with self.subTest(garbage=garbage[:24]), Raw(self.address, "127.0.6.1") as raw:
                raw.pour(garbage)
                self.sent_away(raw)


class Holding(Abused):
    def test_window_games(self):
        """Callers of large answers who take a byte at a time, or none; what waits for them has a limit, and an end."""
        body = h.message(PB.ResolveBatchRequest(requests=[request()] * 1000).SerializeToString())
        block, held, step = h.fields(TRUST + "ResolveBatch"), [], 16000

        def call(stream):
            pieces = [body[at:at + step] for at in range(0, len(body), step)]
            return h.headers(stream, block) + b"".join(h.frame(h.DATA, piece is pieces[-1], stream, piece) for piece in pieces)

        self.addCleanup(lambda: [raw.sock.close() for raw in held])
        for n in range(20 // SCALE):
            raw = Raw(self.address, "127.0.7.%d" % (n % 5 + 1))
            held.append(raw)
            # No window at all, one byte, the usual one with nothing read.
            raw.pour(h.greeting(*([h.setting(h.INITIAL_WINDOW_SIZE, n % 3)] if n % 3 < 2 else [])), read=False)
            raw.asked = 0
            while raw.asked < 3 and raw.pour(call(2 * raw.asked + 1), read=False, stall=1) > 0:
                raw.asked += 1
        for raw in held:
            raw.pour(b"".join(h.window(i, 1) for i in range(1, 2 * raw.asked, 2)), read=False, stall=0.2)
        grown = resident(self.d) - self.rss
        print("  %d connections that take nothing: %d KiB held" % (len(held), grown // KIB), file=sys.stderr)
        if not SANITIZED:
            self.assertLess(grown, 300 << 20)
        time.sleep(TAKE_S)
        for raw in held:
            raw.listen(SLOW_S, lambda raw=raw: raw.count(h.RST_STREAM) >= raw.asked)
            self.assertGreaterEqual(raw.count(h.RST_STREAM), raw.asked, "who takes nothing is let go")

    def test_slow_ones_are_let_go(self):
        """A byte every two seconds keeps nothing open: not of a preface, a frame, a header block, a message, nor silence."""
        block = h.fields(CHECK)
        ways = {
            "silence": (b"", b""),
            "a preface": (b"", h.PREFACE),
            "first settings": (h.PREFACE, h.frame(h.SETTINGS, 0, 0, b"\0" * 600)),
            "a frame of headers": (h.greeting(), h.headers(1, block)),
            "a header block": (h.greeting() + h.headers(1, block, 0), b"".join(h.frame(h.CONTINUATION, 0, 1, b"") for _ in range(9))),
            "a body": (h.greeting() + h.headers(1, block), h.frame(h.DATA, h.END_STREAM, 1, BODY)),
            "a body in frames": (h.greeting() + h.headers(1, block),
                                 b"".join(h.frame(h.DATA, 0, 1, BODY[i:i + 1]) for i in range(len(BODY)))),
            "a body that never begins": (h.greeting() + h.headers(1, block), b""),
        }
        raws = {way: Raw(self.address, "127.0.8.1") for way in ways}
        self.addCleanup(lambda: [raw.sock.close() for raw in raws.values()])
        for way, (first, _) in ways.items():
            raws[way].pour(first)
        begin, over = time.monotonic(), {}
        steps = 0
        while len(over) < len(ways) and time.monotonic() - begin < SLOW_S:
            for way, (_, drip) in ways.items():
                raw = raws[way]
                unit = 10 if way in ("a header block", "a body in frames") else 1
                if way not in over:
                    raw.pour(drip[steps * unit:(steps + 1) * unit])
                    raw.listen(0.01)
                    if raw.closed or raw.count(h.RST_STREAM) or raw.count(h.HEADERS):  # of a stream alone: its end
                        over[way] = time.monotonic() - begin
            steps += 1
            time.sleep(max(0, begin + 2 * steps - time.monotonic()))
        print("  let go after: " + ", ".join("%s %.0f s" % pair for pair in sorted(over.items())), file=sys.stderr)
        self.assertEqual(sorted(over), sorted(ways))

    def test_connections_at_rest(self):
        """An idle flood: two thousand that have said who they are, and nothing more."""
        with Raw(self.address) as raw:  # what a first connection of its kind costs is none of theirs
            raw.pour(h.greeting())
        rss, held = resident(self.d), []
        self.addCleanup(lambda: [raw.sock.close() for raw in held])
        for n in range(IDLE):
            raw = Raw(self.address, "127.0.9.%d" % (n % 100 + 1))
            raw.pour(h.greeting() + h.frame(h.SETTINGS, h.ACK))
            held.append(raw)
        for raw in held:
            raw.listen(DEADLINE, lambda raw=raw: raw.count(h.SETTINGS) >= 2)
            self.assertGreaterEqual(raw.count(h.SETTINGS), 2, "greeted and acknowledged")
        each = (resident(self.d) - rss) / IDLE / KIB
        print("  %d connections at rest: %.1f KiB each" % (IDLE, each), file=sys.stderr)
        if not SANITIZED:
            self.assertLess(each, 16)


class Descriptors(unittest.TestCase):
    def test_the_end_of_descriptors_is_over_in_a_second(self):
        d = Daemon(limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
        self.addCleanup(d.stop)
        address = d.addresses["grpc"]
        good = Good(address)
        self.addCleanup(good.stop)
        self.assertEqual(good.told()["failed"], 0)
        held = []
        for n in range(300):
            raw = Raw(address, "127.0.10.%d" % (n % 5 + 1))
            raw.pour(h.greeting())
            held.append(raw)
        time.sleep(1)
        for raw in held:
            raw.listen(0.01)
        self.assertTrue(any(raw.closed for raw in held), "some were turned away")
        self.assertFalse(all(raw.closed for raw in held), "some were taken")
        for raw in held:
            raw.sock.close()
        begin = time.monotonic()
        while True:
            with Raw(address) as raw:
                raw.pour(h.greeting() + h.headers(1, h.fields(CHECK)) + h.frame(h.DATA, h.END_STREAM, 1, BODY))
                raw.listen(5, lambda: raw.count(h.HEADERS) >= 2)
                if raw.count(h.HEADERS) >= 2:
                    break
            self.assertLess(time.monotonic() - begin, 30)
        took = time.monotonic() - begin
        print("  served again after %.2f s" % took, file=sys.stderr)
        self.assertLess(took, 10 if SANITIZED else 1)
        told = good.told()
        self.assertEqual((told["failed"], told["first"]), (0, ""))
        self.assertGreater(told["calls"], RATE / 4)


class Tls(Abused):
    """The same by TLS, and what lies below HTTP/2 there."""

    @classmethod
    def setUpClass(cls):
        authority = Authority()
        cls.addClassCleanup(authority.close)
        cls.config = Abused.config.replace("grpc: {listen: 127.0.0.1:0}", "grpc: " + Way("tls", authority).listen())
        cls.ca = authority.file("ca.pem")
        cls.context = ssl.create_default_context(cafile=cls.ca)
        cls.context.set_alpn_protocols(["h2"])
        super().setUpClass()

    def hands(self):
        """A handshake of which the test carries every byte: the session, what comes to it, what it says."""
        came, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.context.wrap_bio(came, said, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            session.do_handshake()
        return session, came, said

    def test_rapid_reset(self):
        block = h.fields(CHECK)
        raw = self.flood(b"".join(h.headers(i, block) + h.reset(i) for i in range(1, 2 * RESETS, 2)))
        self.assertLess(raw.last_stream(), 2 * RESETS - 1, "it was let to the end")
        self.grew_less(8 << 20)

    def test_garbage(self):
        for garbage in (h.greeting(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(65536),
                        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(600)):
            with self.subTest(garbage=garbage[:24]), Raw(self.address, "127.0.6.1") as raw:
                raw.pour(garbage)
                raw.listen(5)
                self.assertTrue(raw.closed, "nothing but TLS is taken")
        for garbage in h.PREFACE + os.urandom(65536), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n":
            with self.subTest(sealed=garbage[:24]), self.raw("127.0.6.1") as raw:
                raw.pour(garbage)
                self.sent_away(raw)

    def test_slow_hands_are_let_go(self):
        """A byte every two seconds keeps no handshake open, nor does one that is done and says nothing; and what four hundred of
        them hold meanwhile has a limit."""
        hello, second = self.hands()[2].read(), Raw(self.address, "127.0.8.1")
        session, came, said = self.hands()
        second.pour(said.read())
        while True:
            second.listen(DEADLINE, lambda: second.got)
            came.write(bytes(second.got))
            second.got.clear()
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.assertFalse(second.closed)
        ways = {
            "silence": (Raw(self.address, "127.0.8.1"), b""),
            "a hello": (Raw(self.address, "127.0.8.1"), hello),
            "a second flight": (second, said.read()),
            "silence after hands": (self.raw("127.0.8.1"), b""),
            "a preface": (self.raw("127.0.8.1"), h.PREFACE),
        }
        self.addCleanup(lambda: [raw.sock.close() for raw, _ in ways.values()])
        held, rss = [], resident(self.d)
        self.addCleanup(lambda: [raw.sock.close() for raw in held])
        for n in range(400 // SCALE):
            raw = Raw(self.address, "127.0.9.%d" % (n % 50 + 1))
            held.append(raw)
            raw.pour(hello)
            raw.listen(DEADLINE, lambda raw=raw: len(raw.got) > 0)
            self.assertTrue(raw.got, "greeted")
        each = (resident(self.d) - rss) / len(held) / KIB
        begin, steps, over = time.monotonic(), 0, {}
        while len(over) < len(ways) and time.monotonic() - begin < 2 * HELLO_S:
            for way, (raw, drip) in ways.items():
                if way not in over:
                    raw.pour(drip[steps:steps + 1])
                    raw.listen(0.01)
                    if raw.closed:
                        over[way] = time.monotonic() - begin
            steps += 1
            time.sleep(max(0, begin + 2 * steps - time.monotonic()))
        print("  %d half handshakes: %.1f KiB each; let go after: %s" %
              (len(held), each, ", ".join("%s %.0f s" % pair for pair in sorted(over.items()))), file=sys.stderr)
        self.assertEqual(sorted(over), sorted(ways))
        for raw in held:
            raw.listen(HELLO_S, lambda raw=raw: raw.closed)
            self.assertTrue(raw.closed, "half a handshake is open")
        if not SANITIZED:
            self.assertLess(each, 64)

    def test_connections_at_rest(self):
        count, held = 400 // SCALE, []
        self.addCleanup(lambda: [raw.sock.close() for raw in held])

        def one(n):
            raw = self.raw("127.0.9.%d" % (n % 50 + 1))
            held.append(raw)
            raw.pour(h.greeting() + h.frame(h.SETTINGS, h.ACK))
            raw.listen(DEADLINE, lambda: raw.count(h.SETTINGS) >= 2)
            self.assertGreaterEqual(raw.count(h.SETTINGS), 2, "greeted and acknowledged")

        one(0)
        rss = resident(self.d)
        for n in range(count):
            one(n)
        each = (resident(self.d) - rss) / count / KIB
        print("  %d connections at rest by TLS: %.1f KiB each" % (count, each), file=sys.stderr)
        if not SANITIZED:
            self.assertLess(each, 64)


class Proxy:
    """A real Envoy with one worker that asks the daemon about every request, speaks HTTP/2 with its clients, answers itself, and
    has no limit on what is under way."""

    def __init__(self, address):
        self.dir = tempfile.TemporaryDirectory(prefix="ipt-envoy-")
        host, port = address.rsplit(":", 1)
        package, v3 = "type.googleapis.com/envoy.extensions.", ".v3."
        limits = {name: 100000 for name in ("max_connections", "max_pending_requests", "max_requests", "max_retries")}
        manager = {
            "@type": package + "filters.network.http_connection_manager" + v3 + "HttpConnectionManager", "stat_prefix": "in",
            "codec_type": "HTTP2",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}]},
            "http_filters": [
                {"name": "ext_authz", "typed_config": {
                    "@type": package + "filters.http.ext_authz" + v3 + "ExtAuthz", "transport_api_version": "V3",
                    "grpc_service": {"timeout": "60s", "envoy_grpc": {"cluster_name": "authz"}}}},
                {"name": "router", "typed_config": {"@type": package + "filters.http.router" + v3 + "Router"}}]}
        config = {
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {
                "listeners": [{"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}, "filter_chains": [
                    {"filters": [{"name": "hcm", "typed_config": manager}]}]}],
                "clusters": [{
                    "name": "authz", "type": "STATIC", "connect_timeout": "10s", "per_connection_buffer_limit_bytes": 64 << 20,
                    "circuit_breakers": {"thresholds": [limits]},
                    "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                        "@type": package + "upstreams.http" + v3 + "HttpProtocolOptions",
                        "explicit_http_config": {"http2_protocol_options": {
                            "max_concurrent_streams": 20000, "max_outbound_frames": 100000, "max_outbound_control_frames": 100000}}}},
                    "load_assignment": {"cluster_name": "authz", "endpoints": [{"lb_endpoints": [{"endpoint": {
                        "address": {"socket_address": {"address": host, "port_value": int(port)}}}}]}]}}]}}
        path = os.path.join(self.dir.name, "envoy.json")
        with open(path, "w", encoding="ascii") as f:
            json.dump(config, f)
        with open(os.path.join(self.dir.name, "stderr"), "wb") as stderr:
            self.process = subprocess.Popen(
                [CLIENTS / "peers" / "bin" / "envoy", "-c", path, "--concurrency", "1", "--disable-hot-restart", "-l", "warning",
                 "--admin-address-path", os.path.join(self.dir.name, "admin")], stdout=stderr, stderr=stderr)
        end = time.monotonic() + 40
        while True:
            try:
                told = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
                self.address = "127.0.0.1:%d" % told[0]["local_address"]["socket_address"]["port_value"]
                return
            except (OSError, ValueError, KeyError, IndexError):
                if time.monotonic() > end or self.process.poll() is not None:
                    self.stop()
                    raise
            time.sleep(0.1)

    def admin(self, path):
        with open(os.path.join(self.dir.name, "admin"), encoding="ascii") as f:
            at = f.read().strip()
        with urllib.request.urlopen("http://%s%s" % (at, path), timeout=20) as answer:
            return answer.read().decode()

    def count(self, name):
        return int(self.admin("/stats?filter=^cluster.authz.%s$" % name).rsplit(":", 1)[1])

    def wait(self, name, value, seconds=DEADLINE):
        """Whether the count came to that."""
        end = time.monotonic() + seconds
        while self.count(name) < value:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.dir.cleanup()


class HonestProxy(unittest.TestCase):
    """All checks of a proxy share a connection, and each client of it that goes away resets one of them."""
    AT_ONCE, EACH = 10000, 400  # of one client's connection: Envoy itself suspects those that reset more
    A_SECOND, SECONDS, PULSE_S = 1000, 5, 0.2

    def setUp(self):
        self.d = Daemon(CONFIG.replace("drain:", "limits: {streams: 20000}\ndrain:"))
        self.addCleanup(self.d.stop)
        self.addCleanup(self.pause, False)
        self.proxy = Proxy(self.d.addresses["grpc"])
        self.addCleanup(self.proxy.stop)

    def pause(self, on):
        if self.d.process.poll() is None:
            os.kill(self.d.process.pid, signal.SIGSTOP if on else signal.SIGCONT)

    def answers(self):
        with Raw(self.proxy.address) as raw:
            raw.pour(h.greeting() + h.headers(1, h.fields("/"), 5))
            raw.listen(DEADLINE, lambda: raw.count(h.HEADERS))
            self.assertEqual(raw.count(h.HEADERS), 1)

    def go_away(self, clients, each):
        """Requests that wait for the daemon's answer, whose clients all go away before there is one."""
        before = self.proxy.count("upstream_rq_tx_reset")
        raws = [Raw(self.proxy.address) for _ in range(clients)]
        self.addCleanup(lambda: [raw.sock.close() for raw in raws])
        self.pause(True)
        asked = self.proxy.count("upstream_rq_total") + clients * each
        for raw in raws:
            raw.pour(h.greeting() + b"".join(h.headers(i, h.fields("/"), 5) for i in range(1, 2 * each, 2)))
        self.assertTrue(self.proxy.wait("upstream_rq_total", asked))
        for raw in raws:
            raw.pour(b"".join(h.reset(i) for i in range(1, 2 * each, 2)))
        self.assertTrue(self.proxy.wait("upstream_rq_tx_reset", before + clients * each), self.proxy.admin("/stats?usedonly"))
        self.pause(False)
        for raw in raws:
            raw.sock.close()

    def test_its_clients_may_go_away(self):
        self.answers()
        each = int(self.A_SECOND * self.PULSE_S)
        begin, pulses = time.monotonic(), int(self.SECONDS / self.PULSE_S)
        for n in range(pulses):
            self.go_away(1, each)
            time.sleep(max(0, begin + (n + 1) * self.PULSE_S - time.monotonic()))
        took = time.monotonic() - begin
        self.answers()
        self.go_away(self.AT_ONCE // self.EACH, self.EACH)
        for _ in range(50):
            self.answers()
        print("  %d gone in %.1f s, then %d at once; connections of Envoy: %d" %
              (pulses * each, took, self.AT_ONCE, self.proxy.count("upstream_cx_total")), file=sys.stderr)
        self.assertEqual(self.proxy.count("upstream_rq_tx_reset"), pulses * each + self.AT_ONCE)
        self.assertEqual([self.proxy.count("upstream_cx_total"), self.proxy.count("upstream_cx_destroy")], [1, 0])
        self.assertEqual(self.proxy.count("upstream_rq_rx_reset"), 0)


if __name__ == "__main__":
    unittest.main()
