from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _is_reorder_allowed(self):
        """Override of `website_sale`: viewers order nothing again."""
        return not self.env.user._is_viewer() and super()._is_reorder_allowed()

    def _can_be_edited_on_portal(self):
        """Override of `sale`: viewers change no quantities in a quotation."""
        return not self.env.user._is_viewer() and super()._can_be_edited_on_portal()
