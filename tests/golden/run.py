#!/usr/bin/env python3
"""Drives one set of golden cases through the faces, all over the same expected bytes:

  run.py --runner build/x/tests/golden/case_runner          the library
  run.py --iptrust build/x/iptrust                          the command line, `iptrust resolve -o json -`
  run.py --iptrustd build/x/iptrustd                        REST, `POST /v1/resolve`
  run.py --grpc build/x/iptrustd --answer-json build/x/tests/golden/answer_json --protos proto
                                                            gRPC, `TrustService/Resolve`; needs grpcio

Cases with a clock, a caller class or facts of a face run in the library alone. --min N fails when fewer cases ran."""

import argparse
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ask  # noqa: E402
import cases  # noqa: E402

START_SECONDS = 30  # a sanitized daemon on a busy machine


def library(program, group, config, listed):
    with ask.Library(program) as lib:
        for case in listed:
            yield case, ask.golden(lib, config, case)


def command_line(program, group, config, listed):
    """One process for a group: requests and answers keep step line by line."""
    asked = [case for case in listed if cases.for_faces(case)]
    if not asked:
        return
    text = "".join(json.dumps(case["request"]) + "\n" for case in asked)
    done = subprocess.run([program, "resolve", "--config", str(config), "-o", "json", "-"], input=text.encode(),
                          capture_output=True, check=False, timeout=300)
    lines = done.stdout.splitlines()
    if len(lines) != len(asked):
        raise SystemExit(f"{group}: {len(asked)} requests, {len(lines)} answers, exit {done.returncode}\n"
                         f"{done.stderr.decode(errors='replace')[-2000:]}")
    refused = any("problem" in case["expect"] for case in asked)
    if done.returncode != (1 if refused else 0):
        raise SystemExit(f"{group}: exit {done.returncode}, {'1' if refused else '0'} expected")
    yield from zip(asked, lines)


class Daemon:
    """iptrustd on free ports, ended by its pid."""

    def __init__(self, program, config):
        self.directory = tempfile.TemporaryDirectory(prefix="iptrust-golden-")
        where = pathlib.Path(self.directory.name)
        # The listeners and the log of a test beside the group's own lists and policies: relative paths stay right.
        environment = {
            **os.environ,
            "IPTRUST_HTTP_LISTEN": "127.0.0.1:0",
            "IPTRUST_GRPC_LISTEN": "127.0.0.1:0",
            "IPTRUST_HEALTH_LISTEN": "127.0.0.1:0",
            "IPTRUST_ADMIN_LISTEN": f"unix:{where}/admin.sock",
            "IPTRUST_REFRESH": "off",
            "XDG_RUNTIME_DIR": str(where),
        }
        self.log = open(where / "log", "w+b")
        self.process = subprocess.Popen([program, "--config", str(config)], stdout=self.log, stderr=self.log, env=environment)
        self.addresses = self.wait()

    def wait(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            # Whole lines alone: the last one may still be being written.
            lines = pathlib.Path(self.log.name).read_text(errors="replace").rpartition("\n")[0].splitlines()
            told = [json.loads(line) for line in lines if line.startswith("{")]
            if any(entry.get("msg") == "ready" for entry in told):
                return {entry["listener"]: entry["address"] for entry in told if entry.get("msg") == "listening"}
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        told = pathlib.Path(self.log.name).read_text(errors="replace")
        self.close()
        raise SystemExit(f"iptrustd did not say where it listens:\n{told[-3000:]}")

    def close(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)  # the drain's delay is waited for when nothing else asks
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait()
        told = pathlib.Path(self.log.name).read_text(errors="replace")
        self.log.close()
        self.directory.cleanup()
        if "AddressSanitizer" in told or "runtime error:" in told:
            raise SystemExit(f"the daemon's sanitizer spoke:\n{told[-4000:]}")


def rest(program, group, config, listed):
    asked = [case for case in listed if cases.for_faces(case)]
    if not asked:
        return
    daemon = Daemon(program, config)
    try:
        connection = http.client.HTTPConnection(daemon.addresses["http"], timeout=30)
        for case in asked:
            connection.request("POST", "/v1/resolve", json.dumps(case["request"]), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read().rstrip(b"\n")
            if (answer.status == 200) != ("problem" not in case["expect"]):
                body = b'{"status":%d,"body":%s}' % (answer.status, body or b"null")
            yield case, body
        connection.close()
    finally:
        daemon.close()


def grpc_answers(options):
    """The face as the others are: a function of group, configuration and cases."""
    import grpc_face as face_module  # the one that needs packages

    face = face_module.Face(options.grpc, options.answer_json, options.protos)

    def answers(program, group, config, listed):
        asked = [case for case in listed if cases.for_faces(case)]
        for case in list(asked):
            why = face_module.cannot_carry(case["request"])
            if why:
                print(f"not asked by gRPC: {group}/{case['id']}: {why}")
                asked.remove(case)
        if not asked:
            return
        daemon = Daemon(program, config)
        face.start(config)
        try:
            yield from face.answers(daemon, asked)
        finally:
            daemon.close()
        face.close()

    return answers


def compare(face, group, case, line, failures):
    want = cases.bytes_of(group, case).read_bytes()
    try:
        got = cases.reduced(line) + b"\n"
    except ValueError:
        got = line + b"\n"
    if got == want:
        return
    lines = [f"FAILED {face} {group}/{case['id']}: {case['note']}"]
    wrong = cases.contradictions(case, line)
    lines += [f"    {w}" for w in wrong] or ["    by hand nothing is wrong; the bytes differ:"]
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    lines.append(f"    byte {at}: expected ...{want[max(0, at - 60):at + 120].decode(errors='replace')!r}")
    lines.append(f"    {' ' * len(str(at))}       got      ...{got[max(0, at - 60):at + 120].decode(errors='replace')!r}")
    failures.append("\n".join(lines))


def same_as(group, listed):
    """Cases that must have the very bytes of another."""
    for case in listed:
        if "same_as" in case:
            other = cases.EXPECTED / group / f"{case['same_as']}.json"
            if cases.bytes_of(group, case).read_bytes() != other.read_bytes():
                yield f"FAILED {group}/{case['id']}: not the bytes of {case['same_as']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner")
    parser.add_argument("--iptrust")
    parser.add_argument("--iptrustd")
    parser.add_argument("--grpc")
    parser.add_argument("--answer-json")
    parser.add_argument("--protos")
    parser.add_argument("--min", type=int, default=1)
    parser.add_argument("--max", type=int, default=10, help="failures to print")
    parser.add_argument("group", nargs="?")
    options = parser.parse_args()
    faces = [("library", library, options.runner), ("command line", command_line, options.iptrust), ("REST", rest, options.iptrustd)]
    faces = [face for face in faces if face[2]]
    if options.grpc:
        faces.append(("gRPC", grpc_answers(options), options.grpc))
    if not faces:
        parser.error("name a face: --runner, --iptrust, --iptrustd or --grpc")
    failures, counts = [], {}
    for group, config, listed in cases.groups(options.group):
        failures += same_as(group, listed)
        for face, answers, program in faces:
            told = [case for case in listed if face == "library" or cases.for_faces(case)]
            for case, line in answers(program, group, config, told):
                counts[face] = counts.get(face, 0) + 1
                compare(face, group, case, line, failures)
    for failure in failures[: options.max]:
        print(failure)
    for face, _, _ in faces:
        print(f"golden: {counts.get(face, 0)} cases, {face}")
    if failures:
        sys.exit(f"{len(failures)} failed")
    if min((counts.get(face, 0) for face, _, _ in faces), default=0) < options.min:
        sys.exit(f"fewer than {options.min} cases")


if __name__ == "__main__":
    main()
