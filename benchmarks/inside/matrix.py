"""The ways side by side, interleaved on one database."""

import contextlib
import sys
import time
from unittest.mock import patch

from odoo.modules.registry import Registry
from odoo.tools import config

from . import ways
from .meter import Count, timed
from .requests import request
from .supply import Supply


def run(env, job):
    """Measure the cells of one database.

    :param job: `cells`, each with `batch`, `smtp_ms`, `smtp_port`, `repeats` (dict of
        ways to how often), `mails` (how often the mails are sent, too) and `count`
        (ways to count); and `plans`, batch sizes to explain the lookup for
    :return: dict of `runs`, one dict for each timed run; `counts`, one for each way and
        batch; and `plans`
    """
    bench = Bench(env)
    runs, counts = [], []
    for cell in job["cells"]:
        config["smtp_server"] = "127.0.0.1"
        config["smtp_port"] = cell["smtp_port"]
        runs += bench.cell(cell)
        counts += [bench.count(name, cell["batch"]) for name in cell["count"]]
    return {"runs": runs, "counts": counts, "plans": bench.plans(job.get("plans", []))}


class Bench:
    """One database and what is measured on it."""

    def __init__(self, env):
        self.db = env.cr.dbname
        # A salesperson who may use the portal wizard, too.
        self.uid = env.ref("base.user_admin").id
        self.supply = Supply(env)
        env.cr.commit()

    def cell(self, cell):
        """Return the timed runs of one batch size and one mail server."""
        runs = []
        names = list(cell["repeats"])
        for repeat in range(max(cell["repeats"].values())):
            # each round starts with another way
            for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
                if repeat < cell["repeats"][name]:
                    send = repeat < cell["mails"]
                    figures = self.time(name, cell["batch"], send)
                    runs.append(
                        {
                            "way": name,
                            "batch": cell["batch"],
                            "smtp_ms": cell["smtp_ms"],
                            "repeat": repeat,
                            **figures,
                        }
                    )
                    self._say(runs[-1])
        return runs

    def time(self, name, batch, send):
        """Time one run, after one order the same way that leaves the caches as that
        way does.

        :param send: for a way that mails later, time that as well
        """
        way = ways.WAYS[name]
        with way.surroundings(self.db):
            self.warm_up(way)
            order_ids = self.orders(way, batch)
            with timed() as cost, self.account_timed() as account:
                way.work(self.db, self.uid, order_ids)
        cost |= account
        if name != "never":
            ways.check_accounts(self.db, order_ids)
        if way.mails_later and send:
            with timed() as mail_cost:
                ways.send_invitations(self.db)
            cost |= {f"mail_{key}": value for key, value in mail_cost.items()}
        return cost

    @contextlib.contextmanager
    def account_timed(self):
        """Time ``_ensure_portal_accounts`` within a run.

        A few milliseconds of it are lost in the spread of the whole confirmation. What
        the sale has yet to write is written before, as that is not the account's.

        :return: a dict that holds `account_ms` after the block, where it was called
        """
        cost = {}

        def ensure(orders, **options):
            orders.env.cr.flush()
            start = time.perf_counter()
            try:
                return original(orders, **options)
            finally:
                cost["account_ms"] = (time.perf_counter() - start) * 1000

        SaleOrder = Registry(self.db)["sale.order"]
        original = SaleOrder._ensure_portal_accounts
        with patch.object(SaleOrder, "_ensure_portal_accounts", ensure):
            yield cost

    def count(self, name, batch):
        """Count rows, memory and dropped caches of one run that is not timed."""
        way = ways.WAYS[name]
        with way.surroundings(self.db):
            # counted as well, as that leaves the statistics of the database at zero
            with Count():
                self.warm_up(way)
                order_ids = self.orders(way, batch)
            with Count() as count:
                way.work(self.db, self.uid, order_ids)
        return {"way": name, "batch": batch, **count.figures()}

    def plans(self, batches):
        """Return the plan of the lookup, as PostgreSQL ran it, for batch sizes."""
        return [
            {"batch": batch, "known": known, "plan": self._plan(batch, known)}
            for batch in batches
            for known in (True, False)
        ]

    def _plan(self, batch, known):
        with request(self.db) as env:
            orders = env["sale.order"].browse(self.supply.orders(env, batch, known))
            orders.mapped("partner_id.email_normalized")
            with Count() as count:
                orders._find_customer_users()
            [query] = [sql for sql, _ in count.statements if "customer(id" in sql]
            for _warm in range(2):
                env.cr.execute("EXPLAIN (ANALYZE, BUFFERS) " + query.replace("%", "%%"))
                plan = [row[0] for row in env.cr.fetchall()]
            return plan

    def warm_up(self, way):
        """Do one order a way, so that the caches are as that way leaves them."""
        way.prepare(self.db)
        way.work(self.db, self.uid, self.orders(way, 1))
        ways.drop_invitations(self.db)

    def orders(self, way, count):
        """Return the ids of so many new orders for a way."""
        with request(self.db) as env:
            return self.supply.orders(env, count, way.known)

    @staticmethod
    def _say(run):
        print(
            "{way:7} batch {batch:4} smtp {smtp_ms:3} ms: {ms:9.1f} ms, "
            "{queries:6} queries".format(**run),
            file=sys.stderr,
            flush=True,
        )
