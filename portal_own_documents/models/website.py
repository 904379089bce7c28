from werkzeug.exceptions import Forbidden

from odoo import models


class Website(models.Model):
    _inherit = "website"

    def _get_and_cache_current_cart(self):
        """Override of `website_sale`: where nobody knows whose an account is, its cart
        would be the company's. And visitors have to log in to go on with the cart of a
        customer with an account: they would edit the contact and its addresses."""
        # sudo: none, as carts are
        none = self.env["sale.order"].sudo()
        if self.env.user._is_account_undecided():
            return none
        cart = super()._get_and_cache_current_cart()
        is_closed = self.env.user._is_public() and cart._is_of_account_holder()
        return none if is_closed else cart

    def _create_cart(self):
        """Override of `website_sale` to buy nothing in the name of a company."""
        if self.env.user._is_account_undecided():
            raise Forbidden()
        return super()._create_cart()
