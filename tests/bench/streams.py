"""Draws what the benchmark runs on: prefix tables and streams of requests, the same bytes for the same seed.

A prefix file has one prefix a line. A stream file has one request a line: the peer, a tab, the value of its
X-Forwarded-For header. Peers are inside the table, so that every walk starts; of the header's addresses one half is.
"""

import random

REQUESTS = 65536  # distinct header sets of one stream
ENTRIES = 4       # addresses of one header
INSIDE = 0.5      # of the entries

# First octets without special-purpose space in them, so that every drawn address is a global one.
V4_FIRST = [o for o in range(1, 224) if o not in (10, 100, 127, 169, 172, 192, 198, 203)]
# The egress of Cloudflare is in its list, but never a hop, which the bare walk knows nothing of.
V6_EGRESS = (0x2A0698C03600, 48)


def v4_text(value):
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def v6_text(value):
    """All eight groups: the drawn addresses have no run of zeros worth a `::`."""
    return ":".join(f"{value >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))


def v6_prefix_text(value, bits):
    groups = [value >> shift & 0xFFFF for shift in (112, 96, 80)]
    while groups[-1] == 0:
        groups.pop()
    return ":".join(f"{g:x}" for g in groups) + f"::/{bits}"


def draw_v4(rng):
    return rng.choice(V4_FIRST) << 24 | rng.getrandbits(24)


def draw_v6(rng):
    """2003::/16 to 3ffe::/16: global, and clear of Teredo, documentation and 6to4."""
    return rng.randrange(0x2003, 0x3FFF) << 112 | rng.getrandbits(112)


def write_prefixes(path, count, seed):
    """Three quarters IPv4 /16 to /24, the rest IPv6 /32 to /48, every length alike, no prefix twice."""
    rng = random.Random(seed)
    seen = set()
    with open(path, "w", encoding="ascii") as out:
        v4_left = count * 3 // 4
        while v4_left:
            bits = rng.randint(16, 24)
            value = draw_v4(rng) >> (32 - bits) << (32 - bits)
            if (4, value, bits) not in seen:
                seen.add((4, value, bits))
                out.write(f"{v4_text(value)}/{bits}\n")
                v4_left -= 1
        v6_left = count - count * 3 // 4
        while v6_left:
            bits = rng.randint(32, 48)
            value = draw_v6(rng) >> (128 - bits) << (128 - bits)
            if (6, value, bits) not in seen:
                seen.add((6, value, bits))
                out.write(v6_prefix_text(value, bits) + "\n")
                v6_left -= 1


def parse_v4(text):
    a, b, c, d = (int(part) for part in text.split("."))
    return a << 24 | b << 16 | c << 8 | d


def parse_v6(text):
    head, gap, tail = text.partition("::")
    left = [int(g, 16) for g in head.split(":")] if head else []
    right = [int(g, 16) for g in tail.split(":")] if tail else []
    groups = left + [0] * (8 - len(left) - len(right) if gap else 0) + right
    value = 0
    for group in groups:
        value = value << 16 | group
    return value


class Table:
    """Which addresses a prefix file holds: one set of network numbers for each length."""

    def __init__(self, path):
        self.prefixes = []  # (is_v4, value, bits)
        self.sets = {True: {}, False: {}}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                address, _, length = line.strip().partition("/")
                is_v4, bits = ":" not in address, int(length)
                value = parse_v4(address) if is_v4 else parse_v6(address)
                self.prefixes.append((is_v4, value, bits))
                width = 32 if is_v4 else 128
                self.sets[is_v4].setdefault(bits, set()).add(value >> (width - bits))

    def holds(self, is_v4, value):
        width = 32 if is_v4 else 128
        return any(value >> (width - bits) in numbers for bits, numbers in self.sets[is_v4].items())

    def draw_inside(self, rng):
        while True:
            is_v4, value, bits = rng.choice(self.prefixes)
            value |= rng.getrandbits((32 if is_v4 else 128) - bits)
            if is_v4 or value >> (128 - V6_EGRESS[1]) != V6_EGRESS[0]:
                return v4_text(value) if is_v4 else v6_text(value)

    def draw_outside(self, rng):
        """Of the same mixture of families as those inside."""
        is_v4 = rng.choice(self.prefixes)[0]
        while True:
            value = draw_v4(rng) if is_v4 else draw_v6(rng)
            if not self.holds(is_v4, value):
                return v4_text(value) if is_v4 else v6_text(value)


def write_stream(path, prefix_path, seed):
    rng = random.Random(seed)
    table = Table(prefix_path)
    seen = set()
    with open(path, "w", encoding="ascii") as out:
        while len(seen) < REQUESTS:
            entries = ", ".join(
                table.draw_inside(rng) if rng.random() < INSIDE else table.draw_outside(rng) for _ in range(ENTRIES)
            )
            if entries not in seen:
                seen.add(entries)
                out.write(f"{table.draw_inside(rng)}\t{entries}\n")
