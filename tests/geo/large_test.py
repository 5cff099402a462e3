"""Real files of vendors, installed for this test: geo_runner and the independent reader maxminddb agree on 100,000 random
addresses in each. Usage: large_test.py RUNNER VENV"""
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import venv

RUNNER, VENV = sys.argv[1], sys.argv[2]
venv.enter(VENV, large=True)

import maxminddb  # noqa: E402

import vendors  # noqa: E402

ADDRESSES = 100000
ASN_EVERY = int(os.environ.get("IPTRUST_GEO_ASN_EVERY", "8"))  # 1: the whole, which takes a minute to write


def text(value):
    return value or None


def names(record, *path):
    for key in path:
        record = record.get(key, {}) if isinstance(record, dict) else {}
    return record.get("names", {}).get("en") if isinstance(record, dict) else None


def city_facts(record):
    """What the canonical fields are, read from a DB-IP record by hand."""
    regions = record.get("subdivisions") or [{}]
    location = record.get("location", {})
    return {"country_code": text(record.get("country", {}).get("iso_code")), "country_name": text(names(record, "country")),
            "continent_code": text(record.get("continent", {}).get("code")), "city": text(names(record, "city")),
            "region_name": text(names(regions[0])), "latitude": location.get("latitude"), "longitude": location.get("longitude")}


def country_facts(record):
    return {"country_code": text(record.get("country_code"))}


def addresses(seed, ipv6):
    rng = random.Random(seed)
    for i in range(ADDRESSES):
        if ipv6 and i % 4 == 0:
            yield ":".join(f"{g:x}" for g in [rng.choice([0x2001, 0x2400, 0x2600, 0x2a00, 0x2a02]), *(rng.randrange(1, 65536) for _ in range(7))])
        else:
            yield ".".join(str(rng.randrange(256)) for _ in range(4))


def same(mine, theirs):
    if isinstance(theirs, float):
        return mine is not None and abs(float(mine) - theirs) < 1e-5
    return mine == theirs


def inside_of(ranges):
    """Addresses in ranges and at their edges, with what the range says."""
    rng = random.Random(len(ranges))
    for first, last, number, name in rng.choices(ranges, k=ADDRESSES // 2):
        low, high = int(first), int(last)
        yield str(type(first)(rng.choice((low, high, rng.randrange(low, high + 1))))), (str(number), name)


def compare(path, expected_of, inside=()):
    """inside: ranges of which half of the addresses are drawn."""
    known = dict(inside_of(inside)) if inside else {}
    asked = (list(known) + list(addresses(path.name, True)))[:ADDRESSES]
    run = subprocess.run([RUNNER, "ask", path], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True)
    found, differ, facts, at = 0, [], {}, 0
    with maxminddb.open_database(path) as reader:
        for line in run.stdout.split("\n")[:-1]:
            if line != ".":
                field, _, value = line.split("\t")
                facts[field] = value
                continue
            record = reader.get(asked[at]) or {}
            found += bool(record)
            for field, value in expected_of(record).items():
                if not same(facts.get(field), value):
                    differ.append((asked[at], field, facts.get(field), value))
            if asked[at] in known and (facts.get("asn"), facts.get("as_name")) != known[asked[at]]:
                differ.append((asked[at], "the range", facts, known[asked[at]]))
            facts, at = {}, at + 1
    print(f"{path.name}: {at} addresses, {found} with a record, {len(differ)} differences", *differ[:5], sep="\n  ")
    return at == ADDRESSES and found > ADDRESSES // 4 and not differ


def asn_facts(record):
    number = record.get("autonomous_system_number")
    return {"asn": str(number) if number else None, "as_name": text(record.get("autonomous_system_organization"))}


def compare_asn():
    """A file written here from every ASN_EVERY-th range of the package: also held against the ranges themselves."""
    package = vendors.package(VENV, vendors.ASN)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "asn.mmdb"
        ranges = vendors.write_asn(path, package, ASN_EVERY)
        return compare(path, asn_facts, inside=ranges)


def main():
    good = compare(next(pathlib.Path(VENV).rglob("dbip-city-lite-latest.mmdb")), city_facts)
    good = compare(next(vendors.package(VENV, vendors.COUNTRY).rglob("iptoasn-country.mmdb")), country_facts) and good
    good = compare_asn() and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
