"""The commands as they are typed, in a copy of this clone: it has a shop of its own."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from devtools.base import PROJECT
from devtools.instance import free_port

from .database import eventually

SKIPPED = (".git", ".cache", "build", "dist", "screenshots", "test-results", "*.pyc")


def make(clone, *args, **kwargs):
    """Run `make` to its end."""
    return subprocess.run(
        ["make", "--no-print-directory", *args],
        cwd=clone,
        check=False,
        capture_output=True,
        text=True,
        **kwargs,
    )


def start(clone, log, *args):
    """Start `make` as a terminal does, in a process group of its own."""
    with open(log, "wb") as out:
        return subprocess.Popen(
            # who runs these tests in the background may have the signal ignored
            ["env", "--default-signal=INT", "make", "--no-print-directory", *args],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def interrupt(process):
    """Type Ctrl-C, and wait; kill what does not listen."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def processes(text):
    """Return the command lines of all processes that have this text in theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


def listens(port):
    """Tell whether somebody answers at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def clone(tmp_path):
    """A copy of this clone."""
    folder = tmp_path / "clone"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*SKIPPED))
    yield folder
    make(folder, "clean")


def test_make_run_serves_a_shop_and_an_inbox_until_ctrl_c(clone, tmp_path):
    port, inbox_port = free_port(), free_port()
    ports = (f"PORT={port}", f"INBOX_PORT={inbox_port}")
    log = tmp_path / "run.log"
    run = start(clone, log, "run", *ports)
    try:
        eventually(
            lambda: "Ctrl-C stops everything" in log.read_text() or run.poll(),
            timeout=300,
        )
        assert run.poll() is None, log.read_text()
        said = log.read_text()
        for address in (f"http://localhost:{port}/shop", f"localhost:{inbox_port}"):
            assert address in said
        assert requests.get(f"http://localhost:{port}/shop", timeout=60).ok
        assert requests.get(f"http://localhost:{inbox_port}", timeout=60).ok

        again = make(clone, "run", *ports)
        assert again.returncode
        running = f"already running at http://localhost:{port}/shop"
        assert running in again.stderr
        assert running in make(clone, "clean").stderr

        shell = make(clone, "shell", input="print(env['sale.order']._name)")
        assert (shell.returncode, shell.stdout.split()[-1:]) == (0, ["sale.order"])
        assert make(clone, "shell", input="raise ValueError").returncode
    finally:
        interrupt(run)
    [folder] = {
        line.split()[1] for line in said.splitlines() if line.startswith("Log ")
    }
    assert processes(str(Path(folder).parent)) == []
    assert not listens(port) and not listens(inbox_port)
    assert make(clone, "clean").returncode == 0
    assert not Path(folder).parent.exists()


@pytest.mark.parametrize("port", ["80000", "http"])
def test_a_port_that_is_none_is_said(clone, port):
    said = make(clone, "run", f"PORT={port}")
    assert said.returncode
    assert f"Port {port} cannot be used" in said.stderr
    assert "Traceback" not in said.stderr


def test_what_is_missing_is_said(clone, tmp_path):
    said = make(clone, "setup", env={**os.environ, "ODOO_HOME": str(tmp_path)})
    assert said.returncode
    assert "is no Odoo checkout" in said.stderr
    assert "Traceback" not in said.stderr
