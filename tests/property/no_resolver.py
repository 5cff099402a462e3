#!/usr/bin/env python3
"""I8 of decision.md: no resolver is ever called. Reads the undefined symbols of the libraries that make a decision, from
base to resolve; their only way out to the system is what they are linked against."""

import re
import subprocess
import sys

RESOLVERS = re.compile(r"^_*(getaddrinfo|getnameinfo|gethostby\w+|gethostent|res_\w+|dn_\w+|ns_\w+|gai_\w+|ares_\w+|"
                       r"getaddrinfo_a|inet_aton|inet_addr|inet_network|dlopen|dlsym|popen|system|exec\w+|socket|connect)$")


def main(archives):
    symbols, found = 0, []
    for archive in archives:
        told = subprocess.run(["nm", "--undefined-only", "--format=posix", archive], capture_output=True, text=True, check=True)
        for line in told.stdout.splitlines():
            name = line.split(" ")[0].split("@")[0]
            if not name or name.endswith(":"):
                continue
            symbols += 1
            if RESOLVERS.match(name):
                found.append(f"{archive}: {name}")
    print(f"I8 no resolver: {len(archives)} libraries, {symbols} undefined symbols read, {len(found)} of a resolver")
    for line in found:
        print(f"FAILED I8 {line}")
    # Text that nm could not read would pass as silence.
    sys.exit(bool(found) or symbols < 20)


if __name__ == "__main__":
    main(sys.argv[1:])
