"""Servers under measurement: start, ready, load by wrk, processor time and memory from /proc, stop."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 32


def split_cores():
    """The cores of the servers and those of the load generator, which must not share one: a server that is slower would
    pay for being preempted and for waking a client that sleeps. None and None where there is only one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return None, None
    return {cores[0]}, {cores[1]}


def pin(cores):
    """For Popen: what a program does first, so that it finds only these cores."""
    return (lambda: os.sched_setaffinity(0, cores)) if cores else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get_status(port, path):
    """None while nothing listens. A bare socket, because http.client takes a millisecond of its own."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            line = s.recv(64)
    except OSError:
        return None
    found = re.match(rb"HTTP/1\.1 (\d+)", line)
    return int(found.group(1)) if found else None


class Server:
    """A started program. `ready_ms` is the time from its start to the first 200."""

    def __init__(self, name, command, port, ready_port=None, ready_path="/readyz", env=None, log=None, cores=None):
        self.name, self.port = name, port
        with open(log or os.devnull, "wb") as out:
            start = time.monotonic()
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=env, preexec_fn=pin(cores))
        while get_status(ready_port or port, ready_path) != 200:
            if self.process.poll() is not None:
                raise SystemExit(f"{name} ended with {self.process.returncode}, see {log}")
            if time.monotonic() - start > 10:
                self.stop()
                raise SystemExit(f"{name} is not ready after 10 s, see {log}")
            time.sleep(0.0005)
        self.ready_ms = (time.monotonic() - start) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=2)
            except subprocess.TimeoutExpired:  # a drain that takes its time is none of this measurement
                self.process.kill()
                self.process.wait()

    def pids(self):
        """The process and its children: nginx works in those."""
        pids = [self.process.pid]
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                fields = stat_fields(int(entry))
                if fields and int(fields[1]) == self.process.pid:
                    pids.append(int(entry))
        return pids

    def cpu_seconds(self):
        return sum((int(f[11]) + int(f[12])) / TICK for f in map(stat_fields, self.pids()) if f)

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"^VmRSS:\s+(\d+) kB$", status.read(), re.M).group(1)) * 1024 / 1e6

    def post(self, path, bodies):
        """The answers to bodies over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        answers = []
        for body in bodies:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise SystemExit(f"{self.name} {path}: {response.status} {answer[:300]!r}")
            answers.append(answer)
        connection.close()
        return answers

    def load(self, script, path, bodies_file, seconds, cores):
        """Requests answered in a time of load from these cores, and the processor seconds that they took."""
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script,
                   f"http://127.0.0.1:{self.port}{path}", "--", bodies_file]
        before = self.cpu_seconds()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 30,
                              preexec_fn=pin(cores))
        spent = self.cpu_seconds() - before
        requests, errors = (int(n) for n in re.search(r"^RESULT (\d+) (\d+)$", done.stdout, re.M).groups())
        if errors or not requests:
            raise SystemExit(f"{self.name} {path}: {errors} errors in {requests} requests\n{done.stdout}")
        return requests, spent


def stat_fields(pid):
    """/proc/PID/stat from the state on (index 0); None when the process is gone. The name may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def nginx_config(work, port, size, workers):
    """`return 200` with a body of size bytes, in pieces because nginx takes no longer words than 4 KiB."""
    pieces = [min(2000, size - at) for at in range(0, size, 2000)]
    sets = "".join(f'      set $body{i} "{"x" * n}";\n' for i, n in enumerate(pieces))
    body = "".join("${body%d}" % i for i in range(len(pieces)))
    path = os.path.join(work, "nginx.conf")
    with open(path, "w", encoding="ascii") as out:
        out.write(f"""worker_processes {workers};
daemon off;
pid {work}/nginx.pid;
error_log {work}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/json;
  keepalive_requests 1000000000;
  client_body_temp_path {work}/nginx-body;
  proxy_temp_path {work}/nginx-proxy;
  fastcgi_temp_path {work}/nginx-fastcgi;
  uwsgi_temp_path {work}/nginx-uwsgi;
  scgi_temp_path {work}/nginx-scgi;
  server {{
    listen 127.0.0.1:{port};
    add_header Cache-Control no-store;
    location / {{
{sets}      return 200 "{body}";
    }}
  }}
}}
""")
    return path


def same_shape(ours, theirs):
    """Where two answers differ in their keys, or in the client; None when they do not."""
    ours, theirs = json.loads(ours), json.loads(theirs)
    if ours["client_ip"] != theirs["client_ip"]:
        return f"client {ours['client_ip']} and {theirs['client_ip']}"
    pairs = [("", ours, theirs)]
    pairs += [(f"chain/{i}/", a, b) for i, (a, b) in enumerate(zip(ours["chain"], theirs["chain"]))]
    pairs += [(k + "/", ours[k], theirs[k]) for k in ("client", "confidence", "verdict", "forwarded", "keys", "revision")]
    for where, a, b in pairs:
        if list(a) != list(b):
            return f"{where}: keys {list(a)} and {list(b)}"
    if len(ours["chain"]) != len(theirs["chain"]):
        return f"chains of {len(ours['chain'])} and {len(theirs['chain'])}"
    return None
