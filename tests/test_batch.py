"""Accounts for orders of the past, on a running server."""

import time

import pytest

from .client import Rpc
from .database import Database, eventually

pytestmark = pytest.mark.slow

ORDERS = 10_000

PAST_ORDERS = """
partners = env["res.partner"].create([
    {{"name": f"Past {{i}}", "email": f"past{{i}}@example.com"}} for i in range({count})
])
orders = env["sale.order"].create([{{"partner_id": p.id}} for p in partners])
orders.flush_recordset()
env.cr.execute("UPDATE sale_order SET state = 'sale' WHERE id IN %s", [orders._ids])
"""


@pytest.fixture
def shop(addon_instance, mailbox):
    db = Database(addon_instance, addon_instance.new_database("batch"))
    db.shell(PAST_ORDERS.format(count=ORDERS))
    # the mails are another test's business, and would take long
    db.sql(
        "UPDATE ir_cron SET active = false WHERE id IN (SELECT res_id "
        "FROM ir_model_data WHERE model = 'ir.cron' AND name = %s)",
        "ir_cron_portal_invitation",
    )
    db.server = addon_instance.start_server(
        db.name, smtp_port=mailbox.port, workers=2, extra=["--max-cron-threads=1"]
    )
    yield db
    db.server.stop()


def _processed(db):
    return db.value("SELECT COALESCE(processed_count, 0) FROM portal_account_batch")


def _accounts(db):
    return db.value("SELECT count(*) FROM res_users WHERE login LIKE 'past%%'")


def test_a_batch_is_stopped_at_once_and_resumed_to_the_end(shop):
    rpc = Rpc(shop.server, "admin", "admin")
    orders = [
        order
        for (order,) in shop.sql(
            "SELECT o.id FROM sale_order o JOIN res_partner p ON p.id = o.partner_id "
            "WHERE p.email LIKE 'past%%'"
        )
    ]
    batch = rpc("portal.account.batch", "action_preview", orders)["res_id"]
    preview = rpc("portal.account.batch", "read", [batch], ["missing_count", "state"])
    assert (preview[0]["missing_count"], preview[0]["state"]) == (ORDERS, "draft")
    assert _accounts(shop) == 0
    start = time.monotonic()
    rpc("portal.account.batch", "action_start", [batch])
    eventually(lambda: _processed(shop) > 0, timeout=120)
    rpc("portal.account.batch", "action_stop", [batch])
    stopped = _processed(shop)
    assert 0 < stopped < ORDERS
    # long enough for some more steps, of which there must be none
    time.sleep(2)
    assert _processed(shop) == _accounts(shop) == stopped, "it stands still"
    rpc("portal.account.batch", "action_start", [batch])
    eventually(
        lambda: shop.value("SELECT state FROM portal_account_batch") == "done",
        timeout=600,
    )
    print(f"{ORDERS} accounts in {time.monotonic() - start:.0f} s")
    assert _processed(shop) == _accounts(shop) == ORDERS
    assert shop.value("SELECT count(*) FROM sale_order WHERE user_created") == ORDERS
    log = shop.server.log.read_text()
    assert "Traceback" not in log
