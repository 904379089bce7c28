from odoo import models


class Website(models.Model):
    _inherit = "website"

    def _get_and_cache_current_cart(self):
        """Override of `website_sale`: viewers have no cart. One that was begun in
        another role waits."""
        if self.env.user._is_viewer():
            return self.env["sale.order"].sudo()  # as in super
        return super()._get_and_cache_current_cart()

    def _create_cart(self):
        """Override of `website_sale`: viewers fill no cart, on whatever page."""
        self.env.user._check_portal_role("order")
        return super()._create_cart()
