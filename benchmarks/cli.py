"""Measure, keep the figures, and print which targets are met."""

import argparse
import json
import os
import sys
import time
from functools import partial

from devtools.base import PROJECT, DevtoolsError, say

from . import parts, targets

FOLDER = PROJECT / "build/benchmarks"


def parse():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    names = list(targets.TARGETS)
    parser.add_argument("--parts", nargs="*", default=names, help="none: table only")
    add = partial(parser.add_argument, type=int)
    add("--sizes", nargs="+", default=[10_000, 100_000, 1_000_000], help="customers")
    add("--repeats", default=5, help="of each timed run, more where cheap")
    add("--guests", default=60, help="of each round")
    add("--rounds", default=7, help="of guests")
    add("--due", default=1000, help="emails in a backlog")
    add("--emails", default=40, help="of each run compared with Odoo's")
    add("--documents", default=1_000_000, help="orders, and half as many invoices")
    add("--fresh", default=5000, help="accounts without statistics")
    add("--unreachable", nargs="+", default=[20_000, 100_000], help="emails due")
    return parser.parse_args()


def measure(options):
    """Run the parts, and keep what each has found at once."""
    machine = targets.describe_machine()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in options.parts:
        start = time.monotonic()
        figures = getattr(parts, name)(options)
        seconds = round(time.monotonic() - start)
        found = {**machine, "seconds": seconds, "figures": figures}
        (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1))
        say(f"== {name}: {seconds} s")


if __name__ == "__main__":
    os.umask(0o022)
    options = parse()
    try:
        measure(options)
        say(targets.report(FOLDER))
    except DevtoolsError as error:
        sys.exit(str(error))
