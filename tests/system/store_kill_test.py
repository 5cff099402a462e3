#!/usr/bin/env python3
"""Kills a process that persists a record at every system call of the write, under strace, and reads what is there
afterwards: always the record from before or the new one, whole. usage: store_kill_test.py STORE_WRITER"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = "openat,write,fsync,close,renameat,mkdir,mkdirat,flock,unlinkat"
ROUNDS_MIN = 15  # a sanitizer's runtime adds calls of its own; what matters is NEEDED
NEEDED = ('"list.new"', "write(", "fsync(", "close(", "renameat(")  # a kill at each of these must have happened


def read(writer, directory):
    done = subprocess.run([writer, directory, "read"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return "unreadable: " + done.stdout + done.stderr
    return done.stdout.split("\n")[0]


def kill_at(writer, directory, call, when):
    """True when the process was killed at that call, and the call as strace names it."""
    trace = os.path.join(directory, "trace")
    done = subprocess.run(["strace", "-f", "-qq", "-o", trace, "-e", "trace=" + CALLS,
                           "-e", f"inject={call}:signal=KILL:when={when}", writer, os.path.join(directory, "state")],
                          capture_output=True, text=True, timeout=60, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    with open(trace) as f:
        lines = [line for line in f if re.search(r"\b(%s)\(" % CALLS.replace(",", "|"), line)]
    return done.returncode in (-9, 137), lines[-1].strip() if lines else ""


def main():
    writer = sys.argv[1]
    if shutil.which("strace") is None:
        print("strace is not installed")
        return 1
    directory = tempfile.mkdtemp(prefix="ipt-kill-")
    rounds, points, before = 0, set(), None
    try:
        probe = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, text=True, timeout=60)
        if probe.returncode != 0:
            print("strace cannot trace here: " + probe.stderr)
            return 1
        subprocess.run([writer, os.path.join(directory, "state")], check=True, capture_output=True, timeout=60)
        before = read(writer, os.path.join(directory, "state"))
        for call in CALLS.split(","):
            when = 1
            while True:
                killed, last = kill_at(writer, directory, call, when)
                after = read(writer, os.path.join(directory, "state"))
                if not after.endswith(" whole") or after[0] not in "ab":
                    print(f"killed at {call} {when} ({last}): {before!r} became {after!r}")
                    return 1
                rounds += killed
                if killed:
                    points.add(re.sub(r"\s+", " ", re.sub(r"^\d+ |\d+", "", last))[:70])
                before = after
                if not killed:
                    break
                when += 1
        print(f"{rounds} kills, at {len(points)} different calls:")
        for point in sorted(points):
            print("  " + point)
        missing = [n for n in NEEDED if not any(n in point for point in points)]
        if missing or rounds < ROUNDS_MIN:
            print(f"too few kills, or none at {missing}")
            return 1
        return 0
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
