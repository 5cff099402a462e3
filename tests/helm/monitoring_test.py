"""Alarms, dashboard and NOTES: every query finds what the real daemon tells a real Prometheus; each alarm fires when it should
and not before; what NOTES print is what Envoy, Istio and Envoy Gateway take."""
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import jsonschema
import yaml
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401 for Any
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401 for Any
from google.protobuf import json_format

from chart import CHART, CONFIG, HERE, MODES, MONITORING, Pod, UnixConnection, find, free_port, helm, render, wait_for


def program(*command):
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def rules(values):
    return find(render({**values, "monitoring": MONITORING}), "PrometheusRule")["spec"]


def alerts(values):
    return [r for g in rules(values)["groups"] for r in g["rules"]]


class Feed:
    """Two lists: one that grows at our word, one that is a page of HTML."""

    def __init__(self):
        feed = self
        self.lists = {"/good": "8.8.4.0/24\n", "/bad": "<html>\n"}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = feed.lists[self.path].encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Prometheus:
    def __init__(self, target, groups):
        self.dir = tempfile.mkdtemp(prefix="ipt-prom-")
        self.port = free_port()
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"],
                  "scrape_configs": [{"job_name": "demo-iptrustd", "static_configs": [{"targets": [target], "labels": {"namespace": "edge"}}]}]}
        for name, content in (("prometheus.yaml", config), ("rules.yaml", groups)):
            with open(os.path.join(self.dir, name), "w") as f:
                yaml.safe_dump(content, f)
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.process = subprocess.Popen(["prometheus", "--config.file=" + self.dir + "/prometheus.yaml", "--storage.tsdb.path=" + self.dir + "/data",
                                         "--web.listen-address=127.0.0.1:%d" % self.port], stdout=self.log, stderr=self.log)

    def get(self, path, **query):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request("GET", path + "?" + urllib.parse.urlencode(query))
            return json.loads(c.getresponse().read())
        except (OSError, ValueError):
            return {"status": "none"}
        finally:
            c.close()

    def query(self, expression):
        answer = self.get("/api/v1/query", query=expression)
        assert answer["status"] == "success", (expression, answer)
        return answer["data"]["result"]

    def active(self):
        return {(a["labels"]["alertname"], a["labels"].get("list", "")): a["state"] for a in self.get("/api/v1/alerts")["data"]["alerts"]}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def dashboard_queries():
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*"), target["legendFormat"]


class RealPrometheus(unittest.TestCase):
    """One daemon with everything that can be counted, scraped."""
    QUIET = {"iptrust_geo_build_timestamp_seconds"}  # no database here

    @classmethod
    def setUpClass(cls):
        cls.feed = Feed()
        cls.addClassCleanup(cls.feed.stop)
        lists = {**{k: v for k, v in CONFIG["lists"].items() if k == "lb"}, "good": {"url": cls.feed.url + "/good", "refresh": "1d", "soft_age": "30d"},
                 "bad": {"url": cls.feed.url + "/bad", "refresh": "1d"},
                 "given": {"provider": "cloudflare", "prefixes": ["173.245.48.0/20"],
                           "fetched_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400))}}
        cls.values = {"config": {"limits": {"per_address": 4}, "lists": lists, "policies": {"default": {"trust": ["lb", "good", "bad", "given"]}}}}
        cls.documents = render(cls.values)
        cls.pod = Pod(cls.documents)
        cls.addClassCleanup(cls.pod.stop)
        cls.pod.start()
        cls.prometheus = Prometheus("127.0.0.1:%d" % cls.pod.ports["8081"], rules(cls.values))
        cls.addClassCleanup(cls.prometheus.stop)
        admin = os.path.join(cls.pod.mounts["/run/iptrustd-admin"], "admin.sock")

        def refresh(name):
            c = UnixConnection(admin)
            try:
                c.request("POST", "/v1/lists/%s/refresh" % name)
                return c.getresponse().read()
            finally:
                c.close()

        def metric(text):
            return text.encode() in cls.pod.ask("GET", "/metrics", port=8081)[1]

        def until(what, why):
            assert wait_for(what, 60), why
        until(lambda: metric('iptrust_list_refresh_total{list="good",result="updated"}'), "the first fetch")
        until(lambda: metric('iptrust_list_refresh_total{list="bad",result="refused"}'), "the first refusal")
        until(lambda: cls.prometheus.get("/api/v1/query", query="up == 1").get("data", {}).get("result"), "the first scrape")
        cls.feed.lists["/good"] = "8.8.0.0/17\n"
        refresh("good")
        until(lambda: metric('iptrust_list_pending{list="good"} 1'), "an update that is held")
        config = find(cls.documents, "ConfigMap", "demo-iptrustd")["data"]
        cls.pod.lay({**config, "live.yaml": config["live.yaml"] + "nonsense: true\n"})
        until(lambda: metric('iptrust_config_reload_total{result="failure"} 1'), "a reload that fails")
        for _ in range(3):
            cls.pod.ask("POST", "/v1/resolve", '{"peer":"203.0.113.7","headers":[["X-Forwarded-For","8.8.8.8"]]}', 8080)
        held = []  # more connections than one address may have
        for _ in range(6):
            c = http.client.HTTPConnection("127.0.0.1", cls.pod.ports["8080"], timeout=10)
            c.connect()
            held.append(c)
        until(lambda: metric("iptrust_connections_refused_total{"), "a connection too many")
        for c in held:
            c.close()
        until(lambda: cls.prometheus.query("iptrust_connections_refused_total and on () (count_over_time(up[1m]) > 3)"), "several scrapes")

    def test_the_scrape_is_clean(self):
        text = self.pod.ask("GET", "/metrics", port=8081)[1].decode()
        done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)

    def selectors(self, expression):
        """The series that an expression asks for."""
        return re.findall(r"\b((?:iptrust|process)_[a-z_]+(?:\{[^}]*\})?|up\{[^}]*\})", expression)

    def check(self, where, expression):
        found = self.selectors(expression)
        self.assertTrue(found, where)
        for selector in found:
            with self.subTest(where, selector=selector):
                if selector.split("{")[0] in self.QUIET:
                    self.assertIn("# TYPE %s " % selector.split("{")[0], self.pod.ask("GET", "/metrics", port=8081)[1].decode())
                else:
                    self.assertTrue(self.prometheus.query(selector), "no such series")
        self.prometheus.query(expression)

    def test_every_alarm_asks_for_series_that_are_there(self):
        for rule in alerts(self.values):
            self.check(rule["alert"], rule["expr"])

    def test_every_panel_shows_something(self):
        for title, expression, legend in dashboard_queries():
            self.check(title, expression)
            result = self.prometheus.query(expression)
            names = set(re.findall(r"\{\{(\w+)\}\}", legend))
            for series in result:
                with self.subTest(title):
                    self.assertLessEqual(names, set(series["metric"]))
            if not set(s.split("{")[0] for s in self.selectors(expression)) & self.QUIET:
                self.assertTrue(result, (title, expression))

    def test_what_happened_is_on_the_way_to_an_alarm_and_nothing_else(self):
        expected = {("IptrustdListHeld", "good"): "pending", ("IptrustdReloadFailed", ""): "firing", ("IptrustdListRefused", "bad"): "firing"}
        wait_for(lambda: self.prometheus.active() == expected, 30)
        self.assertEqual(self.prometheus.active(), expected)

    def test_the_check_sees_a_name_that_is_not_there(self):
        self.assertEqual(self.prometheus.query("iptrust_list_pendings"), [])
        self.assertEqual(self.selectors('rate(iptrust_x_total{a="b"}[5m]) > on () up{job="j"}'), ['iptrust_x_total{a="b"}', 'up{job="j"}'])


class Alarms(unittest.TestCase):
    """The rules against series that are made up, by promtool: a value every 5 minutes, every hour where days pass."""
    LABELS = 'job="demo-iptrustd",namespace="edge",instance="a"'
    VALUES = {"central": {"url": "https://central.example/"}, "config": {"lists": {"lb": {"prefixes": ["10.0.12.0/24"]}, "slow": {"provider": "fastly", "soft_age": "30d"}}}}

    # alarm, labels that it must have, series, when it is silent still, when it fires
    ROWS = (
        ("IptrustdDown", {}, {"up{%s}": "0x12"}, "4m", "10m"),
        ("IptrustdListOverdue", {"list": "cf"}, {'iptrust_list_content_timestamp_seconds{%s,list="cf"}': "0x40", 'iptrust_list_pending{%s,list="cf"}': "0x40"}, "1d", "1d3h"),
        ("IptrustdListStale", {"list": "cf"}, {'iptrust_list_content_timestamp_seconds{%s,list="cf"}': "0x200"}, "7d", "7d3h"),
        ("IptrustdListStale", {"list": "slow"}, {'iptrust_list_content_timestamp_seconds{%s,list="slow"}': "0x800"}, "29d", "30d3h"),
        ("IptrustdListHeld", {"list": "cf"}, {'iptrust_list_pending{%s,list="cf"}': "0 0 1x20"}, "10m", "20m"),
        ("IptrustdListRefused", {"list": "cf", "result": "refused"}, {'iptrust_list_refresh_total{%s,list="cf",result="refused"}': "_ _ 1x20"}, "5m", "15m"),
        ("IptrustdReloadFailed", {"result": "failure"}, {'iptrust_config_reload_total{%s,result="failure"}': "0 0 1x20"}, "5m", "10m"),
        ("IptrustdFindingsSpike", {"code": "header_conflict"}, {'iptrust_findings_total{%s,code="header_conflict"}': "0x10 0+3000x20"}, "50m", "1h20m"),
        ("IptrustdCentralBehind", {"instance": "a"}, {"iptrust_central_last_success_timestamp_seconds{%s}": "0x20", "iptrust_central_serial{%s}": "7x20"}, "15m", "25m"),
        ("IptrustdCentralBehind", {"instance": "a"}, {"iptrust_central_serial{%s}": "7 0x20"}, "5m", "15m"),
        ("IptrustdUnknownPolicy", {}, {"iptrust_unknown_policy_total{%s}": "0+1x20"}, "5m", "40m"),
    )

    def promtool(self, tests):
        with tempfile.TemporaryDirectory(prefix="ipt-prom-") as folder:
            with open(os.path.join(folder, "rules.yaml"), "w") as f:
                yaml.safe_dump(rules(self.VALUES), f)
            with open(os.path.join(folder, "tests.yaml"), "w") as f:
                yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": tests[0]["interval"], "tests": tests}, f)
            done = program("promtool", "test", "rules", os.path.join(folder, "tests.yaml"))
            return done.returncode, done.stdout

    def test_promtool_takes_the_rules(self):
        for mode in ("deployment", "sidecar"):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
                yaml.safe_dump(rules(MODES[mode]), f)
                done = program("promtool", "check", "rules", f.name)
                self.assertEqual(done.returncode, 0, done.stdout)

    def alarm(self, name, at, series, labels):
        """Fires at that time with these labels; None: is silent."""
        rule = next(r for r in alerts(self.VALUES) if r["alert"] == name)
        interval = "1h" if "d" in at else "5m"
        expected = [] if labels is None else [{"exp_labels": {**rule["labels"], **labels}}]
        return {"interval": interval, "input_series": [{"series": k % self.LABELS, "values": v} for k, v in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": expected}]}

    def fires(self, name, at, series):
        """Whether it fires then, and with which labels, as promtool tells when it expects silence."""
        code, said = self.promtool([self.alarm(name, at, series, None)])
        return None if code == 0 else said

    def test_each_fires_when_it_should_and_not_before(self):
        self.assertLessEqual({r["alert"] for r in alerts(self.VALUES)} - {r[0] for r in self.ROWS}, {"IptrustdMixedPolicies", "IptrustdMixedLists"})
        for name, labels, series, silent, fired in self.ROWS:
            with self.subTest(name, labels=labels):
                self.assertIsNone(self.fires(name, silent, series))
                said = self.fires(name, fired, series)
                self.assertIsNotNone(said, "silent")
                for key, value in labels.items():
                    self.assertIn('%s="%s"' % (key, value), said)

    def test_a_fleet_of_two_revisions(self):
        for name, label, late in (("IptrustdMixedPolicies", "policies", "20m"), ("IptrustdMixedLists", "lists", "4h")):
            with self.subTest(name):
                series = {'iptrust_view_info{%s,' + label + '="%s"}' % n: "1x100" for n in ("one", "two")}
                self.assertIsNone(self.fires(name, "5m", series))
                self.assertIsNotNone(self.fires(name, late, series))
                self.assertIsNone(self.fires(name, late, dict(list(series.items())[:1])))

    def test_silence(self):
        rows = (
            ("a list of our own is never overdue", "IptrustdListOverdue", {'iptrust_list_content_timestamp_seconds{%s,list="lb"}': "0x800"}, "20d"),
            ("a list of our own does not age", "IptrustdListStale", {'iptrust_list_content_timestamp_seconds{%s,list="lb"}': "0x800"}, "20d"),
            ("a list with an age of its own", "IptrustdListStale", {'iptrust_list_content_timestamp_seconds{%s,list="slow"}': "0x800"}, "20d"),
            ("as many findings as yesterday", "IptrustdFindingsSpike", {'iptrust_findings_total{%s,code="alias_header"}': "0+3000x600"}, "30h"),
            ("a refusal of long ago", "IptrustdListRefused", {'iptrust_list_refresh_total{%s,list="cf",result="refused"}': "1x100"}, "5h"),
            ("somebody else's job", "IptrustdDown", {}, "1h"),
        )
        for why, name, series, at in rows:
            with self.subTest(why):
                self.assertIsNone(self.fires(name, at, series))
        other = self.alarm("IptrustdDown", "1h", {}, None)
        other["input_series"] = [{"series": 'up{job="other",namespace="edge",instance="a"}', "values": "0x20"}]
        self.assertEqual(self.promtool([other])[0], 0)

    def test_every_alarm_has_its_runbook(self):
        text = (CHART.parents[1] / "docs" / "OPERATING.md").read_text()
        headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
        for mode in ("deployment", "sidecar"):
            for rule in alerts(MODES[mode]):
                page, anchor = rule["annotations"]["runbook"].split("#")
                self.assertEqual((page, anchor), ("docs/OPERATING.md", rule["alert"].lower()))
                self.assertIn(anchor, headings)

    def test_values_that_change_rules(self):
        self.assertNotIn("IptrustdListOverdue", [r["alert"] for r in alerts({"refresh": False})])
        spec = find(render({"monitoring": {"prometheusRule": {"enabled": True, "stale": "36h", "findingsPerSecond": 7}}}), "PrometheusRule")["spec"]
        by_name = {r["alert"]: r["expr"] for r in spec["groups"][0]["rules"]}
        self.assertIn("> 129600", by_name["IptrustdListStale"])
        self.assertIn("> 7\n", by_name["IptrustdFindingsSpike"])
        self.assertNotIn("namespace", alerts(MODES["sidecar"])[0]["expr"])  # sidecars live where their applications do


class Notes(unittest.TestCase):
    def notes(self, values):
        done = helm("install", "demo", CHART, "--dry-run=client", "--namespace", "edge", values=values)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("NOTES:")[1]

    def block(self, text, name):
        return yaml.safe_load(re.search(r"^--- %s\n(.*?)^---$" % name, text, re.M | re.S).group(1))

    def test_envoy_takes_the_cluster(self):
        for mode in ("deployment", "deployment, everything", "daemonset, port", "sidecar"):
            with self.subTest(mode):
                text = self.block(self.notes(MODES[mode]), "envoy")
                cluster = json_format.ParseDict(text, cluster_pb2.Cluster())
                address = cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address
                if mode == "sidecar":
                    self.assertEqual(address.pipe.path, "/run/iptrustd/grpc.sock")
                    continue
                service = find(render(MODES[mode]), "Service")
                self.assertEqual(address.socket_address.address, service["metadata"]["name"] + ".edge.svc.cluster.local")
                self.assertIn(address.socket_address.port_value, [p["port"] for p in service["spec"]["ports"] if p["name"] == "grpc"])
                self.assertEqual(cluster.HasField("transport_socket"), "everything" in mode)

    def test_istio_and_gateway(self):
        values = {**MODES["deployment"], "ports": {"grpc": 9999}, "fullnameOverride": "who"}
        text = self.notes(values)
        provider = self.block(text, "istio")["extensionProviders"][0]
        self.assertEqual(provider["name"], "who")
        self.assertEqual((provider["envoyExtAuthzGrpc"]["service"], provider["envoyExtAuthzGrpc"]["port"]), ("who.edge.svc.cluster.local", 9999))
        shipped = yaml.safe_load((CHART.parents[1] / "deploy" / "istio" / "mesh.yaml").read_text())["spec"]["meshConfig"]["extensionProviders"][0]
        self.assertEqual(set(provider["envoyExtAuthzGrpc"]), set(shipped["envoyExtAuthzGrpc"]))
        policy = self.block(text, "gateway")
        jsonschema.Draft202012Validator(json.loads((HERE / "schemas" / "securitypolicy.json").read_text())).validate(policy)
        self.assertEqual(policy["spec"]["extAuth"]["grpc"]["backendRefs"], [{"name": "who", "port": 9999}])

    def test_they_warn_when_nobody_is_trusted(self):
        self.assertIn("nobody is a trusted caller", self.notes({}))
        self.assertNotIn("nobody is a trusted caller", self.notes(MODES["deployment"]))
        self.assertNotIn("nobody is a trusted caller", self.notes({"tls": {"enabled": True}}))

    def test_every_command_names_what_is_there(self):
        for mode, values in MODES.items():
            text, documents = self.notes(values), render(values)
            with self.subTest(mode):
                for kind, name in re.findall(r"(deployment|daemonset|configmap)/?[ ]?(demo-[a-z-]+)", text):
                    self.assertIn((kind, name), [(d["kind"].lower(), d["metadata"]["name"]) for d in documents])


if __name__ == "__main__":
    unittest.main()
