"""gRPC as a face of the golden cases: asks TrustService/Resolve over a real connection by grpcio, and has answer_json make
REST's JSON of the raw bytes that came back."""

import base64
import json
import subprocess
import sys

import grpc

METHOD = "/iptrust.v1.TrustService/Resolve"
CALL_SECONDS = 60


def cannot_carry(request):
    """Why a request of REST has no like in the message; None when it has."""
    keys = {"peer", "headers", "proxy_protocol", "attributes", "policy", "principal", "request_id", "options"}
    if request.keys() - keys:
        return "a message has no unknown keys: other fields are ignored, as protobuf wants"
    headers = request.get("headers")
    if isinstance(headers, dict) and len({name.lower() for name in headers}) < len(headers):
        return "headers are a list, so no two keys differ only in case"
    return None


def octets(value):
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def message_of(pb, request):
    """The message for a request of REST, field by field; a map of headers is what headers_merged stands for."""
    to = pb.Request()
    for key in ("peer", "policy", "principal", "request_id"):
        if key in request:
            setattr(to, key, request[key])
    headers = request.get("headers", [])
    if isinstance(headers, dict):
        to.headers_merged = True
        headers = [(name, line) for name, value in headers.items() for line in (value if isinstance(value, list) else [value])]
    for name, value in headers:
        to.headers.add(name=name, value=octets(value))
    for name, value in request.get("attributes", {}).items():
        to.attributes.add(name=name, value=octets(value))
    if "proxy_protocol" in request:
        to.proxy_protocol = base64.b64decode(request["proxy_protocol"])
    for key, value in request.get("options", {}).items():
        setattr(to.options, key, value)
    return pb.ResolveRequest(request=to)


class Face:
    def __init__(self, program, answer_json, protos):
        sys.path.insert(0, str(protos))
        self.pb = grpc.protos("iptrust/v1/iptrust.proto")
        self.program = program
        self.answer_json = answer_json
        self.writer = None

    def start(self, config):
        """A writer that knows the databases of this configuration."""
        self.writer = subprocess.Popen([self.answer_json, config], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self.writer.stdin.close()
        self.writer.stdout.close()
        if self.writer.wait(30) != 0:
            raise SystemExit(f"answer_json ended with {self.writer.returncode}")

    def json_of(self, answer):
        self.writer.stdin.write(b"%d\n" % len(answer) + answer)
        self.writer.stdin.flush()
        line = self.writer.stdout.readline()
        if not line.endswith(b"\n"):
            raise SystemExit(f"answer_json ended with {self.writer.wait(30)}")
        return line[:-1]

    def answers(self, daemon, listed):
        with grpc.insecure_channel(daemon.addresses["grpc"]) as channel:
            ask = channel.unary_unary(METHOD, request_serializer=self.pb.ResolveRequest.SerializeToString)
            for case in listed:
                try:
                    yield case, self.json_of(ask(message_of(self.pb, case["request"]), timeout=CALL_SECONDS))
                except grpc.RpcError as error:
                    # The stable code is the beginning of the message.
                    yield case, json.dumps({"code": error.details().partition(":")[0]}).encode()
