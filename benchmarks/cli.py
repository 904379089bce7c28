"""Measure, and write the results; in the benchmarks' own Python environment."""

import argparse
import inspect
import json
import os
import signal
import sys
import time
from pathlib import Path

from devtools.base import DevtoolsError, say

from . import machine, report
from .parts import PARTS, Run
from .site import addon_snapshot

RESULTS = Path(__file__).parent / "results"


def numbers(text):
    """Return the numbers of a list with commas."""
    return [int(number) for number in text.split(",")]


def parse(arguments):
    """Return the options of the command line."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    add = parser.add_argument
    add("--sizes", type=numbers, default=[10_000, 100_000, 1_000_000])
    add("--batches", type=numbers, default=[1, 10, 100, 1000])
    add("--parts", default=",".join(PARTS), help="of the run, separated by commas")
    add("--repeats", type=int, default=7, help="of each timed run")
    add("--rounds", type=int, default=7, help="of what is measured over HTTP")
    add("--guests", type=int, default=200)
    add("--backfill", type=int, default=10_000, help="orders")
    add("--reported", type=int, default=100_000, help="orders in the report")
    add("--visits-s", type=int, default=20, help="seconds of visits to the shop")
    add("--results", type=Path, default=RESULTS, help="folder that takes them")
    add("--report", action="store_true", help="write the tables and plots again only")
    return parser.parse_args(arguments)


def measure(options):
    """Run the parts and keep what each has found at once."""
    # with other things: the parts themselves keep it busy
    load_before = machine.load()
    addons = addon_snapshot()
    run = Run(
        addons=addons,
        sizes=options.sizes,
        batches=options.batches,
        repeats=options.repeats,
        guests=options.guests,
        rounds=options.rounds,
        backfill=options.backfill,
        reported=options.reported,
        visits_s=options.visits_s,
    )
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name in options.parts.split(","):
        start = time.monotonic()
        where = machine.describe(addons.parent.name) | {"load_before": load_before}
        for figures in found_so_far(PARTS[name](run)):
            seconds = round(time.monotonic() - start)
            results[name] = {"machine": where, "seconds": seconds, "figures": figures}
            path.write_text(json.dumps(report.rounded(results), indent=1) + "\n")
            say(f"== {name}: {seconds} s")


def found_so_far(figures):
    """Yield the figures of a part: once, or each time it has found more of them."""
    if not inspect.isgenerator(figures):
        yield figures
        return
    found = []
    for more in figures:
        found.append(more)
        yield found


def main():
    """Measure and report; return the exit status."""
    options = parse(sys.argv[1:])
    # As on Ctrl-C, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not options.report:
            measure(options)
        report.write(options.results)
    except DevtoolsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
