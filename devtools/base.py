"""What every other module needs: places, progress, locks and child processes."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ADDON = "sales_confirm_user_create"


class DevtoolsError(Exception):
    """Something the user can put right; the text says how."""


def cache_dir():
    """Return the folder, outside the clone, that holds what is downloaded or built.

    :raise DevtoolsError: the folder cannot be made or written
    """
    if os.environ.get("SCUC_CACHE"):
        path = Path(os.environ["SCUC_CACHE"]).absolute()
    elif os.geteuid() == 0:
        path = Path("/var/cache") / ADDON
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        path = Path(home) / ADDON
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DevtoolsError(
            f"Cannot make {path} ({error.strerror}): set SCUC_CACHE to a folder "
            "you may write."
        ) from error
    if not os.access(path, os.W_OK):
        raise DevtoolsError(
            f"Cannot write to {path}: set SCUC_CACHE to a folder you may write."
        )
    return path


def digest(*parts):
    """Return a short hash of strings and bytes."""
    state = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        state.update(b"%d:" % len(data) + data)
    return state.hexdigest()[:12]


def say(text):
    """Print one line at once, also when the output is a file."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title, beat=20):
    """Print when a long step starts and ends, and a sign of life every `beat` s."""
    start = time.monotonic()
    done = threading.Event()

    def tick():
        while not done.wait(beat):
            say(f"   … {title}: {time.monotonic() - start:.0f} s")

    say(f"-> {title}")
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    say(f"   done in {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def lock(name):
    """Hold the cache's lock `name`, so that two clones do not do the same work."""
    with open(cache_dir() / f"{name}.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step(f"wait for another run that holds {handle.name}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def build_dir(target):
    """Yield an empty folder that becomes `target` when the block succeeds.

    A block that fails, and one that was killed before, leave nothing behind.
    """
    temp = target.with_name(f".{target.name}.part")
    shutil.rmtree(temp, ignore_errors=True)
    temp.mkdir(parents=True)
    try:
        yield temp
        temp.rename(target)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def run(command, *, log=None, what=None, **kwargs):
    """Run `command` to its end and return its standard output as text.

    :param log: a file that takes the output instead
    :param what: words for the error message instead of the command
    :raise DevtoolsError: it failed; with the end of its output
    """
    command = [str(part) for part in command]
    if "input" not in kwargs:
        kwargs["stdin"] = subprocess.DEVNULL
    try:
        if log:
            with open(log, "ab") as out:
                result = subprocess.run(
                    command, check=False, stdout=out, stderr=subprocess.STDOUT, **kwargs
                )
        else:
            result = subprocess.run(
                command, check=False, capture_output=True, text=True, **kwargs
            )
    except FileNotFoundError as error:
        raise DevtoolsError(f"{command[0]} is not on this machine.") from error
    output = result.stdout or ""
    if result.returncode:
        seen = Path(log).read_text(errors="replace") if log else output + result.stderr
        tail = "\n".join(seen.strip().splitlines()[-25:])
        where = f"\nThe whole output is in {log}" if log else ""
        raise DevtoolsError(
            f"{what or ' '.join(command[:3])} failed (exit status "
            f"{result.returncode}):\n{tail}{where}"
        )
    return output


def have(program):
    """Tell whether `program` is on the PATH, where Debian's sbin folders count."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return shutil.which(program, path=path)


def python_version():
    """Return this Python's version as `3.11.2`."""
    return ".".join(map(str, sys.version_info[:3]))
