#!/usr/bin/env python3
"""Shows that the tests of the decision can fail: copies the tree, applies one seeded mutant at a time, builds the property
program and the golden runner, and demands that the check it is meant for catches it.

  run.py                  all mutants
  run.py NAME...          these alone
  run.py --keep           leave the copy for a look"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mutants import MUTANTS  # noqa: E402

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
REQUESTS = "24000"
LIBRARIES = ("base", "net", "wire", "view", "resolve")


class Tree:
    """A copy of the checkout with a build of its own."""

    def __init__(self, where):
        self.root = where / "tree"
        skip = shutil.ignore_patterns("build", ".git", "__pycache__")
        shutil.copytree(CHECKOUT, self.root, ignore=skip)
        self.build_directory = where / "build"
        self.run(["cmake", "-G", "Ninja", "-S", str(self.root), "-B", str(self.build_directory), "-DCMAKE_BUILD_TYPE=Debug",
                  "-DCMAKE_C_FLAGS_DEBUG=-O1"], check=True)

    def run(self, command, check=False):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stdout[-4000:]}")
        return done

    def build(self):
        return self.run(["ninja", "-C", str(self.build_directory), "property", "case_runner"])

    def properties(self):
        """The property program's output and that of the symbol check."""
        program = self.build_directory / "tests" / "property" / "property"
        told = self.run([str(program), str(self.root / "tests" / "property"), REQUESTS])
        archives = [str(self.build_directory / "service" / name / f"libipt_{name}.a") for name in LIBRARIES]
        symbols = self.run([sys.executable, str(self.root / "tests" / "property" / "no_resolver.py"), *archives])
        return told.stdout + symbols.stdout, told.returncode != 0 or symbols.returncode != 0

    def golden(self):
        runner = self.build_directory / "tests" / "golden" / "case_runner"
        told = self.run([sys.executable, str(self.root / "tests" / "golden" / "run.py"), "--runner", str(runner), "--max", "1"])
        return told.stdout, told.returncode != 0


def mutate(path, changes):
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        if text.count(old) != 1:
            return f"`{old.strip().splitlines()[0]}` stands {text.count(old)} times"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return None


def caught_by(output, golden_failed):
    """The checks that saw the mutant, as `catches` names them."""
    seen = set()
    for line in output.splitlines():
        if not line.startswith("FAILED "):
            continue
        told = line[len("FAILED "):]
        for name in ("I7 emptied", "I7 aged", "short and full", "I10", "I1 ", "I2", "I3", "I4", "I5", "I6", "I8", "I9"):
            if told.startswith(name):
                seen.add("detail" if name == "short and full" else name.strip())
                break
    if golden_failed:
        seen.add("golden")
    return seen


def try_mutant(tree, mutant):
    """None when it is caught as meant, else what went wrong."""
    path = tree.root / mutant.file
    original = path.read_bytes()
    try:
        stale = mutate(path, mutant.changes)
        if stale:
            return f"does not apply to {mutant.file}: {stale}"
        built = tree.build()
        if built.returncode != 0:
            return f"does not build:\n{built.stdout[-1500:]}"
        output = "" if mutant.catches == "golden" else tree.properties()[0]
        _, golden_failed = tree.golden()
        seen = caught_by(output, golden_failed)
        print(f"  {mutant.name:36} meant for {mutant.catches:10} caught by {', '.join(sorted(seen)) or 'NOTHING'}", flush=True)
        return None if mutant.catches in seen else f"{mutant.catches} did not see it"
    finally:
        path.write_bytes(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if not options.names or m.name in options.names]
    where = pathlib.Path(tempfile.mkdtemp(prefix="iptrust-mutants-"))
    failures = []
    try:
        tree = Tree(where)
        built = tree.build()
        if built.returncode != 0:
            sys.exit(built.stdout[-4000:])
        output, failed = tree.properties()
        told, golden_failed = tree.golden()
        if failed or golden_failed:
            sys.exit(f"the tree itself fails, so nothing can be shown:\n{output[-1500:]}\n{told[-1500:]}")
        for mutant in chosen:
            wrong = try_mutant(tree, mutant)
            if wrong:
                failures.append(f"{mutant.name}: {wrong}")
    finally:
        if not options.keep:
            shutil.rmtree(where)
    print(f"mutants: {len(chosen)} tried, {len(chosen) - len(failures)} caught by the check they are meant for")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(bool(failures) or len(chosen) == 0)


if __name__ == "__main__":
    main()
