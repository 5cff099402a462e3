"""Measures and reports; started by tests/bench/run, which builds what is needed here."""

import argparse
import os
import subprocess
import sys
from types import SimpleNamespace

import callouts
import decisions
import geo
import lists
import report
import rest
import transports

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "PERFORMANCE.md")


def find(*parts):
    for where in parts:
        path = os.path.join(ROOT, where)
        if os.access(path, os.X_OK):
            return path
    raise SystemExit(f"{parts[0]} is not built")


def main():
    arguments = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5, help="of every measurement (5)")
    arguments.add_argument("--only", choices=("decisions", "geo", "lists", "rest", "callouts", "transports"), help="one part alone")
    arguments.add_argument("--write", action="store_true", help="put the table into docs/PERFORMANCE.md")
    chosen = arguments.parse_args()
    if chosen.write and (chosen.only or chosen.rounds != 5):
        arguments.error("--write wants everything, five times")

    work = os.path.join(ROOT, "build", "bench")
    tools = SimpleNamespace(walk=find("build/bench/walk"), walk_fast=find("build/bench/walk-fast"),
                            rest=find("build/bench/rest"), decide=find("build/release/tests/bench/bench_decide"))
    tools.geo, tools.geo_go = find("build/release/tests/bench/bench_geo"), find("build/bench/geo")
    tools.views = find("build/release/tests/bench/bench_views")
    tools.daemon = find("build/release/iptrustd", "build/release/service/daemon/iptrustd")
    tools.echo, tools.authz = find("build/release/tests/bench/bench_echo"), find("build/bench/authz")
    tools.envoy, tools.venv_python = find("build/bench/venv/bin/envoy"), find("build/bench/venv/bin/python")
    tools.nghttp2, tools.core = find("build/bench/nghttp2/iptrustd"), find("build/bench/core/iptrustd")
    figures = []
    for part in (decisions, geo, lists, rest, callouts, transports):
        if chosen.only in (None, part.__name__):
            figures += part.measure(work, tools, chosen.rounds)

    table = report.markdown(figures, chosen.rounds)
    print("\n" + table)
    if chosen.write:
        report.write_between_marks(PAGE, table)
        print(f"written to {os.path.relpath(PAGE, ROOT)}")
    return 0 if report.verdict(figures) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed: exit {error.returncode}")
