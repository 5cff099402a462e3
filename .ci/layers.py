#!/usr/bin/env python3
"""Arrows point down: reads every #include of the product and holds it against the one table of modules.

The table is docs/ARCHITECTURE.md's; a new arrow or a new foreign library is a change here, so it is seen in review.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# module: (modules it may include, foreign headers it may include)
MODULES = {
    "base": ("", "sanitizer/.*"),
    "net": ("base", ""),
    "json": ("base", "yajl.*"),
    "metrics": ("base", "unistd|sys/.*|dirent|time|math|pthread|stdatomic|limits|inttypes"),
    "central": ("json base", "nettle/.*"),
    "geo": ("net base", "maxminddb|nettle/.*"),
    "fetch": ("base", "curl/.*|zlib"),
    "wire": ("net base", ""),
    "ranges": ("wire json net base", "nettle/.*"),
    "config": ("ranges wire net base", "yaml"),
    "view": ("config ranges wire geo net base", "nettle/.*"),
    "resolve": ("view config ranges wire geo net base", ""),
    "codec": ("resolve view config ranges wire geo json net base", ""),
    "explain": ("resolve view config ranges wire geo net base", ""),
    "callout": ("resolve view config ranges wire geo net base", ""),
    "engine": ("fetch central codec resolve view config ranges wire geo net metrics base", "urcu.*"),
    "listener": ("config ranges wire net base", ""),
    "tls": ("config ranges wire net base", "gnutls/.*"),
    "rest": ("engine listener tls callout explain codec resolve view config ranges wire geo json net metrics base", "microhttpd"),
    "rpc": ("engine callout codec resolve view config ranges wire geo net metrics base", r"protobuf-c/.*|.*\.pb-c"),
    "transport": ("rpc engine listener tls callout codec resolve view config ranges wire geo net metrics base", r"grpc/.*|nghttp2/.*|openssl/.*"),
    "daemon": ("rest rpc transport engine listener tls explain codec resolve view config ranges wire geo net metrics base", ""),
    "cli": ("engine tls explain central codec resolve view config ranges wire geo net base", "curl/.*|yajl.*"),
}
# The C library and the kernel are everybody's, except that what is below `metrics` and `engine` does no effects.
LIBC = re.compile(r"^(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib"
                  r"|string|strings|time)\.h$|^[a-z]+intrin\.h$")
SYSTEM = re.compile(r"^(arpa|linux|net|netinet|sys)/[a-z_]+\.h$|^(dirent|fcntl|getopt|grp|ifaddrs|langinfo|libgen|locale|malloc|netdb|poll|pthread|pwd"
                    r"|sched|signal|syslog|termios|unistd)\.h$")
PURE = {"net", "json", "central", "wire", "ranges", "view", "resolve", "codec", "explain", "callout"}  # no system calls here: the linker cannot tell, so we do
# Functions that read text loosely or ask a resolver (docs/THREATS.md); never in the product.
BANNED = re.compile(r"\b(inet_aton|inet_addr|inet_network|gethostby\w+|getaddrinfo|MMDB_lookup_string|strtok|sprintf|strcpy|strcat"
                    r"|gets|alloca|atoi|atol)\s*\(")


def check(path, module, errors):
    below, foreign = MODULES[module]
    allowed = set(below.split()) | {module}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.relative_to(ROOT)}:{number}"
        banned = BANNED.search(line)
        if banned and not line.lstrip().startswith(("*", "/*", "//")):
            errors.append(f"{where}: {banned.group(1)} is not used here")
        include = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not include:
            continue
        kind, name = include.groups()
        ours = re.match(r"iptrust/([a-z]+)/", name)
        if ours:
            if ours.group(1) not in allowed:
                errors.append(f"{where}: {module} may not include {name}: arrows point down")
        elif kind == '"':
            if not (ROOT / "service" / module / name).exists() and not path.parent.joinpath(name).exists():
                errors.append(f"{where}: {name} is private to another module")
        elif not LIBC.match(name):
            if not (foreign and re.fullmatch(f"({foreign})(\\.h)?", name.removesuffix(".h"))) and (
                    module in PURE or not SYSTEM.match(name)):
                errors.append(f"{where}: {module} may not include <{name}>")


def main():
    errors, files = [], 0
    for top in ("include/iptrust", "service"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            module = path.relative_to(ROOT / top).parts[0]
            if module == "iptrust.h":
                continue
            if module not in MODULES:
                errors.append(f"{path.relative_to(ROOT)}: unknown module {module}")
                continue
            files += 1
            check(path, module, errors)
    for error in errors:
        print(error)
    print(f"layers: {files} files, {len(errors)} wrong arrows")
    return 1 if errors or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
