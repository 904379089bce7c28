"""Work done as Odoo does it for a request: a transaction, a commit, the signals."""

import contextlib
import gc
import time

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry


@contextlib.contextmanager
def request(db, uid=SUPERUSER_ID):
    """Yield an environment as `odoo.http` makes it, and commit at the end.

    The signals of other workers are read before, and ours are sent after the commit.
    """
    registry = Registry(db).check_signaling()
    with registry.cursor() as cr:
        yield api.Environment(cr, uid, {})
        cr.commit()
    registry.signal_changes()


@contextlib.contextmanager
def timed():
    """Yield a dict that has the milliseconds of the block, `ms`, after it."""
    cost = {}
    gc.collect()
    start = time.perf_counter()
    yield cost
    cost["ms"] = (time.perf_counter() - start) * 1000
