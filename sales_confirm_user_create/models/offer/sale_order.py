import logging
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...tools import Trusted, attempt

_logger = logging.getLogger(__name__)

# How long after the confirmation a customer reads that the account was created, and is
# asked for one.
ANNOUNCED = timedelta(hours=1)
OFFERED = timedelta(days=30)


class SaleOrder(models.Model):
    """What customers are offered, and what the pages of an order say about it."""

    _inherit = "sale.order"

    portal_account_offered = fields.Boolean(
        copy=False,
        readonly=True,
        help="The customer of this order may be asked whether to create an account.",
    )
    portal_offer_date = fields.Datetime(
        string="Customer Asked On",
        copy=False,
        readonly=True,
        groups="base.group_user",
        help="When a page first asked the customer whether to create an account.",
    )

    def _offer_portal_accounts(self):
        """Mark the orders whose customers are asked; the sale never fails for it."""
        # sudo: the settings and the users are not for those who confirm
        orders_sudo = self.sudo().filtered(
            lambda order: (
                order.company_id.portal_account_policy == "ask"
                and (order.website_id or order._is_accepted_online())
            )
        )
        if not orders_sudo:
            return
        self.env.cr.flush()
        message = "No account is offered for orders %s"
        with attempt(self.env.cr, _logger, message, orders_sudo.ids):
            orders_sudo = orders_sudo._filter_portal_account_orders()
            due_sudo, _issues = orders_sudo._on_purpose()._split_orders_without_account(
                orders_sudo._find_accounts()
            )
            due_sudo.portal_account_offered = True

    def _on_purpose(self):
        """Skip the rules that only apply to automatic accounts."""
        return self.with_context(sales_confirm_user_create_on_purpose=Trusted)

    def _is_on_purpose(self):
        """Return whether somebody asks for the account, see ``_on_purpose``."""
        return self.env.context.get("sales_confirm_user_create_on_purpose") is Trusted

    def _is_portal_account_offered(self):
        """Return whether to ask the customer of this order for an account."""
        # sudo: a visitor may not read users, and learns nothing but this
        order_sudo = self.sudo()
        return (
            order_sudo.portal_account_offered
            and order_sudo.state == "sale"
            and order_sudo.date_order > fields.Datetime.now() - OFFERED
            and not order_sudo._has_customer_user()
            and not (
                (declined := order_sudo.partner_id.portal_decline_date)
                and declined > order_sudo.date_order
            )
        )

    def _note_portal_account_offer(self):
        """Keep when the customer was first asked; the page never fails for it."""
        # sudo: a visitor may not write on orders
        order_sudo = self.sudo()
        if not order_sudo.portal_offer_date:
            message = "The offer is not noted on order %s"
            with attempt(self.env.cr, _logger, message, order_sudo.id):
                order_sudo.portal_offer_date = fields.Datetime.now()

    def _accept_portal_account(self):
        """Create the account that the customer of an order asks for, once."""
        for order in self:
            # A second click waits here for the first, and then starts anew.
            self.env.execute_query(
                SQL("SELECT id FROM sale_order WHERE id = %s FOR UPDATE", order.id)
            )
            if order._is_portal_account_offered():
                order._on_purpose()._ensure_portal_accounts()

    def _get_name_portal_content_view(self):
        """Override of `sale` to show above the order what concerns the account."""
        return self._get_order_page_view() or self._get_name_portal_order_view()

    def _get_order_page_view(self):
        """Return the template that shows something above the order, or None; it calls
        that of the order itself, see ``_get_name_portal_order_view``.

        Override it in modules with more to show there.
        """
        module = "sales_confirm_user_create"
        if self._is_portal_account_offered():
            return f"{module}.portal_order_account_offered"
        # sudo: a visitor learns nothing but that
        is_seen = self.sudo().portal_account_offered or self._is_accepted_online()
        if is_seen and self._is_portal_account_announced():
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
        order_sudo = self.sudo()
        date = order_sudo.date_order
        if order_sudo.portal_account_offered:
            # whenever the customer asked for it
            date = order_sudo.partner_id.portal_user_id.create_date or date
        return (
            order_sudo.user_created
            and date > fields.Datetime.now() - ANNOUNCED
            and order_sudo.portal_account_state in ("due", "invited")
        )

    def _gets_portal_account(self):
        """Return whether the confirmation of this order is to create an account."""
        # sudo: a visitor may not read contacts, and learns nothing but this
        order_sudo = self.sudo()._filter_portal_account_policy()
        return (
            order_sudo.state in ("draft", "sent")
            and order_sudo.partner_id._get_portal_address()
        )

    def _has_customer_user(self):
        """Return whether the customer of this order has a user, or had one."""
        # sudo: a visitor may not read users, and learns nothing but this
        order_sudo = self.sudo()
        return bool(order_sudo._filter_customer_users(order_sudo._find_accounts()))
