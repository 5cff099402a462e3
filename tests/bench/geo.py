"""What databases cost a decision: City from a file of 104 MB and networks from one written from ip-location-db, random addresses.
Ours against libmaxminddb's own look-up of the same paths, in turns within one process, and against maxminddb-golang."""

import json
import pathlib
import subprocess

from report import Figure, middle, ratios

ADDRESSES = 400000  # of bench_geo


def run_json(command):
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def agree(ours, theirs):
    """All three find the same, but for what we take for absent: a name that is too long, network 0."""
    mine, bare = ours["ours_found"] + ours["bare_found"], theirs["v1_found"]
    if abs(mine - bare) > bare / 1000 or theirs["v2_found"] != bare:
        raise SystemExit(f"geo: the sides disagree: {mine} fields here, {bare} and {theirs['v2_found']} in Go")


def measure(work, tools, rounds):
    city = next(pathlib.Path(work).rglob("dbip-city-lite-latest.mmdb"))
    files = [str(city), str(pathlib.Path(work) / "asn.mmdb")]
    ours, theirs = [], []
    for number in range(rounds):
        sides = [lambda: ours.append(run_json([tools.geo, *files, "1"])),
                 lambda: theirs.append(run_json([tools.geo_go, *files, str(ADDRESSES), "1"]))]
        for side in sides if number % 2 == 0 else sides[::-1]:
            side()
        agree(ours[-1], theirs[-1])
        print(f"round {number + 1}, geo: ours {ours[-1]['ours_ns']:.0f} ns, libmaxminddb {ours[-1]['bare_ns']:.0f} ns, "
              f"Go {theirs[-1]['v1_ns']:.0f} ns (v2 {theirs[-1]['v2_ns']:.0f})", flush=True)
    mine, bare = [r["ours_ns"] for r in ours], [r["bare_ns"] for r in ours]
    one, two = [r["v1_ns"] for r in theirs], [r["v2_ns"] for r in theirs]
    return [
        Figure("City and network of an address, ours / libmaxminddb alone", ratios(mine, bare), 1.15,
               context=f"ours {middle(mine, 'ns')}, libmaxminddb {middle(bare, 'ns')}"),
        Figure("City and network of an address, ours / Go maxminddb v1", ratios(mine, one), 1,
               context=f"Go {middle(one, 'ns')}, v2 {middle(two, 'ns')}: ours / v2 {middle(ratios(mine, two), '')}".rstrip()),
    ]
