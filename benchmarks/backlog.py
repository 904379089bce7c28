"""A server with many invitations due, looked at by what the mail server receives."""

import itertools
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil

from devtools.base import DevtoolsError, step
from tests.client import Visitor, call_json

# in seconds, a part of the time that Odoo gives a job before it looks at others
SLICE = 8
SEED = 19
MAKE_DUE = """
    UPDATE portal_invitation
       SET due_date = now() AT TIME ZONE 'UTC' - interval '1 minute', priority = '1'
      FROM res_partner partner
     WHERE partner.id = partner_id
       AND partner.email = ANY(string_to_array(:'addresses', ','));
    INSERT INTO ir_cron_trigger (cron_id, call_at)
    SELECT res_id, now() AT TIME ZONE 'UTC' FROM ir_model_data
     WHERE module = 'sales_confirm_user_create' AND name = 'ir_cron_portal_invitation'
"""
DUE = "SELECT count(*) FROM portal_invitation WHERE due_date IS NOT NULL"
CLEAR = "UPDATE portal_invitation SET due_date = NULL; DELETE FROM ir_cron_trigger"


class Shop:
    """A running server with due invitations."""

    def __init__(self, site, db, mails, workers):
        self.site, self.db, self.mails, self.workers = site, db, mails, workers

    def __enter__(self):
        options = {"smtp_port": self.mails.port, "extra": self.mails.extra}
        self.site.sql(self.db, CLEAR)
        start = self.site.instance.start_server
        self.server = start(self.db, workers=self.workers, **options)
        self._session = Visitor(self.server).log_in("admin", "admin").session
        # Odoo's workers take one connection at a time.
        self._session.headers["Connection"] = "close"
        return self

    def __exit__(self, *exc_info):
        self.server.stop()

    def make_due(self, addresses):
        """Make invitations due, as those of past orders are, and start the job."""
        self.mails.arrivals.clear()
        self.site.sql(self.db, MAKE_DUE, addresses=",".join(addresses))
        self.wake_cron()

    def wake_cron(self):
        """Have the server look for jobs now."""
        self.site.sql("postgres", f"SELECT pg_notify('cron_trigger', '{self.db}')")

    def due(self):
        """Return how many invitations are due."""
        return int(self.site.sql(self.db, DUE))

    def wait_for_all(self, *, awake=False, seconds=900):
        """Wait until nothing is due.

        :param awake: have the server look for jobs all the time
        """
        limit = time.monotonic() + seconds
        while self.due():
            if time.monotonic() > limit:
                raise DevtoolsError(f"{self.due()} invitations are still due.")
            if awake:
                self.wake_cron()
            time.sleep(1)

    def confirm(self, order_id):
        """Confirm an order as its own request does; return when it was confirmed."""
        url = f"{self.server.url}/web/dataset/call_kw"
        call = {"model": "sale.order", "method": "action_confirm"}
        call_json(self._session, url, **call, args=[[order_id]], kwargs={})
        return time.monotonic()

    def kill_job(self):
        """Kill the process that runs scheduled jobs."""
        main = psutil.Process(self.server.process.pid)
        for process in main.children():
            # Odoo has it give way to others.
            if process.nice() > main.nice():
                process.kill()


def drain(site, db, mails, workers, addresses):
    """Send a backlog; return emails a second, of the whole and of one slice, and the
    longest pause in seconds."""
    with Shop(site, db, mails, workers) as shop:
        shop.make_due(addresses[:20])  # what the first email loads
        shop.wait_for_all()
        with step(f"send {len(addresses)} invitations, {workers} workers"):
            shop.make_due(addresses)
            shop.wait_for_all()
        times = sorted(when for when, _address in mails.arrivals)
    if len(times) != len(addresses):
        raise DevtoolsError(f"{len(times)} emails for {len(addresses)} customers.")
    first = [when for when in times if when - times[0] <= SLICE]
    pause = max(after - before for before, after in itertools.pairwise(times))
    whole, single = ((len(part) - 1) / (part[-1] - part[0]) for part in (times, first))
    return {"whole": whole, "slice": single, "pause": pause}


def overtake(site, db, mails, workers, addresses, quotations):
    """Confirm orders while a backlog is sent; return the seconds to each email."""
    with Shop(site, db, mails, workers) as shop:
        shop.make_due(addresses)
        waits = []
        with step(f"confirm {len(quotations)} orders during it, {workers} workers"):
            for order_id, address in quotations:
                time.sleep(2)
                confirmed = shop.confirm(order_id)
                waits.append(mails.wait(address) - confirmed)
        return waits


def crash(site, db, mails, addresses, quotations, kills):
    """Confirm many orders at once while a backlog is sent and the job is killed at
    random moments.

    :return: dict of `kills`, and of emails that were `lost` and sent `twice`
    """
    chance = random.Random(SEED)
    killed = 0
    with Shop(site, db, mails, workers=4) as shop, ThreadPoolExecutor(32) as pool:
        shop.make_due(addresses)
        with step(f"confirm {len(quotations)} orders at once, kill the job"):
            confirmed = [pool.submit(shop.confirm, order) for order, _to in quotations]
            while killed < kills and shop.due():
                seen = len(mails.arrivals)
                shop.wake_cron()
                time.sleep(chance.uniform(0.2, 1.5))
                if len(mails.arrivals) > seen:
                    shop.kill_job()
                    killed += 1
            for result in confirmed:
                result.result()
            shop.wait_for_all(awake=True)
        sent = Counter(address for _when, address in mails.arrivals)
    expected = {*addresses, *(address for _order, address in quotations)}
    twice = sum(count - 1 for count in sent.values())
    return {"kills": killed, "lost": len(expected - set(sent)), "twice": twice}
