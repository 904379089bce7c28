from datetime import timedelta

from odoo import fields, models

ASKED_PAUSE = timedelta(days=1)


class SaleOrder(models.Model):
    """Customers who order again before they have activated their account."""

    _inherit = "sale.order"

    def _invite_known_customers(self, users_by_customer, is_automatic):
        """Invite these orders' customers again who have not activated their account.

        :param users_by_customer: what ``_find_accounts`` returned
        :param is_automatic: whether it is the confirmation of the orders
        """
        invitation_ids = {}
        for order in self:
            users = order._filter_customer_users(users_by_customer)
            ids = [user.invitation_id for user in users if user.active]
            # Who has another account, too, can log in.
            if ids and all(ids):
                invitation_ids[order] = ids[0]
        invitations = self.env["portal.invitation"].browse(invitation_ids.values())
        for order, invitation in zip(invitation_ids, invitations, strict=True):
            invitation._invite_about(order, is_automatic)

    def _forget_untold_accounts(self, users_by_customer):
        """Delete accounts of other contacts that nobody was told of, and that no order
        needs any more: the next order of the address has its own.

        :param users_by_customer: what ``_find_accounts`` returned, without them after
        """
        ids = {
            user.invitation_id
            for order in self
            for user in users_by_customer.get(order.partner_id.id, ())
            if user.invitation_id and user.partner_id != order.partner_id.id
        }
        invitations = self.env["portal.invitation"].browse(ids)
        untold = invitations.filtered(
            lambda invitation: (
                invitation.is_account_created
                and not invitation.sent_count
                and not invitation._is_about_order()
            )
        )
        if not untold:
            return
        ordered = self.search(
            [("partner_id", "in", untold.partner_id.ids), ("state", "=", "sale")]
        ).partner_id
        untold = untold.filtered(lambda untold: untold.partner_id not in ordered)
        # What the job is just sending is told.
        untold = untold.try_lock_for_update(allow_referencing=True).user_id
        untold = untold._filter_deletable()
        gone = set(untold.ids)
        untold._delete_unused()
        for customer_id, users in users_by_customer.items():
            users_by_customer[customer_id] = [
                user for user in users if user.id not in gone
            ]

    def _invite_again(self):
        """Invite the customer again if they have no password; once in 24 hours, as
        anybody with the order's link can ask for it."""
        # sudo: visitors may not read users, and learn nothing
        order_sudo = self.sudo()
        users_sudo = order_sudo.env["res.users"].browse(
            user.id
            for user in order_sudo._filter_customer_users(order_sudo._find_accounts())
        )
        latest = fields.Datetime.now() - ASKED_PAUSE
        for invitation in users_sudo._filter_unused_accounts().portal_invitation_ids:
            if not invitation.sent_date or invitation.sent_date < latest:
                invitation._renew()
