"""The program `iptrust` as people run it: every command, its exit codes, its ways to take a request.

usage: cli_test.py PATH-OF-IPTRUST
"""
import base64
import hashlib
import html
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = None

CONFIG = """\
lists:
  lb: {prefixes: [10.0.12.0/24, "fd00:12::/64"], internal: true}
  cf: {provider: cloudflare, prefixes: [173.245.48.0/20], exclusive: true}
policies:
  default: {trust: [lb, cf], read: [x-forwarded-for, cf-connecting-ip]}
  second: {trust: [cf]}
"""


def run(*args, stdin="", env=None, binary=False):
    """(exit code, standard output, standard error)"""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    environment.update(env or {})
    done = subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=60, env=environment)
    out = done.stdout if binary else done.stdout.decode()
    return done.returncode, out, done.stderr.decode()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="iptrust-cli-")
        cls.config = cls.write("iptrust.yaml", CONFIG)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.dir, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def one_line_error(self, result, code, *words):
        self.assertEqual(result[0], code, result)
        self.assertEqual(result[2].count("\n"), 1, result[2])
        self.assertTrue(result[2].startswith("iptrust: "), result[2])
        for word in words:
            self.assertIn(word, result[2])


class Usage(Case):
    def test_help_names_every_command_and_each_has_its_own(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for command in ("resolve", "explain", "ip", "lists", "check-config", "health"):
            self.assertIn(f"\n  {command} ", out)
            code, own, _ = run(command, "--help")
            self.assertEqual(code, 0)
            self.assertTrue(own.startswith(f"usage: iptrust {command} "), own)
            self.assertIn("\nexamples:\n", own)
            self.assertEqual(run("help", command)[1], own)
            self.assertLessEqual(max(map(len, own.splitlines())), 120)

    def test_version(self):
        code, out, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^iptrust \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_one_line_and_2(self):
        self.one_line_error(run(), 2, "--help")
        self.one_line_error(run("resove"), 2, "resove")
        self.one_line_error(run("resolve"), 2, "--peer")
        self.one_line_error(run("resolve", "--peer"), 2, "needs a value")
        self.one_line_error(run("resolve", "--pear", "1.1.1.1"), 2, "--pear")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "extra"), 2, "extra")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--peer", "2.2.2.2"), 2, "twice")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "-H", "no colon"), 2, "Name: value")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--attribute", "x"), 2, "NAME=VALUE")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "-o", "yaml"), 2, "text, json")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "-o", "html"), 2)
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--color", "blue"), 2, "always")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--server", "ftp://x"), 2, "unix:")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--proxy-protocol", "@/nonexistent"), 2, "nonexistent")
        self.one_line_error(run("resolve", "--server", "http://127.0.0.1:1", "--config", "x"), 2, "exclude")
        self.one_line_error(run("ip"), 2)
        self.one_line_error(run("lists", "--format", "nginx"), 2)
        self.one_line_error(run("lists", "cloudflare", "--format", "caddy"), 2, "nginx")
        self.one_line_error(run("lists", "../etc"), 2)
        self.one_line_error(run("check-config", "a", "b"), 2)
        self.one_line_error(run("health", "x"), 2)

    def test_a_configuration_that_cannot_be_read_is_2(self):
        code, out, err = run("resolve", "--peer", "1.1.1.1", "--config", "/nonexistent.yaml")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("/nonexistent.yaml", err)
        bad = self.write("bad.yaml", "polices: {}\n")
        code, out, err = run("resolve", "--peer", "1.1.1.1", "--config", bad)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"{bad}:1:1: error: ", err)


class Resolve(Case):
    def resolve(self, *args, **more):
        code, out, err = run("resolve", "--config", self.config, "-o", "json", *args, **more)
        self.assertEqual((code, err), (0, ""), out)
        self.assertTrue(out.endswith("}\n"))
        self.assertEqual(out.count("\n"), 1)
        return json.loads(out)

    def test_the_summary_is_one_line(self):
        code, out, err = run("resolve", "--config", self.config, "--peer", "10.0.12.1",
                             "-H", "X-Forwarded-For: 1.1.1.1, 8.8.8.8")
        self.assertEqual((code, out, err), (0, "8.8.8.8  high  walk_first_untrusted, unvouched_entries(1)\n", ""))

    def test_headers_keep_their_order(self):
        answer = self.resolve("--peer", "10.0.12.1", "-H", "X-Forwarded-For: 1.1.1.1", "-H", "x-forwarded-for:9.9.9.9")
        self.assertEqual(answer["client_ip"], "9.9.9.9")
        self.assertEqual(answer["chain"][1]["line"], 1)

    def test_every_request_option_arrives(self):
        config = self.write("attribute.yaml", """\
lists:
  lb: {prefixes: [10.0.12.0/24], internal: true, vouches: {proxy_protocol: replace}}
policies:
  default: {trust: [lb]}
  gate: {trust: [lb], read: [x-forwarded-for, {attribute: arg_realip, from: lb}]}
""")
        answer = json.loads(run("resolve", "--config", config, "-o", "json", "--peer", "10.0.12.1", "--policy", "gate",
                                "--attribute", "arg_realip=8.8.8.8", "--request-id", "r-1")[1])
        self.assertEqual((answer["client_ip"], answer["source"], answer["policy"], answer["request_id"]),
                         ("8.8.8.8", "attribute:arg_realip", "gate", "r-1"))
        line = "PROXY TCP4 8.8.8.8 10.0.0.1 4711 443"
        raw = (line + "\r\n").encode()
        for given in (line, base64.b64encode(raw).decode(), "@" + self.write("proxy.bin", raw)):
            answer = json.loads(run("resolve", "--config", config, "-o", "json", "--peer", "10.0.12.1",
                                    "--proxy-protocol", given)[1])
            self.assertEqual((answer["client_ip"], answer["client_port"]), ("8.8.8.8", 4711))

    def test_bytes_that_json_cannot_carry_are_carried(self):
        code, out, _ = subprocess_bytes("resolve", "--config", self.config, "-o", "json", "--peer", "10.0.12.1",
                                        b"-HX-Forwarded-For: \xe9")
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)["chain"][1]["text"], "\\xe9")

    def test_header_block_on_standard_input(self):
        block = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 8.8.8.8\r\n\r\nX-Forwarded-For: 1.1.1.1\r\n"
        self.assertEqual(self.resolve("--peer", "10.0.12.1", "-", stdin=block)["client_ip"], "8.8.8.8")
        dump = "* Connected\n> GET / HTTP/1.1\n> Host: a\n> X-Forwarded-For: 8.8.4.4\n>\n< HTTP/1.1 200 OK\n< A: b\n"
        self.assertEqual(self.resolve("--peer", "10.0.12.1", "-", stdin=dump)["client_ip"], "8.8.4.4")

    def test_a_bad_block_is_wrong_usage(self):
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "-", stdin="A: 1\nrubbish\n"), 2, "line 2")
        self.one_line_error(run("resolve", "-", stdin=""), 2, "empty")
        self.one_line_error(run("resolve", "-", stdin="A: 1\n"), 2, "--peer")

    def test_json_on_standard_input(self):
        request = {"peer": "10.0.12.1", "headers": [["X-Forwarded-For", "8.8.8.8"]]}
        for text in (json.dumps(request), json.dumps(request, indent=2), "\n\n" + json.dumps(request) + "\n"):
            self.assertEqual(self.resolve("-", stdin=text)["client_ip"], "8.8.8.8")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "-", stdin=json.dumps(request)), 2, "JSON")

    def test_one_answer_a_line(self):
        requests = [{"peer": f"8.8.8.{i}"} for i in range(50)]
        text = "".join(json.dumps(r) + "\n" for r in requests)
        code, out, _ = run("resolve", "--config", self.config, "-o", "json", "-", stdin=text)
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(line)["client_ip"] for line in out.splitlines()], [r["peer"] for r in requests])

    def test_a_bad_line_is_a_problem_in_its_place(self):
        text = '{"peer":"8.8.8.8"}\n{"pear":1}\nrubbish\n\n{"peer":"9.9.9.9"}\n'
        code, out, err = run("resolve", "--config", self.config, "-o", "json", "-", stdin=text)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(code, 1)
        self.assertEqual([line.get("client_ip", line.get("code")) for line in lines],
                         ["8.8.8.8", "unknown_key", "bad_json", "9.9.9.9"])
        self.assertIn("iptrust: line 2: ", err)
        self.assertIn("iptrust: line 3: ", err)
        code, out, err = run("resolve", "--config", self.config, "-", stdin=text)
        self.assertEqual((code, len(out.splitlines())), (1, 2))

    def test_what_cannot_be_answered_is_1(self):
        self.one_line_error(run("resolve", "--config", self.config, "--peer", "1.1.1.1", "--policy", "third"), 1,
                            "unknown_policy", "default, second")
        self.one_line_error(run("resolve", "--peer", "1.1.1.1", "--proxy-protocol", "AAAA"), 1, "bad_proxy_protocol")
        code, out, _ = run("resolve", "--peer", "1.1.1.1", "--proxy-protocol", "AAAA", "-o", "json")
        self.assertEqual((code, json.loads(out)["code"]), (1, "bad_proxy_protocol"))

    def test_a_peer_that_is_no_address_is_answered(self):
        code, out, _ = run("resolve", "--peer", "rubbish")
        self.assertEqual((code, out), (0, "-  none  no_address\n"))


def subprocess_bytes(*args):
    done = subprocess.run([PROGRAM, *args], input=b"", capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Explain(Case):
    ASK = ("--peer", "172.17.0.1", "-H", "X-Forwarded-For: 8.8.8.8")

    def test_plain_when_piped(self):
        for env in ({}, {"NO_COLOR": "1"}, {"TERM": "xterm-256color"}):
            code, out, _ = run("explain", *self.ASK, env=env, binary=True)
            self.assertEqual(code, 0)
            self.assertTrue(all(c == 10 or 32 <= c < 127 for c in out))
            self.assertTrue(out.startswith(b"Client 172.17.0.1, confidence medium: "))

    def test_colour_and_lines_on_request(self):
        code, out, _ = run("explain", *self.ASK, "--color=always", "--unicode=always", env={"NO_COLOR": "1"})
        self.assertEqual(code, 0)
        self.assertIn("\x1b[", out)
        self.assertIn("\u2502", out)
        self.assertNotIn("\x1b", run("explain", *self.ASK, "--color=never")[1])

    def test_on_a_terminal_it_is_coloured_unless_NO_COLOR(self):
        plain, coloured = self.on_a_terminal({"NO_COLOR": "1"}), self.on_a_terminal({})
        self.assertNotIn(b"\x1b", plain)
        self.assertIn(b"\x1b[", coloured)
        self.assertNotIn(b"\x1b", self.on_a_terminal({"TERM": "dumb"}))

    def on_a_terminal(self, env):
        leader, follower = os.openpty()
        environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        environment.update({"TERM": "xterm", **env})
        process = subprocess.Popen([PROGRAM, "explain", *self.ASK], stdin=subprocess.DEVNULL, stdout=follower,
                                   stderr=subprocess.DEVNULL, env=environment)
        os.close(follower)
        out = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.close(leader)
        self.assertEqual(process.wait(60), 0)
        return out

    def test_what_it_suggests_gives_the_client(self):
        out = run("explain", *self.ASK)[1]
        yaml = "".join(line[6:] + "\n" for line in out[out.index("What to change"):].splitlines()
                       if line.startswith("      "))
        config = self.write("suggested.yaml", yaml)
        self.assertEqual(run("check-config", config)[0], 0)
        self.assertEqual(run("resolve", "--config", config, *self.ASK)[1], "8.8.8.8  high  walk_first_untrusted\n")

    def test_json_is_the_decision(self):
        self.assertEqual(run("explain", *self.ASK, "-o", "json"), run("resolve", *self.ASK, "-o", "json"))

    def test_the_page_runs_nothing_and_loads_nothing(self):
        code, page, _ = run("explain", "--peer", "172.17.0.1", "-H", "X-Forwarded-For: <script>alert(1)</script>",
                            "-o", "html")
        self.assertEqual(code, 0)
        self.assertNotRegex(page, r"<script|<link|<img|<iframe|javascript:|\son\w+=|url\(|@import|src=")
        self.assertIn("&lt;script&gt;", page)
        style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
        policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1))
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertIn(f"style-src 'sha256-{digest}'", policy)
        self.assertTrue(policy.startswith("default-src 'none';"))


class Ip(Case):
    def test_many_addresses(self):
        code, out, _ = run("ip", "--config", self.config, "173.245.48.7", "10.0.12.1", "8.8.8.8", "::ffff:8.8.4.4")
        self.assertEqual((code, out.splitlines()),
                         (0, ["173.245.48.7  global  cf 173.245.48.0/20", "10.0.12.1  private  lb 10.0.12.0/24",
                              "8.8.8.8  global  in no list", "8.8.4.4  global  in no list"]))

    def test_standard_input(self):
        code, out, _ = run("ip", "-o", "json", "-", stdin="8.8.8.8\n2001:db8::1 1.1.1.1\r\n")
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(line)["address"] for line in out.splitlines()],
                         ["8.8.8.8", "2001:db8::1", "1.1.1.1"])

    def test_what_databases_say(self):
        with_geo = ["ip", "--config", str(pathlib.Path(__file__).parents[1] / "golden" / "geo.yaml")]
        city = "    told by   IP Geolocation by DB-IP, https://db-ip.com"
        network = "              This product includes GeoLite2 data created by MaxMind, available from https://www.maxmind.com"
        told = run(*with_geo, "-", stdin="8.8.8.8\n7.7.7.7\n1.1.1.1 4.4.4.4\n2002:808:808::1\n2a00::1\n77.1.2.3\n")
        self.assertEqual((told[0], told[1].splitlines()), (0, [
            "8.8.8.8  global  in no list", "    place     Cologne, North Rhine-Westphalia, Germany, DE, Europe",
            "    network   AS15169, Example LLC, Example Net, business, Cable/DSL", city, network,
            "7.7.7.7  global  in no list", "    place     NL", "    network   unknown", "    anonymity is_anonymous, is_tor_exit_node",
            "1.1.1.1  global  in no list", "    place     Sweden, SE", "    network   unknown", city,
            "4.4.4.4  global  in no list", "    place     caf\u00e9 \"x\"", "    network   unknown", city,
            "2002:808:808::1  transition  carries 8.8.8.8  in no list", "    place     Cologne, North Rhine-Westphalia, Germany, DE, Europe",
            "    network   AS15169, Example LLC, Example Net, business, Cable/DSL", "    (of 8.8.8.8, which the address carries)", city, network,
            "2a00::1  global  in no list", "    geo       unknown: not_covered",
            "77.1.2.3  global  in no list", "    geo       unknown: no_record"]))
        answers = [json.loads(line) for line in run(*with_geo, "-o", "json", "8.8.8.8", "2a00::1")[1].splitlines()]
        self.assertEqual([(a["geo"]["country_code"], a["geo_reason"]) for a in answers], [("DE", None), (None, "not_covered")])
        self.assertEqual(answers[0]["geo"]["sources"]["asn"], "network")
        self.assertEqual([a["attributions"] for a in answers], [[city.strip()[10:], network.strip()], []])

    def test_a_bad_address_does_not_stop_the_others(self):
        code, out, err = run("ip", "8.8.8.8", "8.8.8.08", "8.8.4.4")
        self.assertEqual((code, len(out.splitlines())), (1, 2))
        self.assertIn("`8.8.8.08` is no address", err)


class Lists(Case):
    def test_the_table(self):
        code, out, _ = run("lists", "--config", self.config)
        self.assertEqual(code, 0)
        rows = [line.split() for line in out.splitlines()]
        self.assertEqual([row[0] for row in rows], ["NAME", "cf", "lb"])
        self.assertEqual(rows[2][1:5], ["own", "prefixes", "1", "1"])
        self.assertTrue(out.splitlines()[1].endswith("default, second"))

    def test_json(self):
        code, out, _ = run("lists", "--config", self.config, "-o", "json")
        self.assertEqual(code, 0)
        self.assertEqual([item["name"] for item in json.loads(out)["lists"]], ["cf", "lb"])
        one = json.loads(run("lists", "lb", "--config", self.config, "-o", "json")[1])
        self.assertEqual(one["prefixes"], ["10.0.12.0/24", "fd00:12::/64"])
        self.assertEqual(one["trusted_by"], ["default"])

    def test_the_text_of_a_list_is_a_list(self):
        path = self.write("again.txt", run("lists", "lb", "--config", self.config, "--format", "text")[1])
        config = self.write("again.yaml", f"lists: {{again: {{file: {path}, internal: true}}}}\n"
                                          "policies: {default: {trust: [again]}}\n")
        self.assertEqual(json.loads(run("lists", "again", "--config", config, "--format", "json")[1])["prefixes"],
                         ["10.0.12.0/24", "fd00:12::/64"])

    def test_an_unknown_list_is_1(self):
        self.one_line_error(run("lists", "nope"), 1, "nope")

    def export(self, name, format):
        code, out, err = run("lists", name, "--config", self.config, "--format", format)
        self.assertEqual((code, err), (0, ""))
        return self.write(f"{name}.{format}", out)

    def test_nginx_takes_its_export(self):
        nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if nginx is None:
            self.skipTest("nginx is not installed")
        includes = "".join(f"include {self.export(name, 'nginx')};" for name in ("lb", "cf"))
        config = self.write("nginx.conf", f"pid {self.dir}/nginx.pid; error_log stderr; events {{}}"
                                          f"http {{ access_log off; real_ip_header X-Forwarded-For; {includes}"
                                          f"client_body_temp_path {self.dir}/b; proxy_temp_path {self.dir}/p;"
                                          f"fastcgi_temp_path {self.dir}/f; uwsgi_temp_path {self.dir}/u;"
                                          f"scgi_temp_path {self.dir}/s; }}")
        done = subprocess.run([nginx, "-t", "-p", self.dir, "-c", config], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_haproxy_takes_its_export(self):
        haproxy = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
        if haproxy is None:
            self.skipTest("haproxy is not installed")
        acls = "".join(f"  acl from_{name} src -f {self.export(name, 'haproxy')}\n" for name in ("lb", "cf"))
        config = self.write("haproxy.cfg", f"defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n"
                                           f"  timeout server 1s\nfrontend f\n  bind {self.dir}/h.sock\n{acls}"
                                           f"  http-request deny unless from_lb or from_cf\n")
        done = subprocess.run([haproxy, "-c", "-f", config], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_apache_takes_its_export(self):
        apache = shutil.which("apache2") or shutil.which("/usr/sbin/apache2")
        modules = "/usr/lib/apache2/modules"
        if apache is None or not os.path.isdir(modules):
            self.skipTest("Apache httpd is not installed")
        config = self.write("httpd.conf", f"ServerRoot {self.dir}\nServerName a\nPidFile {self.dir}/httpd.pid\n"
                                          f"ErrorLog {self.dir}/error.log\nListen 127.0.0.1:1\n"
                                          f"LoadModule mpm_event_module {modules}/mod_mpm_event.so\n"
                                          f"LoadModule authz_core_module {modules}/mod_authz_core.so\n"
                                          f"LoadModule remoteip_module {modules}/mod_remoteip.so\n"
                                          f"RemoteIPHeader X-Forwarded-For\nInclude {self.export('lb', 'apache')}\n"
                                          f"Include {self.export('cf', 'apache')}\n")
        done = subprocess.run([apache, "-t", "-f", config], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())


class CheckConfig(Case):
    def test_right_is_0_also_with_warnings(self):
        code, out, err = run("check-config", self.config)
        self.assertEqual(code, 0)
        self.assertIn("ok, 2 lists, 2 policies", out)
        wide = self.write("wide.yaml", "lists: {all: {prefixes: [0.0.0.0/0]}}\npolicies: {default: {trust: [all]}}\n")
        code, out, err = run("check-config", "--config", wide)
        self.assertEqual(code, 0)
        self.assertIn(f"{wide}:1:", err)
        self.assertIn(": warning: ", err)

    def test_wrong_is_2_with_the_place(self):
        bad = self.write("bad.yaml", "lists:\n  lb: {prefixs: [10.0.0.0/8]}\n")
        code, out, err = run("check-config", bad)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"{bad}:2:8: error: ", err)
        self.assertIn("prefixes", err)
        code, out, err = run("check-config", "-o", "json", bad)
        answer = json.loads(out)
        self.assertEqual((code, answer["ok"], answer["diagnostics"][0]["line"]), (2, False, 2))

    def check(self, text):
        path = self.write("files.yaml", text + "\n")
        code, out, err = run("check-config", path)
        return code, err.replace(path, "FILE")

    def test_keys_that_a_start_would_refuse_are_said(self):
        key, none = os.path.join(self.dir, "central.key"), self.write("no.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n")
        public = run("bundle", "keygen", "--key", key)[1].strip()
        url = "central: {url: 'https://central.example/', public_keys: [%s]}"
        rows = ((url % public, 0, ""), (url % "AAAA", 2, "is no Ed25519 key"),
                ("serve_central: {signing_key_file: %s}" % key, 0, ""),
                ("serve_central: {signing_key_file: /nowhere/central.key}", 2, "FILE:1:35: error: /nowhere/central.key cannot be read"),
                ("serve_central: {signing_key_file: %s}" % self.dir, 2, "cannot be read"),
                ("serve_central: {signing_key_file: %s}" % none, 2, "is no Ed25519 key in PEM"))
        for text, wanted, words in rows:
            with self.subTest(text):
                code, said = self.check(text)
                self.assertEqual(code, wanted, said)
                self.assertIn(words, said)

    def test_files_of_tls_that_a_start_would_refuse_are_said(self):
        for name in ("one", "two"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".pem"], cwd=self.dir, check=True,
                           capture_output=True, timeout=60)
        rows = (("http", "one.pem", "one.key", 0, ""), ("grpc", "one.pem", "two.key", 2, "does not fit the certificate"),
                ("grpc", "one.pem", "one.pem", 2, "holds no private key"), ("health", "one.key", "one.key", 2, "holds no certificate"),
                ("http", "one.pem", "none.key", 2, "No such file"))
        for listener, cert, key, wanted, words in rows:
            with self.subTest(listener=listener, cert=cert, key=key):
                code, said = self.check("%s: {listen: 127.0.0.1:0, tls: {cert: %s, key: %s}}" % (listener, cert, key))
                self.assertEqual(code, wanted, said)
                self.assertIn(words, said)
                self.assertEqual(": error: " in said, wanted != 0, said)

    def test_without_a_file_it_is_the_built_in_one(self):
        self.assertEqual(run("check-config")[0], 0)
        self.assertEqual(run("check-config", "/nonexistent.yaml")[0], 2)


class Daemon(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Plays the daemon: notes what it is asked and answers what it is told."""
    daemon_threads = True

    def __init__(self, family, address):
        self.address_family = family
        self.seen, self.answer = [], (200, "application/json", b"{}")
        super().__init__(address, Handler)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        status, kind, text = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = reply

    def address_string(self):
        return "client"

    def log_message(self, *args):
        pass


class Server(Case):
    def setUp(self):
        self.tcp = self.start(Daemon(socket.AF_INET, ("127.0.0.1", 0)))
        self.url = "http://127.0.0.1:%d" % self.tcp.socket.getsockname()[1]

    def start(self, daemon):
        thread = threading.Thread(target=daemon.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(daemon.server_close)
        self.addCleanup(daemon.shutdown)
        return daemon

    def test_resolve_sends_the_request_and_prints_the_answer_as_it_is(self):
        answer = run("resolve", "--peer", "8.8.8.8", "-o", "json")[1]
        self.tcp.answer = (200, "application/json", answer.encode())
        for env in ({}, {"http_proxy": "http://127.0.0.1:1"}): # a daemon is never asked by way of a proxy
            code, out, err = run("resolve", "--server", self.url, "--peer", "8.8.8.8", "-H", "A: 1", "-o", "json", env=env)
            self.assertEqual((code, out, err), (0, answer, ""))
        method, path, headers, body = self.tcp.seen[0]
        self.assertEqual((method, path), ("POST", "/v1/resolve"))
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(json.loads(body), {"peer": "8.8.8.8", "headers": [["A", "1"]]})
        self.assertEqual(run("resolve", "--server", self.url, "--peer", "8.8.8.8")[1],
                         "8.8.8.8  high  peer_untrusted_direct\n")

    def test_explain_asks_for_the_picture(self):
        self.tcp.answer = (200, "text/plain", b"a picture\n")
        self.assertEqual(run("explain", "--server", self.url, "--peer", "8.8.8.8")[:2], (0, "a picture\n"))
        self.assertEqual(self.tcp.seen[0][2]["Accept"], "text/plain")
        self.tcp.answer = (200, "application/json", b"{}")
        self.one_line_error(run("explain", "--server", self.url, "--peer", "8.8.8.8"), 1, "JSON alone")

    def test_unix_sockets(self):
        path = os.path.join(self.dir, "s.sock")
        daemon = self.start(Daemon(socket.AF_UNIX, path))
        daemon.answer = (200, "application/json", run("lists", "-o", "json")[1].encode())
        code, out, _ = run("lists", "--server", "unix:" + path)
        self.assertEqual((code, out), (0, run("lists")[1]))
        self.assertEqual(daemon.seen[0][1], "/v1/lists")
        self.assertEqual(run("lists", "cloudflare", "--format", "nginx", "--server", "unix:" + path,
                             "--token-file", self.write("token", "s3cret\n"))[0], 0)
        self.assertEqual(daemon.seen[1][1], "/v1/lists/cloudflare?format=nginx")
        self.assertEqual(daemon.seen[1][2]["Authorization"], "Bearer s3cret")

    def test_ip(self):
        self.tcp.answer = (200, "application/json", run("ip", "8.8.8.8", "-o", "json")[1].encode())
        self.assertEqual(run("ip", "8.8.8.8", "--server", self.url)[:2], (0, "8.8.8.8  global  in no list\n"))
        self.assertEqual(self.tcp.seen[0][1], "/v1/ip/8.8.8.8")

    def test_a_refusal_is_1(self):
        self.tcp.answer = (404, "application/problem+json", b'{"type":"about:blank","title":"t","status":404,'
                                                            b'"code":"unknown_policy","detail":"no such policy"}')
        self.one_line_error(run("resolve", "--server", self.url, "--peer", "8.8.8.8"), 1, "no such policy", "unknown_policy")

    def test_rubbish_for_an_answer_is_1(self):
        self.tcp.answer = (200, "text/html", b"<html>")
        self.one_line_error(run("resolve", "--server", self.url, "--peer", "8.8.8.8"), 1, "not JSON")

    def test_no_daemon_is_1(self):
        self.one_line_error(run("resolve", "--server", "http://127.0.0.1:1", "--peer", "8.8.8.8"), 1, "running")
        self.one_line_error(run("health", "--server", "unix:/nonexistent.sock"), 1)

    def test_health(self):
        self.tcp.answer = (200, "text/plain", b"[+] view\n")
        self.assertEqual(run("health", "--server", self.url)[:2], (0, "[+] view\n"))
        self.assertEqual(run("health", "--health", self.url)[:2], (0, "[+] view\n"))
        self.assertEqual(self.tcp.seen[0][1], "/readyz?verbose")
        self.tcp.answer = (503, "text/plain", b"[-] draining")
        self.assertEqual(run("health", "--server", self.url)[:2], (1, "[-] draining\n"))


class Bundle(Case):
    """What the program signs, others verify, and the other way round."""

    DOCUMENT = "lists: {a: {prefixes: [192.0.2.1]}}\n"

    def openssl(self, *args):
        return subprocess.run(["openssl", *args], capture_output=True, check=True, timeout=60).stdout

    def test_openssl_verifies_what_is_signed(self):
        key, public = os.path.join(self.dir, "a.key"), os.path.join(self.dir, "a.pub")
        code, out, _ = run("bundle", "keygen", "--key", key)
        self.assertEqual((code, os.stat(key).st_mode & 0o777), (0, 0o600))
        self.openssl("pkey", "-in", key, "-pubout", "-out", public)
        with open(public) as file:
            self.assertEqual(file.read().splitlines()[1], out.strip())
        code, bundle, _ = run("bundle", "sign", "--key", key, "--serial", "3", "--expires", "2099-01-01T00:00:00Z", stdin=self.DOCUMENT)
        self.assertEqual(code, 0)
        first, rest = bundle.split("\n", 1)
        self.assertEqual(rest, "iptrust-central: 1\nserial: 3\nexpires: 2099-01-01T00:00:00Z\n\n" + self.DOCUMENT)
        signature = self.write("a.sig", base64.b64decode(first.removeprefix("signature: ")))
        self.openssl("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public, "-in", self.write("a.msg", rest), "-sigfile", signature)
        self.assertEqual(run("bundle", "verify", "--public-key", out.strip(), stdin=bundle)[:2], (0, "good: serial 3\n"))
        code, shown, _ = run("bundle", "show", self.write("a.bundle", bundle))
        self.assertEqual((code, shown.split("\n", 1)[1]), (0, self.DOCUMENT))

    def test_a_key_of_openssl_signs(self):
        key = os.path.join(self.dir, "b.key")
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", key)
        public = self.openssl("pkey", "-in", key, "-pubout").decode().splitlines()[1]
        code, bundle, _ = run("bundle", "sign", "--key", key, "--serial", "1", self.write("b.yaml", self.DOCUMENT))
        self.assertEqual(code, 0)
        self.assertEqual(run("bundle", "verify", "--public-key", public, stdin=bundle)[0], 0)
        rows = [("another serial", bundle.replace("serial: 1", "serial: 2"), "another key has signed it"),
                ("another document", bundle.replace("192.0.2.1", "192.0.2.2"), "another key has signed it"),
                ("no signature", bundle.split("\n", 1)[1], "it is not signed"),
                ("no head", self.DOCUMENT, "this is no bundle"), ("nothing", "", "it is empty"),
                ("too much", bundle + "#" * (1 << 20), "1 MiB")]
        for name, text, why in rows:
            with self.subTest(name):
                code, _, complaint = run("bundle", "verify", "--public-key", public, stdin=text)
                self.assertEqual(code, 1)
                self.assertIn(why, complaint)
        old = run("bundle", "sign", "--key", key, "--serial", "1", "--expires", "2020-01-01T00:00:00Z", stdin=self.DOCUMENT)[1]
        self.assertIn("expired", run("bundle", "verify", "--public-key", public, stdin=old)[2])

    def test_wrong_usage(self):
        rows = [(), ("sign",), ("sign", "--unsigned"), ("sign", "--serial", "1"), ("sign", "--unsigned", "--serial", "0"),
                ("sign", "--unsigned", "--serial", "-1"), ("sign", "--unsigned", "--serial", "1", "--expires", "tomorrow"),
                ("verify",), ("verify", "--public-key", "x"), ("keygen",), ("show", "a", "b"), ("unknown",)]
        for row in rows:
            with self.subTest(row):
                self.assertEqual(run("bundle", *row, stdin=self.DOCUMENT)[0], 2)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
