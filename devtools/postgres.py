"""A private PostgreSQL: files in a folder, reached by a unix socket only."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .base import DevtoolsError, run
from .system import end, postgres_bin, spawn

ROLE = "odoo"
# PostgreSQL refuses to run as root; Debian's package brings this user.
SERVER_USER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": 200,
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "timezone": "UTC",
}
# A crash of the machine loses a throwaway database: nobody minds, and tests get
# faster.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def server_version():
    """Return PostgreSQL's major version, as data folders depend on it."""
    return run([postgres_bin() / "postgres", "--version"]).split()[2].split(".")[0]


class Cluster:
    """A PostgreSQL data folder that this process starts and stops."""

    def __init__(self, data):
        self.data = Path(data)
        self.socket = None
        self._process = None

    def init(self):
        """Make the data folder."""
        self.data.mkdir(parents=True)
        self._give_to_server_user()
        self._run_as_server_user(
            "initdb",
            f"--pgdata={self.data}",
            f"--username={ROLE}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )

    def start(self, durable=False):
        """Start the server and wait until it answers.

        :param durable: keep what is committed even when the machine crashes
        :raise DevtoolsError: it does not start
        """
        self._check_reachable()
        # The path of a unix socket has to stay below 108 characters; mkdtemp's folder
        # is for its owner alone.
        self.socket = Path(tempfile.mkdtemp(prefix="scuc-", dir="/tmp"))
        self._give_to_server_user(self.socket)
        settings = SETTINGS | ({} if durable else THROWAWAY)
        options = [f"-c{name}={value}" for name, value in settings.items()]
        log = self.data.parent / "postgres.log"
        with open(log, "ab") as out:
            self._process = spawn(
                [
                    postgres_bin() / "postgres",
                    f"-D{self.data}",
                    f"-k{self.socket}",
                    *options,
                ],
                # the fast shutdown, which does not wait for clients
                death_signal="INT",
                user=SERVER_USER,
                stdout=out,
                stderr=out,
                cwd=self.data.parent,
            )
        try:
            self._wait(log)
        except BaseException:
            self.stop()
            raise

    def attach(self):
        """Use the server that another process runs on these files."""
        # The fifth line of PostgreSQL's own file names the socket's folder.
        self.socket = (self.data / "postmaster.pid").read_text().splitlines()[4]

    def stop(self):
        """Stop the server; harmless when it does not run."""
        if self._process:
            end(self._process, signal.SIGINT, patience=60)
            self._process = None
            shutil.rmtree(self.socket, ignore_errors=True)

    @property
    def pid(self):
        """The process id of the server, also of one that another process runs."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def sql(self, db, statement, **values):
        """Run SQL in the database `db` and return what it yields as text.

        :param values: what `:'name'` in the statement stands for
        """
        settings = {"ON_ERROR_STOP": 1, **values}
        options = [f"--set={name}={value}" for name, value in settings.items()]
        return self._client(
            "psql", "-XqAt", "-d", db, *options, input=statement
        ).strip()

    def databases(self):
        """Return the names of the databases, without PostgreSQL's own."""
        return self.sql(
            "postgres",
            "SELECT datname FROM pg_database "
            "WHERE NOT datistemplate AND datname <> 'postgres'",
        ).splitlines()

    def create(self, db, template="template0"):
        """Create the database `db`; from another one, copy its files."""
        self._client("createdb", f"--template={template}", "--strategy=file_copy", db)

    def drop(self, db):
        """Drop the database `db`, whoever is connected to it."""
        self._client("dropdb", "--force", "--if-exists", db)

    def dsn(self, db):
        """Return the connection string for psycopg2 and psql."""
        return f"host={self.socket} user={ROLE} dbname={db}"

    def _client(self, program, *args, **kwargs):
        command = [postgres_bin() / program, f"--host={self.socket}", f"-U{ROLE}"]
        return run([*command, *args], **kwargs)

    def _wait(self, log, patience=60):
        """Wait until the server answers.

        :raise DevtoolsError: it ended, or took too long
        """
        limit = time.monotonic() + patience
        ready = [postgres_bin() / "pg_isready", "-q", f"--host={self.socket}"]
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > limit:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
                raise DevtoolsError(f"PostgreSQL does not start, see {log}:\n{tail}")
            time.sleep(0.1)

    def _check_reachable(self):
        """Check that the server's user can reach the data folder.

        :raise DevtoolsError: it cannot
        """
        try:
            self._run_as_server_user("test", "-x", str(self.data))
        except DevtoolsError as error:
            raise DevtoolsError(
                f"The user {SERVER_USER}, who runs the database, cannot reach "
                f"{self.data}: set SCUC_CACHE to a folder that all may enter."
            ) from error

    def _give_to_server_user(self, path=None):
        if os.geteuid() == 0:
            user = pwd.getpwnam(SERVER_USER)
            os.chown(path or self.data, user.pw_uid, user.pw_gid)

    @staticmethod
    def _run_as_server_user(program, *args):
        own = postgres_bin() / program
        command = [own if own.exists() else program, *args]
        if os.geteuid() == 0:
            switch = [f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}"]
            command = ["setpriv", *switch, "--init-groups", "--", *command]
        return run(command, cwd="/")
