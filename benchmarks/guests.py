"""Guests that check out over HTTP, with the addon and without, in turns."""

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import requests

from devtools.base import step
from tests.client import RpcError, Visitor

from .backlog import DUE

# at once, to two workers; what a proxy would let through
CONNECTIONS = 8
PRODUCT = """
    SELECT t.id, min(p.id) FROM product_template t
      JOIN product_product p ON p.product_tmpl_id = t.id
     WHERE t.is_published AND t.list_price > 0 AND p.active AND t.sale_ok
     GROUP BY t.id HAVING count(*) = 1 ORDER BY t.id LIMIT 1
"""
CONFIRMED = "SELECT count(*) FROM sale_order WHERE state = 'sale'"


def measure(shops, guests, rounds):
    """Have guests check out in shops that run all the time, in turns.

    :param shops: list of names, sites, databases and the mail server's port
    :return: list of dicts, one for each shop and round
    """
    runs = []
    with contextlib.ExitStack() as stack:
        running = []
        for name, site, db, smtp_port in shops:
            server = site.instance.start_server(db, workers=2, smtp_port=smtp_port)
            stack.callback(server.stop)
            running.append((name, site, server))
            # Odoo makes what payments are booked by at the first one, which must not
            # be two at once; then all processes load everything.
            _all_check_out(site, server, 1)
            _all_check_out(site, server, 2 * CONNECTIONS)
        for number in range(rounds):
            for name, site, server in running[:: -1 if number % 2 else 1]:
                with step(f"{guests} guests, {name} the addon"):
                    figures = _all_check_out(site, server, guests)
                runs.append({"shop": name, "round": number, **figures})
                # it must not send emails while the other one has its turn
                while name == "with" and int(site.sql(server.db, DUE)):
                    time.sleep(0.5)
    return runs


def _all_check_out(site, server, guests):
    """Have guests check out, some at a time.

    :return: dict of `rate`, confirmed orders a second, and what `failed`
    """
    product = [int(value) for value in site.sql(server.db, PRODUCT).split("|")]
    before, start = int(site.sql(server.db, CONFIRMED)), time.monotonic()
    failed = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _guest in range(guests):
            pool.submit(_check_out, server, product, failed)
    seconds = time.monotonic() - start
    confirmed = int(site.sql(server.db, CONFIRMED)) - before
    return {"rate": confirmed / seconds, "failed": failed}


def _check_out(server, product, failed):
    """Buy something as a new guest, and note a failure."""
    visitor = Visitor(server)
    # Odoo's workers take one connection at a time.
    visitor.session.headers["Connection"] = "close"
    try:
        visitor.get("/shop")
        visitor.buy(product, f"guest{uuid.uuid4().hex}@load.example")
    except (requests.RequestException, RpcError, AssertionError) as error:
        failed.append(str(error)[:300])
