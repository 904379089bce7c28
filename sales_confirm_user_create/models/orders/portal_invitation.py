from datetime import timedelta

from odoo import fields, models

from ...tools import get_deliverable_address, get_spellings
from ..invitation.portal_invitation import NEW_ORDER, REMINDER

# Customers who order again without activating their account are invited again.
NEW_ORDER_PAUSE = timedelta(days=1)
NEW_ORDER_MAX = 3


class PortalInvitation(models.Model):
    """The orders that an invitation is about: without one, nothing is sent."""

    _inherit = "portal.invitation"

    def _is_about_order(self):
        """Return whether the order is still confirmed, and still of this customer."""
        order, customer = self.order_id, self.order_id.partner_id
        address = get_deliverable_address(self.login)
        return order.state == "sale" and (
            customer == self.partner_id
            # a guest's
            or bool(address and address == customer._get_portal_address())
        )

    def _filter_with_order(self):
        """Return the invitations whose order, or another of the customer at the
        company, is still confirmed."""
        rest = self.filtered(lambda invitation: not invitation._is_about_order())
        # sudo: visitors ask for a new link, too
        orders_sudo = self.env["sale.order"].sudo()
        domain = [
            ("state", "=", "sale"),
            ("partner_id", "in", rest.partner_id.ids),
            ("company_id", "in", rest.company_id.ids),
        ]
        groups = orders_sudo._read_group(domain, ["partner_id", "company_id"])
        pairs = {(partner.id, company.id) for partner, company in groups}
        gone = rest.filtered(
            lambda rest: (rest.partner_id.id, rest.company_id.id) not in pairs
        )
        return self - gone

    def _hold_back(self):
        """Send nothing about an order that is gone, but about another of the customer
        if there is one."""
        # The account may be that of guests with the same address, too.
        address = get_deliverable_address(self.login)
        found = [("email_normalized", "in", [*get_spellings(address)])]
        customers = self.partner_id | self.env["res.partner"].search(found).filtered(
            lambda guest: guest._get_portal_address() == address
        )
        domain = [("partner_id", "in", customers.ids), ("state", "=", "sale")]
        if self.priority == REMINDER:
            domain.append(("company_id", "=", self.company_id.id))
        orders = self.env["sale.order"].search(domain)
        if order := orders._filter_portal_account_policy()[:1]:
            self.write({"order_id": order.id, "company_id": order.company_id.id})
        else:
            self._cancel("order")

    def _invite_about(self, order, is_automatic):
        """Send the invitation again about a new order, unless it was sent lately, or
        often; and what was held back, now that there is an order again.

        :param is_automatic: whether it is the confirmation of the order
        """
        known = self.order_id
        is_new = is_automatic and order.id > known.id
        if not self._is_about_order():
            self.write({"order_id": order.id, "company_id": order.company_id.id})
        website = order._get_braked_website()
        values = {
            "priority": NEW_ORDER,
            "order_id": order.id,
            "company_id": order.company_id.id,
            "website_id": website.id,
            "failure_count": 0,
            "failure": False,
        }
        if self.held_date:
            if not website or order._has_received_money():
                self._make_due(**values)
            return
        if self.due_date or self.cancel_reason not in (False, "order", "held"):
            return
        pause = self.sent_date and fields.Datetime.now() - self.sent_date
        if pause is False or (
            is_new
            and pause > NEW_ORDER_PAUSE
            and self.sent_count - self.reminder_count < NEW_ORDER_MAX
        ):
            self._make_due(**values)
        elif self.cancel_reason:
            self.cancel_reason = False
