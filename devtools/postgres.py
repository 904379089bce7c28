"""A private PostgreSQL: files in a folder, reached by a unix socket only."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .base import run
from .system import as_user, end, postgres_bin, spawn, wait_until

ROLE = "odoo"
# PostgreSQL refuses to run as root; Debian's package brings this user.
SERVER_USER = "postgres"
SETTINGS = """
    listen_addresses= max_connections=200 shared_buffers=256MB max_wal_size=512MB
    min_wal_size=32MB wal_level=minimal max_wal_senders=0 timezone=UTC
"""
# If the machine crashes, nobody misses a throwaway database. Tests get faster.
THROWAWAY = "fsync=off synchronous_commit=off full_page_writes=off wal_recycle=off"


class Cluster:
    """A PostgreSQL data folder that this process starts and stops."""

    def __init__(self, data):
        self.data = Path(data)
        self.socket = None
        self._process = None

    def init(self):
        """Make the data folder."""
        self.data.mkdir(parents=True)
        self._give_to_server_user(self.data)
        options = [f"--username={ROLE}", "--auth-local=trust", "--auth-host=reject"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        initdb = [postgres_bin() / "initdb", f"--pgdata={self.data}", *options]
        run(["setpriv", *as_user(SERVER_USER), "--", *initdb], cwd="/")

    def start(self, durable=False):
        """Start the server and wait until it answers.

        :param durable: keep what is committed even when the machine crashes
        """
        # The path of a unix socket has to stay below 108 characters.
        self.socket = Path(tempfile.mkdtemp(prefix="scuc-", dir="/tmp"))
        self._give_to_server_user(self.socket)
        settings = SETTINGS if durable else SETTINGS + THROWAWAY
        line = [postgres_bin() / "postgres", f"-D{self.data}", f"-k{self.socket}"]
        line += [f"-c{item}" for item in settings.split()]
        log = self.data.with_name("postgres.log")
        # SIGINT is the fast shutdown, which does not wait for clients
        how = {"death_signal": "INT", "user": SERVER_USER}
        self._process = spawn(line, log=log, cwd="/", **how)
        wait_until(self._answers, self._process, log)

    def attach(self):
        """Use the server that runs on these files already; return whether one does."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            # The fifth line of PostgreSQL's own file names the socket's folder.
            self.socket = (self.data / "postmaster.pid").read_text().splitlines()[4]
            return self._answers()
        return False

    def _answers(self):
        return not subprocess.call(["pg_isready", "-q", f"--host={self.socket}"])

    def stop(self):
        """Stop the server; harmless when it does not run."""
        if self._process:
            end(self._process, signal.SIGINT, timeout=60)
            self._process = None
            shutil.rmtree(self.socket, ignore_errors=True)

    def sql(self, db, statement, **values):
        """Run SQL, in which `:'name'` stands for a value; return its rows as text."""
        options = [f"--set={name}={value}" for name, value in values.items()]
        options += ["--set=ON_ERROR_STOP=1", "-XqAt", "-d", db]
        return self._client("psql", *options, input=statement).strip()

    def databases(self):
        """Return the names of the databases, PostgreSQL's own included."""
        return self.sql("postgres", "SELECT datname FROM pg_database").splitlines()

    def create(self, db, template="template0"):
        """Create the database `db`; from another one, copy its files."""
        self._client("createdb", f"--template={template}", "--strategy=file_copy", db)

    def drop(self, db):
        """Drop the database `db`, whoever is connected to it."""
        self._client("dropdb", "--force", "--if-exists", db)

    def _client(self, program, *args, **kwargs):
        # the clients of the machine, which fit servers of other versions, too
        return run([program, f"--host={self.socket}", f"-U{ROLE}", *args], **kwargs)

    def _give_to_server_user(self, path):
        if as_user(SERVER_USER):
            shutil.chown(path, SERVER_USER, SERVER_USER)
