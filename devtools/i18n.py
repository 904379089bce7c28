"""`make i18n`: refresh the addon's translation files from its source."""

import re
import subprocess

from .base import ADDON, PROJECT, run, say, step
from .instance import CONFIG, TEMPLATE, Instance

FOLDER = PROJECT / ADDON / "i18n"
TEMPLATE_FILE = FOLDER / f"{ADDON}.pot"
MERGE = ["msgmerge", "--update", "--backup=none", "--previous", "--no-wrap"]


def refresh():
    """Export the template file, and bring the files of the languages up to it.

    The languages are those that have a file; one is added by a copy of the template
    file under its name.
    """
    FOLDER.mkdir(exist_ok=True)
    before = TEMPLATE_FILE.read_text() if TEMPLATE_FILE.exists() else ""
    with Instance.start("addon") as instance:
        odoo = instance.odoo
        options = ["--config", CONFIG, "--database", TEMPLATE, "--output"]
        with step("export the template file"):
            command = odoo.command("i18n", "export", *options, TEMPLATE_FILE, ADDON)
            run(command, env=instance.environ())
    if _without_dates(TEMPLATE_FILE.read_text()) == _without_dates(before):
        TEMPLATE_FILE.write_text(before)
    for path in sorted(FOLDER.glob("*.po")):
        run([*MERGE, path, TEMPLATE_FILE])
        run(["msgattrib", "--no-obsolete", "--no-wrap", f"--output={path}", path])
        say(f"{path.stem}: {_count(path)}")


def _without_dates(text):
    return re.sub(r'^"[\w-]+-Date: .*\n', "", text, flags=re.MULTILINE)


def _count(path):
    """Return how many texts are translated, as gettext says it."""
    command = ["msgfmt", "--statistics", "--output-file=/dev/null", path]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return said.stderr.strip()
