"""The report *Portal Adoption* over many orders."""

import time

from .requests import request
from .supply import Supply

# Two years of orders; each account came with its customer's first one, and every other
# account was activated two days later.
SPREAD = """
    UPDATE sale_order
       SET date_order = now() AT TIME ZONE 'UTC' - id %% 730 * interval '1 day'
     WHERE state = 'sale';

    UPDATE res_users
       SET portal_invitation_order_id = first.id,
           portal_invitation_date = first.date_order,
           portal_activation_date = CASE WHEN res_users.id %% 2 = 0
                THEN first.date_order + interval '2 days' END
      FROM (
            SELECT DISTINCT ON (partner_id) id, partner_id, date_order
              FROM sale_order
             WHERE state = 'sale' AND partner_id BETWEEN %(low)s AND %(high)s
             ORDER BY partner_id, date_order, id
           ) first
     WHERE res_users.partner_id = first.partner_id;

    UPDATE sale_order
       SET user_created = TRUE
      FROM res_users
     WHERE sale_order.id = res_users.portal_invitation_order_id;

    ANALYZE sale_order;
    ANALYZE res_users;
"""
VIEWS = {
    "by month, 365 days": (["date:month"], [("date", ">=", "-365d")]),
    "by month": (["date:month"], []),
    "by week and sales team": (["date:week", "team_id"], []),
}


def run(env, job):
    """Read all of the report's measures as a sales manager does.

    :param job: `orders`, how many there are to be, and `repeats`
    :return: dict of `orders` and `seconds`, a dict of views to lists
    """
    db, uid = env.cr.dbname, env.ref("base.user_admin").id
    supply = Supply(env, state="sale")
    with request(db) as new_env:
        for start in range(0, job["orders"], 1000):
            supply.orders(new_env, min(1000, job["orders"] - start), known=True)
        bounds = {"low": supply.known[0], "high": supply.known[-1]}
        new_env.cr.execute(SPREAD, bounds)
    seconds = {view: [] for view in VIEWS}
    for _repeat in range(job["repeats"]):
        for view, (groupby, domain) in VIEWS.items():
            seconds[view].append(_read(db, uid, groupby, domain))
    return {"orders": job["orders"], "seconds": seconds}


def _read(db, uid, groupby, domain):
    """Return how many seconds reading the groups takes in a transaction of its own."""
    with request(db, uid) as env:
        report = env["portal.adoption.report"]
        measures = [
            f"{name}:{field.aggregator}"
            for name, field in report._fields.items()
            if field.store and field.aggregator and name != "id"
        ]
        start = time.perf_counter()
        groups = report.formatted_read_group(domain, groupby, measures)
        took = time.perf_counter() - start
        assert sum(group["order_count:sum"] for group in groups) > 0
        return took
