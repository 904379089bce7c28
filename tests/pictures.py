"""Pictures of what those who run the shop see; made by `make pictures`."""

from types import SimpleNamespace

import pytest

from .browser import DESKTOP, PHONE, keep_picture, log_in, new_page
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
    env["res.users.log"].sudo().create({"create_uid": user.id})
    user.portal_activation_date = today
orders[-1].action_confirm()
action = env["portal.account.batch"].action_preview(orders.ids)
print(orders[-2].id, orders[-1].id, partners[-2].id, action["res_id"])
"""


@pytest.fixture(scope="module")
def shop(addon_instance, mailbox):
    """A shop with customers in each state, seen by its administrator."""
    db = Database(addon_instance, addon_instance.new_database("pictures"))
    order, refused, contact, batch = map(int, db.shell(PAST).split())
    with addon_instance.start_server(db.name, smtp_port=mailbox.port) as server:
        db.wake_cron()
        eventually(lambda: not db.due())
        yield SimpleNamespace(
            server=server, order=order, refused=refused, contact=contact, batch=batch
        )


def use_dark_backend(page):
    """Show the backend in dark, which the Community edition has but no switch for."""
    page.context.add_cookies(
        [{"name": "color_scheme", "value": "dark", "url": page.url}]
    )
    page.context.route(
        "**/web.assets_web.min.css",
        lambda route: route.continue_(
            url=route.request.url.rpartition("/web/assets/")[0]
            + "/web/assets/any/web.assets_web_dark.min.css"
        ),
    )


def open_other_information(page):
    """Show the tab of an order with the account on it."""
    page.click(".o_notebook a[name=other_information]")
    page.locator(".o_field_widget[name=portal_account_state]").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pictures_of_the_backend(shop, new_context, scheme, viewport):
    page = new_page(new_context, shop.server, viewport)
    log_in(page, "admin", "admin")
    if scheme == "dark":
        use_dark_backend(page)
    device = "phone" if viewport is PHONE else "desktop"

    def keep(name, address, selector, prepare=None):
        page.goto(address)
        page.locator(selector).first.wait_for()
        if prepare:
            prepare(page)
        page.locator(selector).first.scroll_into_view_if_needed()
        page.wait_for_timeout(700)
        keep_picture(page, f"shop-{name}-{device}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]

    orders = "/odoo/action-sale.action_orders"
    keep(
        "settings",
        "/odoo/action-website.action_website_configuration",
        "#portal_account_setting",
    )
    keep("orders", orders, ".o_list_view, .o_kanban_view")
    keep("order", f"{orders}/{shop.order}", ".o_form_view")
    keep(
        "account",
        f"{orders}/{shop.order}",
        ".o_form_view .o_notebook",
        open_other_information,
    )
    keep("refused", f"{orders}/{shop.refused}", ".o_form_view")
    keep("contact", f"/odoo/res.partner/{shop.contact}", ".o_form_view")
    keep("batch", f"/odoo/portal.account.batch/{shop.batch}", ".o_form_view")
    keep(
        "report",
        "/odoo/action-sales_confirm_user_create.portal_adoption_report_action",
        ".o_graph_renderer canvas, .o_pivot, .o_list_view",
    )
