"""grpc-netty, the gRPC of Java, against the daemon, over plain text, TLS and mutual TLS. A Java and its Maven are some hundred
packages, so .ci/long alone runs it: IPTRUST_JAVA=on, and otherwise it says so."""
import os
import subprocess
import sys
import unittest

from grpc_peers import CLIENTS, HERE, Authority, Way
from rest_daemon import CONFIG, Daemon

JAVA, JARS = HERE / "grpc" / "java", CLIENTS / "jars"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
TOLD = {"health": "SERVING", "watch": "SERVING", "services": "5", "stream": "2000", "missing": "INVALID_ARGUMENT",
        "unknown": "UNIMPLEMENTED", "gzip": "UNIMPLEMENTED", "large": "RESOURCE_EXHAUSTED"}


class Java(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["mvn", "-q", "-B", "-f", JAVA / "pom.xml", COPY, "-DoutputDirectory=%s" % JARS], check=True, timeout=600)
        cls.authority = Authority()

    @classmethod
    def tearDownClass(cls):
        cls.authority.close()

    def test_it_gets_what_others_get(self):
        for kind in ("tcp", "tls", "mtls"):
            with self.subTest(kind=kind):
                way = Way(kind, self.authority)
                d = Daemon(CONFIG.replace("grpc: {listen: 127.0.0.1:0}", "grpc: " + way.listen()))
                try:
                    done = subprocess.run(["java", "-cp", str(JARS / "*"), JAVA / "Client.java", *way.flags(), d.addresses["grpc"]],
                                          capture_output=True, text=True, timeout=300, check=False)
                finally:
                    d.stop()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(dict(line.split() for line in done.stdout.splitlines()), TOLD)


if __name__ == "__main__":
    if os.environ.get("IPTRUST_JAVA") != "on":
        print("skipped: grpc-netty is run by .ci/long (IPTRUST_JAVA=on)")
        sys.exit(77)
    unittest.main()
