"""The scenarios side by side, interleaved on one database."""

from odoo.tools import config

from . import scenarios
from .factory import Orders
from .transaction import request, timed


def compare(env, job):
    """Measure the scenarios on one database.

    :param job: `smtp_port`, and `repeats`: list of batch, scenario and how often
    :return: list of dicts, one for each timed run
    """
    config["smtp_server"] = "127.0.0.1"
    config["smtp_port"] = job["smtp_port"]
    db, uid, orders = env.cr.dbname, env.ref("base.user_admin").id, Orders(env)
    runs = []
    for repeat in range(max(often for *_cell, often in job["repeats"])):
        # each round starts with another scenario
        first = repeat % len(job["repeats"])
        for batch, name, often in job["repeats"][first:] + job["repeats"][:first]:
            if repeat < often:
                found = {"batch": batch, "scenario": name, "repeat": repeat}
                runs.append(found | _time(db, uid, orders, name, batch))
    return runs


def _time(db, uid, orders, name, batch):
    """Time one run, after one order of the same scenario: each finds the caches as it
    leaves them itself."""
    scenario = scenarios.SCENARIOS[name]

    def work(count):
        with request(db) as env:
            order_ids = orders.create(env, count, scenario.known)
        with timed() as cost:
            scenario.work(db, uid, order_ids)
        with request(db) as env:
            env.cr.execute(scenarios.NOTHING_DUE)
        return order_ids, cost

    with scenario.surroundings(db):
        scenarios.prepare(db, scenario.policy)
        work(1)
        order_ids, cost = work(batch)
    if name != "never":
        with request(db) as env:
            partners = env["sale.order"].browse(order_ids).partner_id
            assert all(partner.user_ids for partner in partners), name
    return cost
