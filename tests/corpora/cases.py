#!/usr/bin/env python3
"""Runs ../shared/data/cases/cases.jsonl under iptrustd's own policies, by the mapping of its README. Profiles generic and
rfc7239 must agree; the others say what a peer does, so a difference there must be explained by one of the named rules
below, and an unexplained one fails."""

import argparse
import base64
import collections
import ipaddress
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import ask  # noqa: E402
from differences import RULES  # noqa: E402

CASES = ask.SHARED / "data" / "cases" / "cases.jsonl"
OURS = {"generic", "rfc7239"}

# No form in our configuration (README): they answer the leftmost entry, or read a list header after a single-address one.
LEFT_OUT = {
    "caddy-002", "caddy-003", "caddy-004", "caddy-005", "caddy-006", "caddy-007", "caddy-008", "caddy-014", "caddy-016",
    "caddy-019", "caddy-020", "traefik-005", "traefik-013", "traefik-014",
}  # fmt: skip

LIST_HEADERS = {"x-forwarded-for", "forwarded"}


def network(text):
    """A trust entry with host bits masked; None for the Unix socket; text that is no network stays, to be refused."""
    if text == "unix:":
        return None
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def mapped(case):
    """(configuration, request) of a case."""
    policy = case["policy"]
    trust = policy["trust"]
    nets = [network(t) for t in trust or []]
    vouches = {"x-forwarded-for": "append", "forwarded": "append"}
    if case["proxy_protocol_hex"]:
        vouches["proxy_protocol"] = "replace"
    spec = {"internal": True, "broad": "accepted", "vouches": vouches}
    if None in nets:
        spec["unix"] = True
    else:
        spec["prefixes"] = nets
    read = []
    for name in policy["headers"]:
        if name in LIST_HEADERS:
            read.append(name)
        elif name != "proxy-protocol" and trust:
            read.append({"header": name, "from": "t"})
    walk = policy["walk"]
    singles = not any(name in LIST_HEADERS for name in policy["headers"])
    out = {"trust": ["t"] if trust else [], "clients": "any"}
    if read:
        out["read"] = read
    if walk == "hops" or (walk == "last" and not singles):
        out["walk"] = {"hops": policy["hops"] if walk == "hops" else 1}
        if trust is None:
            out["trust"] = "anyone"
    config = {"lists": {"t": spec} if trust else {}, "policies": {"default": out}}

    peer = case["peer"]
    if not peer:
        inside = [n for n in nets if n is not None]
        peer = str(ipaddress.ip_network(inside[0]).network_address) if inside else "192.0.2.1"
    elif peer.startswith(("unix:", "@")):
        peer = "unix"
    request = {"peer": peer, "headers": case["headers"]}
    if case["proxy_protocol_hex"]:
        request["proxy_protocol"] = base64.b64encode(bytes.fromhex(case["proxy_protocol_hex"])).decode()
    return config, request


def plain(text):
    """An address in one spelling."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(getattr(address, "ipv4_mapped", None) or address)


def agrees(case, answer):
    expect = case["expect"]
    outcome = expect["outcome"]
    refused = "problem" in answer
    if outcome == "config-error":
        return "config_error" in answer
    if "config_error" in answer or "broken" in answer:
        return False
    if outcome == "reject" or (case.get("acceptable_reject") and refused):
        return refused or answer["confidence"]["level"] in ("none", "low")
    if refused:
        return False
    if outcome in ("none", "error"):
        return answer["client_ip"] in [None, *case.get("acceptable_client_ip", [])]
    if answer["client_ip"] != plain(expect["client_ip"]):
        return answer["client_ip"] in [plain(a) for a in case.get("acceptable_client_ip", [])]
    ports = [p for p in [expect["client_port"], *case.get("acceptable_port", [])] if p is not None]
    if ports and answer["client_port"] not in ports:
        return False
    source = {"proxy-protocol": "proxy_protocol", "none": None}.get(expect["source"], expect["source"])
    return source is None or answer["source"] == source


def brief(answer):
    if "client_ip" not in answer:
        return json.dumps(answer)[:160]
    return (f"{answer['client_ip']} port {answer['client_port']} by {answer['source']} "
            f"{answer['confidence']['level']} {[r['code'] for r in answer['confidence']['reasons']]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--case", help="show one case")
    parser.add_argument("--rule", help="list the cases that a rule explains")
    parser.add_argument("--max", type=int, default=20)
    options = parser.parse_args()
    if not CASES.exists():
        if ask.SHARED.is_dir():
            sys.exit(f"corpus: 0 cases ({CASES} is missing)")
        print(f"corpus absent, skipped: {CASES}")
        return
    cases = [json.loads(line) for line in CASES.open(encoding="utf-8")]
    count, failures = 0, []
    explained = collections.defaultdict(list)
    with ask.Library(options.runner) as library:
        for case in cases:
            if case["id"] in LEFT_OUT or (options.case and case["id"] != options.case):
                continue
            count += 1
            config, request = mapped(case)
            answer = json.loads(library.ask(json.dumps(config), json.dumps(request)))
            if options.case:
                print(json.dumps(case, indent=1), json.dumps(config, indent=1), json.dumps(answer, indent=1), sep="\n")
            if agrees(case, answer):
                continue
            rule = next((r.name for r in RULES if case["profile"] not in OURS and r.explains(case, config, answer)), None)
            if rule is not None:
                explained[rule].append((case, answer))
            else:
                failures.append((case, answer))
    print(f"corpus: {count} cases")
    for rule in RULES:
        print(f"  {len(explained[rule.name]):4} differ from their peer: {rule.name} ({rule.where})")
        if options.rule == rule.name:
            for case, answer in explained[rule.name]:
                print(f"         {case['id']} {case['headers']} expects {case['expect']['client_ip']}, ours {brief(answer)}")
    for case, answer in failures[: options.max]:
        print(f"FAILED {case['id']} ({case['note']})\n   peer {case['peer']} headers {case['headers']} policy {case['policy']}"
              f" options {case.get('options')}\n   expects {case['expect']['client_ip']} port {case['expect']['client_port']} by"
              f" {case['expect']['source']}, {case['expect']['outcome']}; acceptable {case.get('acceptable_client_ip')}"
              f"\n   ours    {brief(answer)}")
    idle = [rule.name for rule in RULES if not explained[rule.name]]
    if failures:
        by_profile = collections.Counter(case["profile"] for case, _ in failures)
        sys.exit(f"{len(failures)} unexplained: {dict(by_profile)}")
    if idle and not options.case:
        sys.exit(f"these rules explain nothing and must go: {idle}")
    if not count:
        sys.exit("no cases")
    print("all agree or differ by a named rule")


if __name__ == "__main__":
    main()
