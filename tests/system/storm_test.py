#!/usr/bin/env python3
"""Reloads and list updates in a row while REST and gRPC are asked open-loop at 70 % of the peak that was measured just before:
no answer fails, none disagrees with the revision that it states, and the memory is back afterwards. IPTRUST_STORM_SECONDS is
its length, 20 unless told; .ci/long takes the whole of 120 with its 500 reloads and 200 updates."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from feed_server import Feed
from lists_test import BASE, wait_for
from rest_daemon import Daemon

SECONDS = float(os.environ.get("IPTRUST_STORM_SECONDS", "20"))
RELOADS, UPDATES = round(500 * SECONDS / 120), round(200 * SECONDS / 120)
SHARE, PEAK_SECONDS, MEMORY = 0.7, 3, 1.05
SANITIZED = os.environ.get("IPTRUST_SANITIZED", "OFF") not in ("", "OFF")
LOAD = pathlib.Path(os.environ.get("IPTRUST_CLIENTS", "build/clients")) / "bin" / "storm"

CONTENTS = ("198.51.99.0/24\n", "198.51.98.0/24\n198.51.99.0/24\n")
TRUSTED = ("partners", "lb, partners")
# One depends on the list alone, one on the policy alone, one on both.
REQUESTS = [{"peer": "198.51.98.7", "headers": [["X-Forwarded-For", "8.8.8.8"]]},
            {"peer": "10.0.12.1:443", "headers": [["X-Forwarded-For", "8.8.8.8"]]},
            {"peer": "10.0.12.1:443", "headers": [["X-Forwarded-For", "8.8.8.8, 198.51.98.7"]]}]


def expected(policy, contents):
    """What each request must answer, from the text of the two alone."""
    listed, lb = "198.51.98.0/24" in CONTENTS[contents], "lb" in TRUSTED[policy]
    return ["8.8.8.8" if listed else "198.51.98.7", "8.8.8.8" if lb else "10.0.12.1",
            "10.0.12.1" if not lb else "8.8.8.8" if listed else "198.51.98.7"]


class Storm:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ipt-storm-")
        self.feed = Feed(self.dir)
        self.policy = self.contents = 0
        self.serve()
        self.daemon = Daemon(self.config(0), env={"IPTRUST_REFRESH": "on"})

    def close(self):
        try:
            self.daemon.stop()
        finally:
            self.feed.close()
            shutil.rmtree(self.dir, ignore_errors=True)

    def config(self, policy):
        return (BASE + f"state_dir: {self.dir}/state\nlists:\n"
                f"  partners: {{url: '{self.feed.url}', ca: {self.feed.ca}}}\n"
                "  lb: {prefixes: [10.0.12.0/24], internal: true}\n"
                f"policies: {{default: {{trust: [{TRUSTED[policy]}], clients: any}}}}\n")

    def serve(self):
        self.feed.answer = lambda handler: handler.send(200, CONTENTS[self.contents].encode())

    def counter(self, line):
        text = self.daemon.call("GET", "/metrics", listener="health")[2].decode()
        return sum(int(float(l.rsplit(" ", 1)[1])) for l in text.splitlines() if l.startswith(line))

    def updates(self):
        return self.counter('iptrust_list_refresh_total{list="partners",result="updated"}')

    def reloads(self):
        return self.counter('iptrust_config_reload_total{result="success"}')

    def revision(self):
        status, answer = self.daemon.resolve(REQUESTS[0])
        assert status == 200, answer
        return answer["revision"]["policies"] + " " + answer["revision"]["lists"]

    def reload(self):
        """The other policy; the reload is one that has begun after the file was whole."""
        self.policy = 1 - self.policy
        self.daemon.write(self.config(self.policy))
        while self.daemon.call("POST", "/v1/reload", listener="admin")[0] != 200:
            time.sleep(0.005)

    def update(self):
        """The other contents, fetched and judged."""
        before = self.updates()
        self.contents = 1 - self.contents
        status, _, text = self.daemon.call("POST", "/v1/lists/partners/refresh", listener="admin")
        assert status == 202, text
        assert wait_for(lambda: self.updates() > before, 60), self.daemon.stderr()[-3000:]

    def learn(self):
        """Each policy with each contents, one at a time: the revisions and what they must answer."""
        answers = {}
        assert wait_for(lambda: self.updates() > 0, 60), self.daemon.stderr()
        for _ in CONTENTS:
            self.update()
            for _ in TRUSTED:
                self.reload()
                want = expected(self.policy, self.contents)
                assert wait_for(lambda: [self.daemon.resolve(r)[1]["client_ip"] for r in REQUESTS] == want), self.daemon.stderr()
                answers[self.revision()] = want
        assert len(answers) == 4, answers
        return {"requests": REQUESTS, "answers": answers}

    def load(self, plan, seconds, rates=None):
        command = [str(LOAD), "-http", self.daemon.addresses["http"], "-grpc", self.daemon.addresses["grpc"], "-seconds", str(seconds)]
        if rates is not None:
            command += ["-http-rate", str(rates[0]), "-grpc-rate", str(rates[1])]
        done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, timeout=seconds + 200)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def resident(self):
        """KiB; the smallest of some moments, because connections of the load end late."""
        def one():
            with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as f:
                return int([l for l in f if l.startswith("VmRSS")][0].split()[1])
        values = []
        for _ in range(8):
            values.append(one())
            time.sleep(0.25)
        return min(values)

    def paced(self, count, what, begin):
        """So often, evenly over the storm."""
        for i in range(count):
            left = begin + i * SECONDS / count - time.monotonic()
            if left > 0:
                time.sleep(left)
            what()


def check(sides, plan):
    for name, side in sides.items():
        assert side["failures"] == 0, (name, side["failures"], side["failed"])
        assert side["wrongs"] == 0, (name, side["wrongs"], side["wrong"])
        assert side["good"] == side["sent"] > 0, (name, side["good"], side["sent"])
        assert set(side["seen"]) <= set(plan["answers"])


def storm(run):
    plan = run.learn()
    peak = run.load(plan, PEAK_SECONDS)
    check(peak, plan)
    rates = [SHARE * peak[name]["per_second"] for name in ("rest", "grpc")]
    print("peak: REST %.0f and gRPC %.0f a second, together; 70 %% of it is sent" % (rates[0] / SHARE, rates[1] / SHARE), flush=True)
    # Warm: as many threads, connections and views have come and gone as will.
    warm = []
    thread = threading.Thread(target=lambda: warm.append(run.load(plan, PEAK_SECONDS, rates)))
    thread.start()
    for _ in range(12):
        run.update()
        run.reload()
    thread.join()
    check(warm[0], plan)
    before, reloads, updates = run.resident(), run.reloads(), run.updates()

    load, failures = [], []

    def work(function, *args):
        try:
            function(*args)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(repr(error))
    begin = time.monotonic() + 0.2
    threads = [threading.Thread(target=work, args=(lambda: load.append(run.load(plan, SECONDS, rates)),)),
               threading.Thread(target=work, args=(run.paced, RELOADS, run.reload, begin)),
               threading.Thread(target=work, args=(run.paced, UPDATES, run.update, begin))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    assert not failures, failures
    after = run.resident()
    sides = load[0]
    for name, side in sides.items():
        print("%s: %d answers, %d failed, %d disagree; of revisions %s; median %.2f ms, p99 %.1f ms, longest %.0f ms"
              % (name, side["good"], side["failures"], side["wrongs"], sorted(side["seen"].values()), side["median_ms"], side["p99_ms"],
                 side["max_ms"]))
    print("%d reloads and %d updates in %.0f s (asked for: %d and %d in %.0f s)"
          % (run.reloads() - reloads, run.updates() - updates, took, RELOADS, UPDATES, SECONDS))
    print("resident: %d KiB before, %d KiB after: %.3f" % (before, after, after / before))
    check(sides, plan)
    for name, side in sides.items():
        assert len(side["seen"]) == 4, (name, side["seen"])
    assert run.reloads() - reloads >= RELOADS and run.updates() - updates >= UPDATES
    if SANITIZED:
        print("memory is not judged under a sanitizer, which keeps what is freed")
    else:
        assert after <= before * MEMORY, (before, after)


def main():
    run = Storm()
    try:
        storm(run)
    except AssertionError:
        print(run.daemon.stderr()[-3000:], file=sys.stderr)
        raise
    finally:
        run.close()


if __name__ == "__main__":
    main()
