from werkzeug.exceptions import Forbidden

from odoo import models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_closed_to_visitor(self):
        """Return whether the current user is a visitor who has to log in to go on with
        this cart: its customer is a company, where only users buy, has or had a user,
        or has ordered before. The visitor would edit the contact and its addresses.
        """
        # sudo: visitors may not read users and orders, and learn nothing but this
        order_sudo = self.sudo()
        if not (order_sudo.website_id and order_sudo.state in ("draft", "sent")):
            return False
        if not self.env.user._is_public() or order_sudo._is_anonymous_cart():
            return False
        family = order_sudo.partner_id.commercial_partner_id
        confirmed = Domain("state", "=", "sale")
        return family.is_company or family._family_had_user(or_order=confirmed)

    def _update_address(self, partner_id, fnames=None):
        """Override of `website_sale` to take no address of a colleague."""
        address = self.env["res.partner"].browse(partner_id)
        if address - address._filter_for_customer():
            raise Forbidden()
        return super()._update_address(partner_id, fnames)

    def _action_confirm(self):
        """Override of `delivery`: a pickup point, whose data the browser sends, becomes
        an address below the order's, or the one there that looks like it. Below that of
        the company, it would be a colleague's."""
        for order in self.filtered("pickup_location_data"):
            buyer = order.partner_id
            is_of_company = order.partner_shipping_id.parent_id != buyer
            if is_of_company and buyer != buyer.commercial_partner_id:
                order.partner_shipping_id = buyer
        return super()._action_confirm()
