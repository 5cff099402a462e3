"""/v1/auth/: the rules of each dialect by themselves, then nginx, HAProxy, Caddy and Envoy with the snippets of deploy/."""
import json
import os
import unittest

from auth_proxies import FORGED, NAMES, TOKEN, Caddy, Echo, EnvoyHttp, HAProxy, Nginx, Traefik, Trust, ask

NAMED = [("X-Iptrust-Token", TOKEN), ("X-Iptrust-Peer", "127.0.0.2")]


class Dialects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.trust = Trust()

    @classmethod
    def tearDownClass(cls):
        cls.trust.close()

    def auth(self, path, headers=(), method="GET", source="127.0.0.1", port=None):
        return ask(port or self.trust.port, headers, source, method, "/v1/auth/" + path)

    def check(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        if code is not None:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertEqual(json.loads(answer.body)["code"], code)
            self.assertEqual(json.loads(answer.body)["status"], status)

    def test_an_answer_has_every_header_and_no_body(self):
        xff = ("X-Forwarded-For", "8.8.8.8")
        rows = [("nginx", NAMED + [xff]), ("haproxy", NAMED + [xff]), ("traefik", [("X-Forwarded-For", "8.8.8.8, 127.0.0.2")]),
                ("caddy", [xff, ("X-Forwarded-For", "127.0.0.2")]), ("envoy", [("X-Forwarded-For", "8.8.8.8,127.0.0.2")])]
        for dialect, headers in rows:
            for method in ("GET", "HEAD", "POST"):
                with self.subTest(dialect=dialect, method=method):
                    answer = self.auth(dialect, headers, method)
                    self.check(answer, 200)
                    self.assertEqual(answer.body, b"")
                    ours = {n.lower()[10:]: v for n, v in answer.headers.items() if n.lower().startswith("x-iptrust-")}
                    self.assertEqual(sorted(ours), NAMES)
                    self.assertEqual(ours["client-ip"], "8.8.8.8")
                    self.assertEqual(ours["chain"], "127.0.0.2;lb, 8.8.8.8")
                    self.assertEqual(ours["source"], "x-forwarded-for")
                    self.assertEqual(ours["confidence"], "medium", "http_parser_lax")
                    self.assertEqual((ours["policy"], ours["country"], ours["asn"]), ("default", "-", "-"))

    def test_what_is_refused(self):
        one, two = ("X-Forwarded-For", "127.0.0.2"), ("X-Forwarded-For", "8.8.8.8, 127.0.0.2")
        token, peer = NAMED
        rows = [
            ("nginx", [], 404, "not_found"),
            ("nginx", [peer], 404, "not_found"),
            ("nginx", [peer, ("X-Iptrust-Token", TOKEN + "x")], 404, "not_found"),
            ("nginx", [peer, ("X-Iptrust-Token", TOKEN[:-1])], 404, "not_found"),
            ("nginx", [peer, ("X-Iptrust-Token", "")], 404, "not_found"),
            ("nginx", [peer, ("X_Iptrust_Token", TOKEN)], 404, "not_found"),
            ("nginx", [peer, token, token], 404, "not_found"),
            ("nginx/nope", [], 404, "not_found"),
            ("nginx", [token], 500, "peer_unknown"),
            ("nginx", [token, two], 500, "peer_unknown"),
            ("nginx", [token, peer, peer], 500, "peer_unknown"),
            ("nginx", [token, ("X-Iptrust-Peer", "")], 500, "peer_unknown"),
            ("nginx", [token, ("X_Iptrust_Peer", "127.0.0.2")], 500, "peer_unknown"),
            ("haproxy", [peer], 404, "not_found"),
            ("haproxy", [token], 500, "peer_unknown"),
            ("traefik", [], 500, "peer_unknown"),
            ("traefik", [peer], 500, "peer_unknown"),
            ("caddy", [("X-Forwarded-For", "8.8.8.8,")], 500, "peer_unknown"),
            ("envoy", [("X-Forwarded-For", "")], 500, "peer_unknown"),
            ("envoy", [one, ("x-forwarded-for", "")], 500, "peer_unknown"),
            ("nginx/nope", NAMED, 404, "unknown_policy"),
            ("caddy/nope", [one], 404, "unknown_policy"),
            ("caddy/closed", [one], 403, "policy_not_selectable"),
            ("caddy/edge/more", [one], 404, "not_found"),
            ("caddy/", [one], 404, "not_found"),
            ("apache", [one], 404, "not_found"),
            ("envoy/", [one], 404, "not_found"),
            ("envoy//edge", [one], 404, "not_found"),
            ("envoy/nope/edge", [one], 404, "unknown_policy"),
        ]
        for path, headers, status, code in rows:
            with self.subTest(path=path, headers=headers):
                self.check(self.auth(path, headers), status, code)

    def test_methods(self):
        xff = [("X-Forwarded-For", "127.0.0.2")]
        self.check(self.auth("caddy", xff, "PUT"), 405, "method_not_allowed")
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
            self.check(self.auth("envoy/default/p%20q/../x", xff, method), 200)

    def test_only_callers_may_say_who_somebody_is(self):
        for path, headers in (("caddy", [("X-Forwarded-For", "127.0.0.2")]), ("nginx", NAMED)):
            self.check(self.auth(path, headers, source="127.0.0.9"), 403, "caller_not_allowed")
        self.check(self.auth("nginx", [], source="127.0.0.9"), 404, "not_found")

    def test_however_much_is_sent_there_is_an_answer(self):
        """libmicrohttpd closes without a word where its memory has no room left for an answer."""
        chain = ("X-Forwarded-For", ", ".join(["127.0.0.2"] * 80))
        forms = [lambda n: [("A%d" % i, "") for i in range(n)], lambda n: [("X_Iptrust_%d" % i, "v" * 40) for i in range(n)],
                 lambda n: [("A", "b" * 50 * n)]]
        for number, form in enumerate(forms):
            statuses = set()
            for n in range(100, 420, 5):
                answer = self.auth("envoy/rewriting", [chain] + form(n))
                self.assertIn(answer.status, (200, 431), (number, n))
                statuses.add(answer.status)
            self.assertEqual(statuses, {200, 431}, number)

    def test_modes(self):
        xff = [("X-Forwarded-For", "unknown, 127.0.0.2")]
        denied = self.auth("traefik/edge", xff)
        self.check(denied, 403, "denied")
        self.assertEqual(denied.headers["x-iptrust-confidence"], "low")
        self.assertNotIn(b"127.0.0.2", denied.body)
        self.check(self.auth("traefik/watched", xff), 200)
        self.check(self.auth("traefik", xff), 200)
        metrics = self.trust.daemon.call("GET", "/metrics", listener="health")[2].decode()
        self.assertIn('iptrust_verdicts_total{policy="watched",mode="shadow",action="allow",rule="deny.confidence_below"} 1', metrics)
        self.assertRegex(metrics, r'iptrust_requests_total\{api="auth_traefik",result="ok"\} [1-9]')

    def test_rewriting_and_what_envoy_takes_away(self):
        answer = self.auth("envoy/rewriting/a", [("X-Forwarded-For", "8.8.8.8, 127.0.0.2"), ("X_Real_Ip", "6.6.6.6"),
                                                 ("X_Iptrust_Asn", "6"), ("X-Iptrust-Asn", "6")])
        self.check(answer, 200)
        self.assertEqual((answer.headers["x-forwarded-for"], answer.headers["x-real-ip"]), ("8.8.8.8", "8.8.8.8"))
        self.assertEqual(answer.headers["x-envoy-auth-headers-to-remove"], "forwarded, true-client-ip, X_Real_Ip, X_Iptrust_Asn")
        answer = self.auth("envoy/rewriting", [("X-Forwarded-For", "unknown, 127.0.0.2")])
        self.assertEqual(answer.headers["x-envoy-auth-headers-to-remove"], "x-forwarded-for, x-real-ip, forwarded, true-client-ip")
        self.assertIsNone(answer.headers["x-forwarded-for"])
        self.assertIsNone(self.auth("caddy/rewriting", [("X-Forwarded-For", "127.0.0.2")]).headers["x-envoy-auth-headers-to-remove"])

    def test_another_source_of_the_peer_is_a_finding(self):
        def findings():
            for line in self.trust.daemon.call("GET", "/metrics", listener="health")[2].decode().splitlines():
                if line.startswith('iptrust_findings_total{code="peer_header_forged"}'):
                    return int(line.split()[-1])
            return 0

        before = findings()
        self.check(self.auth("caddy", [("X-Forwarded-For", "127.0.0.2"), ("X-Iptrust-Peer", "6.6.6.6")]), 200)
        self.check(self.auth("nginx", NAMED + [("x_iptrust_peer", "6.6.6.6")]), 200)
        self.check(self.auth("nginx", NAMED), 200)
        self.assertEqual(findings(), before + 2)

    def test_what_traefik_sent(self):
        """Recorded from Traefik 3.6.12 with deploy/traefik, asked by a balancer and by a stranger."""
        rows = [([("Host", "127.0.0.1:13000"), ("User-Agent", "curl/7.88.1"), ("X-Forwarded-For", "1.1.1.1, 8.8.8.8, 127.0.0.2"),
                  ("X-Forwarded-Host", "127.0.0.1:18104"), ("X-Forwarded-Method", "PUT"), ("X-Forwarded-Port", "18104"),
                  ("X-Forwarded-Proto", "http"), ("X-Forwarded-Uri", "/p?q=1"), ("X-Real-Ip", "9.9.9.9"),
                  ("Accept-Encoding", "gzip")], "8.8.8.8"),
                ([("Host", "127.0.0.1:13000"), ("User-Agent", "curl/7.88.1"), ("X-Forwarded-For", "127.0.0.3"),
                  ("X-Forwarded-Host", "127.0.0.1:18104"), ("X-Forwarded-Method", "GET"), ("X-Forwarded-Port", "18104"),
                  ("X-Forwarded-Proto", "http"), ("X-Forwarded-Uri", "/p?q=1"), ("X-Real-Ip", "127.0.0.3"),
                  ("Accept-Encoding", "gzip")], "127.0.0.3")]
        for headers, client in rows:
            answer = ask(self.trust.port, headers, "127.0.0.1", path="/v1/auth/traefik/edge", host=False)
            self.check(answer, 200)
            self.assertEqual(answer.headers["x-iptrust-client-ip"], client)


class Tokens(unittest.TestCase):
    def test_a_reload_reads_the_token_again_and_no_token_means_not_found(self):
        trust = Trust()

        def status(token):
            headers = [("X-Iptrust-Peer", "127.0.0.2"), ("X-Iptrust-Token", token)]
            return ask(trust.port, headers, "127.0.0.1", path="/v1/auth/haproxy").status

        def write(text):
            with open(trust.token, "w") as f:
                f.write(text)

        def reload():
            return trust.daemon.call("POST", "/v1/reload", listener="admin")[0]

        try:
            self.assertEqual(status(TOKEN), 200)
            write("another\n")
            self.assertEqual(status("another"), 404, "not before it is asked for")
            self.assertEqual(reload(), 200)
            self.assertEqual((status("another"), status(TOKEN)), (200, 404))
            write("")
            self.assertEqual(reload(), 422)
            self.assertEqual(status("another"), 200, "the old one stays")
            self.assertEqual(status(""), 404)
            with open(trust.daemon.config) as f:
                text = f.read()
            trust.daemon.write("\n".join(line for line in text.split("\n") if not line.startswith("auth:")))
            self.assertEqual(reload(), 200)
            self.assertEqual((status("another"), status("")), (404, 404))
        finally:
            trust.close()


class UnixSocket(unittest.TestCase):
    def test_who_may_open_the_socket_needs_no_token(self):
        trust = Trust(unix=True)
        try:
            status, headers, _ = trust.daemon.call("GET", "/v1/auth/nginx", headers={"X-Iptrust-Peer": "127.0.0.2"})
            self.assertEqual((status, headers["x-iptrust-client-ip"]), (200, "127.0.0.2"))
        finally:
            trust.close()


class Behind:
    """What every proxy must do with its snippet."""
    proxy = None
    fails_open = True

    @classmethod
    def setUpClass(cls):
        cls.trust, cls.echo = Trust(), Echo()
        cls.closed = cls.proxy(cls.trust, cls.echo)
        cls.opened = cls.proxy(cls.trust, cls.echo, ["fail-open"]) if cls.fails_open else None
        cls.proxies = [p for p in (cls.closed, cls.opened) if p is not None]

    @classmethod
    def tearDownClass(cls):
        for proxy in cls.proxies:
            proxy.stop()
        cls.echo.stop()
        cls.trust.close()

    def ours(self, answer):
        self.assertEqual(answer.status, 200, answer.body)
        found = answer.ours
        self.assertEqual([n for n, _ in found], ["x-iptrust-" + n for n in NAMES], "each once and no other")
        return {n[10:]: v for n, v in found}

    def test_the_application_learns_the_client(self):
        rows = [
            ("127.0.0.2", [("X-Forwarded-For", "8.8.8.8")], "8.8.8.8", "127.0.0.2;lb, 8.8.8.8"),
            ("127.0.0.2", [("X-Forwarded-For", "1.1.1.1, 8.8.8.8")], "8.8.8.8", "127.0.0.2;lb, 8.8.8.8"),
            ("127.0.0.2", [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "8.8.8.8")], "8.8.8.8", "127.0.0.2;lb, 8.8.8.8"),
            ("127.0.0.2", [("X-Forwarded-For", "2001:db8::7")], "2001:db8::7", "127.0.0.2;lb, 2001:db8::7"),
            ("127.0.0.3", [("X-Forwarded-For", "8.8.8.8")], "127.0.0.3", "127.0.0.3"),
            ("127.0.0.3", [], "127.0.0.3", "127.0.0.3"),
        ]
        for source, headers, client, chain in rows:
            for proxy in self.proxies:
                with self.subTest(source=source, headers=headers, options=proxy.options):
                    ours = self.ours(ask(proxy.port, headers, source))
                    self.assertEqual((ours["client-ip"], ours["chain"], ours["policy"]), (client, chain, "edge"))
                    self.assertEqual((ours["country"], ours["asn"]), ("-", "-"))

    def test_forged_answers_do_not_reach_the_application(self):
        for proxy in self.proxies:
            for line in [[f] for f in FORGED] + [FORGED]:
                with self.subTest(line=line, options=proxy.options):
                    ours = self.ours(ask(proxy.port, line, "127.0.0.3"))
                    self.assertEqual((ours["client-ip"], ours["confidence"], ours["chain"]), ("127.0.0.3", "medium", "127.0.0.3"))

    def test_a_denial_is_a_problem_and_stops_at_the_proxy(self):
        for proxy in self.proxies:
            seen = self.echo.seen
            answer = ask(proxy.port, [("X-Forwarded-For", "unknown")])
            self.assertEqual(answer.status, 403, answer.body)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertEqual(json.loads(answer.body)["code"], "denied")
            self.assertEqual([n for n in answer.headers if n.lower().startswith("x-iptrust")], [], "the client learns nothing")
            self.assertEqual(self.echo.seen, seen)

    def test_methods_and_bodies_pass(self):
        for method, body in (("POST", b"x" * 5000), ("PUT", b"y" * 300000)):
            answer = ask(self.closed.port, [("X-Forwarded-For", "8.8.8.8")], method=method, body=body)
            self.assertEqual(self.ours(answer)["client-ip"], "8.8.8.8")
            self.assertEqual(json.loads(answer.body)["method"], method)
            self.assertEqual(json.loads(answer.body)["path"], "/a/b?c=d")

    def test_nobody_gets_past_by_sending_much(self):
        """An answer of the application without ours would mean that iptrustd gave none."""
        forms = [lambda n: [("A%d" % i, "") for i in range(n)], lambda n: [("X_Iptrust_%d" % i, "") for i in range(n)],
                 lambda n: [("Cookie", "; ".join("a=b" for _ in range(4 * n)))],
                 lambda n: [("X-Forwarded-For", ", ".join(["127.0.0.2"] * n))], lambda n: [("Forwarded", "for=a" * 30)] * n]
        for proxy in self.proxies:
            for number, form in enumerate(forms):
                for n in (60, 90, 98, 150, 300, 800, 1600):
                    with self.subTest(form=number, n=n, options=proxy.options):
                        seen = self.echo.seen
                        answer = ask(proxy.port, form(n), "127.0.0.3")
                        if answer.status == 200:
                            self.assertEqual(self.ours(answer)["client-ip"], "127.0.0.3")
                        else:
                            self.assertIn(answer.status, (400, 403, 431, 500, 502, 503))
                            self.assertEqual(self.echo.seen, seen)

    def test_cookies_are_the_applications_business(self):
        answer = ask(self.closed.port, [("Cookie", "a=b"), ("Authorization", "Basic eA==")], "127.0.0.3")
        self.assertEqual((dict(answer.application)["cookie"], dict(answer.application)["authorization"]), ("a=b", "Basic eA=="))

    def test_without_iptrustd(self):
        self.trust.stop()
        try:
            seen = self.echo.seen
            for headers in ([], FORGED):
                self.assertEqual(ask(self.closed.port, headers).status, self.proxy.closed_status)
            self.assertEqual(self.echo.seen, seen)
            for headers in ([], FORGED, FORGED) if self.fails_open else ():
                answer = ask(self.opened.port, headers)
                self.assertEqual(answer.status, 200, answer.body)
                self.assertEqual(answer.ours, [])
        finally:
            self.trust.start()
        self.assertEqual(self.ours(ask(self.closed.port, [("X-Forwarded-For", "8.8.8.8")]))["client-ip"], "8.8.8.8")

    def rewritten(self, answer):
        return {n: v for n, v in answer.application if n in ("x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip")}


class BehindNginx(Behind, unittest.TestCase):
    proxy = Nginx

    def test_underscores_are_refused_where_nginx_keeps_them(self):
        proxy = Nginx(self.trust, self.echo, ["underscores"])
        try:
            for name in ("X_Iptrust_Client_Ip", "X-Iptrust_Client-Ip", "x_iptrust-asn"):
                self.assertEqual(ask(proxy.port, [(name, "6.6.6.6")]).status, 400)
            self.assertEqual(dict(ask(proxy.port, [("X_Other", "1")], "127.0.0.3").application)["x_other"], "1", "they are kept")
            self.assertEqual(self.ours(ask(proxy.port, [("X-Forwarded-For", "8.8.8.8")]))["client-ip"], "8.8.8.8")
        finally:
            proxy.stop()

    def test_over_a_unix_socket(self):
        trust = Trust(unix=True)
        proxy = Nginx(trust, self.echo)
        try:
            self.assertEqual(self.ours(ask(proxy.port, [("X-Forwarded-For", "8.8.8.8")]))["client-ip"], "8.8.8.8")
        finally:
            proxy.stop()
            trust.close()

    def test_rewrite(self):
        proxy = Nginx(self.trust, self.echo, ["rewrite"])
        try:
            answer = ask(proxy.port, [("X-Forwarded-For", "1.1.1.1, 8.8.8.8"), ("Forwarded", "for=6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {"x-forwarded-for": "8.8.8.8", "x-real-ip": "8.8.8.8"})
            answer = ask(proxy.port, [("X-Forwarded-For", "unknown"), ("X-Real-Ip", "6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {})
        finally:
            proxy.stop()


class BehindHAProxy(Behind, unittest.TestCase):
    proxy = HAProxy

    def test_rewrite(self):
        proxy = HAProxy(self.trust, self.echo, ["rewrite"])
        try:
            answer = ask(proxy.port, [("X-Forwarded-For", "1.1.1.1, 8.8.8.8"), ("Forwarded", "for=6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {"x-forwarded-for": "8.8.8.8", "x-real-ip": "8.8.8.8"})
            answer = ask(proxy.port, [("X-Forwarded-For", "unknown"), ("X-Real-Ip", "6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {})
        finally:
            proxy.stop()


class BehindCaddy(Behind, unittest.TestCase):
    proxy = Caddy


@unittest.skipUnless(Traefik.program, "IPTRUST_TRAEFIK names no Traefik: its recorded requests stand for it")
class BehindTraefik(Behind, unittest.TestCase):
    proxy = Traefik
    fails_open = False


class BehindEnvoy(Behind, unittest.TestCase):
    proxy = EnvoyHttp

    def test_rewrite(self):
        proxy = EnvoyHttp(self.trust, self.echo, ["rewrite"])
        try:
            answer = ask(proxy.port, [("X-Forwarded-For", "1.1.1.1, 8.8.8.8"), ("Forwarded", "for=6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {"x-forwarded-for": "8.8.8.8", "x-real-ip": "8.8.8.8"})
            answer = ask(proxy.port, [("X-Forwarded-For", "unknown"), ("X-Real-Ip", "6.6.6.6"), ("X_Real_Ip", "6.6.6.6")])
            self.assertEqual(self.rewritten(answer), {})
            self.assertNotIn("x_real_ip", dict(answer.application))
        finally:
            proxy.stop()

    def test_a_prefix_names_the_policy_and_the_path_of_the_client_does_not(self):
        proxy = EnvoyHttp(self.trust, self.echo, ["prefix"])
        try:
            for path in ("/", "/default", "/../default", "//default", "/a/b?c=d"):
                answer = ask(proxy.port, [("X-Forwarded-For", "8.8.8.8")], path=path)
                self.assertEqual(self.ours(answer)["policy"], "edge", path)
        finally:
            proxy.stop()


if __name__ == "__main__":
    unittest.main(verbosity=1 if os.environ.get("CI") else 2)
