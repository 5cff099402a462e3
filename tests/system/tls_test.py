"""TLS and mutual TLS of the listeners, seen by clients that nobody here wrote: curl, openssl s_client, Python's ssl. Keys
and certificates are made by the openssl command when the test begins."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from pki import Pki, run
from rest_daemon import BINARY, Daemon, read_all

BINARY = os.path.abspath(BINARY)

SEEN = 6  # seconds within which a change of the files must be in force: two looks and a slow machine
PKI = None

CONFIG = """
http: {listen: 127.0.0.1:0, tls: {cert: @/server.pem, key: @/server.key, client_ca: @/ca.pem,
  client_sans: ["spiffe://example.org/edge", proxy.example.org, 192.0.2.7, ops@example.org]}}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 100ms, timeout: 5s}
log: {format: json, level: info}
lists:
  edge: {prefixes: [127.0.0.0/8], broad: accepted, proof: {principals: ["spiffe://example.org/edge"]}}
policies:
  default: {clients: any}
  proven: {trust: [edge], clients: any}
"""
ONE_WAY = CONFIG.replace(", client_ca: @/ca.pem,\n", "}}\n#").replace("192.0.2.7", "")


def setUpModule():
    global PKI
    PKI = Pki()
    PKI.sign("one", san="DNS:localhost,IP:127.0.0.1")
    PKI.sign("two", san="DNS:localhost,IP:127.0.0.1")
    PKI.sign("edge", san="URI:spiffe://example.org/edge,DNS:edge.internal")
    PKI.sign("dns", san="DNS:PROXY.Example.org")
    PKI.sign("ip", san="IP:192.0.2.7")
    PKI.sign("mail", san="email:ops@EXAMPLE.org")
    PKI.sign("stranger", san="URI:spiffe://example.org/edge/more,DNS:other.example.org,URI:spiffe://example.org/Edge")
    PKI.sign("wildcard", san="DNS:*.example.org")
    PKI.sign("name", san=None, subject="/CN=proxy.example.org")
    PKI.sign("forged", ca="other", san="URI:spiffe://example.org/edge")
    PKI.sign("server", san="URI:spiffe://example.org/edge", usage="serverAuth")
    PKI.sign("old", san="URI:spiffe://example.org/edge", past=True)
    PKI.openssl("req", "-x509", *PKI.key("self"), "-out", PKI.path("self.pem"), "-subj", "/CN=self", "-days", "2",
                "-addext", "subjectAltName=URI:spiffe://example.org/edge")


def tearDownModule():
    PKI.remove()


class Served:
    """A daemon whose files of TLS lie in a directory of their own."""

    def __init__(self, config=CONFIG, pair="one"):
        self.files = tempfile.mkdtemp(prefix="ipt-tls-")
        self.put(pair)
        shutil.copy(PKI.path("ca.pem"), self.files)
        try:
            self.daemon = Daemon(config.replace("@/", self.files + "/"))
        except BaseException:
            shutil.rmtree(self.files, ignore_errors=True)
            raise
        self.host, port = self.daemon.addresses["http"].rsplit(":", 1)
        self.port = int(port)

    def put(self, cert, key=None):
        """Writes the pair in place, key first."""
        for source, name in ((key or cert) + ".key", "server.key"), (cert + ".pem", "server.pem"):
            shutil.copy(PKI.path(source), os.path.join(self.files, name))

    def stop(self):
        try:
            self.daemon.stop()
        finally:
            shutil.rmtree(self.files, ignore_errors=True)

    def count(self, msg):
        return sum(line["msg"] == msg for line in self.daemon.lines)

    def curl(self, *args, who="edge", path="/v1/resolve", source="127.0.0.1", send=""):
        pair = ["--cert", PKI.path(who + ".pem"), "--key", PKI.path(who + ".key")] if who else []
        return run("curl", "-sS", "--max-time", "20", "--interface", source, "--cacert", PKI.path("ca.pem"), *pair, *args,
                   "https://%s:%d%s" % (self.host, self.port, path), input=send.encode())

    def s_client(self, *args, who="edge", send=b"GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
        pair = ["-cert", PKI.path(who + ".pem"), "-key", PKI.path(who + ".key")] if who else []
        return run("openssl", "s_client", "-connect", "%s:%d" % (self.host, self.port), "-CAfile", PKI.path("ca.pem"), "-ign_eof",
                   *pair, *args, input=send).stdout.decode("utf-8", "replace")

    def context(self, who="edge"):
        context = ssl.create_default_context(cafile=PKI.path("ca.pem"))
        if who:
            context.load_cert_chain(PKI.path(who + ".pem"), PKI.path(who + ".key"))
        return context

    def connect(self, who="edge"):
        plain = socket.create_connection((self.host, self.port), 15)
        try:
            return self.context(who).wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise

    def shown(self, who="edge"):
        """The certificate that a new connection is shown."""
        with self.connect(who) as tls:
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))

    def wait_shown(self, name, who="edge"):
        wanted, end = ssl.PEM_cert_to_DER_cert(PKI.read(name + ".pem")), time.monotonic() + SEEN
        while time.monotonic() < end:
            if ssl.PEM_cert_to_DER_cert(self.shown(who)) == wanted:
                return True
            time.sleep(0.1)
        return False


def ask(tls, path="/ip"):
    """One request on a connection that stays; the answer's first line and body."""
    tls.sendall(("GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = tls.recv(65536)
        if not more:
            return "", b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = int([l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")][0].split(b":")[1])
    while len(body) < length:
        body += tls.recv(65536)
    return head.split(b"\r\n")[0].decode(), body


class Shared(unittest.TestCase):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.served = Served(cls.config)

    @classmethod
    def tearDownClass(cls):
        cls.served.stop()


class Handshakes(Shared):
    def test_versions(self):
        old = ["-cipher", "ALL:@SECLEVEL=0"]
        for args, works in (["-tls1", *old], False), (["-tls1_1", *old], False), (["-tls1_2"], True), (["-tls1_3"], True):
            with self.subTest(args=args):
                text = self.served.s_client(*args)
                self.assertEqual("HTTP/1.1 200" in text, works, text)
                self.assertEqual("Cipher is (NONE)" in text, not works, text)

    def test_ciphers_without_forward_secrecy_or_aead_are_refused(self):
        for cipher, works in (("AES128-GCM-SHA256", False), ("ECDHE-ECDSA-AES128-SHA", False), ("ECDHE-ECDSA-AES256-SHA384", False),
                              ("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-CHACHA20-POLY1305", True)):
            with self.subTest(cipher=cipher):
                text = self.served.s_client("-tls1_2", "-cipher", cipher)
                self.assertEqual("HTTP/1.1 200" in text, works, text)

    def test_whose_certificate_is_good_gets_in(self):
        for who in "edge", "dns", "ip", "mail":
            for version in "1.2", "1.3":
                with self.subTest(who=who, version=version):
                    done = self.served.curl("--tlsv" + version, "--tls-max", version, who=who)
                    self.assertEqual(json.loads(done.stdout)["client_ip"], "127.0.0.1")

    def test_everybody_else_is_told_why_not(self):
        rows = ((None, "certificate required", "handshake failure", "sent no certificate"),
                ("forged", "unknown ca", None, "issuer is unknown"),
                ("self", "unknown ca", None, "issuer is unknown"),
                ("old", "certificate expired", None, "expired"),
                ("server", "bad certificate", None, "purpose"),
                ("stranger", "access denied", None, "client_sans"),
                ("wildcard", "access denied", None, "client_sans"),
                ("name", "access denied", None, "client_sans"))
        for who, alert13, alert12, reason in rows:
            for version, alert in ("1.3", alert13), ("1.2", alert12 or alert13):
                with self.subTest(who=who, version=version):
                    before = len(self.served.daemon.lines)
                    time.sleep(1.1)  # a refusal a second is logged
                    text = self.served.s_client("-tls" + version.replace(".", "_"), who=who)
                    self.assertNotIn("HTTP/1.1", text)
                    self.assertIn("alert " + alert, text)
                    end = time.monotonic() + 5
                    while time.monotonic() < end and not any(
                            l["msg"] == "client certificate refused" for l in self.served.daemon.lines[before:]):
                        time.sleep(0.02)
                    told = [l for l in self.served.daemon.lines[before:] if l["msg"] == "client certificate refused"]
                    self.assertEqual(len(told), 1, told)
                    self.assertEqual(told[0]["listener"], "http")
                    self.assertIn(reason, told[0]["reason"])

    def test_refusals_do_not_fill_the_log(self):
        before = self.served.count("client certificate refused")
        begun = time.monotonic()
        for _ in range(12):
            self.served.curl(who="forged")
        self.assertLessEqual(self.served.count("client certificate refused") - before, 2 + time.monotonic() - begun)

    def test_http_in_the_clear_is_not_answered(self):
        with self.served.daemon.raw() as sock:
            sock.sendall(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n")
            data, closed = read_all(sock)
        self.assertTrue(closed)
        self.assertNotIn(b"HTTP/", data)

    def test_every_connection_is_verified_anew(self):
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            context, session = self.served.context(), None
            context.maximum_version = version
            for _ in range(2):
                with socket.create_connection((self.served.host, self.served.port), 15) as plain, \
                        context.wrap_socket(plain, server_hostname="localhost", session=session) as tls:
                    self.assertEqual(ask(tls)[0], "HTTP/1.1 200 OK")
                    self.assertFalse(tls.session_reused)
                    session = tls.session

    def test_a_connection_is_not_negotiated_again(self):
        command = ["openssl", "s_client", "-tls1_2", "-connect", "%s:%d" % (self.served.host, self.served.port), "-cert",
                   PKI.path("edge.pem"), "-key", PKI.path("edge.key")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
            for line in b"R\n", b"GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
                time.sleep(1)
                client.stdin.write(line)
                try:
                    client.stdin.flush()
                except BrokenPipeError:
                    break
            time.sleep(1)
            try:
                text = client.communicate(timeout=20)[0].decode()
            except BrokenPipeError:
                text = ""
        self.assertIn("RENEGOTIATING", text)
        self.assertNotIn("HTTP/1.1 200", text)

    def test_large_answers_and_pipelines_arrive_whole(self):
        one = {"peer": "10.0.0.1", "headers": [["X-Forwarded-For", "8.8.8.8"]]}
        body = json.dumps({"requests": [one] * 1000})
        done = self.served.curl("-H", "Content-Type: application/json", "--data-binary", "@-", path="/v1/resolve/batch", send=body)
        self.assertEqual(len(json.loads(done.stdout)["results"]), 1000)
        with self.served.connect() as tls:
            tls.sendall(b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n" * 19 + b"GET /ip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            data, closed = read_all(tls)
        self.assertTrue(closed)
        self.assertEqual(data.count(b"HTTP/1.1 200"), 20)


class Callers(Shared):
    """Who calls from 127.0.0.2 is of class unknown, unless his certificate says otherwise."""

    def reasons(self, served, who, policy="default"):
        done = served.curl(who=who, source="127.0.0.2", path="/v1/resolve?policy=" + policy)
        answer = json.loads(done.stdout)
        return [r["code"] for r in answer["confidence"]["reasons"]], answer

    def test_a_verified_caller_is_trusted(self):
        for who in "edge", "dns":
            self.assertNotIn("caller_unauthenticated", self.reasons(self.served, who)[0])

    def test_a_caller_of_one_way_tls_is_not(self):
        served = Served(ONE_WAY)
        try:
            self.assertIn("caller_unauthenticated", self.reasons(served, None)[0])
            self.assertIn("caller_unauthenticated", self.reasons(served, "edge")[0])  # nobody asked for it
        finally:
            served.stop()

    def test_the_principal_proves_the_own_request(self):
        proven, _ = self.reasons(self.served, "edge", "proven")
        unproven, _ = self.reasons(self.served, "dns", "proven")
        self.assertNotIn("proof_missing", proven)
        self.assertNotEqual(proven, unproven)

    def test_the_principal_is_not_that_of_a_peer_told_in_json(self):
        body = json.dumps({"peer": "127.0.0.9", "policy": "proven", "headers": []})
        done = self.served.curl("-H", "Content-Type: application/json", "-d", body)
        told = [r["code"] for r in json.loads(done.stdout)["confidence"]["reasons"]]
        own, _ = self.reasons(self.served, "edge", "proven")
        self.assertNotEqual([c for c in told if "proof" in c], [c for c in own if "proof" in c])


class Renewal(unittest.TestCase):
    def setUp(self):
        self.served = Served()

    def tearDown(self):
        self.served.stop()

    def test_new_connections_see_the_new_certificate_and_old_ones_live_on(self):
        with self.served.connect() as tls:
            self.assertEqual(ask(tls)[0], "HTTP/1.1 200 OK")
            self.served.put("two")
            self.assertTrue(self.served.wait_shown("two"))
            self.assertEqual(ask(tls)[0], "HTTP/1.1 200 OK")
            self.assertEqual(tls.getpeercert(True), ssl.PEM_cert_to_DER_cert(PKI.read("one.pem")))
        self.assertEqual(self.served.count("certificate renewed"), 1)

    def test_no_handshake_fails_while_files_are_swapped(self):
        for turn in range(4):
            pair = "two" if turn % 2 == 0 else "one"
            self.served.put(pair)
            self.assertTrue(self.served.wait_shown(pair))  # each look is a handshake, and none may fail
        self.assertEqual(self.served.count("certificate not renewed, the one in force stays"), 0)

    def test_a_pair_that_does_not_fit_is_said_once_and_changes_nothing(self):
        self.served.put("two", key="one")
        self.assertTrue(self.served.daemon.wait_log("certificate not renewed, the one in force stays", SEEN))
        time.sleep(2.5)
        told = [l for l in self.served.daemon.lines if l["msg"].startswith("certificate not renewed")]
        self.assertEqual(len(told), 1)
        self.assertIn("does not fit the certificate", told[0]["reason"])
        self.assertEqual(told[0]["level"], "error")
        self.assertEqual(ssl.PEM_cert_to_DER_cert(self.served.shown()), ssl.PEM_cert_to_DER_cert(PKI.read("one.pem")))
        self.served.put("two")
        self.assertTrue(self.served.wait_shown("two"))

    def test_half_a_file_and_no_file_change_nothing(self):
        path = os.path.join(self.served.files, "server.pem")
        with open(path, "w") as f:
            f.write(PKI.read("two.pem")[:300])
        self.assertTrue(self.served.daemon.wait_log("certificate not renewed, the one in force stays", SEEN))
        os.unlink(path)
        self.assertTrue(self.served.daemon.wait_log("certificate not renewed, the one in force stays", SEEN, 2))
        self.assertEqual(ssl.PEM_cert_to_DER_cert(self.served.shown()), ssl.PEM_cert_to_DER_cert(PKI.read("one.pem")))

    def test_the_callers_authority_is_renewed_too(self):
        with self.served.connect("edge") as tls:
            shutil.copy(PKI.path("other.pem"), os.path.join(self.served.files, "ca.pem"))
            self.assertTrue(self.served.daemon.wait_log("certificate renewed", SEEN))
            self.assertEqual(ask(tls)[0], "HTTP/1.1 200 OK")
        self.assertEqual(self.served.curl(who="forged").returncode, 0)
        refused = self.served.curl(who="edge")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("unknown ca", refused.stdout.decode())

    def test_a_reload_looks_at_once(self):
        self.served.put("two")
        os.kill(self.served.daemon.process.pid, signal.SIGHUP)
        self.assertTrue(self.served.wait_shown("two"))


    def test_other_paths_wait_for_the_next_start(self):
        with open(self.served.daemon.config) as f:
            text = f.read()
        self.served.daemon.write(text.replace("192.0.2.7", "192.0.2.8"))
        os.kill(self.served.daemon.process.pid, signal.SIGHUP)
        self.assertTrue(self.served.daemon.wait_log("configuration", SEEN))
        told = [l for l in self.served.daemon.lines if l["msg"] == "configuration"]
        self.assertEqual(told[0]["detail"], "http is changed and takes effect at the next start")
        self.assertEqual(self.served.curl(who="ip").returncode, 0)


class Mounts(unittest.TestCase):
    def test_a_swapped_link_is_followed(self):
        base = tempfile.mkdtemp(prefix="ipt-mount-")
        for name in "one", "two":
            os.mkdir(os.path.join(base, name))
            for source, target in (name + ".pem", "server.pem"), (name + ".key", "server.key"), ("ca.pem", "ca.pem"):
                shutil.copy(PKI.path(source), os.path.join(base, name, target))
        os.symlink("one", base + "/..data")
        for name in "server.pem", "server.key", "ca.pem":
            os.symlink("..data/" + name, os.path.join(base, name))
        served = Served(CONFIG.replace("@/", base + "/"))
        try:
            os.symlink("two", base + "/..new")
            os.rename(base + "/..new", base + "/..data")
            self.assertTrue(served.wait_shown("two"))
            self.assertEqual(served.count("certificate not renewed, the one in force stays"), 0)
        finally:
            served.stop()
            shutil.rmtree(base)


class Bounds(unittest.TestCase):
    def test_a_slow_handshake_is_cut_off(self):
        served = Served()
        try:
            context = ssl.create_default_context(cafile=PKI.path("ca.pem"))
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context.wrap_bio(into, out, server_hostname="localhost")
            self.assertRaises(ssl.SSLWantReadError, client.do_handshake)
            hello, begun = out.read(), time.monotonic()
            with served.daemon.raw(timeout=20) as silent, served.daemon.raw(timeout=20) as slow:
                ends = {}
                for byte in hello:
                    if time.monotonic() - begun > 16 or len(ends) == 2:
                        break
                    for sock in silent, slow:
                        if sock in ends:
                            continue
                        sock.settimeout(0.05)
                        try:
                            if sock is slow:
                                sock.sendall(bytes([byte]))
                            if not sock.recv(1):
                                ends[sock] = time.monotonic() - begun
                        except socket.timeout:
                            pass
                        except OSError:
                            ends[sock] = time.monotonic() - begun
                    time.sleep(0.2)
                self.assertEqual(len(ends), 2)
                for seconds in ends.values():
                    self.assertTrue(9 < seconds < 13, seconds)
            self.assertEqual(served.curl().returncode, 0)
        finally:
            served.stop()

    def test_limits_hold_before_the_handshake(self):
        served = Served(CONFIG + "limits: {per_address: 2}\n")
        try:
            with served.daemon.raw(), served.daemon.raw():
                time.sleep(0.2)
                with served.daemon.raw() as third:
                    data, closed = read_all(third, 3)
                self.assertEqual((data, closed), (b"", True))
        finally:
            served.stop()

    def test_an_idle_connection_does_not_hold_up_the_end(self):
        served = Served()
        with served.connect() as tls:
            self.assertEqual(ask(tls)[0], "HTTP/1.1 200 OK")
            os.kill(served.daemon.process.pid, signal.SIGTERM)
            begun = time.monotonic()
            served.daemon.process.wait(10)
            self.assertLess(time.monotonic() - begun, 3)
        served.stop()


class OtherListeners(unittest.TestCase):
    def test_each_listener_has_its_own(self):
        served = Served(CONFIG.replace("health: {listen: 127.0.0.1:0}",
                                       "health: {listen: 127.0.0.1:0, tls: {cert: @/server.pem, key: @/server.key}}"))
        try:
            address = served.daemon.addresses["health"]
            answer = run("curl", "-sS", "--cacert", PKI.path("ca.pem"), "https://%s/livez" % address)
            self.assertEqual(answer.stdout, b"ok\n", answer)
            status, _, body = served.daemon.call("GET", "/v1/config", listener="admin")  # beside it, in the clear
            self.assertEqual(status, 200)
            tls = json.loads(body)["http"]["tls"]
            self.assertEqual(tls["client_ca"], served.files + "/ca.pem")
            self.assertNotIn(b"PRIVATE", body)
            served.put("two")
            self.assertTrue(served.daemon.wait_log("certificate renewed", SEEN, 2))
            self.assertEqual({l["listener"] for l in served.daemon.lines if l["msg"] == "certificate renewed"}, {"http", "health"})
        finally:
            served.stop()

    def test_a_unix_socket_may_have_it_too(self):
        served = Served(CONFIG.replace('admin: {listen: "unix:%(dir)s/admin.sock"}',
                                       'admin: {listen: "unix:%(dir)s/admin.sock", tls: {cert: @/server.pem, key: @/server.key}}'))
        try:
            path = served.daemon.addresses["admin"][5:]
            answer = run("curl", "-sS", "--unix-socket", path, "--cacert", PKI.path("ca.pem"), "https://localhost/v1/policies")
            self.assertIn("default", json.loads(answer.stdout)["policies"])
            again = run("curl", "-sS", "-X", "POST", "--unix-socket", path, "--cacert", PKI.path("ca.pem"), "https://localhost/v1/reload")
            self.assertEqual(json.loads(again.stdout)["warnings"], [])
        finally:
            served.stop()


class Configurations(unittest.TestCase):
    def check(self, text):
        directory = tempfile.mkdtemp(prefix="ipt-check-")
        try:
            for source, name in ("one.pem", "cert"), ("one.key", "key"), ("two.key", "wrong"), ("ca.pem", "ca"), ("old.pem", "old"), ("old.key", "old.key"):
                shutil.copy(PKI.path(source), os.path.join(directory, name))
            os.chmod(os.path.join(directory, "wrong"), 0o644)
            with open(os.path.join(directory, "c.yaml"), "w") as f:
                f.write(text + "policies: {default: {}}\n")
            checked = run(BINARY, "--config", "c.yaml", "--check-config", cwd=directory)
            started = None
            if checked.returncode != 0:
                started = run(BINARY, "--config", "c.yaml", cwd=directory)
            return checked.returncode, checked.stdout.decode(), started
        finally:
            shutil.rmtree(directory)

    def test_what_cannot_be_served_is_said_with_its_place(self):
        rows = (("http: {listen: 127.0.0.1:0, tls: {cert: cert, key: wrong}}\n", "c.yaml:1:52: error:", "does not fit the certificate"),
                ("http: {listen: 127.0.0.1:0, tls: {cert: cert, key: ca}}\n", "c.yaml:1:52: error:", "holds no private key"),
                ("http: {listen: 127.0.0.1:0, tls: {cert: key, key: key}}\n", "c.yaml:1:41: error:", "holds no certificate chain"),
                ("admin: {tls: {cert: cert, key: key, client_ca: key}}\n", "c.yaml:1:48: error:", "holds no certificates"),
                ("health: {tls: {cert: none, key: key}}\n", "c.yaml:1:22: error:", "No such file"))
        for text, place, what in rows:
            with self.subTest(text=text):
                code, said, started = self.check(text)
                self.assertEqual(code, 2, said)
                self.assertIn(place, said)
                self.assertIn(what, said)
                self.assertEqual(started.returncode, 2, started.stdout)
                self.assertIn(what, started.stdout.decode())

    def test_what_is_dangerous_is_warned_about(self):
        code, said, _ = self.check("http: {listen: 127.0.0.1:0, tls: {cert: old, key: old.key}}\n")
        self.assertEqual(code, 0, said)
        self.assertIn("c.yaml:1:41: warning:", said)
        self.assertIn("has expired", said)
        code, said, _ = self.check("http: {listen: 127.0.0.1:0, tls: {cert: cert, key: key}}\n")
        self.assertEqual((code, said.count("warning:")), (0, 0), said)


if __name__ == "__main__":
    unittest.main()
