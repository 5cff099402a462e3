"""iptrustd as systemd sees it: what it tells a NOTIFY_SOCKET, sockets that are handed over by systemd-socket-activate and
by a parent that keeps them through a restart, and what systemd itself says of the units in deploy/systemd."""
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from rest_daemon import BINARY, CONFIG, Daemon, UnixConnection  # noqa: E402

UNITS = os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "systemd")
EXPOSURE_MOST = 2.0
PATIENCE = 30  # seconds for what takes a moment on a quiet machine


def unit_values(name, key):
    with open(os.path.join(UNITS, name)) as f:
        return [line.split("=", 1)[1].strip() for line in f if line.startswith(key + "=")]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Notified:
    """A NOTIFY_SOCKET and a daemon that knows it."""

    def __init__(self, **env):
        self.directory = tempfile.TemporaryDirectory(prefix="ipt-notify-")
        path = os.path.join(self.directory.name, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.told = []
        self.daemon = Daemon(env={"NOTIFY_SOCKET": path, **env})

    def next(self, wanted, seconds=PATIENCE):
        """The next message with a line that begins so, as a dictionary; others before it are kept in told."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                message = dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())
            except socket.timeout:
                break
            self.told.append(message)
            if wanted(message):
                return message
        raise AssertionError("was not told in %s s; heard %s" % (seconds, self.told))

    def close(self):
        self.daemon.stop()
        self.sock.close()
        self.directory.cleanup()


@contextlib.contextmanager
def notified(**env):
    n = Notified(**env)
    try:
        yield n
    finally:
        n.close()


class Notify(unittest.TestCase):
    def test_ready_comes_with_a_status_and_stopping_with_another(self):
        with notified() as n:
            first = n.next(lambda m: "READY" in m)
            self.assertEqual(first["READY"], "1")
            self.assertRegex(first["STATUS"], r"^ready: 3 policies \([0-9a-f]{8}\), 3 lists \([0-9a-f]{8}\)$")
            self.assertEqual(n.told, [first], "nothing is said before it is ready")
            n.daemon.process.send_signal(signal.SIGTERM)
            last = n.next(lambda m: "STOPPING" in m)
            self.assertTrue(last["STATUS"].startswith("draining: "), last)

    def test_a_reload_says_when_it_began_and_that_it_ended(self):
        with notified() as n:
            before = n.next(lambda m: "READY" in m)["STATUS"]
            n.daemon.write(CONFIG.replace("198.51.100.0/24", "198.51.100.0/25"))
            n.next(lambda m: m.get("STATUS", before) != before)  # the file was seen by itself: the revision differs
            asked = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            n.daemon.process.send_signal(signal.SIGHUP)
            began = n.next(lambda m: "RELOADING" in m)
            self.assertGreaterEqual(int(began["MONOTONIC_USEC"]), asked)
            self.assertLess(int(began["MONOTONIC_USEC"]), asked + PATIENCE * 1000000)
            self.assertEqual(n.next(lambda m: "READY" in m)["READY"], "1")

    def test_many_reloads_at_once_end_ready(self):
        with notified() as n:
            n.next(lambda m: "READY" in m)
            for _ in range(20):
                n.daemon.process.send_signal(signal.SIGHUP)
                time.sleep(0.005)
            n.next(lambda m: "RELOADING" in m)
            last = {}
            with self.assertRaises(AssertionError):  # until it is silent
                while True:
                    last = n.next(lambda m: "RELOADING" in m or "READY" in m, seconds=3)
            self.assertIn("READY", last)

    def test_a_failed_reload_is_over_too_and_the_status_says_it_failed(self):
        with notified() as n:
            n.next(lambda m: "READY" in m)
            n.daemon.write("lists: {lb: {prefixes: [nonsense]}}\n")
            n.daemon.process.send_signal(signal.SIGHUP)
            n.next(lambda m: "READY" in m)
            n.next(lambda m: "the last reload failed, what was in force before stays" in m.get("STATUS", ""))
            n.daemon.write(CONFIG)
            n.daemon.process.send_signal(signal.SIGHUP)
            n.next(lambda m: "STATUS" in m and "failed" not in m["STATUS"])

    def test_the_watchdog_hears_of_us_until_the_end(self):
        with notified(WATCHDOG_USEC="400000") as n:
            for _ in range(5):
                n.next(lambda m: m.get("WATCHDOG") == "1")
            n.daemon.process.send_signal(signal.SIGTERM)
            n.next(lambda m: "STOPPING" in m)

    def test_the_watchdog_hears_nothing_when_it_is_another_process_s(self):
        with notified(WATCHDOG_USEC="100000", WATCHDOG_PID="1") as n:
            n.next(lambda m: "READY" in m)
            with self.assertRaises(AssertionError):
                n.next(lambda m: "WATCHDOG" in m, seconds=1)


class Activated:
    """A daemon under systemd-socket-activate with the names of the units; started by whoever connects first."""

    def __init__(self, directory, names, config=CONFIG):
        self.path = os.path.join(directory, "iptrustd.yaml")
        with open(self.path, "w") as f:
            f.write(config.replace("%(dir)s", directory))
        self.where = {n: os.path.join(directory, "handed.sock") if n == "admin" else "127.0.0.1:%d" % free_port() for n in names}
        command = ["systemd-socket-activate"]
        for address in self.where.values():
            command += ["-l", address]
        command += ["--fdname=" + ":".join(names), "-E", "IPTRUST_REFRESH=off"]
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                command += ["-E", name]
        self.log = open(os.path.join(directory, "log"), "w+b")
        self.process = subprocess.Popen([*command, BINARY, "--config", self.path], stdout=subprocess.DEVNULL, stderr=self.log)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def wait(self, pattern, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, self.text()):
                return True
            if self.process.poll() is not None:
                return re.search(pattern, self.text()) is not None
            time.sleep(0.02)
        return False

    def connect(self, name):
        address = self.where[name]
        if address.startswith("/"):
            return UnixConnection(address, PATIENCE)
        host, port = address.split(":")
        return http.client.HTTPConnection(host, int(port), timeout=PATIENCE)

    def get(self, name, path):
        connection = self.connect(name)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Activation(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="ipt-activate-")
        self.addCleanup(holder.cleanup)
        self.directory = holder.name

    def activated(self, names, config=CONFIG):
        a = Activated(self.directory, names, config)
        self.addCleanup(a.stop)
        self.assertTrue(a.wait("Listening on"), a.text())
        return a

    def test_the_names_of_the_units_are_those_of_the_listeners(self):
        for name in ("http", "grpc", "health", "admin"):
            unit = "iptrustd-%s.socket" % name
            self.assertEqual(unit_values(unit, "FileDescriptorName"), [name])
            self.assertEqual(unit_values(unit, "Service"), ["iptrustd.service"])
            self.assertEqual(len(unit_values(unit, "ListenStream")), 1)

    def test_the_first_caller_starts_it_and_is_answered(self):
        # The order is not the one in which the daemon opens its listeners.
        a = self.activated(["admin", "grpc", "health", "http"])
        self.assertEqual(a.get("http", "/ip"), (200, "127.0.0.1\n"))
        self.assertEqual(a.get("health", "/readyz")[0], 200)
        self.assertEqual(a.get("admin", "/v1/policies")[0], 200)
        with socket.create_connection(("127.0.0.1", int(a.where["grpc"].split(":")[1])), PATIENCE) as s:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            head = b""
            while len(head) < 9:
                more = s.recv(9 - len(head))
                self.assertTrue(more, "the connection ended")
                head += more
            self.assertEqual(head[3], 4, "its SETTINGS come first (RFC 9113, 3.4)")
        for name, address in a.where.items():
            shown = "unix:" + address if name == "admin" else address
            self.assertRegex(a.text(), r'"listener":"%s","address":"%s","reason":"handed over"' % (name, re.escape(shown)))

    def test_what_is_not_handed_over_is_opened_as_configured(self):
        a = self.activated(["http"])
        self.assertEqual(a.get("http", "/ip")[0], 200)
        health = re.search(r'"listener":"health","address":"([0-9.]+):(\d+)"', a.text())
        connection = http.client.HTTPConnection(health.group(1), int(health.group(2)), timeout=PATIENCE)
        connection.request("GET", "/livez")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def refused(self, names, why, config=CONFIG, first="http"):
        a = self.activated(names, config)
        with contextlib.suppress(OSError, http.client.HTTPException):
            a.get(first, "/ip")
        self.assertTrue(a.wait(why), a.text())
        self.assertNotEqual(a.process.wait(PATIENCE), 0)

    def test_a_name_that_no_listener_has_is_an_error(self):
        self.refused(["web"], r'no listener is named \\"web\\": FileDescriptorName= is http, grpc, health or admin', first="web")

    def test_admin_on_tcp_wants_a_token_whoever_opened_it(self):
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            code, text = run_with(listening, "admin", self.directory)
        self.assertNotEqual(code, 0)
        self.assertIn("admin on TCP wants admin.listen on TCP with a token_file", text)

    def test_a_datagram_socket_is_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            code, text = run_with(s, "http", self.directory)
        self.assertNotEqual(code, 0)
        self.assertIn("what was handed over is no stream socket", text)


def handed(listening, name, directory, **options):
    """Starts the daemon with that socket as descriptor 3, as systemd does. The shell is what knows its own process id."""
    path = os.path.join(directory, "handed.yaml")
    with open(path, "w") as f:
        f.write(CONFIG.replace("%(dir)s", directory))
    fd = os.dup(listening.fileno())
    os.set_inheritable(fd, True)
    script = "exec 3<&%d %d<&-; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=%s exec %s --config %s" % (fd, fd, name, BINARY, path)
    if fd == 3:
        script = script.replace("exec 3<&3 3<&-; ", "")
    try:
        return subprocess.Popen(["bash", "-c", script], pass_fds=(fd,), env={**os.environ, "IPTRUST_REFRESH": "off"}, **options)
    finally:
        os.close(fd)


def run_with(listening, name, directory):
    process = handed(listening, name, directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, text = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, text = process.communicate()
    return process.returncode, text


class Restart(unittest.TestCase):
    def test_a_restart_on_a_socket_that_is_kept_refuses_nobody(self):
        failures, answers, end = [], [], threading.Event()
        with tempfile.TemporaryDirectory(prefix="ipt-restart-") as directory, socket.socket() as listening, \
                open(os.path.join(directory, "log"), "wb") as log:
            listening.bind(("127.0.0.1", 0))
            listening.listen(512)
            port = listening.getsockname()[1]

            def ask():
                while not end.is_set():
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                    try:
                        connection.request("GET", "/ip")
                        answers.append(connection.getresponse().status)
                    except (OSError, http.client.HTTPException) as fault:
                        failures.append(repr(fault))
                    finally:
                        connection.close()
                    time.sleep(0.002)

            def answered(more):
                goal, until = len(answers) + more, time.monotonic() + PATIENCE
                while len(answers) < goal and time.monotonic() < until:
                    time.sleep(0.01)
                self.assertGreaterEqual(len(answers), goal)

            clients = [threading.Thread(target=ask) for _ in range(4)]
            process = handed(listening, "http", directory, stdout=log, stderr=log)
            try:
                for c in clients:
                    c.start()
                for _ in range(3):
                    answered(50)
                    process.send_signal(signal.SIGTERM)  # drains: what it has let in is answered
                    self.assertEqual(process.wait(PATIENCE), 0)
                    process = handed(listening, "http", directory, stdout=log, stderr=log)
                answered(50)
            finally:
                end.set()
                for c in clients:
                    c.join()
                process.send_signal(signal.SIGTERM)
                code = process.wait(PATIENCE)
        self.assertEqual(code, 0)
        self.assertEqual(failures, [])
        self.assertEqual(set(answers), {200})


class Units(unittest.TestCase):
    def test_systemd_calls_the_service_well_confined(self):
        out = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=%d" % (EXPOSURE_MOST * 10),
                              os.path.join(UNITS, "iptrustd.service")], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        level = re.search(r"Overall exposure level for iptrustd.service: ([0-9.]+)", out.stdout)
        self.assertTrue(level, out.stdout + out.stderr)
        print("exposure level: %s of at most %s" % (level.group(1), EXPOSURE_MOST))
        self.assertLessEqual(float(level.group(1)), EXPOSURE_MOST)
        self.assertEqual(out.returncode, 0, out.stdout)

    def test_systemd_finds_nothing_wrong_in_any_unit(self):
        with tempfile.TemporaryDirectory(prefix="ipt-units-") as directory:
            files = []
            for name in sorted(os.listdir(UNITS)):
                with open(os.path.join(UNITS, name)) as f:
                    text = f.read().replace("/usr/bin/iptrustd", os.path.abspath(BINARY))
                files.append(os.path.join(directory, name))
                with open(files[-1], "w") as f:
                    f.write(text)
            self.assertEqual(len(files), 5)
            out = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True)
            ours = [line for line in (out.stdout + out.stderr).splitlines() if "iptrustd" in line]
            self.assertEqual(ours, [])
            self.assertEqual(out.returncode, 0, out.stderr)

    def test_the_timer_of_databases_can_be_taken_as_it_stands(self):
        deploy = os.path.join(UNITS, "..", "geoipupdate")
        with open(os.path.join(UNITS, "..", "..", "README.md")) as f:
            readme = f.read()
        with tempfile.TemporaryDirectory(prefix="ipt-units-") as directory:
            for name in ("geoipupdate.service", "geoipupdate.timer"):
                with open(os.path.join(deploy, name)) as f:
                    text = f.read()
                with open(os.path.join(directory, name), "w") as f:
                    f.write(text.replace("/usr/bin/geoipupdate", "/bin/true"))  # Debian's contrib has it, which a machine may not
                if name.endswith(".service"):
                    folder = re.search(r"--database-directory (\S+)", text).group(1)
                    self.assertIn("%s/GeoLite2-City.mmdb" % folder, readme)
                else:
                    when = re.search(r"(?m)^OnCalendar=(.*)$", text).group(1)
            out = subprocess.run(["systemd-analyze", "verify", "--man=no", os.path.join(directory, "geoipupdate.timer")],
                                 capture_output=True, text=True)
            self.assertEqual(([line for line in (out.stdout + out.stderr).splitlines() if "geoipupdate" in line], out.returncode), ([], 0))
        out = subprocess.run(["systemd-analyze", "calendar", "--iterations=2", when], capture_output=True, text=True)
        self.assertEqual(out.returncode, 0, out.stderr)

    def test_the_time_to_stop_is_longer_than_a_drain_and_the_watchdog_than_a_stuck_loop(self):
        def seconds(key):
            return int(unit_values("iptrustd.service", key)[0].removesuffix("s"))
        self.assertGreater(seconds("TimeoutStopSec"), 5 + 25)
        self.assertGreater(seconds("WatchdogSec"), 2 * 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
