"""What the account of one new customer is made of: statements and Python's time."""

import cProfile
import io
import pstats
import re
from pathlib import Path
from unittest.mock import patch

from . import ways
from .matrix import Bench
from .meter import Count


def run(env, job):
    """Profile one order of a new customer, with warm caches and after they are dropped.

    :param job: `repeats` of the profile in Python
    :return: dict of `statements` (list of SQL and its callers, for `warm` and `cold`
        caches), `python` (text of the profile) and `floor` (number of statements)
    """
    bench = Bench(env)
    new, never = ways.WAYS["new"], ways.WAYS["never"]
    return {
        "floor": len(_statements(bench, never, cold=False)),
        "statements": {
            "warm": _statements(bench, new, cold=False),
            "cold": _statements(bench, new, cold=True),
        },
        "python": _profile(bench, new, job["repeats"]),
    }


def _statements(bench, way, cold):
    """Return the statements of one order."""
    bench.warm_up(way)
    order_ids = bench.orders(way, 1)
    if cold:
        with ways.request(bench.db) as env:
            env.registry.clear_cache("stable")
    with Count() as count:
        way.work(bench.db, bench.uid, order_ids)
    return count.statements


def _profile(bench, way, repeats):
    """Return the profile of what the addon adds to so many single orders."""
    bench.warm_up(way)
    batches = [bench.orders(way, 1) for _repeat in range(repeats)]
    profile = cProfile.Profile()
    with ways.request(bench.db) as env:
        Orders = env.registry["sale.order"]
    ensure = Orders._ensure_portal_accounts

    def profiled(self, **options):
        # what the sale itself has left to be written is not the account's
        self.env.cr.flush()
        with profile:
            return ensure(self, **options)

    with patch.object(Orders, "_ensure_portal_accounts", profiled):
        for order_ids in batches:
            way.work(bench.db, bench.uid, order_ids)
    return describe(profile)


def describe(profile):
    """Return the text of a profile, with no path of this machine."""
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(60)
    project = re.escape(str(Path(__file__).parents[2]))
    folders = rf"{project}/|\S*/(addons|odoo|lib/python[\d.]+)/"
    return re.sub(folders, "", text.getvalue())
