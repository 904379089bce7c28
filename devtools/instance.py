"""An Odoo with a PostgreSQL of its own, for one run or kept under a name.

with Instance.start(recipe="addon") as instance:
    instance.new_database("x")
    with instance.start_server("x", workers=2, smtp_port=1025) as server:
        ...  # server.url, server.log, instance.dsn("x"), instance.shell("x", "…")
"""

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from .base import PROJECT, DevtoolsError, cache_dir, run
from .odoo import get_odoo
from .postgres import ROLE, Cluster
from .system import end, kill_group, spawn

TEMPLATE = "template"
CONFIG = PROJECT / "odoo.conf"


def free_port():
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Instance:
    """A private PostgreSQL with Odoo databases and their files."""

    def __init__(self, folder, addons=PROJECT):
        """
        :param folder: holds `pgdata` and Odoo's `data`
        :param addons: the folder with the addon, or a list of such folders
        """
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.addons = [addons] if isinstance(addons, str | Path) else list(addons)
        self.cluster = Cluster(self.folder / "pgdata")
        self.odoo = get_odoo()
        self.keep = True
        self._servers = []
        self._lock = None

    @classmethod
    def start(cls, recipe="addon", name=None, *, durable=False, addons=PROJECT):
        """Start an instance made from a template, which is built where missing.

        :param recipe: a name of `templates.RECIPES`, or a `templates.Recipe`
        :param name: keep the instance under this name, and start that one when it
            exists; without a name it is removed when it stops
        :param durable: keep what is committed even when the machine crashes
        :param addons: the folder with the addon, or a list of such folders
        """
        from .templates import get_template

        folder = instances_dir() / (name or f"tmp-{os.getpid()}-{time.time_ns():x}")
        if not folder.exists():
            template = get_template(recipe, addons=addons)
            _remove_stale()
            copy_tree(template, folder)
        instance = cls(folder, addons)
        instance.keep = bool(name)
        instance.open(durable)
        return instance

    def open(self, durable=False):
        """Start the database server of an existing folder.

        :raise DevtoolsError: another process runs this instance
        """
        self._lock = _try_lock(self.folder)
        if not self._lock:
            raise DevtoolsError(f"{self.folder} is in use by another run: stop that.")
        self.data.mkdir(exist_ok=True)
        self.cluster.start(durable)

    def in_use(self):
        """Tell whether another process runs this instance."""
        handle = _try_lock(self.folder)
        if handle:
            handle.close()
        return not handle

    def close(self):
        """Stop all that was started here; remove the folder unless it is kept."""
        for server in self._servers:
            server.stop()
        self.cluster.stop()
        if self._lock:
            if not self.keep:
                shutil.rmtree(self.folder, ignore_errors=True)
            self._lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def dsn(self, db):
        """Return the connection string of the database `db` for psycopg2."""
        return self.cluster.dsn(db)

    def new_database(self, db, template=TEMPLATE):
        """Make the database `db` as a copy of another one with its files."""
        store = self.data / "filestore"
        # the files first: an interrupted copy leaves no database without files
        shutil.rmtree(store / db, ignore_errors=True)
        if (store / template).exists():
            copy_tree(store / template, store / db)
        self.cluster.create(db, template)
        return db

    def drop_database(self, db):
        """Remove the database `db` and its files."""
        self.cluster.drop(db)
        shutil.rmtree(self.data / "filestore" / db, ignore_errors=True)

    def options(self, db):
        """Return the options that point an Odoo command at the database `db`."""
        return [
            f"--config={CONFIG}",
            f"--database={db}",
            f"--db_host={self.cluster.socket}",
            f"--db_user={ROLE}",
            f"--data-dir={self.data}",
            f"--addons-path={self.odoo.addons_path(*self.addons)}",
        ]

    def environ(self):
        """Return the environment that points whatever reads Odoo's settings from it,
        pytest-odoo for one, at this instance."""
        return self.odoo.environ() | {
            "PGHOST": str(self.cluster.socket),
            "PGUSER": ROLE,
            "ODOO_DATA_DIR": str(self.data),
            "ODOO_ADDONS_PATH": self.odoo.addons_path(*self.addons),
            "ODOO_HTTP_INTERFACE": "127.0.0.1",
            "ODOO_HTTP_PORT": str(free_port()),
        }

    def odoo_command(self, args, *, db=TEMPLATE, command="server", log=None):
        """Run an Odoo command on `db` to its end, without serving HTTP.

        :param args: more options, like `["-i", "crm"]`
        :return: its output, or nothing when `log` takes it
        :raise DevtoolsError: it failed
        """
        line = self.odoo.command(
            command, *self.options(db), "--no-http", "--stop-after-init", *args
        )
        return run(line, env=self.odoo.environ(), log=log, what=f"odoo {command}")

    def shell(self, db, script, **kwargs):
        """Run a Python script in `odoo shell`; it has to commit by itself.

        :return: its standard output
        :raise DevtoolsError: it raised
        """
        line = self.odoo.command("shell", *self.options(db), "--no-http")
        return run(
            line,
            env=self.odoo.environ(),
            input=script,
            what="odoo shell",
            **kwargs,
        )

    def start_server(self, db, *, port=None, smtp_port=None, workers=0, extra=(), **kw):
        """Start an Odoo server on `db` and wait until it answers.

        :param smtp_port: where mail goes, on loopback; without it sending fails, as
            with a mail server that is down
        :param workers: 0 for threads, else so many processes
        :param extra: more command line options
        :return: a `Server`
        """
        return Server(self, db, port, smtp_port, workers, extra, **kw)


class Server:
    """A running Odoo server; a context manager that stops it."""

    def __init__(self, instance, db, port, smtp_port, workers, extra, log=None):
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.db = db
        self.log = Path(log or instance.folder / f"odoo-{db}-{self.port}.log")
        self._process = None
        self._instance = instance
        # Scheduled jobs have no request to take the address in their mails from.
        instance.cluster.sql(
            db,
            "UPDATE ir_config_parameter SET value = :'url' WHERE key = 'web.base.url'",
            url=self.url,
        )
        self._command = instance.odoo.command(
            "server",
            *instance.options(db),
            "--http-interface=127.0.0.1",
            f"--http-port={self.port}",
            f"--gevent-port={free_port()}",
            f"--workers={workers}",
            "--smtp=127.0.0.1",
            f"--smtp-port={smtp_port or free_port()}",
            *extra,
        )
        instance._servers.append(self)
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    @property
    def pid(self):
        """The process id, which is the id of its process group too."""
        return self._process.pid

    def start(self, patience=180):
        """Start the server, again after `stop` or `kill`, and wait for its answer.

        :raise DevtoolsError: it ended, or took too long; with the end of its log
        """
        with open(self.log, "ab") as out:
            self._process = spawn(
                self._command,
                env=self._instance.odoo.environ(),
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._instance.folder,
            )
        limit = time.monotonic() + patience
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.kill()
                tail = self.log.read_text(errors="replace").splitlines()[-25:]
                raise DevtoolsError(
                    "\n".join(["Odoo does not start:", *tail, f"Log: {self.log}"])
                )
            time.sleep(0.2)

    def answers(self, path="/web/login", timeout=60):
        """Tell whether a page is served; the login page needs the database too."""
        address = f"http://127.0.0.1:{self.port}{path}"
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(address, timeout=timeout) as response,
        ):
            return response.status == 200
        return False

    def running(self):
        """Tell whether the server's process lives."""
        return self._process.poll() is None

    def stop(self):
        """Stop the server in good order; harmless when it does not run."""
        end(self._process)

    def kill(self):
        """Kill the server and all its workers, as a power cut would."""
        kill_group(self._process)


def instances_dir():
    """Return the folder that holds all instances."""
    folder = cache_dir() / "instances"
    folder.mkdir(exist_ok=True)
    return folder


def copy_tree(source, target):
    """Copy a folder with its owners; whole or not at all."""
    temp = target.with_name(f".{target.name}.part")
    shutil.rmtree(temp, ignore_errors=True)
    temp.parent.mkdir(parents=True, exist_ok=True)
    # a link to a folder would be copied as one, and the copy would be the original
    run(["cp", "-a", "--reflink=auto", source.resolve(), temp])
    temp.rename(target)


def _try_lock(folder):
    """Return the open lock file of an instance, or None when another holds it."""
    handle = open(folder / "lock", "w")  # noqa: SIM115 - held until it is closed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _remove_stale():
    """Remove what instances without a name left behind when they were killed."""
    for folder in instances_dir().glob("tmp-*"):
        owner = Path("/proc") / folder.name.split("-")[1]
        if not owner.exists():
            shutil.rmtree(folder, ignore_errors=True)
