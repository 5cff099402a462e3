#!/usr/bin/env python3
"""Writes the expected bytes of the golden cases from the library's answers. It refuses to write a decision that contradicts
the case's `expect`, which is derived by hand from decision.md: the bytes then pin everything else. Review the diff of
tests/golden/expected like code.

  record.py --runner build/x/tests/golden/case_runner [group]"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ask  # noqa: E402
import cases  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--dry", action="store_true", help="write nothing, show what contradicts")
    parser.add_argument("group", nargs="?")
    options = parser.parse_args()
    written = same = refused = 0
    wanted = set()
    with ask.Library(options.runner) as library:
        for group, config, listed in cases.groups(options.group):
            for case in listed:
                path = cases.bytes_of(group, case)
                wanted.add(path)
                line = ask.golden(library, config, case)
                if line.startswith(b'{"config_error"') and "config" not in case:
                    sys.exit(f"{config.name}: {line.decode()}")
                wrong = cases.contradictions(case, line)
                if wrong:
                    refused += 1
                    print(f"REFUSED {group}/{case['id']}: {case['note']}")
                    for difference in wrong:
                        print(f"    {difference}")
                    continue
                data = cases.reduced(line) + b"\n"
                if path.exists() and path.read_bytes() == data:
                    same += 1
                    continue
                written += 1
                if not options.dry:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
    if options.group is None and not options.dry:
        for path in cases.EXPECTED.glob("*/*.json"):
            if path not in wanted:
                path.unlink()
                print(f"removed {path.name}: no such case")
    print(f"{written} written, {same} unchanged, {refused} refused")
    sys.exit(refused > 0)


if __name__ == "__main__":
    main()
