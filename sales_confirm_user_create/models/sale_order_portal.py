from datetime import timedelta

from odoo import fields, models

# How long after the confirmation a customer reads that the account was created.
ANNOUNCED = timedelta(hours=1)


class SaleOrder(models.Model):
    """What the pages of an order say about its customer's account."""

    _inherit = "sale.order"

    def _get_name_portal_content_view(self):
        """Override of `sale` to show above the order what concerns the account."""
        return self._get_order_page_view() or self._get_name_portal_order_view()

    def _get_order_page_view(self):
        """Return the template that shows something above the order, or None; it calls
        that of the order itself, see ``_get_name_portal_order_view``.

        To be extended by modules with more to show there.
        """
        if self._is_accepted_online():
            module = "sales_confirm_user_create"
            if self._is_portal_account_offered():
                return f"{module}.portal_order_account_offered"
            if self._is_portal_account_announced():
                return f"{module}.portal_order_account_created"
        return None

    def _get_name_portal_order_view(self):
        """Return the template of the order itself, see ``sale``."""
        # It belongs to the method above.
        # pylint: disable=super-method-mismatch
        return super()._get_name_portal_content_view()

    def _is_accepted_online(self):
        """Return whether the customer has just signed the order, or paid for it."""
        since = fields.Datetime.now() - ANNOUNCED
        payment = self.get_portal_last_transaction()
        return (self.signed_on and self.signed_on > since) or (
            payment.state in ("done", "authorized")
            and payment.last_state_change > since
        )

    def _is_portal_account_announced(self):
        """Return whether the order has just created an account that is not in use."""
        # sudo: a visitor may not read users, and learns nothing but this
        order = self.sudo()
        date = order.date_order
        if order.portal_account_offered:
            # whenever the customer asked for it
            date = order.partner_id.portal_user_id.create_date or date
        return (
            order.user_created
            and date > fields.Datetime.now() - ANNOUNCED
            and order.portal_account_state in ("due", "invited")
        )

    def _gets_portal_account(self):
        """Return whether the confirmation of this order is to create an account."""
        # sudo: a visitor may not read contacts, and learns nothing but this
        order = self.sudo()._filter_portal_account_policy()
        return (
            order.state in ("draft", "sent") and order.partner_id._get_portal_address()
        )

    def _has_customer_user(self):
        """Return whether the customer of this order has a user, or had one."""
        # sudo: a visitor may not read users, and learns nothing but this
        order = self.sudo()
        return bool(order._filter_customer_users(order._find_customer_users()))
