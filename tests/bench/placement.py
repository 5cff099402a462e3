#!/usr/bin/env python3
"""What a sidecar and a central service cost, side by side in one run: the same daemon asked over a Unix socket, over TCP, over
TCP with mutual TLS, on a kept and on a new connection; memory and processor of one at rest. Prints a table of ratios for docs/KUBERNETES.md.

    python3 tests/bench/placement.py [iptrustd]      (PLACEMENT_REQUESTS=5000)
"""
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

REQUESTS = int(os.environ.get("PLACEMENT_REQUESTS", "5000"))
BINARY = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release/iptrustd")
BODY = b'{"peer":"10.0.12.1","headers":[["X-Forwarded-For","6.6.6.6, 8.8.8.8"]]}'
CONFIG = """
http: {listen: "%(listen)s"%(tls)s}
grpc: {listen: "unix:%(dir)s/%(name)s-grpc.sock"}
health: {listen: "unix:%(dir)s/%(name)s-health.sock"}
admin: {listen: "unix:%(dir)s/%(name)s-admin.sock"}
drain: {delay: 0s, timeout: 1s}
lists: {lb: {prefixes: [10.0.12.0/24], internal: true}}
policies: {default: {trust: [lb]}}
"""
ROUNDS = 5


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, folder, name, listen, tls=""):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w") as f:
            f.write(CONFIG % {"listen": listen, "tls": tls, "dir": folder, "name": name})
        self.log = open(os.path.join(folder, name + ".log"), "w")
        self.process = subprocess.Popen([BINARY, "--config", path], stderr=self.log, env={**os.environ, "IPTRUST_REFRESH": "off"})
        end = time.monotonic() + 20
        while not os.path.exists(os.path.join(folder, name + "-admin.sock")) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)

    def memory(self):
        """Resident, and what it does not share with other processes of the same image, in KiB."""
        with open("/proc/%d/smaps_rollup" % self.process.pid) as f:
            values = {l.split(":")[0]: int(l.split()[1]) for l in f if l.split(":")[0] in ("Rss", "Private_Clean", "Private_Dirty")}
        return values["Rss"], values["Private_Dirty"]

    def processor(self, seconds):
        def used():
            with open("/proc/%d/stat" % self.process.pid) as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before = used()
        time.sleep(seconds)
        return (used() - before) / seconds

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


def ask(connection):
    connection.request("POST", "/v1/resolve", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200 and b'"client_ip":"8.8.8.8"' in body, (answer.status, body)


def times(make, requests, fresh=False):
    """The median of one request, in seconds."""
    taken = []
    connection = None
    for _ in range(requests):
        begin = time.perf_counter()
        if connection is None or fresh:
            if connection is not None:
                connection.close()
            if not fresh:
                connection = make()
                ask(connection)  # the connection is not what is measured
                begin = time.perf_counter()
            else:
                connection = make()
        ask(connection)
        taken.append(time.perf_counter() - begin)
    connection.close()
    taken.sort()
    return taken[len(taken) // 2]


def certificates(folder):
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
    for name in ("server", "client"):
        with open(os.path.join(folder, name + ".ext"), "w") as f:
            f.write("subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth,serverAuth\n")
        openssl("req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".pem", "-days", "2", "-extfile", name + ".ext")
    os.chmod(os.path.join(folder, "server.key"), 0o600)


def main():
    folder = tempfile.mkdtemp(prefix="ipt-place-")
    daemons = []
    try:
        certificates(folder)
        plain, secure = free_port(), free_port()
        sidecar = Daemon(folder, "sidecar", "unix:%s/http.sock" % folder)
        daemons.append(sidecar)
        central = Daemon(folder, "central", "127.0.0.1:%d" % plain)
        daemons.append(central)
        mutual = Daemon(folder, "mutual", "127.0.0.1:%d" % secure,
                        ", tls: {cert: %s/server.pem, key: %s/server.key, client_ca: %s/ca.pem}" % (folder, folder, folder))
        daemons.append(mutual)
        context = ssl.create_default_context(cafile=folder + "/ca.pem")
        context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
        ways = (("Unix socket of the pod (sidecar)", lambda: Unix(folder + "/http.sock"), False),
                ("TCP, connection kept (node-local, central)", lambda: http.client.HTTPConnection("127.0.0.1", plain, timeout=10), False),
                ("TCP, mutual TLS, connection kept", lambda: http.client.HTTPSConnection("localhost", secure, context=context, timeout=10), False),
                ("TCP, a connection each", lambda: http.client.HTTPConnection("127.0.0.1", plain, timeout=10), True),
                ("TCP, mutual TLS, a connection each", lambda: http.client.HTTPSConnection("localhost", secure, context=context, timeout=10), True))
        results = {name: [] for name, _, _ in ways}
        for _ in range(ROUNDS):  # one after the other in turn, so that what else the machine does meets all of them
            for name, make, fresh in ways:
                results[name].append(times(make, max(REQUESTS // (50 if fresh else 5), 20), fresh))
        middle = {n: sorted(r)[ROUNDS // 2] for n, r in results.items()}
        one = middle[ways[0][0]]
        print("| Way to iptrustd | time of a request |\n|---|---|")
        for name, _, _ in ways:
            print("| %s | %.1f |" % (name, middle[name] / one))
        print("\nMedians as multiples of the first, %d rounds, client and daemon on one machine." % ROUNDS)
        idle = [d.processor(5) for d in daemons[:1]][0]
        rss, own = sidecar.memory()
        print("A sidecar at rest: %.1f MB resident, of which %.1f MB are its own and the rest pages of programs and libraries that "
              "pods of one image on one node share; %.2f %% of a core." % (rss / 1024, own / 1024, 100 * idle))
    finally:
        for d in daemons:
            d.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
