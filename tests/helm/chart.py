"""The chart as helm renders it, for the tests of this folder; and its rendered pods as processes of this machine."""
import copy
import functools
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHART = ROOT / "helm" / "iptrustd"
sys.path.insert(0, str(ROOT / "tests" / "system"))
IPTRUSTD = os.path.abspath(os.environ.get("IPTRUSTD", ROOT / "build/release/iptrustd"))
IPTRUST = os.path.abspath(os.environ.get("IPTRUST", ROOT / "build/release/iptrust"))

LISTS = {"lb": {"prefixes": ["10.0.12.0/24"], "internal": True},
         "cloudflare": {"provider": "cloudflare", "exclusive": True, "soft_age": "30d"}}
POLICIES = {"default": {"trust": ["lb", "cloudflare"], "read": ["x-forwarded-for"]}}
CONFIG = {"callers": ["10.244.0.0/16"], "lists": LISTS, "policies": POLICIES}
CENTRAL = {"url": "https://iptrustd.edge.svc:8080/v1/central", "ca": "/run/secrets/iptrustd/central/ca.crt",
           "public_keys": ["MCowBQYDK2VwAyEACpo/ugQLRHo3vjdBDBgy1ATek1XmfWgjSSSmIOKdwcY="]}
MONITORING = {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}

# Every mode, as it stands and with everything that it can have.
MODES = {
    "deployment": {"config": CONFIG},
    "deployment, everything": {
        "config": {**CONFIG, "auth": {"token_file": "/run/secrets/iptrustd/proxies/token"}, "limits": {"connections": 512, "per_address": 64},
                   "decision_log": {"sample": 0.01}, "log": {"level": "warning"}, "nat64": ["64:ff9b:1::/96"]},
        "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": ["pull"]}, "refresh": False,
        "tls": {"enabled": True, "client": {"sans": ["spiffe://example.org/edge"]},
                "certManager": {"enabled": True, "issuerRef": {"name": "internal", "kind": "ClusterIssuer"}}},
        "secretMounts": [{"name": "proxies", "secretName": "proxies"}],
        "state": {"type": "ephemeral", "storageClassName": "fast"}, "geo": {"enabled": True, "secretName": "maxmind"},
        "monitoring": MONITORING, "podAnnotations": {"a": "b"}, "podLabels": {"team": "edge"}, "commonLabels": {"org": "example"},
        "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}}, "priorityClassName": "system-cluster-critical",
        "networkPolicy": {"callers": [{"namespaceSelector": {"matchLabels": {"edge": "yes"}}}], "metrics": [{"namespaceSelector": {}}],
                          "egressCIDRs": ["192.0.2.0/24"], "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}]}},
    "deployment, one with a volume": {"config": CONFIG, "state": {"type": "persistentVolumeClaim"}, "replicas": 1, "autoscaling": {"enabled": False}},
    "deployment, serving sidecars": {"config": CONFIG, "serveCentral": {"enabled": True, "secretName": "signing"}, "replicas": 1,
                                     "autoscaling": {"enabled": False}, "state": {"type": "persistentVolumeClaim"}, "refresh": False,
                                     "tls": {"enabled": True, "listeners": ["http"], "client": {"required": False}}},
    "daemonset, port": {"mode": "daemonset", "config": CONFIG, "monitoring": MONITORING},
    "daemonset, socket": {"mode": "daemonset", "config": CONFIG, "daemonset": {"expose": "socket", "tolerations": [{"operator": "Exists"}]},
                          "state": {"type": "hostPath"}},
    "sidecar": {"mode": "sidecar", "central": CENTRAL, "config": {"policies": {}}, "sidecar": {"containers": ["app"]}, "monitoring": MONITORING,
                "secretMounts": [{"name": "central", "secretName": "central-ca"}]},
}
WORKLOADS = ("Deployment", "DaemonSet")


@functools.lru_cache(None)
def tools():
    return pathlib.Path(subprocess.run([ROOT / ".ci" / "helm"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip())


def program(*command, text=None):
    with tempfile.TemporaryDirectory(prefix="ipt-helm-") as home:  # neither plugins nor repositories of whoever runs this
        env = {"PATH": os.environ["PATH"], "HOME": home}
        return subprocess.run([str(c) for c in command], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=env, timeout=120)


def helm(*args, values=None, helm="helm"):
    """Runs it with these values; they are JSON on standard input."""
    more = ["--values", "-"] if values is not None else []
    return program(tools() / helm, *args, *more, text=json.dumps(values or {}))


@functools.lru_cache(None)
def _render(values, helm_name, name, namespace, chart):
    done = helm("template", name, chart, "--namespace", namespace, values=json.loads(values), helm=helm_name)
    assert done.returncode == 0, done.stderr
    return [d for d in yaml.safe_load_all(done.stdout) if d]


def render(values, helm="helm", name="demo", namespace="edge", chart=CHART):
    return copy.deepcopy(_render(json.dumps(values, sort_keys=True), helm, name, namespace, str(chart)))


def refusal(values, name="demo"):
    """What helm says against these values; fails when it says nothing."""
    done = helm("template", name, CHART, values=values)
    assert done.returncode != 0, "taken: %s" % values
    return done.stderr


def find(documents, kind, name=None):
    found = [d for d in documents if d["kind"] == kind and (name is None or d["metadata"]["name"] == name)]
    assert len(found) == 1, (kind, name, [(d["kind"], d["metadata"]["name"]) for d in documents])
    return found[0]


def pod_specs(documents):
    """What is told to run, by its name: workloads, the test's pod, an application with the sidecar's patch."""
    for d in documents:
        where = "%s/%s" % (d["kind"], d["metadata"]["name"])
        if d["kind"] in WORKLOADS:
            yield where, d["spec"]["template"]["spec"]
        elif d["kind"] == "Pod":
            yield where, d["spec"]
        elif d["kind"] == "ConfigMap" and "patch.yaml" in d["data"]:
            yield where, patched(d)["spec"]["template"]["spec"]


APPLICATION = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": {
    "selector": {"matchLabels": {"app": "app"}}, "template": {"metadata": {"labels": {"app": "app"}}, "spec": {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [{"name": "migrate", "image": "app:1",
                            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}],
        "containers": [{"name": "app", "image": "app:1", "ports": [{"name": "health", "containerPort": 8000}],
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}]}}}}


def patched(configmap):
    """The application with the snippet put in by kubectl, as NOTES say."""
    with tempfile.TemporaryDirectory(prefix="ipt-helm-") as folder:
        application, patch = os.path.join(folder, "app.json"), os.path.join(folder, "patch.yaml")
        with open(application, "w") as f:
            json.dump(APPLICATION, f)
        with open(patch, "w") as f:
            f.write(configmap["data"]["patch.yaml"])
        done = program(tools() / "kubectl", "patch", "--local", "-f", application, "--patch-file", patch, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def container_of(spec, name="iptrustd"):
    return next(c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Pod:
    """The rendered container on this machine: each mount a folder, the ConfigMap laid out as the kubelet does, each port one
    of loopback. Nothing else of the command line, the environment and the configuration is changed. files: contents of
    Secrets by the path of the mount."""

    def __init__(self, documents, files=None, env=None, ports=None):
        where, spec = next((w, s) for w, s in pod_specs(documents) if "iptrustd" in [c["name"] for c in s.get("initContainers", []) + s["containers"]])
        self.container = container_of(spec)
        self.map = next(d for d in documents if d["kind"] == "ConfigMap" and "start.yaml" in d["data"])
        self.dir = tempfile.mkdtemp(prefix="ipt-helm-")
        self.mounts = {}
        for mount in self.container["volumeMounts"]:
            folder = os.path.join(self.dir, mount["mountPath"].strip("/").replace("/", "-"))
            os.makedirs(folder)
            self.mounts[mount["mountPath"]] = folder
        self.ports = dict(ports or {})
        for path, text in (files or {}).items():
            with open(os.path.join(self.mounts[os.path.dirname(path)], os.path.basename(path)), "w") as f:
                f.write(text)
            os.chmod(f.name, 0o640)
        self.version = 0
        self.configuration = self.mounts["/etc/iptrustd"]
        self.lay(self.map["data"])
        self.command = [self.here(c) for c in self.container["command"] + self.container["args"]]
        self.command[0] = {"iptrustd": IPTRUSTD}[self.command[0]]
        self.env = {"PATH": os.environ["PATH"], **{e["name"]: e["value"] for e in self.container.get("env", [])}, **(env or {})}
        self.process = None

    def here(self, text):
        """Paths and addresses of the pod as they are on this machine."""
        for path in sorted(self.mounts, key=len, reverse=True):
            text = text.replace(path, self.mounts[path]) if text.startswith(path) else text
            text = text.replace(":" + path, ":" + self.mounts[path])
        if text.startswith("0.0.0.0:"):
            text = "127.0.0.1:%d" % self.ports.setdefault(text[8:], free_port())
        return text

    def translate(self, value):
        if isinstance(value, dict):
            return {k: self.translate(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.translate(v) for v in value]
        if not isinstance(value, str):
            return value
        there = self.here(value)
        assert there != value or not value.startswith(("/", "unix:", "0.0.0.0:")), value + " lies in no mount"
        return there

    def lay(self, data):
        """As the kubelet: the files in a folder of their own, and ..data a link that is swapped."""
        self.version += 1
        folder = os.path.join(self.configuration, "..%d" % self.version)
        os.makedirs(folder)
        for name, text in data.items():
            with open(os.path.join(folder, name), "w") as f:
                yaml.safe_dump(self.translate(yaml.safe_load(text)), f, sort_keys=False)
            link = os.path.join(self.configuration, name)
            if not os.path.lexists(link):
                os.symlink(os.path.join("..data", name), link)
        fresh = os.path.join(self.configuration, "..data_tmp")
        os.symlink(os.path.basename(folder), fresh)
        os.rename(fresh, os.path.join(self.configuration, "..data"))

    def check(self):
        """Both programs' opinion of the configuration."""
        a = subprocess.run(self.command + ["--check-config"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        b = subprocess.run([IPTRUST, "check-config", "--config", self.configuration], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, timeout=60)
        return a.returncode, b.returncode, a.stdout + b.stdout

    def start(self):
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = subprocess.Popen(self.command, env=self.env, stdout=self.log, stderr=self.log)
        probe = self.container["startupProbe"]
        end = time.monotonic() + probe["periodSeconds"] * probe["failureThreshold"]
        while True:
            try:
                if self.probe("startupProbe") == 200:
                    return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop(None)
                raise AssertionError("the startup probe failed:\n" + self.text)
            time.sleep(0.05)

    def probe(self, name):
        """The status that this probe of the container gets."""
        get = self.container[name]["httpGet"]
        port = next(p["containerPort"] for p in self.container["ports"] if p["name"] == get["port"])
        return self.ask("GET", get["path"], port=port)[0]

    def ask(self, method, path, body=None, port=None, unix=None):
        connection = UnixConnection(unix) if unix else http.client.HTTPConnection("127.0.0.1", self.ports[str(port)], timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def stop(self, expected=0):
        if self.process is not None:
            end = time.monotonic() + 30
            while self.process.poll() is None and time.monotonic() < end:  # asked twice: at once
                self.process.terminate()
                time.sleep(0.05)
            if self.process.poll() is None:
                self.process.kill()
            code = self.process.wait()
            self.log.seek(0)
            self.text = self.log.read()
            self.log.close()
            self.process = None
            assert expected is None or code == expected, "ended with %s:\n%s" % (code, self.text)
        shutil.rmtree(self.dir, ignore_errors=True)


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    return what()
