"""`make test`."""

import os
import subprocess

from .base import ADDON, PROJECT, say, step
from .instance import CONFIG, Instance
from .odoo import get_odoo

# in percent, of lines and branches
COVERAGE = 95


def test(args):
    """Run all tests, the second half also when the first fails.

    :return: the exit status, 0 when both passed
    """
    return max([test_addon(args), test_e2e(args)])


def test_addon(args):
    """Run the addon's own tests by pytest-odoo, and measure what they cover.

    :param args: for pytest; without any, too little coverage is a failure
    """
    limit = [] if args else [f"--cov-fail-under={COVERAGE}"]
    coverage = [f"--cov={ADDON}", "--cov-report=term-missing", *limit]
    with Instance.start("addon") as instance:
        db = instance.new_database("test")
        return _pytest_odoo(instance, db, *coverage, *_what(args, ADDON))


def test_addon_with(modules, args):
    """Run the addon's own tests where only what it depends on and `modules` are.

    :param modules: names of modules with commas in between
    :param args: for pytest
    """
    with Instance.start("bare") as instance:
        db = instance.new_database("test")
        modules = ",".join(name for name in (*modules.split(","), ADDON) if name)
        with step(f"install {modules}"):
            log = instance.folder / "install.log"
            instance.odoo_command([f"--init={modules}"], db=db, log=log)
        return _pytest_odoo(instance, db, *_what(args, ADDON))


def test_e2e(args):
    """Run the tests that look at everything from outside.

    :param args: for pytest
    """
    # Each file starts servers of its own. As the tests of faults mostly wait, three
    # files run at once, also on two cores.
    beside = [] if args else ["--numprocesses=3", "--dist=loadfile"]
    options = [
        # pytest-odoo needs a database of its own as soon as it is loaded
        "-pno:odoo",
        # of pages in failed tests, in test-results
        "--screenshot=only-on-failure",
        *beside,
    ]
    return _pytest(*options, *_what(args, "tests"), env=dict(os.environ))


def _what(args, default):
    """Return arguments for pytest, with the folder `default` when they name no file."""
    named = [arg for arg in args if (PROJECT / arg.split("::")[0]).exists()]
    return args if named else [default, *args]


def _pytest_odoo(instance, db, *args):
    options = [f"--odoo-config={CONFIG}", f"--odoo-database={db}", "--odoo-http"]
    return _pytest(*options, *args, env=instance.environ())


def _pytest(*args, env):
    return _tool("pytest", *args, env=env)


def _tool(module, *args, env=None):
    """Run a Python tool of the virtual environment and return its exit status."""
    say(f"-> {module}")
    command = [str(get_odoo().python), "-m", module, *args]
    return subprocess.call(command, cwd=PROJECT, env=env)
