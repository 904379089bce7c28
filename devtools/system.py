"""Packages of the machine and of npm, and processes that end with us."""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .base import DevtoolsError, cache_dir, lock, make_once, run, step, tail


def postgres_bin():
    """Return the folder with PostgreSQL's programs: PG_BIN, or the newest, or None."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent


# Debian package: how to see that it, or its equivalent, is installed
PACKAGES = {
    "postgresql": postgres_bin,
    "chromium": lambda: shutil.which("chromium"),  # for Odoo's tours
    "chromium-headless-shell": lambda: shutil.which("chromium-headless-shell"),
    "python3-venv": lambda: importlib.util.find_spec("ensurepip"),
    "nodejs": lambda: shutil.which("node"),
    "npm": lambda: shutil.which("npm"),
    "wkhtmltopdf": lambda: shutil.which("wkhtmltopdf"),
    "fonts-liberation": Path("/usr/share/fonts/truetype/liberation").exists,
    "gettext": lambda: shutil.which("msgmerge"),
}


def install_packages():
    """Install the Debian packages that are missing."""
    missing = [name for name, found in PACKAGES.items() if not found()]
    if not missing:
        return
    install = ["apt-get", "install", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise DevtoolsError(
            "Missing Debian packages. Run this, or install their equivalents, then try "
            f"again:\n  sudo {' '.join(install)}"
        )
    with lock("apt"), step(f"install {' '.join(missing)}"):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-q", "update"], env=environ)
        run([*install, "--yes", "-q"], env=environ)


def npm(package):
    """Return the folder `node_modules` with a package such as `rtlcss@4.3.0`."""
    folder = cache_dir() / f"npm-{re.sub('[@/]+', '-', package).strip('-')}"
    install = ["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", package]
    return make_once(folder, lambda temp: run(install, cwd=temp)) / "node_modules"


def free_port():
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command_line, *, log=None, death_signal="TERM", user=None, **kwargs):
    """Start a program as the leader of a process group of its own.

    It gets `death_signal` when the thread that called this ends, so nothing is left
    behind even when we are killed with no chance to clean up.

    :param user: the system user to run it as, when we are root
    """
    prefix = ["setpriv", "--pdeathsig", death_signal, *as_user(user), "--"]
    kwargs |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
    with open(log or os.devnull, "ab") as out:
        if log:
            kwargs |= {"stdout": out, "stderr": subprocess.STDOUT}
        return subprocess.Popen([*prefix, *map(str, command_line)], **kwargs)


def as_user(user):
    """Return the options that make `setpriv` switch to a user, if we are root."""
    if not user or os.geteuid() != 0:
        return []
    return [f"--reuid={user}", f"--regid={user}", "--init-groups"]


def wait_until(ready, process, log, timeout=60):
    """Wait until `ready()` is true for a process that `spawn` started."""
    limit = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None or time.monotonic() > limit:
            raise DevtoolsError(f"A server does not start:\n{tail(log)}")
        time.sleep(0.1)


def end(process, how=signal.SIGTERM, timeout=30):
    """End a process that `spawn` started, and what is left of its group."""
    try:
        if process.poll() is None:
            process.send_signal(how)
            process.wait(timeout)
    except subprocess.TimeoutExpired:
        pass
    finally:
        kill_group(process)


def kill_group(process):
    """Kill the whole group of a process that `spawn` started, as a power cut would."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
