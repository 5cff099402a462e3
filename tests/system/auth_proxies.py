"""Real proxies in front of a real iptrustd and an echo application: each runs the very snippet of deploy/, with ports and
paths put in, on loopback, and is ended by its process id."""
import http.client
import http.server
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from rest_daemon import Daemon

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPLOY = os.path.join(ROOT, "deploy")
TOKEN = "s3cret-of-the-proxies"

# 127.0.0.2 is a balancer that we trust, every other address of loopback a stranger.
CONFIG = """
http: {listen: "%(listen)s"}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%%(dir)s/admin.sock"}
auth: {token_file: "%(token)s"}
drain: {delay: 0s, timeout: 2s}
log: {format: json, level: info}
lists:
  lb: {prefixes: [127.0.0.2/32], internal: true}
policies:
  default: {trust: [lb], clients: any, selectable_by: [rest, auth]}
  edge: {trust: [lb], clients: any, mode: enforce, deny: {confidence_below: medium}, selectable_by: [auth]}
  watched: {trust: [lb], clients: any, mode: shadow, deny: {confidence_below: medium}, selectable_by: [auth]}
  rewriting: {trust: [lb], clients: any, rewrite: [x-forwarded-for, x-real-ip], selectable_by: [auth]}
  closed: {trust: [lb], clients: any, selectable_by: [rest]}
"""

# What a client writes to appear as somebody else; none of it may reach the application.
FORGED = [("X-Iptrust-Client-Ip", "6.6.6.6"), ("X_Iptrust_Client_Ip", "6.6.6.6"), ("X-Iptrust_Client-Ip", "6.6.6.6"),
          ("x-iptrust-confidence", "authenticated"), ("X-IPTRUST-CHAIN", "6.6.6.6"), ("X_IPTRUST_ASN", "666"),
          ("X-Iptrust-Country", "XX"), ("X-Iptrust-Peer", "6.6.6.6"), ("X_Iptrust_Peer", "6.6.6.6"),
          ("X-Iptrust-Token", "guess")]

http.client._MAXHEADERS = 5000  # of the echo application too, or it would refuse what iptrustd was not asked about

NAMES = ["asn", "chain", "client-ip", "confidence", "country", "policy", "revision", "source"]


def free_port():
    """Below the ports that the kernel gives to connections: one of those may take it before the proxy does."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Echo:
    """An application that answers with what it was sent."""

    def __init__(self):
        echo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                n = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(n)
                echo.seen += 1
                body = json.dumps({"method": self.command, "path": self.path, "headers": self.headers.items()}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Application", "echo")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a proxy that ends its connections by a reset
                pass

        self.seen = 0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Trust:
    """iptrustd on a port that stays its own over a restart, or on a Unix socket."""

    def __init__(self, unix=False):
        self.dir = tempfile.mkdtemp(prefix="ipt-auth-")
        os.chmod(self.dir, 0o755)
        self.token = os.path.join(self.dir, "token")
        with open(self.token, "w") as f:
            f.write(TOKEN + "\n")
        self.port = free_port()
        self.listen = "unix:" + os.path.join(self.dir, "http.sock") if unix else "127.0.0.1:%d" % self.port
        self.daemon = None
        self.start()

    def start(self):
        self.daemon = Daemon(CONFIG % {"listen": self.listen, "token": self.token})

    def stop(self):
        if self.daemon is not None:
            self.daemon.stop()
        self.daemon = None

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def application(self):
        """Header lines that the application got; fails when it was not the application that answered."""
        assert self.headers.get("X-Application") == "echo", (self.status, self.body)
        return [(name.lower(), value) for name, value in json.loads(self.body)["headers"]]

    @property
    def ours(self):
        """Lines in our name, whatever stands between its words."""
        return sorted((n, v) for n, v in self.application if re.match("x[-_.]iptrust", n))


def ask(port, headers=(), source="127.0.0.2", method="GET", path="/a/b?c=d", body=None, host=True):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
    try:
        connection.putrequest(method, path, skip_host=not host, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()


def put(text, changes):
    for old, new in changes:
        assert old in text, "the snippet no longer has " + old
        text = text.replace(old, new)
    return text


def unmark(text, mark):
    assert "#" + mark + " " in text, "the snippet has no mark " + mark
    return text.replace("#" + mark + " ", "")


class Proxy:
    """One proxy with its snippet; a subclass says how. options: "fail-open", "rewrite", "underscores". Deadlines are longer
    than in the files: on a busy machine half a second can pass, and a proxy that fails open would show it."""
    def __init__(self, trust, application, options=()):
        self.trust, self.application, self.options = trust, application, options
        self.dir = tempfile.mkdtemp(prefix="ipt-proxy-")
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        self.out = os.path.join(self.dir, "out")
        command = self.prepare()
        env = {**os.environ, "HOME": self.dir, "XDG_DATA_HOME": self.dir, "XDG_CONFIG_HOME": self.dir}
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=self.dir)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(self.out, errors="replace") as f:
                        raise RuntimeError("%s did not start:\n%s" % (type(self).__name__, f.read()))
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

    def snippet(self, name, changes):
        with open(os.path.join(DEPLOY, name)) as f:
            text = f.read()
        for option in self.options:
            text = self.choose(text, option)
        if "rewrite" in self.options:
            text = put(text, [("/edge", "/rewriting")])
        return put(text, changes)

    def choose(self, text, option):
        return unmark(text, option)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

class Nginx(Proxy):
    closed_status = 500

    def prepare(self):
        token = self.write("token.conf", 'proxy_set_header X-Iptrust-Token "%s";\n' % TOKEN)
        unix = self.trust.listen.startswith("unix:")
        self.write("iptrust.conf", self.snippet("nginx/iptrust.conf", [
            ("127.0.0.1:8080", self.trust.listen), ("127.0.0.1:3000", "127.0.0.1:%d" % self.application.port),
            ("500ms", "10s"), ("listen 80;", "listen 127.0.0.1:%d;" % self.port),
            ("include                 /etc/nginx/iptrust-token.conf;", "" if unix else "include %s;" % token)]))
        temp = "".join("%s_temp_path %s/%s;\n" % (n, self.dir, n) for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.getuid() == 0 else ""
        main = self.write("nginx.conf", "%sdaemon off; worker_processes 1; pid %s/pid; error_log stderr;\n"
                          "events {}\nhttp { access_log off;\n%sinclude %s/iptrust.conf; }\n" % (user, self.dir, temp, self.dir))
        return ["nginx", "-e", "stderr", "-c", main]


class HAProxy(Proxy):
    closed_status = 503

    def choose(self, text, option):
        if option != "fail-open":
            return super().choose(text, option)
        lines = text.splitlines(True)
        kept = [line for line in lines if not line.endswith("# fail-closed\n")]
        assert len(kept) == len(lines) - 1
        return "".join(kept)

    def prepare(self):
        with open(os.path.join(DEPLOY, "haproxy", "iptrust.lua")) as f:
            script = self.write("iptrust.lua", put(f.read(), [("TIMEOUT = 500", "TIMEOUT = 10000")]))
        config = self.write("haproxy.cfg", self.snippet("haproxy/haproxy.cfg", [
            ("http://127.0.0.1:8080", "http://" + self.trust.listen),
            ("127.0.0.1:3000", "127.0.0.1:%d" % self.application.port), ("bind :80", "bind 127.0.0.1:%d" % self.port),
            ("setenv IPTRUST_TOKEN_FILE /etc/iptrustd/proxy.token", "setenv IPTRUST_TOKEN_FILE " + self.trust.token),
            ("/etc/haproxy/iptrust.lua", script)]))
        return ["haproxy", "-db", "-f", config]


class Caddy(Proxy):
    closed_status = 502

    def prepare(self):
        changes = [("500ms", "10s"), ("127.0.0.1:8080", self.trust.listen), ("127.0.0.1:3000", "127.0.0.1:%d" % self.application.port),
                   ("http://:80 ", "http://127.0.0.1:%d " % self.port), ("{\n\tauto_https", "{\n\tadmin off\n\tauto_https")]
        if "fail-open" in self.options:
            changes.append(("127.0.0.1:8079", "127.0.0.1:%d" % free_port()))
        return ["caddy", "run", "--adapter", "caddyfile", "--config",
                self.write("Caddyfile", self.snippet("caddy/Caddyfile", changes))]


class Traefik(Proxy):
    """Its program is built from its Go module by who wants to see it: IPTRUST_TRAEFIK names it."""
    program = os.environ.get("IPTRUST_TRAEFIK")
    closed_status = 500

    def prepare(self):
        dynamic = self.write("iptrust.yaml", self.snippet("traefik/iptrust.yaml", [
            ("127.0.0.1:8080", self.trust.listen), ("127.0.0.1:3000", "127.0.0.1:%d" % self.application.port)]))
        with open(os.path.join(DEPLOY, "traefik", "traefik.yaml")) as f:
            static = put(f.read(), [('":80"', '"127.0.0.1:%d"' % self.port), ("/etc/traefik/iptrust.yaml", dynamic)])
        static += "global: {checkNewVersion: false, sendAnonymousUsage: false}\n"
        return [self.program, "--configFile=" + self.write("traefik.yaml", static)]

    def wait(self, seconds=30):
        """Its port is open before it knows its routes."""
        super().wait(seconds)
        end = time.monotonic() + seconds
        while ask(self.port).status == 404 and time.monotonic() < end:
            time.sleep(0.1)


class EnvoyHttp(Proxy):
    closed_status = 403

    def choose(self, text, option):
        if option == "fail-open":
            return put(text, [("failure_mode_allow: false", "failure_mode_allow: true")])
        if option == "prefix":
            return put(text, [("path_override: ", "path_prefix: ")])
        assert option == "rewrite"
        return text

    def prepare(self):
        config = self.write("envoy.yaml", self.snippet("envoy/envoy-http.yaml", [
            ("0.5s", "10s"), ("port_value: 8080", "port_value: %d" % self.trust.port), ("address: 0.0.0.0", "address: 127.0.0.1"),
            ("port_value: 80}", "port_value: %d}" % self.port), ("port_value: 3000", "port_value: %d" % self.application.port)]))
        tools = subprocess.run([os.path.join(ROOT, ".ci", "peers")], stdout=subprocess.PIPE, check=True, text=True).stdout
        return [os.path.join(tools.strip(), "envoy"), "-c", config, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"]
