"""The demos of deploy/demo, as somebody runs them: they show what they promise, they fail when the proxy is not protected,
and nothing of theirs is left, however they end."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMOS = ("nginx", "caddy", "envoy")
SECONDS = 90
TOOLS = ""


def setUpModule():
    global TOOLS  # Envoy
    TOOLS = subprocess.run([ROOT / ".ci" / "peers"], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


class Demos(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="ipt-demos-")  # their mark: every process of theirs has it in its environment
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.env = {"PATH": "%s:/usr/local/bin:/usr/bin:/bin" % TOOLS, "TMPDIR": self.dir, "HOME": self.dir,
                    "IPTRUST_BIN": os.path.dirname(os.path.abspath(os.environ["IPTRUSTD"]))}

    def left(self):
        """Processes and files that are still there."""
        found = os.listdir(self.dir)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    if ("TMPDIR=" + self.dir).encode() in f.read().split(b"\0"):
                        found.append(pid)
            except OSError:
                pass
        return found

    def assert_nothing_left(self):
        end = time.monotonic() + 20
        while self.left() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.left(), [])

    def run_demo(self, name, root=ROOT):
        return subprocess.run([root / "deploy" / "demo" / name / "run"], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=SECONDS)

    def test_each_shows_forged_requests_seen_through(self):
        self.assertEqual(sorted(DEMOS), sorted(p.parent.name for p in (ROOT / "deploy" / "demo").glob("*/run")))
        for name in DEMOS:
            with self.subTest(name):
                done = self.run_demo(name)
                self.assertEqual(done.returncode, 0, done.stdout)
                stranger, through = done.stdout.split("\n== ")[1:]
                self.assertRegex(stranger, r"(?i)    x-iptrust-client-ip: 127\.0\.0\.3\n")
                self.assertIn("Client 127.0.0.3", stranger)
                self.assertRegex(through, r"(?i)    x-iptrust-client-ip: 198\.51\.100\.7\n")
                self.assertIn("Client 198.51.100.7", through)
                self.assertIn("ignored, because anybody could have written it", through)
                self.assertNotRegex(done.stdout, r"(?i)    x-iptrust-[a-z-]+: .*6\.6\.6\.6")
                self.assert_nothing_left()

    def test_one_whose_proxy_protects_nothing_fails(self):
        """The same demo beside snippets that hand on what the client wrote."""
        tree = os.path.join(self.dir, "tree")
        shutil.copytree(ROOT / "deploy", os.path.join(tree, "deploy"))
        path = pathlib.Path(tree, "deploy", "nginx", "iptrust.conf")
        text = path.read_text()
        path.write_text(re.sub(r"proxy_set_header X-Iptrust-Client-Ip .*\n", "", text))
        self.assertNotEqual(text, path.read_text())
        done = self.run_demo("nginx", pathlib.Path(tree))
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("x-iptrust-client-ip should be 127.0.0.3 and nothing else", done.stdout)
        shutil.rmtree(tree)
        self.assert_nothing_left()

    def test_one_without_its_proxy_says_where_to_get_it(self):
        self.env["PATH"] = self.dir + "/bin"
        os.mkdir(self.dir + "/bin")
        for program in ("bash", "env", "dirname", "basename", "python3", "curl", "mktemp", "chmod", "rm"):
            os.symlink(shutil.which(program, path="/usr/bin:/bin"), self.dir + "/bin/" + program)
        done = self.run_demo("caddy")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("this demo needs caddy: apt install caddy", done.stdout)
        shutil.rmtree(self.dir + "/bin")
        self.assert_nothing_left()

    def test_one_that_stays_goes_when_told(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                demo = subprocess.Popen([ROOT / "deploy" / "demo" / "nginx" / "run", "--stay"], env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
                watchdog = threading.Timer(SECONDS, demo.kill)
                watchdog.start()
                try:
                    url = next(m.group(1) for m in (re.match(r"It stays: (\S+)", line) for line in demo.stdout) if m)
                    with urllib.request.urlopen(url, timeout=20) as answer:
                        self.assertIn("x-iptrust-client-ip: 127.0.0.1", answer.read().decode().lower())
                    demo.send_signal(number)
                    self.assertEqual(demo.wait(30), 128 + number)
                finally:
                    watchdog.cancel()
                    demo.stdout.close()
                    if demo.poll() is None:
                        demo.kill()
                        demo.wait()
                self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
