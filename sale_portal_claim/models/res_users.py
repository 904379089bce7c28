import logging

from odoo import models

from odoo.addons.sales_confirm_user_create.tools import attempt

_logger = logging.getLogger(__name__)

# What one proof adds in about a second; *Missing an order?* adds more.
CLAIM_MAX = 1000


class ResUsers(models.Model):
    _inherit = "res.users"

    def _on_mailbox_proven(self, method, kept=()):
        """Extend to add the orders of the address to the account.

        Nothing that goes wrong keeps the customer from logging in.
        """
        res = super()._on_mailbox_proven(method, kept)
        with attempt(self.env.cr, _logger, "No orders claimed for user %s", self.id):
            orders_sudo = self.env["sale.order"]._find_claimable_orders(self)
            # sudo: customers may not read how they log in
            orders_sudo[:CLAIM_MAX]._claim_for(self.sudo(), method)
        return res

    def write(self, vals):
        """Override of `base`: an account that ends, or gets another login, releases its
        claims."""
        ends = vals.keys() & {"active", "group_ids", "login", "partner_id"}
        partners = self.partner_id if ends else self.env["res.partner"]
        res = super().write(vals)
        partners._end_unfit_claims()
        return res

    def unlink(self):
        """Override of `base`: an account that ends releases its claims."""
        partners = self.partner_id
        res = super().unlink()
        partners.exists()._end_unfit_claims()
        return res

    def _can_have_order(self, order):
        """Return whether this account may have an order, by the rules that staff cannot
        override; it may then see the order's company."""
        # Odoo's `_is_portal` takes a query for each user.
        portal_id = self.env["ir.model.data"]._xmlid_to_res_id("base.group_portal")
        address = self._get_mailbox()
        return (
            self.active
            and self.share
            and portal_id in self.all_group_ids.ids
            and address
            and address == order.partner_id._get_portal_address()
            # whoever sees the order sees the contact
            and self.partner_id.company_id <= order.company_id.parent_ids
            and order._can_log_in_with(self.website_id.id or None)
        )
