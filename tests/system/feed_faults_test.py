#!/usr/bin/env python3
"""What goes wrong with feeds, cases F01 to F17, each met by a list in four states: nothing was ever had, the built-in
snapshot, last good contents, and contents held beside them. A real daemon asks the publisher's real address, which leads to a
feed server on loopback. Whatever comes, only a wholly good answer changes what is trusted, and each is counted once under its
result. docs/TESTING.md says where the contract asks for something else than the list of cases did."""
import copy
import datetime
import gzip
import hashlib
import ipaddress
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from feed_server import Feed, Other, Proxy, bad_certificate
from lists_test import BASE, IPTRUST, wait_for
from rest_daemon import BINARY, Daemon

REAL = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "ranges" / "aws" / "ip-ranges.json"
TOKEN, DATE = 1787411825, "2026-08-22-15-17-05"  # of the built-in snapshot
STATES = ("nothing", "built-in", "last good", "held")
SERVICE = {"nothing": "CLOUDFRONT"}  # of which no snapshot is built in
BUILT_IN = "CLOUDFRONT_ORIGIN_FACING"
GAIN = "64.0.0.0/10"  # more than any rule lets pass
SPECIAL = ("10.1.0.0/16", "127.0.0.0/24", "100.64.0.0/16", "169.254.0.0/24", "192.0.2.0/24", "224.0.0.0/24", "240.0.0.0/24",
           "fc00::/32", "fe80::/64", "2001:db8::/32")


def rows_of(daemon):
    """(prefix, service) as the publisher lists them: from the real file when it is at hand, else what is built in."""
    if REAL.exists():
        data = json.loads(REAL.read_bytes())
        rows = [(row.get("ip_prefix") or row["ipv6_prefix"], row["service"]) for row in data["prefixes"] + data["ipv6_prefixes"]]
        machines = [row for row in rows if row[1] == "EC2"]
        return [row for row in rows if row[1] in ("CLOUDFRONT", BUILT_IN)] + machines[:100] + machines[-100:]
    prefixes = json.loads(daemon.call("GET", "/v1/lists/aws", listener="admin")[2])["prefixes"]
    return [(p, s) for s in ("CLOUDFRONT", BUILT_IN) for p in prefixes] + [("3.5.140.0/22", "EC2"), ("2600:1f18::/33", "EC2")]


class Document:
    """One answer of the publisher, as it would write it."""

    def __init__(self, rows, service):
        self.rows, self.service, self.token, self.more = list(rows), service, TOKEN, {}

    def with_(self, *prefixes):
        self.rows += [(prefix, self.service) for prefix in prefixes]
        return self

    def at(self, token):
        self.token = token
        return self

    def body(self):
        def part(version, key):
            return [{key: p, "region": "GLOBAL", "service": s, "network_border_group": "GLOBAL"}
                    for p, s in self.rows if ipaddress.ip_network(p).version == version]
        data = {"syncToken": str(self.token), "createDate": DATE, "prefixes": part(4, "ip_prefix"),
                "ipv6_prefixes": part(6, "ipv6_prefix"), **self.more}
        return json.dumps(data).encode()

    def prefixes(self):
        return {str(ipaddress.ip_network(p)) for p, s in self.rows if s == self.service}


def body(data, status=200, **headers):
    return lambda handler: handler.send(status, data, **headers)


def slowly(stop):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not stop.wait(0.5):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
    return answer


def cut(data):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:len(data) // 2])
        handler.close_connection = True
    return answer


class Case:
    """results: one for all states, or by state; words: part of what a person is told; document: what a good one must make."""

    def __init__(self, name, what, answer, results, words="", document=None, setup=None):
        self.name, self.what, self.answer, self.words = name, what, answer, words
        self.results = dict.fromkeys(STATES, results) if isinstance(results, str) else results
        self.document, self.setup = document, setup


def but_nothing(result, others):
    """A list without contents has nothing to be compared with."""
    return {state: result if state == "nothing" else others for state in STATES}


class Run:
    """One state, with a daemon, a feed server and a proxy of its own."""

    def __init__(self, state, lines):
        self.state, self.lines, self.ran, self.failures = state, lines, 0, []
        self.dir = tempfile.mkdtemp(prefix="ipt-faults-")
        self.feed, self.stop = Feed(self.dir), threading.Event()
        self.stranger_dir = os.path.join(self.dir, "stranger")
        os.mkdir(self.stranger_dir)
        self.stranger = Feed(self.stranger_dir)
        names = "DNS:ip-ranges.amazonaws.com"
        self.expired = Other(self.feed, bad_certificate(self.dir, "expired", self.feed.ca, names, past=True))
        self.misnamed = Other(self.feed, bad_certificate(self.dir, "misnamed", self.feed.ca, "DNS:ip-ranges.example.org"))
        self.plain = Other(self.feed)
        self.proxy = Proxy(self.feed.server_port)
        self.daemon = None

    def close(self):
        self.stop.set()
        if self.daemon is not None:
            self.daemon.stop()
        for server in (self.proxy, self.plain, self.misnamed, self.expired, self.stranger, self.feed):
            server.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- the daemon ----

    def config(self, more=""):
        return (BASE + f"state_dir: {self.dir}/state\nready: {{require_fresh: [aws]}}\n"
                f"lists: {{aws: {{provider: aws, services: [{SERVICE.get(self.state, BUILT_IN)}], ca: {self.feed.ca}{more}}}}}\n"
                "policies: {default: {trust: [aws], clients: any}}\n")

    def start(self):
        self.daemon = Daemon(self.config(), env={"IPTRUST_REFRESH": "on", "no_proxy": "",
                                                 "https_proxy": f"http://127.0.0.1:{self.proxy.port}"})

    def list(self):
        status, _, text = self.daemon.call("GET", "/v1/lists/aws", listener="admin")
        assert status == 200, text
        return json.loads(text)

    def counts(self):
        text = self.daemon.call("GET", "/metrics", listener="health")[2].decode()
        start = 'iptrust_list_refresh_total{list="aws",result="'
        return {line[len(start):].split('"')[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(start)}

    def refresh(self):
        """What was counted between asking and the answer."""
        before = self.counts()
        status, _, text = self.daemon.call("POST", "/v1/lists/aws/refresh", listener="admin")
        assert status == 202, text
        assert wait_for(lambda: self.counts() != before, 60), self.daemon.stderr()
        return {k: v - before.get(k, 0) for k, v in self.counts().items() if v != before.get(k, 0)}

    def prefixes(self):
        return {str(ipaddress.ip_network(p)) for p in self.list()["prefixes"]}

    def trusts(self, prefix):
        peer = str(ipaddress.ip_network(prefix)[1])
        status, answer = self.daemon.resolve({"peer": peer, "headers": [["X-Forwarded-For", "8.8.8.8"]]})
        assert status == 200, answer
        return answer["client_ip"] == "8.8.8.8"

    # ---- the state ----

    def document(self):
        return Document(self.rows, SERVICE.get(self.state, BUILT_IN))

    def prepare(self):
        if self.daemon is not None:
            self.daemon.stop()
        shutil.rmtree(os.path.join(self.dir, "state"), ignore_errors=True)
        self.proxy.to = self.feed.server_port
        self.feed.answer = body(b"", 500)
        self.start()
        if not hasattr(self, "rows"):
            self.rows = rows_of(self.daemon)
        self.refresh()  # the one of the start has happened, or does so now: the next one is fifteen seconds away
        if self.state in ("last good", "held"):
            good = self.document()
            self.feed.answer = body(good.body())
            before = self.list()["fetched_at"]
            assert self.refresh() in ({"updated": 1}, {"unchanged": 1}), self.daemon.stderr()
            # What is counted is not yet what is published.
            assert wait_for(lambda: self.prefixes() == good.prefixes() and self.list()["fetched_at"] != before)
        if self.state == "held":
            self.feed.answer = body(self.document().with_("65.0.0.0/10").body())
            assert self.refresh() == {"held": 1}, self.daemon.stderr()
        assert (self.list()["pending"] is not None) == (self.state == "held")
        assert (self.prefixes() == set()) == (self.state == "nothing")

    # ---- one case ----

    def check(self, case):
        expected, was = case.results[self.state], self.list()
        before = self.prefixes()
        if case.setup is not None:
            case.setup(self)
        self.feed.answer = case.answer
        counted = self.refresh()
        now = self.list()
        told = now["last_result"]
        assert counted == {expected: 1}, f"counted {counted}, expected {expected}: {told}"
        assert told["result"] == expected, told
        words = case.words.get(self.state, "") if isinstance(case.words, dict) else case.words
        assert words in told["detail"] if words else True, told
        assert expected not in ("refused", "failed", "held") or told["detail"], "no reason is given"
        if expected in ("updated", "unchanged"):
            assert wait_for(lambda: self.prefixes() == case.document.prefixes()), f"{self.prefixes()}"
            assert self.list()["pending"] is None
        else:
            assert self.prefixes() == before, "what is trusted has changed"
            assert now["fetched_at"] == was["fetched_at"], "it was no success, and the list is younger"
            kept = (was["pending"] or {}).get("digest") == (now["pending"] or {}).get("digest")
            assert kept == (expected != "held") or case.name == "F07", (was["pending"], now["pending"])
        if GAIN not in self.prefixes():
            assert not self.trusts(GAIN)
        self.proxy.to = self.feed.server_port
        return told["detail"]

    def run(self, cases):
        self.prepare()
        for case in cases(self):
            self.ran += 1
            expected = case.results[self.state]
            line = f"{case.name} {self.state}: {case.what}: "
            try:
                line += f"{expected} ({self.check(case) or 'as it should'})"
                again = expected not in ("refused", "failed") or case.name == "F07"
            except Exception:  # pylint: disable=broad-except
                line += "FAILED"
                self.failures.append(line + "\n" + traceback.format_exc())
                again = True
            self.lines.append(line)
            if again:
                self.prepare()
        for name, what, last in (("F07", "a person takes what is older", self.goes_back),
                                 ("F16", "the feed is down for thirty days", self.down_for_a_month)):
            self.ran += 1
            try:
                self.lines.append(f"{name} {self.state}: {what}: " + last())
            except Exception:  # pylint: disable=broad-except
                self.failures.append(f"{name} {self.state}\n" + traceback.format_exc())

    def accept(self, *flags):
        done = subprocess.run([IPTRUST, "lists", "accept", "aws", *flags, "--server", self.daemon.addresses["admin"]],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def goes_back(self):
        """The publisher has taken back what it said: refused, and taken by nothing but a person's word for exactly that."""
        self.prepare()
        if self.state in ("nothing", "held"):
            return "there is nothing older, or something else waits"
        before, older = self.prefixes(), self.document().at(TOKEN - 1).with_("63.0.0.0/24")
        self.feed.answer = body(older.body())
        assert self.refresh() == {"refused": 1}
        code, said = self.accept()
        assert code == 1 and "older" in said, (code, said)
        assert self.prefixes() == before and not self.trusts("63.0.0.0/24")
        code, said = self.accept("--rollback")
        assert code == 0, said
        assert wait_for(lambda: self.prefixes() == older.prefixes()), self.daemon.stderr()
        assert self.trusts("63.0.0.0/24")
        assert self.refresh() == {"unchanged": 1}
        self.prepare()
        return "refused without --rollback, taken with it"

    def down_for_a_month(self):
        """What was fetched is made thirty days older on the disk; the snapshot has an age of its own."""
        before, pending = self.prefixes(), self.list()["pending"]
        self.daemon.stop()
        if self.state in ("last good", "held"):
            self.make_older(30 * 86400)
        self.feed.answer = body(b"", 500)
        self.start()
        assert self.refresh() == {"failed": 1}
        now = self.list()
        assert self.prefixes() == before, "what is trusted has changed"
        assert (now["pending"] or {}).get("digest") == (pending or {}).get("digest")
        assert now["last_result"]["result"] == "failed"
        status, _, text = self.daemon.call("GET", "/readyz?verbose", listener="health")
        if self.state == "nothing":
            assert status == 503, text  # nothing is not fresh
            return "nothing is trusted, and not ready where freshness is required"
        age = time.time() - datetime.datetime.fromisoformat(now["fetched_at"].replace("Z", "+00:00")).timestamp()
        assert age > 30 * 86400 or self.state == "built-in", now["fetched_at"]
        if age > 7 * 86400:
            assert status == 503 and b"stale" in text, text
            assert now["freshness"] == "stale", now["freshness"]
        assert self.trusts(sorted(before)[0])
        return "trusted as before, stale, and not ready where freshness is required"

    def make_older(self, seconds):
        """Times of the record are eight bytes each; SHA-256 of what is before it ends the record."""
        path = os.path.join(self.dir, "state", "lists", "aws")
        data = pathlib.Path(path).read_bytes()[:-32]
        now = int(time.time())
        found = 0
        for moment in range(now - 600, now + 2):
            times = data.count(struct.pack("<q", moment))
            data = data.replace(struct.pack("<q", moment), struct.pack("<q", moment - seconds))
            found += times
        assert found >= 2, "the record has no time of now"
        pathlib.Path(path).write_bytes(data + hashlib.sha256(data).digest())


def redirect(status, where):
    return lambda handler: handler.send(status, Location=where)


def allow_redirects(run):
    run.daemon.write(run.config(", redirects: true"))
    # 409: it has seen the change by itself, and may have begun before it was whole
    assert wait_for(lambda: run.daemon.call("POST", "/v1/reload", listener="admin")[0] == 200)


def leads_to(server):
    return lambda run: setattr(run.proxy, "to", getattr(run, server).server_port)


def without_half(document):
    """Half of the IPv4 space that is wanted."""
    mine = sorted((r for r in document.rows if r[1] == document.service and ":" not in r[0]),
                  key=lambda r: ipaddress.ip_network(r[0]).num_addresses)
    space = sum(ipaddress.ip_network(r[0]).num_addresses for r in mine)
    gone = 0
    while gone < space / 2:
        row = mine.pop()
        document.rows.remove(row)
        gone += ipaddress.ip_network(row[0]).num_addresses
    return document


def without(document, keep):
    document.rows = [row for row in document.rows if keep(row)]
    return document


def cases(run):
    doc = run.document
    good = doc().body()
    mine = lambda row: row[1] == doc().service  # noqa: E731
    for prefix in ("0.0.0.0/0", "::/0", "64.0.0.0/7", "2600::/19"):
        yield Case("F01", prefix + " in the feed", body(doc().with_(prefix).body()), "refused", prefix.split("/")[0][:2])
    yield Case("F02", "an empty body", body(b""), "refused", "empty")
    yield Case("F02", "no prefixes", body(without(doc(), lambda row: False).body()), "refused")
    yield Case("F03", "a redirect", redirect(302, "/other.json"), "failed", "redirects")
    yield Case("F04", "a page for people", body(b"<!DOCTYPE html><html>Sorry</html>", Content_Type="text/html"), "refused", "page")
    yield Case("F05", "JSON that ends early", body(good[:-2]), "refused")
    yield Case("F05", "a body shorter than announced", cut(good), "failed", "cut short")
    half, gone = without_half(doc()), without(doc(), lambda row: not (mine(row) and ":" in row[0]))
    yield Case("F06", "half of IPv4 is lost", body(half.body()), but_nothing("updated", "held"),
               {s: "IPv4 loses" for s in STATES[1:]}, half)
    yield Case("F06", "IPv6 is gone", body(gone.body()), but_nothing("updated", "held"), {s: "IPv6" for s in STATES[1:]}, gone)
    wide = doc().with_(GAIN)
    yield Case("F06", "more than 300 % is gained", body(wide.body()), but_nothing("updated", "held"),
               {s: "IPv4 gains" for s in STATES[1:]}, wide)
    older = doc().at(TOKEN - 1).with_("63.0.0.0/24")
    yield Case("F07", "an older token", body(older.body()), but_nothing("updated", "refused"),
               {s: "older" for s in STATES[1:]}, older)
    twin = doc().with_("63.0.0.0/24")
    yield Case("F08", "the same token, other contents", body(twin.body()), "updated",
               {s: "version is that of" for s in STATES[1:]}, twin)
    for prefix in SPECIAL:
        yield Case("F09", prefix + " in the feed", body(doc().with_(prefix).body()), "refused", prefix.split("/")[0].rstrip(":"))
    yield Case("F10", "a body of 17 MiB", body(b" " * (17 << 20)), "failed", "more than")
    yield Case("F10", "a gzip bomb", body(gzip.compress(b" " * (17 << 20)), Content_Encoding="gzip"), "failed", "more than")
    yield Case("F10", "two bytes a second", slowly(run.stop), "failed", "too slowly")
    yield Case("F11", "an expired certificate", body(good), "failed", "expired", setup=leads_to("expired"))
    yield Case("F11", "a certificate of another name", body(good), "failed", "name", setup=leads_to("misnamed"))
    yield Case("F11", "a certificate of a stranger", body(good), "failed", "self-signed", setup=leads_to("stranger"))
    yield Case("F11", "no TLS at all", body(good), "failed", "SSL", setup=leads_to("plain"))
    for where in ("http://ip-ranges.amazonaws.com/ip-ranges.json", "https://example.org/ip-ranges.json",
                  "https://ip-ranges.amazonaws.com:444/ip-ranges.json"):
        yield Case("F12", "redirects are allowed, to " + where, redirect(301, where), "failed", "another host", setup=allow_redirects)
    double = doc()
    double.rows += double.rows
    yield Case("F13", "everything twice", body(double.body()), but_nothing("updated", "unchanged"), "", double)
    overlap = doc()
    largest = min((r[0] for r in overlap.rows if mine(r) and ":" not in r[0]), key=lambda p: ipaddress.ip_network(p).prefixlen)
    overlap = overlap.at(TOKEN + 1).with_(str(next(ipaddress.ip_network(largest).subnets(new_prefix=28))))
    yield Case("F13", "prefixes in others", body(overlap.body()), "updated", "", overlap)
    yield Case("F14", "a feed with all of EC2", body(good), but_nothing("updated", "unchanged"), "", doc())
    yield Case("F14", "a feed without the service", body(without(doc(), lambda row: not mine(row)).body()), "refused", doc().service)
    odd = doc()
    odd.more = {"news": [{"ip_prefix": "0.0.0.0/0"}]}
    odd.rows.append(("63.0.0.0/24", "SOMETHING_NEW"))
    yield Case("F15", "a key and a service that are new", body(odd.body()), but_nothing("updated", "unchanged"), "", odd)
    yield Case("F15", "IPv6 under another key", body(good.replace(b"ipv6_prefixes", b"ip6_prefixes")), "refused", "ipv6_prefixes")
    yield Case("F17", "304 to a request without condition", body(b"", 304), "failed", "304")


def check_f14():
    """Without services, or with those of anybody's machines, nothing starts."""
    directory = tempfile.mkdtemp(prefix="ipt-f14-")
    try:
        for keys, trusted, words in (("", True, "needs services"), ("services: [EC2]", True, "trust_tenants")):
            path = os.path.join(directory, "c.yaml")
            with open(path, "w") as f:
                f.write("lists: {aws: {provider: aws%s}}\npolicies: {default: {trust: [aws]}}\n" % (", " + keys if keys else ""))
            done = subprocess.run([BINARY, "--config", path, "--check-config"], capture_output=True, text=True, timeout=60)
            assert done.returncode == 2 and words in done.stderr + done.stdout, (keys, done)
    finally:
        shutil.rmtree(directory)


def main():
    lines, runs = [], [Run(state, []) for state in STATES]
    threads = []
    try:
        for run in runs:
            def work(run=run):
                try:
                    run.run(cases)
                except Exception:  # pylint: disable=broad-except
                    run.failures.append(f"{run.state}: it could not be prepared\n" + traceback.format_exc())
            threads.append(threading.Thread(target=work))
            threads[-1].start()
        for thread in threads:
            thread.join()
    finally:
        for run in runs:
            try:
                run.close()
            except AssertionError as error:
                run.failures.append(f"{run.state}: the daemon ended badly: {error}")
    try:
        check_f14()
    except AssertionError as error:
        runs[0].failures.append(f"F14: {error}")
    lines = sorted(line for run in runs for line in run.lines)
    print("\n".join(lines))
    names = {line.split()[0] for line in lines}
    missing = {"F%02d" % n for n in range(1, 18)} - names
    failures = [failure for run in runs for failure in run.failures]
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{len(lines)} runs of {len(names)} cases in {len(STATES)} states, {len(failures)} failed"
          + ("" if REAL.exists() else "; the real file is absent, the built-in prefixes stood for it"))
    return 1 if failures or missing or len({run.ran for run in runs}) != 1 else 0


if __name__ == "__main__":
    sys.exit(main())
