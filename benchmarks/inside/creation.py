"""Accounts created at a steady pace, beside a shop that serves pages."""

import time
from pathlib import Path

from . import ways
from .requests import request
from .supply import Supply

AHEAD = 200


def run(env, job):
    """Create accounts until a file is gone.

    :param job: `way`, `addon` or `plain`; `per_second`; `while_file`, which is made
        once accounts are being created, and ends it when it is removed
    :return: dict of `accounts`
    """
    db = env.cr.dbname
    create = {"addon": _create, "plain": _create_plainly}[job["way"]]
    supply = Supply(env, state="sale")
    order_ids, accounts = [], 0
    running = Path(job["while_file"])
    running.touch()
    due = time.monotonic()
    while running.exists():
        if not order_ids:
            with request(db) as new_env:
                order_ids = supply.orders(new_env, AHEAD)
        create(db, order_ids.pop())
        accounts += 1
        due += 1 / job["per_second"]
        time.sleep(max(due - time.monotonic(), 0))
    ways.drop_invitations(db)
    return {"accounts": accounts}


def _create(db, order_id):
    """Create the account of a confirmed order as the addon does."""
    with request(db) as env:
        env["sale.order"].browse(order_id)._ensure_portal_accounts()


def _create_plainly(db, order_id):
    """Create it by a copy of the template user, without a mail."""
    with ways.without_addon(db), request(db) as env:
        partner = env["sale.order"].browse(order_id).partner_id
        env["res.users"]._create_user_from_template(
            {"login": partner.email, "email": partner.email, "partner_id": partner.id}
        )
