"""A mail server on loopback that takes everything, at once or after a while."""

import asyncio
import contextlib
import signal
import subprocess
import sys

from aiosmtpd.controller import Controller

from devtools.base import PROJECT
from devtools.instance import free_port
from devtools.system import end, spawn


class Handler:
    """Accepts mails, each after a delay."""

    def __init__(self, delay):
        self.delay = delay
        self.count = 0

    async def handle_DATA(self, _server, _session, _envelope):
        """Take a mail; called by aiosmtpd."""
        await asyncio.sleep(self.delay)
        self.count += 1
        return "250 OK"


class MailServer:
    """A mail server in a process of its own; a context manager that stops it.

    `count` is the number of mails it has taken, once it is stopped.
    """

    def __init__(self, delay_ms=0):
        """
        :param delay_ms: milliseconds until it answers to a mail
        """
        self.delay_ms = delay_ms
        self.port = free_port()
        self.count = 0

    def __enter__(self):
        self._process = spawn(
            [sys.executable, "-m", "benchmarks.smtp", self.port, self.delay_ms],
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
        )
        # it says when it serves
        self._process.stdout.readline()
        return self

    def __exit__(self, *exc_info):
        end(self._process)
        self.count = int(self._process.stdout.read() or 0)


def serve(port, delay_ms):
    """Serve until the process is told to end; then print the number of mails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    handler = Handler(delay_ms / 1000)
    controller = Controller(handler, "127.0.0.1", port)
    controller.start()
    print("ready", flush=True)
    try:
        signal.pause()
    finally:
        controller.stop()
        # whoever started this may have been killed
        with contextlib.suppress(BrokenPipeError):
            print(handler.count, flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
