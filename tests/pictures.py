"""Pictures of what those who run the shop see; made by `make pictures`."""

from types import SimpleNamespace

import pytest

from .browser import SCREENS, keep_picture, log_in, new_page
from .database import Database, eventually

PAST = """
from datetime import timedelta
from odoo import fields
today = fields.Datetime.now()
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
partners = env["res.partner"].create([
    {"name": f"Customer {number}", "email": f"customer{number}@example.com"}
    for number in range(60)
] + [
    {"name": "Jane Doe", "email": "jane@example.com"},
    {"name": "John Doe", "email": "nowhere"},
])
orders = env["sale.order"].create([
    {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]}
    for partner in partners
])
orders[::2].action_confirm()
orders[1:-1:2].state = "sale"
for number, order in enumerate(orders):
    order.date_order = today - timedelta(days=number)
for user in orders[:40:4].partner_id.user_ids:
    env["res.users.log"].with_user(user).sudo().create({})
    user.portal_activation_date = today - timedelta(days=60)
orders[2].partner_id.user_ids.active = False
orders[-1].action_confirm()
Batch = env["portal.account.batch"].with_user(env.ref("base.user_admin"))
action = Batch.action_preview(orders.ids)
print(orders[-2].id, orders[-1].id, partners[-2].id, action["res_id"])
"""


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A shop with accounts in many states, seen by its administrator."""
    db = Database(addon_instance, addon_instance.new_database("pictures"))
    order, refused, contact, batch = map(int, db.shell(PAST).split())
    with addon_instance.start_server(db.name, smtp_port=mailbox.port) as server:
        db.wake_cron()
        eventually(lambda: not db.due())
        yield SimpleNamespace(
            server=server, order=order, refused=refused, contact=contact, batch=batch
        )


def show_account_column(page):
    """Show the optional column with the account, where there is a list."""
    if page.locator(".o_list_view").count():
        page.click(".o_optional_columns_dropdown button")
        page.click(".o-dropdown-item:has-text('Portal Account')")
        page.keyboard.press("Escape")


def open_other_information(page):
    """Show the tab of an order with the account on it."""
    page.click(".o_notebook a[name=other_information]")
    page.locator(".o_field_widget[name=portal_account_state]").first.wait_for()


@pytest.mark.parametrize("screen", SCREENS)
def test_pictures_of_the_backend(shop, new_context, screen):
    """What is wider than its window is no picture to be proud of.

    There is no dark backend in the Community edition.
    """
    page = new_page(new_context, shop.server, SCREENS[screen])
    log_in(page, "admin", "admin")
    orders = "/odoo/action-sale.action_orders"
    for name, address, selector, prepare in (
        (
            "settings",
            "/odoo/action-website.action_website_configuration",
            "#portal_account_setting",
            None,
        ),
        ("orders", orders, ".o_list_view, .o_kanban_view", show_account_column),
        (
            "account",
            f"{orders}/{shop.order}",
            ".o_form_view .o_notebook",
            open_other_information,
        ),
        ("refused", f"{orders}/{shop.refused}", ".o-mail-Message", None),
        ("contact", f"/odoo/res.partner/{shop.contact}", ".o_form_view", None),
        ("batch", f"/odoo/portal.account.batch/{shop.batch}", ".o_form_view", None),
        (
            "report",
            "/odoo/action-sales_confirm_user_create.portal_adoption_report_action",
            ".o_graph_renderer canvas, .o_pivot, .o_list_view",
            None,
        ),
    ):
        page.goto(address)
        shown = page.locator(selector).first
        shown.wait_for()
        if prepare:
            prepare(page)
        shown.scroll_into_view_if_needed()
        page.wait_for_timeout(700)
        keep_picture(page, f"shop-{name}-{screen}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], name
