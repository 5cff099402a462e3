"""Reads the golden cases and judges an answer against what was derived by hand."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
EXPECTED = HERE / "expected"


def groups(only=None):
    for path in sorted(HERE.glob("*.jsonl")):
        if only is None or path.stem == only:
            with path.open(encoding="utf-8") as lines:
                yield path.stem, HERE / f"{path.stem}.yaml", [json.loads(line) for line in lines]


def bytes_of(group, case):
    return EXPECTED / group / f"{case['id']}.json"


def for_faces(case):
    """Whether the command line and REST can be asked: not with a clock, a caller class, facts of a face or a
    configuration of its own."""
    return not {"now", "caller", "facts", "config"} & case.keys()


def reduced(line):
    """What is compared as bytes: a decision as it is, of a refusal the code alone (its wording belongs to the faces)."""
    answer = json.loads(line)
    problem = answer.get("problem", answer if "code" in answer else None)
    return json.dumps({"problem": problem["code"]}).encode() if problem else line


def within(want, got, path):
    """Differences where got does not hold want: objects may have more keys, lists must have the same length."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key, value in want.items():
            yield from within(value, got.get(key), f"{path}.{key}")
    elif isinstance(want, list) and isinstance(got, list) and path.endswith("chain"):
        if len(want) != len(got):
            yield f"{path}: {len(want)} items by hand, {len(got)} got"
        for i, (w, g) in enumerate(zip(want, got)):
            yield from within(w, g, f"{path}[{i}]")
    elif want != got:
        yield f"{path}: {json.dumps(want)} by hand, {json.dumps(got)} got"


def contradictions(case, line):
    """Where an answer contradicts the case's hand-written `expect`."""
    expect = case["expect"]
    try:
        answer = json.loads(line)
    except ValueError as error:
        return [f"no JSON: {error}"]
    if "config_error" in expect:
        told = " | ".join(answer.get("config_error", []))
        return [] if expect["config_error"] in told else [f"{expect['config_error']!r} by hand, {told or answer!r} got"]
    if "problem" in expect:
        return list(within(expect, json.loads(reduced(line)), ""))
    if "client_ip" not in answer:
        return [f"no decision: {line[:300].decode()}"]
    confidence = answer["confidence"]
    told = {
        "level": confidence["level"],
        "reasons": [r["code"] + (f"({r['count']})" if "count" in r else "") for r in confidence["reasons"]],
        "findings": [f"{f['code']}:{f['header']}" for f in answer["findings"]],
    }
    return list(within(expect, {**answer, **told}, ""))
