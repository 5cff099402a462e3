"""Asks the library: the one way in which the drivers of tests/golden and tests/corpora talk to case_runner."""

import datetime
import json
import pathlib
import subprocess
import tempfile

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SHARED = CHECKOUT.parent / "shared"
NOW = "2026-11-22T12:00:00Z"  # the time at which views are judged unless a case says otherwise


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Library:
    """One case_runner process; ask() gives the bytes of its answer without the line end."""

    def __init__(self, program):
        self.program = str(program)
        self.directory = tempfile.TemporaryDirectory(prefix="iptrust-cases-")
        self.written = None
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process is not None:
            self.process.stdin.close()
            code = self.process.wait()
            self.process.stdout.close()
            if code != 0 and exc[0] is None:
                raise SystemExit(f"case_runner ended with {code}")
        self.directory.cleanup()

    def files(self, files):
        """Makes exactly these files, name to text, the base directory of the cases that follow."""
        if files == self.written:
            return
        base = pathlib.Path(self.directory.name)
        for name, text in files.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.written = dict(files)

    def ask(self, config, request, caller="trusted", now=NOW, facts="-", base=None):
        if self.process is None:
            self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        config = config if isinstance(config, bytes) else config.encode()
        request = request if isinstance(request, bytes) else request.encode()
        base = str(base or self.directory.name).encode()
        head = "%d %d %d %d %d %s\n" % (
            len(config), len(base), seconds(now), caller == "trusted", len(request), facts or "-")
        try:
            self.process.stdin.write(head.encode() + config + base + request)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            code = self.process.wait()
            self.process = None  # the next case gets a new one
            return b'{"broken":"case_runner ended with %d"}' % code
        return line[:-1]


def golden(library, config, case):
    """The library's answer to one golden case; the directory of its configuration is the base of relative paths."""
    return library.ask(
        case["config"] if "config" in case else config.read_bytes(),
        json.dumps(case["request"]),
        case.get("caller", "trusted"),
        case.get("now", NOW),
        case.get("facts", "-"),
        base=config.parent,
    )
