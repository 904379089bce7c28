from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    portal_order_claims = fields.Boolean(
        string="Returning Guests Can Add Their Orders",
        default=True,
        help="Customers can add orders that they placed as guests to their account.",
    )
