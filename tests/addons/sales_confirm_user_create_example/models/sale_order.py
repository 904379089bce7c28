from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _filter_portal_account_orders(self):
        """Extend to leave out orders of less than 100 in the company's currency."""
        orders = super()._filter_portal_account_orders()
        return orders.filtered(
            lambda order: order.amount_total / order.currency_rate >= 100
        )
