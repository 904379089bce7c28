"""Odoo 19 and the virtual environments that run it and its tools."""

import functools
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from .base import PROJECT, DevtoolsError, cache_dir, digest, make_once, run, say, step
from .odoo_from_debian import debian_odoo
from .system import install_packages, npm

REQUIREMENTS = PROJECT / "requirements"
# Odoo lays out pages from right to left by this program.
RTLCSS = "rtlcss@4.3.0"


@dataclass(frozen=True)
class Odoo:
    """An Odoo 19 on disk and the Python that runs it."""

    python: Path
    launcher: Path
    # to import it from
    library: Path
    addons: tuple
    version: str

    def command(self, *args):
        """Return the command line of `odoo <args>`."""
        return [str(self.python), str(self.launcher), *map(str, args)]

    def environ(self):
        """Return the environment for a process that imports Odoo."""
        programs = [self.python.parent, npm(RTLCSS) / ".bin", os.environ.get("PATH")]
        return {
            **os.environ,
            "PATH": ":".join(map(str, programs)),
            "PYTHONPATH": str(self.library),
            "PYTHONDONTWRITEBYTECODE": "",  # once, and not at each start
            "PYTHONPYCACHEPREFIX": str(cache_dir() / "pycache"),
        }


def setup():
    """Install what is missing: packages, Odoo 19, the Python environment."""
    get_odoo().environ()
    say("Ready.")


def get_odoo():
    """Return Odoo with its virtual environment, both set up where missing."""
    python = virtualenv("odoo", "test")
    if os.environ.get("ODOO_HOME"):
        return _checkout(Path(os.environ["ODOO_HOME"]).expanduser().resolve(), python)
    launcher, library, version = debian_odoo()
    return Odoo(python, launcher, library, (library / "odoo/addons",), version)


def _checkout(home, python):
    """Return the Odoo checkout at `home`."""
    release = home / "odoo/release.py"
    version = release.read_text() if (home / "odoo-bin").exists() else ""
    if not re.search(r"version_info\s*=\s*\(19,\s*0\b", version):
        raise DevtoolsError(f"ODOO_HOME={home} is no Odoo checkout of version 19.0.")
    if (home / ".git").exists():
        # the checkout may belong to somebody else than root, who installs packages
        git = ["git", "-c", f"safe.directory={home}", "-C", home]
        version = run([*git, "rev-parse", "HEAD"]).strip()
    addons = (home / "odoo/addons", home / "addons")
    return Odoo(python, home / "odoo-bin", home, addons, version)


@functools.cache
def virtualenv(*names):
    """Return the interpreter of a virtual environment, set up where it is missing.

    Whatever needs one may need the machine's packages, too.

    :param names: which files of pins in `requirements/` to install
    """
    install_packages()
    pins = [(REQUIREMENTS / f"{name}.txt").read_bytes() for name in names]
    key = digest(platform.python_version(), *pins)
    folder = cache_dir() / f"venv-{'-'.join(names)}-{key}"
    return make_once(folder, new_virtualenv, *names) / "bin/python"


def new_virtualenv(folder, *names):
    """Make a virtual environment in a folder, and return its interpreter."""
    with step(f"install the Python packages for {', '.join(names)}"):
        run([sys.executable, "-m", "venv", folder])
        python = folder / "bin/python"
        pins = [f"--requirement={REQUIREMENTS}/{name}.txt" for name in names]
        run([python, "-m", "pip", "install", "--quiet", *pins])
    return python


def oca_addons():
    """Return the folder with the addons in `requirements/oca.txt`."""
    pins = REQUIREMENTS / "oca.txt"
    folder = cache_dir() / f"oca-{digest(pins.read_bytes())}"
    return make_once(folder, _unpack_wheels, pins) / "odoo/addons"


def _unpack_wheels(folder, pins):
    """Download wheels, and unpack them in a folder."""
    pip = [get_odoo().python, "-m", "pip", "install", "--quiet", "--no-deps"]
    with step(f"download {pins.name}"):
        run([*pip, f"--target={folder}", f"--requirement={pins}"])
