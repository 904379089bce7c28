"""Accounts created by the addon, without the confirmation of the orders."""

from .factory import Orders, clone_partners
from .scenarios import prepare
from .transaction import request, timed

BATCH = 100
# As in a shop that PostgreSQL has never analyzed, and will not while this runs.
FORGET_STATISTICS = """
    ALTER TABLE {table} SET (autovacuum_enabled = false);
    DELETE FROM pg_statistic WHERE starelid = '{table}'::regclass;
    UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = '{table}'::regclass;
"""


def create(env, count):
    """Create accounts in batches, each for a confirmed order.

    :return: the ids of the orders, and a list with the cost of each batch
    """
    db = env.cr.dbname
    prepare(db, "all")
    orders = Orders(env, state="sale")
    order_ids, costs = [], []
    while len(order_ids) < count:
        with request(db) as new_env:
            batch = orders.create(new_env, min(BATCH, count - len(order_ids)))
        with timed() as cost, request(db) as new_env:
            new_env["sale.order"].browse(batch)._ensure_portal_accounts()
        order_ids += batch
        costs.append(cost)
    return order_ids, costs


def without_statistics(env, job):
    """Create accounts in a shop whose tables have no statistics.

    :param job: `count` of accounts
    :return: list of milliseconds, one for each batch
    """
    create(env, 1)
    with request(env.cr.dbname) as new_env:
        for table in ("res_users", "res_partner", "portal_invitation", "sale_order"):
            new_env.cr.execute(FORGET_STATISTICS.format(table=table))
    return [cost["ms"] for cost in create(env, job["count"])[1]]


def shared_address(env, job):
    """Look up the customers of 100 orders, who share one address or have their own.

    :param job: `contacts` with the shared address, and `repeats`
    :return: list of dicts, one for each lookup
    """
    original = env["res.partner"].create({"name": "Original"})
    env.flush_all()
    shared = clone_partners(env, original, "'shared.test'", [0] * job["contacts"])
    own = clone_partners(env, original, "'own.test'", list(range(BATCH)))
    env.cr.execute("ANALYZE res_partner")
    runs = []
    for repeat in range(job["repeats"]):
        for name, ids in (("shared", shared[:BATCH]), ("own", own)):
            env.invalidate_all()
            with timed() as cost:
                env["res.users"]._find_customer_users(env["res.partner"].browse(ids))
            runs.append({"address": name, "repeat": repeat, **cost})
    return runs


def prepare_shop(env, job):
    """Create accounts, and quotations of other customers.

    :param job: `accounts` and `quotations`, how many of each
    :return: dict of `accounts`, addresses, and `quotations`, pairs of id and address
    """
    order_ids, _costs = create(env, job["accounts"])
    with request(env.cr.dbname) as new_env:
        quotation_ids = Orders(new_env).create(new_env, job["quotations"])
        browse = new_env["sale.order"].browse
        return {
            "accounts": browse(order_ids).mapped("partner_id.email"),
            "quotations": [[o.id, o.partner_id.email] for o in browse(quotation_ids)],
        }
