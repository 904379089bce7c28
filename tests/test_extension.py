"""The example addon: a rule of one's own, without a change of ours."""

from pathlib import Path

import pytest

from devtools.base import PROJECT

from .database import Database

ADDONS = Path(__file__).parent / "addons"
EXAMPLE = "sales_confirm_user_create_example"
CONFIRM = """
for price in ({prices}):
    partner = env["res.partner"].create(
        {{"name": f"Customer {{price}}", "email": f"customer-{{price}}@example.com"}}
    )
    order = env["sale.order"].create({{"partner_id": partner.id}})
    product = env["product.product"].create({{"name": "Product", "taxes_id": False}})
    order.order_line = [(0, 0, {{"product_id": product.id, "price_unit": price}})]
    order.action_confirm()
    print(price, order.state, order.user_created)
"""


@pytest.fixture(scope="module")
def database(addon_instance):
    """A database with the example addon."""
    addon_instance.new_database("extension")
    addons = addon_instance.addons
    addon_instance.addons = [PROJECT, ADDONS]
    addon_instance.odoo_command([f"--init={EXAMPLE}"], db="extension")
    yield Database(addon_instance, "extension")
    addon_instance.addons = addons
    addon_instance.drop_database("extension")


def test_a_rule_of_ones_own_needs_no_change_of_the_addon(database):
    said = database.shell(CONFIRM.format(prices="99, 100")).splitlines()
    assert said == ["99 sale False", "100 sale True"]
    assert database.users("customer-99@example.com") == []
    assert len(database.users("customer-100@example.com")) == 1
