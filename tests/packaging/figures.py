"""Puts what stages.py measured into docs/PERFORMANCE.md, beside the image that a Go server of the benchmark would make."""
import datetime
import os
import re
import shutil
import subprocess

BEGIN, END = "<!-- packaging: written by tests/packaging/run --write -->", "<!-- end of packaging -->"


def go_image(tree, work, name):
    """Bytes of a scratch image with that server: one static program, stripped, and the certificates that any client needs."""
    out = os.path.join(work, "go-" + name)
    subprocess.run([shutil.which("go") or "/usr/local/go/bin/go", "build", "-C", os.path.join(tree, "tests/bench/go"), "-buildvcs=false",
                    "-trimpath", "-ldflags=-s -w", "-o", out, "./" + name], check=True, env={**os.environ, "CGO_ENABLED": "0"})
    return os.path.getsize(out) + os.path.getsize("/etc/ssl/certs/ca-certificates.crt")


def row(what, ours, context):
    return "| %s | %s | %s |" % (what, ours, context)


def table(f, tree, work):
    rest, authz = go_image(tree, work, "rest"), go_image(tree, work, "authz")
    mb = 1e6
    return [
        "| what | ratio | context |", "|---|---|---|",
        row("empty machine to first answer, from source (`deploy/quickstart`)", "%.1f times making the machine" % (f["source"] / f["base"]),
            "%.0f s; making the machine (mmdebstrap) %.0f s" % (f["source"], f["base"])),
        row("the same by the Debian package (`apt-get install`, start, answer)", "%.2f" % (f["package"] / f["base"]),
            "%.1f s; building the package %.0f s" % (f["package"], f["package_build"])),
        row("the same by the image (pull from an archive, start, answer)", "%.2f" % (f["image"] / f["base"]),
            "%.1f s; building the image %.0f s" % (f["image"], f["image_build"])),
        row("size of the image, ours / a Go server's with gRPC and HTTP (`authz`)", "%.2f" % (f["image_size"] / authz),
            "%.1f MB, packed %.1f MB; Go %.1f MB" % (f["image_size"] / mb, f["image_packed"] / mb, authz / mb)),
        row("size of the image, ours / a Go server's with HTTP alone (`rest`)", "%.2f" % (f["image_size"] / rest), "Go %.1f MB" % (rest / mb)),
        row("resident memory of the container, at rest / its bound", "%.2f" % (f["resident"] / 64e6),
            "%.1f MB; peak after 1,000 requests %.1f MB; no geo database" % (f["resident"] / mb, f["peak"] / mb)),
        row("processor at rest", "%.2f %% of a core" % (f["rest"] * 100), "10 s without a request"),
    ]


def write(f, tree, work, options):
    path = os.path.join(tree, "docs", "PERFORMANCE.md")
    with open(path) as page:
        text = page.read()
    with open("/proc/cpuinfo") as cpu:
        model = re.search(r"model name\s*: (.*)", cpu.read()).group(1)
    lines = [BEGIN, "Measured %s, %d cores (%s), load %.1f when it ended; package and image built with %s." %
             (datetime.date.today(), os.cpu_count(), model, os.getloadavg()[0], options or "everything as people build it"),
             "", *table(f, tree, work), END]
    if BEGIN not in text:
        raise SystemExit("docs/PERFORMANCE.md has no place for these figures")
    before, rest = text.split(BEGIN, 1)
    with open(path, "w") as page:
        page.write(before + "\n".join(lines) + rest.split(END, 1)[1])
