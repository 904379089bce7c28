"""The pictures of the Apps page: one customer, one order; made by `make pictures`."""

import base64

from .browser import (
    PASSWORD_FORM,
    PHONE,
    SCREENSHOTS,
    check_out,
    choose_password,
    log_in,
    new_page,
)
from .pictures import open_other_information

ADDRESS = "jane@example.com"
# Other customers of the last months, whose invitations are in all states.
OTHERS = """
from datetime import timedelta
from odoo import fields
now = fields.Datetime.now()
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
partners = env["res.partner"].create([
    {"name": f"Customer {number}", "email": f"customer{number}@example.com"}
    for number in range(1, 9)
])
for number, partner in enumerate(partners):
    order = env["sale.order"].create({
        "partner_id": partner.id,
        "order_line": [(0, 0, {"product_id": product.id})],
    })
    order.action_confirm()
    date = now - timedelta(days=9 * (8 - number))
    order.date_order = date
    invitation = partner.user_ids.portal_invitation_ids
    invitation.write({
        "due_date": False,
        "sent_date": date,
        "sent_count": 1,
        "expiry_date": date + timedelta(days=6),
    })
    env.cr.execute("UPDATE res_users SET create_date = %s WHERE id = %s",
                   [date, partner.user_ids.id])
    if number % 2 == 0:
        partner.user_ids.portal_activation_date = date + timedelta(days=2)
    if number == 5:
        invitation.failure = "550 5.1.1 User unknown"
"""
COVER = """
<body style="margin: 0; padding: 32px; display: flex; gap: 32px; align-items: start;
             background: #f1f3f5">
  <style>
    img {{ border-radius: 12px; box-shadow: 0 2px 12px #0003; background: #fff }}
  </style>
  <img src="data:image/png;base64,{message}" width="660">
  <img src="data:image/png;base64,{mail}" width="440">
  <img src="data:image/png;base64,{activate_phone}" width="280">
</body>
"""


def keep(name, page, last=None, space=12):
    """Keep a picture of a page; down to the last element of a kind, and some space."""
    if not SCREENSHOTS:
        return
    page.wait_for_timeout(700)
    if last:
        box = page.locator(last).last.bounding_box()
        width = page.viewport_size["width"]
        height = int(box["y"] + box["height"]) + space
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"story-{name}.png")


def test_story(new_shop, new_context):
    """A guest orders, reads the message and the email, and activates the account."""
    shop = new_shop("story")
    shop.db.shell(OTHERS)
    chair = shop.db.product("Office Chair")

    page = new_page(new_context, shop.server, {"width": 1000, "height": 900})
    check_out(page, chair[0], ADDRESS, "story")
    keep("message", page, "address", space=36)

    mail = shop.mailbox.wait_for_one(ADDRESS)
    email = new_page(new_context, viewport={"width": 620, "height": 700})
    email.set_content(mail.html)
    keep("mail", email, "a:has-text('@')", space=24)

    phone = new_page(new_context, shop.server, PHONE)
    phone.goto(mail.link)
    phone.wait_for_selector(PASSWORD_FORM)
    keep("activate_phone", phone, f"{PASSWORD_FORM} button[type=submit]", space=36)
    page = new_page(new_context, shop.server, {"width": 1000, "height": 900})
    choose_password(page, mail.link, "correct horse battery", "story")
    page.goto("/my/orders")
    keep("orders", page, "#wrap table")

    staff = new_page(new_context, shop.server, {"width": 1280, "height": 1400})
    log_in(staff, "admin", "admin")
    order_id = shop.db.last_order(ADDRESS)
    staff.goto(f"/odoo/action-sale.action_orders/{order_id}")
    open_other_information(staff)
    keep("order", staff, ".o_field_widget[name=portal_account_state]")
    action = "sales_confirm_user_create.portal_invitation_action"
    staff.goto(f"/odoo/action-{action}")
    staff.locator(".o_data_row").first.wait_for()
    keep("invitations", staff, ".o_data_row")

    staff.set_viewport_size({"width": 1280, "height": 700})
    staff.goto("/odoo/action-sales_confirm_user_create.portal_adoption_report_action")
    staff.locator(".o_graph_renderer canvas, .o_pivot").first.wait_for()
    keep("report", staff)
    staff.goto("/odoo/action-website.action_website_configuration")
    staff.locator("#portal_account_setting").wait_for()
    setting = staff.locator("#portal_account_setting")
    setting.scroll_into_view_if_needed()
    if SCREENSHOTS:
        setting.screenshot(path=SCREENSHOTS / "story-settings.png")

    if SCREENSHOTS:
        pictures = {
            name: base64.b64encode((SCREENSHOTS / f"story-{name}.png").read_bytes())
            for name in ("message", "mail", "activate_phone")
        }
        texts = {name: picture.decode() for name, picture in pictures.items()}
        cover = new_page(new_context, viewport={"width": 1508, "height": 480})
        cover.set_content(COVER.format(**texts))
        keep("cover", cover)
