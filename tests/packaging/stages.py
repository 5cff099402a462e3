#!/usr/bin/env python3
"""The stages of tests/packaging/run. Each part begins with a machine that has nothing but Debian's base system, says how long it
took, and checks what it did by asking what was installed. Standard library alone."""
import argparse
import contextlib
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
WORK = os.path.join(TREE, "build", "packaging")
CONFINED = os.path.join(HERE, "confined.py")
REQUEST = {"policy": "cloudflare", "peer": "173.245.48.10", "headers": [["X-Forwarded-For", "6.6.6.6, 8.8.8.8"]]}
IMAGE_MOST, RSS_MOST = 60_000_000, 64_000_000
USER = 65532
PATIENCE = 60

passed, failed, skipped, figures = 0, [], 0, {}
cmake_options = ""  # of the package and the image


def check(what, good, shown=""):
    global passed
    if good:
        passed += 1
        print("ok: " + what, flush=True)
    else:
        failed.append(what)
        print("FAILED: %s%s" % (what, "\n  " + str(shown)[-3000:].replace("\n", "\n  ") if shown != "" else ""), flush=True)
    return good


def skip(what, why):
    global skipped
    skipped += 1
    print("skipped: %s: %s" % (what, why), flush=True)


class Broken(Exception):
    """A step without which the rest of a part has no sense."""


def must(what, command, **options):
    """Runs it; quiet unless it fails. Its seconds."""
    begin = time.monotonic()
    log = os.path.join(WORK, "logs", re.sub(r"\W+", "-", what))
    with open(log, "wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        with open(log, errors="replace") as f:
            raise Broken("%s ended with %d:\n%s" % (what, done.returncode, f.read()[-4000:]))
    print("   %s: %.1f s" % (what, seconds), flush=True)
    return seconds


def text_of(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def confined(root, *program, options=()):
    return [sys.executable, CONFINED, root, *options, "--", *program]


def environment(**more):
    """Nothing of the caller's but where packages come from."""
    kept = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive", "IPTRUST_REFRESH": "off", **kept, **more}


def copy_checkout(to):
    """What is in the checkout and nothing that was built in it."""
    os.makedirs(to)
    pack = subprocess.Popen(["tar", "-cf", "-", "--exclude=./build", "--exclude=./.git", "--exclude=./.cache", "."], cwd=TREE,
                            stdout=subprocess.PIPE)
    subprocess.run(["tar", "-xf", "-", "-C", to], stdin=pack.stdout, check=True)
    pack.stdout.close()
    if pack.wait() != 0:
        raise Broken("the checkout could not be copied")


# ---- base: Debian and nothing else

def apt_sources():
    """Those that name the release itself; other sources of this machine are not ours to use."""
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        with contextlib.suppress(OSError, UnicodeDecodeError), open(path) as f:
            text = f.read()
            if re.search(r"^(Suites:|deb ).*\bbookworm(\s|$)", text, re.M):
                found.append(path)
    if not found:
        raise Broken("no apt source names bookworm")
    return found


def base():
    global base_tar
    base_tar = os.environ.get("IPTRUST_PACKAGING_BASE") or os.path.join(WORK, "base.tar")
    if os.environ.get("IPTRUST_PACKAGING_BASE") and os.path.exists(base_tar):
        print("   the base system is that of an earlier run (IPTRUST_PACKAGING_BASE)")
        return
    seconds = must("base: mmdebstrap", ["mmdebstrap", "--mode=root", "--variant=minbase", "bookworm", base_tar, *apt_sources()])
    check("a base system of Debian 12 is there", os.path.getsize(base_tar) > 50_000_000)
    figures["base"] = seconds


def fresh_root(name):
    root = os.path.join(WORK, name)
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    must(name + ": a fresh root", ["tar", "-xf", base_tar, "-C", root])
    shutil.copy("/etc/resolv.conf", root + "/etc/resolv.conf")
    for path in glob.glob("/etc/apt/apt.conf.d/*"):
        with contextlib.suppress(OSError, UnicodeDecodeError), open(path) as f:
            if re.search(r"^\s*Acquire::https?::Proxy", f.read(), re.M):
                shutil.copy(path, root + "/etc/apt/apt.conf.d/")
    return root


def ports_are_free():
    for port in (8080, 8081, 9191):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


# ---- source: README's first command

def readme_command():
    with open(os.path.join(TREE, "README.md")) as f:
        return re.search(r"## Try it.*?```\n(.*?)\n```", f.read(), re.S).group(1)


def source():
    root = fresh_root("source")
    copy_checkout(root + "/src/iptrustd")
    command = readme_command()
    check("README's first command is one line", "\n" not in command, command)
    for tool in ("gcc", "cmake", "curl"):
        check("the machine has no %s" % tool, not os.path.exists(root + "/usr/bin/" + tool))
    options, seconds = ["--host-network"], 0.0
    if not ports_are_free():
        # The daemon takes its usual ports, which somebody else has here: its network is its own, and packages come first.
        print("   8080, 8081 or 9191 are taken on this machine: packages first, then the command without a network")
        seconds = must("source: its packages", confined(root, "/src/iptrustd/.ci/packages", "build", options=options), env=environment())
        options = []
    script = "cd /src/iptrustd && %s && %s" % (command, "build/release/iptrust explain --policy cloudflare --peer 173.245.48.10"
                                               " -H 'X-Forwarded-For: 6.6.6.6, 8.8.8.8' -H 'CF-Connecting-IP: 8.8.8.8'")
    begin = time.monotonic()
    done = subprocess.run(confined(root, "/bin/bash", "-c", script, options=options), env=environment(), capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    seconds += time.monotonic() - begin
    figures["source"] = seconds
    print("   source: %s to the first answer: %.1f s" % (command, seconds))
    said = done.stdout + done.stderr
    if not check("%s, on a machine that had nothing, answers" % command, done.returncode == 0, said):
        return
    answer = re.search(r'^\{"client_ip".*\}$', done.stdout, re.M)
    check("the answer is the client's address, the forged entry is not believed",
          answer and json.loads(answer.group())["client_ip"] == "8.8.8.8", said)
    check("the next command it names shows the chain", "CLIENT" in done.stdout and "ignored" in done.stdout, said)


# ---- package: built, looked at, installed, booted, upgraded, removed

def repack(package, version, to, note):
    """The same package as another version; note: a line more in its default configuration."""
    with tempfile.TemporaryDirectory(dir=WORK) as tree:
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control) as f:
            text = re.sub(r"(?m)^Version: .*$", "Version: " + version, f.read())
        with open(control, "w") as f:
            f.write(text)
        with open(os.path.join(tree, "etc/iptrustd/iptrustd.yaml"), "a") as f:
            f.write("# %s\n" % note if note else "")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, to], check=True, stdout=subprocess.DEVNULL)


def installed_first_answer(root):
    """Without any systemd: what the unit starts, in the root alone. Seconds from its start to the answer."""
    with open(os.path.join(root, "lib/systemd/system/iptrustd.service")) as f:
        start = re.search(r"(?m)^ExecStart=(.*)$", f.read()).group(1).split()
    with running(root, *start) as (process, pid):
        return first_answer(pid, root)


def package():
    packages = os.path.join(WORK, "deb")
    shutil.rmtree(packages, ignore_errors=True)
    build = must("package: deploy/package", [os.path.join(TREE, "deploy", "package"), packages],
                 env={**os.environ, "IPTRUST_CMAKE_OPTIONS": cmake_options})
    (deb,) = glob.glob(packages + "/iptrustd_*.deb")
    lint = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", deb], capture_output=True, text=True)
    print("".join("   lintian: %s\n" % line for line in lint.stdout.splitlines()[:20]), end="")
    check("lintian finds no error", lint.returncode == 0, lint.stdout + lint.stderr)
    conffiles = text_of(["dpkg-deb", "-I", deb, "conffiles"]).split()
    check("the configuration is a conffile, and nothing else is", conffiles == ["/etc/iptrustd/iptrustd.yaml"], conffiles)

    root = fresh_root("package")
    os.makedirs(root + "/packages")
    shutil.copy(deb, root + "/packages/iptrustd.deb")
    repack(deb, "0.1.1", root + "/packages/next.deb", "a default of the next version")
    repack(root + "/packages/next.deb", "0.1.2", root + "/packages/last.deb", None)
    must("package: a machine with systemd", confined(root, "sh", "-c", "apt-get update -qq && apt-get install -y -qq "
         "--no-install-recommends systemd systemd-sysv", options=["--host-network"]), env=environment())
    install = must("package: apt-get install", confined(root, "sh", "-c", "apt-get update -qq && "
                   "apt-get install -y -qq --no-install-recommends /packages/iptrustd.deb", options=["--host-network"]), env=environment())
    answered = installed_first_answer(root)
    figures["package"] = install + answered
    check("the package's programs answer in the fresh root", True)
    default = text_of(confined(root, "iptrustd", "--print-config"), env=environment())
    ours = text_of(confined(root, "iptrustd", "--config", "/etc/iptrustd/iptrustd.yaml", "--print-config"), env=environment())
    check("the package's configuration is the embedded default, written out",
          {k: v for k, v in json.loads(default).items() if k in ("lists", "policies")} ==
          {k: v for k, v in json.loads(ours).items() if k in ("lists", "policies")}, ours)
    figures["package_build"] = build
    boot(root)


def boot(root):
    """Its own systemd starts what was installed; booted.sh then does what an administrator would."""
    shutil.copy(os.path.join(HERE, "booted.sh"), root + "/booted.sh")
    os.chmod(root + "/booted.sh", 0o755)
    unit, wants = "/etc/systemd/system/packaging-test.service", root + "/etc/systemd/system/multi-user.target.wants"
    with open(root + unit, "w") as f:
        f.write("[Unit]\nAfter=iptrustd.service\n[Service]\nType=oneshot\nExecStart=/booted.sh\n"
                "Environment=HOME=/root\nStandardOutput=file:/booted.log\nStandardError=file:/booted.err\nTimeoutStartSec=180\n")
    os.makedirs(wants, exist_ok=True)
    os.symlink(unit, wants + "/packaging-test.service")
    begin = time.monotonic()
    console = os.path.join(WORK, "logs", "boot")
    with open(console, "wb") as out:
        try:
            subprocess.run(["systemd-nspawn", "-q", "-D", root, "--boot", "--register=no", "--keep-unit", "--private-network",
                            "--console=pipe", "--setenv=IPTRUST_REFRESH=off"], stdout=out, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL, timeout=240)
        except subprocess.TimeoutExpired:
            print("   the boot did not end by itself")
    said = {}
    with contextlib.suppress(OSError), open(root + "/booted.log") as f:
        text = f.read()
        said = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"\w+=", line))
    if not said:
        with open(console, errors="replace") as f:
            skip("the package under a systemd of its own", "this machine does not boot one: " + f.read()[-600:].strip())
        return
    print("   package: booted, upgraded, purged: %.1f s" % (time.monotonic() - begin))
    judge_boot(said, text)


def judge_boot(said, text):
    def answers(key):
        try:
            return json.loads(said.get(key, ""))["client_ip"] == "8.8.8.8"
        except (ValueError, KeyError):
            return False

    def equal(what, key, wanted):
        check(what, said.get(key) == wanted, "%s: %r instead of %r\n%s" % (key, said.get(key), wanted, text))

    def matches(what, key, pattern):
        check(what, re.search(pattern, said.get(key, "")), "%s: %r\n%s" % (key, said.get(key), text))

    equal("systemd has started it by the boot", "boot_active", "active")
    equal("the service is enabled", "boot_enabled", "enabled")
    equal("its sockets are not", "sockets_enabled", "disabled")
    matches("systemd knows its status", "notify_status", r"^ready: 3 policies \(")
    check("it runs as a user that is not root", re.match(r"6\d{4}\s", said.get("uid", "")), said.get("uid"))
    matches("it has no capability and can get none", "capabilities", r"^0{16} 0{16}$")
    equal("no new privileges", "no_new_privileges", "1")
    equal("its system calls are filtered", "seccomp", "2")
    equal("/usr is not writable for it", "writable", "0")
    equal("iptrust health says yes", "health", "yes")
    check("it answers", answers("answer"), text)
    matches("its state is its own", "state", r"^\S+ 700$")
    equal("its admin socket is nobody else's", "admin_socket", "600")
    equal("systemctl reload comes back", "reload", "yes")
    matches("a reload keeps the process", "after_reload", r"^active same ready:")
    matches("a failed reload keeps it, and the status says so", "after_bad_reload", r"^active .*the last reload failed")
    equal("version N+1 installs over it without a question", "upgrade", "yes")
    equal("the upgrade restarts it", "upgraded", "0.1.1 active restarted")
    equal("a changed conffile is kept", "kept", "1")
    equal("the new default lies beside it", "offered", "1")
    equal("version N+2 installs", "upgrade_silent", "yes")
    equal("and the conffile is still the administrator's", "kept_again", "1 active")
    check("it answers after the upgrades", answers("answer_after"), text)
    equal("stopped, with a socket that listens", "before_call", "inactive")
    check("the first caller is answered", answers("answer_activated"), text)
    equal("and has started it", "after_call", "active")
    matches("a process that no longer turns is restarted by the watchdog", "after_watchdog", r"^active restarted")
    equal("a purge comes to its end", "purge", "yes")
    equal("and leaves nothing", "left", "")
    equal("the whole script ran", "end", "yes")


# ---- image: built as people build it, run as a runtime runs it

def buildah(*command, storage="storage"):
    storage = os.path.join(WORK, storage)
    return ["buildah", "--root", storage, "--runroot", storage + "-run", "--storage-driver", "vfs", *command]


def base_image():
    """The build stage's base: a root with the build's packages where the part `source` left one, else the base system."""
    root = os.path.join(WORK, "source")
    if not os.path.exists(root + "/usr/bin/gcc"):
        root = fresh_root("build-base")
    shutil.rmtree(root + "/src", ignore_errors=True)
    container = text_of(buildah("from", "scratch")).strip()
    mounted = text_of(buildah("mount", container)).strip()
    must("image: the base as an image", ["cp", "-a", root + "/.", mounted])
    subprocess.run(buildah("umount", container), check=True, stdout=subprocess.DEVNULL)
    must("image: the base committed", buildah("commit", "-q", "--rm", container, "localhost/iptrust-build-base"))
    print("   image: the base is localhost/iptrust-build-base, made here, instead of the pinned digest of deploy/Dockerfile")


@contextlib.contextmanager
def running(root, *program, options=(), env=None):
    """A program in its root, and its process id as seen from outside."""
    log = open(os.path.join(WORK, "logs", "running"), "w+b")
    process = subprocess.Popen(confined(root, *program, options=options), env=env or environment(), stdout=subprocess.DEVNULL, stderr=log,
                               stdin=subprocess.DEVNULL)
    try:
        end, pid = time.monotonic() + PATIENCE, None
        while pid is None and time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError), open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as f:
                for child in f.read().split():
                    if os.path.basename(os.readlink("/proc/%s/exe" % child)) == os.path.basename(program[0]):
                        pid = int(child)
            time.sleep(0.005)
        if pid is None:
            log.seek(0)
            raise Broken("%s did not start: %s" % (program[0], log.read().decode(errors="replace")[-3000:]))
        yield process, pid
    finally:
        for _ in range(2):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            time.sleep(0.1)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


ASK = """
import http.client, json, sys, time
end, request = time.monotonic() + 60, sys.argv[1]
while True:
    try:
        c = http.client.HTTPConnection("127.0.0.1", 8080, timeout=10)
        c.request("POST", "/v1/resolve", request, {"Content-Type": "application/json"})
        print(c.getresponse().read().decode())
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.01)
"""


def inside_network(pid, *command):
    return ["nsenter", "-t", str(pid), "-n", "--", *command]


def first_answer(pid, what):
    """Asks over HTTP until there is an answer, which must be the right one. Seconds."""
    begin = time.monotonic()
    said = text_of(inside_network(pid, sys.executable, "-c", ASK, json.dumps(REQUEST)))
    if json.loads(said)["client_ip"] != "8.8.8.8":
        raise Broken("%s answers %s" % (what, said))
    return time.monotonic() - begin


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def revision():
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return text_of(["git", "-C", TREE, "rev-parse", "HEAD"], stderr=None).strip()
    return "unknown"


def build_image(tag, *options):
    return must("image: deploy/Dockerfile as " + tag, buildah(
        "build", "--isolation", "chroot", "--format", "docker", "--build-arg", "BASE=localhost/iptrust-build-base", *options,
        "--build-arg", "IPTRUST_CMAKE_OPTIONS=" + cmake_options,
        "--build-arg", "REVISION=" + revision(), "-q", "-f", "deploy/Dockerfile", "-t", "localhost/" + tag, "."), cwd=TREE,
        env=environment())


def image():
    shutil.rmtree(os.path.join(WORK, "storage"), ignore_errors=True)
    base_image()
    figures["image_build"] = build_image("iptrustd")
    config = json.loads(text_of(buildah("inspect", "--type", "image", "localhost/iptrustd")))
    docker = config["Docker"]["config"]
    check("the image's user is %d" % USER, docker["User"] == "%d:%d" % (USER, USER), docker)
    check("its health is asked by its own program", docker.get("Healthcheck", {}).get("Test") == ["CMD", "/usr/bin/iptrust", "health"], docker)
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in (docker.get("Labels") or {}).items()}
    check("it carries OCI labels", {"title", "description", "licenses", "version", "revision", "created"} <= labels.keys(), labels)

    # As a machine gets it that has nothing: out of an archive, into an empty storage.
    def elsewhere(*command):
        return buildah(*command, storage="pulled")

    archive = os.path.join(WORK, "iptrustd.tar")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(archive)
    must("image: as an archive", buildah("push", "-q", "localhost/iptrustd", "oci-archive:" + archive))
    begin = time.monotonic()
    must("image: pulled into an empty storage", elsewhere("pull", "-q", "oci-archive:" + archive))
    name = text_of(elsewhere("images", "-q", "--no-trunc")).split()[0]
    container = text_of(elsewhere("from", name)).strip()
    root = text_of(elsewhere("mount", container)).strip()
    command = docker["Entrypoint"] + docker["Cmd"]
    with running(root, *command, options=["--read-only", "--user", str(USER)]) as (process, pid):
        first_answer(pid, "the image")
        figures["image"] = time.monotonic() - begin
        size = sum(os.lstat(os.path.join(d, f)).st_size for d, _, files in os.walk(root) for f in files)
        figures["image_size"], figures["image_packed"] = size, os.path.getsize(archive)
        print("   image id %s, %.1f MB (%.1f MB packed)" % (name, size / 1e6, figures["image_packed"] / 1e6))
        check("it answers, read-only, as that user, without capabilities", True)
        judge_confinement(pid, root)
        check("it is under %d MB" % (IMAGE_MOST // 10**6), size < IMAGE_MOST, size)
        healthy = subprocess.run(["nsenter", "-t", str(pid), "-n", "-m", "-r", "-w", *docker["Healthcheck"]["Test"][1:]], capture_output=True, text=True)
        check("its health check says yes", healthy.returncode == 0, healthy.stdout + healthy.stderr)
        judge_load(pid)
    judge_contents(root)
    figures["listing"] = listing(root)
    subprocess.run(elsewhere("umount", container), check=True, stdout=subprocess.DEVNULL)


# ---- of .ci/long: the same image once more, and for another architecture

def listing(root):
    """Everything of a root that two builds must have in common."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            at = os.lstat(path)
            link = os.path.islink(path)
            what = os.readlink(path) if link else ""
            if not link and os.path.isfile(path):
                with open(path, "rb") as f:
                    what = hashlib.sha256(f.read()).hexdigest()
            found[path[len(root):]] = (oct(at.st_mode), at.st_uid, at.st_gid, what)
    return {k: v for k, v in found.items() if not k.startswith(("/proc", "/dev", "/sys"))}


@contextlib.contextmanager
def mounted(tag):
    container = text_of(buildah("from", "localhost/" + tag)).strip()
    try:
        yield text_of(buildah("mount", container)).strip()
    finally:
        subprocess.run(buildah("rm", container), check=True, stdout=subprocess.DEVNULL)


def again():
    if "listing" not in figures:
        raise Broken("the part image did not come to its end")
    build_image("iptrustd-again", "--no-cache")
    with mounted("iptrustd-again") as root:
        second = listing(root)
    differs = sorted(k for k in figures["listing"].keys() | second.keys() if figures["listing"].get(k) != second.get(k))
    check("a second build is the same, byte for byte", differs == [], differs)


def arm64():
    if not os.path.exists(os.path.join(WORK, "storage")):
        base_image()
    build_image("iptrustd-arm64", "--platform", "linux/arm64", "--build-arg", "BUILDPLATFORM=linux/amd64")
    config = json.loads(text_of(buildah("inspect", "--type", "image", "localhost/iptrustd-arm64")))
    check("the image says arm64", config["OCIv1"]["architecture"] == "arm64", config["OCIv1"])
    emulator = "/usr/bin/qemu-aarch64-static"
    with mounted("iptrustd-arm64") as root:
        says = text_of(["readelf", "-h", root + "/usr/bin/iptrustd"])
        check("its programs are of arm64", "AArch64" in says, says)
        shutil.copy(emulator, root + "/qemu-aarch64-static")
        command = ["/qemu-aarch64-static", *(config["Docker"]["config"]["Entrypoint"] + config["Docker"]["config"]["Cmd"])]
        with running(root, *command, options=["--read-only", "--user", str(USER)]) as (process, pid):
            first_answer(pid, "the arm64 image")
            check("it answers under qemu-user, read-only, as its user", True)


def judge_confinement(pid, root):
    status = status_of(pid)
    check("user and groups are %d alone" % USER, status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(USER)] * 4
          and status["Groups"].split() == [], status)
    check("no capability, and none to be had", all(int(status[k], 16) == 0 for k in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"))
          and status["NoNewPrivs"] == "1", status)
    with open("/proc/%d/mountinfo" % pid) as f:
        roots = [line.split() for line in f if line.split()[4] == "/"]
    check("its root is mounted read-only", roots and "ro" in roots[-1][5].split(","), roots)


def judge_load(pid):
    """A thousand requests, then ten seconds of nothing."""
    many = ASK.replace("print(c.getresponse().read().decode())",
                                                 "c.getresponse().read(); [(c.request('POST', '/v1/resolve', request, {'Content-Type': 'application/json'}), c.getresponse().read()) for _ in range(1000)]")
    subprocess.run(inside_network(pid, sys.executable, "-c", many, json.dumps(REQUEST)), check=True)
    status = status_of(pid)
    peak, resident = int(status["VmHWM"].split()[0]) * 1024, int(status["VmRSS"].split()[0]) * 1024
    check("its peak resident memory is under %d MB" % (RSS_MOST // 10**6), peak < RSS_MOST, peak)
    begin, before = time.monotonic(), cpu_seconds(pid)
    time.sleep(10)
    rest = (cpu_seconds(pid) - before) / (time.monotonic() - begin)
    figures.update(peak=peak, resident=resident, rest=rest)
    print("   image: peak %.1f MB, resident %.1f MB, processor at rest %.2f %%" % (peak / 1e6, resident / 1e6, rest * 100))
    check("at rest it takes less than 1 % of a core", rest < 0.01, rest)


def judge_contents(root):
    files = [os.path.join(d, f)[len(root):] for d, _, names in os.walk(root) for f in names]
    programs = [f for f in files if os.access(root + f, os.X_OK) and not re.search(r"\.so(\.|$)", f) and not os.path.islink(root + f)]
    check("its programs are iptrust and iptrustd, and no shell", sorted(programs) == ["/usr/bin/iptrust", "/usr/bin/iptrustd"], programs)
    libraries = {os.path.basename(f) for f in files if re.search(r"\.so(\.|$)", f)}
    listed = set()
    for program in programs:
        # The loader of the image itself says what it loads, from nowhere else.
        (loader,) = [f for f in files if os.path.basename(f).startswith("ld-linux")]
        said = text_of(confined(root, loader, "--list", program), env=environment())
        listed |= {os.path.basename(line.split()[0]) for line in said.splitlines() if ".so" in line and "vdso" not in line}
        check("every library of %s is there" % program, "not found" not in said, said)
    check("it has the libraries that they load, and no other", libraries == listed, sorted(libraries ^ listed))
    judge_sbom(root, libraries)
    stray = [f for f in files if os.lstat(root + f).st_mtime > 0 and not f.startswith(("/proc", "/dev", "/etc/hosts", "/etc/resolv"))]
    check("every file has the time it was told, so that two builds are alike", stray == [], stray[:10])
    world = [f for f in files if os.lstat(root + f).st_mode & 0o6002 and not os.path.islink(root + f)]
    check("no file is setuid or writable for everybody", world == [], world)


def judge_sbom(root, libraries):
    with open(root + "/usr/share/sbom/iptrustd.spdx.json") as f:
        sbom = json.load(f)
    ids = [e["SPDXID"] for kind in ("packages", "files") for e in sbom[kind]] + [sbom["SPDXID"]]
    check("the SBOM is SPDX 2.3 with identifiers of its own", sbom["spdxVersion"] == "SPDX-2.3" and len(ids) == len(set(ids))
          and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids), ids)
    dangling = [r for r in sbom["relationships"] if r["spdxElementId"] not in ids or r["relatedSpdxElement"] not in ids]
    check("its relationships lead somewhere", sbom["relationships"] and dangling == [], dangling)
    files = {f["fileName"].removeprefix("."): {c["algorithm"]: c["checksumValue"] for c in f["checksums"]} for f in sbom["files"]}
    check("it names every library that ships", libraries == {os.path.basename(f) for f in files if ".so" in f}, sorted(files))
    wrong = []
    for path, sums in files.items():
        with open(root + path, "rb") as f:
            data = f.read()
        if sums != {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}:
            wrong.append(path)
    check("with checksums that are true", wrong == [], wrong)
    packages = [p for p in sbom["packages"] if p["name"] != "iptrustd"]
    check("every package has a version and a purl", len(packages) > 5 and all(
        p["versionInfo"] and p["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/%s@" % p["name"]) for p in packages), packages)
    missing = [p["name"] for p in packages if not os.path.exists(root + "/usr/share/doc/%s/copyright" % p["name"])]
    check("and its licence beside it", missing == [], missing)


PARTS = {"source": source, "package": package, "image": image}
LONG = {"again": again, "arm64": arm64}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=sorted({**PARTS, **LONG}), default=[])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--whole", action="store_true")
    args = parser.parse_args()
    global cmake_options
    if not args.whole:
        cmake_options = "-DIPTRUST_LTO=OFF"
        print("package and image are built without optimisation across modules, to save minutes; --whole builds them as people do")
    if os.geteuid() != 0:
        print("as root: roots are made and entered here", file=sys.stderr)
        return 2
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(os.path.join(WORK, "logs"))
    probe = subprocess.run(confined("/", "true"), capture_output=True, text=True)
    if probe.returncode != 0:
        skip("packaging", "this machine lets nobody mount or have namespaces of his own: " + probe.stderr.strip())
        print("%d passed, %d failed, %d skipped" % (passed, len(failed), skipped))
        return 0
    times = []
    for name, part in [("base", base)] + [(n, p) for n, p in {**PARTS, **LONG}.items() if n in (args.only or PARTS)]:
        print("== " + name, flush=True)
        begin = time.monotonic()
        try:
            part()
        except Broken as fault:
            check(name, False, fault)
        except Exception:
            check(name, False, traceback.format_exc())
        times.append("%s %.0f s" % (name, time.monotonic() - begin))
        if name == "base" and failed:
            break
    if args.write and not failed:
        import figures as writer
        writer.write(figures, TREE, WORK, cmake_options)
    print("times: " + ", ".join(times))
    for what in failed:
        print("failed: " + what)
    for name in ("storage", "storage-run", "pulled", "pulled-run", "source", "package", "build-base"):
        shutil.rmtree(os.path.join(WORK, name), ignore_errors=True)
    print("%d passed, %d failed, %d skipped" % (passed, len(failed), skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
