"""The shop of this clone: what `make run`, `make shell` and `make clean` work on."""

import shutil
import signal
import socket
import subprocess
import time

from .base import ADDON, PROJECT, DevtoolsError, digest, say, step
from .inbox import Inbox
from .instance import Instance, instances_dir
from .templates import addon_digest

DATABASE = "shop"
GENERATED = (
    ".pytest_cache",
    ".ruff_cache",
    "build",
    "dist",
    "test-results",
    "tests/screenshots",
)
NAME = f"run-{digest(PROJECT)}"


def folder():
    """Return the folder of this clone's instance."""
    return instances_dir() / NAME


def serve(port, inbox_port):
    """Run the shop and the inbox until Ctrl-C, then stop both.

    :raise DevtoolsError: a port is taken, or a server does not start or ends
    """
    _check_port(port, "PORT")
    _check_port(inbox_port, "INBOX_PORT")
    with _open() as instance, Inbox(instance.folder, inbox_port) as inbox:
        with step("start Odoo"):
            server = instance.start_server(
                DATABASE,
                port=port,
                smtp_port=inbox.smtp_port,
                log=instance.folder / "odoo.log",
            )
        say(
            f"\nShop     {server.url}/shop\n"
            f"Backend  {server.url}/odoo   (login admin, password admin)\n"
            f"Inbox    {inbox.url}\n"
            f"Log      {server.log}\n\nCtrl-C stops everything."
        )
        try:
            _wait(server, inbox)
        except KeyboardInterrupt:
            # A second Ctrl-C must not cut the stopping short.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            say("\nStopping …")


def shell():
    """Run `odoo shell` on the shop's database, beside `make run` or without it.

    :return: its exit status, not 0 when a script on standard input raised
    """
    with _open(attach=True) as instance:
        odoo = instance.odoo
        options = [*instance.options(DATABASE), "--no-http", "--log-level=warn"]
        command = odoo.command("shell", *options)
        return subprocess.call(command, env=odoo.environ(), cwd=PROJECT)


def clean():
    """Remove this clone's shop and what the tools left in the clone.

    :raise DevtoolsError: the shop is running
    """
    if folder().exists():
        instance = Instance(folder())
        if instance.in_use():
            raise DevtoolsError("`make run` is running: stop it first (Ctrl-C).")
        shutil.rmtree(folder())
    for name in GENERATED:
        shutil.rmtree(PROJECT / name, ignore_errors=True)
    for path in PROJECT.glob(".coverage*"):
        path.unlink()
    for tree in ("benchmarks", "devtools", "tests", ADDON):
        for path in list((PROJECT / tree).rglob("__pycache__")):
            shutil.rmtree(path)


def _open(attach=False):
    """Return the started instance with the shop's database, up to date.

    :param attach: when another process runs it, use that one
    """
    if attach and folder().exists():
        instance = Instance(folder())
        if instance.in_use():
            instance.cluster.attach()
            return instance
    instance = Instance.start("addon", NAME, durable=True)
    try:
        _prepare(instance)
    except BaseException:
        instance.close()
        raise
    return instance


def _prepare(instance):
    """Make the database where it is missing; update the addon where it changed."""
    seen = instance.folder / "addon-digest"
    current = addon_digest()
    if DATABASE not in instance.cluster.databases():
        instance.new_database(DATABASE)
    elif not seen.exists() or seen.read_text() != current:
        with step(f"update {ADDON} in the shop"):
            log = instance.folder / "update.log"
            instance.odoo_command([f"--update={ADDON}"], db=DATABASE, log=log)
    seen.write_text(current)


def _check_port(port, variable):
    """Check that nobody listens on a port.

    :raise DevtoolsError: somebody does
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DevtoolsError(
                f"Port {port} cannot be used ({error.strerror}). "
                f"Choose another: make run {variable}={port + 1}"
            ) from error


def _wait(server, inbox):
    """Wait for ever.

    :raise DevtoolsError: one of the servers ended by itself
    """
    while server.running() and inbox.running():
        time.sleep(0.5)
    ended = inbox if server.running() else server
    raise DevtoolsError(f"A server ended by itself, see {ended.log}")
