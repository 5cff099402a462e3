"""Lists that change under readers: a view of every real list, decisions while views are published, two readers against one."""

import ipaddress
import json
import os
import pathlib
import subprocess
import sys

from report import Figure, middle

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parents[2] / "shared" / "data" / "ranges"
ENTRIES = 45856  # so many at least, as listed


def run_json(command):
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def real_lists():
    """Name and prefixes of each publisher, services and tags apart as their feeds have them; as listed, doubles included."""
    def load(name):
        return json.loads((REAL / name).read_bytes())
    lists = {}

    def add(name, prefix):
        lists.setdefault("".join(c if c.isalnum() else "-" for c in name.lower())[:60].strip("-"), []).append(prefix)
    aws = load("aws/ip-ranges.json")
    for row in aws["prefixes"] + aws["ipv6_prefixes"]:
        add("aws-" + row["service"], row.get("ip_prefix") or row["ipv6_prefix"])
    # Azure's tags repeat one another: all of it and the one of its proxies.
    for tag in (t for t in load("azure/ServiceTags_Public.json")["values"] if t["name"] in ("AzureCloud", "AzureFrontDoor.Backend")):
        for prefix in tag["properties"]["addressPrefixes"]:
            add("azure-" + tag["name"], prefix)
    for name in ("goog", "cloud"):
        for row in load(f"google/{name}.json")["prefixes"]:
            add("google-" + name, row.get("ipv4Prefix") or row["ipv6Prefix"])
    for region in load("oracle/public_ip_ranges.json")["regions"]:
        for row in region["cidrs"]:
            add("oracle", row["cidr"])
    for name, value in load("github/meta.json").items():
        for text in value if isinstance(value, list) else []:
            try:
                add("github-" + name, str(ipaddress.ip_network(text)))
            except ValueError:
                break  # names of domains and keys
    bunny, fastly, imperva = load("bunny/bunny.json"), load("fastly/public-ip-list"), load("imperva/ips")
    for name, prefixes in (("bunny", bunny["ipv4"] + bunny["ipv6"]), ("fastly", fastly["addresses"] + fastly["ipv6_addresses"]),
                           ("imperva", imperva["ipRanges"] + imperva["ipv6Ranges"]),
                           ("cdn77", [row["prefix"] for row in load("cdn77/prefixes.json")["prefixes"]]),
                           ("cloudflare", (REAL / "cloudflare/ips-v4").read_text().split() + (REAL / "cloudflare/ips-v6").read_text().split()),
                           ("akamai", (REAL / "akamai/akamai_ipv4_CIDRs.txt").read_text().split()
                            + (REAL / "akamai/akamai_ipv6_CIDRs.txt").read_text().split())):
        for prefix in prefixes:
            add(name, prefix)
    for name, path in (("digitalocean", "digitalocean/google.csv"), ("linode", "linode/geoip.linode.com.csv")):
        for line in (REAL / path).read_text().splitlines():
            if line and not line.startswith("#"):
                add(name, line.split(",")[0])
    return lists


def write_config(directory):
    """A list for each, as a configuration of files; how many entries there are."""
    os.makedirs(directory, exist_ok=True)
    lists, total = real_lists(), 0
    with open(os.path.join(directory, "all.yaml"), "w", encoding="ascii") as config:
        config.write("lists:\n")
        for name, prefixes in lists.items():
            total += len(prefixes)
            with open(os.path.join(directory, name + ".txt"), "w", encoding="ascii") as out:
                out.write("".join(prefix + "\n" for prefix in prefixes))
            config.write(f"  {name}: {{file: {name}.txt}}\n")
        config.write("policies: {default: {trust: [cloudflare], deny: {lists: [%s]}}}\n" % ", ".join(lists))
    return total, len(lists)


def measure_building(work, tools, rounds):
    if not REAL.exists():
        print("the real lists are absent (../shared/data/ranges): no figure of building them", flush=True)
        return []
    directory = os.path.join(work, "real-lists")
    total, count = write_config(directory)
    if total < ENTRIES:
        raise SystemExit(f"{total} entries in all real lists: some are missing")
    config = os.path.join(directory, "all.yaml")
    times = [run_json([tools.decide, "build", config]) for _ in range(rounds)]
    context = f"{count} lists; reading the files before takes {middle([t['load_ms'] for t in times], 'ms')}"
    return [Figure(f"a view of all real lists, {total:,} entries: time", [t["view_ms"] for t in times], 50, unit="ms", context=context)]


def measure(work, tools, rounds):
    if os.cpu_count() < 2:
        print("one core: nothing is said about readers beside somebody who publishes", flush=True)
        return measure_building(work, tools, rounds)
    kept = [run_json([tools.views, "slot"]) for _ in range(rounds)]
    waits = [run_json([tools.views, "waits"]) for _ in range(rounds)]

    def ratio(runs):
        return [run["changing_p999_ns"] / run["quiet_p999_ns"] for run in runs]

    def context(runs):
        return (f"quiet {middle([r['quiet_p999_ns'] for r in runs], 'ns')}, changing "
                f"{middle([r['changing_p999_ns'] for r in runs], 'ns')}; {middle([r['published'] for r in runs], 'views')} a second")
    return [*measure_building(work, tools, rounds),
            Figure("decisions while a view is published each ms, p99.9 / quiet", ratio(kept), 1.5, context=context(kept)),
            # This measurement has to find what it looks for: a read side that waits must break the bound above.
            Figure("the same with a read side that waits while a view is built and freed", ratio(waits), 1.5, at_least=True,
                   context=context(waits)),
            Figure("decisions of two reading threads / one", [r["two"] / r["one"] for r in kept], 1.8, at_least=True,
                   context=f"one {middle([r['one'] for r in kept], '/s')}")]


if __name__ == "__main__":
    sys.exit("started by tests/bench/run")
