#!/usr/bin/env python3
"""Sends the CheckRequests that a running Envoy sent (../shared/data/extauthz/golden) to a running daemon by real gRPC: whole,
under several policies, in the other form of headers, cut off, and with flipped bits. What a message says is read by the
official definitions (xds-protos); what the answer must be is asked of the same daemon over REST."""

import argparse
import base64
import collections
import http.client
import json
import os
import pathlib
import random
import sys

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2
from google.protobuf.message import DecodeError

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "system"))
GOLDEN = TESTS.parents[1] / "shared" / "data" / "extauthz" / "golden"
CONFIG = """
http: {listen: 127.0.0.1:0}
grpc: {listen: 127.0.0.1:0}
health: {listen: 127.0.0.1:0}
admin: {listen: "unix:%(dir)s/admin.sock"}
lists:
  envoy: {prefixes: [127.0.0.0/8, 192.0.2.2/32], internal: true, broad: accepted, vouches: {x-forwarded-for: append, cf-connecting-ip: replace, forwarded: append}}
policies:
  default: {trust: [envoy], clients: any}
  single: {trust: [envoy], read: [cf-connecting-ip], clients: any, selectable_by: [rest, ext_authz]}
  counted: {trust: [envoy], walk: {hops: 2, peer_in_header: "yes"}, clients: any, selectable_by: [rest, ext_authz]}
  nobody: {trust: [], clients: any, selectable_by: [rest, ext_authz]}
  strict: {trust: [envoy], mode: enforce, deny: {confidence_below: high}, selectable_by: [rest, ext_authz]}
"""
POLICIES = ("default", "single", "counted", "nobody", "strict")
FLIPS, SEED = 2000, 20261122
LOOK = ("trusted", "own", "counted", "client")


def peer_of(source):
    """As `peer` of REST."""
    kind = source.address.WhichOneof("address")
    if kind == "pipe":
        return "unix"
    if kind == "envoy_internal_address":
        return "envoy_internal_address"
    socket = source.address.socket_address
    if not 0 < socket.port_value <= 65535:
        return socket.address
    return ("[%s]:%d" if ":" in socket.address else "%s:%d") % (socket.address, socket.port_value)


def question_of(message, policy):
    """What the message asks, as REST takes it."""
    http_request = message.attributes.request.http
    lines = [(h.key, h.raw_value or h.value.encode()) for h in http_request.header_map.headers]
    lines = [[name, {"base64": base64.b64encode(value).decode()}] for name, value in lines if name and name[0] != ":"]
    merged = {name: value for name, value in http_request.headers.items() if name and name[0] != ":"}
    question = {"peer": peer_of(message.attributes.source), "headers": lines or merged, "policy": policy}
    if message.attributes.source.principal:
        question["principal"] = message.attributes.source.principal
    return question


def facts_of(decision):
    """What ext_authz tells of a decision."""
    hops = [hop for hop in decision["chain"] if hop["verdict"] in LOOK]
    chain = ", ".join(hop.get("address", "unix") + (";" + hop["list"] if hop.get("list") else "") for hop in hops)
    facts = {
        "client_ip": decision["client_ip"],
        "confidence": decision["confidence"]["level"],
        "source": decision["source"],
        "chain": chain,
        "policy": decision["policy"],
        "revision": "%s-%s" % (decision["revision"]["policies"], decision["revision"]["lists"]),
    }
    return {key: value for key, value in facts.items() if value}


def answered(data):
    """Denied or not, and what was told; both ways of telling must be one."""
    answer = external_auth_pb2.CheckResponse.FromString(data)
    kind = answer.WhichOneof("http_response")
    facts = {key: value.string_value for key, value in answer.dynamic_metadata.fields.items()}
    if kind == "ok_response":
        headers = {o.header.key: o.header.value for o in answer.ok_response.headers}
        told = {"x-iptrust-" + key.replace("_", "-"): value for key, value in facts.items()}
        if headers != told or answer.status.code != 0:
            return "headers and metadata differ", (headers, told)
    elif kind != "denied_response" or answer.status.code != 7 or answer.denied_response.status.code != 403:
        return "neither allowed nor denied", answer
    return kind == "denied_response", facts


class Run:
    def __init__(self, daemon):
        self.channel = grpc.insecure_channel(daemon.addresses["grpc"])
        self.ask = self.channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")
        host, port = daemon.addresses["http"].rsplit(":", 1)
        self.rest = http.client.HTTPConnection(host, int(port), timeout=10)
        self.failures, self.counts = [], collections.Counter()

    def fail(self, name, *what):
        self.counts["failed"] += 1
        self.failures.append("%s: %s" % (name, " ".join(map(str, what))))

    def check(self, name, data):
        """The answer's bytes, or the status why there are none."""
        try:
            answer = self.ask(data, timeout=20)
        except grpc.RpcError as error:
            return error.code()
        if not answer:
            self.fail(name, "an answer of no bytes: Envoy would let the request pass")
        return answer

    def resolve(self, question):
        self.rest.request("POST", "/v1/resolve", json.dumps(question), {"Content-Type": "application/json"})
        answer = self.rest.getresponse()
        return answer.status, json.loads(answer.read())

    def compare(self, name, message, data, policy, may_refuse=False):
        """The same decision over both; False when REST cannot be asked this."""
        answer = self.check(name, data)
        if may_refuse and answer == grpc.StatusCode.INVALID_ARGUMENT:
            self.counts["refused here alone"] += 1  # groups, which the official reader steps over
            return True
        status, decision = self.resolve(question_of(message, policy))
        if status == 400 and decision["code"] in ("bad_header", "ambiguous_header", "missing_peer"):
            if isinstance(answer, grpc.StatusCode):
                self.fail(name, "what a client wrote is an error:", answer)
            return False
        if status != 200 or isinstance(answer, grpc.StatusCode):
            self.fail(name, "REST says", status, decision.get("code"), "and gRPC", answer)
            return True
        want = decision["verdict"]["action"] == "deny", facts_of(decision)
        if answered(answer) != want:
            self.fail(name, "REST", want, "gRPC", answered(answer))
        return True

    def whole(self, name, data):
        """Under every policy, and with the headers in the other form."""
        self.counts["walked"] += b"x-forwarded-for" in data
        for policy in POLICIES:
            message = external_auth_pb2.CheckRequest.FromString(data)
            if policy != "default":
                message.attributes.context_extensions["iptrust.policy"] = policy
            forms = [("as sent", message)]
            if not message.attributes.request.http.header_map.headers and message.attributes.HasField("request"):
                other = external_auth_pb2.CheckRequest.FromString(message.SerializeToString())
                fields = sorted(other.attributes.request.http.headers.items())
                other.attributes.request.http.header_map.headers.extend(
                    base_pb2.HeaderValue(key=key, raw_value=value.encode()) for key, value in fields
                )
                other.attributes.request.http.headers.clear()
                forms.append(("in the other form", other))
            for form, asked in forms:
                sent = data if policy == "default" and form == "as sent" else asked.SerializeToString()
                where = "%s under %s %s" % (name, policy, form)
                self.counts["whole"] += 1
                if not self.compare(where, asked, sent, policy):
                    self.fail(where, "REST cannot be asked this")

    def cut(self, name, data, step):
        """The message is one field, so that every beginning of it is no message."""
        for n in range(1, len(data), step):
            self.counts["cut off"] += 1
            answer = self.check(name, data[:n])
            if answer != grpc.StatusCode.INVALID_ARGUMENT:
                self.fail("%s cut off after %d bytes" % (name, n), answer)

    def flipped(self, name, data, bit):
        bent = bytearray(data)
        bent[bit // 8] ^= 1 << bit % 8
        name, bent = "%s with bit %d flipped" % (name, bit), bytes(bent)
        try:
            message = external_auth_pb2.CheckRequest.FromString(bent)
        except DecodeError:  # of bytes that are no text, too, which Check takes as they are
            answer = self.check(name, bent)
            self.counts["flipped, refused" if isinstance(answer, grpc.StatusCode) else "flipped, no text"] += 1
            if answer != grpc.StatusCode.INVALID_ARGUMENT and isinstance(answer, grpc.StatusCode):
                self.fail(name, answer)
            return
        policy = message.attributes.context_extensions.get("iptrust.policy", "default")
        same = self.compare(name, message, bent, policy, may_refuse=True)
        self.counts["flipped, decided alike" if same else "flipped, not for REST"] += 1

    def nothing(self):
        """No source: nobody is known."""
        for name, data in (("an empty message", b""), ("a message of empty attributes", b"\x0a\x00")):
            answer = self.check(name, data)
            got = answer if isinstance(answer, grpc.StatusCode) else answered(answer)
            if isinstance(got, tuple) and got[0] is False and set(got[1]) == {"confidence", "policy", "revision"}:
                if got[1]["confidence"] == "none" and got[1]["policy"] == "default":
                    continue
            self.fail(name, got)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--daemon", required=True)
    options = parser.parse_args()
    if not GOLDEN.is_dir():
        if GOLDEN.parents[2].is_dir():
            sys.exit(f"corpus: 0 cases ({GOLDEN} is missing)")
        print(f"corpus absent, skipped: {GOLDEN}")
        return
    os.environ["IPTRUSTD"] = options.daemon
    import rest_daemon  # reads the name of the program when it is imported

    captures = {str(path.relative_to(GOLDEN)): path.read_bytes() for path in sorted(GOLDEN.glob("**/check_request_*.bin"))}
    bits = [(name, bit) for name, data in captures.items() for bit in range(len(data) * 8)]
    daemon = rest_daemon.Daemon(CONFIG)
    try:
        run = Run(daemon)
        run.nothing()
        for name, data in captures.items():
            run.whole(name, data)
            run.cut(name, data, 7)
        for name, bit in random.Random(SEED).sample(bits, FLIPS):
            run.flipped(name, captures[name], bit)
        run.nothing()
        run.channel.close()
        run.rest.close()
    finally:
        daemon.stop()  # fails when a sanitizer found anything
    print(
        "corpus: %d cases (%s)"
        % (sum(run.counts.values()), ", ".join("%d %s" % (n, what) for what, n in sorted(run.counts.items())))
    )
    for failure in run.failures[:40]:
        print(f"FAILED {failure}")
    enough = (
        run.counts["flipped, decided alike"] > FLIPS // 2 and run.counts["flipped, refused"] > 100 and run.counts["walked"] > 10
    )
    alone = run.counts["refused here alone"]
    if alone > FLIPS // 200:
        print(f"FAILED {alone} messages are refused that the official reader takes")
    sys.exit(bool(run.failures) or not enough or alone > FLIPS // 200)


if __name__ == "__main__":
    main()
