"""A local mail server with a web inbox: MailDev, from the npm registry."""

import subprocess
import time
import urllib.request

from .base import DevtoolsError, build_dir, cache_dir, lock, run, step
from .instance import free_port
from .system import end, spawn

# The last series that runs on Debian 12's Node.js 18.
MAILDEV = "maildev@2.2.1"


def install_inbox():
    """Return the program of the web inbox, installed where it is missing."""
    folder = cache_dir() / MAILDEV.replace("@", "-")
    if not folder.exists():
        with lock("inbox"), step("install the web inbox"):
            if not folder.exists():
                with build_dir(folder) as temp:
                    options = ["--no-fund", "--no-audit", "--ignore-scripts"]
                    run(["npm", "install", f"--prefix={temp}", *options, MAILDEV])
    return folder / "node_modules/maildev/bin/maildev"


class Inbox:
    """A running mail server with its web page; a context manager that stops it."""

    def __init__(self, folder, port):
        """
        :param folder: keeps the mails and the log
        :param port: of the web page
        """
        self.port = port
        self.smtp_port = free_port()
        self.url = f"http://localhost:{port}"
        self.log = folder / "inbox.log"
        mails = folder / "mails"
        mails.mkdir(exist_ok=True)
        self._command = [
            "node",
            install_inbox(),
            "--ip=127.0.0.1",
            "--web-ip=127.0.0.1",
            f"--smtp={self.smtp_port}",
            f"--web={port}",
            f"--mail-directory={mails}",
        ]

    def __enter__(self):
        with open(self.log, "ab") as out:
            self._process = spawn(self._command, stdout=out, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            end(self._process)
            raise
        return self

    def __exit__(self, *exc_info):
        end(self._process)

    def running(self):
        """Tell whether the server's process lives."""
        return self._process.poll() is None

    def _wait(self, patience=30):
        """Wait until the page is served.

        :raise DevtoolsError: the server ended, or took too long
        """
        limit = time.monotonic() + patience
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}").close()
                return
            except OSError as error:
                if not self.running() or time.monotonic() > limit:
                    raise DevtoolsError(
                        f"The inbox does not start, see {self.log}"
                    ) from error
                time.sleep(0.2)
