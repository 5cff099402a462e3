#!/usr/bin/env python3
"""Kills a process that persists five records at every system call of it, under strace, and reads what is there afterwards:
of each record the one from before or the new one, whole, and new exactly those whose rename had happened.
usage: store_kill_test.py STORE_WRITER; IPTRUST_KILLS is how many kills while persisting there have to be (each point once
unless told; .ci/long asks for 300)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = ("openat", "write", "fsync", "close", "renameat", "mkdir", "mkdirat", "flock")
RECORDS = 5
KILLS = int(os.environ.get("IPTRUST_KILLS", "1"))
POINTS_MIN = 20  # of the write itself, each between two other system calls
NEEDED = ("openat", "write", "fsync", "close", "renameat", "fsync of the directory")  # of every record
ENV = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}


def run(writer, state, *args):
    done = subprocess.run([writer, state, *args], capture_output=True, text=True, timeout=60, env=ENV, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{args}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.split("\n")[0]


def traced(writer, directory, *kill):
    """Whether it was killed, and what strace saw until then."""
    trace = os.path.join(directory, "trace")
    done = subprocess.run(["strace", "-f", "-qq", "-s", "16", "-o", trace, "-e", "trace=" + ",".join(CALLS), *kill, writer,
                           os.path.join(directory, "state")], capture_output=True, text=True, timeout=60, env=ENV, check=False)
    with open(trace, encoding="utf-8", errors="replace") as f:
        lines = [line for line in f if re.search(r"\b(%s)\(" % "|".join(CALLS), line)]
    return done.returncode in (-9, 137), lines


def first_of_each(lines):
    """By call, the number of the first one worth a kill: of the last before the write begins. A sanitizer has many before."""
    counts = dict.fromkeys(CALLS, 0)
    for line in lines:
        if '"list-0.new"' in line:
            break
        counts[re.search(r"\b(%s)\(" % "|".join(CALLS), line).group(1)] += 1
    return {call: max(count, 1) for call, count in counts.items()}


def point_of(lines):
    """Before which call of which record it died, as "record 2: fsync"; None before the first. How many were renamed."""
    record, renamed, last, directory = None, 0, None, False
    for line in lines:
        opened = re.search(r'"list-(\d)\.new"', line)
        call = re.search(r"\b(%s)\(" % "|".join(CALLS), line).group(1)
        if call == "openat" and opened:
            record, directory = int(opened.group(1)), False
        done = re.search(r"\) += 0$", line.strip()) is not None
        last = "fsync of the directory" if call == "fsync" and directory else call
        if call == "renameat" and done:
            renamed, directory = renamed + 1, True
    return (None if record is None else f"record {record}: {last}"), renamed


def main():
    writer = sys.argv[1]
    probe = shutil.which("strace") and subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, text=True,
                                                      timeout=60, check=False)
    if not probe or probe.returncode != 0:
        print("strace is not installed, or cannot trace here: " + (probe.stderr if probe else ""))
        return 1
    directory = tempfile.mkdtemp(prefix="ipt-kill-")
    state = os.path.join(directory, "state")
    kills, before_it, points = 0, 0, {}
    try:
        run(writer, state)
        first = first_of_each(traced(writer, directory)[1])
        while kills < KILLS:
            for call in CALLS:
                when, killed = first[call], True
                while killed:
                    run(writer, state)  # whole again, all of one letter
                    old = run(writer, state, "read")
                    killed, lines = traced(writer, directory, "-e", f"inject={call}:signal=KILL:when={when}")
                    new = "b" if old[0] == "a" else "a"
                    point, renamed = point_of(lines)
                    found, expected = run(writer, state, "read"), new * renamed + old[0] * (RECORDS - renamed)
                    if old != old[0] * RECORDS or found != expected:
                        print(f"killed before {call} {when} ({point}): {old} became {found}, not {expected}")
                        return 1
                    kills += killed and point is not None
                    before_it += killed and point is None
                    if killed and point is not None:
                        points[point] = points.get(point, 0) + 1
                    when += 1
        for point in sorted(points):
            print(f"  killed before {point}, {points[point]} times")
        print(f"{kills} kills while persisting, at {len(points)} points between system calls, and {before_it} before it began")
        missing = [f"record {r}: {n}" for r in range(RECORDS) for n in NEEDED if f"record {r}: {n}" not in points]
        if missing or len(points) < POINTS_MIN:
            print(f"none at {missing}")
            return 1
        return 0
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
