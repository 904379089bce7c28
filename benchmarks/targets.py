"""What the figures must reach, and the table that shows whether they do."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pandas

from devtools.base import ADDONS, PROJECT, run
from devtools.environment import get_odoo
from devtools.system import postgres_bin


def report(folder):
    """Return the tables of what was run, and of all targets that were measured."""
    parts, rows = [], []
    for name, find in TARGETS.items():
        path = folder / f"{name}.json"
        if path.exists():
            found = json.loads(path.read_text())
            rows += find(found.pop("figures"))
            parts.append({"part": name, **found})
    tables = [pandas.DataFrame(table) for table in (parts, rows)]
    return "\n\n".join(table.to_markdown(index=False) for table in tables)


def row(name, limit, value, unit="", digits=2, *, least=False):
    """Return a row of the table.

    :param limit: the highest value to reach, or the lowest if `least`
    """
    is_met = value >= limit if least else value <= limit
    return {
        "target": name,
        "limit": f"{'≥' if least else '≤'} {limit:g}",
        "measured": f"{value:,.{digits}f} {unit}".strip(),
        "met": "yes" if is_met else "no",
    }


def _confirm(figures):
    """Compare the scenarios within each round of the interleaved runs."""
    runs = pandas.DataFrame(figures)
    rows, costs = [], {}
    for (size, batch), cell in runs.groupby(["size", "batch"]):
        ms = cell.pivot(index="repeat", columns="scenario", values="ms")
        # what a scenario takes beyond the confirmation itself
        extra = ms.sub(ms["never"], axis="index").median()
        costs[batch, size] = extra["new"]
        where = f"{size:,} users, {batch} at once"
        wizard = extra["wizard"] / extra["new"]
        name, limit = f"{where}: new, faster than the wizard", 12 if batch > 1 else 2
        rows.append(row(name, limit, wizard, "×", 1, least=True))
        if batch > 1:
            time = (ms["known"] / ms["floor"]).median()
            rows.append(row(f"{where}: known, time to no account", 1.03, time, "×", 3))
    low, high = runs["size"].min(), runs["size"].max()
    name = f"{high:,} to {low:,} users: new, 100 at once"
    return [*rows, row(name, 1.5, costs[100, high] / costs[100, low], "×")]


def _fresh(figures):
    """Compare the last five batches with the first, as single ones spread."""
    growth = median(figures[-5:]) / median(figures[:5])
    return [row("no statistics, last accounts to first", 1.3, growth, "×")]


def _shared(figures):
    """Compare the lookups of each round."""
    ms = pandas.DataFrame(figures).pivot(index="repeat", columns="address", values="ms")
    ratio = (ms["shared"] / ms["own"]).median()
    return [
        row("lookup of 100 customers: a shared address, to own ones", 1.5, ratio, "×")
    ]


def _mail(figures):
    """Compare the job with Odoo's own emails within each round."""
    rows = []
    for server, runs in pandas.DataFrame(figures).groupby("server"):
        ms = runs.pivot(index="repeat", columns="sender", values="ms")
        limit = 140 if server == "relay" else 30
        ratio = (ms["job"] / ms["odoo"]).median()
        rows += [
            row(f"one email, {server}", limit, ms["job"].median(), "ms", 1),
            row(f"one email, {server}, to Odoo's own", 1.1, ratio, "×"),
        ]
    return rows


def _unreachable(figures):
    rows = []
    groups = pandas.DataFrame(figures).groupby("due")
    for due, seconds in groups["ms"].median().div(1000).items():
        rows.append(row(f"mail server down, {due:,} due", 0.2, seconds, "s", 3))
    most = groups[["mib", "rows"]].max().iloc[-1]
    return [
        *rows,
        row("mail server down: memory", 5, most["mib"], "MiB", 1),
        row("mail server down: rows written", 1, most["rows"], "", 0),
    ]


def _send(figures):
    rows = []
    for name, found in figures["drain"].items():
        ratio = found["whole"] / found["slice"]
        rows += [
            row(f"backlog, {name}: rate to a slice's", 0.9, ratio, "×", least=True),
            row(f"backlog, {name}: longest pause", 2, found["pause"], "s"),
        ]
    for name, waits in figures["overtake"].items():
        rows.append(row(f"backlog, {name}: a new order waits", 5, max(waits), "s"))
    crash = figures["crash"]
    name = f"32 orders at once, job killed {crash['kills']} times"
    return [
        *rows,
        row(f"{name}: emails lost", 0, crash["lost"], "", 0),
        row(f"{name}: emails sent twice", crash["kills"], crash["twice"], "", 0),
    ]


def _checkout(figures):
    """Compare the shops round by round, as the machine's speed changes over time."""
    runs = pandas.DataFrame(figures)
    rates = runs.pivot(index="round", columns="shop", values="rate")
    fewer = 100 * (1 - rates["with"] / rates["without"]).median()
    return [
        row("guests: fewer orders a second", 8, fewer, "%", 1),
        row("guests: failures", 0, runs["failed"].map(len).sum(), "", 0),
    ]


def _own(figures):
    """Compare the same user's pages within each round."""
    rows = []
    for page, runs in pandas.DataFrame(figures).groupby("page"):
        ms = runs.pivot(index="repeat", columns="is_own", values="ms")
        time = (ms[True] / ms[False]).median()
        rows.append(row(f"own documents: {page}, time to all", 1.2, time, "×"))
    return rows


TARGETS = {
    "confirm": _confirm,
    "fresh": _fresh,
    "shared": _shared,
    "mail": _mail,
    "unreachable": _unreachable,
    "send": _send,
    "checkout": _checkout,
    "own": _own,
}


def describe_machine():
    """Return a dict of the date, the machine, how busy it is, and versions."""
    changed = run(["git", "-C", PROJECT, "status", "--porcelain", "--", *ADDONS])
    commit = run(["git", "-C", PROJECT, "rev-parse", "--short", "HEAD"]).strip()
    processors = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": f"{commit} with changes" if changed else commit,
        "machine": f"{processors.partition(chr(10))[0]}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "PostgreSQL": run([postgres_bin() / "postgres", "--version"]).split()[2],
        "Odoo": get_odoo().version,
        "Python": platform.python_version(),
    }
