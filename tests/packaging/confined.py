#!/usr/bin/env python3
"""Runs a program in a root file system of its own, as a container runtime would: mounts, network and processes apart, and on
request read-only, as a user, without capabilities. usage: confined.py ROOT [--host-network] [--read-only] [--user N]
[--tmpfs PATH]... -- PROGRAM...

Says on standard error, and ends with 125, what the machine does not let it do; nothing is left out in silence."""
import argparse
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC = 0x20000, 0x20000000, 0x40000000, 0x8000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CANNOT = 125
libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        print("confined: cannot %s: %s" % (what, os.strerror(ctypes.get_errno())), file=sys.stderr)
        os._exit(CANNOT)


def mount(source, target, kind, flags, options=None):
    encoded = [None if v is None else v.encode() for v in (source, target, kind)]
    checked(libc.mount(*encoded, ctypes.c_ulong(flags), None if options is None else options.encode()), "mount " + target)


def loopback_up():
    with socket.socket() as s:
        request = struct.pack("16sh22x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(s, 0x8914, request)  # SIOCSIFFLAGS


def devices(root):
    mount("tmpfs", root + "/dev", "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in ("null", "zero", "full", "random", "urandom"):
        open(root + "/dev/" + name, "w").close()
        mount("/dev/" + name, root + "/dev/" + name, None, MS_BIND)
    os.symlink("/proc/self/fd", root + "/dev/fd")


def enter(args):
    """In the new process: everything of the root is put in its place, then there is no way back."""
    root = os.path.realpath(args.root)
    mount(root, root, None, MS_BIND | MS_REC)
    for name in ("proc", "dev"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    devices(root)
    mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV)
    for path in args.tmpfs:
        mount("tmpfs", root + path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=16m")
    if args.read_only:
        mount(None, root, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)
    os.chroot(root)
    os.chdir("/")
    if args.user is not None:
        for capability in range(64):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                break
        os.setgroups([])
        os.setresgid(args.user, args.user, args.user)
        os.setresuid(args.user, args.user, args.user)
        checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "promise no new privileges")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--host-network", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--user", type=int)
    parser.add_argument("--tmpfs", action="append", default=[])
    parser.add_argument("program", nargs="+")
    args = parser.parse_args()
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | (0 if args.host_network else CLONE_NEWNET)
    checked(libc.unshare(flags), "have namespaces of its own")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    if not args.host_network:
        loopback_up()
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        enter(args)
        try:
            os.execvpe(args.program[0], args.program, os.environ)
        except OSError as fault:
            print("confined: %s: %s" % (args.program[0], fault), file=sys.stderr)
            os._exit(CANNOT)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, frame: os.kill(child, n))
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


if __name__ == "__main__":
    main()
