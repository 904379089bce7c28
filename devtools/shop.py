"""The demo shop of this clone: what `make run`, `shell` and `clean` work on."""

import os
import shutil
import signal
import socket
import subprocess
import time

from .base import ADDONS, PROJECT, DevtoolsError, cache_dir, digest, run, say, step
from .instance import Instance, instances_dir
from .recipes import addon_digest
from .system import end, free_port, npm, spawn

DATABASE = "shop"
# shows what a mail server on loopback receives; the last that Node.js 18 runs
INBOX = "maildev@2.2.1"
# of the instance
NAME = f"run-{digest(PROJECT)}"
# in the clone, left by the tools
JUNK = "build dist test-results tests/screenshots .*_cache .coverage* **/__pycache__"
WELCOME = """
Shop     {url}/shop (English), {url}/fr/shop (French), {url}/ar/shop (Arabic)
Backend  {url}/odoo
Logins   admin/admin, demo/demo, portal/portal
Inbox    http://localhost:{inbox_port}
Log      {log}

Ctrl-C stops everything."""


def serve():
    """Run the shop and the inbox until Ctrl-C, then stop both."""
    _check_stopped()
    port, inbox_port = _port("PORT", 8069), _port("INBOX_PORT", 8025)
    smtp_port = free_port()
    with _open() as instance:
        folder = instance.folder
        log = folder / "odoo.log"
        ports = [f"--smtp={smtp_port}", f"--web={inbox_port}"]
        ports += ["--ip=127.0.0.1", "--web-ip=127.0.0.1"]
        line = [npm(INBOX) / ".bin/maildev", *ports, "--mail-directory=mails"]
        inbox = spawn(line, log=folder / "inbox.log", cwd=folder)
        try:
            with step("start Odoo"):
                ports = {"port": port, "smtp_port": smtp_port}
                server = instance.start_server(DATABASE, log=log, **ports)
            say(WELCOME.format(url=server.url, inbox_port=inbox_port, log=log))
            while server.process.poll() is None and inbox.poll() is None:
                time.sleep(0.5)
            raise DevtoolsError(f"A server ended by itself, see {folder}/*.log")
        except KeyboardInterrupt:
            # A second Ctrl-C must not cut the stopping short.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            say("\nStopping …")
        finally:
            end(inbox)


def shell():
    """Open `odoo shell` on the shop, or run the script on standard input."""
    instance = Instance(instances_dir() / NAME)
    with instance if instance.in_use() else _open() as instance:
        options = [*instance.options(DATABASE), "--no-http", "--log-level=warn"]
        line = instance.odoo.command("shell", *options)
        return subprocess.call(line, env=instance.environ())


def clean():
    """Remove this clone's shop and generated files."""
    _check_stopped()
    found = [path for pattern in JUNK.split() for path in PROJECT.glob(pattern)]
    run(["rm", "-rf", instances_dir() / NAME, *found])


def distclean():
    """Remove all that was downloaded and built, too."""
    for path in instances_dir().glob("*"):
        if Instance(path).in_use():
            raise DevtoolsError(f"{path} is in use: stop that first.")
    with step(f"remove {cache_dir()}"):
        shutil.rmtree(cache_dir())


def _check_stopped():
    """Check that neither `make run` nor `make shell` is at work."""
    instance = Instance(instances_dir() / NAME)
    if instance.in_use():
        query = "SELECT value FROM ir_config_parameter WHERE key = 'web.base.url'"
        address = instance.cluster.sql(DATABASE, query)
        raise DevtoolsError(
            f"The demo shop is already running at {address}/shop. To stop it, press "
            "Ctrl-C in its terminal."
        )


def _open():
    """Return the started instance with the shop's database, up to date."""
    instance = Instance.start("addon", NAME, durable=True)
    seen, current = instance.folder / "addon-digest", addon_digest()
    if DATABASE not in instance.cluster.databases():
        instance.new_database(DATABASE)
    elif not seen.exists() or seen.read_text() != current:
        with step("update the addons in the shop"):
            log = instance.folder / "update.log"
            # and the addons that depend on it
            instance.odoo_command([f"--update={ADDONS[0]}"], db=DATABASE, log=log)
    seen.write_text(current)
    return instance


def _port(variable, default):
    """Return the port that a variable of make names, if it can be used."""
    value = os.environ.get(variable) or default
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(value)))
    except (OSError, OverflowError, ValueError) as error:
        raise DevtoolsError(
            f"Port {value} cannot be used ({error}). "
            f"Choose another, up to 65535: make run {variable}={free_port()}"
        ) from error
    return int(value)
