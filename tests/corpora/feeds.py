#!/usr/bin/env python3
"""Real range feeds: every snapshot must parse to exactly the prefixes that this second reading finds (Python's json, csv
and ipaddress, written from the publishers' formats), every bad answer that was ever kept must be refused, and replaying
the histories must hold exactly what this second calculation of the rule holds (docs/LISTS.md shows which)."""
import argparse
import csv
import datetime
import ipaddress
import json
import pathlib
import subprocess
import sys

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "ranges"


def prefixes(texts):
    return {str(ipaddress.ip_network(text)) for text in texts}


def load(name):
    return json.loads((SHARED / name).read_bytes())


def lines(*names):
    return prefixes(word for name in names for word in (SHARED / name).read_text().split())


def aws(*services):
    data = load("aws/ip-ranges.json")
    rows = [(row["ip_prefix"], row["service"]) for row in data["prefixes"]]
    rows += [(row["ipv6_prefix"], row["service"]) for row in data["ipv6_prefixes"]]
    return prefixes(prefix for prefix, service in rows if service in services)


def google(name):
    return prefixes(row.get("ipv4Prefix") or row["ipv6Prefix"] for row in load(name)["prefixes"])


def azure(*tags):
    found = [row for row in load("azure/ServiceTags_Public.json")["values"] if row["name"] in tags]
    return prefixes(prefix for row in found for prefix in row["properties"]["addressPrefixes"])


def github(*names):
    def is_prefix(text):
        try:
            ipaddress.ip_network(text)
            return True
        except ValueError:
            return False

    data = load("github/meta.json")
    names = names or [name for name, value in data.items()
                      if isinstance(value, list) and all(is_prefix(text) for text in value)]
    return prefixes(text for name in names for text in data[name])


def column(name, number):
    text = [line for line in (SHARED / name).read_text().splitlines() if not line.startswith("#")]
    return prefixes(row[number] for row in csv.reader(text) if row)


def cloudflare_json():
    result = load("cloudflare/ips.json")["result"]
    return prefixes(result["ipv4_cidrs"] + result["ipv6_cidrs"])


def good():
    """Arguments of the runner, files, the prefixes, the version's text."""
    fastly, imperva, bunny = load("fastly/public-ip-list"), load("imperva/ips"), load("bunny/bunny.json")
    oracle, cdn77 = load("oracle/public_ip_ranges.json"), load("cdn77/prefixes.json")
    token, amazon = load("aws/ip-ranges.json")["syncToken"], ["aws/ip-ranges.json"]
    sync = load("google/cloud.json")["syncToken"]
    yield ["cloudflare"], ["cloudflare/ips.json"], cloudflare_json(), load("cloudflare/ips.json")["result"]["etag"]
    pair = ["cloudflare/ips-v4", "cloudflare/ips-v6"]
    yield ["cloudflare", "--alternative", "1"], pair, lines(*pair), "-"
    pair = ["cloudflare/history/ips-v4.2021-08-02", "cloudflare/history/ips-v6.2021-08-02"]
    yield ["cloudflare", "--alternative", "1"], pair, lines(*pair), "-"
    pair[0] = "cloudflare/history/ips-v4.2021-08-11"
    yield ["cloudflare", "--alternative", "1"], pair, lines(*pair), "-"
    for services in (["CLOUDFRONT"], ["CLOUDFRONT_ORIGIN_FACING"], ["GLOBALACCELERATOR"], ["AMAZON"],
                     ["ROUTE53_HEALTHCHECKS", "API_GATEWAY"]):
        yield ["aws"] + [word for name in services for word in ("--service", name)], amazon, aws(*services), token
    yield ["fastly"], ["fastly/public-ip-list"], prefixes(fastly["addresses"] + fastly["ipv6_addresses"]), "-"
    yield (["google-lb"], ["google/goog.json", "google/cloud.json"], {"35.191.0.0/16", "130.211.0.0/22"}, sync)
    yield ["google"], ["google/cloud.json"], google("google/cloud.json"), sync
    yield ["google"], ["google/goog.json"], google("google/goog.json"), sync
    for tag in ("AzureFrontDoor.Backend", "Storage", "AzureCloud"):
        yield ["azure", "--service", tag], ["azure/ServiceTags_Public.json"], azure(tag), "398"
    yield ["bunny"], ["bunny/edgeserverlist", "bunny/edgeserverlist_ipv6"], prefixes(bunny["ipv4"] + bunny["ipv6"]), "-"
    yield ["imperva"], ["imperva/ips"], prefixes(imperva["ipRanges"] + imperva["ipv6Ranges"]), "-"
    yield (["cdn77"], ["cdn77/prefixes.json"], prefixes(row["prefix"] for row in cdn77["prefixes"]),
           cdn77["updated_at"])
    yield (["oracle"], ["oracle/public_ip_ranges.json"],
           prefixes(row["cidr"] for region in oracle["regions"] for row in region["cidrs"]),
           oracle["last_updated_timestamp"])
    yield ["digitalocean"], ["digitalocean/google.csv"], column("digitalocean/google.csv", 0), "-"
    yield ["github"], ["github/meta.json"], github(), "-"
    yield ["github", "--service", "hooks", "--service", "web"], ["github/meta.json"], github("hooks", "web"), "-"
    # The same files, and those of publishers that have no name here, by the generic formats.
    for name in ("akamai/akamai_ipv4_CIDRs.txt", "akamai/akamai_ipv6_CIDRs.txt", "bunny/bunny-ipv4.txt",
                 "bunny/bunny-ipv6.txt"):
        yield ["text"], [name], lines(name), "-"
    yield (["json", "--path", "$['ipv4', 'ipv6'][*]"], ["bunny/bunny.json"], prefixes(bunny["ipv4"] + bunny["ipv6"]), "-")
    yield ["json"], ["bunny/edgeserverlist"], prefixes(load("bunny/edgeserverlist")), "-"
    yield (["json", "--path", "regions[*].cidrs[*].cidr"], ["oracle/public_ip_ranges.json"],
           prefixes(row["cidr"] for region in oracle["regions"] for row in region["cidrs"]), "-")
    yield (["json", "--path", "prefixes[*]['ipv4Prefix','ipv6Prefix']"], ["google/goog.json"],
           google("google/goog.json"), "-")
    yield ["json", "--path", "$.values[0].properties.addressPrefixes"], ["azure/ServiceTags_Public.json"], azure(
        load("azure/ServiceTags_Public.json")["values"][0]["name"]), "-"
    yield ["csv"], ["linode/geoip.linode.com.csv"], column("linode/geoip.linode.com.csv", 0), "-"


# A file that begins so, as the feed that it was served for, with the reason that a person is told.
BAD = {
    "aws-ip-ranges.2017-07-20.odd-createDate": "unparseable",
    "aws-ip-ranges.2018-02-27.ula": "special_purpose",
    "aws-ip-ranges.2020-08-11.class-e": "special_purpose",
    "cloudflare-ips-v6.2021-08-02.contains-ipv4": "wrong_family",
    "digitalocean-google.csv.2022-07-15.empty": "empty",
    "fastly-public-ip-list.2024-10-08.empty": "empty",
}


def bad_arguments(path):
    name = path.name
    if name.startswith("cloudflare-ips-v4"):
        return ["cloudflare", "--alternative", "1", path, SHARED / "cloudflare/ips-v6"]
    if name.startswith("cloudflare-ips-v6"):
        return ["cloudflare", "--alternative", "1", SHARED / "cloudflare/ips-v4", path]
    if name.startswith("aws"):
        return ["aws", "--service", "AMAZON", "--service", "EC2", path]
    if name.startswith("azure"):
        return ["azure", "--service", "AzureFrontDoor.Backend", path]
    return [name.split("-")[0], path]


def ask(runner, *arguments):
    done = subprocess.run([runner, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout.splitlines()


NOW = 1_800_000_000  # after every file of the corpus


# ---- the rule of acceptance once more, on Python's integers ----

LARGE = {4: 1 << 16, 6: 1 << 28}
WEEK = 7 * 86400


def units(texts, version):
    """The union as intervals of IPv4 addresses, or of IPv6 /64s."""
    spans = []
    for network in map(ipaddress.ip_network, texts):
        if network.version == version:
            shift = 64 if version == 6 else 0
            spans.append((int(network[0]) >> shift, int(network[-1]) >> shift))
    union = []
    for first, last in sorted(spans):
        if union and first <= union[-1][1] + 1:
            union[-1] = (union[-1][0], max(union[-1][1], last))
        else:
            union.append((first, last))
    return union


def size(union):
    return sum(last - first + 1 for first, last in union)


def without(union, other):
    common = sum(max(0, min(b, d) - max(a, c) + 1) for a, b in union for c, d in other)
    return size(union) - common


def too_much(gain, base, large):
    return gain * 100 > 300 * base if base >= large else gain > 4 * base and gain > 256


def judge(active, week, candidate):
    """None, or why the candidate is held."""
    for version, large in LARGE.items():
        old, new = units(active, version), units(candidate, version)
        if old and not new:
            return "family_gone"
        if size(old) >= large and without(old, new) * 100 > 25 * size(old):
            return "lost"
        gain = without(new, old)
        bases = [(gain, size(old))]
        if gain:
            bases.append((size(new) - size(units(week, version)), size(units(week, version))))
        if any(too_much(*base, large) for base in bases):
            return "gained"
    return None


def replay(steps):
    """What is held, each accepted by hand in its turn: from then on it is what a later gain is measured against."""
    current, past, held = set(), [], {}
    for when, add, remove in steps:
        candidate = (current - set(remove)) | set(add)
        if past:
            older = [texts for time, texts in past if time <= when - WEEK]
            why = judge(current, older[-1] if older else past[0][1], candidate)
            if why:
                held[when] = why
        if not past or when in held:
            past = []
        past.append((when, candidate))
        current = candidate
        yield when, candidate, held.get(when)


def history(name):
    for line in (SHARED / name).read_text().splitlines():
        step = json.loads(line)
        if "syncToken" in step:
            when = int(step["syncToken"])
        else:
            day = datetime.datetime.strptime(step["date"], "%Y-%m-%d")
            when = int(day.replace(tzinfo=datetime.timezone.utc).timestamp())
        yield when, step["add"], step["remove"]


HISTORIES = [
    ("cloudflare/history/steps.jsonl", ["cloudflare"]),
    ("aws/history/cloudfront.steps.jsonl", ["aws", "--service", "CLOUDFRONT"]),
    ("aws/history/cloudfront_origin_facing.steps.jsonl", ["aws", "--service", "CLOUDFRONT_ORIGIN_FACING"]),
    ("aws/history/globalaccelerator.steps.jsonl", ["aws", "--service", "GLOBALACCELERATOR"]),
    ("aws/history/route53_healthchecks.steps.jsonl", ["aws", "--service", "ROUTE53_HEALTHCHECKS"]),
]


def check_replays(runner, complain):
    count = 0
    for name, arguments in HISTORIES:
        if not (SHARED / name).is_file():
            print(f"{name}: not in the corpus, not replayed")
            continue
        versions = list(replay(history(name)))
        text = "".join(f"at {when}\n" + "".join(f"{prefix}\n" for prefix in sorted(prefixes))
                       for when, prefixes, _ in versions)
        done = subprocess.run([runner, "replay", *arguments], input=text, capture_output=True, text=True, check=True)
        answers = [line.split(" ", 2) for line in done.stdout.splitlines()]
        if [int(answer[0]) for answer in answers] != [when for when, _, _ in versions]:
            complain(f"{name}: {len(answers)} answers to {len(versions)} versions")
            continue
        for (when, _, why), (_, outcome, text) in zip(versions, answers):
            count += 1
            day = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%d")
            if outcome == "held":
                print(f"{name} {day}: held {text}")
            if (f"held {why}" if why else "taken fine") != f"{outcome} {text.split(':')[0]}":
                complain(f"{name} {day}: {outcome} {text}, expected {why}")
    return count


def check_good(runner, complain):
    count = 0
    for arguments, files, expected, version in good():
        answer = ask(runner, "parse", *arguments, *(SHARED / name for name in files))
        what = " ".join(arguments + files)
        count += 1
        if not answer[0].startswith("version "):
            complain(f"{what}: {answer[0]}")
            continue
        if answer[0].split()[1] != version:
            complain(f"{what}: {answer[0]}, expected {version}")
        found = answer[1:]
        if len(found) != len(set(found)) or set(found) != expected or not expected:
            complain(f"{what}: {len(found)} prefixes, expected {len(expected)};"
                     f" differ: {sorted(set(found) ^ expected)[:5]}")
    return count


def check_bad(runner, complain):
    count = 0
    for path in sorted((SHARED / "bad").iterdir()):
        reason = next((reason for front, reason in BAD.items() if path.name.startswith(front)), "unparseable")
        answer = ask(runner, "parse", "--now", str(NOW), *bad_arguments(path))
        count += 1
        print(f"{path.name}: {answer[0]}")
        if not answer[0].startswith(f"refused {reason}: "):
            complain(f"{path.name}: {answer[0][:100]}, expected refused {reason}")
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", required=True)
    runner = parser.parse_args().runner
    if not SHARED.is_dir():
        print("corpus absent, skipped")
        return 0
    wrong = []
    count = check_good(runner, wrong.append)
    refused = check_bad(runner, wrong.append)
    replayed = check_replays(runner, wrong.append)
    for line in wrong:
        print(line)
    print(f"corpus: {count} feeds, {refused} bad answers, {replayed} versions replayed, {len(wrong)} wrong")
    return 1 if wrong or 0 in (count, refused, replayed) else 0


if __name__ == "__main__":
    sys.exit(main())
