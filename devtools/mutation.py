"""`make mutation`: change the models in small ways and name the changes no test sees.

mutmut's own runner starts pytest for each change; with Odoo that is a registry to load
and all tests to run, each time. Here one process has the registry loaded, and a fork of
it for each change runs the tests that reach the changed method. The report is in
`build/mutation.txt`.
"""

import subprocess
from pathlib import Path

from .base import ADDON, PROJECT, DevtoolsError
from .instance import CONFIG, Instance
from .odoo import virtualenv

WORKER = Path(__file__).parent / "scripts/mutate.py"
FOLDERS = ("controllers", "models", "report")


def mutate(names):
    """Mutate the addon's files, all of them or those that `names` name.

    :param names: such as `sale_order`
    :return: the exit status, 0 when a test noticed each change
    """
    files = [
        path
        for folder in FOLDERS
        for path in sorted((PROJECT / ADDON / folder).glob("[!_]*.py"))
        if not names or path.stem in names
    ]
    if not files:
        raise DevtoolsError("Name files of the addon without .py: ARGS=sale_order")
    report = PROJECT / "build/mutation.txt"
    report.parent.mkdir(exist_ok=True)
    python = virtualenv("odoo", "test", "mutation")
    with Instance.start("addon") as instance:
        db = instance.new_database("mutation")
        command = [python, "-u", WORKER, CONFIG, db, report, *files]
        return subprocess.call(command, env=instance.environ(), cwd=PROJECT)
