"""`make test`."""

import os
import subprocess
import sys
import tempfile

from .base import ADDON, PROJECT, say, step
from .instance import CONFIG, Instance
from .odoo import get_odoo
from .system import end, spawn
from .templates import get_template

# in percent, of lines and branches
COVERAGE = 95
# what pytest says when `args` pick no test of this half
NOTHING_PICKED = 5


def test(args):
    """Run all tests, both halves at once, as those of `tests` often wait.

    What the addon's own tests say is printed when all are done.

    :param args: for pytest, both times
    :return: the exit status, 0 when both passed
    """
    # now, as two at once would wait for each other
    for recipe in ("addon", "shop"):
        get_template(recipe)
    command = [sys.executable, "-m", "devtools", "test-addon", *args]
    with tempfile.TemporaryFile("w+") as out:
        own = spawn(command, cwd=PROJECT, stdout=out, stderr=subprocess.STDOUT)
        try:
            statuses = {test_e2e(args), own.wait()}
        finally:
            end(own)
            out.seek(0)
            print(out.read(), flush=True)
    if args and statuses != {NOTHING_PICKED}:
        statuses.discard(NOTHING_PICKED)
    return int(bool(statuses - {0}))


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

    :param args: for pytest; without any, three files at once, each with its own servers
    """
    files = ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]
    beside = [] if args else files
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
    """Run pytest and return its exit status."""
    say("-> pytest")
    command = [str(get_odoo().python), "-m", "pytest", *args]
    return subprocess.call(command, cwd=PROJECT, env=env)
