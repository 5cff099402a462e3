#!/usr/bin/env python3
"""Runs the 2,000 generated cases of ../shared/data/cases, each with the whole decision that an independent, slow
implementation of decision.md expects. Compares what its README lists and nothing else.

  generated.py --runner build/x/tests/golden/case_runner            all, a histogram and the first failures
  generated.py --runner ... --case 17                               one, with configuration, request and both answers
  generated.py --runner ... --field 'chain.verdict'                 only the failures that differ there
"""

import argparse
import base64
import collections
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import ask  # noqa: E402

CASES = ask.SHARED / "data" / "cases" / "generated.jsonl"

# Cases whose expected answer contradicts the text of decision.md, which then decides: number -> the rule. Each is
# explained in docs/TESTING.md.
TEXT_DECIDES = {}

# Codes that interfaces.md names for exactly one situation; every other refusal counts as one, whatever its code.
NAMED_CODES = {"bad_proxy_protocol", "ambiguous_header"}

FIELDS = ("client_ip", "client_port", "complete", "source", "client", "confidence", "chain", "findings", "keys")


def normal(decision):
    """What the README compares, in one shape for both sides; differences are then between leaves."""
    if "problem" in decision or "error" in decision:
        code = decision["problem"]["code"] if "problem" in decision else decision["error"]
        return {"refused": code if code in NAMED_CODES else "any"}
    if "config_error" in decision or "broken" in decision:
        return decision
    out = {name: decision.get(name, "(missing)") for name in FIELDS}
    confidence = out["confidence"]
    out["confidence"] = {
        "level": confidence["level"],
        "reasons": [r["code"] + (f"({r['count']})" if "count" in r else "") for r in confidence["reasons"]],
    }
    out["chain"] = [{k: v for k, v in hop.items() if k != "list_revision"} for hop in out["chain"]]
    out["findings"] = [f"{f['code']}:{f['header']}" for f in out["findings"]]
    return out


def one(hop):
    """A hop or any other item on one line."""
    if isinstance(hop, dict):
        return " ".join(f"{k}={v if isinstance(v, (int, str)) else json.dumps(v)}" for k, v in hop.items())
    return str(hop)


def differences(want, got, path=""):
    """(histogram name, where, expected, got) of each leaf that differs."""
    if want == got:
        return
    if not path and want.keys() != got.keys():
        yield "outcome", "outcome", verdict_line(want), verdict_line(got)
    elif isinstance(want, dict) and isinstance(got, dict):
        for key in list(want) + [k for k in got if k not in want]:
            yield from differences(want.get(key, "(absent)"), got.get(key, "(absent)"), f"{path}.{key}" if path else key)
    elif path == "chain":
        for i in range(max(len(want), len(got))):
            w = want[i] if i < len(want) else "(no item)"
            g = got[i] if i < len(got) else "(no item)"
            if w == g:
                continue
            if isinstance(w, dict) and isinstance(g, dict):
                keys = [k for k in list(w) + [x for x in g if x not in w] if w.get(k) != g.get(k)]
                for key in keys:
                    yield f"chain.{key}", f"chain[{i}].{key}", w.get(key, "(absent)"), g.get(key, "(absent)")
            else:
                yield "chain.length", f"chain[{i}]", one(w), one(g)
    elif isinstance(want, list) and isinstance(got, list):
        lost = [x for x in want if x not in got]
        more = [x for x in got if x not in want]
        for item in lost:
            yield f"{path} lacks {item.split(':')[0].split('(')[0]}", path, item, "-"
        for item in more:
            yield f"{path} has {item.split(':')[0].split('(')[0]}", path, "-", item
        if not lost and not more:
            yield f"{path} order", path, want, got
    else:
        yield path, path, want, got


def verdict_line(answer):
    if "refused" in answer:
        return f"refused {answer['refused']}"
    if "confidence" not in answer:
        return json.dumps(answer)
    c = answer["confidence"]
    return (f"{answer['client_ip']} port {answer['client_port']} complete {answer['complete']} by {answer['source']}: "
            f"{c['level']} [{', '.join(c['reasons'])}]")


def print_config(config):
    for name, spec in config["lists"].items():
        print(f"    list {name}: {json.dumps(spec)}")
    for name, spec in config["policies"].items():
        print(f"    policy {name}:")
        for key, value in spec.items():
            print(f"      {key}: {json.dumps(value)}")
    for key, value in config.items():
        if key not in ("lists", "policies"):
            print(f"    {key}: {json.dumps(value)}")


def print_request(request):
    for key, value in request.items():
        if key == "headers" and isinstance(value, list):
            for name, text in value:
                print(f"    {name}: {text if isinstance(text, str) else json.dumps(text)}")
        elif key == "proxy_protocol":
            try:
                print(f"    proxy_protocol: {base64.b64decode(value)!r}")
            except ValueError:
                print(f"    proxy_protocol: {value}")
        else:
            print(f"    {key}: {json.dumps(value)}")


def side_by_side(want, got):
    def rows(answer):
        if "chain" not in answer:
            yield "answer", json.dumps(answer)
            return
        for key in ("client_ip", "client_port", "complete", "source"):
            yield key, str(answer[key])
        yield "client", one(answer["client"])
        yield "level", answer["confidence"]["level"]
        for i, reason in enumerate(answer["confidence"]["reasons"]):
            yield f"reason {i}", reason
        for i, hop in enumerate(answer["chain"]):
            yield f"hop {i}", one(hop)
        for i, finding in enumerate(answer["findings"]):
            yield f"finding {i}", finding
        for key, value in answer["keys"].items():
            yield f"key {key}", str(value)

    left, right = dict(rows(want)), dict(rows(got))
    order = list(left) + [k for k in right if k not in left]
    rank = ["answer", "client_ip", "client_port", "complete", "source", "client", "level", "reason", "hop", "finding", "key"]
    place = {key: i for i, key in enumerate(order)}
    for key in sorted(order, key=lambda k: (rank.index(k.split(" ")[0]), place[k])):
        w, g = left.get(key, "-"), right.get(key, "-")
        if w == g:
            print(f"      {key:14} {w}")
        else:
            print(f"  <<  {key:14} {w}   (expected)")
            print(f"  >>  {key:14} {g}   (got)")


def show(number, case, want, got, raw):
    print(f"case {number}   caller {case['caller']}   now {case['now']}")
    print("  configuration")
    print_config(case["config"])
    print("  request")
    print_request(case["request"])
    print("  expected against got")
    side_by_side(want, got)
    if "problem" in raw or "error" in case["expected"]:
        print(f"  raw: expected {json.dumps(case['expected'])[:200]}\n       got      {json.dumps(raw)[:200]}")


def run(library, number, case):
    library.files(case["files"])
    line = library.ask(json.dumps(case["config"]), json.dumps(case["request"]), case["caller"], case["now"])
    try:
        raw = json.loads(line)
    except ValueError as err:
        raw = {"broken": f"not JSON: {err}: {line[:200]!r}"}
    return raw, normal(case["expected"]), normal(raw)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--case", type=int, help="show this case whole (numbers count from 0, the line of the file less one)")
    parser.add_argument("--max", type=int, default=10, help="failures to print (default 10)")
    parser.add_argument("--field", help="print only failures whose difference begins with this, e.g. chain.verdict")
    parser.add_argument("--full", action="store_true", help="print the failures as --case does")
    options = parser.parse_args()

    if not CASES.exists():
        if ask.SHARED.is_dir():
            sys.exit(f"corpus: 0 cases ({CASES} is missing)")
        print(f"corpus absent, skipped: {CASES}")
        return
    cases = [json.loads(line) for line in CASES.open(encoding="utf-8")]

    histogram = collections.Counter()
    by_field = collections.defaultdict(list)
    failed, printed, overruled = [], 0, []
    with ask.Library(options.runner) as library:
        if options.case is not None:
            raw, want, got = run(library, options.case, cases[options.case])
            show(options.case, cases[options.case], want, got, raw)
            sys.exit(want != got)
        for number, case in enumerate(cases):
            raw, want, got = run(library, number, case)
            diffs = list(differences(want, got))
            if number in TEXT_DECIDES:
                if not diffs:
                    sys.exit(f"case {number} agrees: take it out of TEXT_DECIDES")
                overruled.append(number)
                continue
            if not diffs:
                continue
            failed.append(number)
            for name in sorted({d[0] for d in diffs}):
                histogram[name] += 1
                by_field[name].append(number)
            if printed >= options.max or (options.field and not any(d[0].startswith(options.field) for d in diffs)):
                continue
            printed += 1
            if options.full:
                show(number, case, want, got, raw)
                continue
            print(f"case {number}: {len(diffs)} differences")
            print(f"  expected {verdict_line(want)}\n  got      {verdict_line(got)}")
            for _, where, w, g in diffs[:12]:
                if not where.startswith(("outcome", "confidence", "client_ip", "client_port", "complete", "source")):
                    print(f"    {where}: expected {w}, got {g}")

    print(f"corpus: {len(cases)} cases")
    if overruled:
        print(f"the text of decision.md decides against the expected answer in {len(overruled)}: {overruled}")
    if not cases:
        sys.exit("no cases")
    if failed:
        print(f"{len(failed)} differ, in")
        for name, count in histogram.most_common():
            print(f"  {count:5}  {name:45} {' '.join(map(str, by_field[name][:8]))}")
        sys.exit(1)
    print("all agree")


if __name__ == "__main__":
    main()
