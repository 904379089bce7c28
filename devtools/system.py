"""Debian packages of the machine, and starting processes that end with us."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from .base import DevtoolsError, have, lock, run, step


def postgres_bin():
    """Return the folder with PostgreSQL's programs, or None.

    PG_BIN names another one than that of the newest server of the machine.
    """
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    program = newest or shutil.which("initdb")
    return Path(program).parent if program else None


def _venv_works():
    try:
        # whether they are there is the question
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def chromium():
    """Return the path of Chromium, or None."""
    return have("chromium")


# Debian package: how to tell that it, or its equal, is there already
PACKAGES = {
    "postgresql": postgres_bin,
    "chromium": chromium,
    "python3-venv": _venv_works,
    "nodejs": lambda: have("node"),
    "npm": lambda: have("npm"),
    "wkhtmltopdf": lambda: have("wkhtmltopdf"),
    "fonts-liberation": Path("/usr/share/fonts/truetype/liberation").exists,
    "gettext": lambda: have("msgmerge"),
    "util-linux": lambda: have("setpriv"),
}


def install_packages():
    """Install the Debian packages that are missing.

    :raise DevtoolsError: some are missing and we may not or cannot install them
    """
    missing = [name for name, there in PACKAGES.items() if not there()]
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if not have("apt-get"):
        raise DevtoolsError(f"Missing: {' '.join(missing)}. Install them.")
    if os.geteuid() != 0:
        raise DevtoolsError(
            f"Missing Debian packages. Run this, then try again:\n  sudo {command}"
        )
    with lock("apt"), step(f"install {' '.join(missing)}"):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "-q", "update"], env=environ)
        run([*command.split(), "--yes", "-q"], env=environ)


def spawn(command, *, death_signal="TERM", user=None, **kwargs):
    """Start `command` as the leader of a process group of its own.

    It gets `death_signal` when the thread that called this ends, so nothing is left
    behind even when we are killed with no chance to clean up.

    :param user: the system user to run it as, when we are root
    :return: the Popen object; its pid is the group's id
    """
    prefix = ["setpriv", "--pdeathsig", death_signal]
    if user and os.geteuid() == 0:
        prefix += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
    return subprocess.Popen(
        [*prefix, "--", *map(str, command)],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **kwargs,
    )


def end(process, how=signal.SIGTERM, patience=30):
    """End a process that `spawn` started, and what is left of its group."""
    try:
        if process.poll() is None:
            process.send_signal(how)
            process.wait(patience)
    except subprocess.TimeoutExpired:
        pass
    finally:
        kill_group(process)


def kill_group(process):
    """Kill the whole group of a process that `spawn` started, as a power cut would."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
