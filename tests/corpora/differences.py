"""The named rules by which our answer differs from a peer's in cases.jsonl. Each predicate looks at what the case sends and
at the origin of our own decision, so that a rule explains no more than its name says."""

import collections
import re

Rule = collections.namedtuple("Rule", "name where explains")

BAD_ENTRY = {"entry_malformed", "entry_obfuscated", "entry_empty"}
FAMILIES = {"00", "11", "12", "21", "22", "31", "32"}
ENDS_AT_PROXY = BAD_ENTRY | {"too_few_entries", "peer_trusted_no_header"}


def origin(answer):
    return answer["confidence"]["reasons"][0]["code"] if "confidence" in answer else None


def codes(answer):
    return {r["code"] for r in answer["confidence"]["reasons"]} if "confidence" in answer else set()


def values(case, *names):
    return [v for n, v in case["headers"] if not names or n.lower() in names]


def option(case, name):
    return (case.get("options") or {}).get(name)


def found(pattern, case, *names):
    return any(re.search(pattern, value) for value in values(case, *names))


def peer_not_asked(case):
    """The reader believes headers whoever sent them: no networks, or it never compares the peer with them."""
    return not case["policy"]["trust"] or option(case, "peer_checked") is False


def outcome(case):
    return case["expect"]["outcome"]


def no_answer(case):
    return outcome(case) == "none"


RULES = [
    Rule(
        "an unspecified address is an answer whose class is told",
        "sections 2 and 7, client_special",
        lambda c, _, a: no_answer(c) and a.get("client_ip") in ("0.0.0.0", "::") and a["client"]["class"] == "unspecified",
    ),
    Rule(
        "the peer must be in `trust` before any header counts",
        "section 5",
        lambda c, _, a: origin(a) == "peer_untrusted_direct" and peer_not_asked(c) and c["headers"],
    ),
    Rule(
        "an untrusted peer is the client, also where its reader has no answer",
        "section 5",
        lambda c, _, a: origin(a) == "peer_untrusted_direct" and no_answer(c) and not c["headers"],
    ),
    Rule(
        "a walk that cannot go on answers the last proven hop with level low, not nothing",
        "section 5",
        lambda c, _, a: origin(a) in ENDS_AT_PROXY and no_answer(c) and a["confidence"]["level"] == "low",
    ),
    Rule(
        "where every entry is trusted the leftmost is the client",
        "section 5, all_hops_trusted",
        lambda c, _, a: origin(a) == "all_hops_trusted" and no_answer(c),
    ),
    Rule(
        "an entry that is empty or no address ends the walk and is never skipped or answered",
        "section 5",
        lambda c, _, a: origin(a) in BAD_ENTRY
        and a["client_ip"] != c["expect"]["client_ip"]
        and (option(c, "skip") == "invalid" or c["profile"] in ("proxy-addr", "rails", "ipware")),
    ),
    Rule(
        "an empty entry that the walk reaches ends it",
        "section 4",
        lambda c, _, a: origin(a) == "entry_empty" and c["policy"]["headers"] == ["x-forwarded-for"],
    ),
    Rule(
        "Forwarded is read by the grammar of RFC 7239 alone",
        "section 4",
        lambda c, _, a: origin(a) == "entry_malformed" and c["policy"]["headers"] == ["forwarded"],
    ),
    Rule(
        "octets have no leading zeros",
        "section 2",
        lambda c, _, a: origin(a) == "entry_malformed" and found(r"(^|[.\s,])0\d", c, "x-forwarded-for"),
    ),
    Rule(
        "a space separates nothing",
        "section 4",
        lambda c, _, a: origin(a) == "entry_malformed" and found(r"[\d] +\d", c, "x-forwarded-for"),
    ),
    Rule(
        "brackets hold an IPv6 address with or without a port",
        "section 2",
        lambda c, _, a: origin(a) in ("walk_first_untrusted", "hop_count_only", "all_hops_trusted", "limit_reached")
        and found(r"\[[0-9a-fA-F:.]+\]", c, "x-forwarded-for"),
    ),
    Rule(
        "an IPv4 address may carry a port",
        "section 2",
        lambda c, _, a: origin(a) == "walk_first_untrusted" and found(r"\d+\.\d+\.\d+\.\d+:\d+", c, "x-forwarded-for"),
    ),
    Rule(
        "a single-address header that stands twice is unusable",
        "section 4",
        lambda c, _, a: "single_header_unusable" in codes(a) and len(values(c, *c["policy"]["headers"])) > 1,
    ),
    Rule(
        "a conflict of headers is a reason, not an error",
        "section 5, header_conflict",
        lambda c, _, a: "header_conflict" in codes(a) and outcome(c) == "error",
    ),
    Rule(
        "a peer that is no address has no client",
        "section 5, no_address",
        lambda c, _, a: origin(a) == "no_address",
    ),
    Rule(
        "a zone of the peer is cut off and reported",
        "section 2, zone_dropped",
        lambda c, _, a: "%" in str(c["peer"]) and any(f["code"] == "zone_dropped" for f in a.get("findings", [])),
    ),
    Rule(
        "presented private clients: the mapping makes the list `internal`",
        "README of the corpus; section 5, trust_inversion asks lists alone",
        lambda c, _, a: option(c, "proxy_kind") == "trusted" and origin(a) == "walk_first_untrusted",
    ),
    Rule(
        "CRC32C of a PROXY header is checked",
        "section 4",
        lambda c, _, a: "CRC32C" in a.get("problem", {}).get("detail", "") and "CRC32C" in c["note"],
    ),
    Rule(
        "a family byte outside the list refuses a PROXY header",
        "section 4",
        lambda c, _, a: "family" in a.get("problem", {}).get("detail", "") and c["proxy_protocol_hex"][26:28] not in FAMILIES,
    ),
    Rule(
        "a PROXY header is refused for its form, never for the class of its addresses",
        "section 4",
        lambda c, _, a: origin(a) == "proxy_protocol" and outcome(c) == "reject" and c["profile"] == "envoy",
    ),
    Rule(
        "a bad entry among the first n ends a hop count at the peer",
        "section 5, hop count",
        lambda c, _, a: origin(a) in BAD_ENTRY and c["policy"]["walk"] == "hops" and a["source"] == "peer",
    ),
    Rule(
        "a hop count is 1 to 64",
        "section 5, hop count",
        lambda c, _, a: "config_error" in a and not 1 <= (c["policy"]["hops"] or 0) <= 64,
    ),
    Rule(
        "a configuration that the peer's own interface refuses has no form here",
        "README of the corpus",
        lambda c, _, a: outcome(c) == "config-error" and c["profile"] in ("realclientip", "proxy-addr"),
    ),
    Rule(
        "the n-th entry is the client, however many stand to its left",
        "section 5, hop count",
        lambda c, _, a: origin(a) == "hop_count_only" and no_answer(c) and c["profile"] == "ipware",
    ),
]
