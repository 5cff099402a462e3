"""A feed server of the project's own, on loopback with TLS, and a CONNECT proxy that leads any host to it, so that the
publishers' real addresses can be asked without anything going out. Both do what the test says, good or bad."""
import http.server
import os
import select
import socket
import socketserver
import ssl
import subprocess
import threading

HOSTS = ("DNS:www.cloudflare.com", "DNS:api.cloudflare.com", "DNS:ip-ranges.amazonaws.com")


class Feed(http.server.ThreadingHTTPServer):
    """An HTTPS server with a certificate of a CA of its own. `answer` is called for every request with the handler."""
    daemon_threads = True

    def __init__(self, directory):
        super().__init__(("127.0.0.1", 0), FeedHandler)
        self.ca = os.path.join(directory, "ca.pem")
        key, cert = os.path.join(directory, "key.pem"), self.ca
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=feed", "-addext", "subjectAltName=IP:127.0.0.1," + ",".join(HOSTS), "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.seen, self.answer = [], None
        self.url = f"https://127.0.0.1:{self.server_port}/list.txt"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def handle_error(self, request, address):
        pass  # clients that give up are what is tested

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join(5)


class FeedHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 40

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        self.server.answer(self)

    def send(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Proxy(socketserver.ThreadingTCPServer):
    """Takes CONNECT for any host and leads to one port of this machine: nothing goes out."""
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.to, self.port, self.hosts = port, self.server_address[1], set()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join(5)


class ProxyHandler(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self):
        line = self.rfile.readline().decode()
        self.server.hosts.add(line.split()[1])
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.to), 10) as to:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            ends = {self.connection: to, to: self.connection}
            while True:
                for ready in select.select(list(ends), [], [], 60)[0]:
                    try:
                        data = ready.recv(65536)
                        if not data:
                            return
                        ends[ready].sendall(data)
                    except OSError:
                        return


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=60)


def bad_certificate(directory, name, ca, san, past=False):
    """A context with a leaf that the Feed's certificate signed as an authority: of another name, or expired."""
    path = os.path.join(directory, name)
    with open(path + ".cnf", "w") as f:  # openssl x509 knows no begin in the past, openssl ca does
        f.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={path}.db\nnew_certs_dir={directory}\nrand_serial=yes\ndefault_md=sha256\n"
                f"policy=p\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={san}\n")
    with open(path + ".db", "w"):
        pass
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path + ".key", "-subj",
            "/CN=" + name, "-out", path + ".csr")
    openssl("ca", "-batch", "-notext", "-config", path + ".cnf", "-cert", ca, "-keyfile", os.path.join(directory, "key.pem"),
            "-in", path + ".csr", "-out", path + ".pem", "-extensions", "e", "-startdate", "20200101000000Z", "-enddate",
            "20200201000000Z" if past else "21000101000000Z")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path + ".pem", path + ".key")
    return context


class Other(http.server.ThreadingHTTPServer):
    """The same answers from another port: with another certificate, or without any."""
    daemon_threads = True

    def __init__(self, feed, context=None):
        super().__init__(("127.0.0.1", 0), FeedHandler)
        self.seen, self.feed = feed.seen, feed
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def answer(self, handler):
        self.feed.answer(handler)

    handle_error, close = Feed.handle_error, Feed.close
