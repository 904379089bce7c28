from datetime import timedelta

from odoo import fields, models

from .portal_invitation import NEW_ORDER, PAST_ORDER


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _create_portal_invitations(self, users, is_account_created=False):
        """Create the invitations of users that have none.

        :param users: of these orders' customers
        :param is_account_created: whether the users were just created, too
        """
        orders = {order.partner_id: order for order in self}
        now = fields.Datetime.now()
        self.env["portal.invitation"].create(
            [
                {
                    "user_id": user.id,
                    "partner_id": user.partner_id.id,
                    "account_order_id": is_account_created
                    and orders[user.partner_id].id,
                    "order_id": orders[user.partner_id].id,
                    "company_id": orders[user.partner_id].company_id.id,
                    "priority": PAST_ORDER
                    if now - orders[user.partner_id].date_order > timedelta(days=1)
                    else NEW_ORDER,
                    "due_date": now,
                    "is_account_created": is_account_created,
                    "website_id": orders[user.partner_id]._get_braked_website().id,
                }
                for user in users
            ]
        )
