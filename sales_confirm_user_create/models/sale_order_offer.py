import logging

from odoo import fields, models
from odoo.tools import SQL

from ..tools import Trusted
from .portal_invitation_mail import RETRIED_EXCEPTIONS

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """Ask customers whether they want an account."""

    _inherit = "sale.order"

    portal_account_offered = fields.Boolean(
        copy=False,
        readonly=True,
        help="The customer of this order was asked whether to create an account.",
    )

    def _offer_portal_accounts(self):
        """Mark the orders whose customers are asked; the sale never fails for it."""
        # sudo: the settings and the users are not for those who confirm
        orders = self.sudo().filtered(
            lambda order: (
                order.company_id.portal_account_policy == "ask"
                and (order.website_id or order._is_accepted_online())
            )
        )
        if not orders:
            return
        self.env.cr.flush()
        try:
            with self.env.cr.savepoint():
                orders = orders._filter_portal_account_orders()
                due, _issues = orders._on_purpose()._split_orders_without_account(
                    orders._find_customer_users()
                )
                due.portal_account_offered = True
        except RETRIED_EXCEPTIONS:
            raise
        except Exception:
            _logger.exception("No account is offered for orders %s", orders.ids)

    def _on_purpose(self):
        """Return the orders for an account that somebody asks for, and that what keeps
        automatic accounts from being created does not concern."""
        return self.with_context(sales_confirm_user_create_on_purpose=Trusted)

    def _is_on_purpose(self):
        """Return whether somebody asks for the account, see ``_on_purpose``."""
        return self.env.context.get("sales_confirm_user_create_on_purpose") is Trusted

    def _get_portal_account_author(self):
        """Return the contact of the employee who creates the account, or None: who
        clicked in the shop, nobody knows."""
        user = self.env.user
        is_employee = self._is_on_purpose() and user._is_internal()
        return user.partner_id if is_employee else None

    def _is_portal_account_offered(self):
        """Return whether to ask the customer of this order for an account."""
        # sudo: a visitor may not read users, and learns nothing but this
        order = self.sudo()
        return (
            order.portal_account_offered
            and order.state == "sale"
            and not order._has_customer_user()
            and not order._is_declined_since()
        )

    def _is_declined_since(self):
        """Return whether the customer has declined an account after this order: then
        its offer has ended."""
        date = self.partner_id.portal_decline_date
        return bool(date and date > self.date_order)

    def _accept_portal_account(self):
        """Create the account that the customer of an order asks for, once."""
        for order in self:
            # A second click waits here for the first, and then starts anew.
            self.env.execute_query(
                SQL("SELECT id FROM sale_order WHERE id = %s FOR UPDATE", order.id)
            )
            if order._is_portal_account_offered():
                order._on_purpose()._ensure_portal_accounts()
