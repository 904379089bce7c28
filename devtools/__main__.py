"""Run a function of a module with arguments, as the Makefile names them."""

import importlib
import os
import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is checked
    sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …")

from .base import PROJECT, DevtoolsError


def main(module, function, *args):
    """Run a function of a module and return the exit status."""
    # As on Ctrl-C, so that what was started is stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        loaded = importlib.import_module(f"devtools.{module}")
        return getattr(loaded, function)(*args) or 0
    except DevtoolsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    os.umask(0o022)
    os.chdir(PROJECT)
    sys.exit(main(*sys.argv[1:]))
