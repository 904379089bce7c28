"""`make lint` and `make format`: pre-commit, with its tools in the cache."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .base import PROJECT, cache_dir, run, step
from .odoo import virtualenv


def lint(args):
    """Check the form of the code and look for known mistakes; change nothing.

    Some checks correct what they find: they get a copy of the files, and what they
    would change is shown.

    :param args: for pre-commit, such as the id of one check
    :return: the exit status, 0 when nothing was found
    """
    with tempfile.TemporaryDirectory(prefix="scuc-lint-") as folder:
        for path in _files():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / path, target, follow_symlinks=False)
        run(["git", "init", "--quiet", folder])
        run(["git", "-C", folder, "add", "--all", "--force"])
        return _pre_commit("run", "--show-diff-on-failure", *args, cwd=folder)


def reformat(args):
    """Correct in place what the checks can correct, and name the rest.

    :return: the exit status, 0 when there was nothing to correct
    """
    return _pre_commit("run", *args, cwd=PROJECT)


def _files():
    """Return the files that are, or could be, in the repository."""
    listed = run(["git", "-C", PROJECT, "ls-files", "-z", "-co", "--exclude-standard"])
    return [path for path in listed.split("\0") if path and _there(PROJECT / path)]


def _there(path):
    return path.is_file() or path.is_symlink()


def _pre_commit(command, *args, cwd):
    """Run a command of pre-commit on all files; return its exit status."""
    environ = {**os.environ, "PRE_COMMIT_HOME": str(cache_dir() / "pre-commit")}
    line = [str(virtualenv("lint")), "-m", "pre_commit"]
    with step("install the checks, where missing"):
        run([*line, "install-hooks"], cwd=cwd, env=environ)
    files = ["--files", *_files()]
    return subprocess.call([*line, command, *args, *files], cwd=cwd, env=environ)
