"""Whatever other addons make of a new user, customers become portal users only."""

from pathlib import Path

import pytest

from devtools.base import PROJECT
from devtools.environment import oca_addons

from .database import Database

pytestmark = pytest.mark.slow

ADDONS = Path(__file__).parent / "addons"
ROLES = "base_user_role"
GROUPS = "sales_confirm_user_create_groups"
CONFIRM = """
partner = env["res.partner"].create({{"name": "Jane", "email": {address!r}}})
order = env["sale.order"].create({{"partner_id": partner.id, "origin": {origin!r}}})
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
order.order_line = [(0, 0, {{"product_id": product.id}})]
order.action_confirm()
users = env["res.users"].with_context(active_test=False)
user = users.search(["|", ("login", "=", {address!r}), ("partner_id", "=", partner.id)])
invitations = env["portal.invitation"].search([("partner_id", "=", partner.id)])
print("STATE", order.state)
print("ISSUE", order.portal_account_issue)
print("PORTAL", [u._is_portal() and u.share for u in user])
print("INTERNAL", [u._is_internal() for u in user])
print("INVITED", len(invitations))
print("CONTACT", bool(partner.exists()))
"""
DEFAULT_ROLE = """
group = env.ref("base.group_user")
env["res.users.role"].create(
    {"name": "Staff", "is_default": True, "implied_ids": [(6, 0, group.ids)]}
)
"""
NOTHING = {
    "STATE": "sale",
    "ISSUE": "template",
    "PORTAL": "[]",
    "INTERNAL": "[]",
    "INVITED": "0",
    "CONTACT": "True",
}


@pytest.fixture
def new_database(addon_instance):
    """Return a function that makes a database with another addon."""
    own, names = addon_instance.addons, []

    def new_database(module, folder):
        names.append(addon_instance.new_database(module))
        addon_instance.addons = [PROJECT, folder]
        addon_instance.odoo_command([f"--init={module}"], db=module)
        return Database(addon_instance, module)

    yield new_database
    addon_instance.addons = own
    for name in names:
        addon_instance.drop_database(name)


def confirm(database, address, origin=""):
    """Confirm an order of a new customer and return what came of it."""
    output = database.shell(CONFIRM.format(address=address, origin=origin))
    return dict(line.split(" ", 1) for line in output.splitlines() if " " in line)


def test_a_default_role_makes_no_customer_an_internal_user(new_database):
    database = new_database(ROLES, oca_addons())
    assert confirm(database, "before@example.com")["PORTAL"] == "[True]"
    database.shell(DEFAULT_ROLE)
    assert confirm(database, "after@example.com") == NOTHING


def test_a_hook_gives_customers_no_other_rights(new_database):
    database = new_database(GROUPS, ADDONS)
    refused = {
        "=base.group_user": "template",
        "=base.group_no_one": "template",
        # Odoo itself does not let a user be of two kinds.
        "+base.group_user": "error",
    }
    for number, (origin, issue) in enumerate(refused.items()):
        result = confirm(database, f"refused{number}@example.com", origin)
        assert result == NOTHING | {"ISSUE": issue}, origin
    result = confirm(database, "more@example.com", "+base.group_multi_currency")
    assert result == NOTHING | {"ISSUE": "False", "PORTAL": "[True]"} | {
        "INTERNAL": "[False]",
        "INVITED": "1",
    }
