from odoo import api, models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `payment`: viewers neither pay nor save cards."""
        self.env.user._check_portal_role("order")
        return super().create(vals_list)
