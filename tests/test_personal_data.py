"""Beside OCA's addons that limit all portal users to their own documents."""

import pytest

from devtools.base import PROJECT
from devtools.environment import oca_addons

from .database import Database

pytestmark = pytest.mark.slow

NEIGHBOUR = "portal_sale_personal_data_only"
LISTS = """
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
product.invoice_policy = "order"
company = env["res.partner"].create({"name": "Acme", "is_company": True})
users, orders = env["res.users"], env["sale.order"]
for name in ("own", "whole"):
    values = {"name": name, "email": f"{name}@example.com", "parent_id": company.id}
    partner = env["res.partner"].create(values)
    order = env["sale.order"].create({"partner_id": partner.id})
    order.order_line = [(0, 0, {"product_id": product.id})]
    order.action_confirm()
    order._create_invoices().action_post()
    users += partner.user_ids
    orders += order
own, whole = users
whole.portal_own_documents = False
for user, order in zip(users, orders):
    for name, records in (("sale.order", orders), ("account.move", orders.invoice_ids)):
        seen = env[name].with_user(user).search([("id", "in", records.ids)])
        mine = "own" if seen.partner_id == user.partner_id else "more"
        print(user.login.partition("@")[0], name, mine, len(seen))
"""


@pytest.mark.parametrize("neighbour", [False, True])
def test_who_sees_what_beside_them(addon_instance, neighbour):
    """Both kinds of users keep what the neighbour leaves them: their own documents."""
    name = f"personal-{neighbour}"
    addon_instance.new_database(name)
    own = addon_instance.addons
    try:
        if neighbour:
            addon_instance.addons = [PROJECT, oca_addons()]
            addon_instance.install([NEIGHBOUR], db=name)
        seen = Database(addon_instance, name).shell(LISTS).split("\n")
    finally:
        addon_instance.addons = own
        addon_instance.drop_database(name)
    whole = "own 1" if neighbour else "more 2"
    assert [line for line in seen if line] == [
        "own sale.order own 1",
        "own account.move own 1",
        f"whole sale.order {whole}",
        f"whole account.move {whole}",
    ]
