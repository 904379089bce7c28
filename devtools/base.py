"""What every other module needs: places, progress, locks and child processes."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ADDON = "sales_confirm_user_create"
# by what they depend on
ADDONS = ("portal_own_documents", ADDON, "sale_portal_claim", "sale_portal_team")


class DevtoolsError(Exception):
    """Something the user can fix; the text says how."""


def cache_dir():
    """Return the folder, outside the clone, that holds what is downloaded or built."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    default = Path("/var/cache" if os.geteuid() == 0 else home) / ADDON
    path = Path(os.environ.get("SCUC_CACHE") or default).absolute()
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise DevtoolsError(f"Cannot write to {path}: set SCUC_CACHE to another folder")
    return path


def digest(*parts):
    """Return a short hash of values whose `repr` says all."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def say(text):
    """Print one line at once, also when the output is a file."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title):
    """Print when a long step starts and ends."""
    start = time.monotonic()
    say(f"-> {title}")
    yield
    say(f"   done in {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def lock(name, shared=False):
    """Hold the cache's lock `name`, alone or `shared` with others who share it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with open(cache_dir() / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(f"wait for another run that holds {handle.name}"):
                fcntl.flock(handle, kind)
        yield


def make_once(target, make, *args):
    """Return the folder `target`; where it is missing, `make(folder, *args)` fills it.

    What fails or is killed leaves nothing that looks complete.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        with lock(target.name.rpartition("-")[0]):
            if not target.exists():
                temp = target.with_name(f".{target.name}.part")
                shutil.rmtree(temp, ignore_errors=True)
                temp.mkdir()
                try:
                    make(temp, *args)
                    temp.rename(target)
                finally:
                    shutil.rmtree(temp, ignore_errors=True)
    return target


def run(command_line, *, log=None, **kwargs):
    """Run a program to its end and return its standard output as text.

    :param log: a file that takes the output instead
    """
    line = [str(part) for part in command_line]
    kwargs.setdefault("input", "")
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with open(log or os.devnull, "ab") as file:
        if log:
            out = {"stdout": file, "stderr": subprocess.STDOUT}
        try:
            done = subprocess.run(line, check=False, text=True, **out, **kwargs)
        except FileNotFoundError as error:
            raise DevtoolsError(f"{line[0]} is not on this machine.") from error
    if done.returncode:
        output = tail(log) if log else f"{done.stdout}\n{done.stderr}"[-3000:]
        raise DevtoolsError(f"Failed: {' '.join(line)[:200]}\n{output}")
    return done.stdout or ""


def tail(log, lines=25):
    """Return the end of a log file, and where the rest is."""
    text = Path(log).read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([*text, f"Log: {log}"])
