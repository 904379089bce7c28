"""Pages of a portal user with their own documents, and with the whole company's."""

import time

from tests.client import Visitor

LISTS = ("/my/orders", "/my/invoices")
COUNTERS = ["order_count", "quotation_count", "invoice_count", "overdue_invoice_count"]
SWITCH = "UPDATE res_users SET portal_own_documents = {} WHERE login = '{}'"


def measure(site, db, login, password, repeats):
    """Open the pages in turns.

    :return: list of dicts, one for each round and page
    """
    runs = []
    server = site.instance.start_server(db)
    visitor = Visitor(server).log_in(login, password)
    try:
        for repeat in range(-2, repeats):  # the first ones load everything
            for is_own in (True, False):
                site.sql(db, SWITCH.format(is_own, login))
                for page in (*LISTS, "counters"):
                    start = time.perf_counter()
                    if page == "counters":
                        visitor.call("/my/counters", counters=COUNTERS)
                    else:
                        visitor.get(page).raise_for_status()
                    ms = 1000 * (time.perf_counter() - start)
                    run = {"page": page, "is_own": is_own, "repeat": repeat, "ms": ms}
                    runs += [run] if repeat >= 0 else []
    finally:
        server.stop()
    return runs
