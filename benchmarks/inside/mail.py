"""What an invitation costs the scheduled action, beside one that Odoo itself sends."""

import cProfile

from odoo.tools import config

from . import ways
from .matrix import Bench
from .meter import timed
from .profile import describe
from .requests import request

ODOO_TEMPLATE = "auth_signup.portal_set_password_email"


def run(env, job):
    """Mail invitations to new accounts, the two ways in turns.

    :param job: `smtp_port`, `batches` and `repeats` of each
    :return: dict of `runs`, one dict for each timed run, and `python`, the profile of
        the scheduled action (text)
    """
    config["smtp_server"] = "127.0.0.1"
    config["smtp_port"] = job["smtp_port"]
    bench = Bench(env)
    runs = []
    for repeat in range(job["repeats"]):
        names = list(SENDERS)
        for name in names[repeat % 2 :] + names[: repeat % 2]:
            for batch in job["batches"]:
                user_ids = _make_accounts(bench, batch)
                with timed() as cost:
                    SENDERS[name](bench.db, user_ids)
                runs.append({"way": name, "batch": batch, "repeat": repeat, **cost})
    user_ids = _make_accounts(bench, max(job["batches"]))
    profile = cProfile.Profile()
    with profile:
        _send(bench.db, user_ids)
    return {"runs": runs, "mails": len(user_ids), "python": describe(profile)}


def _make_accounts(bench, count):
    """Return the ids of new users whose invitation is due."""
    way = ways.WAYS["new"]
    way.prepare(bench.db)
    order_ids = bench.orders(way, count)
    way.work(bench.db, bench.uid, order_ids)
    with request(bench.db) as env:
        return env["sale.order"].browse(order_ids).partner_id.user_ids.ids


def _send(db, user_ids):
    ways.send_invitations(db)


def _send_as_odoo(db, user_ids):
    """Send each user the mail of Odoo's portal wizard, and commit after each."""
    with request(db) as env:
        template = env.ref(ODOO_TEMPLATE)
        for user in env["res.users"].browse(user_ids):
            user.partner_id.signup_prepare()
            template.send_mail(user.id, force_send=True, raise_exception=True)
            env.cr.commit()


SENDERS = {"addon": _send, "odoo": _send_as_odoo}
