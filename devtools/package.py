"""The addons' wheels and their translation files."""

import dataclasses
import os
import shutil

from .base import ADDONS, PROJECT, run, say, step
from .environment import get_odoo, new_virtualenv
from .instance import CONFIG, TEMPLATE, Instance
from .recipes import SCRIPTS

LANGUAGES = ("ar", "de", "es", "fr", "it", "nl", "pt_BR")


def i18n():
    """Refresh the translation files; those of an addon that has none are its texts."""
    with Instance.start("addon") as instance, step("export and merge the texts"):
        # scripts in the environment's folder name a folder that it was moved from
        makepot = [instance.odoo.python, "-m", "click_odoo_contrib.makepot"]
        options = [f"--config={CONFIG}", f"--database={TEMPLATE}", "--no-commit"]
        options += [f"--addons-dir={PROJECT}", f"--modules={','.join(ADDONS)}"]
        merge = ["--msgmerge", "--purge-old-translations"]
        # msgmerge would leave its backups beside the files
        environ = instance.environ() | {"VERSION_CONTROL": "none"}
        run([*makepot, *options, *merge], env=environ)
    for name in ADDONS:
        texts = PROJECT / name / f"i18n/{name}.pot"
        for language in LANGUAGES:
            if not (file := texts.with_name(f"{language}.po")).exists():
                shutil.copy(texts, file)


def package():
    """Build the wheels in dist/ and try them in a new environment."""
    dist = PROJECT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    # The version of the manifest as it is; whool would add the number of commits.
    environ = {**os.environ, "WHOOL_POST_VERSION_STRATEGY_OVERRIDE": "none"}
    with step("build the wheels"):
        pip = [get_odoo().python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        folders = [PROJECT / name for name in ADDONS]
        run([*pip, f"--wheel-dir={dist}", *folders], env=environ)
    with Instance.start("shop", addons=[]) as instance:
        with step("install Odoo in a new environment"):
            instance.odoo = _new_odoo(instance.folder / "venv")
        # what a companion needs comes along, the wheels as well as the modules
        for name in (ADDONS[0], *ADDONS[2:]):
            _try(instance, name, dist)
        with step("confirm an order"):
            output = instance.shell(ADDONS[-1], (SCRIPTS / "confirm.py").read_text())
    say(f"{output.strip()}\nThe wheels in {dist.name}/ work.")


def _new_odoo(venv):
    """Make an environment with Odoo, and return Odoo as run by it."""
    odoo = get_odoo()
    python = new_virtualenv(venv, "odoo")
    [packages] = venv.glob("lib/python3.*/site-packages")
    if (odoo.library / "setup.py").exists():
        pip = [python, "-m", "pip", "install", "--quiet", "--no-deps"]
        run([*pip, "--editable", odoo.library])
    else:
        # pip sees Odoo, which has the metadata of a package
        (packages / "odoo.pth").write_text(f"{odoo.library}\n")
    # Odoo names the source of what is here as psycopg2-binary.
    (psycopg2 := packages / "psycopg2-2.9.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: psycopg2\nVersion: 2.9\n"
    (psycopg2 / "METADATA").write_text(metadata)
    return dataclasses.replace(odoo, python=python, library=packages)


def _try(instance, name, dist):
    """Install the wheel of an addon, then the addon in a new database of its name."""
    with step(f"install {name} from {dist.name}/"):
        # Nothing from PyPI: pip finds odoo==19.0.* where Odoo is installed.
        pip = [instance.odoo.python, "-m", "pip", "install", "--quiet", "--no-index"]
        run([*pip, f"--find-links={dist}", f"odoo-addon-{name}"])
        instance.install([name], db=instance.new_database(name))
