"""Hostile files: the corpus beside the checkout and 2,000 mutants of it, mutants of files of every schema written here, and a file
that is truncated, overwritten and renamed under look-ups. Whatever happens, no signal and no report of a sanitizer.
Usage: hostile_test.py RUNNER CORPUS SEEDS VENV"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import venv

RUNNER, CORPUS, SEEDS = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
venv.enter(sys.argv[4])

import schemas  # noqa: E402

MUTANTS, WRITTEN, CHANGES, LOOKUPS = 2000, 900, 300, 100000


def check(paths):
    run = subprocess.run([RUNNER, "check"], input="".join(f"{p}\n" for p in paths), capture_output=True, text=True, timeout=240)
    if run.returncode != 0:
        raise AssertionError(f"exit {run.returncode} after {run.stdout.splitlines()[-1:]}\n{run.stderr[-4000:]}")
    return {line.split("\t")[2]: line.split("\t") for line in run.stdout.splitlines()}


def mutate(rng, data):
    """One or two small damages; a third of them where the metadata stand, which decide how the rest is read."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 3)):
        if len(data) < 2:
            break
        low = max(0, len(data) - 300) if rng.random() < 0.3 else 0
        at = rng.randrange(low, len(data))
        how = rng.randrange(6)
        if how == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at] = rng.choice([0, 1, 0x20, 0x3f, 0x5f, 0x7f, 0x80, 0xe0, 0xff])
        elif how == 2:
            del data[at:at + rng.randrange(1, 64)]
        elif how == 3:
            data[at:at] = rng.randbytes(rng.randrange(1, 16))
        elif how == 4:
            other = rng.randrange(len(data))
            data[at:at + 8] = data[other:other + 8]
        elif rng.random() < 0.2:
            del data[at:]
    return bytes(data)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def files(self):
        if CORPUS.is_dir():
            return sorted(CORPUS.rglob("*.mmdb"))
        print("corpus absent, only our own seeds are mutated", flush=True)
        return []

    def test_the_corpus_is_judged(self):
        files = self.files()
        if not files:
            self.skipTest("corpus absent, skipped")
        told = check(files)
        self.assertEqual(len(told), len(files))
        loaded = {p for p, line in told.items() if line[0] == "loaded"}
        self.assertEqual([p for p in loaded if "/bad-data/" in p or "roken" in p or "Invalid" in p], [])
        self.assertGreaterEqual(len(loaded), 15)
        print(f"corpus: {len(files)} cases, {len(loaded)} loaded")

    def mutants(self, sources, count, seed):
        rng, paths = random.Random(seed), []
        for i in range(count):
            path = os.path.join(self.dir.name, f"mutant-{i}.mmdb")
            with open(path, "wb") as f:
                f.write(mutate(rng, sources[i % len(sources)].read_bytes()))
            paths.append(path)
        told = check(paths)
        self.assertEqual(len(told), count)
        loaded = sum(line[0] == "loaded" for line in told.values())
        self.assertGreater(loaded, count // 20)  # else the mutants would only try the refusal
        self.assertGreater(count - loaded, count // 5)
        return loaded

    def test_no_mutant_ends_the_process(self):
        sources = self.files() + sorted(p for p in SEEDS.iterdir() if p.is_file())
        print(f"mutants: {MUTANTS}, {self.mutants(sources, MUTANTS, 6)} loaded, the others refused")

    def test_no_mutant_of_a_written_file_ends_the_process(self):
        sources = [pathlib.Path(p) for p in schemas.write_all(self.dir.name)]
        told = check(sources)
        self.assertEqual({line[0] for line in told.values()}, {"loaded"})
        loaded = self.mutants(sources, WRITTEN, 7)
        print(f"mutants of {len(sources)} written files: {WRITTEN}, {loaded} loaded, the others refused")

    def test_a_file_changed_under_look_ups(self):
        seed = SEEDS / "flat-ipv4-24"
        data, path = seed.read_bytes(), os.path.join(self.dir.name, "x.mmdb")
        shutil.copy(seed, path)
        run = subprocess.Popen([RUNNER, "live", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        rng = random.Random(3)
        for i in range(CHANGES):
            if i % 3 == 0:
                os.truncate(path, rng.randrange(len(data)))
            elif i % 3 == 1:
                with open(path, "r+b") as f:
                    f.write(rng.randbytes(rng.randrange(1, len(data))))
            else:
                with open(path + ".new", "wb") as f:
                    f.write(data)
                os.rename(path + ".new", path)
            time.sleep(0.02)
        time.sleep(0.5)
        out, err = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, err[-4000:])
        lookups, found, taken, refused, loaded, _ = (int(n) for n in out.split())
        self.assertGreaterEqual(lookups, LOOKUPS)
        self.assertGreater(found, 0)
        self.assertGreater(taken, 20)
        self.assertGreater(refused, 20)
        self.assertEqual(loaded, 1)
        print(f"{CHANGES} changes under {lookups} look-ups: {taken} taken over, {refused} refused")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
