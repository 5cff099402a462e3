"""A running iptrustd for the system tests: free ports, temporary files, everything on loopback, ended by its process id."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BINARY = os.environ.get("IPTRUSTD", "build/dev/iptrustd")

CONFIG = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
drain: {delay: 300ms, timeout: 3s}
log: {format: json, level: info}
lists:
  lb: {prefixes: [10.0.12.0/24], internal: true}
  local: {prefixes: [127.0.0.0/8], internal: true, broad: accepted}
  office: {prefixes: [198.51.100.0/24]}
policies:
  default: {trust: [lb], clients: any}
  self: {trust: [local], clients: any}
  closed: {trust: [lb], selectable_by: [grpc]}
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    def __init__(self, config=CONFIG, args=(), env=None, limits=None):
        self.dir = tempfile.mkdtemp(prefix="ipt-")
        self.config = os.path.join(self.dir, "iptrustd.yaml")
        self.write(config)
        self.lines, self.addresses = [], {}
        self.changed = threading.Condition()
        with open(os.path.join(self.dir, "out"), "wb") as out:
            self.process = subprocess.Popen([BINARY, "--config", self.config, *args], stdout=out, stderr=subprocess.PIPE,
                                            env={**os.environ, "IPTRUST_REFRESH": "off", **(env or {})}, preexec_fn=limits)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.wait_log("ready", 20):
            text = self.stderr()
            self.process.kill()
            self.process.wait()
            self.reader.join(5)
            self.process.stderr.close()
            shutil.rmtree(self.dir, ignore_errors=True)
            raise RuntimeError("iptrustd did not start:\n" + text)

    def write(self, config):
        with open(self.config + ".new", "w") as f:
            f.write(config.replace("%(dir)s", self.dir))
        os.rename(self.config + ".new", self.config)

    def _read(self):
        for raw in self.process.stderr:
            text = raw.decode("utf-8", "replace")
            try:
                line = json.loads(text)
            except ValueError:
                line = {"msg": "", "text": text}
            with self.changed:
                if line.get("msg") == "listening":
                    self.addresses[line["listener"]] = line["address"]
                self.lines.append(line)
                self.changed.notify_all()

    def stderr(self):
        return "\n".join(l.get("text") or json.dumps(l) for l in self.lines)

    def wait_log(self, msg, seconds=5, count=1):
        """Waits until a line with that message has been written count times; False when it has not."""
        end = time.monotonic() + seconds
        with self.changed:
            while sum(l["msg"] == msg for l in self.lines) < count:
                left = end - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self.reader.is_alive()):
                    return False
                self.changed.wait(min(left, 0.2))
        return True

    def connect(self, listener="http", timeout=10):
        address = self.addresses[listener]
        if address.startswith("unix:"):
            return UnixConnection(address[5:], timeout)
        host, port = address.rsplit(":", 1)
        return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)

    def raw(self, listener="http", timeout=10, source=None):
        host, port = self.addresses[listener].rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout, source_address=source)

    def call(self, method, path, body=None, headers=None, listener="http"):
        """Status, headers, body."""
        connection = self.connect(listener)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def resolve(self, body, path="/v1/resolve", content_type="application/json"):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        status, headers, answer = self.call("POST", path, text, {"Content-Type": content_type})
        return status, json.loads(answer)

    def stop(self, expected=0, number=signal.SIGTERM):
        """Ends the daemon; anything a sanitizer found makes its exit code differ."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
            try:
                os.kill(self.process.pid, number)  # asked twice: at once
            except ProcessLookupError:
                pass
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join(5)
        self.process.stderr.close()
        text = self.stderr()
        shutil.rmtree(self.dir, ignore_errors=True)
        assert code == expected, "exit code %s\n%s" % (code, text)


def read_all(sock, seconds=5):
    """Everything until the other side closes; second value: whether it did."""
    sock.settimeout(seconds)
    data = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                return data, True
            data += more
    except ConnectionResetError:
        return data, True
    except socket.timeout:
        return data, False
