"""What the chart renders: whole and valid in every mode, for Helm 3 and 4 and the three newest minors of Kubernetes that
kubernetes-validate knows; what each value changes; what is refused."""
import functools
import json
import pathlib
import re
import shutil
import tempfile
import unittest

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
import yaml

from chart import APPLICATION, CHART, CONFIG, HERE, LISTS, MODES, WORKLOADS, container_of, find, helm, patched, pod_specs, refusal, render

MINORS = list(dict.fromkeys(kubernetes_validate.utils.all_versions()))[-3:]
# One schema is read some hundred times.
kubernetes_validate.utils.schema_contents = functools.lru_cache(None)(kubernetes_validate.utils.schema_contents)
CUSTOM = {(s["properties"]["apiVersion"]["const"], s["properties"]["kind"]["const"]): s
          for s in (json.loads(p.read_text()) for p in sorted((HERE / "schemas").glob("*.json")))}


def start(documents):
    return yaml.safe_load(next(d for d in documents if d["kind"] == "ConfigMap" and "start.yaml" in d["data"])["data"]["start.yaml"])


def live(documents):
    return yaml.safe_load(next(d for d in documents if d["kind"] == "ConfigMap" and "live.yaml" in d["data"])["data"]["live.yaml"])


def workload(documents):
    return next(d for d in documents if d["kind"] in WORKLOADS)


def pod(documents):
    return workload(documents)["spec"]["template"]["spec"]


def validate(document, minor):
    """Against Kubernetes' own schema, strictly, or ours for resources of others. One of the two there must be."""
    schema = CUSTOM.get((document["apiVersion"], document["kind"]))
    if schema is not None:
        jsonschema.Draft202012Validator(schema).validate(document)
    else:
        kubernetes_validate.validate(document, minor, strict=True)


def restricted(spec):
    """What Pod Security `restricted` has against a pod (its published rules)."""
    found = []
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name"}
    found += ["volume " + v["name"] for v in spec.get("volumes", []) if set(v) - allowed]
    found += [k for k in ("hostNetwork", "hostPID", "hostIPC") if spec.get(k)]
    context = spec.get("securityContext", {})
    for c in spec.get("initContainers", []) + spec["containers"]:
        own = c.get("securityContext", {})
        capabilities = own.get("capabilities", {})
        wrong = {
            "escalation": own.get("allowPrivilegeEscalation") is not False,
            "privileged": own.get("privileged", False),
            "root": not own.get("runAsNonRoot", context.get("runAsNonRoot", False)),
            "user 0": own.get("runAsUser", context.get("runAsUser")) == 0,
            "seccomp": own.get("seccompProfile", context.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"),
            "capabilities": "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"},
            "hostPort": any(p.get("hostPort") for p in c.get("ports", [])),
        }
        found += ["%s of %s" % (what, c["name"]) for what, is_so in wrong.items() if is_so]
    return found


class Whole(unittest.TestCase):
    def test_lint_has_nothing_to_say(self):
        for name in ("helm", "helm3"):
            for mode, values in MODES.items():
                with self.subTest(mode, helm=name):
                    done = helm("lint", CHART, "--strict", values=values, helm=name)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertNotRegex(done.stdout, r"\[(WARNING|ERROR)\]")

    def test_every_resource_of_every_mode_is_valid(self):
        self.assertEqual(len(MINORS), 3)
        counts = {}
        for mode, values in MODES.items():
            documents = render(values)
            documents += [patched(d) for d in documents if "patch.yaml" in d.get("data", {})]
            for document in documents:
                for minor in MINORS:
                    with self.subTest(mode, kind=document["kind"], minor=minor):
                        validate(document, minor)
                        counts[document["kind"]] = counts.get(document["kind"], 0) + 1
        print("validated for %s: %s" % (", ".join(MINORS), counts))
        self.assertLessEqual({k for _, k in CUSTOM} - {"SecurityPolicy"}, set(counts))  # no schema of ours is idle

    def test_the_validation_sees_what_is_wrong(self):
        documents = render(MODES["deployment, everything"])
        rows = (("Deployment", ("spec", "strategi"), {}), ("Service", ("spec", "ports"), "8080"), ("Certificate", ("spec", "secret"), "x"),
                ("ServiceMonitor", ("spec", "endpoint"), []), ("PrometheusRule", ("spec", "groups"), {}))
        for kind, path, value in rows:
            with self.subTest(kind):
                document = find(documents, kind)
                document[path[0]][path[1]] = value
                with self.assertRaises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
                    validate(document, MINORS[-1])

    def test_helm_3_renders_the_same(self):
        for mode, values in MODES.items():
            with self.subTest(mode):
                self.assertEqual(render(values), render(values, helm="helm3"))

    def test_names_are_unique_and_carry_the_release(self):
        for mode, values in MODES.items():
            documents = render(values)
            names = [(d["kind"], d["metadata"]["name"]) for d in documents]
            with self.subTest(mode):
                self.assertEqual(len(names), len(set(names)))
                for _, name in names:
                    self.assertTrue(name.startswith("demo-iptrustd"), name)
                for d in documents:
                    self.assertNotIn("namespace", d["metadata"])  # that of the release

    def test_pods_keep_to_pod_security_restricted(self):
        allowed = {"daemonset, socket": {"volume iptrustd-sockets", "volume iptrustd-state", "root of prepare", "user 0 of prepare", "capabilities of prepare"}}
        for mode, values in MODES.items():
            seen = 0
            for where, spec in pod_specs(render(values)):
                with self.subTest(mode, pod=where):
                    self.assertEqual(set(restricted(spec)) - allowed.get(mode, set()), set())
                    for c in spec.get("initContainers", []) + spec["containers"]:
                        if c["name"] not in ("app", "migrate"):
                            self.assertTrue(c["securityContext"]["readOnlyRootFilesystem"], c["name"])
                            self.assertIn("memory", c["resources"]["limits"])
                    seen += 1
            self.assertGreater(seen, 0)
        loose = pod(render(MODES["deployment"]))
        del loose["containers"][0]["securityContext"]["capabilities"]
        loose["volumes"].append({"name": "x", "hostPath": {"path": "/"}})
        self.assertEqual(restricted(loose), ["volume x", "capabilities of iptrustd"])

    def test_every_mount_has_its_volume_and_every_probe_its_port(self):
        for mode, values in MODES.items():
            for where, spec in pod_specs(render(values)):
                volumes = {v["name"] for v in spec.get("volumes", [])}
                used = set()
                for c in spec.get("initContainers", []) + spec["containers"]:
                    with self.subTest(mode, pod=where, container=c["name"]):
                        mounted = {m["name"] for m in c.get("volumeMounts", [])}
                        self.assertLessEqual(mounted, volumes)
                        self.assertFalse([m for m in c.get("volumeMounts", []) if "subPath" in m])  # ..data would not be seen
                        used |= mounted
                        ports = {p["name"] for p in c.get("ports", [])}
                        for name in ports:
                            self.assertLessEqual(len(name), 15)
                        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                            self.assertTrue(probe not in c or c[probe]["httpGet"]["port"] in ports)
                self.assertEqual(volumes, used)


class Modes(unittest.TestCase):
    def kinds(self, values):
        return sorted(d["kind"] for d in render(values) if d["kind"] != "Pod")

    def test_what_each_mode_consists_of(self):
        self.assertEqual(self.kinds(MODES["deployment"]), ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy",
                                                           "PodDisruptionBudget", "Service", "ServiceAccount"])
        self.assertEqual(self.kinds(MODES["deployment, everything"]),
                         ["Certificate", "ConfigMap", "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy",
                          "PodDisruptionBudget", "PrometheusRule", "Service", "ServiceAccount", "ServiceMonitor"])
        self.assertEqual(self.kinds(MODES["deployment, one with a volume"]), ["ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim",
                                                                             "PodDisruptionBudget", "Service", "ServiceAccount"])
        self.assertEqual(self.kinds(MODES["daemonset, socket"]), ["ConfigMap", "DaemonSet", "NetworkPolicy", "Service", "ServiceAccount"])
        self.assertEqual(self.kinds(MODES["sidecar"]), ["ConfigMap", "ConfigMap", "ConfigMap", "PodMonitor", "PrometheusRule"])

    def test_one_value_apart(self):
        """The same lists and policies, and the pod's container is the same but for what the mode is."""
        central, beside = (render({"mode": m, "config": {"lists": {"lb": LISTS["lb"]}, "policies": {"default": {"trust": ["lb"]}}}}) for m in ("deployment", "sidecar"))
        self.assertEqual(live(central), live(beside))
        a = container_of(pod(central))
        b = container_of(dict(pod_specs(beside))["ConfigMap/demo-iptrustd-sidecar"])
        for key in ("command", "args", "image", "securityContext"):
            self.assertEqual(a[key], b[key], key)

    def test_a_sidecar_is_a_native_one_with_sockets_in_an_empty_dir(self):
        documents = render(MODES["sidecar"])
        spec = dict(pod_specs(documents))["ConfigMap/demo-iptrustd-sidecar"]
        sidecar = container_of(spec)
        self.assertIn(sidecar, spec["initContainers"])
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertIn("startupProbe", sidecar)  # the application waits for it
        self.assertIn("migrate", [c["name"] for c in spec["initContainers"]])
        volume = next(v for v in spec["volumes"] if v["name"] == "iptrustd-sockets")
        self.assertIn("emptyDir", volume)
        app = container_of(spec, "app")
        self.assertEqual([m["mountPath"] for m in app["volumeMounts"]], ["/run/iptrustd"])
        self.assertEqual(app["ports"], APPLICATION["spec"]["template"]["spec"]["containers"][0]["ports"])
        self.assertEqual([start(documents)[k]["listen"] for k in ("http", "grpc")], ["unix:/run/iptrustd/http.sock", "unix:/run/iptrustd/grpc.sock"])
        self.assertEqual(start(documents)["central"]["url"], MODES["sidecar"]["central"]["url"])
        self.assertNotIn("lists", live(documents))

    def test_a_sidecar_fetches_nothing_itself(self):
        self.assertIn("would be fetched by every pod", refusal({"mode": "sidecar", "config": CONFIG}))
        self.assertIn("`central` says where", refusal({"mode": "sidecar"}))
        self.assertIn("databases belong into a central service", refusal({**MODES["sidecar"], "geo": {"enabled": True, "secretName": "m"}}))

    def test_the_named_templates_serve_a_chart_that_depends_on_this_one(self):
        with tempfile.TemporaryDirectory(prefix="ipt-helm-") as folder:
            parent = pathlib.Path(folder) / "shop"
            (parent / "templates").mkdir(parents=True)
            shutil.copytree(CHART, parent / "charts" / "iptrustd")
            (parent / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {name: iptrustd, version: 0.1.0}\n")
            (parent / "values.yaml").write_text(json.dumps({"iptrustd": MODES["sidecar"]}))
            # The lines that the template's own comment gives.
            text = (CHART / "templates" / "_sidecar.tpl").read_text().split("release:")[1].split("*/")[0]
            text = text.replace("- name: app", "- name: app\n          image: app:1").replace("\n      ", "\n        ").replace("nindent 8", "nindent 10").replace("nindent 12", "nindent 14")
            (parent / "templates" / "app.yaml").write_text(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  selector: {matchLabels: {app: shop}}\n"
                "  template:\n    metadata: {labels: {app: shop}}\n    spec:" + text)
            documents = render({}, chart=parent)
            app = find(documents, "Deployment")
            for minor in MINORS:
                validate(app, minor)
            spec = app["spec"]["template"]["spec"]
            self.assertEqual(spec["initContainers"][0]["restartPolicy"], "Always")
            self.assertEqual({m["name"] for c in spec["initContainers"] for m in c["volumeMounts"]}, {v["name"] for v in spec["volumes"]})
            map_name = next(v for v in spec["volumes"] if v["name"] == "iptrustd-config")["configMap"]["name"]
            find(documents, "ConfigMap", map_name)

    def test_a_daemonset_stays_on_the_node(self):
        documents = render(MODES["daemonset, port"])
        self.assertEqual(find(documents, "Service")["spec"]["internalTrafficPolicy"], "Local")
        documents = render(MODES["daemonset, socket"])
        spec = pod(documents)
        self.assertEqual(next(v for v in spec["volumes"] if v["name"] == "iptrustd-sockets")["hostPath"]["path"], "/run/iptrustd")
        self.assertEqual(spec["initContainers"][0]["args"], ["/prepare/run", "/prepare/state"])
        self.assertEqual(start(documents)["http"], {"listen": "unix:/run/iptrustd/http.sock", "mode": "0660"})
        without = render({**MODES["daemonset, socket"], "daemonset": {"expose": "socket", "prepareImage": ""}})
        self.assertNotIn("initContainers", pod(without))
        self.assertTrue(pod(without)["securityContext"]["runAsNonRoot"])


class Values(unittest.TestCase):
    """One value, what it changes, and that it changes nothing where nobody expects it."""
    BASE = {"config": CONFIG}

    def base(self, **more):
        return render({**self.BASE, **more})

    def test_a_change_of_lists_does_not_roll_the_pods(self):
        other = self.base(config={**CONFIG, "lists": {"lb": {"prefixes": ["10.0.13.0/24"]}}, "policies": {}})
        self.assertEqual(workload(self.base()), workload(other))
        self.assertNotEqual(live(self.base()), live(other))

    def test_what_takes_effect_at_the_start_rolls_them(self):
        key = lambda d: workload(d)["spec"]["template"]["metadata"]["annotations"]["checksum/start"]
        rows = ({"ports": {"http": 8888}}, {"drain": {"delay": 9}}, {"config": {**CONFIG, "limits": {"connections": 9}}}, {"central": {"url": "https://x.example/"}},
                {"tls": {"enabled": True}})
        for row in rows:
            with self.subTest(row):
                self.assertNotEqual(key(self.base()), key(self.base(**row)))

    def test_ports(self):
        documents = self.base(ports={"http": 1111, "grpc": 2222, "health": 3333})
        self.assertEqual({p["name"]: p["containerPort"] for p in container_of(pod(documents))["ports"]}, {"http": 1111, "grpc": 2222, "health": 3333})
        self.assertEqual({p["name"]: p["port"] for p in find(documents, "Service")["spec"]["ports"]}, {"http": 1111, "grpc": 2222, "health": 3333})
        self.assertEqual([start(documents)[k]["listen"] for k in ("http", "grpc", "health")], ["0.0.0.0:1111", "0.0.0.0:2222", "0.0.0.0:3333"])
        allowed = [p["port"] for rule in find(documents, "NetworkPolicy")["spec"]["ingress"] for p in rule["ports"]]
        self.assertEqual(allowed, [1111, 2222, 3333])

    def test_the_drain_fits_into_the_grace_period(self):
        for delay, timeout in ((5, 25), (0, 0), (60, 300)):
            documents = self.base(drain={"delay": delay, "timeout": timeout})
            self.assertGreater(pod(documents)["terminationGracePeriodSeconds"], delay + timeout)
            self.assertEqual(start(documents)["drain"], {"delay": "%ds" % delay, "timeout": "%ds" % timeout})

    def memory(self, **more):
        return int(re.fullmatch(r"(\d+)Mi", container_of(pod(self.base(**more)))["resources"]["limits"]["memory"]).group(1))

    def test_the_memory_limit_is_computed(self):
        plain = self.memory()
        self.assertEqual(plain, 32 + 2 * 4 + 256 + 4 + 256 + 256 + 48)  # the sum in docs/OPERATING.md
        limits = lambda n: {"config": {**CONFIG, "limits": {"connections": n}}}
        rows = (({"sizing": {"cores": 64}}, 120), (limits(16384), 768), (limits(512), -224), ({"sizing": {"batches": False}}, -256), ({"sizing": {"messages": False}}, -256),
                ({"sizing": {"prefixes": 1000000}}, 196), ({"sizing": {"extraMiB": 100}}, 100), ({"refresh": False}, -48),
                ({"geo": {"enabled": True, "secretName": "m", "sizeMiB": 70}}, 140))
        for row, more in rows:
            with self.subTest(row):
                self.assertEqual(self.memory(**row) - plain, more)
        beside = container_of(dict(pod_specs(render(MODES["sidecar"])))["ConfigMap/demo-iptrustd-sidecar"])
        self.assertEqual(beside["resources"]["limits"], {"memory": "%dMi" % (32 + 2 * 4 + 16 + 4 + 256)})  # no batches, no feeds
        stated = self.base(resources={"limits": {"memory": "1Gi"}})
        self.assertEqual(container_of(pod(stated))["resources"], {"limits": {"memory": "1Gi"}})

    def test_autoscaling_or_replicas(self):
        self.assertNotIn("replicas", workload(self.base())["spec"])
        self.assertEqual(find(self.base(autoscaling={"maxReplicas": 5}), "HorizontalPodAutoscaler")["spec"]["maxReplicas"], 5)
        fixed = self.base(autoscaling={"enabled": False}, replicas=3)
        self.assertEqual(workload(fixed)["spec"]["replicas"], 3)
        self.assertFalse([d for d in fixed if d["kind"] == "HorizontalPodAutoscaler"])

    def test_topology_and_disruption(self):
        spread = pod(self.base(topologySpread={"zone": "DoNotSchedule", "hostname": ""}))["topologySpreadConstraints"]
        self.assertEqual([(s["topologyKey"], s["whenUnsatisfiable"]) for s in spread], [("topology.kubernetes.io/zone", "DoNotSchedule")])
        self.assertEqual(find(self.base(podDisruptionBudget={"maxUnavailable": "25%"}), "PodDisruptionBudget")["spec"]["maxUnavailable"], "25%")

    def test_network_policy(self):
        spec = find(self.base(), "NetworkPolicy")["spec"]
        self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
        dns, https = spec["egress"]
        self.assertEqual([(p["protocol"], p["port"]) for p in dns["ports"]], [("UDP", 53), ("TCP", 53)])
        self.assertEqual([p["port"] for p in https["ports"]], [443])
        self.assertEqual([t["ipBlock"]["cidr"] for t in https["to"]], ["0.0.0.0/0", "::/0"])
        self.assertIn("10.0.0.0/8", https["to"][0]["ipBlock"]["except"])
        narrow = find(self.base(networkPolicy={"egressCIDRs": ["192.0.2.0/24"]}), "NetworkPolicy")["spec"]["egress"][1]
        self.assertEqual(narrow["to"], [{"ipBlock": {"cidr": "192.0.2.0/24"}}])
        self.assertEqual(len(find(self.base(networkPolicy={"egressCIDRs": []}), "NetworkPolicy")["spec"]["egress"]), 1)
        callers = [{"podSelector": {"matchLabels": {"app": "envoy"}}}]
        rule = find(self.base(networkPolicy={"callers": callers}), "NetworkPolicy")["spec"]["ingress"][0]
        self.assertEqual(rule["from"], callers + [{"podSelector": {"matchLabels": {"iptrustd/test": "demo-iptrustd"}}}])
        self.assertEqual(find(self.base(networkPolicy={"callers": callers}), "Pod")["metadata"]["labels"], {"iptrustd/test": "demo-iptrustd"})
        self.assertFalse([d for d in self.base(networkPolicy={"enabled": False}) if d["kind"] == "NetworkPolicy"])

    def test_tls_of_a_secret_or_of_cert_manager(self):
        documents = self.base(tls={"enabled": True, "secretName": "mine", "client": {"sans": ["a.example"]}})
        self.assertEqual(start(documents)["grpc"]["tls"], {"cert": "/etc/iptrustd-tls/tls.crt", "key": "/etc/iptrustd-tls/tls.key",
                                                           "client_ca": "/etc/iptrustd-client-ca/ca.crt", "client_sans": ["a.example"]})
        self.assertNotIn("tls", start(documents)["health"])  # the kubelet and Prometheus have no certificate
        self.assertEqual(next(v for v in pod(documents)["volumes"] if v["name"] == "iptrustd-tls")["secret"]["secretName"], "mine")
        one_way = self.base(tls={"enabled": True, "listeners": ["grpc"], "client": {"required": False}})
        self.assertEqual(set(start(one_way)["grpc"]["tls"]), {"cert", "key"})
        self.assertNotIn("tls", start(one_way)["http"])
        signed = self.base(tls={"enabled": True, "certManager": {"enabled": True, "issuerRef": {"name": "ca"}, "dnsNames": ["iptrust.example"]}})
        certificate = find(signed, "Certificate")["spec"]
        self.assertEqual(certificate["secretName"], next(v for v in pod(signed)["volumes"] if v["name"] == "iptrustd-tls")["secret"]["secretName"])
        for name in ("demo-iptrustd.edge.svc.cluster.local", "demo-iptrustd.edge.svc", "iptrust.example"):
            self.assertIn(name, certificate["dnsNames"])

    def test_geo(self):
        documents = self.base(geo={"enabled": True, "secretName": "maxmind", "editions": ["GeoLite2-ASN"]})
        self.assertEqual(live(documents)["geo"], {"files": ["/usr/share/GeoIP/GeoLite2-ASN.mmdb"]})
        sidecar = container_of(pod(documents), "geoipupdate")
        self.assertEqual({e["name"]: e.get("value") for e in sidecar["env"]}["GEOIPUPDATE_EDITION_IDS"], "GeoLite2-ASN")
        self.assertEqual({m["mountPath"] for m in sidecar["volumeMounts"]}, {"/usr/share/GeoIP"})

    def test_the_pod_of_databases_without_the_chart(self):
        """deploy/geoipupdate/sidecar.yaml, with the one thing put in that it leaves to its reader."""
        part = yaml.safe_load((CHART.parents[1] / "deploy" / "geoipupdate" / "sidecar.yaml").read_text())
        container_of(part["spec"])["image"] = "iptrustd:1"
        for minor in MINORS:
            validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, **part}, minor)
        ours = container_of(part["spec"], "geoipupdate")
        theirs = container_of(pod(self.base(geo={"enabled": True, "secretName": "maxmind"})), "geoipupdate")
        self.assertEqual(ours["image"], theirs["image"])
        env = {e["name"]: e for e in theirs["env"]}
        self.assertEqual([e for e in ours["env"] if env.get(e["name"]) != e], [])
        for c in part["spec"]["containers"]:
            self.assertEqual([m["mountPath"] for m in c["volumeMounts"]], ["/usr/share/GeoIP"])
            self.assertLessEqual({m["name"] for m in c["volumeMounts"]}, {v["name"] for v in part["spec"]["volumes"]})

    def test_image(self):
        self.assertEqual(container_of(pod(self.base()))["image"], "iptrustd:" + yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"])
        self.assertEqual(container_of(pod(self.base(image={"tag": "1.2.3"})))["image"], "iptrustd:1.2.3")
        self.assertEqual(container_of(pod(self.base(image={"digest": "sha256:" + "a" * 64, "tag": "x"})))["image"], "iptrustd@sha256:" + "a" * 64)

    def test_names_of_releases(self):
        rows = (("demo", "demo-iptrustd"), ("iptrustd", "iptrustd"), ("my-iptrustd-2", "my-iptrustd-2"), ("a" * 53, ("a" * 50)))
        for release, expected in rows:
            self.assertEqual(workload(render(self.BASE, name=release))["metadata"]["name"], expected)

    def test_the_versions_are_the_programs(self):
        with open(CHART.parents[1] / "CMakeLists.txt") as f:
            version = re.search(r"project\([^)]*VERSION\s+([0-9.]+)", f.read()).group(1)
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        self.assertEqual((str(chart["version"]), str(chart["appVersion"])), (version, version))
        labelled = re.search(r"(?m)^ARG VERSION=(.*)$", (CHART.parents[1] / "deploy" / "Dockerfile").read_text()).group(1)
        self.assertEqual(labelled, version)  # of the image, unless its build says otherwise


class Refused(unittest.TestCase):
    def test_the_schema_refuses(self):
        rows = (({"mode": "statefulset"}, "mode"), ({"replica": 2}, "replica"), ({"replicas": 0}, "replicas"), ({"replicas": "2"}, "replicas"),
                ({"ports": {"http": 80}}, "http"), ({"ports": {"https": 8443}}, "https"), ({"image": {"digest": "sha256:1"}}, "digest"),
                ({"config": {"http": {"listen": "0.0.0.0:1"}}}, "http"), ({"config": {"polices": {}}}, "polices"),
                ({"config": {"lists": {"LB": {"prefixes": []}}}}, "LB"), ({"config": {"callers": ["envoy"]}}, "callers"),
                ({"drain": {"delay": "5s"}}, "delay"), ({"tls": {"client": {"sans": ["*.example.org"]}}}, "sans"),
                ({"tls": {"listeners": ["health"]}}, "listeners"), ({"state": {"type": "nfs"}}, "type"), ({"state": {"size": "1G"}}, "size"),
                ({"networkPolicy": {"egressCIDRs": ["example.org"]}}, "egressCIDRs"), ({"sidecar": {"socketMode": "666"}}, "socketMode"),
                ({"monitoring": {"prometheusRule": {"stale": "7 days"}}}, "stale"), ({"sizing": {"cores": 0}}, "cores"),
                ({"autoscaling": {"targetCPUUtilizationPercentage": 101}}, "targetCPU"), ({"topologySpread": {"zone": "Always"}}, "zone"))
        for values, word in rows:
            with self.subTest(values):
                said = refusal(values)
                self.assertIn("values don't meet the specifications of the schema", said)
                self.assertIn(word, said)

    def test_what_does_not_go_together(self):
        rows = (({"state": {"type": "persistentVolumeClaim"}}, "one writer"), ({"state": {"type": "hostPath"}}, "for mode daemonset"),
                ({"mode": "daemonset", "state": {"type": "persistentVolumeClaim"}}, "for mode deployment"), ({"geo": {"enabled": True}}, "geo.secretName"),
                ({"serveCentral": {"enabled": True}}, "serveCentral.secretName"), ({"serveCentral": {"enabled": True, "secretName": "s"}}, "replicas=1"),
                ({**MODES["deployment, serving sidecars"], "tls": {"enabled": False}}, "sidecars take https alone"),
                ({**MODES["deployment, serving sidecars"], "tls": {"enabled": True}}, "sidecars show no certificate"),
                ({"mode": "daemonset", "serveCentral": {"enabled": True, "secretName": "s"}}, "for mode deployment"), ({"tls": {"enabled": True, "certManager": {"enabled": True}}}, "who signs"),
                ({"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, "minReplicas"))
        for values, word in rows:
            with self.subTest(values):
                self.assertIn(word, refusal(values))

    def test_every_value_has_its_type_in_the_schema(self):
        schema = json.loads((CHART / "values.schema.json").read_text())

        def walk(value, where, path):
            for key, inner in value.items():
                self.assertIn(key, where["properties"], path + key)
                below = where["properties"][key]
                if isinstance(inner, dict) and below.get("additionalProperties") is False:
                    walk(inner, below, path + key + ".")

        values = yaml.safe_load((CHART / "values.yaml").read_text())
        walk(values, schema, "")
        self.assertEqual(set(schema["properties"]) - {"global", "enabled"}, set(values))  # helm gives the two to a dependency


if __name__ == "__main__":
    unittest.main()
