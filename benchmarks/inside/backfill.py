"""Accounts for orders that were confirmed before the addon was installed."""

import time
from unittest.mock import patch

from .requests import request
from .supply import Supply
from .ways import drop_invitations

PAGE = 4096


def run(env, job):
    """Give the customers of past orders an account by the addon's own batch job.

    :param job: `count` of orders
    :return: dict of `accounts`, `seconds`, and `steps`: for each batch of the job the
        accounts so far, the seconds so far and the process's memory in MiB
    """
    db = env.cr.dbname
    supply = Supply(env, state="sale")
    order_ids = []
    while len(order_ids) < job["count"]:
        with request(db) as new_env:
            count = min(1000, job["count"] - len(order_ids))
            order_ids += supply.orders(new_env, count)
    with request(db) as new_env:
        batch_id = new_env["portal.account.batch"].action_preview(order_ids)["res_id"]
        new_env["portal.account.batch"].browse(batch_id).action_start()
    steps = _process(db, batch_id)
    with request(db) as new_env:
        batch = new_env["portal.account.batch"].browse(batch_id)
        assert batch.state == "done", batch.state
        accounts = batch.created_count
    drop_invitations(db)
    return {"accounts": accounts, "seconds": steps[-1]["seconds"], "steps": steps}


def _process(db, batch_id):
    """Run the scheduled action to its end, as cron does.

    :return: list of dicts, one for each step
    """
    steps = []
    with request(db) as env:
        Batches = env.registry["portal.account.batch"]
        process = Batches._process
        start = time.perf_counter()

        def watched(self, orders):
            process(self, orders)
            steps.append(
                {
                    "accounts": self.created_count,
                    "seconds": time.perf_counter() - start,
                    "memory_mib": _memory(),
                }
            )

        with patch.object(Batches, "_process", watched):
            env["portal.account.batch"]._cron_process()
    return steps


def _memory():
    """Return the memory this process has in RAM, in MiB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * PAGE / 2**20
