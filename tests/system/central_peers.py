"""What daemons fetch central documents from: a plain HTTP server without long poll, and Debian's etcd, one or three."""
import base64
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def certificate(directory):
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    cert, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=central", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True, timeout=60)
    return cert, key


class Plain:
    """One document at /doc, with an entity tag; knows nothing of waiting."""

    def __init__(self, tls=None):
        self.body, self.status, self.asked, self.unchanged = b"", 200, 0, 0
        plain = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                plain.asked += 1
                body, status = plain.body, plain.status
                tag = '"%x"' % hash(body)
                if status == 200 and self.headers.get("If-None-Match") == tag:
                    plain.unchanged += 1
                    status, body = 304, b""
                self.send_response(status)
                if status in (200, 304):
                    self.send_header("ETag", tag)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a daemon that has seen enough, or has ended

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = ("https" if tls else "http") + "://127.0.0.1:%d/doc" % self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Etcd:
    """A cluster on loopback; members by number."""

    def __init__(self, members=1, tls=None):
        self.context = ssl.create_default_context(cafile=tls[0]) if tls else None
        self.dir = tempfile.mkdtemp(prefix="ipt-etcd-")
        ports = free_ports(2 * members)
        self.clients, peers = ports[:members], ports[members:]
        self.endpoints = ["%s://127.0.0.1:%d" % ("https" if tls else "http", p) for p in self.clients]
        cluster = ",".join("m%d=http://127.0.0.1:%d" % (i, p) for i, p in enumerate(peers))
        self.token = None
        self.processes = []
        for i in range(members):
            client, peer = self.endpoints[i], "http://127.0.0.1:%d" % peers[i]
            with open(os.path.join(self.dir, "log%d" % i), "wb") as log:
                self.processes.append(subprocess.Popen(
                    ["etcd", "--name", "m%d" % i, "--data-dir", os.path.join(self.dir, "d%d" % i), "--listen-client-urls", client,
                     "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                     "--initial-cluster", cluster, *(["--cert-file", tls[0], "--key-file", tls[1]] if tls else [])],
                    stdout=log, stderr=subprocess.STDOUT))
        if not wait_for(self._answers, 30):
            raise RuntimeError("etcd does not answer:\n" + self.logs())

    def logs(self):
        text = ""
        for i in range(len(self.processes)):
            with open(os.path.join(self.dir, "log%d" % i), errors="replace") as f:
                text += f.read()[-2000:]
        return text

    def _answers(self):
        try:
            self.call("/v3/kv/range", {"key": "aw=="})
            return True
        except (OSError, RuntimeError, http.client.HTTPException):
            return False

    def call(self, path, body):
        """On the first member that lives and answers."""
        why = None
        for port, process in zip(self.clients, self.processes):
            if process.poll() is not None:
                continue
            connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=self.context) if self.context else
                          http.client.HTTPConnection("127.0.0.1", port, timeout=10))
            try:
                headers = {"Content-Type": "application/json"}
                if self.token:
                    headers["Authorization"] = self.token
                connection.request("POST", path, json.dumps(body), headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    return json.loads(text)
                why = "%d %s" % (answer.status, text[:200])
            except (OSError, http.client.HTTPException) as e:
                why = str(e)
            finally:
                connection.close()
        raise RuntimeError("%s: %s" % (path, why))

    @staticmethod
    def _text(value):
        return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()

    def put(self, key, value):
        end = time.monotonic() + 30
        while True:
            try:
                return self.call("/v3/kv/put", {"key": self._text(key), "value": self._text(value)})
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def delete(self, key):
        self.call("/v3/kv/deleterange", {"key": self._text(key)})

    def demand_login(self, password):
        self.call("/v3/auth/user/add", {"name": "root", "password": password})
        self.call("/v3/auth/role/add", {"name": "root"})
        self.call("/v3/auth/user/grant", {"user": "root", "role": "root"})
        self.call("/v3/auth/enable", {})
        self.token = self.call("/v3/auth/authenticate", {"name": "root", "password": password})["token"]

    def kill(self, member):
        self.processes[member].send_signal(signal.SIGKILL)
        self.processes[member].wait(10)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)
        shutil.rmtree(self.dir, ignore_errors=True)
