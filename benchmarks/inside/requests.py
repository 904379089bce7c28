"""Work done as Odoo does it for a request: a transaction, a commit, the signals."""

import contextlib

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry


@contextlib.contextmanager
def request(db, uid=SUPERUSER_ID):
    """Yield an environment as ``odoo.http`` makes it, and commit at the end.

    Another worker's signals are looked for before, and ours sent after the commit.

    :param uid: id of the user who works, without more rights than theirs
    """
    registry = Registry(db).check_signaling()
    with registry.cursor() as cr:
        yield api.Environment(cr, uid, {})
        cr.commit()
    registry.signal_changes()
