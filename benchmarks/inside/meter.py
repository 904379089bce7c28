"""What a piece of work costs: time, queries, rows, memory, dropped caches."""

import contextlib
import gc
import re
import sys
import time
import tracemalloc
from collections import Counter
from unittest.mock import patch

from odoo import sql_db
from odoo.orm.registry import Registry

WRITTEN = "SELECT COALESCE(SUM(n_tup_ins + n_tup_upd), 0) FROM pg_stat_xact_user_tables"


@contextlib.contextmanager
def timed():
    """Time a piece of work, with nothing else going on in the process.

    :return: a dict that holds, after the block, milliseconds by the clock (`ms`),
        milliseconds of this process alone (`cpu_ms`) and SQL statements of all its
        cursors (`queries`)
    """
    cost = {}
    gc.collect()
    queries, cpu = sql_db.sql_counter, time.process_time()
    start = time.perf_counter()
    yield cost
    cost["ms"] = (time.perf_counter() - start) * 1000
    cost["cpu_ms"] = (time.process_time() - cpu) * 1000
    cost["queries"] = sql_db.sql_counter - queries


class Count:
    """Counts what would distort the time: not to be used in a timed run.

    `rows`: inserted and updated by all transactions; `peak_kib`: of Python's memory
    above what was there before (tracemalloc); `clears`: calls of ``clear_cache``;
    `signals`: caches that all other workers were told to drop; `lookups` and
    `repeated_lookups` of external ids; `statements`: each query with its caller.
    """

    def __init__(self):
        self.rows = self.clears = self.signals = 0
        self.peak_kib = 0
        self.statements = []

    def __enter__(self):
        self._patches = contextlib.ExitStack()
        for owner, name, wrap in (
            (sql_db.Cursor, "execute", self._execute),
            (sql_db.Cursor, "commit", self._commit),
            (Registry, "clear_cache", self._clear_cache),
            (Registry, "signal_changes", self._signal_changes),
        ):
            self._patches.enter_context(
                patch.object(owner, name, wrap(getattr(owner, name)))
            )
        gc.collect()
        tracemalloc.start()
        return self

    def __exit__(self, *exc_info):
        self.peak_kib = tracemalloc.get_traced_memory()[1] / 1024
        tracemalloc.stop()
        self._patches.close()

    def figures(self):
        """Return the counts as a dict."""
        lookups = Counter(
            sql for sql, _caller in self.statements if "FROM ir_model_data" in sql
        )
        return {
            "rows": self.rows,
            "peak_kib": round(self.peak_kib, 1),
            "clears": self.clears,
            "signals": self.signals,
            "lookups": lookups.total(),
            "repeated_lookups": lookups.total() - len(lookups),
        }

    def _execute(self, original):
        def execute(cursor, query, params=None, log_exceptions=True):
            try:
                return original(cursor, query, params, log_exceptions)
            finally:
                sql = (cursor._obj.query or b"").decode(errors="replace")
                self.statements.append((re.sub(r"\s+", " ", sql).strip(), _callers()))

        return execute

    def _commit(self, original):
        def commit(cursor):
            cursor.flush()
            cursor._obj.execute(WRITTEN)
            self.rows += int(cursor._obj.fetchone()[0])
            # else PostgreSQL adds this transaction's rows to the next one's
            cursor._obj.execute("SELECT pg_stat_force_next_flush()")
            return original(cursor)

        return commit

    def _clear_cache(self, original):
        def clear_cache(registry, *names):
            self.clears += 1
            return original(registry, *names)

        return clear_cache

    def _signal_changes(self, original):
        def signal_changes(registry):
            self.signals += len(registry.cache_invalidated)
            return original(registry)

        return signal_changes


def _callers(depth=12):
    """Return the nearest functions of addons on the stack, innermost first."""
    found, frame = [], sys._getframe(2)
    while frame and len(found) < depth:
        _root, inside, path = frame.f_code.co_filename.rpartition("/addons/")
        if inside:
            found.append(f"{path}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return found
