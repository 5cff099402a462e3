#!/usr/bin/env python3
"""Lists that live: files that change under a running daemon, feeds that a real HTTPS server serves well and badly. Real
files, a real daemon, everything on loopback."""
import gzip
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from central_peers import Plain
from feed_server import Feed, Proxy
from rest_daemon import Daemon

BASE = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 0s, timeout: 1s}
log: {format: json, level: info}
"""

IPTRUST = os.environ.get("IPTRUST", "build/dev/iptrust")
QUIET = 0.5  # longer than a daemon waits for the end of a storm


def put(path, text):
    """As careful programs write: beside it, then renamed."""
    with open(path + ".tmp", "w") as f:
        f.write(text)
    os.rename(path + ".tmp", path)


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


class Files(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ipt-files-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.list = os.path.join(self.dir, "office.txt")
        put(self.list, "10.0.1.0/24\n")

    def start(self, config):
        daemon = Daemon(BASE + config)
        self.addCleanup(daemon.stop)
        return daemon

    def config(self):
        return f"lists: {{office: {{file: {self.list}, internal: true}}}}\npolicies: {{default: {{trust: [office], clients: any}}}}\n"

    @staticmethod
    def trusts(daemon, peer):
        status, answer = daemon.resolve({"peer": peer, "headers": [["X-Forwarded-For", "8.8.8.8"]]})
        assert status == 200, answer
        return answer["client_ip"] == "8.8.8.8"

    def test_a_list_file_is_taken_when_its_write_has_ended(self):
        daemon = self.start(self.config())
        self.assertTrue(self.trusts(daemon, "10.0.1.1"))
        put(self.list, "10.0.2.0/24\n")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.2.1")))
        self.assertFalse(self.trusts(daemon, "10.0.1.1"))
        with open(self.list, "a") as f:  # in place, in two halves
            f.write("10.0.3.0/")
            f.flush()
            time.sleep(QUIET)
            self.assertTrue(self.trusts(daemon, "10.0.2.1"))
            f.write("24\n")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.3.1")))

    def test_a_file_cut_short_is_not_taken(self):
        daemon = self.start(self.config())
        for text in ("", "10.0.2.0/24\n10.0.1.0/2", "10.0.2.0/24"):
            with self.subTest(text=text):
                failed = sum(l["msg"].startswith("reload failed") for l in daemon.lines)
                put(self.list, text)
                self.assertTrue(wait_for(lambda: sum(l["msg"].startswith("reload failed") for l in daemon.lines) > failed))
                self.assertTrue(self.trusts(daemon, "10.0.1.1"))
                self.assertFalse(self.trusts(daemon, "10.0.2.1"))
        self.assertIn("cut short", daemon.stderr())
        status, _, text = daemon.call("GET", "/readyz?verbose", listener="health")
        self.assertEqual(status, 200)
        self.assertIn(b"[!]configuration", text)
        put(self.list, "10.0.2.0/24\n")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.2.1")))

    def test_the_configuration_too(self):
        daemon = self.start(self.config())
        daemon.write(BASE + "lists: {lb: {prefixes: [10.0.9.0/24], internal: true}}\npolicies: {default: {trust: [lb], clients: any}}\n")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.9.1")))
        before = daemon.call("GET", "/v1/lists", listener="admin")[2]
        daemon.write(BASE + "lists: {lb: {prefixes: [10.0.8.0/24], internal: true}}\npolicies: {default: {trust: [lb], clients: any}}")
        self.assertTrue(daemon.wait_log("reload failed, the configuration in force stays"))
        self.assertEqual(daemon.call("GET", "/v1/lists", listener="admin")[2], before)

    def test_a_storm_is_few_reloads_and_the_last_word_holds(self):
        daemon = self.start(self.config())
        for i in range(300):
            put(self.list, f"10.1.{i % 250}.0/24\n")
        put(self.list, "10.2.0.0/24\n")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.2.0.1")))
        time.sleep(QUIET)
        reloads = sum(l["msg"] == "configuration reloaded" for l in daemon.lines)
        self.assertTrue(1 <= reloads <= 30, reloads)

    def test_files_of_json_and_csv_are_watched_too(self):
        rows = (("json", "path: 'ranges[*].cidr'", '{"ranges": [{"cidr": "10.0.%d.0/24"}]}\n', '{"ranges": [{"cidr": "10.0.4.0/24"}\n'),
                ("csv", "column: range", 'site,range\nhere,"10.0.%d.0/24"\n', "site,net\nhere,10.0.4.0/24\n"))
        for name, keys, text, bad in rows:
            with self.subTest(name):
                path = os.path.join(self.dir, "office." + name)
                put(path, text % 1)
                daemon = self.start(f"lists: {{office: {{file: {path}, format: {name}, {keys}, internal: true}}}}\n"
                                    "policies: {default: {trust: [office], clients: any}}\n")
                self.assertTrue(self.trusts(daemon, "10.0.1.1"))
                put(path, text % 2)
                self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.2.1")))
                put(path, bad)
                self.assertTrue(daemon.wait_log("reload failed, the configuration in force stays"))
                self.assertTrue(self.trusts(daemon, "10.0.2.1"))
                self.assertFalse(self.trusts(daemon, "10.0.4.1"))
                put(path, text % 3)
                self.assertTrue(wait_for(lambda: self.trusts(daemon, "10.0.3.1")))

    def test_a_config_map_is_swapped_whole(self):
        """As the kubelet does it: the directory's ..data link is renamed; the names in it never change."""
        mount = os.path.join(self.dir, "cm")
        for version, third in (("1", 1), ("2", 2)):
            os.makedirs(os.path.join(mount, "..v" + version))
            put(os.path.join(mount, "..v" + version, "a.yaml"), BASE.replace("%(dir)s", self.dir) +
                "policies: {default: {trust: [office], clients: any}}\n")
            put(os.path.join(mount, "..v" + version, "lists.yaml"), "lists: {office: {file: office.txt, internal: true}}\n")
            put(os.path.join(mount, "..v" + version, "office.txt"), f"10.0.{third}.0/24\n")
        os.symlink("..v1", os.path.join(mount, "..data"))
        for name in ("a.yaml", "lists.yaml", "office.txt"):
            os.symlink("..data/" + name, os.path.join(mount, name))
        daemon = Daemon(args=["--config", mount])
        self.addCleanup(daemon.stop)
        self.assertTrue(self.trusts(daemon, "10.0.1.1"))
        for version, third in (("2", 2), ("1", 1), ("2", 2)):
            os.symlink("..v" + version, os.path.join(mount, "..data_tmp"))
            os.rename(os.path.join(mount, "..data_tmp"), os.path.join(mount, "..data"))
            self.assertTrue(wait_for(lambda: self.trusts(daemon, f"10.0.{third}.1")))
            self.assertFalse(self.trusts(daemon, f"10.0.{3 - third}.1"))


def good(text, etag=None):
    body = text.encode()

    def answer(handler):
        if etag is not None and handler.headers.get("If-None-Match") == etag:
            handler.send(304, ETag=etag)
        else:
            handler.send(200, body, **({} if etag is None else {"ETag": etag}))
    return answer


def digest_of(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


FIRST, SECOND = "198.51.99.0/24\n", "198.51.98.0/24\n198.51.99.0/24\n"
WIDE = "".join(f"5.{i}.0.0/16\n" for i in range(8))  # 2048 times FIRST


class Feeds(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ipt-feeds-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.feed = Feed(self.dir)
        self.addCleanup(self.feed.close)
        self.feed.answer = good(FIRST, '"one"')

    def config(self, more="", list_more=""):
        return (BASE + f"state_dir: {self.dir}/state\n"
                f"lists: {{partners: {{url: '{self.feed.url}', ca: {self.feed.ca}, max_addresses: 100000000{list_more}}}}}\n"
                "policies: {default: {trust: [partners], clients: any}}\n" + more)

    def start(self, config=None, env=None, **kw):
        daemon = Daemon(config or self.config(), env={"IPTRUST_REFRESH": "on", **(env or {})}, **kw)
        self.addCleanup(lambda: daemon.process.stderr.closed or daemon.stop())
        return daemon

    def list(self, daemon, name="partners"):
        status, _, body = daemon.call("GET", f"/v1/lists/{name}", listener="admin")
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def post(self, daemon, path, body=None):
        status, _, answer = daemon.call("POST", path, None if body is None else json.dumps(body), listener="admin")
        return status, json.loads(answer)

    def refresh(self, daemon, name="partners", seconds=45):
        """Asks for it and waits until the answer has been judged."""
        seen = self.refreshes(daemon)
        self.assertEqual(self.post(daemon, f"/v1/lists/{name}/refresh")[0], 202)
        self.assertTrue(wait_for(lambda: self.refreshes(daemon) > seen, seconds), daemon.stderr())
        return self.list(daemon, name)["last_result"]

    def metrics(self, daemon):
        return daemon.call("GET", "/metrics", listener="health")[2].decode()

    def refreshes(self, daemon):
        return sum(float(l.rsplit(" ", 1)[1]) for l in self.metrics(daemon).splitlines()
                   if l.startswith("iptrust_list_refresh_total{"))

    def trusts(self, daemon, peer):
        return Files.trusts(daemon, peer)

    def fetched(self, daemon, text=FIRST):
        self.assertEqual(self.post(daemon, "/v1/lists/partners/refresh")[0], 202)  # not when its schedule says
        self.assertTrue(wait_for(lambda: self.list(daemon)["prefixes"] == text.split(), 20), daemon.stderr())

    def test_a_list_is_fetched_and_in_force(self):
        daemon = self.start()
        self.fetched(daemon)
        self.assertTrue(self.trusts(daemon, "198.51.99.7"))
        self.feed.answer = good(SECOND, '"two"')
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "198.51.98.7")))
        text = self.metrics(daemon)
        self.assertIn('iptrust_list_refresh_total{list="partners",result="updated"} 2', text)
        self.assertIn('iptrust_list_pending{list="partners"} 0', text)
        self.assertIn('iptrust_list_last_success_timestamp_seconds{list="partners"}', text)

    def test_the_second_fetch_is_conditional_and_304_is_a_success(self):
        daemon = self.start()
        self.fetched(daemon)
        self.assertNotIn("If-None-Match", self.feed.seen[-1][1])
        before = self.list(daemon)["fetched_at"]
        time.sleep(1.1)
        self.assertEqual(self.refresh(daemon)["result"], "unchanged")
        self.assertEqual(self.feed.seen[-1][1]["If-None-Match"], '"one"')
        self.assertTrue(wait_for(lambda: self.list(daemon)["fetched_at"] > before))

    def test_no_bad_answer_changes_the_list(self):
        daemon = self.start()
        self.fetched(daemon)
        packed = gzip.compress(SECOND.encode())
        bomb = gzip.compress(b"\n" * (17 << 20))

        def cut(handler, body=SECOND.encode()):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:15])
            handler.close_connection = True

        def chunks(handler, size=1 << 20, count=20):
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            for _ in range(count):
                handler.wfile.write(b"%x\r\n" % size + b"#" * size + b"\r\n")

        def headers(handler):
            handler.send_response(200)
            for i in range(200):
                handler.send_header(f"X-{i}", "x" * 1000)
            handler.end_headers()

        rows = [
            ("cut short", cut, "failed", "cut short"),
            ("too large, announced", lambda h: h.send(200, b"#" * (16 << 20) + b"#"), "failed", "more than 16777216 bytes"),
            ("too large, in chunks", chunks, "failed", "more than 16777216 bytes"),
            ("a gzip bomb", lambda h: h.send(200, bomb, Content_Encoding="gzip"), "failed", "more than 16777216 bytes"),
            ("gzip cut short", lambda h: h.send(200, packed[:-4], Content_Encoding="gzip"), "failed", "cut short"),
            ("no gzip at all", lambda h: h.send(200, SECOND.encode(), Content_Encoding="gzip"), "failed", "broken"),
            ("an encoding not asked for", lambda h: h.send(200, b"x", Content_Encoding="br"), "failed", "not asked for"),
            ("headers without end", headers, "failed", "headers"),
            ("a redirect", lambda h: h.send(302, Location="/other.txt"), "failed", "redirects"),
            ("forbidden", lambda h: h.send(403), "failed", "status 403"),
            ("trouble", lambda h: h.send(500), "failed", "status 500"),
            ("no content", lambda h: h.send(204), "failed", "status 204"),
            ("a part", lambda h: h.send(206, b"198.51.98.0/24\n"), "failed", "status 206"),
            ("a page", lambda h: h.send(200, b"<html><body>not found</body></html>"), "refused", ""),
            ("nothing", lambda h: h.send(200, b""), "refused", ""),
            ("a line that is none", lambda h: h.send(200, b"198.51.98.0/24\n300.1.1.1\n"), "refused", ""),
            ("private space", lambda h: h.send(200, b"10.0.0.0/8\n"), "refused", ""),
            ("everything", lambda h: h.send(200, b"0.0.0.0/0\n"), "refused", ""),
        ]
        for what, answer, result, why in rows:
            with self.subTest(what):
                self.feed.answer = answer
                last = self.refresh(daemon)
                self.assertEqual(last["result"], result, last)
                self.assertIn(why, last["detail"])
                self.assertEqual(self.list(daemon)["prefixes"], FIRST.split())
        self.feed.answer = lambda h: h.send(200, packed, Content_Encoding="gzip")
        self.assertEqual(self.refresh(daemon)["result"], "updated")

    def test_redirects_are_followed_on_the_same_host_when_allowed(self):
        daemon = self.start(self.config(list_more=", redirects: true"))
        self.fetched(daemon)

        def hop(handler):
            if handler.path == "/next.txt":
                handler.send(200, SECOND.encode())
            else:
                handler.send(301, Location="/next.txt")
        self.feed.answer = hop
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        for location in ("https://127.0.0.2:1/x", "http://127.0.0.1:1/x", "/list.txt"):
            self.feed.answer = lambda h: h.send(302, Location=location)
            self.assertIn("redirects", self.refresh(daemon)["detail"])

    def test_a_server_of_another_authority_is_not_believed(self):
        daemon = self.start(self.config().replace(f"ca: {self.feed.ca}, ", ""))
        self.assertTrue(wait_for(lambda: (self.list(daemon)["last_result"] or {}).get("result") == "failed"))
        self.assertEqual(self.feed.seen, [])
        self.assertEqual(self.list(daemon)["prefixes"], [])

    def test_retry_after_is_heeded_and_trouble_said_once_a_step(self):
        self.feed.answer = lambda h: h.send(503, Retry_After="777")
        daemon = self.start()
        self.assertTrue(daemon.wait_log("list not fetched: the last good contents stay", 10))
        line = [l for l in daemon.lines if l["msg"].startswith("list not fetched")][0]
        self.assertTrue(770 <= line["retry_after_s"] <= 777, line)
        self.assertEqual(len(self.feed.seen), 1)

    def test_a_slow_feed_delays_neither_start_nor_end(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.feed.answer = lambda h: release.wait(60)
        daemon = self.start()
        self.assertTrue(wait_for(lambda: self.feed.seen, 10))
        self.assertEqual(daemon.resolve({"peer": "198.51.99.7"})[0], 200)
        begun = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - begun, 8)

    def test_a_held_update_waits_for_its_digest_and_survives(self):
        daemon = self.start()
        self.fetched(daemon)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        pending = self.list(daemon)["pending"]
        self.assertEqual((pending["digest"], pending["reason"]), (digest_of(WIDE), "gained"))
        self.assertIn("+ 5.0.0.0/16", pending["difference"])
        self.assertIn("- 198.51.99.0/24", pending["difference"])
        self.assertIn('iptrust_list_pending{list="partners"} 1', self.metrics(daemon))
        self.assertIn(b"[!]list partners ok, an update waits", daemon.call("GET", "/readyz?verbose", listener="health")[2])
        self.assertFalse(self.trusts(daemon, "5.1.1.1"))
        daemon.stop()

        self.feed.answer = lambda h: h.send(500)
        daemon = self.start()
        self.assertEqual(self.list(daemon)["prefixes"], FIRST.split())
        self.assertEqual(self.list(daemon)["pending"]["digest"], digest_of(WIDE))
        for digest, status in (("sha256:" + "0" * 64, 400), ("nonsense", 400), ("", 400)):
            self.assertEqual(self.post(daemon, "/v1/lists/partners/accept", {"digest": digest})[0], status)
        self.assertEqual(self.post(daemon, "/v1/lists/nobody/accept", {"digest": digest_of(WIDE)})[0], 404)
        self.assertEqual(self.post(daemon, "/v1/lists/partners/accept", {"digest": digest_of(WIDE)})[0], 200)
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1")))
        self.assertIsNone(self.list(daemon)["pending"])
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.stop(expected=-signal.SIGKILL)

        daemon = self.start()
        self.assertTrue(self.trusts(daemon, "5.1.1.1"))

    def test_the_command_line_shows_prints_and_accepts(self):
        daemon = self.start()
        self.fetched(daemon)
        admin = ["--server", "unix:" + os.path.join(daemon.dir, "admin.sock")]

        def iptrust(*args):
            done = subprocess.run([IPTRUST, "lists", *args, *admin], capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout, done.stderr
        code, out, err = iptrust("accept", "partners")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("nothing of list `partners` waits", err)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        self.assertIn(f"an update waits to be accepted (gained): {digest_of(WIDE)}", iptrust()[1])
        code, out, err = iptrust("accept", "partners", "--print")
        self.assertEqual((code, out), (0, f'lists:\n  partners:\n    accept: {{digest: "{digest_of(WIDE)}"}}\n'))
        self.assertIn("+ 5.0.0.0/16", err)
        self.assertFalse(self.trusts(daemon, "5.1.1.1"))
        self.assertEqual(iptrust("accept", "partners")[0], 0)
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1")))
        self.assertEqual(iptrust("accept", "nobody")[0], 1)

    def test_a_state_dir_that_cannot_be_used_stops_nobody(self):
        with open(os.path.join(self.dir, "state"), "w"):
            pass  # a file where the directory would be
        daemon = self.start()
        self.fetched(daemon)
        self.assertIn("not kept for the next start", daemon.stderr())

    def test_another_state_dir_is_said_to_wait_for_the_next_start(self):
        daemon = self.start()
        self.fetched(daemon)
        daemon.write(self.config().replace(f"{self.dir}/state", f"{self.dir}/other"))
        self.assertTrue(wait_for(lambda: any("state_dir is changed and takes effect at the next start" in l.get("detail", "")
                                             for l in list(daemon.lines))), daemon.stderr())
        self.assertFalse(os.path.exists(os.path.join(self.dir, "other")))
        self.feed.answer = good(SECOND)
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        daemon.stop()
        self.feed.answer = lambda h: h.send(500)
        self.assertEqual(self.list(self.start())["prefixes"], SECOND.split())

    def test_a_disk_that_is_full_keeps_the_list_before(self):
        daemon = self.start()
        self.fetched(daemon)
        daemon.stop()
        many = "".join(f"198.51.{i >> 8}.{i & 255}/32\n" for i in range(2000))

        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        self.feed.answer = good(many)
        daemon = self.start(self.config(list_more=", hold: {gained: 1000000, lost: 100}"), limits=small_disk)
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "198.51.0.9")))
        self.assertTrue(daemon.wait_log("a list could not be kept for the next start"))
        daemon.stop()
        self.feed.answer = lambda h: h.send(500)
        daemon = self.start()
        self.assertEqual(self.list(daemon)["prefixes"], FIRST.split())

    def mount(self, *options):
        """A file system of its own at state_dir; unmounted with the test."""
        state = os.path.join(self.dir, "state")
        os.makedirs(state, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", state], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            self.skipTest("file systems cannot be mounted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True, timeout=60)
        return state

    def test_a_full_file_system_keeps_the_record_before(self):
        state = self.mount("size=64k", "mode=0700")
        daemon = self.start()
        self.fetched(daemon)
        self.assertTrue(wait_for(lambda: os.path.exists(state + "/lists/partners")))
        with open(state + "/ballast", "wb", buffering=0) as f:
            with self.assertRaises(OSError):
                while True:
                    f.write(b"x" * 512)
        self.feed.answer = good(SECOND)
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "198.51.98.7")))
        self.assertTrue(daemon.wait_log("a list could not be kept for the next start"))
        self.assertIn("No space left on device", daemon.stderr())
        daemon.stop()
        self.assertEqual(os.listdir(state + "/lists"), [n for n in os.listdir(state + "/lists") if not n.endswith(".new")])
        self.feed.answer = lambda h: h.send(500)
        daemon = self.start()
        self.assertEqual(self.list(daemon)["prefixes"], FIRST.split())
        os.unlink(state + "/ballast")
        self.feed.answer = good(SECOND)
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        daemon.stop()
        self.feed.answer = lambda h: h.send(500)
        self.assertEqual(self.list(self.start())["prefixes"], SECOND.split())

    def test_a_read_only_file_system_is_read(self):
        state = self.mount("size=64k", "mode=0700")
        daemon = self.start()
        self.fetched(daemon)
        daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", state], check=True, capture_output=True, timeout=60)
        before = os.stat(state + "/lists/partners")
        for _ in range(2):
            self.feed.answer = lambda h: h.send(500)
            daemon = self.start()
            self.assertIn("Read-only file system", daemon.stderr())
            self.assertEqual(self.list(daemon)["prefixes"], FIRST.split())
            self.feed.answer = good(SECOND)
            self.assertEqual(self.refresh(daemon)["result"], "updated")
            self.assertTrue(wait_for(lambda: self.trusts(daemon, "198.51.98.7")))
            daemon.stop()
        self.assertEqual(os.stat(state + "/lists/partners").st_mtime_ns, before.st_mtime_ns)

    def test_a_read_only_file_system_without_anything_in_it_stops_nobody(self):
        self.mount("ro")
        daemon = self.start()
        self.fetched(daemon)
        self.assertIn("Read-only file system", daemon.stderr())

    def test_a_record_of_a_later_program_is_left_where_it_is(self):
        daemon = self.start()
        self.fetched(daemon)
        daemon.stop()
        record = os.path.join(self.dir, "state/lists/partners")
        with open(record, "r+b") as f:
            f.seek(8)  # after the magic word, the number of the format
            f.write(b"\x02")
        with open(record, "rb") as f:
            later = f.read()
        self.feed.answer = lambda h: h.send(500)
        daemon = self.start()
        self.assertEqual(self.list(daemon)["prefixes"], [])
        self.assertIn("a later version of this program wrote it", daemon.stderr())
        self.feed.answer = good(SECOND)
        self.assertEqual(self.refresh(daemon)["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "198.51.98.7")))
        daemon.stop()
        with open(record, "rb") as f:
            self.assertEqual(f.read(), later)

    def test_a_provider_of_two_parts_is_all_new_or_all_old(self):
        """cloudflare's real addresses, which a CONNECT proxy on loopback leads to our server."""
        proxy = Proxy(self.feed.server_port)
        self.addCleanup(proxy.close)
        api = {"v4": "173.245.48.0/20\n103.21.244.0/22\n104.16.0.0/13\n172.64.0.0/13", "v6": "2400:cb00::/32\n2606:4700::/32"}
        state = {"broken": None}

        def answer(handler):
            part = "v6" if "v6" in handler.path else "v4" if "v4" in handler.path else "api"
            body = api.get(part, "not this way").encode()
            etag = '"' + hashlib.sha256(body).hexdigest() + '"'
            if part in ("api", state["broken"]):
                handler.send(500)
            elif handler.headers.get("If-None-Match") == etag:
                handler.send(304)
            else:
                handler.send(200, body, ETag=etag)
        self.feed.answer = answer
        config = (BASE + f"lists: {{cf: {{provider: cloudflare, ca: {self.feed.ca}, hold: {{lost: 100}}}}}}\n"
                  "policies: {default: {trust: [cf], clients: any}}\n")
        daemon = self.start(config, env={"https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": ""})
        self.assertTrue(wait_for(lambda: (self.list(daemon, "cf")["last_result"] or {}).get("result") == "updated", 20),
                        daemon.stderr())
        # The view with them follows in its own thread.
        self.assertTrue(wait_for(lambda: len(self.list(daemon, "cf")["prefixes"]) == 6), daemon.stderr())
        self.assertEqual(self.refresh(daemon, "cf")["result"], "unchanged")
        api["v4"] += "\n108.162.192.0/18"
        state["broken"] = "v6"
        self.assertEqual(self.refresh(daemon, "cf")["result"], "failed")
        self.assertEqual(len(self.list(daemon, "cf")["prefixes"]), 6)
        state["broken"] = None
        self.assertEqual(self.refresh(daemon, "cf")["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "108.162.192.1")))
        self.assertTrue(all(host.endswith(".cloudflare.com:443") for host in proxy.hosts), proxy.hosts)

    def test_a_slow_disk_holds_up_neither_who_accepts_nor_health(self):
        daemon = self.start()
        self.fetched(daemon)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        trace = os.path.join(self.dir, "trace")
        strace = subprocess.Popen(["strace", "-f", "-o", trace, "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=6s", "-p",
                                   str(daemon.process.pid)], stderr=subprocess.PIPE)
        self.addCleanup(strace.stderr.close)
        self.assertIn(b"attached", strace.stderr.readline())
        begun = time.monotonic()
        self.assertEqual(self.post(daemon, "/v1/lists/partners/accept", {"digest": digest_of(WIDE)})[0], 200)
        self.assertEqual(daemon.call("GET", "/livez", listener="health")[0], 200)
        self.assertFalse(self.trusts(daemon, "5.1.1.1"))  # not before it would survive
        self.assertLess(time.monotonic() - begun, 5)
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1"), 60))
        self.assertGreater(time.monotonic() - begun, 6)
        strace.send_signal(signal.SIGINT)
        strace.wait(20)
        with open(trace) as f:
            self.assertIn("fsync(", f.read())

    def test_what_the_configuration_accepts_survives_without_it(self):
        daemon = self.start()
        self.fetched(daemon)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        self.feed.answer = lambda h: h.send(500)
        daemon.write(self.config(list_more=f", accept: {{digest: '{digest_of(WIDE)}'}}"))
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1")), daemon.stderr())
        daemon.stop()
        self.assertTrue(self.trusts(self.start(), "5.1.1.1"))

    def test_the_word_may_stand_in_the_configuration(self):
        daemon = self.start()
        self.fetched(daemon)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        daemon.write(self.config(list_more=f", accept: {{digest: '{digest_of(WIDE)}'}}"))
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1")), daemon.stderr())

    def test_the_word_may_come_from_the_central_place(self):
        plain, key = Plain(), os.path.join(self.dir, "key")
        self.addCleanup(plain.close)

        def bundle(*args, text=b""):
            return subprocess.run([IPTRUST, "bundle", *args, "--key", key], input=text, capture_output=True, check=True, timeout=60).stdout

        def say(serial, more=""):
            text = (f"lists: {{partners: {{url: '{self.feed.url}', ca: {self.feed.ca}, max_addresses: 100000000{more}}}}}\n"
                    "policies: {default: {trust: [partners], clients: any}}\n")
            plain.body = bundle("sign", "--serial", str(serial), text=text.encode())

        public = bundle("keygen").decode().strip()
        say(1)
        daemon = self.start(BASE + f"state_dir: {self.dir}/state\ncentral: {{url: '{plain.url}', interval: 1s, public_keys: [{public}]}}\n")
        self.assertTrue(wait_for(lambda: daemon.call("GET", "/v1/lists/partners", listener="admin")[0] == 200, 30), daemon.stderr())
        self.fetched(daemon)
        self.feed.answer = good(WIDE)
        self.assertEqual(self.refresh(daemon)["result"], "held")
        say(2, ", accept: {digest: 'sha256:%s'}" % ("0" * 64))
        self.assertTrue(wait_for(lambda: b'"serial":"2"' in daemon.call("GET", "/v1/version")[2], 30), daemon.stderr())
        self.assertIsNotNone(self.list(daemon)["pending"], "the word was for other contents")
        say(3, f", accept: {{digest: '{digest_of(WIDE)}'}}")
        self.assertTrue(wait_for(lambda: self.trusts(daemon, "5.1.1.1"), 30), daemon.stderr())

    def test_a_second_daemon_of_one_directory_reads_and_does_not_write(self):
        first = self.start()
        self.fetched(first)
        record = os.path.join(self.dir, "state/lists/partners")
        self.assertTrue(wait_for(lambda: os.path.exists(record)))
        before = os.stat(record).st_mtime_ns, os.stat(record).st_ino
        self.feed.answer = lambda h: h.send(500)
        second = self.start()
        self.assertIn("another process writes to state_dir", second.stderr())
        self.assertEqual(self.list(second)["prefixes"], FIRST.split())
        self.feed.answer = good(SECOND)
        self.assertEqual(self.refresh(second)["result"], "updated")
        self.assertTrue(wait_for(lambda: self.trusts(second, "198.51.98.7")))
        second.stop()
        self.assertEqual((os.stat(record).st_mtime_ns, os.stat(record).st_ino), before)
        self.assertEqual(self.refresh(first)["result"], "updated")
        self.assertTrue(wait_for(lambda: os.stat(record).st_ino != before[1] or os.stat(record).st_mtime_ns != before[0]))

    def test_what_is_stored_is_used_or_void_never_wrong(self):
        daemon = self.start()
        self.fetched(daemon)
        daemon.stop()
        record = os.path.join(self.dir, "state/lists/partners")
        with open(record, "rb") as f:
            good_bytes = f.read()
        self.feed.answer = lambda h: h.send(500)
        def flipped(at):
            return good_bytes[:at] + bytes([good_bytes[at] ^ 1]) + good_bytes[at + 1:]
        for what, data in (("cut", good_bytes[:-1]), ("empty", b""), ("a bit in front", flipped(0)), ("a bit", flipped(60)),
                           ("a bit behind", flipped(len(good_bytes) - 1)),
                           ("whole", good_bytes)):
            with self.subTest(what):
                with open(record, "wb") as f:
                    f.write(data)
                daemon = self.start()
                self.assertEqual(self.list(daemon)["prefixes"], FIRST.split() if what == "whole" else [])
                daemon.stop()

    def test_without_refreshing_what_is_remembered_stays(self):
        daemon = self.start()
        self.fetched(daemon)
        daemon.stop()
        seen = len(self.feed.seen)
        daemon = self.start(env={"IPTRUST_REFRESH": "off"})
        self.assertTrue(self.trusts(daemon, "198.51.99.7"))
        self.assertEqual(self.post(daemon, "/v1/lists/partners/refresh")[0], 409)
        self.assertEqual(len(self.feed.seen), seen)

    def test_decisions_go_on_while_lists_change(self):
        daemon = self.start()
        self.fetched(daemon)
        failures, answers, stop = [], [0], threading.Event()

        def ask():
            connection = daemon.connect()
            while not stop.is_set():
                connection.request("POST", "/v1/resolve", json.dumps({"peer": "198.51.99.7", "headers": [["X-Forwarded-For", "8.8.8.8"]]}))
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status != 200 or body["client_ip"] != "8.8.8.8":
                    failures.append(body)
                answers[0] += 1
            connection.close()
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for i in range(20):
                self.feed.answer = good(FIRST if i % 2 else SECOND)
                self.assertEqual(self.refresh(daemon)["result"], "updated")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(answers[0], 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
