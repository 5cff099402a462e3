"""The daemon over HTTP: every route, every refusal, and what must not get through. Standard library only."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from rest_daemon import BINARY, CONFIG, Daemon, read_all

ONE = {"peer": "10.0.12.1", "headers": [["X-Forwarded-For", "8.8.8.8"]]}


class Shared(unittest.TestCase):
    """One daemon for all tests of a class."""
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(cls.config)

    @classmethod
    def tearDownClass(cls):
        cls.d.stop()


class Routes(Shared):
    def test_resolve_answers_a_decision(self):
        status, decision = self.d.resolve(ONE)
        self.assertEqual(status, 200)
        self.assertEqual(decision["client_ip"], "8.8.8.8")
        self.assertEqual(decision["confidence"]["level"], "high")
        self.assertEqual([hop["verdict"] for hop in decision["chain"]], ["trusted", "client"])

    def test_every_answer_is_not_to_be_stored(self):
        for method, path, listener in (("GET", "/", "http"), ("GET", "/nope", "http"), ("POST", "/v1/resolve", "http"),
                                       ("GET", "/livez", "health"), ("GET", "/v1/lists", "admin")):
            _, headers, _ = self.d.call(method, path, listener=listener)
            self.assertEqual(headers["Cache-Control"], "no-store", path)

    def test_problems_have_their_code_and_status(self):
        rows = [
            ("{", 400, "bad_json"),
            ("[]", 400, "bad_json"),
            ('{"peer":"10.0.12.1","peer":"8.8.8.8"}', 400, "duplicate_key"),
            ('{"peer":"10.0.12.1","pear":1}', 400, "unknown_key"),
            ("{}", 400, "missing_peer"),
            ('{"peer":"10.0.12.1","headers":[["A","\\u0000"]]}', 400, "bad_header"),
            (b'{"peer":"10.0.12.1","headers":[["A","\xff"]]}', 400, "bad_encoding"),
            ('{"peer":"10.0.12.1","headers":' + "[" * 20 + "]" * 20 + "}", 400, "too_deep"),
            ('{"peer":"10.0.12.1","headers":{"a":"1","A":"2"}}', 400, "ambiguous_header"),
            ('{"peer":"10.0.12.1","proxy_protocol":"AAAA"}', 400, "bad_proxy_protocol"),
            ('{"peer":"10.0.12.1","policy":"nope"}', 404, "unknown_policy"),
            ('{"peer":"10.0.12.1","policy":"closed"}', 403, "policy_not_selectable"),
        ]
        for body, status, code in rows:
            with self.subTest(body=body):
                connection = self.d.connect()
                connection.request("POST", "/v1/resolve", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                problem = json.loads(answer.read())
                self.assertEqual((answer.status, problem["code"]), (status, code))
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
                connection.close()

    def test_problems_point_into_the_body(self):
        _, problem = self.d.resolve({"peer": "10.0.12.1", "policy": "nope"})
        self.assertEqual(problem["errors"][0]["pointer"], "/policy")

    def test_addresses_and_methods_that_do_not_exist(self):
        rows = [("GET", "/v1/auth/nginx", 404, None), ("GET", "/openapi.json", 404, None), ("GET", "/v1/ip/", 404, None),
                ("GET", "/metrics", 404, None), ("GET", "/v1/lists", 404, None), ("POST", "/v1/reload", 404, None),
                ("DELETE", "/v1/resolve", 405, "GET, HEAD, POST"), ("POST", "/ip", 405, "GET, HEAD"),
                ("GET", "/v1/resolve/batch", 405, "POST"), ("GET", "/v1/ip/010.0.0.1", 400, None)]
        for method, path, status, allow in rows:
            with self.subTest(method=method, path=path):
                got, headers, _ = self.d.call(method, path)
                self.assertEqual((got, headers["Allow"]), (status, allow))

    def test_nothing_is_cut_off_at_a_nul(self):
        rows = [("/v1/ip/8.8.8.8%00foo", 400), ("/ip%00x", 404), ("/ip?policy=self%00x", 404),
                ("/ip?policy%00x=nope", 200), ("/v1/ip/8.8%2e8.8", 200), ("/v1/ip/8.8.8.8%", 400), ("/v1/ip/8.8.8.8%0", 400),
                ("/ip?policy=s%65lf", 200), ("/%69%70", 200), ("/%%30%30", 404)]
        for path, status in rows:
            with self.subTest(path=path):
                self.assertEqual(self.d.call("GET", path)[0], status)
        for target in (b"/ip\0x", b"/ip?policy=self\0x", b"/v1/ip/8.8.8.8\0foo"):
            with self.subTest(target=target), self.d.raw() as sock:
                sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertTrue(read_all(sock)[0].startswith(b"HTTP/1.1 400 "), target)

    def test_the_whole_address_may_be_asked_for(self):
        for target, status in ((b"http://host/ip", 200), (b"HTTPS://host:8080/ip?policy=self", 200), (b"http://host", 200),
                               (b"http://host/nope", 404), (b"http:/ip", 404), (b"ftp://host/ip", 404)):
            with self.subTest(target=target), self.d.raw() as sock:
                sock.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n")
                self.assertTrue(read_all(sock)[0].startswith(b"HTTP/1.1 %d " % status), target)

    def test_media_types(self):
        for content_type, status in (("application/json", 200), ("application/json; charset=utf-8", 200),
                                     ("application/x-www-form-urlencoded", 200), ("text/plain", 415),
                                     ("multipart/form-data; boundary=x", 415), ("application/x-ndjson", 415)):
            with self.subTest(content_type=content_type):
                self.assertEqual(self.d.resolve(ONE, content_type=content_type)[0], status)

    def test_compressed_bodies_are_refused(self):
        status, _, _ = self.d.call("POST", "/v1/resolve", b"x", {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        self.assertEqual(status, 415)

    def test_own_request_is_judged_by_its_own_headers(self):
        status, _, body = self.d.call("GET", "/v1/resolve?policy=self", headers={"X-Forwarded-For": "8.8.8.8"})
        decision = json.loads(body)
        self.assertEqual(decision["client_ip"], "8.8.8.8")
        self.assertIn("http_parser_lax", [r["code"] for r in decision["confidence"]["reasons"]])
        self.assertEqual(decision["chain"][0]["address"], "127.0.0.1")

    def test_own_request_from_an_untrusted_peer_is_the_peer(self):
        _, _, body = self.d.call("GET", "/v1/resolve", headers={"X-Forwarded-For": "8.8.8.8"})
        self.assertEqual(json.loads(body)["client_ip"], "127.0.0.1")

    def test_plain_address(self):
        for path in ("/", "/ip"):
            status, headers, body = self.d.call("GET", path)
            self.assertEqual((status, body), (200, b"127.0.0.1\n"))
            self.assertTrue(headers["Content-Type"].startswith("text/plain"))

    def test_the_form_of_a_decision_follows_accept(self):
        body = json.dumps({"peer": "8.8.8.8", "headers": [["X-Forwarded-For", "<b>"]]})
        for accept, kind, begin in (("*/*", "application/json", b'{"client_ip"'),
                                    ("application/json, text/plain, */*", "application/json", b'{"client_ip"'),
                                    ("text/plain", "text/plain", b"Client 8.8.8.8"),
                                    ("text/html, */*;q=0.1", "text/html", b"<!")):
            with self.subTest(accept=accept):
                status, headers, text = self.d.call("POST", "/v1/resolve", body, {
                    "Content-Type": "application/json", "Accept": accept})
                self.assertEqual((status, headers["Content-Type"].split(";")[0]), (200, kind))
                self.assertTrue(text.lower().startswith(begin.lower()), text[:60])

    def test_a_browser_gets_a_page_without_scripts(self):
        status, headers, body = self.d.call("GET", "/", headers={
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "X-Forwarded-For": "<script>alert(1)</script>"})
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/html"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertNotIn(b"<script", body)

    def test_head_is_get_without_the_body(self):
        for path, listener in (("/", "http"), ("/v1/resolve", "http"), ("/v1/version", "http"), ("/livez", "health")):
            status, headers, body = self.d.call("HEAD", path, listener=listener)
            self.assertEqual((status, body), (200, b""), path)
            self.assertGreater(int(headers["Content-Length"]), 0)

    def test_lookup(self):
        _, _, body = self.d.call("GET", "/v1/ip/10.0.12.9")
        found = json.loads(body)
        self.assertEqual(found["class"], "private")
        self.assertEqual(found["lists"][0]["list"] if isinstance(found["lists"][0], dict) else found["lists"][0], "lb")
        self.assertEqual(self.d.call("GET", "/v1/ip/%3A%3A1")[0], 200)

    def test_version(self):
        _, _, body = self.d.call("GET", "/v1/version")
        self.assertEqual(set(json.loads(body)["revision"]), {"policies", "lists", "geo"})

    def test_an_unknown_caller_is_not_possible_on_loopback(self):
        reasons = self.d.resolve(ONE)[1]["confidence"]["reasons"]
        self.assertNotIn("caller_unauthenticated", [r["code"] for r in reasons])


class Batches(Shared):
    def test_results_in_order_with_problems_in_their_place(self):
        status, answer = self.d.resolve({"requests": [ONE, {"peer": "10.0.12.1", "bad": 1}, ONE]}, "/v1/resolve/batch")
        self.assertEqual(status, 200)
        self.assertEqual([list(r)[0] for r in answer["results"]], ["decision", "problem", "decision"])
        self.assertEqual(answer["results"][1]["problem"]["errors"][0]["pointer"], "/requests/1/bad")

    def test_what_the_decision_refuses_is_pointed_to_as_well(self):
        for bad, key in (({"peer": "10.0.12.1", "policy": "nope"}, "/policy"),
                         ({"peer": "10.0.12.1", "policy": "closed"}, "/policy"),
                         ({"peer": "10.0.12.1", "proxy_protocol": "AAAA"}, "/proxy_protocol")):
            with self.subTest(bad=bad):
                results = self.d.resolve({"requests": [ONE, ONE, ONE, bad]}, "/v1/resolve/batch")[1]["results"]
                self.assertEqual(results[3]["problem"]["errors"][0]["pointer"], "/requests/3" + key)
                line = self.d.resolve(json.dumps(bad), "/v1/resolve/batch", "application/x-ndjson")[1]
                self.assertEqual(line["problem"]["errors"][0]["pointer"], key)

    def test_a_thousand_requests_and_not_one_more(self):
        self.assertEqual(len(self.d.resolve({"requests": [ONE] * 1000}, "/v1/resolve/batch")[1]["results"]), 1000)
        status, problem = self.d.resolve({"requests": [ONE] * 1001}, "/v1/resolve/batch")
        self.assertEqual((status, problem["code"]), (413, "too_large"))

    def test_lines_are_answered_line_by_line(self):
        lines = [json.dumps(ONE), "nonsense", "", json.dumps(ONE)] * 500
        status, headers, body = self.d.call("POST", "/v1/resolve/batch", "\n".join(lines),
                                            {"Content-Type": "application/x-ndjson"})
        results = [json.loads(line) for line in body.splitlines()]
        self.assertEqual((status, headers["Content-Type"]), (200, "application/x-ndjson"))
        self.assertEqual([list(r)[0] for r in results], ["decision", "problem", "decision"] * 500)

    def test_limits_of_lines_are_per_line(self):
        long = json.dumps({"peer": "10.0.12.1", "request_id": "x" * (300 << 10)})
        _, _, body = self.d.call("POST", "/v1/resolve/batch", "\n".join([long, json.dumps(ONE)]),
                                 {"Content-Type": "application/x-ndjson"})
        first, second = map(json.loads, body.splitlines())
        self.assertEqual(first["problem"]["code"], "too_large")
        self.assertIn("decision", second)

    def test_an_answer_larger_than_any_buffer_arrives_whole(self):
        _, _, body = self.d.call("POST", "/v1/resolve/batch", (json.dumps(ONE) + "\n") * 20000,
                                 {"Content-Type": "application/x-ndjson"})
        self.assertEqual(body.count(b'{"decision":'), 20000)


class Sizes(Shared):
    def rss(self):
        with open("/proc/%d/status" % self.d.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) << 10

    def test_a_body_too_large_is_refused(self):
        status, problem = self.d.resolve(b"x" * (256 * 1024 + 1))
        self.assertEqual((status, problem["code"]), (413, "too_large"))
        self.assertNotEqual(self.d.resolve(b" " * (256 * 1024))[0], 413)

    def test_a_chunked_body_too_large_is_refused(self):
        connection = self.d.connect()
        connection.request("POST", "/v1/resolve", (b"x" * 65536 for _ in range(10)), {"Content-Type": "application/json"},
                           encode_chunked=True)
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()

    def test_a_stated_length_costs_no_memory(self):
        before = self.rss()
        socks = []
        for _ in range(50):
            sock = self.d.raw()
            sock.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 4000000000\r\n\r\n" + b"x" * 1000)
            socks.append(sock)
        for sock in socks:
            data, closed = read_all(sock)
            self.assertTrue(data.startswith(b"HTTP/1.1 413 "), data)
            self.assertTrue(closed)
            sock.close()
        self.assertLess(self.rss() - before, 20 << 20)

    def test_a_client_that_asks_first_is_told_at_once(self):
        with self.d.raw() as sock:
            sock.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 300000\r\nExpect: 100-continue\r\n\r\n")
            self.assertTrue(read_all(sock)[0].startswith(b"HTTP/1.1 413 "))

    def test_headers_up_to_the_limit(self):
        for size, expected in ((15000, 200), (17000, 431), (70000, 431)):
            with self.subTest(size=size), self.d.raw() as sock:
                sock.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + b"a" * size + b"\r\n\r\n")
                data, _ = read_all(sock)
                self.assertEqual(int(data.split(b" ", 2)[1]), expected)
                if b"application/problem+json" in data:
                    self.assertEqual(json.loads(data.split(b"\r\n\r\n", 1)[1])["status"], expected)

    def test_many_header_lines(self):
        before = self.rss()
        with self.d.raw() as sock:
            sock.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 2000 + b"\r\n")
            data, _ = read_all(sock)
        self.assertIn(b" 431 ", data.split(b"\r\n", 1)[0])
        self.assertLess(self.rss() - before, 4 << 20)


class Smuggling(Shared):
    """One request that two readers could see as two: exactly one answer, 400, and the end of the connection."""
    INNER = b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n"

    def test_each_is_answered_once_and_closed(self):
        rows = {
            "duplicate length": b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(self.INNER),
            "same length twice": b"Content-Length: %d\r\nContent-Length: %d\r\n" % (len(self.INNER), len(self.INNER)),
            "length and chunked": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(self.INNER),
            "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "unknown coding": b"Transfer-Encoding: xchunked\r\n",
            "two codings": b"Transfer-Encoding: chunked, identity\r\n",
            "two hosts": b"Host: y\r\n",
            "blank in name": b"X Forwarded: 1\r\n",
            "blank before colon": b"X-Forwarded-For : 1.1.1.1\r\n",
            "length with blank before colon": b"Content-Length : 44\r\n",
            "slash in name": b"X/Y: 1\r\n",
            "non-ASCII name": b"X-\xc3\xa9: 1\r\n",
            "control in name": b"X\x01Y: 1\r\n",
            "control in value": b"X-Y: a\x01b\r\n",
            "control in a long value": b"X-Y: " + b"a" * 37 + b"\x01" + b"a" * 40 + b"\r\n",
            "control at the end of a long value": b"X-Y: " + b"a" * 67 + b"\x1fb\r\n",
            "delete in value": b"X-Y: a\x7fb\r\n",
            "bare CR in value": b"X-Y: a\rb\r\n",
            "no name": b": v\r\n",
            "no name and no value": b":\r\n",
            "no name, then a request": b": v\r\nGET /ip HTTP/1.1\r\nHost: y\r\n",
            "folded": b"X-Y: a\r\n b\r\n",
            "folded by a tab": b"X-Y: a\r\n\tContent-Length: 4\r\n",
            "NUL in value": b"X-Forwarded-For: 1.1.1.1\0, 9.9.9.9\r\n",
            "NUL in name": b"X\0Y: 1\r\n",
            "bare LF": b"X-Y: a\nX-Z: b\r\n",
            "bare LF at the end": b"X-Y: a\n",
        }
        for name, lines in rows.items():
            for path in (b"/v1/resolve", b"/ip"):
                with self.subTest(name=name, path=path), self.d.raw() as sock:
                    sock.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + lines +
                                 b"\r\n" + self.INNER)
                    data, closed = read_all(sock)
                    self.assertEqual(data.count(b"HTTP/1.1 "), 1, data)
                    self.assertTrue(data.startswith(b"HTTP/1.1 400 "), data)
                    self.assertTrue(closed)

    def test_a_length_that_is_no_number_serves_nothing(self):
        # The library answers these itself, and 0.9.75 writes the head of its 400 twice.
        for line in (b"Content-Length: +5\r\n", b"Content-Length: 0x10\r\n", b"Content-Length: 5, 5\r\n"):
            with self.subTest(line=line), self.d.raw() as sock:
                sock.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n" + self.INNER)
                data, closed = read_all(sock)
                self.assertEqual(set(re.findall(rb"HTTP/1.1 (\d+)", data)), {b"400"}, data)
                self.assertTrue(closed)

    def test_no_host_is_refused(self):
        with self.d.raw() as sock:
            sock.sendall(b"GET /ip HTTP/1.1\r\n\r\n")
            self.assertTrue(read_all(sock)[0].startswith(b"HTTP/1.1 400 "))

    def test_tab_in_a_value_is_fine(self):
        self.assertEqual(self.d.call("GET", "/ip", headers={"X-Y": "a\tb"})[0], 200)


class Connections(Shared):
    config = CONFIG.replace("drain:", "limits: {connections: 40, per_address: 8, keepalive: 2s}\ndrain:")

    def test_pipelined_requests_are_answered_in_order(self):
        with self.d.raw() as sock:
            sock.sendall(b"".join(b"GET /v1/ip/10.0.0.%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(20)) +
                         b"GET /ip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            data, closed = read_all(sock)
        self.assertEqual(re.findall(rb'"address":"10\.0\.0\.(\d+)"', data), [b"%d" % i for i in range(20)])
        self.assertTrue(closed)

    def test_an_address_has_only_so_many_connections(self):
        held = [self.d.raw(source=("127.0.0.9", 0)) for _ in range(8)]
        try:
            time.sleep(0.3)
            with self.d.raw(source=("127.0.0.9", 0)) as more:
                try:
                    more.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
                    data, closed = read_all(more)
                except OSError:
                    data, closed = b"", True
                self.assertEqual((data, closed), (b"", True))
            self.assertEqual(self.d.call("GET", "/ip")[0], 200, "others are served")
        finally:
            for sock in held:
                sock.close()
        time.sleep(0.3)
        with self.d.raw(source=("127.0.0.9", 0)) as again:
            again.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(b"127.0.0.9", read_all(again)[0])

    def test_all_addresses_together_have_only_so_many(self):
        held = [self.d.raw(source=("127.0.1.%d" % (i % 6 + 1), 0)) for i in range(40)]
        try:
            time.sleep(0.3)
            with self.d.raw(source=("127.0.2.1", 0)) as more:
                self.assertEqual(read_all(more, 2), (b"", True))
            self.assertEqual(self.d.call("GET", "/livez", listener="health")[0], 200, "probes get in all the same")
        finally:
            for sock in held:
                sock.close()
        time.sleep(0.3)
        self.assertEqual(self.d.call("GET", "/ip")[0], 200)

    def test_an_idle_connection_is_closed(self):
        with self.d.raw() as sock:
            sock.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
            began = time.monotonic()
            self.assertTrue(read_all(sock, 10)[1])
            self.assertTrue(1.5 < time.monotonic() - began < 6)


class SlowSenders(Shared):
    """One byte every second holds nobody's connection beyond the deadline, whatever has been sent before."""

    def drip(self, sock, begun, data, limit):
        sock.settimeout(1)
        for i in range(limit):
            try:
                sock.sendall(data[i:i + 1] if i < len(data) else b"a")
                if sock.recv(1000) == b"":
                    return time.monotonic() - begun
            except socket.timeout:
                continue
            except OSError:
                return time.monotonic() - begun
        return None

    def test_deadlines(self):
        import threading
        results = {}

        def headers_from_the_start():
            with self.d.raw() as sock:
                results["headers"] = self.drip(sock, time.monotonic(), b"GET /ip HTTP/1.1\r\nX-Slow: ", 25)

        def headers_of_a_second_request():
            with self.d.raw() as sock:
                sock.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
                sock.recv(1000)
                time.sleep(3)
                results["second"] = self.drip(sock, time.monotonic(), b"GET /ip HTTP/1.1\r\nX-Slow: ", 25)

        def body():
            with self.d.raw() as sock:
                begun = time.monotonic()
                sock.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                             b"Content-Length: 1000\r\n\r\n")
                results["body"] = self.drip(sock, begun, b"", 25)

        def silent():
            with self.d.raw() as sock:
                begun = time.monotonic()
                read_all(sock, 25)
                results["silent"] = time.monotonic() - begun

        threads = [threading.Thread(target=t) for t in (headers_from_the_start, headers_of_a_second_request, body, silent)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, least, most in (("headers", 9, 13), ("second", 9, 14), ("body", 14, 18), ("silent", 9, 13)):
            with self.subTest(name=name):
                self.assertIsNotNone(results[name])
                self.assertTrue(least <= results[name] <= most, results)


class Health(Shared):
    def test_live_and_ready(self):
        self.assertEqual(self.d.call("GET", "/livez", listener="health")[::2], (200, b"ok\n"))
        self.assertEqual(self.d.call("GET", "/readyz", listener="health")[::2], (200, b"ok\n"))
        _, _, body = self.d.call("GET", "/readyz?verbose", listener="health")
        self.assertIn(b"[+]list lb ok\n", body)
        self.assertIn(b"readyz check passed\n", body)

    def test_a_listener_that_died_is_said(self):
        import ctypes
        pidfd_open, pidfd_getfd = 434, 438
        libc = ctypes.CDLL(None, use_errno=True)
        d = Daemon()
        try:
            address = d.addresses["http"].rsplit(":", 1)
            died = False
            pidfd = libc.syscall(pidfd_open, d.process.pid, 0)
            for number in os.listdir("/proc/%d/fd" % d.process.pid):
                fd = libc.syscall(pidfd_getfd, pidfd, int(number), 0)
                if fd < 0:
                    continue
                try:
                    with socket.socket(fileno=fd) as door:
                        if (door.family == socket.AF_INET and door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and
                                door.getsockname() == (address[0], int(address[1]))):
                            door.shutdown(socket.SHUT_RDWR)
                            died = True
                except OSError:
                    os.close(fd)
            os.close(pidfd)
            if not died:
                self.skipTest("another process's descriptors cannot be reached")
            status, end = 200, time.monotonic() + 5
            while status == 200 and time.monotonic() < end:
                status, _, body = d.call("GET", "/readyz?verbose", listener="health")
                time.sleep(0.05)
            self.assertEqual(status, 503)
            self.assertIn(b"[-]listeners one has died\n", body)
            self.assertEqual(d.call("GET", "/livez", listener="health")[0], 200)
        finally:
            d.stop()

    def test_nothing_else_is_there(self):
        for path in ("/", "/v1/resolve", "/v1/version", "/v1/lists"):
            self.assertEqual(self.d.call("GET", path, listener="health")[0], 404)

    def metrics(self, accept=None):
        _, headers, body = self.d.call("GET", "/metrics", headers={"Accept": accept} if accept else {}, listener="health")
        return headers["Content-Type"], body.decode()

    def test_metrics_count(self):
        def value():
            found = re.search(r'^iptrust_decisions_total\{policy="default",source="x-forwarded-for",level="high"\} (\d+)$',
                              self.metrics()[1], re.M)
            return int(found.group(1)) if found else 0
        before = value()
        for _ in range(10):
            self.d.resolve(ONE)
        self.assertEqual(value() - before, 10)

    def test_metrics_of_the_contract_are_there(self):
        self.d.resolve(ONE)
        text = self.metrics()[1]
        for name in ("iptrust_requests_total", "iptrust_decisions_total", "iptrust_verdicts_total",
                     "iptrust_decision_duration_seconds", "iptrust_request_duration_seconds", "iptrust_findings_total",
                     "iptrust_list_prefixes", "iptrust_list_content_timestamp_seconds", "iptrust_config_reload_total",
                     "iptrust_view_info", "iptrust_view_published_timestamp_seconds", "iptrust_unknown_policy_total",
                     "iptrust_build_info", "process_resident_memory_bytes"):
            self.assertRegex(text, "(?m)^# TYPE %s " % name)

    def test_nothing_of_a_request_becomes_a_label(self):
        self.d.resolve({"peer": "10.0.12.1", "headers": [["X-Forwarded-For", "203.0.113.77"]], "policy": "default"})
        self.d.resolve({"peer": "10.0.12.1", "policy": "surprise"})
        self.d.call("GET", "/some/path")
        text = self.metrics()[1]
        for word in ("203.0.113.77", "surprise", "/some/path"):
            self.assertNotIn(word, text)

    def test_both_formats(self):
        content_type, text = self.metrics()
        self.assertEqual(content_type, "text/plain; version=0.0.4; charset=utf-8")
        self.assertNotIn("# EOF", text)
        content_type, text = self.metrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        self.assertTrue(content_type.startswith("application/openmetrics-text; version=1.0.0"))
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertIn("# TYPE iptrust_requests counter\n", text)

    def test_promtool_finds_nothing_to_say(self):
        promtool = os.environ.get("PROMTOOL") or shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool is not installed")
        self.d.resolve(ONE)
        done = subprocess.run([promtool, "check", "metrics"], input=self.metrics()[1], text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Admin(Shared):
    def get(self, path):
        status, headers, body = self.d.call("GET", path, listener="admin")
        return status, headers["Content-Type"], body

    def test_the_socket_is_ours_alone(self):
        self.assertEqual(os.stat(os.path.join(self.d.dir, "admin.sock")).st_mode & 0o777, 0o600)

    def test_lists(self):
        self.assertEqual({l["name"] for l in json.loads(self.get("/v1/lists")[2])["lists"]}, {"lb", "local", "office"})
        self.assertEqual(self.get("/v1/lists/nope")[0], 404)
        for name, word in (("text", b"10.0.12.0/24"), ("nginx", b"set_real_ip_from 10.0.12.0/24;"),
                           ("apache", b"RemoteIPInternalProxy"), ("haproxy", b"10.0.12.0/24"), ("envoy", b"10.0.12.0"),
                           ("json", b"10.0.12.0/24")):
            status, _, body = self.get("/v1/lists/lb?format=" + name)
            self.assertEqual(status, 200)
            self.assertIn(word, body)
        self.assertEqual(self.get("/v1/lists/lb?format=iptables")[0], 400)

    def test_what_is_not_there_yet_is_not_found(self):
        for path in ("/v1/lists/lb/refresh", "/v1/lists/nope/refresh", "/v1/lists/lb/", "/v1/lists/lb/other"):
            self.assertEqual(self.d.call("POST", path, listener="admin")[0], 404, path)
        self.assertEqual(self.d.call("GET", "/v1/lists/lb/refresh", listener="admin")[0], 405)
        self.assertEqual(self.d.call("POST", "/v1/lists/lb", listener="admin")[0], 405)

    def test_lists_have_every_key(self):
        one = json.loads(self.get("/v1/lists/lb")[2])
        for entry in json.loads(self.get("/v1/lists")[2])["lists"] + [one]:
            self.assertIsNone(entry["last_result"])
            self.assertIsNone(entry["pending"])

    def test_policies_and_configuration(self):
        self.assertEqual(set(json.loads(self.get("/v1/policies")[2])["policies"]), {"default", "self", "closed"})
        self.assertEqual(json.loads(self.get("/v1/config")[2])["policies"]["default"]["trust"], ["lb"])

    def test_reload_by_admin_and_signal(self):
        try:
            self.d.write(CONFIG.replace("10.0.12.0/24", "10.0.13.0/24"))
            status, _, body = self.d.call("POST", "/v1/reload", listener="admin")
            self.assertEqual((status, list(json.loads(body))), (200, ["revision", "warnings"]))
            self.assertEqual(self.d.resolve(ONE)[1]["client_ip"], "10.0.12.1")

            self.d.write(CONFIG.replace("trust: [lb]", "trust: [lbb]"))
            status, _, body = self.d.call("POST", "/v1/reload", listener="admin")
            problem = json.loads(body)
            self.assertEqual((status, problem["code"]), (422, "bad_config"))
            self.assertGreater(problem["errors"][0]["line"], 0)
            self.assertEqual(self.d.resolve(ONE)[1]["client_ip"], "10.0.12.1", "the old one stays in force")
            status, _, body = self.d.call("GET", "/readyz?verbose", listener="health")
            self.assertEqual(status, 200)
            self.assertIn(b"[!]configuration", body)

            policies = "policies:\n  default: {trust: [lb], clients: any}\n"
            self.d.write(re.sub(r"(?s)policies:.*", policies, CONFIG))
            before = sum(l["msg"] == "configuration reloaded" for l in self.d.lines)
            os.kill(self.d.process.pid, signal.SIGHUP)
            self.assertTrue(self.d.wait_log("configuration reloaded", count=before + 1))
            self.assertEqual(self.d.resolve(ONE)[1]["client_ip"], "8.8.8.8")
            gone = {l["policy"] for l in self.d.lines if l["msg"] == "policy removed"}
            self.assertEqual(gone, {"self", "closed"})
        finally:
            self.d.write(CONFIG)
            self.d.call("POST", "/v1/reload", listener="admin")

    def test_many_reloads_at_once_leave_one_view(self):
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: self.d.call("POST", "/v1/reload", listener="admin")[0], range(40)))
        self.assertTrue(set(done) <= {200, 409}, done)
        self.assertIn(200, done)


class ReloadsUnderLoad(unittest.TestCase):
    def test_no_request_fails_and_each_is_of_one_view(self):
        import threading
        d = Daemon()
        halt, failures, answers = threading.Event(), [], [0]

        def ask():
            connection = d.connect()
            while not halt.is_set():
                connection.request("POST", "/v1/resolve", json.dumps(ONE), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                decision = json.loads(answer.read())
                answers[0] += 1
                # Which list is in force decides who the client is: both halves must come from the same view.
                expected = {"8.8.8.8": "trusted", "10.0.12.1": "client"}.get(decision.get("client_ip"))
                if answer.status != 200 or decision["chain"][0]["verdict"] != expected:
                    failures.append((answer.status, decision))
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        try:
            for thread in threads:
                thread.start()
            revisions = set()
            for i in range(40):
                d.write(CONFIG if i % 2 else CONFIG.replace("10.0.12.0/24", "10.0.13.0/24"))
                status, _, body = d.call("POST", "/v1/reload", listener="admin")
                self.assertEqual(status, 200)
                revisions.add(json.loads(body)["revision"]["lists"])
            halt.set()
            for thread in threads:
                thread.join()
            self.assertEqual((failures, len(revisions)), ([], 2))
            self.assertGreater(answers[0], 100)
        finally:
            halt.set()
            d.stop()


class Secrets(unittest.TestCase):
    def test_admin_on_tcp_wants_its_token(self):
        directory = tempfile.mkdtemp(prefix="ipt-")
        token = os.path.join(directory, "token")
        with open(token, "w") as f:
            f.write("s3cret\n")
        d = Daemon(CONFIG.replace('admin: {listen: "unix:%(dir)s/admin.sock"}',
                                  "admin: {listen: 127.0.0.1:0, token_file: %s}" % token))
        try:
            for value, status in ((None, 403), ("Bearer wrong", 403), ("Bearer s3cre", 403), ("Basic s3cret", 403),
                                  ("Bearer s3cret", 200)):
                headers = {} if value is None else {"Authorization": value}
                self.assertEqual(d.call("GET", "/v1/config", headers=headers, listener="admin")[0], status, value)
            body = d.call("GET", "/v1/config", headers={"Authorization": "Bearer s3cret"}, listener="admin")[2]
            self.assertNotIn(b"s3cret", body)
        finally:
            d.stop()
            shutil.rmtree(directory)

    def test_a_reload_reads_the_token_again(self):
        directory = tempfile.mkdtemp(prefix="ipt-")
        token = os.path.join(directory, "token")

        def write(text):
            with open(token, "w") as f:
                f.write(text)

        write("first\n")
        d = Daemon(CONFIG.replace('admin: {listen: "unix:%(dir)s/admin.sock"}',
                                  "admin: {listen: 127.0.0.1:0, token_file: %s}" % token))

        def reload(secret):
            status, _, body = d.call("POST", "/v1/reload", headers={"Authorization": "Bearer " + secret}, listener="admin")
            return status, json.loads(body)

        try:
            write("second\n")
            self.assertEqual(reload("second")[0], 403, "not before it is asked for")
            self.assertEqual(reload("first")[0], 200)
            self.assertEqual(reload("first")[0], 403)
            write("")
            self.assertEqual(reload("second")[0], 422)
            os.unlink(token)
            status, answer = reload("second")
            self.assertEqual(status, 422, "the old one stays")
            self.assertIn(token, json.dumps(answer["errors"]))
            self.assertEqual(reload("")[0], 403)
            write("third")
            self.assertEqual(reload("second")[0], 200)
            self.assertEqual(reload("third")[0], 200)
        finally:
            d.stop()
            shutil.rmtree(directory)

    def test_secrets_are_not_shown(self):
        directory = tempfile.mkdtemp(prefix="ipt-")
        secret = os.path.join(directory, "secret")
        with open(secret, "w") as f:
            f.write("origin-s3cret\n")
        d = Daemon(CONFIG.replace("internal: true}\n  local",
                                  "internal: true, proof: {header: x-token, secret_file: %s}}\n  local" % secret))
        try:
            body = d.call("GET", "/v1/config", listener="admin")[2]
            self.assertIn(b"x-token", body)
            self.assertNotIn(b"origin-s3cret", body)
            self.assertNotIn("origin-s3cret", d.stderr())
        finally:
            d.stop()
            shutil.rmtree(directory)


class UnixSockets(unittest.TestCase):
    def test_http_on_a_unix_socket(self):
        d = Daemon(CONFIG.replace("http: {listen: 127.0.0.1:0}", 'http: {listen: "unix:%(dir)s/http.sock", mode: "0660"}'))
        path = os.path.join(d.dir, "http.sock")
        try:
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
            self.assertEqual(d.resolve(ONE)[1]["client_ip"], "8.8.8.8")
            self.assertEqual(d.call("GET", "/ip")[2], b"-\n")
            reasons = [r["code"] for r in d.resolve(ONE)[1]["confidence"]["reasons"]]
            self.assertNotIn("caller_unauthenticated", reasons)
        finally:
            d.stop()
        self.assertFalse(os.path.exists(path))

    def test_a_dead_socket_is_replaced_and_a_living_one_is_not(self):
        directory = tempfile.mkdtemp(prefix="ipt-")
        path = os.path.join(directory, "http.sock")
        config = CONFIG.replace("http: {listen: 127.0.0.1:0}", 'http: {listen: "unix:%s"}' % path)
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(path)
        dead.close()
        d = Daemon(config)
        try:
            with self.assertRaises(RuntimeError) as second:
                Daemon(config)
            self.assertIn("another program listens there", str(second.exception))
            self.assertEqual(d.resolve(ONE)[0], 200, "the first still answers")
        finally:
            d.stop()
        with open(path, "w") as f:
            f.write("precious")
        with self.assertRaises(RuntimeError):
            Daemon(config)
        with open(path) as f:
            self.assertEqual(f.read(), "precious")
        shutil.rmtree(directory)


class Callers(unittest.TestCase):
    def test_who_is_not_named_is_unknown(self):
        for callers, known in (("[]", False), ("[127.0.0.5]", True)):
            d = Daemon(CONFIG + "callers: %s\n" % callers)
            try:
                body = json.dumps(ONE).encode()
                with d.raw(source=("127.0.0.5", 0)) as sock:
                    sock.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                 b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                    data, _ = read_all(sock)
                self.assertEqual(b"caller_unauthenticated" in data, not known, data)
            finally:
                d.stop()


class DecisionLog(unittest.TestCase):
    def lines(self, ip):
        d = Daemon(CONFIG + "decision_log: {sample: 1, ip: %s}\n" % ip)
        try:
            for i in range(5):
                d.resolve({**ONE, "request_id": "id-%d \"quoted\"" % i})
            end = time.monotonic() + 5
            out = os.path.join(d.dir, "out")
            lines = []
            while len(lines) < 5 and time.monotonic() < end:
                time.sleep(0.05)
                with open(out) as f:
                    lines = [json.loads(line) for line in f if line.endswith("\n")]
            return lines
        finally:
            d.stop()

    def test_addresses_are_shown_as_far_as_asked(self):
        for ip, client in (("truncated", "8.8.8.0/24"), ("full", "8.8.8.8"), ("none", None)):
            lines = self.lines(ip)
            self.assertEqual([l["client_ip"] for l in lines], [client] * 5)
            self.assertEqual(lines[0]["reasons"], ["walk_first_untrusted"])
            self.assertEqual(lines[0]["policy"], "default")
            self.assertEqual(lines[4]["request_id"], 'id-4 "quoted"')


class Drain(unittest.TestCase):
    def test_health_first_then_the_door_then_the_end(self):
        d = Daemon(CONFIG.replace("delay: 300ms", "delay: 2s"))
        path = os.path.join(d.dir, "admin.sock")
        with d.raw() as busy, d.raw() as idle:
            idle.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
            idle.recv(1000)
            busy.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n")
            time.sleep(0.3)
            os.kill(d.process.pid, signal.SIGTERM)
            self.assertTrue(d.wait_log("draining"))
            time.sleep(0.2)
            self.assertEqual(d.call("GET", "/readyz", listener="health")[0], 503)
            self.assertEqual(d.call("GET", "/livez", listener="health")[0], 200)
            status, headers, _ = d.call("GET", "/ip")
            self.assertEqual((status, headers["Connection"]), (200, "close"), "the door is still open")
            time.sleep(2.2)
            with self.assertRaises(OSError):
                d.raw(timeout=2)
            self.assertTrue(read_all(idle, 2)[1], "idle connections end")
            self.assertIsNone(d.process.poll(), "what is in flight may finish")
            busy.sendall(b'{"peer":"10.0.12.1"}')
            data, closed = read_all(busy)
            self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data)
            self.assertIn(b"Connection: close", data)
            self.assertTrue(closed)
        self.assertEqual(d.process.wait(5), 0)
        self.assertFalse(os.path.exists(path))
        d.stop()

    def test_nobody_who_was_let_in_is_sent_away(self):
        import threading
        for listener in ("http: {listen: 127.0.0.1:0}", 'http: {listen: "unix:%(dir)s/http.sock"}'):
            d = Daemon(CONFIG.replace("http: {listen: 127.0.0.1:0}", listener))
            lost, served, halt = [], [0], threading.Event()

            def ask():
                while not halt.is_set():
                    connection = d.connect()
                    try:
                        connection.connect()
                    except OSError:
                        connection.close()
                        return  # the door is shut: that may be
                    try:
                        connection.request("GET", "/ip")
                        answer = connection.getresponse()
                        answer.read()
                        served[0] += answer.status == 200
                    except (OSError, http.client.HTTPException) as error:
                        lost.append(repr(error))
                    connection.close()

            threads = [threading.Thread(target=ask) for _ in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            os.kill(d.process.pid, signal.SIGTERM)
            for thread in threads:
                thread.join(15)
            halt.set()
            self.assertEqual(lost, [], listener)
            self.assertGreater(served[0], 50)
            self.assertEqual(d.process.wait(8), 0)
            d.stop()

    def test_who_was_let_in_at_the_last_moment_may_still_ask(self):
        d = Daemon()
        with d.raw() as silent:
            os.kill(d.process.pid, signal.SIGTERM)
            self.assertTrue(d.wait_log("draining"))
            time.sleep(0.15)
            with d.raw() as late:
                time.sleep(0.4)  # the door is shut meanwhile
                late.sendall(b"GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
                data, closed = read_all(late)
                self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data)
                self.assertTrue(closed)
            self.assertEqual(read_all(silent, 2), (b"", True), "silence is not waited for")
        self.assertEqual(d.process.wait(5), 0)
        d.stop()

    def test_a_request_that_never_ends_is_left_behind(self):
        d = Daemon(CONFIG.replace("timeout: 3s", "timeout: 1s"))
        with d.raw() as busy:
            busy.sendall(b"POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n")
            time.sleep(0.2)
            began = time.monotonic()
            os.kill(d.process.pid, signal.SIGTERM)
            self.assertEqual(d.process.wait(8), 0)
            self.assertLess(time.monotonic() - began, 5)
        d.stop()

    def test_asked_twice_it_ends_at_once(self):
        d = Daemon(CONFIG.replace("delay: 300ms", "delay: 1h"))
        os.kill(d.process.pid, signal.SIGTERM)
        self.assertTrue(d.wait_log("draining"))
        os.kill(d.process.pid, signal.SIGINT)
        self.assertEqual(d.process.wait(5), 0)
        d.stop()


class Descriptors(unittest.TestCase):
    def test_running_out_of_descriptors_passes(self):
        import resource
        d = Daemon(limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
        try:
            held = []
            for i in range(150):
                try:
                    held.append(d.raw(timeout=2, source=("127.0.3.%d" % (i % 3 + 1), 0)))
                except OSError:
                    break
            time.sleep(0.5)
            for sock in held:
                sock.close()
            end = time.monotonic() + 2
            status = None
            while status != 200 and time.monotonic() < end:
                try:
                    status = d.call("GET", "/ip")[0]
                except OSError:
                    time.sleep(0.05)
            self.assertEqual(status, 200)
        finally:
            d.stop()


class CommandLine(unittest.TestCase):
    def run_it(self, *args, env=None):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=20, env={**os.environ, **(env or {})})
        return done.returncode, done.stdout, done.stderr

    def test_help_version_and_wrong_usage(self):
        self.assertEqual(self.run_it("--help")[0], 0)
        self.assertRegex(self.run_it("--version")[1], r"^iptrustd \d")
        self.assertEqual(self.run_it("--nonsense")[0], 2)
        self.assertEqual(self.run_it("--config")[0], 2)

    def test_check_config(self):
        with tempfile.TemporaryDirectory() as directory:
            good, bad = os.path.join(directory, "good.yaml"), os.path.join(directory, "bad.yaml")
            with open(good, "w") as f:
                f.write("lists:\n  lb: {prefixes: [10.0.12.0/24]}\npolicies:\n  default: {trust: [lb]}\n")
            with open(bad, "w") as f:
                f.write("lists:\n  lb: {prefixes: [10.0.12.1/24]}\n")
            self.assertEqual(self.run_it("--check-config", "--config", good)[0], 0)
            code, _, text = self.run_it("--check-config", "--config", bad)
            self.assertEqual(code, 2)
            self.assertRegex(text, r"bad\.yaml:2:\d+: error: ")
            self.assertEqual(self.run_it("--config", bad)[0], 2)

    def test_flags_override_variables_override_the_file(self):
        env = {"IPTRUST_HTTP_LISTEN": "127.0.0.1:2", "IPTRUST_HEALTH_LISTEN": "127.0.0.1:3"}
        code, text, _ = self.run_it("--print-config", "--http", "127.0.0.1:1", env=env)
        config = json.loads(text)
        self.assertEqual((code, config["http"]["listen"], config["health"]["listen"]), (0, "127.0.0.1:1", "127.0.0.1:3"))

    def test_a_wrong_flag_is_named(self):
        for args in (("--http", "nonsense"), ("--check-config", "--http=nonsense")):
            code, _, text = self.run_it(*args)
            self.assertEqual(code, 2)
            self.assertRegex(text, r"(?m)^--http: error: expected .*nonsense")
        code, _, text = self.run_it("--check-config", env={"IPTRUST_HTTP_LISTEN": "nonsense"})
        self.assertEqual(code, 2)
        self.assertIn("IPTRUST_HTTP_LISTEN", text)

    def test_what_it_prints_it_reads(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "printed.yaml")
            _, text, _ = self.run_it("--print-config")
            with open(path, "w") as f:
                f.write(text)
            code, again, complaints = self.run_it("--print-config", "--config", path)
            self.assertEqual((code, json.loads(again)["policies"]), (0, json.loads(text)["policies"]), complaints)


class Start(unittest.TestCase):
    def test_systemd_is_told(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "notify")
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.bind(path)
            sock.settimeout(5)
            d = Daemon(env={"NOTIFY_SOCKET": path})
            try:
                self.assertTrue(sock.recv(500).startswith(b"READY=1\n"))
            finally:
                d.stop()
                told = []
                while not told or not told[-1].startswith(b"STOPPING=1"):
                    told.append(sock.recv(500))
                sock.close()

    def test_the_first_line_names_version_configuration_and_hosts(self):
        # Nothing leaves the machine: the proxy is a port that nobody listens on.
        nowhere = {"IPTRUST_REFRESH": "on", "https_proxy": "http://127.0.0.1:1", "no_proxy": ""}
        d = Daemon(CONFIG.replace("  office:", "  cloudflare: {provider: cloudflare}\n  office:"), env=nowhere)
        try:
            first = d.lines[0]
            self.assertEqual(first["msg"], "iptrustd starting")
            self.assertEqual(first["refresh_hosts"], "api.cloudflare.com, www.cloudflare.com")
            snapshot = [l for l in d.lines if l["msg"] == "list" and l["list"] == "cloudflare"][0]
            self.assertEqual(snapshot["contents"], "built-in snapshot")
            self.assertRegex(snapshot["date"], r"^20\d\d-")
        finally:
            d.stop()

    def test_a_port_in_use_is_said_plainly(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            config = CONFIG.replace("http: {listen: 127.0.0.1:0}", "http: {listen: 127.0.0.1:%d}" % taken.getsockname()[1])
            with self.assertRaises(RuntimeError) as failed:
                Daemon(config)
        self.assertIn("another program listens there", str(failed.exception))


if __name__ == "__main__":
    unittest.main(verbosity=2)
