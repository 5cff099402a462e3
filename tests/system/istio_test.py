"""The snippets of deploy/istio: YAML whose resources are what their comments say, whose names fit together, and whose parts of
Envoy's configuration Envoy's own definitions take. No mesh runs here."""

import pathlib
import unittest

import yaml
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2  # noqa: F401 for Any
from google.protobuf import json_format

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
MESSAGES = {
    "type.googleapis.com/" + message.DESCRIPTOR.full_name: message
    for message in (ext_authz_pb2.ExtAuthz, http_connection_manager_pb2.HttpConnectionManager)
}


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / "istio" / name).read_text(encoding="utf-8")))


class Istio(unittest.TestCase):
    def test_each_file_holds_what_it_says(self):
        rows = {
            "mesh.yaml": ["IstioOperator"],
            "service.yaml": ["Service", "DestinationRule"],
            "authorization-policy.yaml": ["AuthorizationPolicy"],
            "gateway.yaml": ["EnvoyFilter"],
        }
        self.assertEqual(sorted(rows), sorted(path.name for path in (DEPLOY / "istio").iterdir()))
        for name, kinds in rows.items():
            self.assertEqual([document["kind"] for document in documents(name)], kinds, name)

    def test_names_and_ports_fit(self):
        provider = documents("mesh.yaml")[0]["spec"]["meshConfig"]["extensionProviders"][0]
        service, rule = documents("service.yaml")
        policy = documents("authorization-policy.yaml")[0]
        host = "%s.%s.svc.cluster.local" % (service["metadata"]["name"], service["metadata"]["namespace"])
        self.assertEqual((provider["envoyExtAuthzGrpc"]["service"], rule["spec"]["host"]), (host, host))
        self.assertEqual(provider["envoyExtAuthzGrpc"]["port"], service["spec"]["ports"][0]["port"])
        self.assertEqual(service["spec"]["ports"][0]["name"], "grpc")
        self.assertEqual((policy["spec"]["action"], policy["spec"]["provider"]["name"]), ("CUSTOM", provider["name"]))

    def test_patches_are_messages_of_envoy(self):
        patches = documents("gateway.yaml")[0]["spec"]["configPatches"]
        self.assertEqual(len(patches), len(MESSAGES))
        for patch in patches:
            config = dict(patch["patch"]["value"]["typed_config"])
            json_format.ParseDict(config, MESSAGES[config.pop("@type")]())

    def test_the_same_is_stripped_as_before_a_plain_envoy(self):
        line = next(l.strip() for l in (DEPLOY / "istio" / "gateway.yaml").read_text().splitlines() if "remove_on_match" in l)
        self.assertIn(line, (DEPLOY / "envoy" / "grpc.yaml").read_text())


if __name__ == "__main__":
    unittest.main()
