"""The addon's wheel and its translation files."""

import dataclasses
import os
import shutil

from .base import ADDON, ADDONS, PROJECT, run, say, step
from .environment import get_odoo, new_virtualenv
from .instance import CONFIG, TEMPLATE, Instance
from .odoo_from_debian import add_to
from .recipes import SCRIPTS


def i18n():
    """Refresh the translation files.

    The languages are those that have a file; one is added by a copy of the template
    file under its name.
    """
    with Instance.start("addon") as instance, step("export and merge the texts"):
        # scripts in the environment's folder name a folder that it was moved from
        makepot = [instance.odoo.python, "-m", "click_odoo_contrib.makepot"]
        options = [f"--config={CONFIG}", f"--database={TEMPLATE}", "--no-commit"]
        options += [f"--addons-dir={PROJECT}", f"--modules={','.join(ADDONS)}"]
        merge = ["--msgmerge", "--purge-old-translations"]
        # msgmerge would leave its backups beside the files
        environ = instance.environ() | {"VERSION_CONTROL": "none"}
        run([*makepot, *options, *merge], env=environ)


def package():
    """Build the addon's wheel in dist/ and try it in a new environment."""
    dist = PROJECT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    # The version of the manifest as it is; whool would add the number of commits.
    environ = {**os.environ, "WHOOL_POST_VERSION_STRATEGY_OVERRIDE": "none"}
    with step("build the wheel"):
        pip = [get_odoo().python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        run([*pip, f"--wheel-dir={dist}", PROJECT / ADDON], env=environ)
    [wheel] = dist.glob("*.whl")
    with Instance.start("shop", addons=[]) as instance:
        with step(f"install Odoo and {wheel.name} in a new environment"):
            instance.odoo = _install(wheel, instance.folder / "venv")
        with step(f"install {ADDON}"):
            db = instance.new_database("package")
            log = instance.folder / "install.log"
            instance.odoo_command([f"--init={ADDON}"], db=db, log=log)
        with step("confirm an order"):
            output = instance.shell(db, (SCRIPTS / "confirm.py").read_text())
        say(f"{output.strip()}\nThe wheel works: {wheel.relative_to(PROJECT)}")


def _install(wheel, venv):
    """Make an environment with Odoo and the wheel, and return Odoo as run by it."""
    odoo = get_odoo()
    python = new_virtualenv(venv, "odoo")
    pip = [python, "-m", "pip", "install", "--quiet"]
    [packages] = venv.glob("lib/python3.*/site-packages")
    if (odoo.library / "setup.py").exists():
        run([*pip, "--no-deps", "--editable", odoo.library])
    else:
        add_to(packages, odoo.library)
    # With its dependencies: pip finds odoo==19.0.* where Odoo is installed.
    run([*pip, wheel])
    return dataclasses.replace(odoo, python=python, library=packages)
