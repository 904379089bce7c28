"""What sending invitations costs the job, compared with Odoo's own emails."""

import tracemalloc

from odoo.tools import config

from . import accounts
from .transaction import request, timed

ODOO_TEMPLATE = "auth_signup.portal_set_password_email"
MAKE_DUE = """
    UPDATE portal_invitation
       SET due_date = now() AT TIME ZONE 'UTC' - interval '1 minute', priority = '1'
     WHERE user_id = ANY(%s)
"""
# Invitations of customers that have an account. The first one, which the job tries, has
# an order.
FILL = """
    DELETE FROM portal_invitation;
    INSERT INTO portal_invitation
                (user_id, partner_id, company_id, priority, due_date, order_id)
    SELECT users.id, users.partner_id, users.company_id, '1',
           now() AT TIME ZONE 'UTC' - interval '1 minute', sale.id
      FROM res_users users
      LEFT JOIN sale_order sale
        ON sale.partner_id = users.partner_id AND sale.state = 'sale'
     WHERE users.share AND users.active AND users.login LIKE '%%@%%'
     ORDER BY sale.id
     LIMIT %s;
    UPDATE res_company SET portal_invitation_retry_date
           = now() AT TIME ZONE 'UTC' - interval '1 minute';
"""
WRITTEN = "SELECT count(*) FROM portal_invitation WHERE xmin::text <> %s"


def compare(env, job):
    """Send emails by the job and by Odoo's queue, in turns, to the same users.

    :param job: `servers`, a dict of names to options of Odoo; `count` and `repeats`
    :return: list of dicts, one for each timed run
    """
    db = env.cr.dbname
    order_ids, _costs = accounts.create(env, job["count"])
    with request(db) as new_env:
        user_ids = new_env["sale.order"].browse(order_ids).partner_id.user_ids.ids
    runs = []
    # the first round fills caches
    for repeat in range(-1, job["repeats"]):
        for server, options in job["servers"].items():
            for option, value in options.items():
                config[option] = value
            for name in sorted(SENDERS, reverse=bool(repeat % 2)):
                cost = SENDERS[name](db, user_ids)
                cost["ms"] /= len(user_ids)
                runs.append({"server": server, "sender": name, "repeat": repeat} | cost)
    return [found for found in runs if found["repeat"] >= 0]


def _send_by_job(db, user_ids):
    """Send invitations as the scheduled action does."""
    with request(db) as env:
        env.cr.execute(MAKE_DUE, [user_ids])
    with timed() as cost, request(db) as env:
        env["portal.invitation"]._cron_send()
    with request(db) as env:
        invitations = env["portal.invitation"].search([("user_id", "in", user_ids)])
        states = set(invitations.mapped("state"))
        assert states == {"sent"}, f"invitations are {states}"
    return cost


def _send_by_odoo(db, user_ids):
    """Prepare the emails of Odoo's portal wizard, then send Odoo's queue."""
    with timed() as cost:
        with request(db) as env:
            template = env.ref(ODOO_TEMPLATE)
            for user in env["res.users"].browse(user_ids):
                user.partner_id.signup_prepare()
                template.send_mail(user.id)
                env.cr.commit()
        with request(db) as env:
            queue = env["mail.mail"].search([("state", "=", "outgoing")])
            assert len(queue) == len(user_ids), f"{len(queue)} emails in the queue"
            queue.process_email_queue(queue.ids)
            assert not queue.exists().filtered(lambda mail: mail.state != "sent")
    return cost


SENDERS = {"job": _send_by_job, "odoo": _send_by_odoo}


def unreachable(env, job):
    """Run the job again while nobody listens on the mail server's port.

    :param job: `smtp_port`, `counts` of due invitations and `repeats`
    :return: list of dicts of each run: `due`, `ms`, and `rows`, how many invitations
        were written; or `mib`, the peak of memory, where that was measured
    """
    db = env.cr.dbname
    config["smtp_server"] = "127.0.0.1"
    config["smtp_port"] = job["smtp_port"]
    accounts.create(env, 1)
    _run_unreachable(db, 10)
    runs = []
    for count in job["counts"]:
        runs += [_run_unreachable(db, count) for _repeat in range(job["repeats"])]
        tracemalloc.start()
        _run_unreachable(db, count)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        runs.append({"due": count, "mib": peak})
    return runs


def _run_unreachable(db, count):
    """Run the job on that many due invitations and return its cost."""
    with request(db) as env:
        env.cr.execute(FILL, [count])
        env.cr.execute("SELECT pg_current_xact_id()::xid::text")
        [xid] = env.cr.fetchone()
        due = env["portal.invitation"].search_count([])
        env.cr.execute("ANALYZE portal_invitation")
    if tracemalloc.is_tracing():
        tracemalloc.reset_peak()
    with timed() as cost, request(db) as env:
        env["portal.invitation"]._cron_send()
    with request(db) as env:
        env.cr.execute(WRITTEN, [xid])
        [rows] = env.cr.fetchone()
    return cost | {"due": due, "rows": rows}
