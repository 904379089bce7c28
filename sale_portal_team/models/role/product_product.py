from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _website_show_quick_add(self):
        """Override of `website_sale` not to offer viewers what they may not do."""
        return not self.env.user._is_viewer() and super()._website_show_quick_add()
