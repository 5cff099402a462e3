"""A running Envoy before a running application: the files of deploy/envoy with the addresses of a test in them."""

import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = CHECKOUT / "deploy" / "envoy"
DEADLINE = "8s"  # instead of the 0.25s of the files: sanitizers and a busy machine must not decide these tests


def peers():
    """Where .ci/peers has put Envoy."""
    return pathlib.Path(
        subprocess.run([CHECKOUT / ".ci" / "peers"], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    )


def edited(name, changes):
    """A file of deploy/envoy in which every change found its place."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for old, new in changes:
        if old not in text:
            raise AssertionError("%s has no %r any more" % (name, old))
        text = text.replace(old, new)
    return text


def uncommented(name, first, last):
    """A change that takes the comment marks off the lines from first to last."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    begin = text.index("# " + first)
    end = text.index(last, begin) + len(last)
    return text[begin:end], text[begin:end].replace("# ", "", 1).replace("\n    # ", "\n    ").replace(
        "\n              # ", "\n              "
    )


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it was sent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        text = json.dumps(
            {"method": self.command, "path": self.path, "headers": self.headers.items(), "body_n": len(body)}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *ignored):
        pass


class Application:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


class Envoy:
    """name: a file of deploy/envoy; daemons: `host:port` of their grpc listeners, one or two."""

    def __init__(self, name, application, daemons, changes=()):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ipt-envoy-"))
        self.log = self.dir / "access.log"
        addresses = [address.rsplit(":", 1) for address in (daemons[0], daemons[-1])]
        text = edited(
            name,
            [
                ("port_value: 9901", "port_value: 0"),
                ("address: 0.0.0.0, port_value: 10000", "address: 127.0.0.1, port_value: 0"),
                ("address: 10.0.12.21, port_value: 9191", "address: %s, port_value: %s" % tuple(addresses[0])),
                ("address: 10.0.12.22, port_value: 9191", "address: %s, port_value: %s" % tuple(addresses[1])),
                ("port_value: 8000", "port_value: %d" % application.port),
                ("path: /dev/stdout", "path: %s" % self.log),
                ("timeout: 0.25s\n", "timeout: %s\n" % DEADLINE),
                ("max_interval: 0.25s", "max_interval: %s" % DEADLINE),
                *changes,
            ],
        )
        (self.dir / "envoy.yaml").write_text(text, encoding="utf-8")
        with open(self.dir / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                [
                    peers() / "envoy",
                    "-c",
                    str(self.dir / "envoy.yaml"),
                    "--disable-hot-restart",
                    "--concurrency",
                    "2",
                    "-l",
                    "warning",
                    "--file-flush-interval-msec",
                    "100",
                    "--admin-address-path",
                    str(self.dir / "admin"),
                ],
                stdout=stderr,
                stderr=stderr,
            )
        try:
            self.port = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        end = time.monotonic() + 40
        while time.monotonic() < end and self.process.poll() is None:
            try:
                listeners = json.loads(self.admin("/listeners?format=json"))["listener_statuses"]
                if self.admin("/ready").strip() == "LIVE" and listeners:
                    return listeners[0]["local_address"]["socket_address"]["port_value"]
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.05)
        raise RuntimeError("Envoy did not start:\n" + (self.dir / "stderr").read_text(errors="replace"))

    def admin(self, path):
        with urllib.request.urlopen("http://%s%s" % ((self.dir / "admin").read_text().strip(), path), timeout=5) as answer:
            return answer.read().decode()

    def healthy(self):
        """How many iptrustd Envoy holds for healthy."""
        hosts = [
            line
            for line in self.admin("/clusters").splitlines()
            if line.startswith("iptrustd::") and "::health_flags::" in line
        ]
        return sum(line.endswith("::healthy") for line in hosts)

    def wait_healthy(self, count, seconds=15):
        end = time.monotonic() + seconds
        while self.healthy() != count:
            if time.monotonic() > end:
                raise AssertionError("Envoy sees %d healthy iptrustd, not %d" % (self.healthy(), count))
            time.sleep(0.05)

    def connect(self, source="127.0.0.2", proxy=b""):
        sock = socket.create_connection(("127.0.0.1", self.port), 20, source_address=(source, 0))
        sock.sendall(proxy)
        return sock

    def ask(self, path="/", headers=(), source="127.0.0.2", proxy=b"", body=None):
        """Status, headers, body: of the denial, or as the application saw the request."""
        with self.connect(source, proxy) as sock:
            lines = [
                b"%s %s HTTP/1.1" % (b"GET" if body is None else b"POST", path.encode()),
                b"Host: app.example",
                b"Connection: close",
            ]
            lines += [
                name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in headers
            ]
            if body is not None:
                lines.append(b"Content-Length: %d" % len(body))
            sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""))
            answer = http.client.HTTPResponse(sock)
            answer.begin()
            text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text.startswith(b"{") else text

    def accesses(self, count, seconds=10):
        """The access log, once it has count lines."""
        end = time.monotonic() + seconds
        while True:
            lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
            if len(lines) >= count:
                return [json.loads(line) for line in lines]
            if time.monotonic() > end:
                raise AssertionError("the access log has %d lines, not %d" % (len(lines), count))
            time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def seen(answer):
    """The headers that the application saw, by name in lower case, each with its values."""
    found = {}
    for name, value in answer["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found
