from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _end_typed_addresses(self):
        """Archive addresses that their customer does not know; detach those with
        users."""
        orders = self.env["sale.order"]
        for name in ("partner_invoice_id", "partner_shipping_id"):
            domain = [(name, "in", self.ids), ("state", "in", ("draft", "sent"))]
            orders.search(domain)[name] = self.parent_id
        self.env["payment.token"].search(
            [("partner_id", "in", self.ids)]
        ).active = False
        addresses = self.with_context(tracking_disable=True)
        used = addresses.filtered("user_ids")
        used.parent_id = False
        (addresses - used).active = False
