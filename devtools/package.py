"""`make package`: build the addon's wheel, and try it where nothing else of us is."""

import dataclasses
import os
import shutil
import sys
from pathlib import Path

from .base import ADDON, PROJECT, run, say, step
from .instance import Instance
from .odoo import REQUIREMENTS, get_odoo

DIST = PROJECT / "dist"
DATABASE = "package"
SCRIPT = Path(__file__).parent / "scripts/confirm.py"


def package():
    """Build the wheel; install it beside Odoo; install the module; confirm an order.

    :raise DevtoolsError: a step failed
    """
    wheel = build_wheel()
    with Instance.start("shop", addons=[]) as instance:
        venv = instance.folder / "venv"
        with step("make a new environment with Odoo"):
            odoo = _new_environment(venv)
        with step(f"pip install {wheel.name}"):
            # With its dependencies: pip finds odoo==19.0.* where Odoo is installed.
            run([odoo.python, "-m", "pip", "install", "--quiet", wheel])
        instance.odoo = odoo
        instance.new_database(DATABASE)
        with step(f"install {ADDON}"):
            log = instance.folder / "install.log"
            instance.odoo_command([f"--init={ADDON}"], db=DATABASE, log=log)
        with step("confirm an order"):
            said = instance.shell(DATABASE, SCRIPT.read_text())
        say(f"{said.strip()}\nThe wheel works: {wheel.relative_to(PROJECT)}")


def build_wheel():
    """Build the addon's wheel in `dist/`.

    :return: its path
    """
    shutil.rmtree(DIST, ignore_errors=True)
    # The version of the manifest as it is; whool would add the number of commits.
    environ = {**os.environ, "WHOOL_POST_VERSION_STRATEGY_OVERRIDE": "none"}
    with step("build the wheel"):
        pip = [get_odoo().python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        run([*pip, f"--wheel-dir={DIST}", PROJECT / ADDON], env=environ)
    [wheel] = DIST.glob("*.whl")
    return wheel


def _new_environment(venv):
    """Make a virtual environment that has Odoo and what it needs, and nothing else.

    :return: Odoo, as run by that environment
    """
    odoo = get_odoo()
    run([sys.executable, "-m", "venv", venv])
    python = venv / "bin/python"
    pip = [python, "-m", "pip", "install", "--quiet"]
    run([*pip, "-r", REQUIREMENTS / "odoo.txt"])
    [packages] = venv.glob("lib/python3.*/site-packages")
    if odoo.is_checkout:
        run([*pip, "--no-deps", "--editable", odoo.root])
    else:
        # Debian's Odoo is a package with metadata of its own, beside this folder.
        (packages / "odoo.pth").write_text(f"{odoo.library}\n")
    return dataclasses.replace(odoo, python=python, library=packages)
