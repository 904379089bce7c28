from odoo import models


class Website(models.Model):
    _inherit = "website"

    def _get_and_cache_current_cart(self):
        """Override of `website_sale`: visitors have to log in to go on with the cart of
        a customer, see ``sale.order._is_closed_to_visitor``."""
        cart = super()._get_and_cache_current_cart()
        return cart.browse() if cart._is_closed_to_visitor() else cart
