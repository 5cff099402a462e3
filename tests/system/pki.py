"""Certificates for the length of a test, made by the openssl command."""
import os
import shutil
import subprocess
import tempfile


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, **more)


class Pki:
    """Two authorities, `ca` and `other`, and what they sign, as files."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ipt-pki-")
        for name in "ca", "other":
            self.openssl("req", "-x509", *self.key(name), "-out", self.path(name + ".pem"), "-subj", "/CN=" + name, "-days", "2")

    def path(self, name):
        return os.path.join(self.dir, name)

    def openssl(self, *args):
        done = run("openssl", *args)
        assert done.returncode == 0, done.stdout.decode()

    def key(self, name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path(name + ".key")]

    def sign(self, name, ca="ca", san=None, usage="clientAuth,serverAuth", subject=None, past=False):
        request, extra = self.path(name + ".csr"), self.path(name + ".ext")
        self.openssl("req", *self.key(name), "-out", request, "-subj", subject or "/CN=" + name)
        with open(extra, "w") as f:
            f.write("extendedKeyUsage=%s\n" % usage + ("subjectAltName=%s\n" % san if san else ""))
        if past:  # openssl x509 knows no begin in the past, openssl ca does
            base = self.path("db")
            os.makedirs(base, exist_ok=True)
            open(base + "/index.txt", "w").close()
            with open(base + "/ca.cnf", "w") as f:
                f.write("[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index.txt\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                        "policy=p\n[p]\ncommonName=supplied\n" % (base, base))
            self.openssl("ca", "-batch", "-notext", "-config", base + "/ca.cnf", "-cert", self.path(ca + ".pem"), "-keyfile",
                         self.path(ca + ".key"), "-in", request, "-out", self.path(name + ".pem"), "-extfile", extra,
                         "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
            return
        self.openssl("x509", "-req", "-in", request, "-CA", self.path(ca + ".pem"), "-CAkey", self.path(ca + ".key"),
                     "-CAcreateserial", "-out", self.path(name + ".pem"), "-days", "1", "-extfile", extra)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)
