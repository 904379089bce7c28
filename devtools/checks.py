"""The tests, and the form of the code."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace

from .base import ADDONS, PROJECT, DevtoolsError, cache_dir, run, say, step
from .environment import get_odoo, oca_addons, virtualenv
from .instance import CONFIG, Instance
from .recipes import SCRIPTS
from .system import end, spawn

PARALLEL = ("--dist=loadfile", "--no-loadscope-reorder")  # files at once, in order
COVERAGE = 95  # in percent, of lines and branches
NOTHING_PICKED = 5  # pytest's exit status when `args` pick no test
MEANT = {
    # The page of an order offers no sign-up to a customer who gets an account anyway.
    "test_sale_process: FAIL: TestSaleProcess.test_04_admin_website_sale_tour",
    # Visitors log in to go on with the cart of a customer who has an account.
    (
        "test_website_sale_cart_recovery: FAIL: "
        "TestWebsiteSaleCartRecovery.test_01_shop_cart_recovery_tour"
    ),
}
ODOO_ADDONS = ("sale", "website_sale", "portal", "auth_signup", "payment")


def test(*args):
    """Run the tests, both halves at once, as those of `tests` often wait.

    The output of the addon's own tests is printed when all are done.
    """
    line = [sys.executable, "-m", "devtools", "checks", "test_addon", *args]
    with tempfile.TemporaryFile("w+") as out:
        own = spawn(line, cwd=PROJECT, stdout=out, stderr=subprocess.STDOUT)
        try:
            statuses = {test_e2e(*args), own.wait()}
        finally:
            end(own)
            out.seek(0)
            say(out.read())
    # arguments may pick tests of one half only
    ignored = {NOTHING_PICKED} if args else set()
    return max(statuses - ignored, default=NOTHING_PICKED)


def test_addon(*args):
    """Run the addon's own tests, with just the modules in WITH if that is set, which
    may be OCA's if OCA is set."""
    modules = os.environ.get("WITH")
    with Instance.start("addon" if modules is None else "bare") as instance:
        if os.environ.get("OCA"):
            instance.addons.append(oca_addons())
        db = instance.new_database("test")
        if modules is not None:
            names = [*filter(None, modules.split(",")), *_picked()]
            with step(f"install {', '.join(names)}"):
                instance.install(names, db=db)
                instance.shell(db, (SCRIPTS / "assets.py").read_text())
        options = [f"--odoo-config={CONFIG}", f"--odoo-database={db}", "--odoo-http"]
        options += [] if args else ["--numprocesses=2", *PARALLEL]
        return _pytest(instance.environ(), _picked(), options, args)


def _picked():
    """Return the names of the addons to test: that in ADDON, or all."""
    return [os.environ["ADDON"]] if os.environ.get("ADDON") else ADDONS


def coverage(*args):
    """Run the addon's own tests and fail if they run too little of it."""
    options = [f"--cov={name}" for name in _picked()] + ["--cov-report=term-missing"]
    return test_addon(*options, f"--cov-fail-under={COVERAGE}", *args)


def test_e2e(*args):
    """Run the tests from outside."""
    # pytest-odoo needs a database of its own as soon as it is loaded
    options = ["-pno:odoo", "--screenshot=only-on-failure"]
    options += [] if args else ["--numprocesses=3", *PARALLEL]
    if not any(arg.startswith("tests/") for arg in args):
        options.append("-mnot slow")  # a later -m replaces it
    return _pytest(os.environ, ["tests"], options, args)


def _pytest(environ, folders, options, args):
    """Run pytest on folders, unless `args` name a file; return its exit status."""
    named = [arg for arg in args if (PROJECT / arg.split("::")[0]).exists()]
    what = args if named else [*folders, *args]
    say("-> pytest")
    line = [get_odoo().python, "-m", "pytest", *options, *what]
    return subprocess.call(line, cwd=PROJECT, env=environ)


def test_peers(*modules):
    """Run Odoo's own post-install tests of modules with the addons and without."""
    tags = ",".join(f"post_install/{module}" for module in modules or ODOO_ADDONS)
    failed = {}
    for recipe in ("shop", "addon"):
        with Instance.start(recipe) as instance:
            failed[recipe] = _odoo_tests(instance, tags, f"odoo-{recipe}")
        say(f"failed on '{recipe}': {len(failed[recipe])}")
    new = failed["addon"] - failed["shop"] - MEANT
    say(f"fail with the addons only: {', '.join(sorted(new)) or 'none'}")
    return int(bool(new))


def test_alone(*names):
    """Run addons' tests as Odoo does, with nothing of this repository but these."""
    names = names or ADDONS
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            shutil.copytree(PROJECT / name, f"{folder}/{name}")
        with Instance.start("bare", addons=folder) as instance:
            instance.odoo = replace(instance.odoo, python=virtualenv("odoo"))
            tags = ",".join(f"/{name}" for name in names)
            init = f"--init={','.join(names)}"
            return int(bool(_odoo_tests(instance, tags, "alone", init)))


def _odoo_tests(instance, tags, name, *options):
    """Run tests with Odoo's own runner; return those that failed."""
    log = cache_dir() / f"{name}.log"
    log.unlink(missing_ok=True)
    options += (*instance.options(instance.new_database("tests")), "--stop-after-init")
    with step(f"run {tags}: {log}"):
        line = instance.odoo.command("server", *options, f"--test-tags={tags}")
        spawn(line, log=log, env=instance.environ()).wait()
    if not (found := re.findall(r"\d+ failed, .* of \d+ tests", log.read_text())):
        raise DevtoolsError(f"Odoo ran no tests, see {log}")
    failed = set(re.findall(r"\.(\w+: (?:FAIL|ERROR): \S+)", log.read_text()))
    say("\n".join([*sorted(failed), found[-1]]))
    return failed


def lint(*args):
    """Check the form of the code.

    Some checks correct what they find: they get a copy of the files, and what they
    would change is shown.
    """
    listed = run(["git", "-C", PROJECT, "ls-files", "-z", "-co", "--exclude-standard"])
    # without those that are removed and not committed
    files = [name for name in listed.split("\0") if name and os.path.lexists(name)]
    with tempfile.TemporaryDirectory(prefix="scuc-lint-") as copy:
        run(["cp", "--archive", "--parents", *files, copy])
        run(["git", "init", "--quiet", copy])
        run(["git", "-C", copy, "add", "--all", "--force"])
        return _pre_commit("--show-diff-on-failure", *args, cwd=copy)


def reformat(*args):
    """Correct the form of the code in place."""
    return _pre_commit(*args, cwd=PROJECT)


def _pre_commit(*args, cwd):
    """Run the checks on all files and return the exit status."""
    environ = {**os.environ, "PRE_COMMIT_HOME": str(cache_dir() / "pre-commit")}
    line = [virtualenv("lint"), "-m", "pre_commit", "run", "--all-files", *args]
    return subprocess.call(line, cwd=cwd, env=environ)
