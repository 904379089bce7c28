"""`make i18n`: refresh the addon's translation files from its source."""

import re
from pathlib import Path

from .base import ADDON, PROJECT, run, say, step
from .instance import CONFIG, TEMPLATE, Instance

FOLDER = PROJECT / ADDON / "i18n"
TEMPLATE_FILE = FOLDER / f"{ADDON}.pot"
MERGE = Path(__file__).parent / "scripts/merge_po.py"


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
    languages = sorted(FOLDER.glob("*.po"))
    said = run([odoo.python, MERGE, TEMPLATE_FILE, *languages])
    say(said.strip() or f"There is no language yet: copy {TEMPLATE_FILE.name}.")


def _without_dates(text):
    return re.sub(r'^"[\w-]+-Date: .*\n', "", text, flags=re.MULTILINE)
