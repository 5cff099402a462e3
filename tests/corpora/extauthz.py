#!/usr/bin/env python3
"""Resolves the CheckRequests that a running Envoy sent (../shared/data/extauthz/golden) as real input, from their JSON and
from their protobuf bytes, under policies that trust the Envoy's own address.

What must come out follows from decision.md alone: every entry of these requests is a documentation address in no list, so
`walk: trusted` answers the rightmost entry and `{hops: 1, peer_in_header: yes}` the one before it."""

import argparse
import base64
import ipaddress
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import ask  # noqa: E402

GOLDEN = ask.SHARED / "data" / "extauthz" / "golden"
CONFIG = {
    "lists": {"envoy": {"prefixes": ["127.0.0.0/8"], "internal": True, "broad": "accepted"}},
    "policies": {
        "default": {"trust": ["envoy"], "clients": "any"},
        "counted": {"trust": ["envoy"], "clients": "any", "walk": {"hops": 1, "peer_in_header": "yes"}},
        "nobody": {"trust": [], "clients": "any"},
    },
}


def fields(data):
    """(number, value) of each field of a protobuf message; sub-messages and strings stay bytes."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            size = 8 if key & 7 == 1 else 4
            yield key >> 3, data[at : at + size]
            at += size


def only(message, *path):
    for number in path:
        message = next((value for n, value in fields(message) if n == number), b"")
    return message


def from_bytes(data):
    """peer, headers (pairs of bytes, or a dict of bytes when Envoy merged the lines)."""
    source = only(data, 1, 1, 1, 1)  # attributes.source.address.socket_address
    peer = only(source, 2).decode(), dict(fields(source)).get(3, 0)
    http = only(data, 1, 4, 2)  # attributes.request.http
    pairs = []
    for number, value in fields(only(http, 13)):  # header_map.headers
        header = dict(fields(value))
        if number == 1:
            pairs.append((header.get(1, b""), header.get(3, header.get(2, b""))))
    if pairs:
        return peer, pairs
    merged = {}
    for number, value in fields(http):
        if number == 3:
            entry = dict(fields(value))
            merged[entry.get(1, b"")] = entry.get(2, b"")
    return peer, merged


def from_json(text):
    attributes = text["request"]["attributes"]
    socket = attributes["source"]["address"]["socket_address"]
    peer = socket["address"], socket.get("port_value", 0)
    http = attributes.get("request", {}).get("http", {})
    listed = http.get("header_map", {}).get("headers", [])
    if listed:
        return peer, [
            (h["key"].encode(), base64.b64decode(h["raw_value"]) if "raw_value" in h else h.get("value", "").encode())
            for h in listed
        ]
    return peer, {k.encode(): v.encode() for k, v in http.get("headers", {}).items()}


def request(peer, headers, policy):
    address = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
    out = {"peer": f"{address}:{peer[1]}", "policy": policy}
    plain = [(n.decode(), v) for n, v in (headers.items() if isinstance(headers, dict) else headers)]
    plain = [(n, v) for n, v in plain if not n.startswith(":")]  # HTTP/2 pseudo-headers are no headers
    if isinstance(headers, dict):
        out["headers"] = {n: v.decode() for n, v in plain}
    else:
        out["headers"] = [[n, {"base64": base64.b64encode(v).decode()}] for n, v in plain]
    return out


def expected(peer, headers, policy):
    """client, origin reason; by hand from decision.md, sections 2 and 5."""
    address = ipaddress.ip_address(peer[0])
    client = str(getattr(address, "ipv4_mapped", None) or address)
    items = headers.items() if isinstance(headers, dict) else headers
    entries = [e.strip() for n, v in items if n.lower() == b"x-forwarded-for" for e in v.decode().split(",")]
    if policy == "nobody" or address not in ipaddress.ip_network("127.0.0.0/8"):
        return client, "peer_untrusted_direct"
    if policy == "default":
        return (entries[-1], "walk_first_untrusted") if entries else (client, "peer_trusted_no_header")
    if len(entries) < 2:
        return client, "too_few_entries"
    return (client, "entry_obfuscated") if entries[-2].startswith("_") else (entries[-2], "hop_count_only")


def check(library, name, peer, headers):
    for policy in CONFIG["policies"]:
        asked = request(peer, headers, policy)
        got = json.loads(library.ask(json.dumps(CONFIG), json.dumps(asked)))
        if "client_ip" not in got:
            yield f"{name} {policy}: {got}"
            continue
        reasons = [r["code"] for r in got["confidence"]["reasons"]]
        want = expected(peer, headers, policy)
        if (got["client_ip"], reasons[0]) != want:
            yield f"{name} {policy}: expected {want}, got {(got['client_ip'], reasons)}"
        if ("headers_merged" in reasons) != isinstance(headers, dict):
            yield f"{name} {policy}: headers_merged is wrong: {reasons}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runner", required=True)
    options = parser.parse_args()
    if not GOLDEN.is_dir():
        if ask.SHARED.is_dir():
            sys.exit(f"corpus: 0 cases ({GOLDEN} is missing)")
        print(f"corpus absent, skipped: {GOLDEN}")
        return
    failures, count, walked = [], 0, 0
    with ask.Library(options.runner) as library:
        for path in sorted(GOLDEN.glob("**/check_request_*.json")):
            parsed = from_json(json.loads(path.read_text(encoding="utf-8")))
            raw = from_bytes(path.with_suffix(".bin").read_bytes())
            name = str(path.relative_to(GOLDEN).with_suffix(""))
            if sorted(dict(parsed[1])) != sorted(dict(raw[1])) or parsed[0] != raw[0]:
                failures.append(f"{name}: the JSON and the bytes are two requests: {parsed} {raw}")
            for source, (peer, headers) in (("json", parsed), ("bin", raw)):
                count += 1
                walked += expected(peer, headers, "default")[1] == "walk_first_untrusted"
                failures += check(library, f"{name}.{source}", peer, headers)
        http = GOLDEN / "http_authz_request.json"
        if http.exists():  # Envoy's HTTP mode: the headers of the call itself, one line each
            _, lines = json.loads(http.read_text(encoding="utf-8"))
            count += 1
            failures += check(library, http.name, ("127.0.0.1", 1), [(n.encode(), v.encode()) for n, v in lines])
    print(f"corpus: {count} cases ({walked} with entries to walk)")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(bool(failures) or not count or not walked)


if __name__ == "__main__":
    main()
