#!/usr/bin/env python3
"""Lists that live: files that change under a running daemon. Real files, a real daemon, everything on loopback."""
import json
import os
import shutil
import tempfile
import time
import unittest

from rest_daemon import Daemon

BASE = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 0s, timeout: 1s}
log: {format: json, level: info}
"""

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
