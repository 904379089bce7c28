"""The commands behind the Makefile."""

import argparse
import os
import shutil
import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is checked
    sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …")

from . import (
    checks,
    i18n,
    inbox,
    instance,
    lint,
    matrix,
    package,
    peers,
    shop,
    system,
    templates,
)
from .base import DevtoolsError, cache_dir, say, step
from .odoo import get_odoo


def setup(*, everything=False):
    """Put in place whatever is missing.

    :param everything: what only `make run` needs, too
    """
    system.install_packages()
    get_odoo()
    if everything:
        inbox.install_inbox()


def setup_all():
    """Set up for all other commands."""
    setup(everything=True)
    say("Ready.")


def build_templates(names):
    """Build the templates of these recipes where missing and say where they are."""
    for name in names:
        say(templates.get_template(name))


def run(options):
    """Set up and run the shop."""
    setup(everything=True)
    shop.serve(options.port, options.inbox_port)


def distclean():
    """Remove what was downloaded and built.

    :raise DevtoolsError: an instance is running
    """
    for folder in instance.instances_dir().iterdir():
        if instance.Instance(folder).in_use():
            raise DevtoolsError(f"{folder} is in use: stop that first.")
    with step(f"remove {cache_dir()}"):
        shutil.rmtree(cache_dir())


def test_addon(options):
    """Run the addon's own tests, beside the usual modules or others."""
    if options.modules is None:
        return checks.test_addon(options.args)
    return checks.test_addon_with(options.modules, options.args)


def after_packages(action):
    """Return an action that first installs Debian packages that are missing."""

    def wrapped(options):
        system.install_packages()
        return action(options)

    return wrapped


def after_setup(action):
    """Return an action that sets up before it does its work."""

    def wrapped(options):
        setup()
        return action(options)

    return wrapped


COMMANDS = {
    "setup": lambda options: setup_all(),
    "run": run,
    "shell": after_setup(lambda options: shop.shell()),
    "test": after_setup(lambda options: checks.test(options.args)),
    "test-addon": after_setup(test_addon),
    "test-e2e": after_setup(lambda options: checks.test_e2e(options.args)),
    "test-peers": after_setup(lambda options: peers.test_peers(options.args)),
    "lint": after_packages(lambda options: lint.lint(options.args)),
    "format": after_packages(lambda options: lint.reformat(options.args)),
    "i18n": after_setup(lambda options: i18n.refresh()),
    "matrix": after_setup(lambda options: matrix.matrix(options.args)),
    "package": after_setup(lambda options: package.package()),
    "template": after_setup(lambda options: build_templates(options.args)),
    "clean": lambda options: shop.clean(),
    "distclean": lambda options: distclean(),
}


def main():
    """Run the command of the command line and return the exit status."""
    parser = argparse.ArgumentParser(
        "devtools", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--port", type=int, default=8069, help="of the shop")
    parser.add_argument("--inbox-port", type=int, default=8025, help="of the inbox")
    parser.add_argument("--with", dest="modules", help="modules for test-addon")
    options, options.args = parser.parse_known_args()
    # As on Ctrl-C, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        return COMMANDS[options.command](options) or 0
    except DevtoolsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
