"""Thousands of contacts with one address, such as a placeholder's, slow no order."""

from contextlib import ExitStack

import psutil
import pytest

from .client import Visitor
from .shop import run_shop

pytestmark = pytest.mark.slow

ADDRESS, PASSWORD = "shared@example.com", "correct horse battery"
CONTACTS = 20_000
RATIO = 1.5
ROUNDS = 5
# As an import has them: each has a name of its own in the address, too.
SHARE = """
    INSERT INTO res_partner (name, complete_name, email, email_normalized, active,
                partner_share, lang, company_id, autopost_bills)
    SELECT 'Jane ' || number, 'Jane ' || number,
           'Jane ' || number || ' <' || email || '>', email_normalized, TRUE, TRUE,
           lang, company_id, autopost_bills
      FROM res_partner, generate_series(1, %s) number
     WHERE email = %s
"""
FINISH = """
    UPDATE res_partner SET commercial_partner_id = id
     WHERE commercial_partner_id IS NULL
"""


def seconds(shop):
    """Return the processor time of a shop's server and of its PostgreSQL so far."""
    postgres = psutil.Process(shop.db.instance.cluster._process.pid)
    server = psutil.Process(shop.server.process.pid).cpu_times()
    ended = postgres.cpu_times()
    total = server.user + server.system + ended.children_user + ended.children_system
    for backend in postgres.children(recursive=True):
        times = backend.cpu_times()
        total += times.user + times.system
    return total


@pytest.fixture(scope="module")
def shops(addon_instance, shop_instance, mailbox):
    """Two running shops, with the addon and without it, whose contacts share one
    address, and a customer who has the account for it."""
    with ExitStack() as stack:
        shops = []
        for name, instance in (("addon", addon_instance), ("odoo", shop_instance)):
            shop = stack.enter_context(
                run_shop(
                    instance, mailbox, f"shared_{name}", extra=["--max-cron-threads=0"]
                )
            )
            websites = shop.admin("website", "search", [])
            values = {"auth_signup_uninvited": "b2c"}
            shop.admin("website", "write", websites, values)
            shop.chair = shop.db.product("Office Chair")
            shop.customer = Visitor(shop.server)
            assert shop.customer.sign_up(ADDRESS, PASSWORD)
            shop.db.sql(SHARE, CONTACTS, ADDRESS)
            shop.db.sql(FINISH)
            shop.db.sql("ANALYZE res_partner")
            buy(shop)
            shops.append(shop)
        yield shops


def buy(shop):
    """Buy as a guest with the address that all share."""
    Visitor(shop.server).buy(shop.chair, ADDRESS, provider="custom")
    order_id = shop.db.value("SELECT max(id) FROM sale_order")
    shop.admin("sale.order", "action_confirm", [order_id])
    return order_id


def look_at_order(shop):
    """Open the page of a guest's order, as a customer who is logged in."""
    order_id, token = shop.db.sql(
        "SELECT id, access_token FROM sale_order WHERE access_token IS NOT NULL "
        "ORDER BY id DESC LIMIT 1"
    )[0]
    answer = shop.customer.get(f"/my/orders/{order_id}?access_token={token}")
    assert answer.ok


def read_form(shop):
    """Open a guest's order as staff do."""
    order_id = shop.db.value("SELECT max(id) FROM sale_order")
    views = shop.admin("sale.order", "get_views", [[False, "form"]])
    names = views["models"]["sale.order"]["fields"]
    shop.admin("sale.order", "web_read", [order_id], {name: {} for name in names})


@pytest.mark.parametrize("action", [buy, look_at_order, read_form])
def test_an_address_that_thousands_share_costs_no_order_time(shops, action):
    spent = []
    for shop in shops:
        action(shop)
        before = seconds(shop)
        for _round in range(ROUNDS):
            action(shop)
        spent.append(seconds(shop) - before)
    with_addon, alone = spent
    assert with_addon <= RATIO * alone, spent
