"""A running Odoo."""

import contextlib
import urllib.request
from pathlib import Path

from .system import end, free_port, kill_group, spawn, wait_until


class Server:
    """A running Odoo server; a context manager that stops it."""

    def __init__(
        self, instance, db, port=None, smtp_port=None, workers=0, extra=(), log=None
    ):
        """
        :param smtp_port: where mail goes, on loopback; without it sending fails, as
            with a mail server that is down
        :param workers: the number of processes; 0 for threads
        :param extra: more command line options
        """
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.db = db
        self.log = Path(log or instance.folder / f"odoo-{db}-{self.port}.log")
        self.process = None
        self._instance = instance
        # Scheduled jobs have no request to take the address in their mails from.
        sql = "UPDATE ir_config_parameter SET value=:'url' WHERE key = 'web.base.url'"
        instance.cluster.sql(db, sql, url=self.url)
        self._command = instance.odoo.command(
            "server",
            *instance.options(db),
            f"--http-port={self.port}",
            f"--workers={workers}",
            "--smtp=127.0.0.1",
            f"--smtp-port={smtp_port or free_port()}",
            *extra,
        )

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self, timeout=180):
        """Start the server, again after `stop` or `kill`, and wait for its answer."""
        environ, folder = self._instance.environ(), self._instance.folder
        self.process = spawn(self._command, log=self.log, env=environ, cwd=folder)
        wait_until(self._answers, self.process, self.log, timeout)

    def _answers(self):
        # the login page needs the database, too
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{self.url}/web/login", timeout=60).close()
            return True
        return False

    def stop(self):
        """Stop the server in good order; harmless when it does not run."""
        end(self.process)

    def kill(self):
        """Kill the server and all its workers, as a power cut would."""
        kill_group(self.process)
