#!/usr/bin/env python3
"""Compares our answer with nginx 1.22.1, real_ip_recursive on, over ../shared/data/peers/vectors.json. A difference must
carry a named rule of decision.md; one without is a failure, and so is a rule that explains nothing."""

import argparse
import ipaddress
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import ask  # noqa: E402

VECTORS = ask.SHARED / "data" / "peers" / "vectors.json"
PEER = "127.0.0.1"
CONFIG = {
    "lists": {
        "ours": {
            "prefixes": ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48"],
            "internal": True,
            "broad": "accepted",
        }
    },
    "policies": {"default": {"trust": ["ours"], "read": ["x-forwarded-for"], "clients": "any"}},
}

# rule -> (where decision.md says so, {vector: our answer}). The answers are written by hand from the text.
RULES = {
    "an empty entry ends the walk": (
        "section 4: an empty entry that the walk reaches ends it; nginx skips it",
        {"trail_comma": PEER, "double_comma": "10.0.0.1", "trail_sp": PEER},
    ),
    "brackets need no port": (
        "section 2: [v6] is an address; nginx 1.22 takes brackets with a port alone",
        {"v6_br": "2001:4860:4860::8888", "v6_trusted_br": "8.8.8.8"},
    ),
    "octets have no leading zeros and are never empty": (
        "section 2: dotted quad without leading zeros; nginx reads decimal and empty octets",
        {"dotdot": PEER, "octal_chain": PEER},
    ),
    "a tab is white space": (
        "section 4: SP and HTAB around an entry are trimmed; nginx knows the space alone",
        {"tab_sep": "8.8.8.8"},
    ),
    "broadcast is an address": (
        "section 2: 255.255.255.255 is a dotted quad with a class of its own; nginx refuses it",
        {"bcast": "255.255.255.255"},
    ),
}


def ours(library, vector):
    request = {"peer": PEER, "headers": [["X-Forwarded-For", line] for line in vector["xff"]]}
    return json.loads(library.ask(json.dumps(CONFIG), json.dumps(request)))


def same(address, text):
    try:
        a, b = ipaddress.ip_address(address), ipaddress.ip_address(text)
    except ValueError:
        return address == text
    return (getattr(a, "ipv4_mapped", None) or a) == (getattr(b, "ipv4_mapped", None) or b)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runner", required=True)
    options = parser.parse_args()
    if not VECTORS.exists():
        if ask.SHARED.is_dir():
            sys.exit(f"corpus: 0 cases ({VECTORS} is missing)")
        print(f"corpus absent, skipped: {VECTORS}")
        return
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    named = {name: (rule, answer) for rule, (_, answers) in RULES.items() for name, answer in answers.items()}
    failures, by_rule = [], {}
    with ask.Library(options.runner) as library:
        for vector in vectors:
            got = ours(library, vector)
            address, _, port = vector["nginx_rec"].partition(" ")
            agree = same(got.get("client_ip"), address)
            if agree and port and not same(address, PEER):  # of the peer nginx tells the socket's own port
                agree = got["client_port"] == int(port)
            rule, answer = named.pop(vector["name"], (None, None))
            if rule is None and not agree:
                failures.append(f"{vector['name']} {vector['xff']}: nginx {vector['nginx_rec']}, ours {got}")
            elif rule is not None and agree:
                failures.append(f"{vector['name']}: agrees with nginx, so the rule '{rule}' explains nothing")
            elif rule is not None and not same(got.get("client_ip"), answer):
                failures.append(f"{vector['name']}: '{rule}' gives {answer}, ours {got}")
            elif rule is not None:
                by_rule.setdefault(rule, []).append(vector["name"])
    failures += [f"{name}: named by a rule and not in the file" for name in named]
    print(f"corpus: {len(vectors)} cases")
    for rule, names in by_rule.items():
        print(f"  differs from nginx: {rule}: {', '.join(names)}")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(bool(failures) or not vectors)


if __name__ == "__main__":
    main()
