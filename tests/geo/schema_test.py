"""Files of every vendor's schema, written by an independent writer and read back by an independent reader: geo_runner tells
of random addresses what maxminddb does. Usage: schema_test.py RUNNER VENV"""
import random
import subprocess
import sys
import tempfile
import unittest

import venv

RUNNER, VENV = sys.argv[1], sys.argv[2]
venv.enter(VENV)

import maxminddb  # noqa: E402

import schemas  # noqa: E402

def ask(files, addresses):
    """For each address {field: (value, file)}; fields named not_covered hold lists of files."""
    run = subprocess.run([RUNNER, "ask", *files], input="\n".join(addresses) + "\n", capture_output=True, text=True, check=True)
    answers, facts = [], {}
    for line in run.stdout.split("\n")[:-1]:
        if line == ".":
            answers.append(facts)
            facts = {}
        else:
            field, file, value = line.split("\t")
            facts[field] = (value, file)
    return answers


class Schemas(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def write(self, *args, **options):
        return schemas.write(self.dir.name, *args, **options)

    def test_every_schema_is_found_by_its_paths(self):
        for name, (database_type, record, expected, options) in schemas.SCHEMAS.items():
            with self.subTest(schema=name):
                path = self.write(name.replace(" ", "-"), [(["8.8.0.0/16", "2001:db8::/32"], record)], database_type, **options)
                answers = ask([path], ["8.8.8.8", "2001:db8::1", "9.9.9.9"])
                for answer in answers[:2]:
                    self.assertEqual({k: v[0] for k, v in answer.items()}, expected)
                    self.assertEqual({v[1] for v in answer.values()}, {name.replace(" ", "-")})
                self.assertEqual(answers[2], {})

    def test_a_split_pair_answers_for_both_families(self):
        four = self.write("country-ipv4", [(["8.8.0.0/16"], {"country_code": "US"})], "country ipv4", ip_version=4)
        six = self.write("country-ipv6", [(["2001:db8::/32"], {"country_code": "JP"})], "country ipv6")
        answers = ask([four, six], ["8.8.8.8", "2001:db8::1", "2001:db9::1"])
        self.assertEqual([a.get("country_code") for a in answers], [("US", "country-ipv4"), ("JP", "country-ipv6"), None])
        self.assertEqual(["not_covered" in a for a in answers], [False, True, True])

    def test_an_independent_reader_agrees_in_every_record_size(self):
        for record_size in (24, 28, 32):
            with self.subTest(record_size=record_size):
                self.agree(random.Random(20261122 + record_size), record_size)

    def agree(self, rng, record_size):
        networks = [([f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.0/24"],
                     {"country": {"iso_code": rng.choice(["DE", "US", "JP"])}, "asn": f"AS{rng.randrange(1, 70000)}"})
                    for _ in range(2000)]
        path = self.write("random", networks, "random", ip_version=4, record_size=record_size)
        addresses = [n[0][0].replace(".0/24", f".{rng.randrange(256)}") for n in networks]
        addresses += [".".join(str(rng.randrange(256)) for _ in range(4)) for _ in range(8000)]
        answers, found = ask([path], addresses), 0
        self.assertEqual(len(answers), len(addresses))
        with maxminddb.open_database(path) as reader:
            self.assertEqual(reader.metadata().record_size, record_size)
            for address, facts in zip(addresses, answers):
                record = reader.get(address) or {}
                found += bool(record)
                self.assertEqual(facts.get("country_code", (None,))[0], record.get("country", {}).get("iso_code"), address)
                self.assertEqual(facts.get("asn", (None,))[0], record.get("asn", "AS")[2:] or None, address)
        self.assertGreaterEqual(found, len(networks))
        print(f"records of {record_size} bits: {len(addresses)} addresses, {found} with a record, all agree with the independent reader")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
