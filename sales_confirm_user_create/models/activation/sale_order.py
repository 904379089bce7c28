from datetime import timedelta

from odoo import fields, models

ASKED_PAUSE = timedelta(days=1)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _invite_again(self):
        """Invite the customer again if they have no password; once in 24 hours, as
        anybody with the order's link can ask for it."""
        # sudo: visitors may not read users, and learn nothing
        order = self.sudo()
        users = order.env["res.users"].browse(
            user.id for user in order._filter_customer_users(order._find_accounts())
        )
        latest = fields.Datetime.now() - ASKED_PAUSE
        for invitation in users._filter_unused_accounts().portal_invitation_ids:
            if not invitation.sent_date or invitation.sent_date < latest:
                invitation._renew()
