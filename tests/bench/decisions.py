"""Decisions in the library against the bare walk in Go, over the same streams; and the building of large tables."""

import hashlib
import json
import os
import subprocess

import streams
from report import Figure, middle, ratios

POLICY = "policies:\n  default: {trust: [%s], read: [x-forwarded-for]%s}\n"
# The two providers may stand behind one another in any order: the bare walk does not ask whose a hop is.
PROVIDERS = """lists:
  cloudflare: {provider: cloudflare}
  cloudfront: {provider: aws, services: [CLOUDFRONT_ORIGIN_FACING]}
""" + POLICY % ("cloudflare, cloudfront", ", chains: [[cloudfront, cloudflare], [cloudflare, cloudfront]]")
DRAWN = "lists:\n  drawn: {file: %s}\n" + POLICY % ("drawn", "")

TABLES = (("small", None), ("11,000", 11000), ("1,000,000", 1000000))


def run_json(command):
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


class Case:
    """One table: its prefixes, its configuration and the stream drawn for it."""

    def __init__(self, work, tools, name, count):
        self.name, self.tools = name, tools
        base = os.path.join(work, name.replace(",", ""))
        self.config, self.prefixes, self.stream = base + ".yaml", base + ".txt", base + ".stream"
        with open(self.config, "w", encoding="ascii") as out:
            out.write(PROVIDERS if count is None else DRAWN % os.path.basename(self.prefixes))
        if count is None:
            with open(self.prefixes, "w", encoding="ascii") as out:
                subprocess.run([tools.decide, "prefixes", self.config], stdout=out, check=True)
        self.draw(base + ".drawn", count)
        self.agree(base)

    def draw(self, stamp_path, count):
        """Drawing takes a while: kept from run to run as long as it would draw the same."""
        digest = hashlib.sha256(str(count).encode())
        for path in [streams.__file__] + ([self.prefixes] if count is None else []):
            with open(path, "rb") as data:
                digest.update(data.read())
        stamp = digest.hexdigest()
        if os.path.exists(stamp_path):
            with open(stamp_path, encoding="ascii") as old:
                if old.read() == stamp:
                    return
        if count is not None:
            streams.write_prefixes(self.prefixes, count, seed=count)
        streams.write_stream(self.stream, self.prefixes, seed=7)
        with open(stamp_path, "w", encoding="ascii") as out:
            out.write(stamp)

    def agree(self, base):
        """Both sides must answer the same client to every request, or a comparison says nothing."""
        ours, theirs = base + ".ours", base + ".theirs"
        subprocess.run([self.tools.decide, "clients", self.config, self.stream, ours], check=True)
        subprocess.run([self.tools.walk, "-prefixes", self.prefixes, "-stream", self.stream, "-clients", theirs],
                       check=True)
        with open(ours, encoding="ascii") as a, open(theirs, encoding="ascii") as b:
            for number, (left, right) in enumerate(zip(a.read().splitlines(), b.read().splitlines(), strict=True), 1):
                if left != right:
                    raise SystemExit(f"{self.stream}:{number}: ours says {left}, Go says {right}")
        print(f"{self.name} table: {number} requests, the same client on both sides", flush=True)

    def round(self, ours_first, how="walk"):
        """One run of each side, one straight after the other: client only, whole decision, Go, Go with bart.Fast."""
        go = ["-prefixes", self.prefixes, "-stream", self.stream] + (["-fixed"] if how == "fixed" else [])
        sides = [[self.tools.decide, how, self.config, self.stream], [self.tools.walk] + go, [self.tools.walk_fast] + go]
        results = [run_json(side) for side in (sides if ours_first else sides[::-1])]
        ours, lite, fast = results if ours_first else results[::-1]
        if not ours["checksum"] == lite["checksum"] == fast["checksum"]:
            raise SystemExit(f"{self.name}: the sides disagree")
        return ours["client_ns"], ours["full_ns"], lite["client_ns"], fast["client_ns"]


def measure_walks(cases, rounds):
    times = {}
    for number in range(rounds):
        for case in cases:
            times.setdefault(case.name, []).append(case.round(number % 2 == 0))
            print(f"round {number + 1}, {case.name}: client %.0f ns, full %.0f ns, Go %.0f ns (bart.Fast %.0f)"
                  % times[case.name][-1], flush=True)
    return {name: list(zip(*values)) for name, values in times.items()}


def measure_fixed(case, rounds):
    """One header set over and over: what a branch predictor makes of it, for context."""
    client, full, go, _ = zip(*(case.round(number % 2 == 0, "fixed") for number in range(rounds)))
    context = f"ours {middle(client, 'ns')} and {middle(full, 'ns')}, Go {middle(go, 'ns')}"
    return [Figure("one fixed header set, small table: client only, ours / Go", ratios(client, go), context=context)]


def measure_building(case, rounds):
    views = [run_json([case.tools.decide, "build", case.config]) for _ in range(rounds)]
    tables = [run_json([case.tools.decide, "table", case.prefixes]) for _ in range(rounds)]
    seconds = [(v["load_ms"] + v["view_ms"]) / 1000 for v in views]
    peaks = [v["peak_kb"] * 1024 / 1e6 for v in views]
    build = [t["build_ms"] for t in tables]
    context = f"of it the table alone {middle(build, 'ms')}"
    size = f"peak of the whole process; the table stays with {views[0]['table_kb'] * 1024 / 1e6:.0f} MB"
    return [Figure("1,000,000 prefixes, from file to view: time", seconds, 2, unit="s", context=context),
            Figure("1,000,000 prefixes, from file to view: memory", peaks, 200, unit="MB", context=size)]


def measure(work, tools, rounds):
    cases = [Case(work, tools, name, count) for name, count in TABLES]
    times = measure_walks(cases, rounds)
    (client, full, go, fast), (client_11k, full_11k, *go_11k), (client_1m, full_1m, go_1m, fast_1m) = times.values()

    def against(ours, theirs, with_fast):
        return f"ours {middle(ours, 'ns')}, Go {middle(theirs, 'ns')}, with bart.Fast {middle(with_fast, 'ns')}"

    return [
        Figure("small table: client only, ours / Go", ratios(client, go), 0.6, context=against(client, go, fast)),
        Figure("small table: whole decision, ours / Go", ratios(full, go), 1.2, context=against(full, go, fast)),
        *measure_fixed(cases[0], rounds),
        Figure("11,000 prefixes: client only, ours / our small table", ratios(client_11k, client), 3,
               context=against(client_11k, *go_11k)),
        Figure("11,000 prefixes: whole decision, ours / our small table", ratios(full_11k, full), 3,
               context=against(full_11k, *go_11k)),
        Figure("1,000,000 prefixes: client only, ours / Go", ratios(client_1m, go_1m), 0.8,
               context=against(client_1m, go_1m, fast_1m)),
        Figure("1,000,000 prefixes: whole decision, ours / Go", ratios(full_1m, go_1m), 0.8,
               context=against(full_1m, go_1m, fast_1m)),
        *measure_building(cases[2], rounds),
    ]
