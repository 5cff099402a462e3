"""gRPC's official interop client against grpc.testing.TestService on the transport of nghttp2 (tests/interop/test_service.c): calls
of every shape, statuses, metadata, deadlines and cancels that our own services have no use for. Over plain text and TLS."""
import os
import subprocess
import tempfile
import unittest

from grpc_peers import CLIENTS

SERVER = os.environ["TEST_SERVICE"]
CONFIG = "grpc: {listen: 127.0.0.1:0%s}\npolicies: {default: {}}\n"
NAME = "interop.example.org"

CASES = ["empty_unary", "large_unary", "pick_first_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
         "status_code_and_message", "special_status_message", "custom_metadata", "timeout_on_sleeping_server",
         "cancel_after_begin", "cancel_after_first_response", "unimplemented_method", "unimplemented_service",
         "rpc_soak", "channel_soak"]
# What the client has besides is about credentials of one cloud, and load reports that no server has to send (orca_*).


def openssl(*args):
    subprocess.run(("openssl", *args), check=True, capture_output=True, timeout=60)


class Server:
    """The test service, ended by the end of its standard input."""

    def __init__(self, directory, tls):
        path = os.path.join(directory, "config.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIG % tls)
        self.process = subprocess.Popen([SERVER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.host, _, self.port = self.process.stdout.readline().decode().strip().rpartition(":")

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        return status


class Interop(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="ipt-interop-")
        self.addCleanup(scratch.cleanup)
        self.dir = scratch.name

    def run_all(self, tls="", *args):
        server = Server(self.dir, tls)
        try:
            for case in CASES:
                with self.subTest(case=case):
                    done = subprocess.run([CLIENTS / "bin" / "interop", "--server_host=" + server.host, "--server_port=" + server.port,
                                           "--test_case=" + case, *args], capture_output=True, text=True, timeout=60, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        finally:
            status = server.stop()
        self.assertEqual(status, 0)

    def test_every_case_over_plain_text(self):
        self.run_all()

    def test_every_case_over_tls(self):
        cert, key = os.path.join(self.dir, "cert.pem"), os.path.join(self.dir, "key.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                "-subj", "/CN=interop", "-days", "2", "-addext", "subjectAltName=DNS:" + NAME)
        self.run_all(", tls: {cert: %s, key: %s}" % (cert, key), "--use_tls", "--use_test_ca", "--ca_file=" + cert,
                     "--server_host_override=" + NAME)

    def test_the_client_would_see_it(self):
        """A case of a service that is not there is told as a failure: what is green above was looked at."""
        server = Server(self.dir, "")
        try:
            done = subprocess.run([CLIENTS / "bin" / "interop", "--server_host=" + server.host, "--server_port=" + server.port,
                                   "--test_case=orca_per_rpc"], capture_output=True, text=True, timeout=60, check=False)
        finally:
            self.assertEqual(server.stop(), 0)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
