# ruff: noqa: F821 - the shell brings `env`
"""Run in `odoo shell`: confirm an order of a new customer, and say what came of it."""

from odoo.modules.module import get_module_path

partner = env["res.partner"].create({"name": "Jane Doe", "email": "jane@example.com"})
product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
order = env["sale.order"].create(
    {"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]}
)
order.action_confirm()
if not (partner.user_ids.share and partner.user_ids.login == "jane@example.com"):
    raise RuntimeError(f"{order.name} is confirmed, and {partner.name} has no account.")
env.cr.commit()
print(order.name, partner.user_ids.login)
for name in (
    "portal_own_documents",
    "sales_confirm_user_create",
    "sale_portal_claim",
    "sale_portal_team",
):
    print(get_module_path(name))
