"""What the figures were taken on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from devtools.base import ADDON, PROJECT, run
from devtools.environment import get_odoo
from devtools.system import postgres_bin


def describe(addon):
    """Return a dict of the date, the machine and all versions.

    :param addon: name of the folder with the addon's copy, its hash
    """
    changed = run(["git", "-C", PROJECT, "status", "--porcelain", "--", ADDON])
    commit = run(["git", "-C", PROJECT, "rev-parse", "--short", "HEAD"]).strip()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "addon": f"{commit} with changes" if changed else commit,
        "addon_files": addon,
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(
            int(_first("/proc/meminfo", "MemTotal").split()[0]) / 2**20
        ),
        "system": f"{_first('/etc/os-release', 'PRETTY_NAME', '=')}, "
        f"Linux {platform.release().split('-')[0]}",
        "postgresql": run([postgres_bin() / "postgres", "--version"]).split()[2],
        "odoo": get_odoo().version,
        "python": platform.python_version(),
    }


def load():
    """Return how busy the machine was in the last minute, in processes."""
    return round(os.getloadavg()[0], 2)


def _first(path, key, separator=":"):
    """Return the value of the first line of a file that starts with a key."""
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip().strip('"')
    return "unknown"
