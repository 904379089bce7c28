from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_of_account_holder(self):
        """Return whether the customer of a cart belongs to a company, where only users
        buy, or is a person with a personal account."""
        if not self or self._is_anonymous_cart():
            return False
        # sudo: visitors may not read users, and learn nothing but this
        family = self.sudo().partner_id.commercial_partner_id
        return family.is_company or bool(family._filter_account_holders())

    def _action_confirm(self):
        """Override of `delivery`: a pickup point, whose data the browser sends, becomes
        an address below the order's, or the one there that looks like it. Below that of
        the company, it would be a colleague's."""
        for order in self.filtered("pickup_location_data"):
            # sudo: those who confirm orders may not read how users are limited
            own = order.partner_id.sudo().user_ids[:1]._get_own_contact()
            if own and order.partner_shipping_id.parent_id != own:
                order.partner_shipping_id = order.partner_id
        return super()._action_confirm()
