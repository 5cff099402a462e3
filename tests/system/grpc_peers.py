"""What the gRPC system tests share: the clients that tests/system/grpc/install has put there, TrustService's messages, a
certificate authority for the length of a test, and the ways to reach a daemon."""
import os
import pathlib
import subprocess
import sys
import tempfile

import grpc

HERE = pathlib.Path(__file__).resolve().parent
PROTOS = HERE.parents[1] / "proto"
CLIENTS = pathlib.Path(os.environ.get("IPTRUST_CLIENTS", HERE.parents[1] / "build" / "clients"))

sys.path.append(str(PROTOS))
PB = grpc.protos("iptrust/v1/iptrust.proto")
TRUST = "/iptrust.v1.TrustService/"


class Authority:
    """A CA, a server's certificate for localhost and 127.0.0.1, and a caller's with a name of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="ipt-ca-")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                      "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
        self.make("server", "DNS:localhost,IP:127.0.0.1")
        self.make("caller", "URI:spiffe://example.org/gateway")
        self.make("stranger", "URI:spiffe://example.org/stranger")

    def make(self, name, san):
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
                      name + ".key", "-out", name + ".csr")
        (pathlib.Path(self.directory.name) / "ext").write_text("subjectAltName=" + san + "\n")
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                      "-extfile", "ext", "-out", name + ".pem")

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.directory.name, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def close(self):
        self.directory.cleanup()

    def file(self, name):
        return os.path.join(self.directory.name, name)

    def read(self, name):
        return pathlib.Path(self.file(name)).read_bytes()


class Way:
    """How a client reaches the daemon: plain text over TCP or a Unix socket, TLS, or mutual TLS as `caller`."""

    def __init__(self, kind, authority=None, caller="caller"):
        self.kind, self.authority, self.caller = kind, authority, caller

    def listen(self):
        """The value of `grpc` in the configuration."""
        if self.kind == "unix":
            return '{listen: "unix:%(dir)s/grpc.sock"}'
        if self.kind == "tcp":
            return "{listen: 127.0.0.1:0}"
        a = self.authority
        ask = ", client_ca: %s, client_sans: [\"spiffe://example.org/gateway\"]" % a.file("ca.pem") if self.kind == "mtls" else ""
        return "{listen: 127.0.0.1:0, tls: {cert: %s, key: %s%s}}" % (a.file("server.pem"), a.file("server.key"), ask)

    def channel(self, address, options=()):
        if self.kind in ("tcp", "unix"):
            return grpc.insecure_channel(address, options)
        a, pair = self.authority, (None, None)
        if self.kind == "mtls":
            pair = (a.read(self.caller + ".key"), a.read(self.caller + ".pem"))
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(a.read("ca.pem"), *pair), options)

    def flags(self):
        """For grpcurl and the Go and Node programs, which take the same ones."""
        if self.kind in ("tcp", "unix"):
            return []
        flags = ["-cacert", self.authority.file("ca.pem")]
        if self.kind == "mtls":
            flags += ["-cert", self.authority.file(self.caller + ".pem"), "-key", self.authority.file(self.caller + ".key")]
        return flags


class Stub:
    """TrustService over one channel."""

    def __init__(self, channel):
        self.channel = channel
        self.resolve = self.unary("Resolve")
        self.batch = self.unary("ResolveBatch")
        self.lookup = self.unary("LookupAddress")
        self.status = self.unary("GetStatus")
        self.stream = channel.stream_stream(TRUST + "ResolveStream", PB.ResolveStreamRequest.SerializeToString,
                                            PB.ResolveStreamResponse.FromString)

    def unary(self, name):
        return self.channel.unary_unary(TRUST + name, getattr(PB, name + "Request").SerializeToString,
                                        getattr(PB, name + "Response").FromString)


def request(peer="10.0.12.1", **more):
    to = PB.Request(peer=peer, **more)
    if not to.headers:
        to.headers.add(name="X-Forwarded-For", value=b"8.8.8.8")
    return to
